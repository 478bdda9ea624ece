"""Pillow: a font, which FreeType opens by its name, replays without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw, ImageFont

from tests.recorded import replays_without

if TYPE_CHECKING:
    from pathlib import Path


def test_a_text_is_drawn_again(data: Path, recordings: Path) -> None:
    """In a font of the application's own, onto a picture of its own."""
    font: Any = ImageFont.load_default(4)
    (data / "font.ttf").write_bytes(font.font_bytes)
    Image.new("L", (8, 8)).save(data / "page.png")

    def view() -> str:
        page = Image.open("data/page.png")
        ImageDraw.Draw(page).text((1, 1), "x", 255, ImageFont.truetype("data/font.ttf", 4))
        page.save("data/drawn.png")
        return str(Image.open("data/drawn.png").tobytes())

    replays_without(data, recordings, view)
