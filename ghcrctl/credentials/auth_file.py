"""Files in the form of docker's ``config.json``: docker's, podman's and our own.

What belongs here: reading entries, writing ours. Form: docker/cli, ``cli/config/configfile``;
podman's containers-auth.json(5).
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.names import registry_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class UnreadableError(Exception):
    """A file is there but cannot be used; the text says why, without anything from the file."""


def read_json(path: Path) -> dict[str, Any]:
    """Read a file; a missing one is empty.

    Raises:
        UnreadableError: it cannot be read, or is no JSON object.
    """
    try:
        raw = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UnreadableError(error.strerror or "it cannot be read") from None
    return parse_json(raw)


def parse_json(raw: str | bytes) -> dict[str, Any]:
    """Read the text of such a file.

    Raises:
        UnreadableError: it is no JSON object.
    """
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        raise UnreadableError("it is no valid JSON") from None
    if not isinstance(data, dict):
        raise UnreadableError("it is no JSON object")
    return data


def find_entry(data: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """Return the entry for a registry, or for a namespace of it, whatever form its key has."""
    auths = data.get("auths")
    if not isinstance(auths, dict):
        return None
    for name, entry in auths.items():
        same = name == key or ("/" not in key and registry_of(name) == key and _is_host(name))
        if same and isinstance(entry, dict):
            return entry
    return None


def _is_host(name: str) -> bool:
    path = name.split("://", 1)[-1].partition("/")[2].strip("/")
    return path in {"", "v1", "v2"}


def decode_entry(entry: Mapping[str, Any], source: str) -> Credential | None:
    """Read a credential; ``None`` where the entry has none.

    Raises:
        UnreadableError: it has one in a broken form.
    """
    token = entry.get("identitytoken")
    username, secret = _decode_auth(entry.get("auth"))
    username = username or _text(entry.get("username"))
    secret = secret or _text(entry.get("password"))
    if isinstance(token, str) and token:
        return Credential(username or "<token>", "", token, source)
    return Credential(username, secret, None, source) if secret else None


def encode_entry(credential: Credential) -> dict[str, str]:
    """Write a credential as docker does."""
    if credential.identity_token:
        pair = f"{credential.username}:"
        return {
            "auth": base64.b64encode(pair.encode()).decode(),
            "identitytoken": credential.identity_token,
        }
    pair = f"{credential.username}:{credential.secret}"
    return {"auth": base64.b64encode(pair.encode()).decode()}


def _decode_auth(value: object) -> tuple[str, str]:
    if not isinstance(value, str) or not value:
        return "", ""
    try:
        username, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise UnreadableError("an `auth` in it is no base64 of USER:PASSWORD") from None
    return username, secret.rstrip("\x00")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
