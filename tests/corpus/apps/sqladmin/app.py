"""Two models and the admin around them, as SQLAdmin's manual has it, on asyncpg."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqladmin import Admin, ModelView
from sqlalchemy import ForeignKey
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from starlette.applications import Starlette

engine = create_async_engine(f"postgresql+asyncpg://postgres:secret@{os.environ['CORPUS_DB']}")


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    books: Mapped[list["Book"]] = relationship(back_populates="author")

    def __str__(self) -> str:
        return self.name


class Book(Base):
    __tablename__ = "book"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    year: Mapped[int | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author | None] = relationship(back_populates="books")


class AuthorAdmin(ModelView, model=Author):
    column_list = [Author.id, Author.name]
    column_searchable_list = [Author.name]


class BookAdmin(ModelView, model=Book):
    column_list = [Book.id, Book.title, Book.year, Book.author]
    column_searchable_list = [Book.title]
    column_sortable_list = [Book.title, Book.year]
    can_export = True


@asynccontextmanager
async def lifespan(_: Starlette) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = Starlette(lifespan=lifespan)
admin = Admin(app, engine)
admin.add_view(AuthorAdmin)
admin.add_view(BookAdmin)
