"""Detects tags that may have been created from an existing branch.

Build tools convert a branch name such as ``Feature/x`` to a tag in many ways.
docker/metadata-action replaces each run of characters that are invalid in tags with ``-``. GitLab
also converts to lower case, replaces dots and truncates to 63 characters. Scripts remove slashes,
or only use the last path component. A tag that any of these may have created is kept.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOT_IN_TAGS = re.compile(r"[^a-z0-9._-]+")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
# Tags from this length (in characters) may be truncated branch names.
_MIN_TRUNCATED = 20
# Suffixes that builds append to the branch name: a platform, a commit, a date.
_BUILD = re.compile(
    r"(?:[._-](?:linux|windows|darwin|386|amd64|arm64|arm|armhf|armv[5-8]|v[5-8]|ppc64le|riscv64"
    r"|s390x|x86[._-]64|aarch64|(?:sha-?|g)?[0-9a-f]{7,64}))+\Z"
)


class BranchTags:
    """The tags that may belong to the branches of a repository.

    Args:
        branches: the names of all existing branches.
    """

    def __init__(self, branches: Iterable[str]) -> None:
        names = {part for name in branches for part in _ends(name.lower())}
        self._joined = {_NOT_IN_TAGS.sub("", name) for name in names}
        self._names = {_plain(name) for name in names}
        self._ordered = sorted(self._names)

    def may_have(self, text: str) -> bool:
        """Check whether the branch part of a tag may be one of these branches."""
        text = text.lower()
        return any(map(self._fits, {text, _BUILD.sub("", text)}))

    def _fits(self, text: str) -> bool:
        plain = _plain(text)
        return plain in self._names or text in self._joined or self._is_truncated(text, plain)

    def _is_truncated(self, text: str, plain: str) -> bool:
        if len(text) < _MIN_TRUNCATED:
            return False
        place = bisect_left(self._ordered, plain)
        return place < len(self._ordered) and self._ordered[place].startswith(plain)


def _ends(name: str) -> list[str]:
    """Return a branch name and each remainder after removing leading path components."""
    parts = name.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _plain(text: str) -> str:
    """Return a name with each run of non-alphanumeric characters replaced by ``-``."""
    return _SEPARATORS.sub("-", text).strip("-")
