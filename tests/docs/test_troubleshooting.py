"""The troubleshooting page quotes what the program prints."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.explanations import statuses_by_code
from ghcrctl.cli.explanations.find import find
from tests.architecture.sources import ROOT

if TYPE_CHECKING:
    from types import ModuleType

PAGE = ROOT / "docs" / "how-to" / "troubleshooting.md"
TEXT = PAGE.read_text(encoding="utf-8")
# Section titles are parts of messages, except for the last two. Capitals stand for any word.
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
OTHERS, LAST = "Messages of docker and other tools", "Anything else"
MESSAGES = {title: body for title, body in SECTIONS.items() if title not in {OTHERS, LAST}}
_ROW = re.compile(r"^\| (`.+`) \| \[(.+)\]\(#(.+)\) \|$", re.MULTILINE)
_LEAST_MESSAGES = 15
_BLOCK = re.compile(r"^```(?:console|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def generator() -> ModuleType:
    """Import the module that inserts the examples."""
    spec = importlib.util.spec_from_file_location("_t", ROOT / "docs" / "troubleshooting.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_examples_are_current() -> None:
    assert generator().troubleshooting() == TEXT, "run `make reference`"


def test_the_errors_people_meet_most_are_there() -> None:
    assert len(MESSAGES) >= _LEAST_MESSAGES


def test_each_example_has_a_known_code() -> None:
    named = re.findall(r"<!-- example: (.+) -->", TEXT)
    assert len(set(named)) == len(named)
    assert set(named) <= statuses_by_code().keys()


@pytest.mark.parametrize("title", MESSAGES)
def test_a_section_is_titled_by_its_message(title: str) -> None:
    blocks = _BLOCK.findall(MESSAGES[title])
    phrase = re.sub(r"\\?\b(?:[A-Z]{2,}|5xx)\b", ".+", re.escape(title).replace("\\ ", " "))
    assert re.search(phrase, "\n".join(blocks), re.IGNORECASE), blocks


@pytest.mark.parametrize(
    ("message", "title"),
    [
        (message, title)
        for messages, title, _ in _ROW.findall(SECTIONS[OTHERS])
        for message in re.findall(r"`([^`]+)`", messages)
    ],
)
def test_a_message_of_another_tool_leads_to_its_section(message: str, title: str) -> None:
    code = re.search(r"<!-- example: (.+) -->", MESSAGES[title])
    assert code
    assert find(message).name == code[1]


def test_each_row_links_to_the_section_that_it_names() -> None:
    rows = _ROW.findall(SECTIONS[OTHERS])
    assert len(rows) == SECTIONS[OTHERS].count("\n| `")
    assert [anchor for _, _, anchor in rows] == [
        re.sub(r"\W+", "-", title.lower()) for _, title, _ in rows
    ]
