"""PostgreSQL through SQLAlchemy, SQLModel, Django and peewee, with the server gone."""

from __future__ import annotations

import asyncio
import datetime  # noqa: TC003  # SQLAlchemy looks the types of columns up
import json
import os
import subprocess
import sys
import textwrap
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import peewee
import pytest
import sqlalchemy as sa
import sqlmodel
from sqlalchemy import orm
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from retrace_core import installer
from retrace_core.native import LANE, current
from tests.postgresql_server import postgresql_server
from tests.recorded import assert_identical, record_asgi, record_wsgi
from tests.replay_report import replays

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.postgresql_server import PostgresqlServer

SYNC = ["postgresql+psycopg", "postgresql+psycopg2"]


class Base(orm.DeclarativeBase):
    """The tables of the shop."""


class Customer(Base):
    """Has orders."""

    __tablename__ = "customer"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(unique=True)
    orders: orm.Mapped[list[Order]] = orm.relationship(back_populates="customer")


class Order(Base):
    """Has what PostgreSQL alone has."""

    __tablename__ = "order"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    customer_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("customer.id"))
    amount: orm.Mapped[Decimal] = orm.mapped_column(sa.Numeric(10, 2))
    at: orm.Mapped[datetime.datetime] = orm.mapped_column(
        sa.DateTime(timezone=True), server_default=sa.func.clock_timestamp()
    )
    key: orm.Mapped[Any] = orm.mapped_column(pg.UUID, server_default=sa.func.gen_random_uuid())
    tags: orm.Mapped[Any] = orm.mapped_column(pg.ARRAY(sa.Text))
    document: orm.Mapped[Any] = orm.mapped_column(pg.JSONB)
    span: orm.Mapped[Any] = orm.mapped_column(pg.INT4RANGE)
    address: orm.Mapped[Any] = orm.mapped_column(pg.INET)
    customer: orm.Mapped[Customer] = orm.relationship(back_populates="orders")


def an_order() -> Order:
    """Return an order that is not stored yet."""
    return Order(
        amount=Decimal("12.30"),
        tags=["a", "b"],
        document={"k": [1, None]},
        span=pg.Range(1, 9),
        address="10.0.0.1",
    )


def told(order: Order) -> list[str]:
    """Return an order in words, with the types of its values."""
    names = ("id", "amount", "at", "key", "tags", "document", "span", "address")
    return [repr(getattr(order, name)) for name in names]


@pytest.fixture
def database(postgresql: PostgresqlServer) -> str:
    """Return the name of a fresh database."""
    installer.install()
    return postgresql.new_database()


def answered(recordings: Path, view: Callable[[], Any], between: Callable[[], Any]) -> Any:
    """Record a Flask view, make its pool cold, replay it identically; return its answer."""
    app, recording = record_wsgi(recordings, view)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    between()
    assert_identical(recording, app)
    between()
    return json.loads(b"".join(recording.response.body))


@pytest.mark.parametrize("scheme", SYNC)
@pytest.mark.parametrize("warm", [False, True])
def test_sqlalchemy_sessions(
    recordings: Path, postgresql: PostgresqlServer, database: str, scheme: str, warm: bool
) -> None:
    """Sessions, relationships, a violated constraint, savepoints, streaming; pre-ping on."""
    engine = sa.create_engine(postgresql.url(database, scheme), pool_pre_ping=True, pool_size=2)
    Base.metadata.create_all(engine)
    if not warm:
        engine.dispose()

    def view() -> Any:
        seen: list[Any] = []
        with orm.Session(engine) as session:
            session.add_all([Customer(name=f"c{n}", orders=[an_order()]) for n in range(20)])
            session.commit()
            found = session.scalars(
                sa.select(Customer).options(orm.selectinload(Customer.orders)).limit(3)
            ).all()
            seen += [[customer.name, *map(told, customer.orders)] for customer in found]
            try:
                with session.begin_nested():
                    session.add(Customer(name="c1"))
            except sa.exc.IntegrityError as error:
                seen += [str(error.orig), type(error.orig).__name__]
            session.commit()
            rows = session.execute(
                sa.select(Order.amount, sa.func.random()).execution_options(yield_per=5)
            )
            seen += [repr(tuple(row)) for row in rows]
            seen.append(session.execute(sa.update(Order).values(tags=["z"])).rowcount)
            session.rollback()
        return seen

    assert len(answered(recordings, view, engine.dispose)) == 26


@pytest.mark.parametrize("driver", ["psycopg", "aiosqlite"])
def test_sqlalchemy_async_sessions_side_by_side(
    recordings: Path, postgresql: PostgresqlServer, database: str, driver: str, tmp_path: Path
) -> None:
    """The lane is seen inside SQLAlchemy's greenlets: what sessions ask there is recorded."""
    address = f"sqlite+aiosqlite:///{tmp_path}/shop.db"
    if driver == "psycopg":
        address = postgresql.url(database, "postgresql+psycopg")
    lanes: list[bool] = []

    def note_lane(*_: Any) -> None:
        lanes.append(LANE.get() is not None and current() is LANE.get())

    async def handler() -> Any:
        engine = create_async_engine(address, pool_pre_ping=True)
        sa.event.listen(engine.sync_engine, "before_cursor_execute", note_lane)
        async with engine.begin() as connection:
            await connection.run_sync(Customer.metadata.tables["customer"].create)
        seen: list[Any] = []

        async def one(number: int) -> None:
            async with AsyncSession(engine) as session:
                if driver == "psycopg":
                    session.add(Customer(name=f"c{number}"))
                    await session.commit()
                found = await session.execute(sa.select(sa.func.random(), number))
                seen.append(repr(found.one()))

        await asyncio.gather(*(one(number) for number in range(4)))
        async with AsyncSession(engine) as session:
            result = await session.stream(sa.select(Customer.name).order_by(Customer.id))
            seen += [name async for (name,) in result]
        await engine.dispose()
        return seen

    app, recording = record_asgi(recordings, handler)
    assert recording.response is not None
    assert recording.response.status == 200, recording.failure
    assert all(lanes)
    assert lanes
    (tmp_path / "shop.db").unlink(missing_ok=True)
    assert_identical(recording, app)


