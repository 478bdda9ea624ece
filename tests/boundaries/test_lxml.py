"""lxml: what libxml2 opens by its name, past Python, replays without the file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lxml import etree, html, objectify

from tests.recorded import replays_without

if TYPE_CHECKING:
    from pathlib import Path

_XS = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
_XSL = 'version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"'


def test_a_document_is_parsed_again(data: Path, recordings: Path) -> None:
    """By each way; it says where it came from as it did."""
    (data / "fruit.xml").write_text("<fruit><name>quince</name></fruit>")

    def view() -> str:
        tree = etree.parse("data/fruit.xml")
        page = html.parse(data / "fruit.xml").getroot().text_content()
        name = objectify.parse("data/fruit.xml").getroot().name
        other = etree.ElementTree(file="data/fruit.xml").getroot().tag
        tags = [element.tag for _, element in etree.iterparse("data/fruit.xml")]
        said = tree.docinfo.URL
        return f"{etree.tostring(tree)!r} {said} {page} {name} {other} {tags}"

    recording = replays_without(data, recordings, view)
    assert recording.response is not None
    assert b"data/fruit.xml quince quince fruit" in recording.response.body[0]


def test_one_that_is_not_well_formed_or_not_there_is_so_again(data: Path, recordings: Path) -> None:
    """The error names the file that was given."""
    (data / "torn.xml").write_text("<fruit>\n<name></fruit>")

    def view() -> str:
        told = []
        for name in ("torn", "absent"):
            try:
                etree.parse(f"data/{name}.xml")
            except (etree.XMLSyntaxError, OSError) as error:
                told.append(f"{error!r} {error.filename}")
        return " ".join(told)

    recording = replays_without(data, recordings, view)
    assert recording.response is not None
    assert b"data/torn.xml" in recording.response.body[0]


def test_what_a_schema_includes_and_a_stylesheet_imports(data: Path, recordings: Path) -> None:
    """libxml2 opens it too, beside the file or in another folder."""
    (data / "types").mkdir()
    (data / "fruit.xsd").write_text(
        f'<xs:schema {_XS}><xs:include schemaLocation="types/sort.xsd"/>'
        '<xs:element name="fruit" type="Sort"/></xs:schema>'
    )
    (data / "types" / "sort.xsd").write_text(
        f'<xs:schema {_XS}><xs:simpleType name="Sort"><xs:restriction base="xs:string">'
        '<xs:enumeration value="quince"/></xs:restriction></xs:simpleType></xs:schema>'
    )
    (data / "page.xsl").write_text(
        f'<xsl:stylesheet {_XSL}><xsl:import href="base.xsl"/></xsl:stylesheet>'
    )
    (data / "base.xsl").write_text(
        f'<xsl:stylesheet {_XSL}><xsl:template match="/"><p><xsl:value-of select="fruit"/></p>'
        "</xsl:template></xsl:stylesheet>"
    )

    def view() -> str:
        fruit = etree.XML("<fruit>quince</fruit>")
        schemas = (
            etree.XMLSchema(file="data/fruit.xsd"),
            etree.XMLSchema(etree.parse("data/fruit.xsd")),
        )
        valid = [schema.validate(fruit) for schema in schemas]
        return f"{valid} {etree.XSLT(etree.parse(data / 'page.xsl'))(fruit)}"

    recording = replays_without(data, recordings, view)
    assert recording.response is not None
    assert recording.response.body[0].startswith(b"[True, True] ")
    assert b"<p>quince</p>" in recording.response.body[0]


def test_what_is_written_is_read_again(data: Path, recordings: Path) -> None:
    """On replay it goes to the scratch folder."""

    def view() -> str:
        etree.ElementTree(etree.XML("<fruit/>")).write("data/fruit.xml")
        return (data / "fruit.xml").read_text() + str(etree.parse("data/fruit.xml").getroot().tag)

    replays_without(data, recordings, view)


def test_a_target_of_the_applications_own_asks_the_world(data: Path, recordings: Path) -> None:
    """It is called while libxml2 reads: its clock is the request's."""
    (data / "fruit.xml").write_text("<fruit><name/></fruit>")

    class Target:
        def __init__(self) -> None:
            self.seen: list[str] = []

        def start(self, tag: str, _: object) -> None:
            self.seen.append(f"{tag} {time.time_ns()}")

        def close(self) -> str:
            return " ".join(self.seen)

    def view() -> str:
        return str(etree.parse("data/fruit.xml", etree.XMLParser(target=Target())))

    replays_without(data, recordings, view)
