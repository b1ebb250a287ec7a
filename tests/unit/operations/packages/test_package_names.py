"""Names of packages and of their versions, as users write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import GhcrctlError, InvalidReferenceError, RefusedError, UsageError
from ghcrctl.operations.packages.package_names import (
    PackageName,
    match_packages,
    read_name,
    read_owner,
    read_package,
    read_tags,
)
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session

DIGEST = f"sha256:{'ab' * 32}"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path, registry="ghcr.io") as open_journal:
        yield open_journal


def test_a_package_has_a_name_a_repository_and_a_reference() -> None:
    named = PackageName("ghcr.io", "octo", "a/b")
    assert (named.name, named.repository) == ("ghcr.io/octo/a/b", "octo/a/b")
    assert str(named.reference) == "ghcr.io/octo/a/b"
    assert named.is_whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("octo/app", PackageName("ghcr.io", "octo", "app")),
        ("Octo/app", PackageName("ghcr.io", "octo", "app")),
        ("ghcr.io/octo/app:v1", PackageName("ghcr.io", "octo", "app", "v1")),
        (f"octo/app@{DIGEST}", PackageName("ghcr.io", "octo", "app", "", DIGEST)),
        (f"octo/app:v1@{DIGEST}", PackageName("ghcr.io", "octo", "app", "", DIGEST)),
        ("octo/app#0", PackageName("ghcr.io", "octo", "app", id=0)),
        ("octo/app#42", PackageName("ghcr.io", "octo", "app", id=42)),
        ("octo/app:v1#42", PackageName("ghcr.io", "octo", "app", "v1", id=42)),
    ],
)
def test_a_name_may_have_a_tag_a_digest_or_a_number(
    session: Session, text: str, expected: PackageName
) -> None:
    assert read_name(session, text) == expected
    assert expected.is_whole is (expected == PackageName("ghcr.io", "octo", "app"))


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("octo/app#", InvalidReferenceError, "expected a version number after #"),
        ("octo/app#1x", InvalidReferenceError, "expected a version number after #"),
        ("app", RefusedError, "`app` is a local name"),
        ("ghcr.io/app", InvalidReferenceError, "expected OWNER/IMAGE"),
        ("a b", InvalidReferenceError, "a b"),
    ],
)
def test_an_invalid_name_is_refused_with_the_reason(
    session: Session, text: str, error: type[GhcrctlError], said: str
) -> None:
    with pytest.raises(error) as caught:
        read_name(session, text)
    assert said in caught.value.message


@pytest.mark.parametrize("version", [":v1", f"@{DIGEST}", "#7"])
def test_a_version_is_not_a_package(session: Session, version: str) -> None:
    with pytest.raises(InvalidReferenceError, match="expected a package, not a version") as caught:
        read_package(session, f"octo/app{version}")
    assert caught.value.hint == "use ghcr.io/octo/app"
    assert read_package(session, "octo/app") == PackageName("ghcr.io", "octo", "app")


def test_only_tags_can_be_removed(session: Session) -> None:
    first, second = read_tags(session, ["octo/app:v1", "octo/app:v2"])
    assert (first.tag, second.tag) == ("v1", "v2")
    for text in ("octo/app", f"octo/app@{DIGEST}", "octo/app#7"):
        with pytest.raises(UsageError, match="expected OWNER/IMAGE:TAG"):
            read_tags(session, ["octo/app:v1", text])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("octo", ("ghcr.io", "octo")),
        ("octo/", ("ghcr.io", "octo")),
        ("Containers.X.example/octo", ("containers.x.example", "octo")),
        ("localhost:5000/octo/", ("localhost:5000", "octo")),
    ],
)
def test_an_owner_may_follow_a_registry(
    session: Session, text: str, expected: tuple[str, str]
) -> None:
    assert read_owner(session, text) == expected


@pytest.mark.parametrize("text", ["", "/", "a/b/c", "ghcr.io/octo/app"])
def test_an_invalid_owner_is_refused(session: Session, text: str) -> None:
    with pytest.raises(InvalidReferenceError, match="expected OWNER or REGISTRY/OWNER"):
        read_owner(session, text)


def test_names_select_their_package_once(session: Session) -> None:
    found = match_packages(session, ["octo/b", " ghcr.io/octo/a ", "octo/b", "Octo/A"])
    assert [named.package for named in found] == ["b", "a"]
    unlisted: dict[str, GhcrctlError] = {}
    with pytest.raises(InvalidReferenceError):
        match_packages(session, ["octo/b:v1"], unlisted)
    assert unlisted == {}
