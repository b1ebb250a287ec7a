"""The store as a state machine: whatever is done to it in whatever order, nothing named is lost.

Two processes use one store. Beside it stands a model: what has which name, what each process
relies on, and which content is therefore there, to the last blob.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ghcrctl.content.completeness import is_complete
from ghcrctl.content.streams import Content
from ghcrctl.errors import ConnectionLostError
from ghcrctl.oci.digest import Digest
from tests.builders import artifact, index_of, random_image
from tests.unit.store.acts import Cutting, fill, is_whole, open_store

if TYPE_CHECKING:
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.store.records import Record
    from tests.builders import Built

_SMALL, _LARGE = random_image(1, 200, seed=1), random_image(3, 200, seed=1)
GRAPHS = {
    "small": _SMALL,
    "large": _LARGE,
    "docker": random_image(2, 200, format="docker", seed=2),
    "artifact": artifact(),
    "index": index_of(_SMALL, random_image(1, 200, seed=3)),
    "nested": index_of(index_of(_LARGE), _SMALL),
}
BELOW = {g.root.digest: {d.digest for d, _ in g.contents} for g in GRAPHS.values()}
NAMES = ("a:latest", "b:latest", "ghcr.io/octo/c:1", "ghcr.io/octo/c:2")
# Within this time, two changes of a file may result in the same times (seconds).
_TICK = 0.03
_graphs, _names = st.sampled_from(sorted(GRAPHS)), st.sampled_from(NAMES)
_processes = st.integers(0, 1)


class StoreMachine(RuleBasedStateMachine):
    """A store with a model of it."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._root = Path(self._folder.name) / "store"
        self._stores = [open_store(self._root), open_store(self._root)]
        self._named: dict[str, Digest] = {}
        self._held: list[set[Digest]] = [set(), set()]
        self._here: set[Digest] = set()
        self._foreign = False

    def teardown(self) -> None:
        for store in self._stores:
            store.close()
        self._folder.cleanup()

    @rule(process=_processes, graph=_graphs, name=_names, pulled=st.booleans())
    def bring_in(self, process: int, graph: str, name: str, pulled: bool) -> None:
        root = GRAPHS[graph].root.digest
        fill(self._stores[process], GRAPHS[graph], name, pulled=pulled)
        self._named[name] = root
        self._held[process] |= BELOW[root]
        self._here |= BELOW[root]

    @precondition(lambda self: self._named)
    @rule(process=_processes, data=st.data(), new=_names)
    def tag(self, process: int, data: st.DataObject, new: str) -> None:
        source = data.draw(st.sampled_from(sorted(self._named)))
        store = self._stores[process]
        [record] = [r for r in store.records() if r.name == source]
        store.put(type(record)(record.descriptor, new, record.facts))
        self._named[new] = self._named[source]

    @precondition(lambda self: self._named)
    @rule(process=_processes, data=st.data())
    def remove(self, process: int, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self._named)))
        self._remove(process, [r for r in self._records() if r.name == name])
        del self._named[name]

    @rule(process=_processes)
    def remove_what_lost_its_name(self, process: int) -> None:
        self._remove(process, [r for r in self._records() if not r.name or "@" in r.name])

    def _remove(self, process: int, doomed: list[Record]) -> None:
        """Remove records from the store and from the model, and compare the removed content."""
        left = [r.descriptor.digest for r in self._records() if r not in doomed]
        needed = set().union(*self._held, *(BELOW[digest] for digest in left))
        candidates = set().union(*(BELOW[r.descriptor.digest] for r in doomed))
        gone = self._stores[process].remove(doomed)
        assert len(gone) == len(set(gone))
        assert set(gone) == (candidates - needed) & self._here
        self._here -= set(gone)

    @rule(process=_processes, graph=_graphs, cut=st.integers(0, 500))
    def receive_a_part(self, process: int, graph: str, cut: int) -> None:
        descriptor = _largest(GRAPHS[graph])[0]
        if descriptor.digest in self._here:
            return
        store = self._stores[process]
        source = Cutting(GRAPHS[graph], cut)
        store.reserve([descriptor.digest])
        self._held[process].add(descriptor.digest)
        try:
            store.blobs.write(Content(source, descriptor), store.lease())
        except ConnectionLostError:
            assert not store.blobs.exists(descriptor)
        else:
            self._here.add(descriptor.digest)

    @precondition(lambda self: self._root.exists())
    @rule(graph=_graphs, cut=st.integers(0, 500), right=st.booleans())
    def a_process_dies_in_a_write(self, graph: str, cut: int, right: bool) -> None:
        descriptor, content = _largest(GRAPHS[graph])
        left = self._root / "ghcrctl" / "partial" / f"sha256-{descriptor.digest.encoded}.1-dead"
        left.write_bytes(content[:cut] if right else bytes(cut))

    @precondition(lambda self: self._named)
    @rule(process=_processes, data=st.data())
    def a_blob_is_changed_and_mended(self, process: int, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self._named)))
        [graph] = [g for g in GRAPHS.values() if g.root.digest == self._named[name]]
        descriptor, content = data.draw(st.sampled_from(graph.contents))
        time.sleep(_TICK)
        path = self._stores[process].blobs.path(descriptor.digest)
        path.write_bytes(bytes(byte ^ 1 for byte in content))
        assert not any(store.blobs.exists(descriptor) for store in self._stores)
        fill(self._stores[process], graph, name)
        self._held[process] |= BELOW[graph.root.digest]

    @rule(process=_processes)
    def end_the_process(self, process: int) -> None:
        self._stores[process].close()
        self._stores[process] = open_store(self._root)
        self._held[process].clear()

    @precondition(lambda self: self._root.exists() and not self._foreign)
    @rule()
    def another_tool_writes(self) -> None:
        path = self._root / "index.json"
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, "manifests": [*document["manifests"], _STRANGE]}))
        self._foreign = True

    @rule(process=_processes)
    def everything_is_removed(self, process: int) -> None:
        for number in (0, 1):
            self.end_the_process(number)
        self._remove(process, self._records())
        self._named.clear()
        assert self._records() == []

    @invariant()
    def every_name_stands_for_what_was_put_there(self) -> None:
        records = {r.name: r for r in self._records() if r.name and "@" not in r.name}
        assert {name: r.descriptor.digest for name, r in records.items()} == self._named

    @invariant()
    def every_image_that_is_listed_is_whole(self) -> None:
        listed = {r.descriptor.digest: r.descriptor for r in self._records()}
        for graph in GRAPHS.values():
            if graph.root.digest in listed:
                assert is_whole(self._stores[0], graph)
                blobs = self._stores[0].blobs
                assert is_complete(blobs, listed[graph.root.digest], blobs.exists)

    @invariant()
    def what_is_there_is_what_should_be(self) -> None:
        files = {p.name for p in (self._root / "blobs").rglob("*") if p.is_file()}
        assert files == {digest.encoded for digest in self._here}

    @invariant()
    def what_another_tool_wrote_is_as_it_was(self) -> None:
        if self._foreign:
            entries = json.loads((self._root / "index.json").read_text())["manifests"]
            assert entries.count(_STRANGE) == 1

    @invariant()
    def every_blob_is_what_its_name_says(self) -> None:
        for digest in self._here:
            assert Digest.of(self._stores[0].blobs.path(digest).read_bytes()) == digest

    def _records(self) -> list[Record]:
        """Return the records, except the one of another tool."""
        records = self._stores[0].records()
        return [r for r in records if r.descriptor.media_type != _STRANGE["mediaType"]]


def _largest(graph: Built) -> tuple[Descriptor, bytes]:
    return max(graph.blobs, key=lambda pair: pair[0].size)


_STRANGE = {
    "mediaType": "application/vnd.example",
    "digest": f"sha256:{'a' * 64}",
    "size": 5,
    "later": {"deep": [1]},
}


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
