"""The URLs of the project, which ``[project.urls]`` in pyproject.toml defines.

``python -m release.repository OWNER/NAME`` moves the project to another repository: it replaces the
name in pyproject.toml, the documentation and the examples.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

from release.contents import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_FILES = ("pyproject.toml", "README.md", "SECURITY.md", "CODE_OF_CONDUCT.md")
_FOLDERS = ("docs", ".github")
_ENDINGS = {".md", ".yml", ".toml", ""}


def main() -> None:
    """Print the name of the repository, or replace it."""
    if len(sys.argv) == 1:
        print(repository())
        return
    name = sys.argv[1]
    if not _NAME.fullmatch(name):
        sys.exit(f"error: invalid repository `{name}`: expected OWNER/NAME")
    rename(name)


def rename(name: str) -> None:
    """Replace the name of the repository in all files."""
    old = repository()
    for path in files():
        text = path.read_text(encoding="utf-8")
        path.write_text(renamed(text, old, name), encoding="utf-8")


def project() -> dict[str, Any]:
    """Return the table ``[project]`` of pyproject.toml."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found: dict[str, Any] = tomllib.loads(text)["project"]
    return found


def repository() -> str:
    """Return the name of the repository, ``OWNER/NAME``."""
    url: str = project()["urls"]["Repository"]
    return url.removeprefix("https://github.com/")


def renamed(text: str, old: str, new: str) -> str:
    """Return a text with another repository in its URLs, actions and image names."""
    before = r"(?<=github\.com/)|(?<=ghcr\.io/)|(?<=uses: )|(?<=--repo )"
    return re.sub(rf"({before}){re.escape(old)}(?=[@:/#.)\"'`\s]|$)", new, text)


def files() -> Iterator[Path]:
    """Yield the files that contain the name of the repository."""
    yield from (ROOT / name for name in _FILES)
    for folder in _FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in _ENDINGS and "_build" not in path.parts:
                yield path


if __name__ == "__main__":
    main()
