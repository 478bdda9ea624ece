"""A class that is written in C takes a hook, and gives it back."""

from __future__ import annotations

import pytest
from confluent_kafka.cimpl import TopicPartition

from retrace_core import c_type


def test_an_attribute_of_a_class_in_c_is_replaced_and_put_back() -> None:
    """For what was made before too, and for what is called by an operator."""
    made = TopicPartition("orders", 1)
    original = vars(TopicPartition)["__repr__"]
    c_type.set_attribute(TopicPartition, "__repr__", lambda _: "hooked")
    try:
        assert repr(made) == "hooked"
    finally:
        c_type.set_attribute(TopicPartition, "__repr__", original)
    assert vars(TopicPartition)["__repr__"] is original
    assert repr(made).startswith("TopicPartition{")


def test_it_refuses_attributes_as_before() -> None:
    """The flag that says so is off for that moment only."""
    c_type.set_attribute(TopicPartition, "of_ours", 1)
    c_type.delete_attribute(TopicPartition, "of_ours")
    assert not hasattr(TopicPartition, "of_ours")
    with pytest.raises(TypeError, match="immutable"):
        TopicPartition.of_ours = 1
