"""Two models and the admin around them, as litestar-admin's manual has it, on aiosqlite."""

import os

from litestar import Litestar
from litestar.plugins.sqlalchemy import (
    AsyncSessionConfig,
    SQLAlchemyAsyncConfig,
    SQLAlchemyInitPlugin,
)
from litestar_admin import AdminConfig, AdminPlugin, ModelView
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    books: Mapped[list["Book"]] = relationship(back_populates="author")


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    year: Mapped[int | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author | None] = relationship(back_populates="books")


class BookAdmin(ModelView, model=Book):
    column_list = ["id", "title", "year", "author_id"]
    column_searchable_list = ["title"]
    column_default_sort = ("year", "desc")


database = SQLAlchemyAsyncConfig(
    connection_string=f"sqlite+aiosqlite:///{os.environ['CORPUS_STATE']}/books.db",
    session_config=AsyncSessionConfig(expire_on_commit=False),
    before_send_handler="autocommit",
    create_all=True,
    metadata=Base.metadata,
)
app = Litestar(
    plugins=[
        SQLAlchemyInitPlugin(config=database),
        AdminPlugin(config=AdminConfig(title="Books", views=[BookAdmin])),
    ],
)
