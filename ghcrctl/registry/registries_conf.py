"""Reads the ``registries.conf`` files of podman, skopeo and buildah.

Source: containers-registries.conf(5), versions 1 and 2. Short-name aliases, ``short-name-mode`` and
``unqualified-search-registries`` are validated but not used, since a name without a registry
belongs to the default registry here. ``credential-helpers`` is not read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import InvalidReferenceError, InvalidSettingError
from ghcrctl.oci.reference import Reference
from ghcrctl.registry.registry_rules import ALL, PULL_MODES, Location, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_V1_TABLES = ("search", "insecure", "block")
_V2_KEYS = ("registry", "unqualified-search-registries", "short-name-mode", "aliases")
_SHORT_NAME_MODES = ("enforcing", "permissive", "disabled")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?\Z")


def merged(files: Iterable[Sequence[Rule]]) -> list[Rule]:
    """Merge the rules of a main file and its drop-ins: a later file replaces equal prefixes.

    If two prefixes of the same length match a name, the alphabetically first one is used.
    """
    found: dict[str, Rule] = {}
    for rules in files:
        found.update((rule.prefix, rule) for rule in rules)
    return [found[prefix] for prefix in sorted(found)]


def read_rules(data: Mapping[str, Any], path: str, *, drop_in: bool = False) -> list[Rule]:
    """Return the rules of a parsed file; if several have the same prefix, only the first.

    Args:
        data: the parsed file.
        path: the file's path, for messages.
        drop_in: whether the file is in a ``registries.conf.d``, where version 1 is an error.

    Raises:
        InvalidSettingError: the file is invalid or contradicts itself.
    """
    return _Reader(data, path).read(drop_in=drop_in)


@dataclass(frozen=True, slots=True)
class _Reader:
    data: Mapping[str, Any]
    path: str
    _by_place: dict[str, Rule] = field(default_factory=dict)

    def read(self, *, drop_in: bool) -> list[Rule]:
        v1 = self._version_1()
        if any(v1.values()):
            if drop_in or any(self.data.get(key) for key in _V2_KEYS):
                where = "a drop-in file must use" if drop_in else "it mixes version 1 and"
                raise self._error(f"{where} version 2 of the format")
            return self._from_version_1(v1)
        self._check_short_names()
        rules = [self._rule(table) for table in self._tables(self.data, "registry")]
        for rule in rules:
            self._check_conflict(rule)
        return list({rule.prefix: rule for rule in reversed(rules)}.values())[::-1]

    def _version_1(self) -> dict[str, list[str]]:
        tables = self._typed(self.data, "registries", dict, {})
        found = {}
        for name in _V1_TABLES:
            table = self._typed(tables, name, dict, {})
            found[name] = self._texts(table, "registries")
        return found

    def _from_version_1(self, lists: Mapping[str, Sequence[str]]) -> list[Rule]:
        blocked = [self._place(text) for text in lists["block"]]
        insecure = [self._place(text) for text in lists["insecure"]]
        self._check_search(lists["search"])
        return [
            Rule(
                place,
                Location(place, insecure=place in insecure),
                blocked=place in blocked,
                file=self.path,
                any_port=True,
            )
            for place in dict.fromkeys([*blocked, *insecure])
        ]

    def _rule(self, table: Mapping[str, Any]) -> Rule:
        location = self._place(self._text(table, "location"))
        prefix = self._place(self._text(table, "prefix")) or location
        if not prefix:
            raise self._error("a [[registry]] has neither `location` nor `prefix`")
        if not location and not prefix.startswith("*."):
            raise self._error(f"[[registry]] `{prefix}` has no `location`")
        if self._text(table, "pull-from-mirror"):
            raise self._error(f"`pull-from-mirror` of `{prefix}` belongs to a [[registry.mirror]]")
        digest_only = self._switch(table, "mirror-by-digest-only")
        return Rule(
            prefix,
            Location(location, insecure=self._switch(table, "insecure")),
            tuple(
                self._mirror(mirror, prefix, digest_only=digest_only)
                for mirror in self._tables(table, "mirror")
            ),
            blocked=self._switch(table, "blocked"),
            file=self.path,
            any_port=True,
        )

    def _mirror(self, table: Mapping[str, Any], prefix: str, *, digest_only: bool) -> Location:
        location = self._place(self._text(table, "location"))
        if not location:
            raise self._error(f"a mirror of `{prefix}` has no `location`")
        pulls = self._text(table, "pull-from-mirror")
        if pulls and digest_only:
            raise self._error(
                f"`{prefix}` has `mirror-by-digest-only`, which excludes `pull-from-mirror` of "
                f"its mirror `{location}`"
            )
        if pulls and pulls not in PULL_MODES:
            raise self._error(
                f"invalid `pull-from-mirror` of `{location}`: expected {', '.join(PULL_MODES)}"
            )
        pulls = "digest-only" if digest_only else pulls or ALL
        return Location(location, insecure=self._switch(table, "insecure"), pulls=pulls)

    def _check_conflict(self, rule: Rule) -> None:
        """Reject two entries with different settings for one location."""
        place = rule.origin.name or rule.prefix
        other = self._by_place.setdefault(place, rule)
        for name, ours, theirs in (
            ("insecure", rule.origin.insecure, other.origin.insecure),
            ("blocked", rule.blocked, other.blocked),
        ):
            if ours != theirs:
                raise self._error(f"`{place}` is defined twice, with different `{name}`")

    def _check_short_names(self) -> None:
        self._check_search(self._texts(self.data, "unqualified-search-registries"))
        mode = self._text(self.data, "short-name-mode")
        if mode and mode not in _SHORT_NAME_MODES:
            modes = ", ".join(_SHORT_NAME_MODES)
            raise self._error(f"invalid `short-name-mode` `{mode}`: expected {modes}")
        for name, value in self._typed(self.data, "aliases", dict, {}).items():
            self._check_alias(name, value)

    def _check_search(self, registries: Iterable[str]) -> None:
        for registry in registries:
            if not _HOST.match(self._place(registry)):
                raise self._error(f"invalid registry `{registry}` in the search list")

    def _check_alias(self, name: str, value: object) -> None:
        try:
            short = Reference.parse(name, default_registry="")
            full = Reference.parse(str(value), default_registry="") if value else None
        except InvalidReferenceError as error:
            raise self._error(f"invalid alias `{name}`: {error.message}") from None
        is_short = short.is_local and not (short.tag or short.digest)
        if not is_short or not isinstance(value, str):
            raise self._error(f"invalid alias `{name}`: expected a name without registry and tag")
        if full and (full.is_local or full.tag or full.digest):
            raise self._error(
                f"invalid alias `{name}`: expected REGISTRY/REPOSITORY, got `{value}`"
            )

    def _place(self, text: str) -> str:
        if text.startswith(("http://", "https://")):
            raise self._error(f"invalid location `{text}`: leave out the scheme")
        return text.rstrip("/")

    def _text(self, table: Mapping[str, Any], key: str) -> str:
        found: str = self._typed(table, key, str, "")
        return found

    def _switch(self, table: Mapping[str, Any], key: str) -> bool:
        found: bool = self._typed(table, key, bool, default=False)
        return found

    def _texts(self, table: Mapping[str, Any], key: str) -> list[str]:
        found: list[Any] = self._typed(table, key, list, [])
        if not all(isinstance(item, str) for item in found):
            raise self._error(f"`{key}` must be a list of strings")
        return found

    def _tables(self, table: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
        found: list[Any] = self._typed(table, key, list, [])
        if not all(isinstance(item, dict) for item in found):
            raise self._error(f"`{key}` must be a list of tables: write [[{key}]]")
        return found

    def _typed(self, table: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
        found = table.get(key, default)
        if not isinstance(found, kind):
            raise self._error(f"`{key}` must be a {_KINDS[kind]}")
        return found

    def _error(self, reason: str) -> InvalidSettingError:
        return InvalidSettingError(f"invalid registries.conf {self.path}: {reason}")


_KINDS = {str: "string", bool: "boolean", list: "list", dict: "table"}
