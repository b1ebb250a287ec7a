"""``--format`` of commands other than listings."""

from __future__ import annotations

import json

import pytest

from ghcrctl.cli.format.documents import Documents
from ghcrctl.errors import InvalidTemplateError, UsageError

ONE = {"Name": "a", "Digest": "d", "Inner": {"b": 1, "a": [{"z": None, "y": "<x>"}]}}


def test_without_a_format_there_are_no_documents() -> None:
    assert not Documents(None)
    assert not Documents("")
    assert Documents("json")


@pytest.mark.parametrize("word", ["table", "yaml", "JSON", " json", "x" * 10_000])
def test_other_words_are_invalid_formats(word: str) -> None:
    with pytest.raises(UsageError, match="invalid format") as caught:
        Documents(word)
    assert len(str(caught.value)) < 300


def test_one_is_an_object_and_many_are_a_list() -> None:
    assert json.loads(Documents("json").one(ONE)) == ONE
    assert json.loads(Documents("json").many([ONE, ONE])) == [ONE, ONE]
    assert json.loads(Documents("json").many([])) == []


def test_fields_keep_their_order_at_every_level() -> None:
    assert list(json.loads(Documents("json").one(ONE))["Inner"]) == ["b", "a"]


def test_a_template_prints_a_line_for_each_document() -> None:
    assert Documents("{{.Name}}\\t{{.Inner.b}}").many([ONE, ONE]) == "a\t1\na\t1\n"


def test_control_characters_are_escaped() -> None:
    nasty = {"Name": "\x1b[2J"}
    assert "\x1b" not in Documents("json").one(nasty) + Documents("{{.Name}}").one(nasty)


@pytest.mark.parametrize("text", ["{{", "{{.Name}"])
def test_a_template_is_parsed_first(text: str) -> None:
    with pytest.raises(InvalidTemplateError):
        Documents(text)


def test_an_unknown_type_field_is_an_error() -> None:
    with pytest.raises(InvalidTemplateError, match="Colour"):
        Documents("{{.Colour}}").one(ONE)
