"""Mirrors: other places where a registry's images can be pulled from.

What belongs here: the rules, from our settings, containers' ``registries.conf`` and docker's
``daemon.json``, and a source that asks one place after the other. What does not: reading files
(``settings``). Digests are checked as ever, whoever sends the bytes, and each host gets only its
own credentials.

Sources: containers-registries.conf(5), version 2; Docker's documentation, "Mirror the Docker Hub
library".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ghcrctl.errors import GhcrctlError, IntegrityError, InvalidSettingError, NetworkError
from ghcrctl.oci.reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.registry.repository import Repository


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


class MirroredSource:
    """A repository that is asked for at one place after the other.

    A mirror that does not answer, or whose bytes are not what they should be, is not asked again
    in this run; one that lacks something is passed over for that.

    Args:
        mirrors: asked first, in order.
        origin: asked last; its answer stands.
        warn: is told of a mirror that does not answer.
    """

    def __init__(
        self, mirrors: Sequence[Repository], origin: Repository, warn: Callable[[str], None]
    ) -> None:
        self._mirrors = list(mirrors)
        self._origin = origin
        self._warn = warn
        self._opened_at: dict[Digest, Repository] = {}

    @property
    def label(self) -> str:
        """The origin, which people asked for."""
        return self._origin.label

    def resolve(self, name: str) -> Descriptor:
        """Resolve at the first mirror that can, else at the origin."""
        for mirror in list(self._mirrors):
            try:
                return mirror.resolve(name)
            except GhcrctlError as error:
                self._pass_over(mirror, error)
        return self._origin.resolve(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        """Open at the first mirror that can, else at the origin."""
        for mirror in list(self._mirrors):
            try:
                stream = mirror.open(descriptor, offset)
            except GhcrctlError as error:
                self._pass_over(mirror, error)
            else:
                self._opened_at[descriptor.digest] = mirror
                return stream
        self._opened_at.pop(descriptor.digest, None)
        return self._origin.open(descriptor, offset)

    def doubt(self, descriptor: Descriptor) -> bool:
        """Ask a mirror no more that gave wrong bytes."""
        mirror = self._opened_at.pop(descriptor.digest, None)
        if mirror is None:
            return False
        wrong = IntegrityError(f"it gave wrong bytes for {descriptor.digest}")
        self._pass_over(mirror, wrong)
        return True

    def tags(self) -> Iterator[str]:
        """List the origin's tags: a mirror may know a few only."""
        return self._origin.tags()

    def _pass_over(self, mirror: Repository, error: GhcrctlError) -> None:
        if isinstance(error, (NetworkError, IntegrityError)) and mirror in self._mirrors:
            self._mirrors.remove(mirror)
            why = "does not answer" if isinstance(error, NetworkError) else "cannot be trusted"
            self._warn(f"the mirror {mirror.label} {why}; going on without it: {error}")
