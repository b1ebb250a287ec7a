"""Rules that decide which registry serves a reference.

What belongs here: the rules of our settings, containers' ``registries.conf`` and docker's
``daemon.json``. What does not: reading files (``settings``), requests (``mirrors``).

Sources: containers-registries.conf(5), version 2; Docker's documentation, "Mirror the Docker Hub
library".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ghcrctl.errors import InvalidSettingError
from ghcrctl.oci.reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Location:
    """A place: host and port, maybe with a path. ``insecure``: any certificate, and plain HTTP."""

    name: str
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for names that begin so.

    Args:
        prefix: registry, maybe with a part of the repository; ``*.example.com`` for all hosts
            there.
        origin: where they really are; the prefix itself where nothing is given.
        mirrors: where to ask first.
        blocked: whether they may not be pulled at all.
    """

    prefix: str
    origin: Location
    mirrors: tuple[Location, ...] = ()
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Where to ask for a repository, in order: registry, repository, whether that is insecure."""

    steps: tuple[tuple[str, str, bool], ...]
    blocked: bool = False


def rules_of_settings(data: Mapping[str, Sequence[str]]) -> list[Rule]:
    """Read our own setting: mirrors by prefix; ``http://`` before one makes it insecure."""
    return [
        Rule(prefix, Location(prefix), tuple(map(_location, mirrors)))
        for prefix, mirrors in data.items()
    ]


def files_of_containers(given: str | None, home: Path) -> list[Path]:
    """Return the ``registries.conf`` files that hold, the person's before the system's.

    Args:
        given: the one file that holds alone, where CONTAINERS_REGISTRIES_CONF names one.
        home: the person's home directory.
    """
    if given:
        return [path for path in (Path(given),) if path.is_file()]
    folders = (home / ".config" / "containers", Path("/etc/containers"))
    main = next((f for f in (d / "registries.conf" for d in folders) if f.is_file()), None)
    more = [p for d in folders for p in sorted((d / "registries.conf.d").glob("*.conf"))]
    return [*([main] if main else []), *more]


def rules_of_containers(data: Mapping[str, Any], path: str) -> list[Rule]:
    """Read a parsed ``registries.conf``.

    Raises:
        InvalidSettingError: it is not what its manual page says.
    """
    try:
        return [_rule(entry) for entry in data.get("registry", [])]
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidSettingError(f"{path} is no valid registries.conf: {error}") from None


def _rule(entry: Mapping[str, Any]) -> Rule:
    location = str(entry.get("location") or entry["prefix"])
    prefix = str(entry.get("prefix") or location)
    mirrors = tuple(
        Location(str(mirror["location"]), insecure=bool(mirror.get("insecure")))
        for mirror in entry.get("mirror", [])
    )
    origin = Location(location, insecure=bool(entry.get("insecure")))
    return Rule(prefix, origin, mirrors, blocked=bool(entry.get("blocked")))


def rules_of_docker(data: Mapping[str, Any]) -> list[Rule]:
    """Read a parsed ``daemon.json``, whose mirrors are Docker Hub's."""
    mirrors = data.get("registry-mirrors")
    if not isinstance(mirrors, list):
        return []
    found = tuple(_location(mirror) for mirror in mirrors if isinstance(mirror, str))
    return [Rule(DOCKER_HUB, Location(DOCKER_HUB), found)] if found else []


def _location(text: str) -> Location:
    """Read an address, or a place without a scheme."""
    if "://" not in text:
        return Location(text.strip("/"))
    parts = urlsplit(text)
    return Location(f"{parts.netloc}{parts.path}".strip("/"), insecure=parts.scheme == "http")


def route(rules: Iterable[Rule], registry: str, repository: str) -> Route:
    """Find where to ask for a repository: its mirrors, then its origin. The longest prefix wins."""
    name = f"{registry}/{repository}"
    fitting = [(rule, _matched(rule.prefix, name)) for rule in rules]
    best = max(
        ((rule, length) for rule, length in fitting if length),
        key=lambda pair: pair[1],
        default=None,
    )
    if best is None:
        return Route(((registry, repository, False),))
    rule, length = best
    rest = name[length:]
    wild = rule.prefix.startswith("*.")
    places = [*rule.mirrors, *([] if wild else [rule.origin])]
    steps = [_split(place, rest) for place in places]
    if wild:
        steps.append((registry, repository, rule.origin.insecure))
    return Route(tuple(steps), blocked=rule.blocked)


def _matched(prefix: str, name: str) -> int:
    """Return how many characters of a name a prefix covers; 0 where it does not fit."""
    if prefix.startswith("*."):
        host = name.partition("/")[0]
        return len(host) if host.partition(":")[0].endswith(prefix[1:]) else 0
    return len(prefix) if name == prefix or name.startswith(f"{prefix}/") else 0


def _split(place: Location, rest: str) -> tuple[str, str, bool]:
    registry, _, path = f"{place.name}{rest}".partition("/")
    return registry, path, place.insecure
