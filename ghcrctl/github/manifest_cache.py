"""Manifests that were read once, kept on disk by digest for ever.

What belongs here: the file. GitHub counts each fetch of a manifest as a download, and deletes no
public version with more than 5,000: what was read is never fetched again. It is a cache: where the
file is damaged or cannot be written, everything works without it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from ghcrctl.disk.removal import discard
from ghcrctl.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_CREATE = (
    "CREATE TABLE IF NOT EXISTS manifests (digest TEXT PRIMARY KEY, media_type TEXT, raw BLOB)"
)
_AT_ONCE = 500
# Seconds to wait for another process that writes.
_PATIENCE = 10.0
_FAILURES = (sqlite3.Error, OSError)


class ManifestCache:
    """One file; any number of processes may use it at once, one thread each.

    Args:
        path: the file; its directory is made where there is none.
        warn: is told once that it cannot be used.
    """

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self._path = path
        self._warn = warn
        self._is_broken = False

    def get(self, digests: Iterable[str]) -> dict[str, tuple[bytes, str]]:
        """Return those manifests that are here, with their media types; each is verified."""
        try:
            return {} if self._is_broken else self._select(list(digests))
        except _FAILURES as error:
            self._give_up(error)
            return {}

    def put(self, manifests: Iterable[tuple[str, bytes, str]]) -> None:
        """Keep manifests: digest, bytes, media type."""
        rows = [(digest, media_type, raw) for digest, raw, media_type in manifests]
        if self._is_broken or not rows:
            return
        try:
            with closing(self._connect()) as connection:
                connection.executemany("INSERT OR REPLACE INTO manifests VALUES (?, ?, ?)", rows)
                connection.commit()
        except _FAILURES as error:
            self._give_up(error)

    def _select(self, wanted: list[str]) -> dict[str, tuple[bytes, str]]:
        found: dict[str, tuple[bytes, str]] = {}
        with closing(self._connect()) as connection:
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                query = f"SELECT digest, media_type, raw FROM manifests WHERE digest IN ({marks})"  # noqa: S608 marks only
                for digest, media_type, raw in connection.execute(query, some):
                    if str(Digest.of(raw, digest.partition(":")[0])) == digest:
                        found[digest] = (raw, media_type)
        return found

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            return self._opened()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            # It is damaged, and holds nothing that cannot be got again.
            discard(self._path)
            return self._opened()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_PATIENCE)
        try:
            connection.execute(_CREATE)
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_up(self, error: Exception) -> None:
        self._is_broken = True
        reason = getattr(error, "strerror", None) or error
        self._warn(f"manifests cannot be kept in {self._path}: {reason}")
