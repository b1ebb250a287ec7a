"""Words that no file may contain: paths of one machine, unfinished work, translated phrases."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import modules, name_of, rule_for, texts

if TYPE_CHECKING:
    from pathlib import Path

# Written in pieces, so that this file passes its own test.
MACHINE_PATH = re.compile(r"(?<![\w.}<])/" + r"(?:work|root|home/\w+|Users/\w+)/")
# Phrases that read as translated, in pieces for the same reason. Plain counterparts: "is not a
# platform", "resolves to", "again", "the user", "print", "return".
FOREIGN = re.compile(
    "|".join(
        (
            r"(?<![Tt]here )\b(?:is|are|was|were) no" + r" (?!longer|more than|need|such)[a-z]",
            r"\bthat is no" + r"ne\b",
            r", no mo" + r"re(?! than)\b",
            r"\b[Mm]en" + r"d(?:s|ing)\b|\b(?:to|is|are) men" + r"d(?:ed)?\b",
            r"\b[Ss]ome" + r"body\b",
            r"\b[Ww]ho" + r"ever\b",
            r"\bane" + r"w\b",
            r"\bonce mo" + r"re\b",
            r"(?<!if )(?<!has )(?<!have )\bany mo" + r"re\b",
            r"What belon" + r"gs here",
            r"\bfor peo" + r"ple\b",
            r"\b[Aa] per" + r"son\b(?! or)",
            r"\b(?:is|are|was|were) to" + r"ld\b",
            r"\b[Tt]ells? (?:which|what|of|it|that|w" + r"hether)\b",
            r"\bWor" + r"d (?:one|that|what|the)\b",
            r"\bgo(?:es|ing)? on (?:in|where|wi" + r"th)\b",
            r"(?:,|\blet it) be i" + r"t\b",
            r"\bwhat (?:it|they|\w+ \w+) stands? " + r"for\b",
            r"\bpacked other" + r"wise\b",
            r"\bcame abo" + r"ut\b",
            r"\bby the bo" + r"ok\b",
        )
    )
)
# Modules are nouns or "verb_object"; these words are nouns, adjectives or names of folders.
GERUND = re.compile(
    r"(?:^|_)(?!(?:keyr|str|encod|miss|mak|mov)ing)[a-z]{2,}ing(?:_(?:in|on|out|up))?$"
)
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


@rule_for(texts())
def test_a_file_has_no_phrases_that_read_as_translated(path: Path) -> None:
    assert not lines_with(FOREIGN, path)


@rule_for(modules("ghcrctl"))
def test_a_module_name_is_not_a_gerund(path: Path) -> None:
    assert not GERUND.search(path.stem), f"{name_of(path)}: use a noun or a verb with its object"


@pytest.mark.parametrize("folder", ["work", "root", "home/jane", "Users/jane"])
def test_a_machines_path_is_noticed(folder: str) -> None:
    assert MACHINE_PATH.search(f"see /{folder}/notes.md")


@pytest.mark.parametrize("text", ["ghcr.io/work/app", "rootfs/root/", "{folder}/home/me"])
def test_what_only_looks_like_a_machines_path_is_left_alone(text: str) -> None:
    assert not MACHINE_PATH.search(text)


@pytest.mark.parametrize(
    "text",
    [
        "`x` is no" + " platform",
        "Print digests, no mo" + "re.",
        "what it stands " + "for",
        "Who" + "ever pulls",
        "Tell w" + "hether it exists",
    ],
)
def test_a_phrase_that_reads_as_translated_is_found(text: str) -> None:
    assert FOREIGN.search(text)


@pytest.mark.parametrize("text", ["there is no network", "it is no longer used", "no more than 4"])
def test_plain_phrases_are_allowed(text: str) -> None:
    assert not FOREIGN.search(text)


@pytest.mark.parametrize(
    ("name", "found"),
    [("looking", True), ("carrying_out", True), ("os_keyring", False), ("strings", False)],
)
def test_gerunds_are_found(name: str, found: bool) -> None:
    assert bool(GERUND.search(name)) == found
