"""Sources and sinks that count, fail and wait on demand."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ghcrctl.content.ports import Stream
    from ghcrctl.content.streams import Content
    from ghcrctl.errors import GhcrctlError
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from tests.builders import Built


def source_of(built: Built, label: str = "the source") -> CountingSource:
    """Return a source with an image."""
    source = CountingSource(label)
    built.into(source)
    return source


class CountingSource(MemoryPlace):
    """A source that records opened content and fails on demand."""

    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.opened: list[Digest] = []
        self.failures: dict[Digest, list[GhcrctlError]] = {}
        self.on_open: Callable[[Descriptor], None] = lambda _: None
        self._counting = threading.Lock()

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        with self._counting:
            self.opened.append(descriptor.digest)
            failures = self.failures.get(descriptor.digest, [])
            error = failures.pop(0) if failures else None
        self.on_open(descriptor)
        if error:
            raise error
        return super().open(descriptor, offset)


class RecordingSink(MemoryPlace):
    """A sink that records calls and written content in order."""

    def __init__(self, label: str = "the sink") -> None:
        super().__init__(label)
        self.log: list[tuple[str, Digest | str]] = []
        self.reserved: list[Digest] = []

    def reserve(self, descriptors: Iterable[Descriptor]) -> None:
        self.reserved.extend(d.digest for d in descriptors)

    def exists(self, descriptor: Descriptor) -> bool:
        # `list.append` is atomic.
        self.log.append(("exists", descriptor.digest))
        return super().exists(descriptor)

    def write(self, content: Content) -> None:
        super().write(content)
        self.log.append(("write", content.descriptor.digest))

    def tag(self, content: Content, name: str) -> None:
        super().tag(content, name)
        self.log.append(("tag", name))

    def acts(self, kind: str) -> list[Digest | str]:
        """Return the recorded calls of one kind, in order."""
        return [what for act, what in self.log if act == kind]


class MountingSink(RecordingSink):
    """A sink that can mount known blobs from its other repositories."""

    def __init__(self, known: dict[Digest, str]) -> None:
        super().__init__()
        self._known = known

    def mount(self, descriptor: Descriptor, repositories: Sequence[str]) -> str | None:
        found = self._known.get(descriptor.digest)
        return found if found in repositories else None
