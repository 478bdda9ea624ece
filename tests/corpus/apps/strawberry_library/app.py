"""A library's GraphQL API: Strawberry on FastAPI, with data loaders and SQLAlchemy's asyncio."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import random
import uuid
from collections import defaultdict
from collections.abc import AsyncGenerator  # noqa: TC003
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal  # noqa: TC003
from enum import Enum
from pathlib import Path
from typing import Annotated

import httpx
import strawberry
from fastapi import Depends, FastAPI, Request
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from strawberry.dataloader import DataLoader
from strawberry.extensions import MaxAliasesLimiter, ParserCache, QueryDepthLimiter
from strawberry.fastapi import BaseContext, GraphQLRouter
from strawberry.file_uploads import Upload  # noqa: TC002
from strawberry.permission import BasePermission
from strawberry.scalars import JSON  # noqa: TC002

STATE = Path(os.environ["CORPUS_STATE"])
engine = create_async_engine(f"postgresql+asyncpg://postgres@{os.environ['DATABASE']}", pool_size=3)
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """All tables."""


class AuthorRow(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    born: Mapped[date | None]


class BookRow(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4)
    title: Mapped[str]
    price: Mapped[Decimal]
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))
    added: Mapped[datetime]


class ReviewRow(Base):
    __tablename__ = "reviews"
    id: Mapped[int] = mapped_column(primary_key=True)
    book_id: Mapped[int] = mapped_column(ForeignKey("books.id"))
    stars: Mapped[int]
    words: Mapped[str]


class Context(BaseContext):
    """What a request's resolvers share."""

    def __init__(self) -> None:
        super().__init__()
        self.authors = DataLoader(load_fn=self._authors)
        self.reviews = DataLoader(load_fn=self._reviews, max_batch_size=2)
        self.prices = DataLoader(load_fn=_prices)

    async def _authors(self, keys: list[int]) -> list[Author | None]:
        async with sessions() as session:
            found = await session.scalars(select(AuthorRow).where(AuthorRow.id.in_(keys)))
            known = {row.id: Author.of(row) for row in found}
        return [known.get(key) for key in keys]

    async def _reviews(self, keys: list[int]) -> list[list[Review]]:
        async with sessions() as session:
            found = await session.scalars(
                select(ReviewRow).where(ReviewRow.book_id.in_(keys)).order_by(ReviewRow.id)
            )
            of_book = defaultdict(list)
            for row in found:
                of_book[row.book_id].append(Review(stars=row.stars, words=row.words))
        return [of_book[key] for key in keys]


async def _prices(keys: list[str]) -> list[float]:
    async def one(key: str) -> float:
        answer = await client.get(f"/rate/{key}")
        return answer.json()["rate"]

    return list(await asyncio.gather(*map(one, keys)))


class KnownReader(BasePermission):
    message = "Who are you?"

    def has_permission(self, source, info, **given) -> bool:
        sent = info.context.request.headers.get("authorization", "")
        return sent == "Bearer " + os.environ["READER_TOKEN"]


@strawberry.enum
class Money(Enum):
    EUR = "EUR"
    USD = "USD"


@strawberry.type
class Review:
    stars: int
    words: str


@strawberry.type
class Author:
    id: strawberry.ID
    name: str
    born: date | None

    @classmethod
    def of(cls, row: AuthorRow) -> Author:
        return cls(id=strawberry.ID(str(row.id)), name=row.name, born=row.born)

    @strawberry.field
    async def books(self) -> list[Book]:
        async with sessions() as session:
            found = await session.scalars(
                select(BookRow).where(BookRow.author_id == int(self.id)).order_by(BookRow.id)
            )
            return [Book.of(row) for row in found]


@strawberry.type
class Book:
    id: strawberry.ID
    uid: uuid.UUID
    title: str
    price: Decimal
    added: datetime
    author_id: strawberry.Private[int]

    @classmethod
    def of(cls, row: BookRow) -> Book:
        return cls(
            id=strawberry.ID(str(row.id)),
            uid=row.uid,
            title=row.title,
            price=row.price,
            added=row.added,
            author_id=row.author_id,
        )

    @strawberry.field
    async def author(self, info: strawberry.Info[Context, None]) -> Author | None:
        return await info.context.authors.load(self.author_id)

    @strawberry.field
    async def reviews(self, info: strawberry.Info[Context, None]) -> list[Review]:
        return await info.context.reviews.load(int(self.id))

    @strawberry.field
    async def price_in(self, info: strawberry.Info[Context, None], money: Money) -> float:
        return round(float(self.price) * await info.context.prices.load(money.value), 2)

    @strawberry.field
    def cursor(self) -> str:
        return base64.b64encode(f"book:{self.id}".encode()).decode()


