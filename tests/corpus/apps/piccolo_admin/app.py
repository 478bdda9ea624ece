"""Tables, media and forms, as Piccolo Admin's manual has them, on PostgreSQL."""

import datetime
import decimal
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum

from fastapi import FastAPI
from piccolo.apps.user.tables import BaseUser
from piccolo.columns import (
    JSON,
    UUID,
    Array,
    Boolean,
    Date,
    ForeignKey,
    Integer,
    Interval,
    Numeric,
    Serial,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.readable import Readable
from piccolo.engine.postgres import PostgresEngine
from piccolo.table import Table
from piccolo_admin.endpoints import FormConfig, OrderBy, TableConfig, create_admin
from piccolo_api.media.local import LocalMediaStorage
from piccolo_api.session_auth.tables import SessionsBase
from pydantic import BaseModel
from starlette.requests import Request

_HOST, _, _NAME = os.environ["CORPUS_POSTGRESQL"].partition("/")
DB = PostgresEngine(
    config={
        "host": _HOST.partition(":")[0],
        "port": int(_HOST.partition(":")[2]),
        "database": _NAME,
        "user": "postgres",
        "password": "secret",
    }
)
MEDIA = os.path.join(os.environ["CORPUS_STATE"], "media")


class User(BaseUser, db=DB, tablename="piccolo_user"):
    """Who may log in."""


class Sessions(SessionsBase, db=DB):
    """Who is logged in."""


class Director(Table, db=DB, help_text="Who directed a movie."):
    class Gender(StrEnum):
        male = "m"
        female = "f"
        non_binary = "n"

    id: Serial
    name = Varchar(length=300)
    years_nominated = Array(base_column=Integer())
    gender = Varchar(length=1, choices=Gender)
    photo = Varchar()

    @classmethod
    def get_readable(cls) -> Readable:
        return Readable(template="%s", columns=[cls.name])


class Studio(Table, db=DB):
    pk = UUID(primary_key=True)
    name = Varchar(unique=True)
    facilities = JSON()
    opened = Timestamptz()

    @classmethod
    def get_readable(cls) -> Readable:
        return Readable(template="%s", columns=[cls.name])


class Movie(Table, db=DB):
    id: Serial
    name = Varchar(length=300)
    rating = Numeric(digits=(3, 1), default=decimal.Decimal("0.0"))
    duration = Interval(default=datetime.timedelta(hours=2))
    director = ForeignKey(references=Director)
    studio = ForeignKey(references=Studio)
    won_oscar = Boolean()
    description = Text()
    release_date = Date(null=True)
    tags = Array(base_column=Varchar())

    @classmethod
    def get_readable(cls) -> Readable:
        return Readable(template="%s", columns=[cls.name])


TABLES = (User, Sessions, Director, Studio, Movie)


class Sum(BaseModel):
    """What is added up."""

    first: int
    second: int


async def best(request: Request, data: Sum) -> str:
    """Answer a form."""
    count = await Movie.count().where(Movie.rating >= data.first)
    return f"{request.user.display_name}: {count} movies, {data.first + data.second}"


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    await DB.start_connection_pool()
    yield
    await DB.close_connection_pool()


app = FastAPI(lifespan=lifespan)
app.mount(
    "/admin/",
    create_admin(
        [
            TableConfig(
                Movie,
                visible_columns=[Movie.id, Movie.name, Movie.rating, Movie.director],
                rich_text_columns=[Movie.description],
                order_by=[OrderBy(Movie.rating, ascending=False)],
                menu_group="Movies",
            ),
            TableConfig(
                Director,
                media_storage=[
                    LocalMediaStorage(Director.photo, media_path=os.path.join(MEDIA, "photo"))
                ],
                menu_group="Movies",
            ),
            Studio,
            User,
        ],
        forms=[FormConfig(name="Best", pydantic_model=Sum, endpoint=best)],
        auth_table=User,
        session_table=Sessions,
        sidebar_links={"Top": "/admin/#/movie?__order=-rating"},
    ),
)
