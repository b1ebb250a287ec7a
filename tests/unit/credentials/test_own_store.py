"""The file of the own store: private, durable, and with an error for each disk fault."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.credentials import own_store as own_store_module
from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.credential_chain import own_file
from ghcrctl.credentials.own_store import OwnStore, default_store
from ghcrctl.errors import (
    CredentialStoreError,
    ExitStatus,
    GhcrctlError,
    NoSpaceError,
    StoreError,
    StoreReadOnlyError,
)
from tests.disk_record import DiskRecord

if TYPE_CHECKING:
    from collections.abc import Callable

ONE, TWO = Credential("octo", "one"), Credential("octo", "two")


@pytest.fixture
def own_store(tmp_path: Path) -> OwnStore:
    environ = {"PATH": str(tmp_path), "GHCRCTL_KEYRING": "0"}
    return default_store(environ, home=tmp_path, config_dir=tmp_path / "deep" / "config")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return own_file(tmp_path / "deep" / "config")


@pytest.mark.needs("directory sync")
def test_the_file_is_durable_and_private(own_store: OwnStore, path: Path, tmp_path: Path) -> None:
    for act in (
        lambda: own_store.store("ghcr.io", ONE),
        lambda: own_store.store("ghcr.io", TWO),
        lambda: own_store.store("quay.io", ONE),
        lambda: own_store.erase("ghcr.io"),
    ):
        with DiskRecord(tmp_path).watching():
            act()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(json.loads(path.read_bytes())["auths"]) == ["quay.io"]
    assert own_store.registries() == ["quay.io"]


def test_a_link_to_the_file_is_kept(own_store: OwnStore, path: Path, tmp_path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.symlink_to(tmp_path / "elsewhere.json")
    own_store.store("ghcr.io", ONE)
    assert path.is_symlink()
    assert "ghcr.io" in json.loads((tmp_path / "elsewhere.json").read_bytes())["auths"]


def test_a_secret_that_a_killed_process_left_is_deleted(own_store: OwnStore, path: Path) -> None:
    own_store.store("ghcr.io", ONE)
    left = path.with_name(f".{path.name}.4194305.0badcafe")
    left.write_bytes(path.read_bytes())
    other = path.with_name(".other.4194305.0badcafe")
    other.touch()
    own_store.erase("ghcr.io")
    assert not left.exists()
    assert other.exists()


def _fail(number: int) -> Callable[..., Any]:
    def act(*_: object, **__: object) -> Any:
        raise OSError(number, os.strerror(number))

    return act


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENOSPC, NoSpaceError),
        (errno.EDQUOT, NoSpaceError),
        (errno.EFBIG, NoSpaceError),
        (errno.EROFS, StoreReadOnlyError),
        (errno.EIO, StoreError),
        (errno.EACCES, CredentialStoreError),
    ],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_fault_of_the_disk_is_reported_and_changes_nothing(
    own_store: OwnStore,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    number: int,
    kind: type[GhcrctlError],
) -> None:
    own_store.store("ghcr.io", ONE)
    before = path.read_bytes()
    owner: object = os if step == "fsync" else Path
    monkeypatch.setattr(owner, step, _fail(number))
    with pytest.raises(GhcrctlError) as caught:
        own_store.store("ghcr.io", TWO)
    assert type(caught.value) is kind
    is_refused = kind is CredentialStoreError
    assert caught.value.exit_status is (ExitStatus.AUTH if is_refused else ExitStatus.STORE)
    assert os.strerror(number) in str(caught.value)
    assert str(path) in str(caught.value)
    assert "GHCRCTL_CONFIG_DIR" in (caught.value.hint or "")
    assert path.read_bytes() == before
    assert {p.name for p in path.parent.iterdir()} <= {path.name, "auth.lock"}


def test_waiting_for_another_process_times_out(
    own_store: OwnStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from filelock import FileLock

    monkeypatch.setattr(own_store_module, "_LOCK_SECONDS", 0.05)
    path.parent.mkdir(parents=True)
    lock = FileLock(path.with_suffix(".lock"), thread_local=False)
    with lock, pytest.raises(CredentialStoreError, match=r"cannot write .*: Timeout"):
        own_store.store("ghcr.io", ONE)
    own_store.store("ghcr.io", ONE)


def test_erasing_an_unknown_registry_writes_nothing(own_store: OwnStore, path: Path) -> None:
    assert own_store.erase("ghcr.io") == []
    assert not path.parent.exists()


@pytest.mark.parametrize("raw", [b"{", b"[]", b"\xff"])
def test_a_damaged_file_is_not_changed(own_store: OwnStore, path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(raw)
    for act in (
        lambda: own_store.store("ghcr.io", ONE),
        lambda: own_store.erase("ghcr.io"),
        own_store.registries,
    ):
        with pytest.raises(CredentialStoreError, match="cannot use") as caught:
            act()
        assert str(path) in (caught.value.hint or "")
    assert path.read_bytes() == raw
