"""The vault: where login keeps a credential and logout erases it.

What belongs here: choosing the place, writing, erasing. Order: docker's helper where one is
configured, the system's keyring where there is a real one, else our own file.
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

_LOCK_TIMEOUT = 10.0
_ELSEWHERE = "GHCRCTL_CONFIG_DIR chooses another directory; GHCRCTL_TOKEN needs no login"
# Failures of the disk, as opposed to those of this one file.
_OF_THE_DISK: dict[int | None, type[StoreError]] = {
    errno.ENOSPC: NoSpaceError,
    errno.EDQUOT: NoSpaceError,
    errno.EFBIG: NoSpaceError,
    errno.EROFS: StoreReadOnlyError,
    errno.EIO: StoreError,
}


@dataclass(frozen=True, slots=True)
class StoredAt:
    """Where a credential is stored. ``warning``: what the user should know about that place."""

    place: str
    warning: str | None = None


class Vault:
    """The places of one person.

    Args:
        docker: docker's configuration, which may name helpers.
        keyring: the system's.
        path: our own file; it also lists the registries whose credentials are in the keyring.
    """

    def __init__(self, *, docker: DockerConfig, keyring: OsKeyring, path: Path) -> None:
        self._docker = docker
        self._keyring = keyring
        self._path = path

    def store(self, registry: str, credential: Credential) -> StoredAt:
        """Keep a credential, in one place only.

        Raises:
            CredentialStoreError: the place refused; nothing was written elsewhere instead.
        """
        helper, ignored = self._helper(registry), self._ignored()
        if helper:
            with _in_words(helper.program):
                helper.store(registry, credential)
            self._remember(registry, None)
            return StoredAt(helper.program)
        has_keyring, fault = self._look_for_keyring()
        if has_keyring:
            with _in_words(PLACE):
                self._keyring.store(registry, credential)
            self._remember(registry, {})
            return StoredAt(PLACE, ignored)
        self._remember(registry, encode_entry(credential))
        plain = (
            f"credentials are stored unencrypted in {self._path} (mode 0600); set up a "
            "system keyring or a Docker credential helper to encrypt them"
        )
        return StoredAt(str(self._path), "; ".join(filter(None, (ignored, fault, plain))))

    def erase(self, registry: str) -> list[str]:
        """Forget a credential everywhere we may have put it; return the places that had it.

        Raises:
            CredentialStoreError: a place could not be changed.
        """
        places = []
        helper = self._helper(registry)
        if helper:
            with _in_words(helper.program):
                if helper.erase(registry):
                    places.append(helper.program)
        with _in_words(PLACE):
            if self._keyring.erase(registry):
                places.append(PLACE)
        entry = self._auths().get(registry)
        if entry is not None:
            self._remember(registry, None)
        return [*places, str(self._path)] if entry else places

    def registries(self) -> list[str]:
        """Return the registries that we keep a credential for."""
        return sorted(registry_of(key) for key in self._auths())

    def kept_by_helper(self) -> tuple[str, tuple[str, ...]]:
        """Return docker's helper for all registries, and the registries that it has; maybe none.

        Raises:
            CredentialStoreError: the helper is missing or failed.
        """
        helper = self._helper("")
        if helper is None:
            return "", ()
        with _in_words(helper.program):
            return helper.program, helper.list()

    def _look_for_keyring(self) -> tuple[bool, str]:
        """Return whether there is a keyring, and a text about one that failed."""
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
        """Return a text about a configuration of docker's that may name a helper, but is broken."""
        try:
            self._docker.data()
        except UnreadableError as error:
            return f"{self._docker.label} is ignored: {error}"
        return None

    def _auths(self) -> Mapping[str, Any]:
        auths = self._read().get("auths")
        return auths if isinstance(auths, dict) else {}

    def _read(self) -> dict[str, Any]:
        try:
            return read_json(self._path)
        except UnreadableError as error:
            raise CredentialStoreError(
                f"{self._path} cannot be used: {error}", hint=f"mend it or remove it: {self._path}"
            ) from None

    def _remember(self, registry: str, entry: dict[str, str] | None) -> None:
        """Write our file with an entry set (an empty one says: in the keyring) or removed."""
        if entry is None and registry not in self._auths():
            return
        with _in_words(str(self._path)):
            make_directories(self._path.parent, mode=0o700)
            with FileLock(self._path.with_suffix(".lock"), timeout=_LOCK_TIMEOUT):
                data = self._read()
                auths = dict(data.get("auths") or {})
                auths.pop(registry, None)
                if entry is not None:
                    auths[registry] = entry
                _write(self._path, data | {"auths": auths})


def default_vault(environ: Mapping[str, str], *, home: Path, config_dir: Path) -> Vault:
    """Return this person's vault."""
    docker = docker_configs(environ, home=home, warn=lambda _: None)[-1]
    return Vault(docker=docker, keyring=OsKeyring(environ), path=own_file(config_dir))


def _write(path: Path, data: Mapping[str, Any]) -> None:
    """Replace a file by one that only its owner can read; a symbolic link to it is kept."""
    path = Path(os.path.realpath(path))
    # The lock is held, so no process writes these files; a secret must not outlive its removal.
    for left in path.parent.glob(f".{glob.escape(path.name)}.*"):
        discard(left)
    write_atomically(path, json.dumps(data, indent=1).encode(), mode=0o600)


@contextmanager
def _in_words(place: str) -> Iterator[None]:
    try:
        yield
    except HelperError as error:
        raise CredentialStoreError(
            str(error), hint="fix the helper, or remove it from docker's config.json"
        ) from None
    except KeyringError as error:
        raise CredentialStoreError(
            f"cannot use {place}: {error}",
            hint="set GHCRCTL_KEYRING=0 to store credentials in a file that only you can read",
        ) from None
    except (OSError, Timeout) as error:
        if error.errno in _OF_THE_DISK:
            kind = _OF_THE_DISK[error.errno]
            raise kind(f"cannot write {place}: {error.strerror}", hint=_ELSEWHERE) from error
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise CredentialStoreError(
            f"{place} cannot be written: {reason}",
            hint=_ELSEWHERE,
        ) from None
