"""Files of killed processes are removed by the next writer or by `prune`, and counted by `df`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.archive.layout_folder import LayoutPlace
from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.operations.store.df import disk_usage
from ghcrctl.operations.store.prune import PruneRules, prune
from ghcrctl.store import scratch
from ghcrctl.store.output_files import whole_file
from ghcrctl.store.scratch import abandoned, scratch_beside, scratch_directory
from ghcrctl.store.stale_files import UPLOAD_MAX_AGE
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import random_image
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session

# Creates each kind of work file, reports this, and waits to be killed.
_WORK = """
import sys, time
from contextlib import ExitStack
from pathlib import Path
from ghcrctl.operations.inside.export import _staging_directory
from ghcrctl.operations.common.new_layer import store_layer
from ghcrctl.store.output_files import whole_file
from ghcrctl.store.scratch import *
kind, where = sys.argv[1], Path(sys.argv[2])
stack = ExitStack()
def wait(*_):
    print("ready", flush=True)
    time.sleep(60)
class Slow:
    def read(self, size):
        wait()
if kind == "output":
    stack.enter_context(whole_file(where / "out.tar"))(b"half")
elif kind == "export":
    (stack.enter_context(_staging_directory(where / "tree")) / "file").write_bytes(b"half")
elif kind == "temporary":
    (stack.enter_context(scratch_directory()) / "file").write_bytes(b"half")
elif kind == "import":
    store_layer(Slow(), where / "store" / "ghcrctl" / scratch_name("import"))
wait()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path) as made:
        made.store.prepare()
        yield made


