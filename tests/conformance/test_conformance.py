"""Every adapter passes the same suites; a new one is a rig in the list."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from ghcrctl.archive.archive_sink import ArchiveSink
from ghcrctl.archive.layout import LayoutSource
from ghcrctl.archive.layout_folder import LayoutPlace
from ghcrctl.archive.tar_files import Positioned, TarFiles
from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.oci.platform import Platform
from ghcrctl.server.store_backend import StoreBackend
from ghcrctl.store.place import StorePlace
from ghcrctl.store.store import Store
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan
from ghcrctl.transfer.workers import Workers
from tests.conformance.suites import Rig, SinkSuite, SourceSuite, repository_rig
from tests.registry_double import PlainRegistry, RegistryDouble
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.streams import Content
    from ghcrctl.oci.descriptor import Descriptor


@contextmanager
def memory(_: Path) -> Iterator[Rig]:
    place = MemoryPlace()
    yield Rig(place, lambda: place)


@contextmanager
def store(folder: Path) -> Iterator[Rig]:
    def reopen() -> StorePlace:
        return StorePlace(Store(folder / "store", prefer=Platform("linux", "amd64")))

    yield Rig(reopen(), reopen, name="ghcr.io/octo/image:{}".format)


@contextmanager
def layout_directory(folder: Path) -> Iterator[Rig]:
    def reopen() -> LayoutPlace:
        return LayoutPlace(folder / "layout")

    yield Rig(reopen(), reopen)


class SavedImage(MemoryPlace):
    """A place that is written as an archive, and then read from it."""

    def __init__(self, path: Path) -> None:
        super().__init__("the archive")
        self._path = path
        self._lock = threading.Lock()
        self._saved: LayoutSource | None = None
        self.opened = ExitStack()

    def write(self, content: Content) -> None:
        super().write(content)
        self._saved = None

    def tag(self, content: Content, name: str) -> None:
        super().tag(content, name)
        self._saved = None

    def resolve(self, name: str) -> Descriptor:
        return self._archive().resolve(name)

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        return self._archive().open(descriptor, offset)

    def tags(self) -> Iterator[str]:
        return self._archive().tags()

    def _archive(self) -> LayoutSource:
        with self._lock:
            if self._saved is None:
                self._saved = self._save()
            return self._saved

    def _save(self) -> LayoutSource:
        with self._path.open("wb") as file, Workers(1) as workers:
            sink = ArchiveSink(file.write, Platform("linux", "amd64"))
            for name, root in self._names.items():
                memory = MemoryPlace()
                for descriptor, data in self._blobs.values():
                    memory.put(descriptor, data)
                plan = make_plan(memory, sink, root, names=(name,))
                execute(plan, TransferOptions(workers))
            sink.finish()
        opened = self.opened.enter_context(self._path.open("rb"))
        return LayoutSource(TarFiles(Positioned(opened), str(self._path)))


@contextmanager
def archive(folder: Path) -> Iterator[Rig]:
    place = SavedImage(folder / "archive.tar")
    with place.opened:
        yield Rig(place, lambda: place, name="ghcr.io/octo/image:{}".format)


@contextmanager
def registry_by_the_book(folder: Path) -> Iterator[Rig]:
    with PlainRegistry() as registry, session_on(folder) as session:
        yield repository_rig(session, f"{registry.host}/octo/image")


@contextmanager
def served_store(folder: Path) -> Iterator[Rig]:
    store = Store(folder / "served", prefer=Platform("linux", "amd64"))
    store.prepare()
    with (
        PlainRegistry(backend=StoreBackend(store)) as registry,
        session_on(folder) as session,
    ):
        yield repository_rig(session, f"{registry.host}/octo/image")


@contextmanager
def registry_like_ghcr(folder: Path) -> Iterator[Rig]:
    with RegistryDouble() as registry:
        registry.accounts["octo"] = "ghp_octo"
        with session_on(folder, registry=registry.host, token="ghp_octo") as session:
            yield repository_rig(session, f"{registry.host}/octo/image")


PLACES = (
    memory,
    store,
    layout_directory,
    registry_by_the_book,
    served_store,
    registry_like_ghcr,
)


@pytest.fixture
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with request.param(tmp_path) as made:
        yield made


def over(*places: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("rig", places, ids=lambda place: place.__name__, indirect=True)


@over(*PLACES, archive)
class TestSource(SourceSuite):
    """Reading."""


@over(*PLACES)
class TestSink(SinkSuite):
    """Writing."""
