"""What GitHub says of repositories that decides about tags: open pull requests, branches.

What belongs here: asking, and telling which tags are left over. Spec: GitHub's documentation,
"REST API endpoints for pull requests" and "REST API endpoints for branches".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from ghcrctl.errors import InvalidFilterError, InvalidResponseError
from ghcrctl.github.client import flat
from ghcrctl.oci.numbers import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ghcrctl.github.client import GitHub

NUMBER, BRANCH = "{number}", "{branch}"
# As docker/metadata-action writes a branch into a tag.
_NOT_IN_TAGS = re.compile(r"[^A-Za-z0-9._-]+")


def open_pull_requests(github: GitHub, repository: str) -> set[int]:
    """Return the numbers of a repository's open pull requests.

    Raises:
        PackageUnknownError: there is no such repository, or it is not shown to this token.
    """
    path = f"{_path(repository)}/pulls"
    pages = github.pages(path, f"the pull requests of {repository}", {"state": "open"})
    try:
        return {int(pull["number"]) for pull in flat(pages)}
    except (KeyError, TypeError, ValueError):
        raise InvalidResponseError(f"GitHub sent no pull requests of {repository}") from None


def branches(github: GitHub, repository: str) -> set[str]:
    """Return the names of a repository's branches.

    Raises:
        PackageUnknownError: there is no such repository, or it is not shown to this token.
    """
    pages = github.pages(f"{_path(repository)}/branches", f"the branches of {repository}")
    try:
        return {str(branch["name"]) for branch in flat(pages)}
    except (KeyError, TypeError):
        raise InvalidResponseError(f"GitHub sent no branches of {repository}") from None


def tags_of_closed(pattern: str, open_numbers: Iterable[int]) -> Callable[[str], bool]:
    """Fit tags of pull requests that are not open.

    Args:
        pattern: a glob with ``{number}`` where the pull request's number stands: ``pr-{number}*``.
        open_numbers: those that are open.

    Raises:
        InvalidFilterError: the pattern has no place for the number.
    """
    expression = _with_place(pattern, NUMBER, "(?P<place>[0-9]+)(?![0-9])")
    known = set(open_numbers)

    def fits(tag: str) -> bool:
        match = expression.fullmatch(tag)
        number = whole_number(match["place"]) if match else None
        return number is not None and number not in known

    return fits


def tags_of_deleted(pattern: str, names: Iterable[str]) -> Callable[[str], bool]:
    """Fit tags of branches that are not there.

    Args:
        pattern: a glob with ``{branch}`` where the branch's name stands: ``branch-{branch}``.
        names: the branches that are there; what no tag may hold stands as ``-`` in tags.

    Raises:
        InvalidFilterError: the pattern has no place for the branch.
    """
    expression = _with_place(pattern, BRANCH, "(?P<place>.+)")
    known = {_NOT_IN_TAGS.sub("-", name).lower() for name in names}

    def fits(tag: str) -> bool:
        match = expression.fullmatch(tag)
        return match is not None and match["place"].lower() not in known

    return fits


def _with_place(pattern: str, place: str, expression: str) -> re.Pattern[str]:
    before, found, after = pattern.partition(place)
    if not found or place in after:
        raise InvalidFilterError(
            f"`{pattern}` must have {place} once",
            hint=f"as in `{'pr-' if place == NUMBER else ''}{place}`",
        )
    return re.compile(_glob(before) + expression + _glob(after))


def _glob(text: str) -> str:
    """Write a glob of ``*`` and ``?`` as an expression."""
    words = {"*": ".*", "?": "."}
    return "".join(words.get(char) or re.escape(char) for char in re.sub(r"\*+", "*", text))


def _path(repository: str) -> str:
    owner, _, name = repository.partition("/")
    return f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
