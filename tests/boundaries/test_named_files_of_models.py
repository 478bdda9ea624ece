"""Models, indexes, sounds and the like that small libraries open by their name.

None of them is among what these tests need: each is tested where it is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from tests.recorded import replays_without

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = np.arange(20.0).reshape(-1, 1)
PLANE = np.eye(2, dtype="float32")


class Case(NamedTuple):
    """What a library makes, and what it tells of that by its name."""

    module: str
    make: Callable[[Any], Any]
    tell: Callable[[Any], Any]


def _annoy(annoy: Any) -> Any:
    return annoy.AnnoyIndex(2, "angular")


def _make_annoy(annoy: Any) -> None:
    index = _annoy(annoy)
    index.set_seed(1)
    for number, place in enumerate(PLANE):
        index.add_item(number, place)
    index.build(1)
    index.save("data/a")


def _tell_annoy(annoy: Any) -> Any:
    index = _annoy(annoy)
    index.load("data/a")
    return index.get_nns_by_vector([1, 0.1], 1)


def _make_deltalake(deltalake: Any) -> None:
    pyarrow = importlib.import_module("pyarrow")
    deltalake.write_deltalake("data/a", pyarrow.table({"a": [1, 2]}))


def _make_faiss(faiss: Any) -> None:
    index = faiss.IndexFlatL2(2)
    index.add(PLANE)
    faiss.write_index(index, "data/a")


def _make_hnswlib(hnswlib: Any) -> None:
    index = hnswlib.Index("l2", 2)
    index.init_index(10)
    index.add_items(PLANE)
    index.save_index("data/a")


def _tell_hnswlib(hnswlib: Any) -> Any:
    index = hnswlib.Index("l2", 2)
    index.load_index("data/a")
    return index.knn_query(PLANE[:1], 1)


def _make_lightgbm(lightgbm: Any) -> None:
    options = {"verbose": -1, "min_data_in_leaf": 1, "min_data_in_bin": 1}
    lightgbm.train(options, lightgbm.Dataset(ROWS, ROWS[:, 0]), 2).save_model("data/a")


def _make_xgboost(xgboost: Any) -> None:
    xgboost.train({}, xgboost.DMatrix(ROWS, ROWS[:, 0]), 2).save_model("data/a.json")


def _tell_xgboost(xgboost: Any) -> Any:
    model = xgboost.Booster()
    model.load_model("data/a.json")
    return model.predict(xgboost.DMatrix(ROWS[:1]))


def _make_pyvips(pyvips: Any) -> None:
    pyvips.Image.black(4, 4).write_to_file("data/a.png")


def _tell_pyvips(pyvips: Any) -> Any:
    picture = pyvips.Image.new_from_file("data/a.png")
    picture.write_to_file("data/b.png")
    small = pyvips.Image.thumbnail("data/b.png", 2)
    return picture.width, small.width


def _make_sound(name: str) -> Callable[[Any], None]:
    def make(_: Any) -> None:
        soundfile = importlib.import_module("soundfile")
        soundfile.write(f"data/{name}.wav", np.zeros(100), 8000)

    return make


def _tell_soundfile(soundfile: Any) -> Any:
    _make_sound("b")(soundfile)
    return soundfile.read("data/a.wav")[0].shape, soundfile.info("data/b.wav").frames


def _tell_av(av: Any) -> Any:
    with av.open("data/a.wav") as file:
        return sum(frame.samples for frame in file.decode(audio=0))


def _make_json(_: Any) -> None:
    with open("data/a.json", "w") as file:
        file.write('{"sort": "quince"}')


def _make_archive(_: Any) -> None:
    importlib.import_module("shutil").make_archive("data/a", "zip", ".", "data")


def _tell_libarchive(libarchive: Any) -> Any:
    with libarchive.file_reader("data/a.zip") as archive:
        return [entry.pathname for entry in archive]


def _make_safetensors(numpy: Any) -> None:
    numpy.save_file({"plane": PLANE}, "data/a")


CASES = (
    Case("annoy", _make_annoy, _tell_annoy),
    Case("av", _make_sound("a"), _tell_av),
    Case(
        "deltalake",
        _make_deltalake,
        lambda deltalake: deltalake.DeltaTable("data/a").to_pyarrow_table().to_pydict(),
    ),
    Case("faiss", _make_faiss, lambda faiss: faiss.read_index("data/a").search(PLANE[:1], 1)),
    Case("hnswlib", _make_hnswlib, _tell_hnswlib),
    Case("libarchive", _make_archive, _tell_libarchive),
    Case(
        "lightgbm",
        _make_lightgbm,
        lambda lightgbm: lightgbm.Booster(model_file="data/a").predict(ROWS[:1]),
    ),
    Case("pyvips", _make_pyvips, _tell_pyvips),
    Case("safetensors.numpy", _make_safetensors, lambda numpy: numpy.load_file("data/a")),
    Case("simdjson", _make_json, lambda simdjson: simdjson.Parser().load("data/a.json")["sort"]),
    Case("soundfile", _make_sound("a"), _tell_soundfile),
    Case("xgboost", _make_xgboost, _tell_xgboost),
)


@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize("case", CASES, ids=[case.module for case in CASES])
def test_what_it_opens_by_its_name_is_there_again(data: Path, recordings: Path, case: Case) -> None:
    """And tells the same."""
    if importlib.util.find_spec(case.module.partition(".")[0]) is None:
        pytest.skip(f"{case.module} is not among what these tests need, and not installed")
    module = importlib.import_module(case.module)
    case.make(module)
    replays_without(data, recordings, lambda: str(case.tell(module)))
