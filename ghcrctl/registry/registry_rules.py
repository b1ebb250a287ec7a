"""Routing rules that decide which registry serves a reference.

Source: containers-registries.conf(5), version 2; Docker's documentation, "Mirror the Docker Hub
library".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ghcrctl.errors import InvalidReferenceError, InvalidSettingError, RefusedError
from ghcrctl.oci.reference import DOCKER_HUB, Reference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ALL, DIGEST_ONLY, TAG_ONLY = "all", "digest-only", "tag-only"
PULL_MODES = (ALL, DIGEST_ONLY, TAG_ONLY)


@dataclass(frozen=True, slots=True)
class Location:
    """A host and port, optionally with a path.

    Args:
        name: the host and path, without a scheme.
        insecure: accept any certificate, and plain HTTP.
        pulls: the references that a mirror serves (``pull-from-mirror`` in registries.conf).
    """

    name: str
    insecure: bool = False
    pulls: str = ALL

    def serves(self, reference: Reference) -> bool:
        """Check whether a mirror may be used for a reference."""
        excluded = TAG_ONLY if reference.digest else DIGEST_ONLY
        return self.pulls != excluded


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for all references that start with a prefix.

    Args:
        prefix: a registry, a namespace, a repository or a single image; ``*.example.com`` matches
            all subdomains.
        origin: the location that replaces the prefix; an empty name keeps references unchanged.
        mirrors: locations to read from before the origin.
        blocked: whether the origin must not be contacted.
        file: the file with the rule, for messages.
        any_port: whether ``example.com`` also matches ``example.com:5000``, as in registries.conf.
    """

    prefix: str
    origin: Location
    mirrors: tuple[Location, ...] = ()
    blocked: bool = False
    file: str = ""
    any_port: bool = False

    def match(self, text: str) -> int:
        """Return the length of the part of a reference that the prefix covers; 0 if none.

        A host with the default port equals the host without it, in both directions: a registry
        blocked as ``example.com:443`` must not be reachable as ``example.com``.
        """
        bare = without_default_port(text)
        covered = self._match_bare(bare)
        return covered + len(text) - len(bare) if covered >= len(_host(bare)) else covered

    def _match_bare(self, text: str) -> int:
        prefix = without_default_port(self.prefix)
        if prefix.startswith("*."):
            return _match_subdomain(prefix[1:], text)
        return len(prefix) if self._is_start(prefix, text) else 0

    def _is_start(self, prefix: str, text: str) -> bool:
        if not text.startswith(prefix):
            return False
        following = text[len(prefix) :][:1]
        is_port = following == ":" and "/" not in prefix
        return following in {"", "/", "@"} or (following == ":" and (self.any_port or not is_port))


@dataclass(frozen=True, slots=True)
class Step:
    """A registry to contact for a reference.

    Args:
        reference: the image's name at that registry.
        insecure: accept any certificate, and plain HTTP.
    """

    reference: Reference
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """The registries that serve a reference.

    Args:
        mirrors: locations to read from first, in order.
        origin: the location to write to, and to read from last.
        blocked: the rule that forbids contacting the origin.
    """

    mirrors: tuple[Step, ...]
    origin: Step
    blocked: Rule | None = None


@dataclass(frozen=True, slots=True)
class Routes:
    """All routing rules of a run.

    Args:
        ours: the mirrors from our own settings.
        registries: the rules from ``registries.conf``.
        docker: the mirrors from docker's ``daemon.json``.
    """

    ours: Sequence[Rule] = ()
    registries: Sequence[Rule] = ()
    docker: Sequence[Rule] = ()

    def find(self, reference: Reference) -> Route:
        """Return the route for a reference.

        Raises:
            InvalidSettingError: a rule rewrites the reference to an invalid name.
        """
        rule = best_rule(self.registries, reference)
        origin = rewrite(rule, rule.origin, reference) if rule else Step(reference)
        blocked = rule if rule and rule.blocked else self._blocking(origin)
        mirrors = tuple(s for s in self._mirrors(rule, reference) if not self._blocking(s))
        return Route(mirrors, origin, blocked)

    def _mirrors(self, rule: Rule | None, reference: Reference) -> Iterator[Step]:
        """Yield the mirrors of the rule with the longest prefix; on a tie, of the first source."""
        found = (best_rule(self.ours, reference), rule, best_rule(self.docker, reference))
        chosen = longest(rule for rule in found if rule and rule.mirrors)
        for place in chosen.mirrors if chosen else ():
            if chosen and place.serves(reference):
                yield rewrite(chosen, place, reference)

    def _blocking(self, step: Step) -> Rule | None:
        """Return the rule that forbids contacting a registry."""
        rule = best_rule(self.registries, step.reference)
        return rule if rule and rule.blocked else None

    def find_host(self, registry: str) -> tuple[str, bool]:
        """Return the host that serves a registry, and whether it is insecure.

        Raises:
            RefusedError: the host is blocked.
        """
        host, rule = self.host_of(registry), _best(self.registries, registry)
        for blocking in (rule, _best(self.registries, host)):
            if blocking and blocking.blocked:
                raise blocked_error(registry, blocking)
        return host, rule is not None and rule.origin.insecure

    def check_host(self, host: str) -> None:
        """Check that a host named by a registry, such as a token endpoint, may be contacted.

        Raises:
            RefusedError: the host is blocked.
        """
        rule = _best(self.registries, host)
        if rule and rule.blocked:
            raise blocked_error(host, rule)

    def host_of(self, registry: str) -> str:
        """Return the host that serves a registry, whether or not it is blocked."""
        rule = _best(self.registries, registry)
        if rule is None or not rule.origin.name:
            return registry
        place = f"{rule.origin.name}{registry[rule.match(registry) :]}"
        return _parse(f"{place.partition('/')[0]}/image").registry


