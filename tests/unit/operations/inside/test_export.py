"""Exporting an image's files to an archive or a directory, completely or not at all."""

from __future__ import annotations

import errno
import io
import os
import stat
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import (
    DigestMismatchError,
    IntegrityError,
    RefusedError,
    StoreError,
    UnsupportedError,
    UsageError,
)
from ghcrctl.layers.extraction import Extractor
from ghcrctl.layers.members import Kind, Member
from ghcrctl.operations.inside.export import export_archive, export_directory
from ghcrctl.operations.inside.image_layers import ImageSelector
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.caseless import ignore_case
from tests.filesystems import directory, file, hard_link, image_of, special, symlink, tar

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.builders import Built
    from tests.registry_double import RegistryDouble

NAME = "ghcr.io/octo/image:1.0"
WANTED = ImageSelector(NAME)
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
IMAGE = image_of(
    tar(directory("./", mode=0o711), directory("etc/"), file("etc/a", b"old"), file("etc/b", b"b")),
    tar(
        directory("etc/", mode=0o750, mtime=1600000000),
        file("etc/a", b"new", mode=0o600, mtime=1500000000),
        file("etc/.wh.b"),
        hard_link("etc/c", "etc/a"),
        symlink("link", "/nowhere", mtime=5),
        special("pipe", tarfile.FIFOTYPE),
    ),
)


def put(session: Session, built: Built) -> None:
    memory = MemoryPlace()
    built.into(memory)
    execute(make_plan(memory, StorePlace(session.store), built.root, names=(NAME,)))


def archived(session: Session, wanted: ImageSelector = WANTED) -> bytes:
    out = io.BytesIO()
    export_archive(session, wanted, out.write)
    return out.getvalue()


def test_an_archive_is_the_same_from_either_place(session: Session, ghcr: RegistryDouble) -> None:
    put(session, IMAGE)
    ghcr.push_image("octo/image", "1.0", IMAGE)
    data = archived(session)
    assert archived(session, ImageSelector(f"{ghcr.host}/octo/image:1.0", is_remote=True)) == data
    for descriptor, _ in IMAGE.blobs[:2]:
        seen = [e.status for e in ghcr.log if str(descriptor.digest) in e.path]
        assert seen.count(200) == 1
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        assert archive.getnames() == [".", "etc", "link", "pipe", "etc/a", "etc/c"]
        content = archive.extractfile("etc/c")
        assert content
        assert content.read() == b"new"


def test_nothing_is_written_of_an_image_with_a_damaged_layer(session: Session) -> None:
    put(session, image_of(tar(file("a", b"a")), diff_ids=["sha256:" + "0" * 64]))
    parts: list[bytes] = []
    with pytest.raises(DigestMismatchError):
        export_archive(session, WANTED, parts.append)
    assert not parts


@pytest.mark.parametrize("is_there", [False, True])
def test_a_directory_gets_all_files_unchanged(
    session: Session, tmp_path: Path, is_there: bool
) -> None:
    put(session, IMAGE)
    target = tmp_path / "deep" / "root"
    if is_there:
        target.mkdir(parents=True)
    export_directory(session, WANTED, target)
    a = target / "etc" / "a"
    assert a.read_bytes() == b"new"
    assert (stat.S_IMODE(a.stat().st_mode), a.stat().st_mtime) == (0o600, 1500000000)
    assert a.samefile(target / "etc" / "c")
    assert os.readlink(target / "link") == "/nowhere"  # noqa: PTH115 as it is
    assert (target / "link").lstat().st_mtime == 5
    assert stat.S_ISFIFO((target / "pipe").stat().st_mode)
    etc = (target / "etc").stat()
    assert (stat.S_IMODE(etc.st_mode), etc.st_mtime) == (0o750, 1600000000)
    assert stat.S_IMODE(target.stat().st_mode) == 0o711
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["root"]
    assert not (target / "etc" / "b").exists()


