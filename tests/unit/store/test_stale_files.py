"""Files of dead processes are removed after a while, unless they may still be useful."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.store.stale_files import MAX_AGE, MAX_BYTES, MAX_FILES
from tests.builders import random_image
from tests.unit.store.acts import fill, is_whole, open_store, record

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.store.store import Store

DAY = 86_400
LEFT = [
    f"ghcrctl/partial/sha256-{'a' * 64}.12-dead",
    ".index.json.12.0badcafe",
    ".oci-layout.12.0badcafe",
]


def leave(store: Store, name: str, age: float) -> Path:
    """Create a file that was last written some seconds ago."""
    store.prepare()
    path = store.root / name
    path.write_bytes(b"begun")
    then = time.time() - age
    os.utime(path, (then, then))
    return path


@pytest.mark.parametrize("name", LEFT)
def test_old_leftovers_are_removed_by_the_next_writer(store: Store, name: str) -> None:
    path = leave(store, name, MAX_AGE + DAY)
    fill(store, random_image(), "image")
    assert not path.exists()
    assert is_whole(store, random_image())


@pytest.mark.parametrize("name", LEFT)
def test_recent_leftovers_are_kept(store: Store, name: str) -> None:
    path = leave(store, name, MAX_AGE - DAY)
    fill(store, random_image(), "image")
    assert path.read_bytes() == b"begun"


def abandoned(store: Store, number: int, age: float, size: int = 1) -> Path:
    """Create an unfinished sparse file of some size (bytes)."""
    path = leave(store, f"ghcrctl/partial/sha256-{number:064}.{number}-dead", age)
    os.truncate(path, size)
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def left(store: Store) -> set[str]:
    return {path.name for path in (store.root / "ghcrctl" / "partial").iterdir()}


def test_the_oldest_of_too_many_unfinished_files_are_removed(store: Store) -> None:
    paths = [abandoned(store, number, 60.0 * number) for number in range(1, MAX_FILES + 4)]
    store.lease()
    assert left(store) == {path.name for path in paths[:MAX_FILES]}


def test_the_oldest_of_too_large_unfinished_files_are_removed(store: Store) -> None:
    third = MAX_BYTES // 3
    other = open_store(store.root)
    lease = other.lease()
    mine = abandoned(store, 5, 600, third)
    alive = mine.rename(mine.with_suffix(f".{lease.id}"))
    paths = [abandoned(store, number, 60.0 * number, third) for number in (1, 2, 3, 4)]
    store.lease()
    assert left(store) == {path.name for path in (*paths[:3], alive)}
    other.close()


def test_a_running_processes_unfinished_file_is_kept_at_any_age(store: Store) -> None:
    other = open_store(store.root)
    name = f"ghcrctl/partial/sha256-{'a' * 64}.{other.lease().id}"
    path = leave(store, name, 100 * MAX_AGE)
    fill(store, random_image(), "image")
    assert path.exists()
    other.close()
    store.close()
    store.lease()
    assert not path.exists()


def test_files_of_others_are_kept_at_any_age(store: Store) -> None:
    strange = [leave(store, name, 100 * MAX_AGE) for name in (".notes", "README", "ghcrctl/other")]
    fill(store, random_image(), "image")
    assert all(path.exists() for path in strange)


def test_locks_of_dead_processes_are_removed(store: Store) -> None:
    store.prepare()
    folder = store.root / "ghcrctl" / "leases"
    for number in range(3):
        (folder / f"{number}-dead.lock").touch()
        (folder / f"{number}-dead.list").touch()
    living = open_store(store.root).lease()
    lease = store.lease()
    assert {path.stem for path in folder.glob("*.lock")} == {living.id, lease.id}
    assert is_clear(folder)
    living.close()


def is_clear(folder: Path) -> bool:
    return not [path for path in folder.iterdir() if "dead" in path.name]


def test_reading_removes_nothing(store: Store) -> None:
    fill(store, random_image(), "image")
    store.close()
    path = leave(store, LEFT[0], 100 * MAX_AGE)
    reader = open_store(store.root)
    assert record(reader, "image").name == "image"
    assert path.exists()
