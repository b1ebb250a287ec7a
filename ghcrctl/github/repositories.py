"""Finds tags of closed pull requests and deleted branches.

Spec: GitHub's documentation, "REST API endpoints for pull requests" and "REST API endpoints for
branches".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from ghcrctl.errors import InvalidFilterError, InvalidResponseError
from ghcrctl.github.branch_tags import BranchTags
from ghcrctl.github.client import flat
from ghcrctl.oci.numbers import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ghcrctl.github.client import GitHub

NUMBER, BRANCH = "{number}", "{branch}"


@dataclass(frozen=True, slots=True)
class TagOrigin:
    """A check whether the pull request or branch of a tag still exists.

    Args:
        readings: returns, for each way to parse a tag, whether its pull request or branch exists;
            an empty list if the pattern does not match the tag.
    """

    readings: Callable[[str], list[bool]]

    def __call__(self, tag: str) -> bool:
        """Check that the tag's pull request or branch does not exist, however it is parsed."""
        found = self.readings(tag)
        return bool(found) and not any(found)

    def may_exist(self, tag: str) -> bool:
        """Check whether the tag's pull request or branch may still exist."""
        return any(self.readings(tag))


def open_pull_requests(github: GitHub, repository: str) -> set[int]:
    """Return the numbers of a repository's open pull requests.

    Raises:
        PackageUnknownError: the repository does not exist, or the token has no access to it.
    """
    path = f"{_path(repository)}/pulls"
    pages = github.pages(path, f"the pull requests of {repository}", {"state": "open"})
    try:
        return {int(pull["number"]) for pull in flat(pages)}
    except (KeyError, TypeError, ValueError):
        raise InvalidResponseError(
            f"GitHub returned an invalid list of pull requests of {repository}"
        ) from None


def branches(github: GitHub, repository: str) -> set[str]:
    """Return the names of a repository's branches.

    Raises:
        PackageUnknownError: the repository does not exist, or the token has no access to it.
    """
    pages = github.pages(f"{_path(repository)}/branches", f"the branches of {repository}")
    try:
        return {str(branch["name"]) for branch in flat(pages)}
    except (KeyError, TypeError):
        raise InvalidResponseError(
            f"GitHub returned an invalid list of branches of {repository}"
        ) from None


def tags_of_closed(pattern: str, open_numbers: Iterable[int]) -> TagOrigin:
    """Return a matcher for tags of pull requests that are not open.

    Args:
        pattern: a glob with ``{number}`` for the pull request's number: ``pr-{number}*``.
        open_numbers: the numbers of open pull requests.

    Raises:
        InvalidFilterError: the pattern does not contain ``{number}`` once.
    """
    places = _places(pattern, NUMBER)
    known = set(open_numbers)

    def readings(tag: str) -> list[bool]:
        numbers = {
            whole_number(tag[start:end])
            for start, end in places(tag)
            if not _is_digit(tag[start - 1 : start]) and not _is_digit(tag[end : end + 1])
        }
        return [number in known for number in numbers - {None}]

    return TagOrigin(readings)


def tags_of_deleted(pattern: str, names: Iterable[str]) -> TagOrigin:
    """Return a matcher for tags of branches that do not exist.

    Args:
        pattern: a glob with ``{branch}`` for the branch's name: ``branch-{branch}``.
        names: the existing branches. A tag that may have been created from one of them, in any of
            the usual ways, is not matched.

    Raises:
        InvalidFilterError: the pattern does not contain ``{branch}`` once.
    """
    places = _places(pattern, BRANCH)
    known = BranchTags(names)

    def readings(tag: str) -> list[bool]:
        return [known.may_have(tag[start:end]) for start, end in places(tag)]

    return TagOrigin(readings)


def _places(pattern: str, place: str) -> Callable[[str], list[tuple[int, int]]]:
    """Return a function that finds every part of a tag that may match a placeholder.

    A pattern with ``*`` often matches in multiple ways, and a tag is only stale if it is in all of
    them.
    """
    before, found, after = pattern.partition(place)
    if not found or place in after:
        raise InvalidFilterError(
            f"invalid pattern `{pattern}`: expected {place} once",
            hint=f"write it like `{'pr-' if place == NUMBER else ''}{place}`",
        )
    head, tail = re.compile(_glob(before)), re.compile(_glob(after))

    def find(tag: str) -> list[tuple[int, int]]:
        starts = [i for i in range(len(tag)) if head.fullmatch(tag, 0, i)]
        ends = [i for i in range(1, len(tag) + 1) if tail.fullmatch(tag, i)]
        return [(start, end) for start in starts for end in ends if start < end]

    return find


def _is_digit(char: str) -> bool:
    return char.isascii() and char.isdigit()


def _glob(text: str) -> str:
    """Return a glob with ``*`` and ``?`` as a regular expression."""
    wildcards = {"*": ".*", "?": "."}
    return "".join(wildcards.get(c) or re.escape(c) for c in re.sub(r"\*+", "*", text))


def _path(repository: str) -> str:
    owner, _, name = repository.partition("/")
    return f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"
