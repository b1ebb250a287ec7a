"""A cache of manifests on disk, by digest.

GitHub counts each download of a manifest, and does not delete public versions with more than 5,000
downloads, so no manifest is fetched twice. The cache is optional: if its file is damaged or cannot
be written, everything works without it.
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
_QUERY_SIZE = 500
# Limit for waiting for another process that writes.
_LOCK_SECONDS = 10.0
_FAILURES = (sqlite3.Error, OSError)


class ManifestCache:
    """A cache file; processes and threads may use it concurrently.

    Args:
        path: the file; its directory is created if necessary.
        warn: called once if the cache cannot be used.
    """

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self._path = path
        self._warn = warn
        self._is_broken = False

    def get(self, digests: Iterable[str]) -> dict[str, tuple[bytes, str]]:
        """Return the cached manifests with their media types, after verifying them."""
        try:
            return {} if self._is_broken else self._select(list(digests))
        except _FAILURES as error:
            self._disable(error)
            return {}

    def put(self, manifests: Iterable[tuple[str, bytes, str]]) -> None:
        """Store manifests: digest, bytes, media type."""
        rows = [(digest, media_type, raw) for digest, raw, media_type in manifests]
        if self._is_broken or not rows:
            return
        try:
            with closing(self._connect()) as connection:
                connection.executemany("INSERT OR REPLACE INTO manifests VALUES (?, ?, ?)", rows)
                connection.commit()
        except _FAILURES as error:
            self._disable(error)

    def _select(self, wanted: list[str]) -> dict[str, tuple[bytes, str]]:
        found: dict[str, tuple[bytes, str]] = {}
        with closing(self._connect()) as connection:
            for start in range(0, len(wanted), _QUERY_SIZE):
                some = wanted[start : start + _QUERY_SIZE]
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
            # The file is damaged; its content can be downloaded again.
            discard(self._path)
            return self._opened()

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_LOCK_SECONDS)
        try:
            connection.execute(_CREATE)
        except BaseException:
            connection.close()
            raise
        return connection

    def _disable(self, error: Exception) -> None:
        self._is_broken = True
        reason = getattr(error, "strerror", None) or error
        self._warn(f"cannot cache manifests in {self._path}: {reason}")
