"""Of any graph, a plan moves each missing piece once, children first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import Action, make_plan
from ghcrctl.transfer.workers import Workers
from tests.builders import Built, index_of, random_image
from tests.unit.transfer.places import RecordingSink, source_of

_IMAGES = st.builds(
    lambda layers, seed: random_image(layers, 50, seed=seed), st.integers(0, 3), st.integers(0, 3)
)
_GRAPHS = st.recursive(
    _IMAGES, lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda b: index_of(*b))
)


@given(graph=_GRAPHS, there=st.sets(st.integers(0, 40)))
def test_any_graph_arrives_complete(graph: Built, there: set[int]) -> None:
    sink = RecordingSink()
    blobs = dict(graph.blobs)
    for number, (descriptor, content) in enumerate(blobs.items()):
        if number in there:
            sink.put(descriptor, content)
    plan = make_plan(source_of(graph), sink, graph.root, names=("name",))
    position = {step.descriptor.digest: number for number, step in enumerate(plan.steps)}
    assert set(position) == {descriptor.digest for descriptor, _ in graph.contents}
    for digest, manifest in plan.manifests.items():
        assert all(position[child.digest] < position[digest] for child in manifest.children)
    with Workers(3) as workers:
        execute(plan, TransferOptions(workers))
    moved = [step.descriptor.digest for step in plan.steps if step.action is Action.COPY]
    assert sorted(map(str, sink.acts("write"))) == sorted(map(str, moved))
    for descriptor, content in graph.contents:
        assert sink.open(descriptor).read(len(content) + 1) == content
    assert sink.resolve("name").digest == graph.root.digest