def test_sqlmodel(recordings: Path, postgresql: PostgresqlServer, database: str) -> None:
    """A model that validates, through its session."""

    class Hero(sqlmodel.SQLModel, table=True):
        id: int | None = sqlmodel.Field(default=None, primary_key=True)
        name: str

    engine = sa.create_engine(postgresql.url(database, "postgresql+psycopg"))
    sqlmodel.SQLModel.metadata.create_all(engine, tables=[Hero.__table__])  # type: ignore[attr-defined]

    def view() -> Any:
        with sqlmodel.Session(engine) as session:
            session.add(Hero(name="Deadpond"))
            session.commit()
            return [hero.model_dump() for hero in session.exec(sqlmodel.select(Hero)).all()]

    assert answered(recordings, view, engine.dispose) == [{"id": 1, "name": "Deadpond"}]
    sqlmodel.SQLModel.metadata.remove(Hero.__table__)  # type: ignore[attr-defined]


def test_peewee(recordings: Path, postgresql: PostgresqlServer, database: str) -> None:
    """A connection for each request, a transaction, a model with an id."""
    db = peewee.PostgresqlDatabase(
        database, host=postgresql.host, port=postgresql.port, user=postgresql.user
    )

    class Person(peewee.Model):
        name = peewee.CharField(unique=True)
        luck = peewee.DecimalField(constraints=[peewee.SQL("DEFAULT random()")], null=True)

        class Meta:
            database = db

    def view() -> Any:
        seen: list[Any] = []
        with db.connection_context():
            db.create_tables([Person])
            with db.atomic():
                seen.append(Person.create(name="Ann").id)
                try:
                    with db.atomic():
                        Person.create(name="Ann")
                except peewee.IntegrityError as error:
                    seen.append(str(error))
            seen += [repr(row) for row in Person.select().tuples()]
        return seen

    assert answered(recordings, view, lambda: None)[0] == 1


DJANGO = """
    import os, sys, json
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF="shop", USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {
            "ENGINE": "django.db.backends.postgresql", "NAME": "postgres", "USER": "postgres",
            "HOST": "127.0.0.1", "PORT": os.environ["PORT"], "CONN_MAX_AGE": int(os.environ["AGE"]),
            "CONN_HEALTH_CHECKS": True,
        }},
    )
    django.setup()
    from django.core.wsgi import get_wsgi_application
    from django.db import IntegrityError, connection, models, transaction
    from django.http import HttpResponse
    from django.urls import path
    from retrace_mw import RetraceMiddleware

    class Item(models.Model):
        name = models.TextField(unique=True)
        data = models.JSONField(default=dict)
        price = models.DecimalField(max_digits=8, decimal_places=2)
        at = models.DateTimeField(auto_now_add=True)

        class Meta:
            app_label = "shop"

    def index(request):
        seen = []
        with transaction.atomic():
            number = Item.objects.count()
            item = Item.objects.create(name=f"n{number}", data={"k": [1, None]}, price="1.50")
            try:
                with transaction.atomic():
                    Item.objects.create(name=f"n{number}", price=1)
            except IntegrityError as error:
                seen.append(str(error))
            Item.objects.bulk_create([Item(name=f"b{number}-{n}", price=n) for n in range(3)])
        seen += [repr(row) for row in Item.objects.order_by("id").values_list()]
        seen += [i.name for i in Item.objects.filter(data__k__0=1).iterator(chunk_size=2)]
        with connection.cursor() as cursor:
            cursor.execute("SELECT random(), now(), %s::int", [3])
            seen.append(repr(cursor.fetchall()))
        return HttpResponse(json.dumps(seen))

    urlpatterns = [path("", index)]
    app = RetraceMiddleware(get_wsgi_application())

    if __name__ == "__main__":
        sys.modules["shop"] = sys.modules["__main__"]
        from werkzeug.test import Client
        from retrace_core import writer
        with connection.schema_editor() as editor:
            editor.create_model(Item)
        connection.close()
        client = Client(app)
        for _ in range(2):
            answer = client.get("/", buffered=True)
            assert answer.status_code == 200, answer.text
        writer.flush(10)
"""


@pytest.mark.parametrize("age", ["0", "600"])
def test_django_in_a_fresh_process(recordings: Path, tmp_path: Path, age: str) -> None:
    """A cold and a warm connection's request, each replayed by a process without a server."""
    (tmp_path / "shop.py").write_text(textwrap.dedent(DJANGO))
    with postgresql_server() as server:
        environ = {**os.environ, "PORT": str(server.port), "AGE": age}
        here = {"cwd": tmp_path, "env": environ, "capture_output": True, "text": True}
        made = subprocess.run([sys.executable, "shop.py"], check=False, timeout=60, **here)  # type: ignore[call-overload]
        assert made.returncode == 0, made.stderr
    paths = sorted(recordings.glob("*/*/*.bin"))
    assert len(paths) == 2
    for path in paths:
        replays(path, "--app", "shop:app", cwd=tmp_path, env=environ)
