"""The name of the project's repository is defined once."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from release.contents import ROOT
from release.repository import files, project, rename, renamed, repository

if TYPE_CHECKING:
    from pathlib import Path


def test_every_project_url_is_below_the_repository() -> None:
    urls = project()["urls"]
    assert set(urls) == {"Repository", "Documentation", "Issues", "Changelog"}
    assert all(url.startswith(urls["Repository"]) for url in urls.values())


def test_files_name_the_repository_of_pyproject() -> None:
    names = re.compile(r"(?:github\.com/|ghcr\.io/|uses: |--repo )([\w.-]+/ghcrctl)\b")
    found = {name for path in files() for name in names.findall(path.read_text(encoding="utf-8"))}
    assert found == {repository()}


def test_a_rename_changes_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in files():
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    old = repository()
    monkeypatch.setattr("release.repository.ROOT", tmp_path)
    rename("acme/ghcrctl")
    assert repository() == "acme/ghcrctl"
    for path in files():
        assert old not in path.read_text(encoding="utf-8"), path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"https://github.com/a/b/issues"', '"https://github.com/c/d/issues"'),
        ("git+https://github.com/a/b@v0", "git+https://github.com/c/d@v0"),
        ("      - uses: a/b@v0", "      - uses: c/d@v0"),
        ("docker run ghcr.io/a/b --help", "docker run ghcr.io/c/d --help"),
        ("see https://github.com/a/b", "see https://github.com/c/d"),
        ("gh attestation verify FILE --repo a/b`", "gh attestation verify FILE --repo c/d`"),
        ("ghcr.io/a/b:1.0", "ghcr.io/c/d:1.0"),
        ("ghcr.io/a/bar:1.0", "ghcr.io/a/bar:1.0"),
        ("ghcr.io/a/b-c:1.0", "ghcr.io/a/b-c:1.0"),
        ("a/b", "a/b"),
    ],
)
def test_another_repository_replaces_urls_actions_and_images(text: str, expected: str) -> None:
    assert renamed(text, "a/b", "c/d") == expected
