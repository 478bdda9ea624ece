"""A shop's API: BlackSheep, with SQLAlchemy's asyncio on aiosqlite, JWTs, and events sent."""

import asyncio
import hashlib
import os
import secrets
import uuid
from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import jwt
from blacksheep import (
    Application,
    Content,
    Cookie,
    FromJSON,
    FromQuery,
    Request,
    Response,
    bad_request,
    created,
    file,
    json,
    no_content,
    not_found,
    ok,
    unauthorized,
)
from blacksheep.server.compression import use_gzip_compression
from blacksheep.server.openapi.v3 import OpenAPIHandler
from blacksheep.server.sse import ServerSentEvent
from essentials.exceptions import ConflictException
from guardpost import AuthenticationHandler, Identity, Policy
from guardpost.common import AuthenticatedRequirement
from openapidocs.v3 import Info
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

STATE = Path(os.environ["CORPUS_STATE"])
SECRET = os.environ["SHOP_SECRET"]


ANY_PRICE = FromQuery(1e9)


class Base(DeclarativeBase):
    """All tables."""


class User(Base):
    __tablename__ = "users"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    email: Mapped[str] = mapped_column(unique=True)
    salt: Mapped[bytes]
    password: Mapped[str]


class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    price: Mapped[float]
    stock: Mapped[int]
    changed: Mapped[datetime] = mapped_column(default=lambda: datetime.now(UTC))


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    placed: Mapped[datetime] = mapped_column(server_default=func.now())
    lines: Mapped[list["Line"]] = relationship(back_populates="order", lazy="raise")


