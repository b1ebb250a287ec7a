"""The layout and other tools: their entries are kept, and damage is reported."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import (
    BlobUnknownError,
    DigestMismatchError,
    ExitStatus,
    GhcrctlError,
    StoreDamagedError,
)
from ghcrctl.oci.media_types import OCI_INDEX
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import random_image
from tests.unit.store.acts import fill, is_whole, open_store, record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.store.store import Store
    from tests.builders import Built

NAME = "org.opencontainers.image.ref.name"
OLD, NEW, THEIRS = random_image(2, seed=1), random_image(2, seed=2), random_image(1, seed=3)


def entry(built: Built, **more: Any) -> dict[str, Any]:
    """Return an entry as another tool writes it."""
    root = built.root
    return {"mediaType": root.media_type, "digest": str(root.digest), "size": root.size, **more}


STRANGE = {"mediaType": "text/plain", "digest": f"sha256:{'a' * 64}", "size": 5}
ENTRIES: dict[str, list[dict[str, Any]]] = {
    "no name": [entry(THEIRS)],
    "a tag for a name, as skopeo": [entry(THEIRS, annotations={NAME: "1.0"})],
    "a full name": [entry(THEIRS, annotations={NAME: "docker.io/library/busybox:1"})],
    "notes of its own": [entry(THEIRS, annotations={NAME: "1", "com.example.note": "mine"})],
    "empty annotations": [entry(THEIRS, annotations={})],
    "fields of a later spec": [entry(THEIRS, later={"deep": [1, 2.5, None]}, data="e30=")],
    "a platform with more to it": [
        entry(THEIRS, platform={"os": "linux", "architecture": "amd64", "os.features": ["x"]})
    ],
    "not an image": [STRANGE],
    "two images of one name, as docker save": [
        entry(THEIRS, annotations={NAME: "latest", "io.containerd.image.name": "a:latest"}),
        entry(OLD, annotations={NAME: "latest", "io.containerd.image.name": "b:latest"}),
    ],
    "one image twice without a name": [
        entry(THEIRS, annotations={"com.example.note": "one"}),
        entry(THEIRS, annotations={"com.example.note": "two"}),
    ],
}


def document(store: Store) -> dict[str, Any]:
    """Read ``index.json``."""
    parsed: dict[str, Any] = json.loads((store.root / "index.json").read_text())
    return parsed


def rewrite(store: Store, **changes: Any) -> None:
    """Change ``index.json`` like another tool."""
    (store.root / "index.json").write_text(json.dumps({**document(store), **changes}))


def texts(entries: list[dict[str, Any]]) -> list[str]:
    """Serialize each entry, so that the order and types of its fields matter too."""
    return [json.dumps(e) for e in entries]


@pytest.mark.parametrize("entries", ENTRIES.values(), ids=ENTRIES)
def test_entries_of_other_tools_are_unchanged(store: Store, entries: list[dict[str, Any]]) -> None:
    for built in (OLD, THEIRS):
        fill(store, built, "ours:latest")
    rewrite(store, manifests=[*document(store)["manifests"], *entries])
    assert [(str(r.descriptor.digest), r.name) for r in store.records()[2:]] == [
        (e["digest"], e.get("annotations", {}).get(NAME, "")) for e in entries
    ]
    fill(store, NEW, "new:latest", "newer:latest")
    store.remove([record(store, "newer:latest")])
    kept = [e for e in document(store)["manifests"] if "io.ghcrctl.image.id" not in str(e)]
    assert texts(kept) == texts(entries)


def test_other_members_of_the_list_are_kept(store: Store) -> None:
    fill(store, OLD, "old")
    said = {"schemaVersion": 2, "annotations": {"com.example": "x"}, "later": [1]}
    (store.root / "index.json").write_text(
        json.dumps({**said, "manifests": document(store)["manifests"]})
    )
    fill(store, NEW, "new")
    after = document(store)
    assert {key: after[key] for key in said} == said
    assert after["mediaType"] == OCI_INDEX
    assert [e["annotations"][NAME] for e in after["manifests"]] == ["old", "new"]


def test_an_image_of_another_tool_is_listed_and_kept(
    store: Store,
) -> None:
    fill(store, THEIRS, "ours")
    facts = record(store, "ours").facts
    rewrite(store, manifests=[entry(THEIRS, annotations={NAME: "1.0"})])
    store.close()
    assert [(r.name, r.facts) for r in store.records()] == [("1.0", facts)]
    fill(store, NEW, "new")
    store.close()
    store.remove([record(store, "new")])
    assert is_whole(store, THEIRS)
    store.remove([record(store, "1.0")])
    assert not any(store.blobs.exists(d) for d, _ in THEIRS.contents)


def test_a_name_of_another_tool_can_move(store: Store) -> None:
    fill(store, THEIRS, "theirs")
    rewrite(store, manifests=[entry(THEIRS, annotations={NAME: "x:1", "com.example": "n"})])
    fill(store, NEW, "x:1")
    old, new = store.records()
    assert (old.name, old.descriptor.digest) == ("", THEIRS.root.digest)
    assert old.descriptor.annotations["com.example"] == "n"
    assert (new.name, new.descriptor.digest) == ("x:1", NEW.root.digest)


@pytest.mark.parametrize(
    "text", ["", "garbage", "[]", "{}", '{"imageLayoutVersion":"2.0.0"}', "[" * 99_999]
)
def test_an_unsupported_layout_is_not_written_to(store: Store, text: str) -> None:
    fill(store, OLD, "old")
    before = document(store)
    layout = store.root / "oci-layout"
    layout.write_text(text)
    with pytest.raises(StoreDamagedError) as caught:
        fill(open_store(store.root), NEW, "new")
    assert str(layout) in str(caught.value)
    assert caught.value.hint
    assert caught.value.exit_status is ExitStatus.STORE
    assert layout.read_text() == text
    assert document(store) == before
    assert is_whole(store, OLD)


def test_a_null_list_of_go_programs_is_empty(store: Store) -> None:
    store.root.mkdir()
    (store.root / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (store.root / "index.json").write_text('{"schemaVersion":2,"manifests":null}')
    assert store.records() == []
    fill(store, OLD, "old")
    assert [r.name for r in store.records()] == ["old"]


def test_a_layout_of_another_tool_is_used_unchanged(store: Store) -> None:
    text = '{"later": 1, "imageLayoutVersion": "1.0.0"}\n'
    store.root.mkdir()
    (store.root / "oci-layout").write_text(text)
    (store.root / "index.json").write_text(json.dumps({"manifests": [STRANGE]}))
    fill(store, OLD, "old")
    assert (store.root / "oci-layout").read_text() == text
    assert document(store)["manifests"][0] == STRANGE


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _damage(path: Path) -> None:
    path.write_bytes(b"?" * path.stat().st_size)


@pytest.mark.parametrize("number", [0, -2, -1], ids=["layer", "config", "manifest"])
@pytest.mark.parametrize(
    ("harm", "error", "status"),
    [
        (lambda path: path.unlink(), BlobUnknownError, ExitStatus.NOT_FOUND),
        (_damage, DigestMismatchError, ExitStatus.INTEGRITY),
        (_cut, GhcrctlError, ExitStatus.INTEGRITY),
    ],
    ids=["lost", "wrong bytes", "cut"],
)
def test_damaged_content_is_never_sent(
    store: Store,
    number: int,
    harm: Callable[[Path], None],
    error: type[GhcrctlError],
    status: ExitStatus,
) -> None:
    fill(store, OLD, "old")
    harmed: Descriptor = OLD.contents[number][0]
    harm(store.blobs.path(harmed.digest))
    before = {p: p.read_bytes() for p in store.root.rglob("*") if p.is_file()}
    sink = MemoryPlace("the sink")
    with pytest.raises(error) as caught:
        execute(make_plan(StorePlace(store), sink, OLD.root, names=("moved",)))
    assert caught.value.exit_status is status
    assert str(harmed.digest) in str(caught.value)
    assert list(sink.tags()) == []
    assert not sink.exists(harmed)
    assert {p: p.read_bytes() for p in store.root.rglob("*") if p.is_file()} == before


def test_a_store_is_created_under_its_lock(store: Store) -> None:
    # If two processes create a store, the slower one must not empty the faster one's list.
    private = store.root / "ghcrctl"
    private.mkdir(parents=True)
    making = threading.Thread(target=store.prepare)
    with FileLock(private / "lock"):
        making.start()
        making.join(0.3)
        assert making.is_alive()
        assert not (store.root / "index.json").exists()
        (store.root / "index.json").write_text(json.dumps({"manifests": [STRANGE]}))
    making.join(10)
    assert (store.root / "oci-layout").exists()
    assert document(store)["manifests"] == [STRANGE]


def test_a_removed_image_cannot_be_named(store: Store) -> None:
    fill(store, OLD, "old")
    seen = record(store, "old")
    store.close()
    open_store(store.root).remove([seen])
    with pytest.raises(StoreDamagedError, match=str(OLD.root.digest)) as caught:
        store.put(seen)
    assert caught.value.exit_status is ExitStatus.STORE
    assert store.records() == []
