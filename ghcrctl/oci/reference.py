"""References: the names of images, in docker's grammar with a default registry."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidDigestError, InvalidReferenceError
from ghcrctl.oci.digest import ENCODED_LENGTH, Digest
from ghcrctl.oci.numbers import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

DEFAULT_REGISTRY = "ghcr.io"
DEFAULT_TAG = "latest"
DOCKER_HUB = "docker.io"
MAX_REPOSITORY_LENGTH = 255
MAX_TAG_LENGTH = 128

_HUB_ALIASES = frozenset({"docker.io", "index.docker.io", "registry-1.docker.io"})
_DOMAIN_COMPONENT = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(
    rf"(?:{_DOMAIN_COMPONENT}(?:\.{_DOMAIN_COMPONENT})*|\[(?:[a-fA-F0-9:]+)\])(?::(?P<port>[0-9]+))?\Z"
)
_PATH_COMPONENT = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*\Z")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}\Z")
_PATH_CHARACTER = re.compile(r"[a-z0-9._-]")
_TAG_CHARACTER = re.compile(r"[A-Za-z0-9_.-]")
_IDENTIFIER = re.compile(r"[a-f0-9]{64}\Z")


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """An image name: ``registry/repository:tag@digest``; the digest takes precedence over the tag.

    A local name such as ``hello_docker`` has an empty registry.
    """

    registry: str
    repository: str
    tag: str | None = None
    digest: Digest | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.name}{tag}{digest}"

    @property
    def name(self) -> str:
        """Registry and repository."""
        return f"{self.registry}/{self.repository}" if self.registry else self.repository

    @property
    def is_local(self) -> bool:
        """Whether the name has no registry and therefore cannot be pulled or pushed."""
        return not self.registry

    @property
    def target(self) -> str:
        """The digest if there is one, else the tag, else ``latest``."""
        return str(self.digest) if self.digest else self.tag or DEFAULT_TAG

    @property
    def reads_as_digest(self) -> bool:
        """Whether the repository is named like a digest algorithm: ``sha256:TAG``."""
        home, _, last = self.name.rpartition("/")
        return last in ENCODED_LENGTH and home in {"", f"{DOCKER_HUB}/library"}

    def tagged(self) -> Reference:
        """Return the reference, with docker's default tag if it has neither tag nor digest."""
        return self if self.tag or self.digest else replace(self, tag=DEFAULT_TAG)

    def with_tag(self, tag: str | None) -> Reference:
        """Return the same repository with only this tag."""
        return replace(self, tag=tag, digest=None)

    def with_digest(self, digest: Digest) -> Reference:
        """Return the same repository with only this digest."""
        return replace(self, tag=None, digest=digest)

    @classmethod
    def parse(
        cls,
        text: str,
        *,
        default_registry: str = DEFAULT_REGISTRY,
        local_names: bool = False,
        warn: Callable[[str], None] | None = None,
        is_github: bool = False,
    ) -> Reference:
        """Parse a reference as written by a user.

        Args:
            text: ``[REGISTRY/]REPOSITORY[:TAG][@DIGEST]``.
            default_registry: the registry for names with multiple components but no registry. If it
                is Docker Hub, it also applies to names with one component: `alpine` is
                `docker.io/library/alpine`.
            local_names: keep names with one component local even then, as archives do.
            warn: called if the name was changed to be valid (upper case on ghcr.io).
            is_github: whether the registry is known to be GitHub's, regardless of its name.

        Raises:
            InvalidReferenceError: the text does not match the grammar; the message states the
                reason and the position.

        Spec: github.com/distribution/reference, ``reference.go`` (grammar), ``normalize.go``
        (domain or not).
        """
        default = DOCKER_HUB if default_registry in _HUB_ALIASES else default_registry
        has_local_names = local_names or default != DOCKER_HUB
        short_registry = "" if has_local_names else default
        return _Parser(text, default, short_registry, warn, is_github=is_github).parse()


