"""Getting a token from gh, which may fail, hang or be untrusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.credentials.test_credential_chain import SECRET, Person

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path / "home")


def test_gh_of_the_current_directory_is_never_run(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.write("clone/gh", f"#!/bin/sh\ntouch {person.home / 'ran'}; echo stolen\n").chmod(0o755)
    monkeypatch.chdir(person.home / "clone")
    for path in ("", ".", f".:{person.environ['PATH']}:"):
        person.environ["PATH"] = path
        person.said.clear()
        assert person.find() is None
        assert ["`gh` in the current directory is ignored" in said for said in person.said] == [
            True
        ]
        assert person.find("quay.io") is None
    assert not (person.home / "ran").exists()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("exit 1", None),
        ("exit 0", None),
        (f"echo {SECRET}; exit 4", None),
        ("while :; do echo endless; done", "cannot get a token from gh: it printed more than"),
    ],
)
def test_a_failing_gh_returns_no_token(person: Person, body: str, said: str | None) -> None:
    person.program("gh", body)
    assert person.find() is None
    assert len(person.said) == (1 if said else 0)
    assert (said or "") in "".join(person.said)
    assert SECRET not in "".join(person.said)


def test_a_hanging_gh_is_killed(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ghcrctl.credentials.sources._GH_SECONDS", 0.2)
    person.program("gh", "exec /bin/sleep 60")
    assert person.find() is None
    assert person.said == ["cannot get a token from gh: it did not finish within 0.2 seconds"]
