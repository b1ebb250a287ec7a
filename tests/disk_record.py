"""A record of what reached the disk, to find missing syncs and wrong orders."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

# Names below a watched directory that need not be durable: locks, leases, caches, unfinished files
# and reserved space.
NOT_PROMISED = (
    *("*.lock", "lock", "leases", "partial", "verified", "spare", "import.*", ".cache"),
    # Temporary files for atomic writes.
    ".*.*.????????",
)
# A file with one of these names refers to other files, which must be durable before it.
REFERRING = ("index.json",)


class DiskRecord:
    """What is durable in a directory.

    Args:
        folder: the directory.
        exempt: patterns of names, of files or directories, that need not be durable.
    """

    def __init__(self, folder: Path, exempt: Iterable[str] = NOT_PROMISED) -> None:
        self.folder = folder
        self.faults: list[str] = []
        self.synced: list[str] = []
        self._exempt = tuple(exempt)
        self._guard = threading.RLock()
        self._bytes = {p: p.read_bytes() for p in self._all() if p.is_file()}
        self._names = {p: set(os.listdir(p)) for p in (folder, *self._all()) if p.is_dir()}  # noqa: PTH208 names

    @contextmanager
    def watching(self) -> Iterator[DiskRecord]:
        """Record until the end, and then check the files."""
        with self._patched():
            yield self
        self.check("at the end")
        assert not self.faults, "\n".join(self.faults)

    def check(self, when: str, *, leaving_out: Path | None = None) -> None:
        """Record everything that a power failure would lose now."""
        for path in self._all():
            if path == leaving_out or self._is_exempt(path):
                continue
            shown = f"{path.relative_to(self.folder)} {when}"
            if path.name not in self._names.get(path.parent, ()):
                self.faults.append(f"the name is not durable: {shown}")
            if path.is_file() and self._bytes.get(path, b"") != path.read_bytes():
                self.faults.append(f"the bytes are not durable: {shown}")

    def _is_exempt(self, path: Path) -> bool:
        parts = path.relative_to(self.folder).parts
        return any(Path(part).match(pattern) for part in parts for pattern in self._exempt)

    def _all(self) -> list[Path]:
        return [p for p in sorted(self.folder.rglob("*")) if not p.is_symlink()]

    def _sync(self, handle: int) -> None:
        found = os.fstat(handle)
        for path in (self.folder, *self._all()):
            with suppress(FileNotFoundError):
                if os.path.samestat(found, path.stat()):
                    self._synced(path)

    def _synced(self, path: Path) -> None:
        self.synced.append(path.name)
        if path.is_dir():
            self._names[path] = set(os.listdir(path))  # noqa: PTH208 names
        else:
            self._bytes[path] = path.read_bytes()

    def _move(self, source: Path, target: Path) -> None:
        if not target.is_relative_to(self.folder) or self._is_exempt(target):
            return
        if source.is_file() and self._bytes.get(source) != source.read_bytes():
            self.faults.append(f"renamed before it was synced: {target.name}")
        if target.name in REFERRING:
            self.check(f"when {target.name} is replaced", leaving_out=target)

    def _moved(self, source: Path, target: Path) -> None:
        if not target.is_relative_to(self.folder):
            return
        for path in [p for p in self._bytes if p == source or source in p.parents]:
            self._bytes[target / path.relative_to(source)] = self._bytes.pop(path)
        if source in self._names:
            self._names[target] = self._names.pop(source)
        self._names.get(target.parent, set()).discard(target.name)

    @contextmanager
    def _patched(self) -> Iterator[None]:
        real = {(owner, name): getattr(owner, name) for owner, name in _MOVES}
        fsync = os.fsync

        def synced(file: Any) -> None:
            fsync(file)
            with self._guard:
                self._sync(file if isinstance(file, int) else file.fileno())

        try:
            setattr(os, "fsync", synced)  # noqa: B010 an assignment must have the same type
            for (owner, name), act in real.items():
                setattr(owner, name, self._watched(act))
            yield
        finally:
            setattr(os, "fsync", fsync)  # noqa: B010
            for (owner, name), act in real.items():
                setattr(owner, name, act)

    def _watched(self, act: Callable[..., Any]) -> Callable[..., Any]:
        def move(source: Any, target: Any, *rest: Any, **more: Any) -> Any:
            pair = (Path(source).absolute(), Path(target).absolute())
            with self._guard:
                self._move(*pair)
                found = act(source, target, *rest, **more)
                self._moved(*pair)
            return found

        return move


_MOVES: tuple[tuple[Any, str], ...] = (
    (os, "replace"),
    (os, "rename"),
    (Path, "replace"),
    (Path, "rename"),
)