def is_repository(text: str) -> bool:
    """Check whether a string is a valid repository name, without a registry.

    Spec: OCI distribution spec 1.1, "Pulling manifests".
    """
    components = text.split("/")
    return len(text) <= MAX_REPOSITORY_LENGTH and all(map(_PATH_COMPONENT.match, components))


def is_tag(text: str) -> bool:
    """Check whether a string is a valid tag; registries may list invalid ones.

    Spec: OCI distribution spec 1.1, "Pulling manifests".
    """
    return _TAG.match(text) is not None


def distinct(references: Iterable[Reference]) -> list[Reference]:
    """Return references in order without duplicates: `a` and `a:latest` are the same image."""
    first: dict[Reference, Reference] = {}
    for reference in references:
        first.setdefault(reference.tagged(), reference)
    return list(first.values())


def check_new_name(reference: Reference) -> Reference:
    """Check a name before giving it to an image, and return it.

    Raises:
        InvalidReferenceError: the name looks like a digest. Docker refuses such names too.
    """
    if reference.reads_as_digest:
        raise InvalidReferenceError(
            f"cannot create the ambiguous tag `{reference}`: "
            f"`{reference.repository.rpartition('/')[2]}` is a digest algorithm",
            hint="choose another repository name",
        )
    return reference


def familiar_names(name: str, default_registry: str) -> tuple[str, ...]:
    """Return the names that docker and users write for a repository, without tag and digest.

    Args:
        name: registry and repository.
        default_registry: the registry of names without a registry.

    Spec: github.com/distribution/reference, ``normalize.go`` (``FamiliarName``).
    """
    registry, slash, repository = name.partition("/")
    if not slash:
        return (name,)
    if registry == DOCKER_HUB:
        return (repository.removeprefix("library/"),)
    return (name, repository) if registry == default_registry else (name,)


