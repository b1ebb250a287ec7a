from __future__ import annotations

import pytest

from ghcrctl.cli.format.gojson import dumps
from ghcrctl.cli.format.values import NilList, NilMap, Row, StringMap, Struct


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "true"),
        (0, "0"),
        (-5, "-5"),
        (1.0, "1"),
        (1.5, "1.5"),
        (-0.25, "-0.25"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-10, "1.25e-10"),
        (float("inf"), "null"),
        ("<a>&", '"<a>&"'),
        ('"\\\b\f\n\r\t\x01', '"\\"\\\\\\b\\f\\n\\r\\t\\u0001"'),
        ("é日", '"é日"'),
        ("\u2028", '"\\u2028"'),
        ("\ud800", '"\\ufffd"'),
        ("\U000e0041", '"\\udb40\\udc41"'),
        ([], "[]"),
        ((1, "a"), '[1,"a"]'),
        ({"b": 1, "a": [None]}, '{"a":[null],"b":1}'),
        (StringMap({"b": "x", "a": "y"}), '{"a":"y","b":"x"}'),
        (NilMap(), "null"),
        (NilList(), "null"),
        (Struct({"b": 1, "a": "<"}, aliases={"B": "b"}), '{"b":1,"a":"<"}'),
        (Row({"b": 1, "a": "<"}), '{"a":"\\u003c","b":1}'),
        ([Row({"a": {"k": "&"}})], '[{"a":{"k":"\\u0026"}}]'),
    ],
)
def test_json_matches_go(value: object, expected: str) -> None:
    assert dumps(value) == expected


def test_html_characters_can_be_escaped() -> None:
    assert dumps({"<": "a&b>"}, escape_html=True) == '{"\\u003c":"a\\u0026b\\u003e"}'


def test_indented_json_keeps_empty_brackets_together() -> None:
    assert dumps({"a": [], "b": {}, "c": [1]}, indent="  ") == (
        '{\n  "a": [],\n  "b": {},\n  "c": [\n    1\n  ]\n}'
    )
