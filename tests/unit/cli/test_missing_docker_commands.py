from __future__ import annotations

import pytest

from ghcrctl.cli.main import ALIASES, COMMANDS
from ghcrctl.cli.missing_docker_commands import advice_for, closest_command

# Every command of docker 29 that ghcrctl does not have.
DOCKERS = """
    attach-nothing builder buildx checkpoint commit compose config container context cp create
    events exec kill logs manifest-nothing network node pause plugin port ps rename restart rm run
    search secret service stack start stats stop swarm top trust unpause update volume wait
"""


@pytest.mark.parametrize("word", [w for w in DOCKERS.split() if not w.endswith("-nothing")])
def test_every_command_of_docker_is_a_command_or_explained(word: str) -> None:
    name, advice = advice_for([word, "x"])
    assert name == word
    assert advice is not None
    assert word not in COMMANDS
    assert word not in ALIASES


@pytest.mark.parametrize(
    ("words", "name", "hint"),
    [
        ("buildx imagetools create -t a b", "buildx imagetools create", "ghcrctl copy"),
        ("buildx imagetools inspect a", "buildx imagetools inspect", "ghcrctl manifest inspect"),
        ("imagetools inspect a", "imagetools inspect", "ghcrctl manifest inspect"),
        ("buildx build .", "buildx", "ghcrctl build"),
        ("search alpine", "search", "ghcrctl packages list"),
        ("list-tags a", "list-tags", "ghcrctl tags"),
        ("container cp a b", "container cp", "ghcrctl export"),
    ],
)
def test_the_right_command_is_named(words: str, name: str, hint: str) -> None:
    found, advice = advice_for(words.split())
    assert found == name
    assert advice is not None
    assert hint in (advice.hint or "")


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("cop", "copy"),
        ("tgas", "tags"),
        ("pul", "pull"),
        ("imagse", "images"),
        ("isnpcet", "inspect"),
        ("PULL", "pull"),
        ("histroy", "history"),
    ],
)
def test_a_typo_leads_to_the_command(word: str, wanted: str) -> None:
    assert closest_command(word, COMMANDS) == wanted


@pytest.mark.parametrize(
    "word",
    ["rmmi", "prun", "rmi2", "pruen", "ru", "x", "foo", "compl", "run", "stop", "logut", "docker"],
)
def test_other_words_never_lead_to_a_deletion(word: str) -> None:
    assert closest_command(word, COMMANDS) is None