class _Parser:
    """Parses one text, which it keeps for error messages."""

    def __init__(
        self,
        text: str,
        default_registry: str,
        short_registry: str,
        warn: Callable[[str], None] | None,
        *,
        is_github: bool,
    ) -> None:
        self.is_github = is_github
        self.text = text
        self.short_registry = short_registry
        self.default_registry = default_registry
        self.warn = warn

    def parse(self) -> Reference:
        """Parse the text from its end: digest, tag, registry, repository."""
        if not self.text:
            raise self._error("it is empty", 0)
        if "://" in self.text:
            raise self._error("it is a URL; omit the scheme", 0)
        rest, digest = self._split_digest()
        name, tag = self._split_tag(rest)
        if _IDENTIFIER.match(name) and not tag and not digest:
            raise self._error("64 hexadecimal digits are an image ID, not a name", 0)
        registry, repository = self._split_registry(name)
        repository = self._lowered(registry, repository)
        self._check_repository(repository, len(name) - len(repository))
        if registry == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        return Reference(registry, repository, tag, digest)

    def _split_digest(self) -> tuple[str, Digest | None]:
        rest, at, digest = self.text.partition("@")
        if not at:
            return rest, None
        try:
            return rest, Digest.parse(digest)
        except InvalidDigestError as error:
            raise self._error(error.message, len(rest) + 1, hint=error.hint) from None

    def _split_tag(self, rest: str) -> tuple[str, str | None]:
        slash = rest.rfind("/")
        colon = rest.find(":", slash + 1)
        if colon < 0 or (slash < 0 and rest.startswith("[")):
            return rest, None
        tag = rest[colon + 1 :]
        if not _TAG.match(tag):
            raise self._tag_error(tag, colon + 1)
        return rest[:colon], tag

    def _tag_error(self, tag: str, start: int) -> InvalidReferenceError:
        if not tag:
            return self._error("the tag after `:` is empty", start)
        if len(tag) > MAX_TAG_LENGTH:
            return self._error(
                f"the tag has {len(tag)} characters; at most {MAX_TAG_LENGTH} are allowed", start
            )
        offset = 0 if tag[0] in ".-" else _first_bad(tag, _TAG_CHARACTER)
        return self._error(
            f"{_shown(tag[offset])} is not allowed {'at the start of' if offset == 0 else 'in'} a "
            "tag",
            start + offset,
        )

    def _split_registry(self, name: str) -> tuple[str, str]:
        first, slash, rest = name.partition("/")
        if not slash:
            return self.short_registry, name
        # Docker treats an upper-case first component as a host. Here it is an owner, since GitHub
        # displays owner names with upper case.
        if not any(c in first for c in ".:") and first != "localhost":
            return self.default_registry, name
        match = _DOMAIN.match(first)
        if not match or (first.startswith("[") and not _is_ipv6(first)):
            raise self._error(f"invalid host name `{first}`", 0)
        if match["port"] and not _is_port(match["port"]):
            raise self._error(f"port {match['port']} is above 65535", match.start("port"))
        registry = first.lower()
        return (DOCKER_HUB if registry in _HUB_ALIASES else registry), rest

    def _lowered(self, registry: str, repository: str) -> str:
        """Convert the repository to lower case for GitHub's registries, which require it."""
        is_github = self.is_github or registry == "ghcr.io" or registry.startswith("containers.")
        if not is_github or repository == repository.lower():
            return repository
        if self.warn:
            self.warn(
                f"repository names on {registry} are lower case; using `{repository.lower()}`"
            )
        return repository.lower()

    def _check_repository(self, repository: str, start: int) -> None:
        if len(repository) > MAX_REPOSITORY_LENGTH:
            raise self._error(
                f"the repository has {len(repository)} characters; at most "
                f"{MAX_REPOSITORY_LENGTH} are allowed",
                start,
            )
        for component in repository.split("/"):
            if not _PATH_COMPONENT.match(component):
                raise self._component_error(component, start)
            start += len(component) + 1

    def _component_error(self, component: str, start: int) -> InvalidReferenceError:
        if not component:
            return self._error("a path component is empty", start)
        if component != component.lower() and _PATH_COMPONENT.match(component.lower()):
            at = next(i for i, c in enumerate(component) if c != c.lower())
            return self._error(
                "repository names are lower case", start + at, hint=f"use {self.text.lower()}"
            )
        bad = _first_bad(component, _PATH_CHARACTER)
        if bad < len(component):
            return self._error(
                f"{_shown(component[bad])} is not allowed in a repository name", start + bad
            )
        if component[0] in "._-":
            return self._error(f"a path component cannot start with `{component[0]}`", start)
        if component[-1] in "._-":
            return self._error(
                f"a path component cannot end with `{component[-1]}`",
                start + len(component) - 1,
            )
        at = next(m.start() for m in re.finditer(r"[._-]{2,}", component) if not _separator(m[0]))
        return self._error("separators must be `.`, `_`, `__` or dashes", start + at)

    def _error(self, what: str, position: int, *, hint: str | None = None) -> InvalidReferenceError:
        where = f" (character {position + 1})" if position else ""
        return InvalidReferenceError(
            f"invalid reference `{_visible(self.text)}`: {_visible(what)}{where}",
            hint=hint or "write it like ghcr.io/OWNER/IMAGE:TAG or ghcr.io/OWNER/IMAGE@sha256:...",
        )


def _is_ipv6(host: str) -> bool:
    # Imported here because it is rarely needed and slows down start-up.
    import ipaddress

    try:
        ipaddress.IPv6Address(host[1:].partition("]")[0])
    except ValueError:
        return False
    return True


def _is_port(text: str) -> bool:
    number = whole_number(text)
    return number is not None and number <= 65535


def _separator(text: str) -> bool:
    return text in {".", "_", "__"} or not text.strip("-")


def _first_bad(text: str, allowed: re.Pattern[str]) -> int:
    return next((i for i, c in enumerate(text) if not allowed.match(c)), len(text))


def _shown(character: str) -> str:
    return "a space" if character == " " else f"`{_visible(character)}`"


def _visible(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]
