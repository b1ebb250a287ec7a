"""Check that a tag may be released: ``python -m release.checks TAG [REPOSITORY]``."""

from __future__ import annotations

import re
import sys

from ghcrctl import __version__
from release.contents import ROOT
from release.repository import repository


def main() -> None:
    """Exit with an error for each reason not to release."""
    faults = list(faults_of(*sys.argv[1:]))
    for fault in faults:
        print(f"::error title=release::{fault}", file=sys.stderr)
    if faults:
        sys.exit(1)


def faults_of(tag: str, name: str = "") -> list[str]:
    """Return reasons not to release a tag.

    Args:
        tag: a tag such as ``v1.2.3``.
        name: the repository that releases, ``OWNER/NAME``.
    """
    faults = []
    if not re.fullmatch(r"v\d+\.\d+\.\d+", tag):
        faults.append(f"invalid tag `{tag}`: expected vMAJOR.MINOR.PATCH")
    if tag.removeprefix("v") != __version__:
        faults.append(f"the tag is {tag}, but ghcrctl.__version__ is {__version__}")
    if not changes_of(__version__):
        faults.append(f"docs/changelog.md has no entries for {__version__}")
    if name and name != repository():
        faults.append(f"pyproject.toml names {repository()}: python -m release.repository {name}")
    return faults


def changes_of(version: str) -> str:
    """Return the changelog entries of a version, without its heading."""
    text = (ROOT / "docs/changelog.md").read_text(encoding="utf-8")
    found = re.search(
        rf"^## \[?{re.escape(version)}\b[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL
    )
    return found[1].strip() if found else ""


if __name__ == "__main__":
    main()
