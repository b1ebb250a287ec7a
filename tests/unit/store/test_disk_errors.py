"""Translation of disk errors, and stores with obstacles in their paths."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import ExitStatus, NoSpaceError, StoreError, StoreReadOnlyError
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.place import StorePlace
from tests.builders import random_image
from tests.unit.store.acts import fill, open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.store.store import Store

IMAGE = random_image(seed=1)


@pytest.mark.parametrize(
    ("number", "kind", "hint"),
    [
        (errno.ENOSPC, NoSpaceError, "free some space"),
        (errno.EDQUOT, NoSpaceError, "free some space"),
        (errno.EFBIG, NoSpaceError, "free some space"),
        (errno.EROFS, StoreReadOnlyError, "permissions"),
        (errno.EACCES, StoreReadOnlyError, "permissions"),
        (errno.EPERM, StoreReadOnlyError, "permissions"),
        (errno.EIO, StoreError, ""),
        (errno.ENOTDIR, StoreError, ""),
    ],
    ids=lambda value: errno.errorcode.get(value, "") if isinstance(value, int) else "",
)
def test_disk_errors_are_translated(number: int, kind: type[StoreError], hint: str) -> None:
    with pytest.raises(StoreError) as caught, disk_errors("write the list"):
        raise OSError(number, os.strerror(number), "/data")
    assert type(caught.value) is kind
    assert str(caught.value) == f"cannot write the list: {os.strerror(number)}"
    assert hint in (caught.value.hint or "")
    assert caught.value.exit_status is ExitStatus.STORE


@pytest.mark.parametrize("in_store", [True, False])
def test_the_hint_names_another_store_only_for_the_store(*, in_store: bool) -> None:
    with pytest.raises(StoreError) as caught, disk_errors("write", in_store=in_store):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    assert ("--store" in (caught.value.hint or "")) == in_store


def _as_file(path: Path) -> None:
    path.unlink() if path.is_file() else path.rename(path.with_name("elsewhere"))
    path.write_bytes(b"in the way")


def _as_folder(path: Path) -> None:
    path.unlink()
    (path / "in the way").mkdir(parents=True)


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("ghcrctl", _as_file),
        ("ghcrctl/leases", _as_file),
        ("ghcrctl/partial", _as_file),
        ("ghcrctl/lock", _as_folder),
        ("blobs", _as_file),
        ("index.json", _as_folder),
        ("oci-layout", _as_folder),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_obstacle_is_reported_and_kept(
    store: Store, name: str, harm: Callable[[Path], None]
) -> None:
    fill(store, IMAGE, "image")
    store.close()
    harm(store.root / name)
    before = _listing(store.root)
    with pytest.raises(StoreError) as caught:
        fill(open_store(store.root), random_image(seed=2), "other")
    assert caught.value.exit_status is ExitStatus.STORE
    assert "\n" not in str(caught.value)
    assert _listing(store.root).items() >= before.items()


def _listing(root: Path) -> dict[Path, bytes | None]:
    """Return all files, except those that a lock may leave."""
    return {
        path: path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
        if path.suffix != ".lock" and path.name != "lock"
    }


def test_a_read_only_store_can_be_read(store: Store) -> None:
    fill(store, IMAGE, "image")
    store.close()
    _as_file(store.root / "ghcrctl" / "leases")
    reader = open_store(store.root)
    assert [r.name for r in reader.records()] == ["image"]
    assert StorePlace(reader).exists(IMAGE.root)
    assert read_metadata(reader.blobs, IMAGE.root) == IMAGE.raw