@strawberry.type
class Query:
    @strawberry.field
    async def books(self, first: int = 10, after: int = 0) -> list[Book]:
        async with sessions() as session:
            found = await session.scalars(
                select(BookRow).where(BookRow.id > after).order_by(BookRow.id).limit(first)
            )
            return [Book.of(row) for row in found]

    @strawberry.field
    async def book(self, id: strawberry.ID) -> Book | None:
        async with sessions() as session:
            row = await session.get(BookRow, int(id))
            return None if row is None else Book.of(row)

    @strawberry.field
    async def lucky(self) -> Book:
        async with sessions() as session:
            ids = list(await session.scalars(select(BookRow.id).order_by(BookRow.id)))
            return Book.of(await session.get(BookRow, random.choice(ids)))

    @strawberry.field(permission_classes=[KnownReader])
    async def statistics(self) -> JSON:
        async with sessions() as session:
            rows = await session.execute(
                select(AuthorRow.name, func.count(BookRow.id), func.sum(BookRow.price))
                .join(BookRow)
                .group_by(AuthorRow.name)
                .order_by(AuthorRow.name)
            )
            return {name: [count, str(total)] for name, count, total in rows}

    @strawberry.field
    def broken(self) -> int:
        raise ValueError("this field is never well")


@strawberry.input
class NewBook:
    title: str
    author: str
    price: Decimal
    born: date | None = None


@strawberry.type
class Refused:
    why: str


Added = Annotated[Book | Refused, strawberry.union("Added")]


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def add_book(self, given: NewBook) -> Added:
        if given.price < 0:
            return Refused(why="nobody pays for taking it")
        async with sessions() as session, session.begin():
            author = await session.scalar(select(AuthorRow).where(AuthorRow.name == given.author))
            if author is None:
                author = AuthorRow(name=given.author, born=given.born)
                session.add(author)
                await session.flush()
            row = BookRow(
                title=given.title, price=given.price, author_id=author.id, added=datetime.now()
            )
            session.add(row)
            await session.flush()
            return Book.of(row)

    @strawberry.mutation
    async def review(self, book: strawberry.ID, stars: int, words: str) -> Review:
        async with sessions() as session, session.begin():
            session.add(ReviewRow(book_id=int(book), stars=stars, words=words))
        return Review(stars=stars, words=words)

    @strawberry.mutation
    async def cover(self, book: strawberry.ID, file: Upload) -> str:
        content = await file.read()
        await asyncio.to_thread((STATE / f"{book}.png").write_bytes, content)
        return hashlib.sha256(content).hexdigest()


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def added(self, count: int) -> AsyncGenerator[str]:
        for number in range(count):
            async with sessions() as session:
                total = await session.scalar(select(func.count()).select_from(BookRow))
            yield f"{number}: {total} at {datetime.now(UTC):%H:%M:%S.%f}"
            await asyncio.sleep(0.01)


schema = strawberry.Schema(
    Query,
    Mutation,
    Subscription,
    extensions=[
        lambda: QueryDepthLimiter(max_depth=8),
        lambda: MaxAliasesLimiter(max_alias_count=5),
        lambda: ParserCache(maxsize=50),
    ],
)


async def context(request: Request) -> Context:
    """Return what is shared by a request's resolvers."""
    return Context()


@asynccontextmanager
async def lifespan(app):
    global client
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with httpx.AsyncClient(base_url=os.environ["ORIGIN"]) as client:
        yield
    await engine.dispose()


async def session() -> AsyncGenerator[AsyncSession]:
    """Return a session, which ends with the request."""
    async with sessions() as opened:
        yield opened


app = FastAPI(lifespan=lifespan)
app.include_router(
    GraphQLRouter(schema, context_getter=context, multipart_uploads_enabled=True),
    prefix="/graphql",
)


@app.get("/feed")
async def feed(session: Annotated[AsyncSession, Depends(session)]) -> list[str]:
    """Return the titles, the newest first."""
    return list(await session.scalars(select(BookRow.title).order_by(BookRow.added.desc())))
