"""What other work hands over is kept as data, and built again of classes that hold data only."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import threading
import uuid
from collections import OrderedDict
from decimal import Decimal
from typing import Any, NamedTuple

import attrs
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrace_core.codec import decode, encode
from retrace_core.concurrency.handed_over import (
    NotData,
    is_packed,
    pack_handed_over,
    unpack_handed_over,
)

ran: list[str] = []


class Colour(enum.Enum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


class Word(enum.StrEnum):
    """A choice that is a text as well."""

    YES = "yes"


class Point(NamedTuple):
    """A named tuple."""

    x: Any
    y: Any


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    """A dataclass without a dictionary."""

    inner: Any


@dataclasses.dataclass
class Open:
    """A dataclass that must not be made anew."""

    inner: Any
    later: Any = None

    def __post_init__(self) -> None:
        ran.append("post_init")


@attrs.define
class Attrs:
    """As attrs make them."""

    inner: Any


class Struct(msgspec.Struct, frozen=True):
    """As msgspec makes them."""

    inner: Any


class Model(pydantic.BaseModel):
    """As pydantic makes them."""

    model_config = pydantic.ConfigDict(extra="allow")
    inner: Any = None
    colour: Colour = Colour.RED
    _hidden: int = pydantic.PrivateAttr(default=7)


class Message:
    """A plain class that holds data, and is shown and compared by it."""

    def __init__(self, inner: Any) -> None:
        ran.append("init")
        self.inner = inner

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Message) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Message({self.inner!r})"


class Opened(Message):
    """No data: it is entered."""

    def __enter__(self) -> None:
        """Enter it."""


class Sentinel:
    """No data: there is nothing in it."""

    def __init__(self) -> None:
        """Make it."""


class Closing:
    """No data: it does something when it goes."""

    def __del__(self) -> None:
        ran.append("del")


@dataclasses.dataclass
class ClosingData(Closing):
    """Nor is this."""

    name: str = "x"


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.binary(max_size=5)
    | st.decimals(allow_nan=False, places=2)
    | st.uuids()
    | st.datetimes()
    | st.dates()
    | st.timedeltas()
    | st.sampled_from([Colour.RED, Colour.BLUE, Word.YES])
)
FORMS: list[Any] = [
    Frozen,
    Open,
    Attrs,
    Struct,
    Message,
    lambda inner: Model.model_validate({"inner": inner, "other": inner}),
]
DATA = st.recursive(
    PLAIN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3) | st.tuples(st.integers()), inner, max_size=3)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3).map(OrderedDict)
        | st.builds(Point, inner, inner)
        | st.builds(lambda form, value: form(value), st.sampled_from(FORMS), inner)
    ),
    max_leaves=12,
)


def there_and_back(value: Any) -> Any:
    """Return a value as a replay gets it."""
    return unpack_handed_over(decode(encode(pack_handed_over(value))))


@given(DATA)
def test_data_comes_back_as_it_was(value: Any) -> None:
    """Of the same classes, down to the last part, and none of their code has run."""
    before = len(ran)
    packed = decode(encode(pack_handed_over(value)))
    back = unpack_handed_over(packed)
    assert back == value
    assert repr(back) == repr(value)
    assert len(ran) == before
    assert is_packed(value, packed)


def test_objects_come_back_as_keys_and_in_sets() -> None:
    """What they are packed as could be neither."""
    value = {Point(1, "a"): [Frozen(1)], Point(2, "b"): {Point(3, "c"), Point(4, "d")}}
    assert there_and_back(value) == value
    assert there_and_back([frozenset({Point(1, 2)})]) == [frozenset({Point(1, 2)})]


def test_a_model_knows_what_it_was_given() -> None:
    """So that it is written out as before."""
    model = Model(colour=Colour.BLUE)
    model._hidden = 8
    back = there_and_back(model)
    assert back.model_dump(exclude_unset=True) == {"colour": Colour.BLUE}
    assert back._hidden == 8


def test_an_exception_is_of_its_class() -> None:
    """With its arguments and attributes, built without its `__init__`."""

    error = pydantic.errors.PydanticUserError("no", code=None)
    back = there_and_back([error, KeyError("x"), uuid.SafeUUID.safe])
    assert [type(one) for one in back[:2]] == [pydantic.errors.PydanticUserError, KeyError]
    assert back[0].message == "no"
    assert back[1].args == ("x",)


@pytest.mark.parametrize(
    "value",
    [
        threading.Lock(),
        len,
        Open(lambda: None),
        object(),
        ClosingData(),
        open,
        iter([]),
        Opened(1),
        Sentinel(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_data_is_told(value: Any) -> None:
    """It comes out of the queue itself then."""
    with pytest.raises(NotData):
        pack_handed_over([value])
    assert not is_packed(value, None)


def test_what_has_itself_in_it_is_no_data() -> None:
    """It would never end."""
    value: list[Any] = []
    value.append(value)
    with pytest.raises(NotData):
        pack_handed_over(value)


@pytest.mark.parametrize(
    "named",
    [
        ["fields", "subprocess:Popen", {"args": "true"}],
        ["fields", "tests.test_handed_over:Closing", {}],
        ["fields", "tests.test_handed_over:ClosingData", {"name": "y"}],
        ["fields", "no.such.module:Thing", {}],
        ["fields", "os:system", {}],
        ["enum", "tests.test_handed_over:Colour", "green"],
        ["tuple", "builtins:tuple", [1]],
        ["model", "tests.test_handed_over:Open", {}, [], None, None],
        ["plain", "tests.test_handed_over:Opened", {"inner": 1}],
        ["plain", "subprocess:CompletedProcess", {"args": "true"}],
        ["plain", "tests.test_handed_over:Open", {"inner": 1}],
        ["unknown"],
        [],
    ],
    ids=str,
)
def test_a_file_chooses_no_code(named: list[Any]) -> None:
    """Whatever stands in it: only classes that are loaded, and made to hold data."""
    before = len(ran)
    with pytest.raises(NotData):
        unpack_handed_over({"\0object": named})
    assert len(ran) == before


def test_moments_keep_their_zone() -> None:
    """And numbers their places."""
    value = [datetime.datetime.now(datetime.UTC), Decimal("1.50"), complex(1, 2), bytearray(b"x")]
    assert there_and_back(value) == value
