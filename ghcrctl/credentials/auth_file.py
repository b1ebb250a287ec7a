"""Files in the format of docker's ``config.json``: docker's, podman's and our own.

Spec: docker/cli, ``cli/config/configfile`` and ``cli/config/credentials``; podman's
containers-auth.json(5) and containers/image, ``pkg/docker/config``.
"""

from __future__ import annotations

import base64
import binascii
import json
from enum import Enum
from typing import TYPE_CHECKING, Any

from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.registry_names import DOCKER_HUB, lookup_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_API_PATHS = frozenset({"", "v1", "v2"})


class Dialect(Enum):
    """The program whose rules apply to a file.

    In docker's file, one invalid entry makes the whole file unusable. Podman only checks the entry
    that is used.
    """

    DOCKER = "docker"
    PODMAN = "podman"


class UnreadableError(Exception):
    """A file exists but cannot be used; the text states the reason without any secret."""


def read_json(path: Path, *, empty_ok: bool = True) -> dict[str, Any]:
    """Read a file; a missing file is treated as empty.

    Args:
        path: the file.
        empty_ok: whether an empty file is treated as an empty object.

    Raises:
        UnreadableError: the file cannot be read, or is not a JSON object.
    """
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UnreadableError(error.strerror or "it cannot be read") from None
    return parse_json(raw, empty_ok=empty_ok)


def parse_json(raw: str | bytes, *, empty_ok: bool = True) -> dict[str, Any]:
    """Parse the text of a file.

    Raises:
        UnreadableError: the text is not a JSON object.
    """
    try:
        # `json` accepts other encodings and a byte order mark, docker does not.
        text = raw.decode() if isinstance(raw, bytes) else raw
        data = {} if empty_ok and not text.strip() else json.loads(text)
    except (ValueError, RecursionError):
        raise UnreadableError("invalid JSON") from None
    if not isinstance(data, dict):
        raise UnreadableError("expected a JSON object")
    return data


def member(data: Mapping[str, Any], name: str) -> Any:
    """Return a member of a JSON object; as in Go, its name is case-insensitive."""
    if name in data:
        return data[name]
    wanted = name.casefold()
    return next((value for key, value in data.items() if key.casefold() == wanted), None)


def find_credential(
    data: Mapping[str, Any], registry: str, repository: str, source: str, dialect: Dialect
) -> Credential | None:
    """Return the credential for a repository from the most specific key.

    Args:
        data: the file's content.
        registry: the host, with its port.
        repository: the repository; empty for the registry itself.
        source: the file, for messages.
        dialect: the rules that apply to the file.

    Raises:
        UnreadableError: an entry is invalid.
    """
    auths = _auths(data)
    if dialect is Dialect.DOCKER:
        for key, entry in auths.items():
            decode_entry(entry, source, dialect, key)
    for key in _matching_keys(auths, registry, repository, dialect):
        found = decode_entry(auths[key], source, dialect, key)
        if found:
            return found
    return None


def _auths(data: Mapping[str, Any]) -> Mapping[str, Any]:
    auths = member(data, "auths")
    if auths is None:
        return {}
    if not isinstance(auths, dict):
        raise UnreadableError("invalid `auths`: expected an object")
    return auths


def _matching_keys(
    auths: Mapping[str, Any], registry: str, repository: str, dialect: Dialect
) -> Iterator[str]:
    """Yield the keys for a repository or its registry, most specific first."""
    yield from (key for key in lookup_keys(registry, repository) if key in auths)
    # docker only supports whole registries, and compares their names exactly.
    as_docker = dialect is Dialect.DOCKER and not repository
    yield from (key for key in auths if _registry_of_key(key, exact=as_docker) == registry)
    if as_docker:
        # docker only compares hosts, so this key applies to the whole registry.
        yield from (key for key in auths if key.partition("/")[0] == registry)


def _registry_of_key(key: str, *, exact: bool) -> str | None:
    """Return the registry of a key; ``None`` for a namespace."""
    scheme, separator, rest = key.rpartition("://")
    host, _, path = rest.partition("/")
    if not separator and path.strip("/") not in _API_PATHS:
        return None
    if separator and scheme.lower() not in {"http", "https"}:
        return None
    host = host if exact else host.lower()
    return DOCKER_HUB if host == "index.docker.io" else host


def decode_entry(
    entry: object, source: str, dialect: Dialect = Dialect.PODMAN, key: str = ""
) -> Credential | None:
    """Return the credential in an entry; ``None`` if it has none, as for a helper.

    Args:
        entry: the value below ``auths``.
        source: the file, for messages.
        dialect: the rules that apply to the file.
        key: the entry's key, for messages.

    Raises:
        UnreadableError: the entry is invalid.
    """
    if entry is None:
        return None
    if not isinstance(entry, dict):
        raise UnreadableError(f"invalid entry for `{key}`: expected an object")
    auth = _text(member(entry, "auth"))
    username, secret = _text(member(entry, "username")), _text(member(entry, "password"))
    if auth:
        username, secret = _decode_auth(auth, key)
        if not username and dialect is Dialect.DOCKER:
            raise UnreadableError(f"invalid `auth` for `{key}`: the user name is missing")
    token = _text(member(entry, "identitytoken")) or None
    registry_token = _text(member(entry, "registrytoken")) or None
    if not (auth or secret or token or registry_token):
        return None
    return Credential(username, "" if token else secret, token, source, registry_token)


def encode_entry(credential: Credential) -> dict[str, str]:
    """Return a credential in docker's format."""
    secret = "" if credential.identity_token else credential.secret
    pair = f"{credential.username}:{secret}"
    entry = {"auth": base64.b64encode(pair.encode()).decode()} if credential.username else {}
    if credential.identity_token:
        entry["identitytoken"] = credential.identity_token
    return entry


def _decode_auth(value: str, key: str) -> tuple[str, str]:
    # Line breaks are allowed, as in Go, since `base64` without `-w0` writes them.
    joined = value.replace("\n", "").replace("\r", "")
    try:
        pair = base64.b64decode(joined, validate=True).decode()
    except (binascii.Error, ValueError):
        pair = ""
    username, colon, secret = pair.partition(":")
    if not colon:
        raise UnreadableError(f"invalid `auth` for `{key}`: expected base64 of USER:PASSWORD")
    return username, secret.strip("\x00")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
