"""The store as a state machine: whatever is done to it in whatever order, nothing named is lost."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ghcrctl.content.memory import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.errors import ConnectionLostError
from tests.builders import artifact, index_of, random_image
from tests.unit.store.acts import fill, is_whole, open_store

if TYPE_CHECKING:
    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.store.records import Record
    from tests.builders import Built

_SMALL, _LARGE = random_image(1, 200, seed=1), random_image(3, 200, seed=1)
GRAPHS = (
    _SMALL,
    _LARGE,
    random_image(2, 200, format="docker", seed=2),
    artifact(),
    index_of(_SMALL, random_image(1, 200, seed=3)),
    index_of(index_of(_LARGE), _SMALL),
)
NAMES = ("a:latest", "b:latest", "ghcr.io/octo/c:1", "ghcr.io/octo/c:2")
_graphs, _names = st.sampled_from(GRAPHS), st.sampled_from(NAMES)


class StoreMachine(RuleBasedStateMachine):
    """A store beside a dictionary of what it should have under which name."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._store = open_store(Path(self._folder.name) / "store")
        self._named: dict[str, int] = {}
        # What this process brought in stays until it ends, named or not; then nobody looks at it.
        self._held: set[int] = set()
        self._outlived: set[int] = set()

    def teardown(self) -> None:
        self._store.close()
        self._folder.cleanup()

    @rule(graph=_graphs, name=_names, pulled=st.booleans())
    def bring_in(self, graph: Built, name: str, pulled: bool) -> None:
        number = GRAPHS.index(graph)
        fill(self._store, GRAPHS[number], name, pulled=pulled)
        self._named[name] = number
        self._held.add(number)

    @precondition(lambda self: self._named)
    @rule(data=st.data(), new=_names)
    def tag(self, data: st.DataObject, new: str) -> None:
        source = data.draw(st.sampled_from(sorted(self._named)))
        fill(self._store, GRAPHS[self._named[source]], new)
        self._named[new] = self._named[source]
        self._held.add(self._named[source])

    @precondition(lambda self: self._named)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self._named)))
        self._remove([r for r in self._store.records() if r.name == name])
        del self._named[name]

    @rule()
    def remove_what_lost_its_name(self) -> None:
        self._remove([r for r in self._store.records() if not r.name or "@" in r.name])

    def _remove(self, doomed: list[Record]) -> None:
        self._store.remove(doomed)
        digests = {r.descriptor.digest for r in doomed}
        self._outlived |= {n for n in self._held if GRAPHS[n].root.digest in digests}

    @rule(graph=_graphs, cut=st.integers(0, 150))
    def receive_a_part(self, graph: Built, cut: int) -> None:
        number = GRAPHS.index(graph)
        descriptor = max((d for d, _ in GRAPHS[number].blobs), key=lambda d: d.size)
        if self._store.blobs.exists(descriptor):
            return
        source = _Cut(cut % descriptor.size)
        GRAPHS[number].into(source)
        with pytest.raises(ConnectionLostError):
            self._store.blobs.write(Content(source, descriptor), self._store.lease())
        assert not self._store.blobs.exists(descriptor)

    @rule()
    def end_the_process(self) -> None:
        self._store.close()
        self._store = open_store(self._store.root)
        self._held.clear()

    @invariant()
    def every_name_stands_for_what_was_put_there(self) -> None:
        records = {r.name: r for r in self._store.records() if r.name and "@" not in r.name}
        assert {name: r.descriptor.digest for name, r in records.items()} == {
            name: GRAPHS[number].root.digest for name, number in self._named.items()
        }

    @invariant()
    def every_image_that_is_listed_is_whole(self) -> None:
        listed = {r.descriptor.digest for r in self._store.records()}
        for graph in GRAPHS:
            if graph.root.digest in listed:
                assert is_whole(self._store, graph)

    @rule()
    def everything_is_removed(self) -> None:
        self.end_the_process()
        self._remove(self._store.records())
        self._named.clear()
        left = list((self._store.root / "blobs").rglob("*"))
        outlived = {d.digest.encoded for n in self._outlived for d, _ in GRAPHS[n].contents}
        assert {path.name for path in left if path.is_file()} <= outlived


class _Cut(MemoryPlace):
    """A source whose connection is cut."""

    def __init__(self, left: int) -> None:
        super().__init__()
        self._left = left

    def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
        return _CutStream(super().open(descriptor, offset), self._left)


class _CutStream:
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


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
