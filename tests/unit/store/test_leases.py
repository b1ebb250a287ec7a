"""Leases: content of a running process is kept, that of a dead process is not."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from ghcrctl.oci.digest import Digest
from ghcrctl.store.leases import Lease, is_alive, leased
from tests.builders import random_image
from tests.unit.store.acts import fill, is_whole, open_store, record

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.store.store import Store

IMAGE = random_image(2, seed=1)
ONE, TWO = Digest.of(b"one"), Digest.of(b"two")


def dead_lease(folder: Path, *digests: Digest) -> str:
    """Create the files of a killed process, without the lock."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "99999-dead.lock").touch()
    (folder / "99999-dead.list").write_text("".join(f"{digest}\n" for digest in digests))
    return "99999-dead"


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_content_of_a_running_process_is_leased(tmp_path: Path) -> None:
    lease, other = Lease(tmp_path), Lease(tmp_path)
    lease.add([ONE])
    lease.add([TWO])
    other.add([TWO])
    assert set(leased(tmp_path)) == {ONE, TWO}
    lease.close()
    assert set(leased(tmp_path)) == {TWO}
    other.close()
    assert names(tmp_path) == set()


def test_a_dead_processes_lease_is_removed(
    tmp_path: Path,
) -> None:
    dead = dead_lease(tmp_path, ONE)
    living = Lease(tmp_path)
    living.add([TWO])
    assert set(leased(tmp_path)) == {TWO}
    assert not is_alive(tmp_path, dead)
    assert is_alive(tmp_path, living.id)
    assert not [name for name in names(tmp_path) if name.startswith(dead)]
    assert names(tmp_path) >= {f"{living.id}.lock", f"{living.id}.list"}
    living.close()


def test_a_lease_that_ends_while_being_read_is_ignored(tmp_path: Path) -> None:
    # The list is deleted between finding and reading it, while the lock is still held.
    ending, living = Lease(tmp_path), Lease(tmp_path)
    (tmp_path / f"{ending.id}.list").symlink_to(tmp_path / "gone")
    living.add([ONE])
    assert list(leased(tmp_path)) == [ONE]
    ending.close()
    living.close()


@pytest.mark.parametrize("rest", [b"sha256:1234", b"\0" * 20, b"\xff\xfe", b"\n\n"])
def test_a_truncated_line_does_not_hide_the_others(tmp_path: Path, rest: bytes) -> None:
    lease = Lease(tmp_path)
    lease.add([ONE])
    with (tmp_path / f"{lease.id}.list").open("ab") as file:
        file.write(rest)
    assert list(leased(tmp_path)) == [ONE]
    lease.close()


def test_reserved_content_is_kept_until_the_store_closes(store: Store) -> None:
    fill(store, IMAGE, "image")
    store.close()
    other = open_store(store.root)
    other.reserve(d.digest for d, _ in IMAGE.contents)
    assert store.remove([record(store, "image")]) == ()
    assert is_whole(store, IMAGE)
    fill(store, IMAGE, "image")
    store.close()
    other.close()
    gone = store.remove([record(store, "image")])
    assert set(gone) == {d.digest for d, _ in IMAGE.contents}


def test_only_reserved_content_is_kept(store: Store) -> None:
    fill(store, IMAGE, "image")
    store.close()
    layer = IMAGE.blobs[0][0].digest
    other = open_store(store.root)
    other.reserve([layer])
    gone = store.remove([record(store, "image")])
    assert set(gone) == {d.digest for d, _ in IMAGE.contents} - {layer}
    other.close()


def test_a_dead_processes_lease_keeps_no_image(store: Store) -> None:
    fill(store, IMAGE, "image")
    store.close()
    folder = store.root / "ghcrctl" / "leases"
    dead_lease(folder, *(d.digest for d, _ in IMAGE.contents))
    assert len(store.remove([record(store, "image")])) == len(IMAGE.contents)
    assert names(folder) == set()


def test_a_store_may_be_closed_twice_and_used_again(store: Store) -> None:
    fill(store, IMAGE, "one")
    store.close()
    store.close()
    fill(store, IMAGE, "two")
    assert names(store.root / "ghcrctl" / "leases")
    store.close()
    assert names(store.root / "ghcrctl" / "leases") == set()


def test_threads_share_one_lease(store: Store) -> None:
    seen: list[Lease] = []
    threads = [threading.Thread(target=lambda: seen.append(store.lease())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(seen) == 8
    assert len({lease.id for lease in seen}) == 1


def test_a_lease_may_end_while_the_lock_of_the_store_is_held(store: Store) -> None:
    store.reserve([ONE])
    with FileLock(store.root / "ghcrctl" / "lock"):
        store.close()
    assert names(store.root / "ghcrctl" / "leases") == set()
