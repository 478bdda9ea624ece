"""pygeoapi: features, records, processes, folders by OGC's API (Starlette, files, TinyDB)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor


def feature(number: int) -> dict[str, Any]:
    """Return a lake."""
    point = {"type": "Point", "coordinates": [number * 1.5, 50 - number]}
    properties = {"name": f"Lake {number}", "depth": 10 * number}
    return {"type": "Feature", "id": str(number), "geometry": point, "properties": properties}


def prepare(place: Place) -> None:
    """Write the data, and the document that describes the API."""
    rows = [
        f"{n},{10 + n % 3},2026-01-{n:02}T00:00:00Z,{n * 2},{n},{n * 3.5}" for n in range(1, 13)
    ]
    (place.state / "stations.csv").write_text(
        "\n".join(["id,stn_id,datetime,lat,lon,value", *rows]) + "\n"
    )
    lakes = {"type": "FeatureCollection", "features": [feature(n) for n in range(8)]}
    (place.state / "lakes.geojson").write_text(json.dumps(lakes))
    (place.state / "catalogue.tinydb").write_text("{}")
    folder = place.state / "files" / "year"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("a file")
    (folder / "b.csv").write_text("1,2\n")
    document = ("--output-file", str(place.state / "openapi.yml"))
    place.run("pygeoapi", "openapi", "generate", str(place.here / "config.yml"), *document)


def drive(visitor: Visitor) -> None:
    """Browse as a person and as a program, filter, write, run a process, walk folders."""
    visitor.get("/")
    visitor.get("/?f=html")
    visitor.get("/?f=html&lang=de-DE")
    visitor.get("/openapi?f=json")
    visitor.get("/conformance")
    visitor.get("/collections")
    visitor.get("/collections?f=html")
    visitor.get("/collections/stations")
    visitor.get("/collections/absent", 404)
    visitor.get("/collections/stations/queryables")
    visitor.get("/collections/stations/schema")
    items = "/collections/stations/items"
    visitor.get(items)
    visitor.get(f"{items}?f=html")
    visitor.get(f"{items}?f=csv")
    visitor.get(f"{items}?offset=5&limit=3")
    visitor.get(f"{items}?bbox=0,0,6,12")
    visitor.get(f"{items}?stn_id=11&sortby=-id")
    visitor.get(f"{items}?resulttype=hits")
    visitor.get(f"{items}?limit=many", 400)
    visitor.get(f"{items}?absent=1")
    visitor.get(f"{items}/3")
    visitor.get(f"{items}/99", 404)
    lakes = "/collections/lakes/items"
    visitor.get(f"{lakes}?skipGeometry=true&properties=name")
    as_feature = {"Content-Type": "application/geo+json"}
    visitor.post(lakes, 400, content=json.dumps(feature(20)), headers=as_feature)  # its own bug
    visitor.post(lakes, 400, content="{nonsense", headers=as_feature)
    visitor.get(f"{lakes}/2")
    visitor.get(f"{lakes}/2?f=jsonld")
    visitor.get(f"{lakes}/2?f=html")
    visitor.delete(f"{lakes}/2")
    visitor.get(f"{lakes}/2", 404)
    records = "/collections/catalogue/items"
    for number in range(2):
        properties = {
            "externalId": f"r{number}",
            "title": f"Record {number}",
            "type": "dataset",
            "recordCreated": f"2026-01-0{number + 1}",
        }
        record = {**feature(number), "id": f"r{number}", "properties": properties}
        visitor.post(records, 201, content=json.dumps(record), headers=as_feature)
    visitor.get(f"{records}?q=Record")
    visitor.get(f"{records}?f=html&q=Record")
    visitor.get(f"{records}/r1")
    visitor.get("/processes")
    visitor.get("/processes/hello?f=html")
    run = "/processes/hello/execution"
    visitor.post(run, json={"inputs": {"name": "Zoë", "message": "Hi"}})
    visitor.post(run, 400, json={"inputs": {}})
    later = {"Prefer": "respond-async"}
    visitor.post(run, 201, json={"inputs": {"name": "Ada"}}, headers=later)
    visitor.get("/jobs")
    visitor.get("/stac")
    visitor.get("/stac/files")
    visitor.get("/stac/files/year")
    visitor.get("/stac/files/absent", 404)
    visitor.get("/nowhere", 404)
    visitor.get("/stac/files/year/a.txt", 500)  # its own bug


APP = Application(
    name="pygeoapi",
    framework="Starlette",
    uses=("files", "threads"),
    packages=("pygeoapi==0.21.0", "starlette==0.50.0", "uvicorn==0.35.0"),
    server=("uvicorn", "--port", "{port}", "pygeoapi.starlette_app:APP"),
    environment={
        "CORPUS_STATE": "{state}",
        "PYGEOAPI_CONFIG": "{here}/config.yml",
        "PYGEOAPI_OPENAPI": "{state}/openapi.yml",
    },
    prepare=prepare,
    drive=drive,
)
