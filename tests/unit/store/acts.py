"""Operations on stores, in this process and in others.

As a program (``python -m tests.unit.store.acts STORE ACT ...``) it runs one operation, and prints a
line in the middle of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.errors import ConnectionLostError
from ghcrctl.oci.platform import Platform
from ghcrctl.store.place import StorePlace
from ghcrctl.store.store import Store
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import Built, random_image

if TYPE_CHECKING:
    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.store.records import Record

ROOT = Path(__file__).parents[3]
BIG = random_image(1, 3_000_000, seed=99)


def open_store(path: Path) -> Store:
    """Open a store, as in production."""
    return Store(path, prefer=Platform("linux", "amd64"))


def fill(store: Store, built: Built, *names: str, pulled: bool = True) -> None:
    """Store an image like a pull or an import; the lease is held until the store closes."""
    memory = MemoryPlace("the test")
    built.into(memory)
    place = StorePlace(store, origin=built.root.digest if pulled else None)
    execute(make_plan(memory, place, built.root, names=names))


def record(store: Store, name: str) -> Record:
    """Return the record with a name."""
    [found] = [r for r in store.records() if r.name == name]
    return found


def is_whole(store: Store, built: Built) -> bool:
    """Check that all content of an image exists, byte for byte."""
    return all(
        store.blobs.exists(d) and store.blobs.path(d.digest).read_bytes() == content
        for d, content in built.contents
    )


def start(store: Path, *act: str) -> subprocess.Popen[str]:
    """Run an operation in another process."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.unit.store.acts", str(store), *act],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


class Cutting(MemoryPlace):
    """A source whose connection breaks after some bytes, and that records the offsets."""

    def __init__(self, built: Built, cut: int | None = None) -> None:
        super().__init__()
        built.into(self)
        self._cut = cut
        self.offsets: list[int] = []

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        self.offsets.append(offset)
        stream = super().open(descriptor, offset)
        return stream if self._cut is None else _Cut(stream, self._cut)


class _Cut:
    def __init__(self, stream: Stream, left: int) -> None:
        self._stream = stream
        self._left = left

    def read(self, size: int, /) -> bytes:
        if not self._left:
            raise ConnectionLostError("cut", retryable=True)
        chunk = self._stream.read(min(size, self._left))
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._stream.close()


class _Slow(MemoryPlace):
    """A source that stops in the middle of a blob, reports this, and waits."""

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        stream = super().open(descriptor, offset)
        return stream if descriptor.is_manifest else _SlowStream(stream)


class _SlowStream:
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._left = 2_000_000

    def read(self, size: int, /) -> bytes:
        if self._left == 0:
            print("in the middle", flush=True)  # noqa: T201 what the test waits for
            time.sleep(60)
        chunk = self._stream.read(min(size, self._left))
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        self._stream.close()


def _pull_slowly(store: Store) -> None:
    slow = _Slow("the test")
    BIG.into(slow)
    store.reserve(d.digest for d, _ in BIG.contents)
    store.blobs.write(Content(slow, BIG.blobs[0][0]), store.lease())


def _hold_lock(store: Store) -> None:
    with store.locked():
        print("in the middle", flush=True)  # noqa: T201
        time.sleep(60)


def _hold_lease(store: Store) -> None:
    fill(store, BIG, "held")
    print("in the middle", flush=True)  # noqa: T201
    time.sleep(60)


def _churn(store: Store, seed: str) -> None:
    """Pull, tag, retag and remove for a while."""
    for turn in range(4):
        image = random_image(2, 5000, seed=turn)
        fill(store, image, f"churn-{seed}:{turn}", "shared:latest")
        fill(store, random_image(3, 5000, seed=turn), f"kept-{seed}:{turn}")
        store.remove([record(store, f"churn-{seed}:{turn}")])
        store.close()


def _first(store: Store, seed: str) -> None:
    """Use a store that may not exist yet."""
    fill(store, random_image(2, seed=1), f"first-{seed}")


def _main() -> None:
    path, act, *arguments = sys.argv[1:]
    store = open_store(Path(path))
    acts = {"pull-slowly": _pull_slowly, "hold-lock": _hold_lock, "hold-lease": _hold_lease}
    several = {"churn": _churn, "first": _first}
    if act in several:
        several[act](store, *arguments)
    else:
        acts[act](store)


if __name__ == "__main__":
    _main()
