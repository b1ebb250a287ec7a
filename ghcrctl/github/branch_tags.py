"""Tags that may have been made from a branch that still exists.

Build tools write a branch such as ``Feature/x`` into a tag in many ways. docker/metadata-action
replaces each run of characters that tags cannot have with ``-``. GitLab lowers the name too,
replaces dots, and cuts it to 63 characters. Scripts remove slashes, or take only the last part of
the path. A tag that any of them may have made is kept.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_NOT_IN_TAGS = re.compile(r"[^a-z0-9._-]+")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
# A tag of at least this length, in characters, may be the start of a longer branch name.
_SHORTEST_CUT = 20
# What builds append to the name of their branch: a platform, a commit, a date.
_BUILD = re.compile(
    r"(?:[._-](?:linux|windows|darwin|386|amd64|arm64|arm|armhf|armv[5-8]|v[5-8]|ppc64le|riscv64"
    r"|s390x|x86[._-]64|aarch64|(?:sha-?|g)?[0-9a-f]{7,64}))+\Z"
)


class BranchTags:
    """The tags that may belong to the branches of a repository.

    Args:
        branches: the names of all branches that exist.
    """

    def __init__(self, branches: Iterable[str]) -> None:
        names = {part for name in branches for part in _ends(name.lower())}
        self._joined = {_NOT_IN_TAGS.sub("", name) for name in names}
        self._names = {_plain(name) for name in names}
        self._ordered = sorted(self._names)

    def may_have(self, text: str) -> bool:
        """Return whether the part of a tag that names a branch may name one of these."""
        text = text.lower()
        return any(map(self._fits, {text, _BUILD.sub("", text)}))

    def _fits(self, text: str) -> bool:
        plain = _plain(text)
        return plain in self._names or text in self._joined or self._is_cut(text, plain)

    def _is_cut(self, text: str, plain: str) -> bool:
        if len(text) < _SHORTEST_CUT:
            return False
        place = bisect_left(self._ordered, plain)
        return place < len(self._ordered) and self._ordered[place].startswith(plain)


def _ends(name: str) -> list[str]:
    """Return a branch name and what is left of it without its first directories."""
    parts = name.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _plain(text: str) -> str:
    """Return a name with each run of other characters than letters and digits as one ``-``."""
    return _SEPARATORS.sub("-", text).strip("-")
