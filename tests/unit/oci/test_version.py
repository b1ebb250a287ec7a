"""Versions in tags: parsing, order and ranges."""

from __future__ import annotations

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.errors import InvalidFilterError
from ghcrctl.oci.version import Range, Version


def version(text: str) -> Version:
    found = Version.parse(text)
    assert found, text
    return found


# The first line is the example of the specification, section 11.
IN_ORDER = [
    *("1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2"),
    *("1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.0.1", "1.0.1", "v1.1", "1.2-rc1", "1.2"),
    *("1.10", "v2", "3.20", "2024.01.31", "20240131"),
]


def test_versions_are_ordered_like_the_specification() -> None:
    shuffled = random.Random(1).sample(IN_ORDER, len(IN_ORDER))
    assert [v.text for v in sorted(map(version, shuffled))] == IN_ORDER


@pytest.mark.parametrize(
    "pair", [("1.2", "1.2.0"), ("v1", "1.0.0"), ("1.0+a", "1.0+b"), ("1", "1_2")]
)
def test_versions_without_an_order_are_equal(pair: tuple[str, str]) -> None:
    first, second = map(version, pair)
    assert first == second
    assert hash(first) == hash(second)


@pytest.mark.parametrize(
    "text",
    ["latest", "", "v", "1.", ".1", "1..2", "1.2-", "a1", "1 2", "1.2\n", "sha-1234", "\uff11.2"],
)
def test_invalid_versions_are_none(text: str) -> None:
    assert Version.parse(text) is None


# Examples from node-semver's documentation, and less strict tags.
RANGES = [
    (">=1.2.7", ["1.2.7", "1.2.8", "2.5.3", "1.3.9"], ["1.2.6", "1.1.0", "2.0.0-rc1"]),
    (">=1.2.7 <1.3.0", ["1.2.7", "1.2.8", "1.2.99"], ["1.2.6", "1.3.0", "1.1.0", "1.3.0-rc1"]),
    ("1.2.7 || >=1.2.9 <2.0.0", ["1.2.7", "1.2.9", "1.4.6"], ["1.2.8", "2.0.0"]),
    (">1.2.3-alpha.3", ["1.2.3-alpha.7", "3.4.5"], ["3.4.5-alpha.9", "1.2.3-alpha.3"]),
    ("1.2.3 - 2.3.4", ["1.2.3", "2.3.4", "2.0"], ["2.3.5", "1.2.2"]),
    ("1.2.3 - 2.3", ["2.3.9"], ["2.4.0", "2.4.0-rc1"]),
    ("*", ["0", "1.2.3"], ["1.0-rc1"]),
    ("", ["0", "9.9"], []),
    ("1.x", ["1", "1.9.9"], ["2.0.0", "0.9"]),
    ("1.2", ["1.2.0", "1.2.9", "1.2"], ["1.3", "1.1.9"]),
    ("~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]),
    ("~1.2", ["1.2.0", "1.2.9"], ["1.3.0"]),
    ("~1", ["1.0", "1.9"], ["2.0"]),
    ("^1.2.3", ["1.2.3", "1.9.0"], ["2.0.0", "1.2.2", "2.0.0-rc1"]),
    ("^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0"]),
    ("^0.0.3", ["0.0.3"], ["0.0.4"]),
    ("^0.0", ["0.0.1"], ["0.1.0"]),
    ("^1.2.3-beta.2", ["1.2.3-beta.4", "1.2.3", "1.9"], ["1.2.4-beta.2", "2.0.0"]),
    (">1.2", ["1.3.0", "2"], ["1.2.9", "1.2"]),
    ("<=1.2", ["1.2.9", "1.0"], ["1.3.0"]),
    (">= 1.2, < 2", ["1.5"], ["2.0", "1.1"]),
    ("=1.2.3", ["1.2.3", "v1.2.3"], ["1.2.4"]),
]


@pytest.mark.parametrize(("text", "inside", "outside"), RANGES)
def test_ranges_agree_with_npm(text: str, inside: list[str], outside: list[str]) -> None:
    found = Range.parse(text)
    assert [each for each in inside if version(each) not in found] == []
    assert [each for each in outside if version(each) in found] == []


@pytest.mark.parametrize(
    "text", ["latest", ">", ">=x.y.z.", "1.2.3 -", "^^1", "1" * 1001, "a || 1"]
)
def test_an_invalid_range_is_an_error(text: str) -> None:
    with pytest.raises(InvalidFilterError, match="invalid version range"):
        Range.parse(text)


numbers = st.lists(st.integers(0, 20), min_size=1, max_size=4).map(lambda n: ".".join(map(str, n)))


@given(numbers, numbers)
def test_order_and_ranges_agree(first: str, second: str) -> None:
    one, two = version(first), version(second)
    assert (one in Range.parse(f">={_full(second)}")) == (one >= two)
    assert (one in Range.parse(f"<{_full(second)}")) == (one < two)
    assert (one == two) == (not one < two and not two < one)


@given(st.text(max_size=40))
def test_any_text_is_a_version_or_none_and_a_range_or_an_error(text: str) -> None:
    found = Version.parse(text)
    assert found is None or found.text == text
    with contextlib.suppress(InvalidFilterError):
        Range.parse(text)


def _full(text: str) -> str:
    """Complete a version: a partial one in a range covers all that start with it."""
    return ".".join([*text.split("."), "0", "0"][: max(3, text.count(".") + 1)])
