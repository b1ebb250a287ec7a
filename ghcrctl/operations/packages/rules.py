"""Read retention rules from the command line and from files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import GhcrctlError, UsageError
from ghcrctl.github.repositories import tags_of_closed, tags_of_deleted
from ghcrctl.github.retention_policy import AGES, MIN_AGE, WHEN_EMPTY, Policy
from ghcrctl.operations.common.rule_file import (
    as_flag,
    as_mapping,
    as_texts,
    as_time,
    check_keys,
    read_rules,
    shown_rule,
)
from ghcrctl.operations.common.times import read_duration

if TYPE_CHECKING:
    from collections.abc import Mapping

_LISTS = ("include", "exclude", "protect-digest", "protect-file")
_FLAGS = ("untagged", "orphaned", "orphaned-unseen", "ghosts", "partial")
# Flags that are on by default.
_ON = {"untagged": True, "orphaned": True}
_NUMBERS = ("keep-last", "keep-untagged", "floor")
_TEXTS = (
    "group-by", "older-than", "newer-than", "min-age", "by", "when-empty",
    "closed-pull-requests", "deleted-branches", "repository",
)  # fmt: skip
RULES = (*_LISTS, *_FLAGS, *_NUMBERS, *_TEXTS)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules for some packages.

    Args:
        packages: names and patterns of names.
        given: the given rules by name, for display.
        policy: the policy, without the parts that depend on GitHub and on files.
        files: files whose digests and tags are protected.
        closed: the pattern of tags of pull requests; empty for none.
        deleted: the pattern of tags of branches; empty for none.
        repository: the repository with the pull requests and branches; empty for the linked one.
    """

    packages: tuple[str, ...]
    given: Mapping[str, object]
    policy: Policy
    files: tuple[Path, ...] = ()
    closed: str = ""
    deleted: str = ""
    repository: str = ""


def parse_rules(
    packages: tuple[str, ...], given: Mapping[str, Any], now: datetime, where: str = "the rules"
) -> Rules:
    """Read rules.

    Args:
        packages: the packages that they apply to.
        given: the rules by name, as in `RULES`; missing, ``None`` and ``[]`` mean not given.
        now: the current time, with a time zone; durations count back from it.
        where: the source of the rules, for errors.

    Raises:
        UsageError: a value is invalid.
    """
    # An empty list removes a default.
    data = {key: value for key, value in given.items() if value is not None and value != []}
    check_keys(data, RULES, where)
    policy = Policy(
        include=as_texts(data, "include", where),
        exclude=as_texts(data, "exclude", where),
        untagged=as_flag(_ON | data, "untagged", where),
        orphaned=as_flag(_ON | data, "orphaned", where),
        orphaned_unseen=as_flag(data, "orphaned-unseen", where),
        ghosts=as_flag(data, "ghosts", where),
        partial=as_flag(data, "partial", where),
        keep_last=_number(data, "keep-last", where),
        keep_untagged=_number(data, "keep-untagged", where),
        group_by=_text(data, "group-by", where),
        floor=_number(data, "floor", where),
        older_than=as_time(data, "older-than", where, now),
        newer_than=as_time(data, "newer-than", where, now),
        by=_choice(data, "by", where, AGES),
        min_age=_min_age(data, where),
        protected=frozenset(_digests(as_texts(data, "protect-digest", where), where)),
        when_empty=_choice(data, "when-empty", where, WHEN_EMPTY),
    )
    if policy.group_by is not None and policy.keep_last is None:
        raise UsageError(f"{where}: `group-by` requires `keep-last`")
    policy.check()
    rules = Rules(
        packages,
        {key: _shown(value) for key, value in data.items() if value is not False or key in _ON},
        policy,
        tuple(map(Path, as_texts(data, "protect-file", where))),
        _text(data, "closed-pull-requests", where) or "",
        _text(data, "deleted-branches", where) or "",
        _text(data, "repository", where) or "",
    )
    _check_patterns(rules)
    return rules


def _check_patterns(rules: Rules) -> None:
    """Check the patterns of pull requests and branches before anything is read.

    Raises:
        InvalidFilterError: a pattern has no placeholder for the number or the branch.
    """
    if rules.closed:
        tags_of_closed(rules.closed, ())
    if rules.deleted:
        tags_of_deleted(rules.deleted, ())


def read_policy_file(path: Path, now: datetime) -> list[Rules]:
    """Read a file of rules for multiple packages.

    It has a list ``packages``, whose entries have ``package`` (a name, a pattern, or a list of
    them) and rules, and optionally a table ``defaults`` with rules for all entries.

    Raises:
        NotFoundError: the file does not exist.
        UsageError: the file is malformed, or has an unknown key.
    """
    data = read_rules(path)
    check_keys(data, ("defaults", "packages"), str(path))
    given = data.get("defaults")
    defaults = as_mapping({} if given is None else given, f"{path}: `defaults`")
    check_keys(defaults, RULES, f"{path}: `defaults`")
    entries = data.get("packages")
    if not isinstance(entries, list) or not entries:
        raise UsageError(
            f"{path}: `packages` is missing or not a list",
            hint="each entry has `package` and its rules",
        )
    found = []
    for number, entry in enumerate(entries, 1):
        where = f"{path}: entry {number}"
        own = as_mapping(entry, where)
        check_keys(own, ("package", *RULES), where)
        names = as_texts(own, "package", where)
        if not names:
            raise UsageError(f"{where}: `package` is missing")
        # A key without a value keeps the default; an empty list removes it.
        rules = {k: value for k, value in own.items() if k != "package" and value is not None}
        try:
            found.append(parse_rules(names, {**defaults, **rules}, now, where))
        except GhcrctlError as error:
            if where not in error.message:
                error.message = f"{where}: {error.message}"
            raise
    return found


def _number(data: Mapping[str, Any], key: str, where: str) -> int | None:
    value = data.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UsageError(f"{where}: invalid `{key}`: expected a number of at least 0: {value}")
    return value


def _text(data: Mapping[str, Any], key: str, where: str) -> str | None:
    value = data.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise UsageError(f"{where}: invalid `{key}`: expected a text: {value}")
    return value


def _choice(data: Mapping[str, Any], key: str, where: str, known: tuple[str, ...]) -> str:
    value = data.get(key, known[0])
    if value not in known:
        raise UsageError(f"{where}: invalid `{key}`: expected one of {', '.join(known)}: {value}")
    return str(value)


def _min_age(data: Mapping[str, Any], where: str) -> timedelta:
    value = data.get("min-age", MIN_AGE)
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(f"{where}: invalid `min-age`: expected a duration such as 6h")
    return read_duration(str(value), shown_rule("min-age", value, where))


def _digests(texts: tuple[str, ...], where: str) -> list[str]:
    from ghcrctl.oci.digest import Digest

    try:
        return [str(Digest.parse(text)) for text in texts]
    except GhcrctlError as error:
        raise UsageError(f"{where}: {error.message}", hint=error.hint) from None


def _shown(value: object) -> object:
    if isinstance(value, tuple | list):
        return [str(item) for item in value]
    return value if isinstance(value, bool | int) else str(value)
