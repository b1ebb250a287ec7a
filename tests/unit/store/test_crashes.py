"""A process that is killed at any time leaves complete images and a usable store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.completeness import is_complete
from tests.unit.store.acts import ROOT, fill, is_whole, open_store, record
from tests.unit.store.dying import ACTS, KEPT, NEW, OLD

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.store.store import Store
    from tests.builders import Built

pytestmark = pytest.mark.needs("fork")
KNOWN = {built.root.digest: built for built in (OLD, NEW, KEPT)}


def crashed(store: Store, folder: Path, act: str) -> list[Store]:
    """Return the stores after killing an operation at each change; the last one completed."""
    fill(store, OLD, "image:latest", pulled=False)
    fill(store, KEPT, "kept:latest", pulled=False)
    store.close()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.unit.store.dying", store.root, folder, act],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    try:
        assert process.wait(timeout=60) == 0
    except subprocess.TimeoutExpired:
        # Including the child process that it waits for.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
        raise
    return [open_store(path) for path in sorted(folder.iterdir(), key=lambda p: int(p.name))]


def named(store: Store) -> dict[str, Built]:
    """Return the named images, all of which must be complete."""
    for record_ in store.records():
        assert is_complete(store.blobs, record_.descriptor, store.blobs.exists)
        assert is_whole(store, KNOWN[record_.descriptor.digest])
    return {r.name: KNOWN[r.descriptor.digest] for r in store.records() if r.name}


@pytest.mark.parametrize("act", ACTS)
def test_after_a_crash_each_name_has_its_old_or_new_image(
    store: Store, tmp_path: Path, act: str
) -> None:
    stores = crashed(store, tmp_path / "crashed", act)
    assert len(stores) > 4
    before = {"image:latest": OLD, "kept:latest": KEPT}
    after = {
        "pull": before | {"image:latest": NEW},
        "tag": before | {"second:latest": OLD},
        "retag": before | {"image:latest": KEPT},
        "remove": {"kept:latest": KEPT},
    }[act]
    found = [named(each) for each in stores]
    assert found[0] == before
    assert found[-1] == after
    turn = found.index(after)
    assert found == [before] * turn + [after] * (len(found) - turn)
    assert all(can_go_on(each) for each in stores)


def can_go_on(store: Store) -> bool:
    """Repeat the whole operation, and then remove everything."""
    fill(store, NEW, "image:latest")
    names = named(store)
    store.close()
    store.remove(store.records())
    gone = not any(store.blobs.exists(built.root) for built in (NEW, KEPT))
    return names["image:latest"] == NEW and names["kept:latest"] == KEPT and gone


def test_an_image_that_lost_its_name_keeps_its_facts(store: Store, tmp_path: Path) -> None:
    *_, last = crashed(store, tmp_path / "crashed", "retag")
    [old] = [r for r in last.records() if not r.name]
    assert old.descriptor.digest == OLD.root.digest
    assert old.facts == record(store, "image:latest").facts
