"""Libraries that are too large to be installed for these tests; each is tested where it is there.

Those that are to be there have files of their own: nothing of theirs is left out.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.recorded import replays_without

if TYPE_CHECKING:
    from pathlib import Path


def _installed(name: str) -> Any:
    if importlib.util.find_spec(name.partition(".")[0]) is None:
        pytest.skip(f"{name} is not among what these tests need, and not installed")
    return importlib.import_module(name)


def test_pandas_by_pyarrow(data: Path, recordings: Path) -> None:
    """Parquet, and CSV with `engine="pyarrow"`."""
    pd = _installed("pandas")
    pd.DataFrame({"a": [1, 2]}).to_parquet(data / "a.parquet")
    (data / "a.csv").write_text("a\n1\n")

    def view() -> str:
        frame = pd.read_parquet("data/a.parquet")
        frame.to_parquet("data/b.parquet")
        same = frame.equals(pd.read_parquet("data/b.parquet"))
        return f"{frame.to_csv()} {pd.read_csv('data/a.csv', engine='pyarrow').to_csv()} {same}"

    replays_without(data, recordings, view)


def test_netcdf4(data: Path, recordings: Path) -> None:
    """A file is read, and one made."""
    netcdf = _installed("netCDF4")

    def make(name: str) -> None:
        with netcdf.Dataset(f"data/{name}.nc", "w") as file:
            file.createDimension("t", 2)
            file.createVariable("v", "f4", ("t",))[:] = [1, 2]

    make("a")

    def view() -> str:
        make("b")
        with netcdf.Dataset("data/a.nc") as a, netcdf.Dataset("data/b.nc") as b:
            return f"{a['v'][:]} {b['v'][:]}"

    replays_without(data, recordings, view)


def test_pytables(data: Path, recordings: Path) -> None:
    """A file is read."""
    tables = _installed("tables")
    with tables.open_file("data/a.h5", "w") as file:
        file.create_array("/", "x", [1, 2])

    def view() -> str:
        with tables.open_file("data/a.h5") as file:
            return str(file.root.x.read())

    replays_without(data, recordings, view)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # of its own transforms
def test_rasterio(data: Path, recordings: Path) -> None:
    """A raster, and one that is made of it."""
    rasterio = _installed("rasterio")
    np = _installed("numpy")
    shape = {"driver": "GTiff", "width": 2, "height": 2, "count": 1, "dtype": "uint8"}
    shape["transform"] = rasterio.transform.from_origin(10, 20, 2, 2)
    with rasterio.open("data/a.tif", "w", **shape) as made:
        made.write(np.ones((1, 2, 2), np.uint8))

    def view() -> str:
        with rasterio.open("data/a.tif") as a, rasterio.open("data/b.tif", "w", **shape) as b:
            b.write(a.read() * 2)
        with rasterio.open("data/b.tif") as b:
            return f"{a.name} {b.read().tolist()}"

    replays_without(data, recordings, view)


_POINT = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"n": 1},'
    ' "geometry": {"type": "Point", "coordinates": [1, 2]}}]}'
)


def _shapes(fiona: Any) -> None:
    kept = {"geometry": "Point", "properties": {"n": "int"}}
    with fiona.open("data/a.shp", "w", driver="ESRI Shapefile", schema=kept) as file:
        point = {"type": "Point", "coordinates": (1, 2)}
        file.write({"geometry": point, "properties": {"n": 1}})


def test_fiona_with_what_lies_beside_a_file(data: Path, recordings: Path) -> None:
    """A shapefile is three files or more."""
    fiona = _installed("fiona")
    _shapes(fiona)

    def view() -> str:
        with fiona.open("data/a.shp") as file:
            return str([dict(one.properties) for one in file])

    replays_without(data, recordings, view)


def test_pyogrio(data: Path, recordings: Path) -> None:
    """GeoPandas reads by it."""
    raw = _installed("pyogrio.raw")
    pyogrio = _installed("pyogrio")
    (data / "a.geojson").write_text(_POINT)

    def view() -> str:
        info = pyogrio.read_info("data/a.geojson")["features"]
        return f"{info} {raw.read('data/a.geojson')[3]}"

    replays_without(data, recordings, view)


def test_tokenizers(data: Path, recordings: Path) -> None:
    """A model is read, and saved."""
    tokenizers = _installed("tokenizers")
    model = tokenizers.models.WordLevel({"a": 0, "?": 1}, unk_token="?")
    tokenizers.Tokenizer(model).save("data/a.json")

    def view() -> str:
        found = tokenizers.Tokenizer.from_file("data/a.json")
        found.save("data/b.json")
        return f"{found.encode('a').ids} {(data / 'b.json').read_text()}"

    replays_without(data, recordings, view)


def test_sentencepiece(data: Path, recordings: Path) -> None:
    """A model is read."""
    sentencepiece = _installed("sentencepiece")
    (data / "text").write_text("quinces and medlars are ripe\n" * 50)
    sentencepiece.SentencePieceTrainer.train(
        input="data/text", model_prefix="data/model", vocab_size=20
    )

    def view() -> str:
        model = sentencepiece.SentencePieceProcessor(model_file="data/model.model")
        return str(model.encode("medlars"))

    replays_without(data, recordings, view)


def test_pymupdf(data: Path, recordings: Path) -> None:
    """A document is read, and saved."""
    pymupdf = _installed("pymupdf")
    document = pymupdf.open()
    document.new_page().insert_text((50, 50), "quince")
    document.save("data/a.pdf")

    def view() -> str:
        found = pymupdf.open("data/a.pdf")
        found.save("data/b.pdf")
        return f"{found.name} {found[0].get_text()} {(data / 'b.pdf').read_bytes()[:5]!r}"

    replays_without(data, recordings, view)


def test_python_magic(data: Path, recordings: Path) -> None:
    """The kind of a file is told again."""
    magic = _installed("magic")
    (data / "a").write_bytes(b"%PDF-1.4\n")
    replays_without(data, recordings, lambda: str(magic.from_file("data/a", mime=True)))


def test_pygit2(data: Path, recordings: Path) -> None:
    """A repository is a folder."""
    pygit2 = _installed("pygit2")
    as_someone = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), (*as_someone, "commit", "-qm", "ripe", "--allow-empty")):
        subprocess.run(["git", *command], cwd=data, check=True)

    def view() -> str:
        found = pygit2.Repository("data")
        return str([one.message for one in found.walk(found.head.target)])

    replays_without(data, recordings, view)


def test_lmdb(data: Path, recordings: Path) -> None:
    """A store is read and written, and one made; the laptop's is left alone."""
    lmdb = _installed("lmdb")
    with lmdb.open("data/a") as store, store.begin(write=True) as turn:
        turn.put(b"quince", b"2")

    def view() -> str:
        told = []
        for name in ("a", "b"):
            with lmdb.open(f"data/{name}") as store, store.begin(write=True) as turn:
                told.append(turn.get(b"quince"))
                turn.put(b"quince", b"3")
                told.append(turn.get(b"quince"))
        return str(told)

    replays_without(data, recordings, view)


def test_plyvel(data: Path, recordings: Path) -> None:
    """A store is read and written, and one made; the laptop's is left alone."""
    plyvel = _installed("plyvel")
    store = plyvel.DB("data/a", create_if_missing=True)
    store.put(b"quince", b"2")
    store.close()

    def view() -> str:
        told = []
        for name in ("a", "b"):
            store = plyvel.DB(f"data/{name}", create_if_missing=True)
            told.append(store.get(b"quince"))
            store.put(b"quince", b"3")
            told.append(store.get(b"quince"))
            store.close()
        return str(told)

    replays_without(data, recordings, view)
