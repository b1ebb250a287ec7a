from __future__ import annotations

import json

import pytest

from ghcrctl.cli.format.inspect_format import Inspection
from ghcrctl.cli.format.values import NilList, NilMap, Struct
from ghcrctl.errors import InvalidTemplateError

ONE = Struct(
    {
        "Id": "sha256:aa",
        "RepoTags": ["a:1"],
        "RepoDigests": [],
        "Config": Struct({"Env": NilList(), "Cmd": ["a < b && c"], "Labels": NilMap()}),
        "Size": 5,
        "Metadata": {"z": None, "a": {}},
    },
    noun="image",
)
TWO = Struct({"Id": "sha256:bb", "Size": 6}, noun="image")

INDENTED = """[
    {
        "Id": "sha256:aa",
        "RepoTags": [
            "a:1"
        ],
        "RepoDigests": [],
        "Config": {
            "Env": null,
            "Cmd": [
                "a < b && c"
            ],
            "Labels": null
        },
        "Size": 5,
        "Metadata": {
            "a": {},
            "z": null
        }
    }
]
"""


@pytest.mark.parametrize("asked", [None, ""])
def test_without_a_format_inspect_prints_dockers_array(asked: str | None) -> None:
    assert Inspection(asked).render([ONE]) == INDENTED


def test_nothing_found_is_an_empty_array() -> None:
    assert Inspection().render([]) == "[]\n"
    assert Inspection("json").render([]) == "[]\n"
    assert Inspection("{{.Id}}").render([]) == "\n"


def test_json_is_the_array_on_one_line() -> None:
    rendered = Inspection("json").render([ONE, TWO])
    assert rendered.startswith('[{"Id":"sha256:aa","RepoTags":["a:1"],"RepoDigests":[],"Config":')
    assert rendered.endswith('},{"Id":"sha256:bb","Size":6}]\n')
    assert "\n" not in rendered[:-1]


def test_a_template_prints_a_line_for_each_object() -> None:
    assert Inspection("{{.Id}} {{.Size}}").render([ONE, TWO]) == "sha256:aa 5\nsha256:bb 6\n"


def test_a_template_is_parsed_before_anything_is_fetched() -> None:
    with pytest.raises(InvalidTemplateError, match="not closed"):
        Inspection("{{.Id")


def test_a_missing_field_is_named() -> None:
    with pytest.raises(InvalidTemplateError, match='the image has no field "Sise"') as caught:
        Inspection("{{.Sise}}").render([TWO])
    assert caught.value.hint == 'did you mean ".Size"? the fields are: .Id .Size'


def test_escape_sequences_of_foreign_text_are_harmless() -> None:
    evil = Struct({"Author": "a\x1b[2J\x9b\x7f\nb"})
    assert Inspection("{{.Author}}").render([evil]) == "a\\x1b[2J\\x9b\\x7f\nb\n"
    rendered = Inspection().render([evil])
    assert rendered.replace("\n", "").isprintable()
    assert json.loads(rendered) == [{"Author": "a\x1b[2J\x9b\x7f\nb"}]


def test_escape_sequences_in_a_template_reach_the_terminal() -> None:
    assert Inspection("\x1b[1m{{.Id}}\x1b[0m").render([TWO]) == "\x1b[1msha256:bb\x1b[0m\n"