class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("orders.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    amount: Mapped[int]
    order: Mapped[Order] = relationship(back_populates="lines")
    product: Mapped[Product] = relationship()


@dataclass
class Credentials:
    email: str
    password: str


@dataclass
class NewProduct:
    name: str
    price: float
    stock: int = 0


@dataclass
class NewOrder:
    lines: dict[str, int]


class Bearer(AuthenticationHandler):
    """Who sends a token is let in."""

    async def authenticate(self, context: Request):
        given = context.get_first_header(b"Authorization") or b""
        context.user = Identity({})
        if given.startswith(b"Bearer "):
            try:
                claims = jwt.decode(given[7:].decode(), SECRET, algorithms=["HS256"])
                context.user = Identity(claims, "JWT")
            except jwt.InvalidTokenError:
                pass
        return context.user


app = Application()
use_gzip_compression(app)
app.use_sessions("a-long-key-for-sessions-0123456789")
docs = OpenAPIHandler(info=Info(title="Shop", version="1"))
docs.bind_app(app)
app.use_authentication().add(Bearer())
app.use_authorization().with_default_policy(Policy("default", AuthenticatedRequirement()))
from blacksheep.server.authorization import allow_anonymous  # noqa: E402


@app.on_start
async def start(app):
    engine = create_async_engine(f"sqlite+aiosqlite:///{STATE}/shop.db")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    app.services.add_instance(engine)
    app.services.add_instance(httpx.AsyncClient(base_url=os.environ["ORIGIN"]), httpx.AsyncClient)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    def session() -> AsyncSession:
        return sessions()

    app.services.add_scoped_by_factory(session, AsyncSession)
    (STATE / "pictures").mkdir(exist_ok=True)


def _hash(password, salt):
    return hashlib.scrypt(password.encode(), salt=salt, n=1024, r=8, p=1).hex()


@app.exception_handler(ConflictException)
async def conflict(self, request, error):
    return json({"error": str(error)}, 409)


@allow_anonymous()
@app.router.get("/")
async def home(request: Request, session: AsyncSession):
    seen = int(request.session.get("seen", 0)) + 1
    request.session["seen"] = seen
    count = await session.scalar(select(func.count()).select_from(Product))
    return json({"seen": seen, "products": count})


@allow_anonymous()
@app.router.post("/register")
async def register(given: FromJSON[Credentials], session: AsyncSession):
    if len(given.value.password) < 8:
        return bad_request("that password is too short")
    salt = secrets.token_bytes(16)
    password = await asyncio.get_running_loop().run_in_executor(
        None, _hash, given.value.password, salt
    )
    user = User(email=given.value.email, salt=salt, password=password)
    session.add(user)
    try:
        await session.commit()
    except IntegrityError:
        raise ConflictException("there is one") from None
    return created({"id": user.id}, location=f"/users/{user.id}")


@allow_anonymous()
@app.router.post("/token")
async def token(given: FromJSON[Credentials], session: AsyncSession):
    user = await session.scalar(select(User).where(User.email == given.value.email))
    if user is None or not secrets.compare_digest(
        await asyncio.to_thread(_hash, given.value.password, user.salt), user.password
    ):
        return unauthorized("no")
    now = datetime.now(UTC)
    claims = {"sub": str(user.id), "iat": now, "exp": now + timedelta(hours=1)}
    answer = json({"token": jwt.encode(claims, SECRET, algorithm="HS256")})
    answer.set_cookie(Cookie("last", now.isoformat(), http_only=True))
    return answer


def _product(one):
    return {"id": one.id, "name": one.name, "price": one.price, "stock": one.stock}


@allow_anonymous()
@app.router.get("/products")
async def products(session: AsyncSession, under: FromQuery[float] = ANY_PRICE):
    found = await session.scalars(
        select(Product).where(Product.price < under.value).order_by(Product.name)
    )
    return json([{**_product(one), "changed": one.changed} for one in found])


@app.router.post("/products")
async def add(given: FromJSON[NewProduct], session: AsyncSession):
    made = Product(name=given.value.name, price=given.value.price, stock=given.value.stock)
    session.add(made)
    try:
        await session.commit()
    except IntegrityError:
        raise ConflictException(f"{made.name} is there") from None
    return created(_product(made))


@allow_anonymous()
@app.router.get("/products/{product_id}")
async def product(product_id: int, session: AsyncSession):
    one = await session.get(Product, product_id)
    return not_found() if one is None else ok(_product(one))


@app.router.post("/products/{product_id}/picture")
async def picture(product_id: int, request: Request):
    form = await request.form()
    kept = form["picture"]
    part = kept[0] if isinstance(kept, list) else kept
    data = part.data if isinstance(part.data, bytes) else part.data.read()
    await asyncio.to_thread((STATE / "pictures" / f"{product_id}.png").write_bytes, data)
    return created({"bytes": len(data), "digest": hashlib.blake2b(data).hexdigest()})


@allow_anonymous()
@app.router.get("/products/{product_id}/picture")
async def shown(product_id: int):
    path = STATE / "pictures" / f"{product_id}.png"
    if not await asyncio.to_thread(path.exists):
        return not_found()
    return file(str(path), "image/png")


@app.router.post("/orders")
async def order(given: FromJSON[NewOrder], session: AsyncSession, request: Request):
    made = Order(user_id=uuid.UUID(request.user["sub"]))
    session.add(made)
    for number, amount in given.value.lines.items():
        one = await session.get(Product, int(number), with_for_update=True)
        if one is None or one.stock < amount:
            await session.rollback()
            raise ConflictException(f"not enough of {number}")
        one.stock -= amount
        session.add(Line(order=made, product=one, amount=amount))
    await session.commit()
    return created({"id": made.id})


@app.router.get("/orders")
async def orders(session: AsyncSession, request: Request):
    found = await session.scalars(
        select(Order)
        .where(Order.user_id == uuid.UUID(request.user["sub"]))
        .options(selectinload(Order.lines).joinedload(Line.product))
        .order_by(Order.placed, Order.id)
    )
    return json(
        [
            {
                "id": one.id,
                "placed": one.placed,
                "total": sum(line.amount * line.product.price for line in one.lines),
            }
            for one in found
        ]
    )


@app.router.delete("/orders/{order_id}")
async def cancel(order_id: uuid.UUID, session: AsyncSession):
    one = await session.get(Order, order_id, options=[selectinload(Order.lines)])
    if one is None:
        return not_found()
    for line in one.lines:
        await session.delete(line)
    await session.delete(one)
    await session.commit()
    return no_content()


@allow_anonymous()
@app.router.get("/rates")
async def rates(client: httpx.AsyncClient):
    async with asyncio.timeout(5):
        answers = await asyncio.gather(*(client.get(f"/rate/{c}") for c in ("EUR", "USD", "GBP")))
    return json({"rates": [one.json() for one in answers], "at": datetime.now(UTC)})


@allow_anonymous()
@app.router.get("/ticker")
async def ticker(session: AsyncSession) -> AsyncIterable[ServerSentEvent]:
    for number in range(3):
        price = await session.scalar(select(func.sum(Product.price)))
        yield ServerSentEvent({"n": number, "sum": price, "at": datetime.now(UTC).isoformat()})
        await asyncio.sleep(0.01)


@allow_anonymous()
@app.router.get("/export")
async def export(session: AsyncSession):
    async def lines():
        result = await session.stream_scalars(select(Product).order_by(Product.id))
        async for one in result:
            yield f"{one.id};{one.name};{one.price}\n".encode()

    return Response(200, content=_streamed(lines))


def _streamed(lines):
    from blacksheep.contents import StreamedContent

    return StreamedContent(b"text/csv", lines)


@allow_anonymous()
@app.router.post("/echo")
async def echo(request: Request):
    size = 0
    digest = hashlib.sha256()
    async for chunk in request.stream():
        size += len(chunk)
        digest.update(chunk)
    return Response(200, content=Content(b"text/plain", f"{size} {digest.hexdigest()}".encode()))


@allow_anonymous()
@app.router.get("/broken")
async def broken(session: AsyncSession):
    return await session.scalar(select(1 / func.nothing("x")))
