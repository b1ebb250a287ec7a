"""Work on one of many names grows linearly with their number."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.operations.common.find import find
from ghcrctl.operations.images.list import list_images
from ghcrctl.operations.images.remove import remove, remove_all
from ghcrctl.operations.store.prune import PruneRules, prune
from ghcrctl.store.image_facts import compute_facts
from ghcrctl.store.place import StorePlace
from ghcrctl.store.records import Record
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import random_image
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType

    from ghcrctl.operations.common.session import Session

IMAGE = random_image(seed=1)
HOME = "ghcr.io/octo/tool"


def _tag(session: Session) -> None:
    record = find(session, f"{HOME}:5").record
    session.store.put(Record(record.descriptor, f"{HOME}:new", record.facts, record.origin))


ACTS: dict[str, Callable[[Session], object]] = {
    "rmi of a name": lambda session: remove(session, f"{HOME}:5"),
    "rmi of a digest": lambda session: remove(session, f"{HOME}@{IMAGE.root.digest}"),
    "rmi of an ID": lambda session: remove(
        session, session.store.records()[0].facts.image_id.encoded
    ),
    "tag": _tag,
    "images": list_images,
    "prune": lambda session: prune(session, PruneRules(keep_last=3)),
    "prune to a size": lambda session: prune(session, PruneRules(max_size=10)),
}


def _calls(act: Callable[[], object]) -> int:
    """Count the Python function calls of a function; unlike its time, the count is stable."""
    seen: Counter[str] = Counter()

    def note(frame: FrameType, event: str, argument: object) -> None:
        del frame, argument
        seen[event] += 1

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return seen["call"]


def _calls_of(folder: Path, act: Callable[[Session], object], names: int) -> int:
    memory = MemoryPlace()
    IMAGE.into(memory)
    with session_on(folder) as session:
        execute(make_plan(memory, StorePlace(session.store), IMAGE.root))
        facts = compute_facts(session.store.blobs, IMAGE.root, session.store.prefer)
        made = [
            Record(IMAGE.root, f"{HOME}:{number}", facts, IMAGE.root.digest)
            for number in range(names)
        ]
        session.store.edit(lambda _: made)
        return _calls(lambda: act(session))


@pytest.mark.parametrize("act", ACTS)
def test_work_grows_linearly_with_the_number_of_names(tmp_path: Path, act: str) -> None:
    few = _calls_of(tmp_path / "few", ACTS[act], 200)
    many = _calls_of(tmp_path / "many", ACTS[act], 400)
    assert many < 2.5 * few


def test_many_names_are_removed_by_one_change_of_the_list(tmp_path: Path) -> None:
    names = [f"{HOME}:{number}" for number in range(50)]
    seen: Counter[str] = Counter()

    def note(frame: FrameType, event: str, argument: object) -> None:
        del argument
        if event == "call":
            seen[frame.f_code.co_name] += 1

    memory = MemoryPlace()
    IMAGE.into(memory)
    with session_on(tmp_path) as session:
        place = StorePlace(session.store)
        execute(make_plan(memory, place, IMAGE.root, names=tuple(names)))
        session.store.release()
        sys.setprofile(note)
        try:
            outcomes = list(remove_all(session, names))
        finally:
            sys.setprofile(None)
        assert session.store.records() == []
    assert [outcome.text for outcome in outcomes] == names
    assert not any(outcome.error for outcome in outcomes)
    deleted = [len(outcome.removed.deleted) for outcome in outcomes if outcome.removed]
    # The image is deleted with its last name.
    assert deleted[:-1] == [0] * 49
    assert deleted[-1] == len(IMAGE.blobs) + 1
    assert seen["read_entries"] <= 4
    assert seen["write_index"] == 1