def blocked_error(name: str, rule: Rule) -> RefusedError:
    """Build the error for a registry that must not be contacted."""
    return RefusedError(f"cannot access {name}: `{rule.prefix}` is blocked in {rule.file}")


def longest(rules: Iterable[Rule]) -> Rule | None:
    """Return the first rule with the longest prefix, ignoring default ports."""
    return max(rules, key=lambda rule: len(without_default_port(rule.prefix)), default=None)


def without_default_port(name: str) -> str:
    """Return a name without the port of its host if that is a default port."""
    from ghcrctl.registry.endpoint import DEFAULT_PORTS

    host = _host(name)
    for port in DEFAULT_PORTS.values():
        if host.endswith(port):
            return f"{host.removesuffix(port)}{name[len(host) :]}"
    return name


def _host(name: str) -> str:
    return name.partition("/")[0]


def best_rule(rules: Iterable[Rule], reference: Reference) -> Rule | None:
    """Return the rule that applies to a reference."""
    return _best(rules, _text(reference))


def _best(rules: Iterable[Rule], text: str) -> Rule | None:
    """Return the longest matching rule; on a tie, the one spelled like the reference."""
    found = [rule for rule in rules if rule.match(text)]
    return longest(sorted(found, key=lambda rule: not text.startswith(f"{_host(rule.prefix)}/")))


def rewrite(rule: Rule, place: Location, reference: Reference) -> Step:
    """Replace the prefix of a reference by a rule's location.

    Raises:
        InvalidSettingError: the result is not a valid name.
    """
    if not place.name:
        return Step(reference, place.insecure)
    text = _text(reference)
    rewritten = f"{place.name}{text[rule.match(text) :]}"
    try:
        found = _parse(rewritten)
    except InvalidReferenceError as error:
        raise InvalidSettingError(
            f"cannot route {text}: {rule.file or 'the mirrors setting'} rewrites it to "
            f"`{rewritten}`, which is not a valid name",
        ) from error
    if not (found.tag or found.digest):
        found = replace(found, tag=reference.tag, digest=reference.digest)
    return Step(found, place.insecure)


def _parse(text: str) -> Reference:
    """Parse a name whose first part is always a host, even without a dot."""
    host, slash, path = text.partition("/")
    if not slash or any(character in host for character in ".:") or host == "localhost":
        found = Reference.parse(text, default_registry="")
    else:
        found = replace(Reference.parse(f"localhost/{path}"), registry=host.lower())
    if found.is_local:
        raise InvalidReferenceError(f"invalid name `{text}`: expected HOST/REPOSITORY")
    return found


def _text(reference: Reference) -> str:
    """Return the text that prefixes are compared with; a digest takes precedence over a tag."""
    if reference.digest:
        return f"{reference.name}@{reference.digest}"
    return f"{reference.name}:{reference.tag}" if reference.tag else reference.name


def _match_subdomain(domain: str, text: str) -> int:
    """Return the end of a domain such as ``.example.com`` in a reference's host; 0 if none."""
    start = text.find(domain)
    while start >= 0 and "/" not in text[:start]:
        end = start + len(domain)
        if text[end : end + 1] in {"", ":", "/", "@"}:
            return end
        start = text.find(domain, start + 1)
    return 0


def rules_of_settings(data: Mapping[str, Sequence[str]]) -> list[Rule]:
    """Return the rules of our own setting; a mirror with ``http://`` is insecure."""
    return [
        Rule(_canonical(prefix), Location(""), tuple(map(location, mirrors)))
        for prefix, mirrors in data.items()
    ]


def _canonical(prefix: str) -> str:
    """Return a prefix with the canonical host name; Docker Hub has multiple names."""
    host, slash, path = prefix.rstrip("/").partition("/")
    if host.startswith("*."):
        return f"{host.lower()}{slash}{path}"
    return f"{_parse(f'{host}/image').registry}{slash}{path}"


def rules_of_docker(data: Mapping[str, object]) -> list[Rule]:
    """Return the rules of a parsed ``daemon.json``, whose mirrors are for Docker Hub."""
    mirrors = data.get("registry-mirrors")
    if not isinstance(mirrors, list):
        return []
    found = tuple(location(mirror) for mirror in mirrors if isinstance(mirror, str))
    return [Rule(DOCKER_HUB, Location(""), found)] if found else []


def location(text: str) -> Location:
    """Parse a mirror's URL, or a location without a scheme."""
    if "://" not in text:
        return Location(text.strip("/"))
    parts = urlsplit(text)
    return Location(f"{parts.netloc}{parts.path}".strip("/"), insecure=parts.scheme == "http")