def working(kind: str, where: Path) -> subprocess.Popen[str]:
    """Start a process that uses a work file."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WORK, kind, str(where)],
        env={**os.environ, "TMPDIR": str(where / "tmp")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def left_by(kind: str, where: Path) -> Path:
    """Return the work file of a killed process."""
    process = working(kind, where)
    (path,) = found(kind, where)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return path


def found(kind: str, where: Path) -> list[Path]:
    pattern = {
        "output": ".out.tar.*",
        "export": ".tree.*",
        "temporary": "tmp/ghcrctl-*",
        "import": "store/ghcrctl/import.*",
    }
    return list(where.glob(pattern[kind]))


def test_the_next_writer_of_an_output_removes_old_files(tmp_path: Path) -> None:
    path = left_by("output", tmp_path)
    other = tmp_path / ".other.tar.1.0badcafe"
    other.touch()
    with whole_file(tmp_path / "out.tar") as write:
        write(b"whole")
    assert not path.exists()
    assert other.exists()
    assert (tmp_path / "out.tar").read_bytes() == b"whole"


def test_the_next_export_removes_old_files(tmp_path: Path) -> None:
    path = left_by("export", tmp_path)
    locked = path / "locked"
    locked.mkdir(mode=0o500)
    scratch_beside(tmp_path / "tree")
    assert not path.exists()


def test_creating_a_temporary_directory_removes_abandoned_ones(tmp_path: Path) -> None:
    path = left_by("temporary", tmp_path)
    with scratch_directory() as own:
        assert own.is_dir()
        assert not path.exists()
    assert not own.exists()


@pytest.mark.parametrize("kind", ["temporary", "import"])
def test_df_counts_and_prune_removes_old_files(session: Session, tmp_path: Path, kind: str) -> None:
    path = left_by(kind, tmp_path)
    line = disk_usage(session).lines[1]
    assert line.total == 1
    for dry_run in (True, False):
        pruned = prune(session, PruneRules(), dry_run=dry_run)
        assert (pruned.partial, pruned.freed) == (1, line.size)
    assert not path.exists()


@pytest.mark.parametrize("kind", ["temporary", "import"])
def test_the_next_writer_of_the_store_removes_old_files(
    session: Session, tmp_path: Path, kind: str
) -> None:
    path = left_by(kind, tmp_path)
    session.store.lease()
    assert not path.exists()


@pytest.mark.parametrize("kind", ["output", "export", "temporary", "import"])
def test_work_files_of_running_processes_are_kept(
    session: Session, tmp_path: Path, kind: str
) -> None:
    process = working(kind, tmp_path)
    try:
        (path,) = found(kind, tmp_path)
        prune(session, PruneRules())
        with scratch_directory(), whole_file(tmp_path / "out.tar"):
            scratch_beside(tmp_path / "tree")
        assert path.exists()
    finally:
        process.kill()
        process.communicate()


def test_a_lock_shows_processes_of_other_containers(tmp_path: Path) -> None:
    process = working("temporary", tmp_path)
    try:
        (path,) = found("temporary", tmp_path)
        # As seen from a container where the process has no ID.
        renamed = path.with_name(f"ghcrctl-{2**22 + 1}-{path.name[-8:]}")
        path.rename(renamed)
        assert abandoned(renamed.parent, "ghcrctl-*") == []
    finally:
        process.kill()
        process.communicate()
    assert abandoned(renamed.parent, "ghcrctl-*") == [renamed]


@pytest.mark.parametrize(
    "name", ["ghcrctl-notes", "ghcrctl-1", "ghcrctl-backup42", f"ghcrctl-{2**22 + 1}-backup42"]
)
def test_directories_of_the_user_are_kept(temporary: Path, session: Session, name: str) -> None:
    path = temporary / name
    path.mkdir(mode=0o700)
    (path / "mine").touch()
    os.utime(path, (0, 0))
    prune(session, PruneRules())
    with scratch_directory():
        assert (path / "mine").exists()


@pytest.mark.parametrize("name", [".out.tar.2026.backup42", ".out.tar.bak", ".out.tar.1.0badcafe"])
def test_files_of_the_user_beside_an_output_are_kept(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()
    with whole_file(tmp_path / "out.tar") as write:
        write(b"whole")
    assert path.exists()


def test_without_locks_age_decides(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_HAS_LOCKS", False)
    fresh, old = (temporary / f"ghcrctl-{2**22 + 1}-{name}" for name in ("freshone", "oldenone"))
    for path in (fresh, old):
        path.mkdir()
    os.utime(old, (0, 0))
    with scratch_directory():
        assert fresh.exists()
        assert not old.exists()


def test_links_are_not_followed(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    link = temporary / f"ghcrctl-{2**22 + 1}-abcdefgh"
    link.symlink_to(tmp_path / "mine")
    with scratch_directory():
        assert (tmp_path / "mine").exists()


def test_the_next_writer_of_a_layout_removes_old_files(tmp_path: Path) -> None:
    image = random_image(seed=1)
    memory = MemoryPlace()
    image.into(memory)
    folder = tmp_path / "layout"
    folder.mkdir()
    left = [folder / f".{d.digest.encoded[:16]}.{2**22 + 1}.0badcafe" for d, _ in image.contents]
    for path in left:
        path.touch()
    execute(make_plan(memory, LayoutPlace(folder), image.root, names=("1",)))
    assert not any(path.exists() for path in left)


# Uploads to `ghcrctl serve`


def upload(session: Session, owner: str, age: float = 0.0) -> Path:
    folder = session.store.root / "ghcrctl" / "uploads"
    folder.mkdir(exist_ok=True)
    path = folder / f"{'a' * 32}.{owner}"
    path.write_bytes(b"half")
    then = time.time() - age
    os.utime(path, (then, then))
    return path


@pytest.mark.parametrize("owner", ["12-dead", "", "x"])
def test_uploads_to_a_dead_server_are_removed(session: Session, owner: str) -> None:
    path = upload(session, owner)
    assert disk_usage(session).lines[1].size == 4
    session.store.lease()
    assert not path.exists()


def test_uploads_to_a_running_server_are_kept_until_they_expire(session: Session) -> None:
    owner = session.store.lease().id
    path = upload(session, owner)
    for dry_run in (True, False):
        assert prune(session, PruneRules(), dry_run=dry_run).partial == 0
    assert path.exists()
    upload(session, owner, UPLOAD_MAX_AGE + 60)
    prune(session, PruneRules())
    assert not path.exists()