def test_the_current_directory_may_be_filled(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(session, image_of(tar(directory("closed/", mode=0o500), file("closed/x", b"x"))))
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    export_directory(session, WANTED, here)
    assert [path.name for path in here.iterdir()] == ["closed"]
    assert stat.S_IMODE((here / "closed").stat().st_mode) == 0o500
    (here / "closed").chmod(0o700)


@pytest.mark.parametrize("way", ["parent", "itself", "itself from elsewhere", "relative"])
def test_a_directory_behind_a_link_is_not_replaced(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    put(session, IMAGE)
    (tmp_path / "real" / "here").mkdir(parents=True)
    (tmp_path / "up").symlink_to("real")
    (tmp_path / "link").symlink_to(tmp_path / "real" / "here")
    here = tmp_path / "real" / "here"
    before = here.stat()
    monkeypatch.chdir(tmp_path if "elsewhere" in way else here)
    target = {"parent": tmp_path / "up" / "here", "relative": Path("../../up/here")}
    export_directory(session, WANTED, target.get(way, tmp_path / "link"))
    assert os.path.samestat(before, here.stat())
    assert sorted(path.name for path in here.iterdir()) == ["etc", "link", "pipe"]
    assert stat.S_IMODE(here.stat().st_mode) == 0o711
    assert (tmp_path / "link").is_symlink()


def test_a_deleted_current_directory_does_not_matter(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(session, IMAGE)
    (tmp_path / "gone").mkdir()
    (tmp_path / "target").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    export_directory(session, WANTED, tmp_path / "target")
    monkeypatch.chdir(tmp_path)
    assert (tmp_path / "target" / "etc" / "a").read_bytes() == b"new"


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_directory_that_is_not_replaced_gets_all_files_or_none(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    put(session, IMAGE)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    real, left = Path.replace, [at]

    def replace(path: Path, target: Path) -> Path:
        if path.parent.parent == here:
            if not left[0]:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            left[0] -= 1
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(StoreError, match=os.strerror(errno.EIO)):
        export_directory(session, WANTED, here)
    assert not list(here.iterdir())


@pytest.mark.parametrize("is_there", [False, True])
def test_names_that_differ_only_in_case_are_named_both(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    put(session, image_of(tar(file("README", b"1")), tar(file("readme", b"2"))))
    target = tmp_path / "target"
    if is_there:
        target.mkdir()
    ignore_case(monkeypatch)
    with pytest.raises(UnsupportedError, match="`README` and `readme`") as caught:
        export_directory(session, WANTED, target)
    assert caught.value.hint == "write an archive instead: ghcrctl export -o FILE.tar IMAGE"
    assert target.exists() == is_there
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_existing_files_are_kept(session: Session, tmp_path: Path) -> None:
    put(session, IMAGE)
    full = tmp_path / "full"
    full.mkdir()
    (full / "mine").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for target in (full, tmp_path / "link"):
        with pytest.raises(RefusedError):
            export_directory(session, WANTED, target)
    for target in (full / "mine", full / "mine" / "under" / "it"):
        with pytest.raises(UsageError, match="mine is not a directory"):
            export_directory(session, WANTED, target)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == [
        "full",
        "link",
    ]
    assert (full / "mine").read_text() == "mine"


@pytest.mark.parametrize(
    ("broken", "error"),
    [
        (image_of(tar(file("a", b"a")), diff_ids=["sha256:" + "0" * 64]), IntegrityError),
        (image_of(tar(file("x" * 300, b"a"), directory("y/", mode=0))), StoreError),
    ],
)
def test_a_failure_leaves_no_directory(
    session: Session, tmp_path: Path, broken: Built, error: type[Exception]
) -> None:
    put(session, broken)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error):
        export_directory(session, WANTED, tmp_path / "root")
    assert sorted(tmp_path.iterdir()) == before


def test_a_name_that_windows_cannot_have_is_found_before_the_first_file(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Windows(Extractor):
        def __init__(self, root: Path) -> None:
            super().__init__(root, on_windows=True)

        def add(self, *_: object) -> None:
            raise AssertionError("a file was created")

    monkeypatch.setattr("ghcrctl.operations.inside.export.Extractor", Windows)
    put(session, image_of(tar(file("a", b"a")), tar(file("z/con.txt", b"z"))))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(UnsupportedError, match=r"`z/con.txt`: Windows .* \(CON is a device name\)"):
        export_directory(session, WANTED, tmp_path / "root")
    assert sorted(tmp_path.iterdir()) == before


def test_attributes_of_overlays_are_not_exported(session: Session) -> None:
    given = {"user.a": "1", "user.overlay.opaque": "y", "trusted.overlay.redirect": "/etc"}
    headers = {f"SCHILY.xattr.{name}": value for name, value in given.items()}
    put(session, image_of(tar(file("a", b"a", pax_headers=headers))))
    with tarfile.open(fileobj=io.BytesIO(archived(session))) as archive:
        found = archive.getmember("a").pax_headers
    assert [name for name in found if "xattr" in name] == ["SCHILY.xattr.user.a"]


def test_a_device_without_a_number_is_not_a_whiteout(session: Session) -> None:
    """Overlay file systems use it as a whiteout; the image specification does not."""
    upper = tar(special("a", tarfile.CHRTYPE, devmajor=0, devminor=0))
    put(session, image_of(tar(file("a", b"a"), file("b", b"b")), upper))
    with tarfile.open(fileobj=io.BytesIO(archived(session))) as archive:
        assert set(archive.getnames()) - {"."} == {"a", "b"}
        assert archive.getmember("a").ischr()


def test_holes_of_sparse_files_are_kept(session: Session, tmp_path: Path) -> None:
    extra = {"GNU.sparse.size": str(2**30), "GNU.sparse.map": f"0,1,{2**29},2"}
    put(session, image_of(tar(file("disk", b"abc", pax_headers=extra))))
    export_directory(session, WANTED, tmp_path / "root")
    found = (tmp_path / "root" / "disk").stat()
    assert found.st_size == 2**30
    assert found.st_blocks * 512 < 2**20


def test_attributes_that_the_user_may_not_set_give_one_warning(
    session: Session, tmp_path: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    other = os.getuid() + 7
    layer = tar(
        special("null", tarfile.CHRTYPE),
        file("su", b"x", mode=0o6755, uid=other, gid=other),
        file("own", b"x", mode=0o6755, uid=os.getuid(), gid=os.getgid()),
        hard_link("zero", "null"),
    )
    put(session, image_of(layer))
    target = tmp_path / "root"
    export_directory(session, WANTED, target)
    [warning] = [text for text in warnings if "skipped in" in text]
    assert "devices of 1 files" in warning
    assert "owners of 1 files" in warning
    assert "set-ID bits of 1 files" in warning
    assert stat.S_IMODE((target / "su").stat().st_mode) == 0o755
    assert stat.S_IMODE((target / "own").stat().st_mode) == 0o6755
    assert sorted(path.name for path in target.iterdir()) == ["own", "su"]


@pytest.mark.needs("root")
def test_root_sets_owners_devices_and_set_id_bits(session: Session, tmp_path: Path) -> None:
    layer = tar(
        directory("var/", uid=3, gid=4),
        file("su", b"x", mode=0o4755, uid=12, gid=34),
        special("null", tarfile.CHRTYPE, mode=0o666),
        symlink("link", "su", uid=5, gid=6),
        file("lost", b"", uid=2**40),
    )
    put(session, image_of(layer))
    target = tmp_path / "root"
    export_directory(session, WANTED, target)
    su, null, link = ((target / name).lstat() for name in ("su", "null", "link"))
    assert (su.st_uid, su.st_gid, stat.S_IMODE(su.st_mode)) == (12, 34, 0o4755)
    assert (stat.S_ISCHR(null.st_mode), os.major(null.st_rdev)) == (True, 1)
    assert (link.st_uid, link.st_gid) == (5, 6)
    assert ((target / "var").stat().st_uid, (target / "lost").stat().st_uid) == (3, 0)


def test_names_that_are_one_file_on_the_file_system_are_an_error(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    root.mkdir()
    extractor = Extractor(root)
    extractor.add("a", Member("a", Kind.SYMLINK, target=str(outside)))
    with pytest.raises(FileExistsError):
        extractor.add("a", Member("a", Kind.DIRECTORY))
    with pytest.raises(FileExistsError):
        extractor.add("a", Member("a", Kind.FILE))
    assert not list(outside.iterdir())
