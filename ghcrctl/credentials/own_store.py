"""Stores and erases credentials for `login` and `logout`.

A credential is stored by docker's credential helper if one is configured, else in the system's
keyring if there is one, else in our own file.
"""

from __future__ import annotations

import errno
import glob
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from ghcrctl.credentials.auth_file import UnreadableError, encode_entry, read_json
from ghcrctl.credentials.credential_chain import docker_configs, own_file
from ghcrctl.credentials.helpers import Helper, HelperError
from ghcrctl.credentials.os_keyring import PLACE, KeyringError, OsKeyring
from ghcrctl.credentials.registry_names import registry_of
from ghcrctl.disk.durability import make_directories, write_atomically
from ghcrctl.disk.removal import discard
from ghcrctl.errors import CredentialStoreError, NoSpaceError, StoreError, StoreReadOnlyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ghcrctl.credentials.credential import Credential
    from ghcrctl.credentials.sources import DockerConfig

_LOCK_SECONDS = 10.0
_OTHER_DIRECTORY_HINT = "set GHCRCTL_CONFIG_DIR to another directory, or use GHCRCTL_TOKEN instead"
# Errors of the disk, as opposed to errors of this file.
_DISK_ERRORS: dict[int | None, type[StoreError]] = {
    errno.ENOSPC: NoSpaceError,
    errno.EDQUOT: NoSpaceError,
    errno.EFBIG: NoSpaceError,
    errno.EROFS: StoreReadOnlyError,
    errno.EIO: StoreError,
}


@dataclass(frozen=True, slots=True)
class StoredAt:
    """Where a credential is stored. ``warning``: a message about that place for the user."""

    place: str
    warning: str | None = None


class OwnStore:
    """The places where a user's credentials are stored.

    Args:
        docker: docker's configuration, which may name helpers.
        keyring: the system's keyring.
        path: our own file, which also lists the registries whose credentials are in the keyring.
    """

    def __init__(self, *, docker: DockerConfig, keyring: OsKeyring, path: Path) -> None:
        self._docker = docker
        self._keyring = keyring
        self._path = path

    def store(self, registry: str, credential: Credential) -> StoredAt:
        """Store a credential in exactly one place.

        Raises:
            CredentialStoreError: storing failed; the credential was not stored anywhere else.
        """
        helper, ignored = self._helper(registry), self._ignored()
        if helper:
            with _translate_errors(helper.program):
                helper.store(registry, credential)
            self._write_entry(registry, None)
            return StoredAt(helper.program)
        has_keyring, fault = self._find_keyring()
        if has_keyring:
            with _translate_errors(PLACE):
                self._keyring.store(registry, credential)
            self._write_entry(registry, {})
            return StoredAt(PLACE, ignored)
        self._write_entry(registry, encode_entry(credential))
        plain = (
            f"credentials are stored unencrypted in {self._path} (mode 0600); set up a "
            "system keyring or a Docker credential helper to encrypt them"
        )
        return StoredAt(str(self._path), "; ".join(filter(None, (ignored, fault, plain))))

    def erase(self, registry: str) -> list[str]:
        """Erase a credential from all places; return the places that had it.

        Raises:
            CredentialStoreError: a place could not be changed.
        """
        places = []
        helper = self._helper(registry)
        if helper:
            with _translate_errors(helper.program):
                if helper.erase(registry):
                    places.append(helper.program)
        with _translate_errors(PLACE):
            if self._keyring.erase(registry):
                places.append(PLACE)
        entry = self._auths().get(registry)
        if entry is not None:
            self._write_entry(registry, None)
        return [*places, str(self._path)] if entry else places

    def registries(self) -> list[str]:
        """Return the registries with stored credentials."""
        return sorted(registry_of(key) for key in self._auths())

    def helper_registries(self) -> tuple[str, tuple[str, ...]]:
        """Return docker's helper for all registries, if any, with the registries it has.

        Raises:
            CredentialStoreError: the helper is missing or failed.
        """
        helper = self._helper("")
        if helper is None:
            return "", ()
        with _translate_errors(helper.program):
            return helper.program, helper.list()

    def _find_keyring(self) -> tuple[bool, str]:
        """Return whether there is a keyring, with a message if it failed."""
        try:
            return self._keyring.is_real(), ""
        except KeyringError as error:
            return False, f"cannot use {PLACE}: {error}"

    def _helper(self, registry: str) -> Helper | None:
        try:
            return self._docker.helper(self._docker.data(), registry)
        except UnreadableError:
            return None

    def _ignored(self) -> str | None:
        """Return a message if docker's configuration, which may name a helper, is invalid."""
        try:
            self._docker.data()
        except UnreadableError as error:
            return f"ignoring {self._docker.label}: {error}"
        return None

    def _auths(self) -> Mapping[str, Any]:
        auths = self._read().get("auths")
        return auths if isinstance(auths, dict) else {}

    def _read(self) -> dict[str, Any]:
        try:
            return read_json(self._path)
        except UnreadableError as error:
            raise CredentialStoreError(
                f"cannot use {self._path}: {error}", hint=f"repair or delete {self._path}"
            ) from None

    def _write_entry(self, registry: str, entry: dict[str, str] | None) -> None:
        """Set or remove an entry of our file; an empty one means that it is in the keyring."""
        if entry is None and registry not in self._auths():
            return
        with _translate_errors(str(self._path)):
            make_directories(self._path.parent, mode=0o700)
            with FileLock(self._path.with_suffix(".lock"), timeout=_LOCK_SECONDS):
                data = self._read()
                auths = dict(data.get("auths") or {})
                auths.pop(registry, None)
                if entry is not None:
                    auths[registry] = entry
                _write(self._path, data | {"auths": auths})


def default_store(environ: Mapping[str, str], *, home: Path, config_dir: Path) -> OwnStore:
    """Return the store for this user's credentials."""
    docker = docker_configs(environ, home=home, warn=lambda _: None)[-1]
    return OwnStore(docker=docker, keyring=OsKeyring(environ), path=own_file(config_dir))


def _write(path: Path, data: Mapping[str, Any]) -> None:
    """Replace a file with one that only its owner can read; a symbolic link is followed."""
    path = Path(os.path.realpath(path))
    # The lock is held, so these files are leftovers; a secret must not outlive its removal.
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        discard(left)
    write_atomically(path, json.dumps(data, indent=1).encode(), mode=0o600)


@contextmanager
def _translate_errors(place: str) -> Iterator[None]:
    try:
        yield
    except HelperError as error:
        raise CredentialStoreError(
            str(error), hint="fix the helper, or remove it from docker's config.json"
        ) from None
    except KeyringError as error:
        raise CredentialStoreError(
            f"cannot use {place}: {error}",
            hint="store credentials in a private file instead: GHCRCTL_KEYRING=0",
        ) from None
    except (OSError, Timeout) as error:
        if error.errno in _DISK_ERRORS:
            kind = _DISK_ERRORS[error.errno]
            reason = error.strerror
            raise kind(f"cannot write {place}: {reason}", hint=_OTHER_DIRECTORY_HINT) from error
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise CredentialStoreError(
            f"cannot write {place}: {reason}", hint=_OTHER_DIRECTORY_HINT
        ) from None
