"""A club's accounts: FastAPI Users with its ways to log in, on SQLAlchemy's asyncio."""

import logging
import os
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import aiosmtplib
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from fastapi_users import (
    BaseUserManager,
    FastAPIUsers,
    InvalidPasswordException,
    UUIDIDMixin,
    schemas,
)
from fastapi_users.authentication import (
    AuthenticationBackend,
    BearerTransport,
    CookieTransport,
    JWTStrategy,
)
from fastapi_users.authentication.strategy.db import DatabaseStrategy
from fastapi_users_db_sqlalchemy import SQLAlchemyBaseUserTableUUID, SQLAlchemyUserDatabase
from fastapi_users_db_sqlalchemy.access_token import (
    SQLAlchemyAccessTokenDatabase,
    SQLAlchemyBaseAccessTokenTableUUID,
)
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

STATE = Path(os.environ["CORPUS_STATE"])
SECRET = os.environ["CLUB_SECRET"]
OUTBOX = STATE / "outbox"
log = logging.getLogger("club")
engine = create_async_engine(f"sqlite+aiosqlite:///{STATE}/club.db")
sessions = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """All tables."""


class User(SQLAlchemyBaseUserTableUUID, Base):
    nickname: Mapped[str] = mapped_column(default="")
    joined: Mapped[datetime] = mapped_column(server_default=func.now())


class AccessToken(SQLAlchemyBaseAccessTokenTableUUID, Base):
    """A session."""


class UserRead(schemas.BaseUser[uuid.UUID]):
    nickname: str
    joined: datetime


class UserCreate(schemas.BaseUserCreate):
    nickname: str = ""


class UserUpdate(schemas.BaseUserUpdate):
    nickname: str | None = None


class UserManager(UUIDIDMixin, BaseUserManager[User, uuid.UUID]):
    reset_password_token_secret = SECRET
    verification_token_secret = SECRET

    async def validate_password(self, password, user):
        if len(password) < 10 or user.email in password:
            raise InvalidPasswordException("Not so short, and not your address")

    async def on_after_register(self, user, request=None):
        log.info("registered %s", user.id)

    async def on_after_forgot_password(self, user, token, request=None):
        OUTBOX.mkdir(exist_ok=True)
        (OUTBOX / f"{user.email}.reset").write_text(token)

    async def on_after_request_verify(self, user, token, request=None):
        OUTBOX.mkdir(exist_ok=True)
        (OUTBOX / f"{user.email}.verify").write_text(token)


async def get_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


async def get_users(session: Session):
    yield SQLAlchemyUserDatabase(session, User)


async def get_manager(users: Annotated[SQLAlchemyUserDatabase, Depends(get_users)]):
    yield UserManager(users)


async def get_tokens(session: Session):
    yield SQLAlchemyAccessTokenDatabase(session, AccessToken)


def by_jwt() -> JWTStrategy:
    return JWTStrategy(secret=SECRET, lifetime_seconds=3600)


def by_database(
    tokens: Annotated[SQLAlchemyAccessTokenDatabase, Depends(get_tokens)],
) -> DatabaseStrategy:
    return DatabaseStrategy(tokens, lifetime_seconds=3600)


bearer = AuthenticationBackend("jwt", BearerTransport("auth/jwt/login"), by_jwt)
cookie = AuthenticationBackend(
    "cookie", CookieTransport("club", cookie_max_age=3600, cookie_secure=False), by_database
)
accounts = FastAPIUsers[User, uuid.UUID](get_manager, [bearer, cookie])
current = accounts.current_user(active=True)
verified = accounts.current_user(active=True, verified=True)


@asynccontextmanager
async def lifespan(app):
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with sessions() as session:
        manager = UserManager(SQLAlchemyUserDatabase(session, User))
        chief = UserCreate(email="chief@club.example", password="Walnut-Tree-19", is_superuser=True)
        await manager.create(chief)
    yield


app = FastAPI(lifespan=lifespan)
app.include_router(accounts.get_auth_router(bearer), prefix="/auth/jwt")
app.include_router(accounts.get_auth_router(cookie), prefix="/auth/cookie")
app.include_router(accounts.get_register_router(UserRead, UserCreate), prefix="/auth")
app.include_router(accounts.get_reset_password_router(), prefix="/auth")
app.include_router(accounts.get_verify_router(UserRead), prefix="/auth")
app.include_router(accounts.get_users_router(UserRead, UserUpdate), prefix="/users")


@app.get("/hello")
async def hello(user: Annotated[User, Depends(current)]):
    return {"hello": user.nickname or user.email, "since": user.joined}


@app.get("/secret")
async def secret(user: Annotated[User, Depends(verified)]):
    return {"secret": f"the cellar is open to {user.id}"}


@app.get("/members")
async def members(session: Session, user: Annotated[User, Depends(current)]):
    count = await session.scalar(select(func.count()).select_from(User))
    names = await session.scalars(select(User.email).order_by(User.email))
    return {"count": count, "names": list(names)}


def _note(line: str) -> None:
    with (STATE / "notes.txt").open("a") as notes:
        notes.write(f"{datetime.now()} {line}\n")


@app.post("/notes", status_code=202)
async def note(request: Request, tasks: BackgroundTasks, user: Annotated[User, Depends(current)]):
    line = (await request.json())["line"]
    tasks.add_task(_note, f"{user.email}: {line}")
    return {"kept": len(line)}


@app.post("/invite", status_code=202)
async def invite(to: str, user: Annotated[User, Depends(current)]):
    text = f"From: {user.email}\r\nTo: {to}\r\nSubject: Come\r\n\r\nCome to us\r\n"
    try:
        await aiosmtplib.send(
            text, sender=user.email, recipients=[to], hostname="127.0.0.1", port=9
        )
    except aiosmtplib.SMTPException as error:
        return {"sent": False, "why": type(error).__name__}
    return {"sent": True}


@app.get("/outbox/{name}")
async def outbox(name: str):
    """Stand in for the mail."""
    return {"token": (OUTBOX / name).read_text()}
