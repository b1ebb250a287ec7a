"""What no file may say: where it was written, by what means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import rule_for, texts

if TYPE_CHECKING:
    from pathlib import Path

# Written in pieces, so that this file passes its own test.
MACHINE_PATH = re.compile(r"(?<![\w.}<])/" + r"(?:work|root|home/\w+|Users/\w+)/")
MARKS = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")


def lines_with(pattern: re.Pattern[str], path: Path) -> list[str]:
    """Return ``number: text`` of each line that the pattern is found in."""
    numbered = enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    return [f"{number}: {line.strip()[:100]}" for number, line in numbered if pattern.search(line)]


@rule_for(texts())
def test_a_file_does_not_name_a_path_of_one_machine(path: Path) -> None:
    assert not lines_with(MACHINE_PATH, path)


@rule_for(texts())
def test_a_file_leaves_no_work_for_later_in_comments(path: Path) -> None:
    assert not lines_with(MARKS, path)


@pytest.mark.parametrize("folder", ["work", "root", "home/jane", "Users/jane"])
def test_a_machines_path_is_noticed(folder: str) -> None:
    assert MACHINE_PATH.search(f"see /{folder}/notes.md")


@pytest.mark.parametrize("text", ["ghcr.io/work/app", "rootfs/root/", "{folder}/home/me"])
def test_what_only_looks_like_a_machines_path_is_left_alone(text: str) -> None:
    assert not MACHINE_PATH.search(text)
