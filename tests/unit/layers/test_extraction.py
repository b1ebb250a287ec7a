"""Extracted files: modes, owners, attributes and links with any umask."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.errors import UnsupportedError
from ghcrctl.layers.extraction import Extractor
from ghcrctl.layers.members import Kind, Member

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.needs("modes")
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
OWN: dict[str, Any] = {"uid": os.getuid(), "gid": os.getgid()} if hasattr(os, "getuid") else {}
CAPABILITY = b"\x01\0\0\x02" + b"\x04" + bytes(15)


@pytest.fixture(
    params=[0o000, 0o022, 0o077, pytest.param(0o777, marks=pytest.mark.needs("root"))], ids=oct
)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir(mode=0o700)
    return folder


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def _file(path: str, mode: int = 0o644, **fields: Any) -> Member:
    return Member(path, Kind.FILE, mode=mode, **{**OWN, **fields})


def _directory(path: str, mode: int, **fields: Any) -> Member:
    return Member(path, Kind.DIRECTORY, mode=mode, **{**OWN, **fields})


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("as_root", [False, pytest.param(True, marks=pytest.mark.needs("root"))])
def test_modes_are_those_of_the_image(root: Path, *, as_root: bool) -> None:
    modes = [0o000, 0o644, 0o755, 0o4755, 0o2755, 0o6711, 0o1644, 0o7777]
    extractor = Extractor(root, as_root=as_root)
    extractor.add("", _directory("", 0o1751))
    for mode in modes:
        extractor.add(f"d{mode:o}", _directory(f"d{mode:o}", mode))
        extractor.add(f"d{mode:o}/f", _file(f"d{mode:o}/f", mode))
    extractor.add("pipe", Member("pipe", Kind.FIFO, mode=0o640, **OWN))
    extractor.finish()
    for mode in modes:
        folder = root / f"d{mode:o}"
        assert _mode(folder) == mode
        folder.chmod(0o700)
        assert _mode(folder / "f") == mode
    assert (_mode(root / "pipe"), _mode(root)) == (0o640, 0o1751)
    assert extractor.left_out == []


@pytest.mark.usefixtures("umask")
def test_default_mode_of_the_root(root: Path) -> None:
    Extractor(root).finish()
    assert _mode(root) == 0o755


@pytest.mark.parametrize(
    ("owner", "expected"),
    [((0, 0), 0o6711), ((7, 0), 0o2711), ((0, 7), 0o4711), ((7, 7), 0o711)],
)
def test_set_id_bits_of_other_owners_are_omitted(
    root: Path, owner: tuple[int, int], expected: int
) -> None:
    uid, gid = (own + offset for own, offset in zip(OWN.values(), owner, strict=True))
    extractor = Extractor(root, as_root=False)
    extractor.add("su", _file("su", 0o6711, uid=uid, gid=gid))
    extractor.add("plain", _file("plain", 0o711, uid=uid, gid=gid))
    assert (_mode(root / "su"), _mode(root / "plain")) == (expected, 0o711)
    owners = ["owners of 2 files"] if any(owner) else []
    assert extractor.left_out == owners + (["set-ID bits of 1 files"] if any(owner) else [])


@pytest.mark.needs("root")
def test_changing_owners_keeps_set_id_bits(root: Path) -> None:
    extractor = Extractor(root)
    extractor.add("su", _file("su", 0o6755, uid=12, gid=34))
    extractor.add("d", _directory("d", 0o3770, uid=12, gid=34))
    extractor.add("link", Member("link", Kind.SYMLINK, uid=5, gid=6, target="su"))
    extractor.finish()
    found = {name: (root / name).lstat() for name in ("su", "d", "link")}
    assert (_mode(root / "su"), found["su"].st_uid, found["su"].st_gid) == (0o6755, 12, 34)
    assert (_mode(root / "d"), found["d"].st_uid, found["d"].st_gid) == (0o3770, 12, 34)
    assert (found["link"].st_uid, found["link"].st_gid) == (5, 6)


@pytest.mark.needs("root")
@pytest.mark.parametrize(
    ("uid", "gid"), [(-1, 0), (0, -1), (2**32 - 1, 0), (0, 2**32 - 1), (2**70, 0)]
)
def test_invalid_owner_is_omitted(root: Path, uid: int, gid: int) -> None:
    extractor = Extractor(root)
    extractor.add("a", _file("a", uid=uid, gid=gid))
    extractor.add("b", _file("b", uid=2**32 - 2, gid=2**32 - 2))
    assert extractor.left_out == ["owners of 1 files"]
    assert (root / "a").stat().st_uid == 0
    assert (root / "b").stat().st_uid == 2**32 - 2


def _attributes(path: Path) -> dict[str, bytes]:
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


@pytest.mark.needs("attributes")
def test_attributes_except_overlay_ones_are_set(root: Path) -> None:
    try:
        os.setxattr(root, "user.test", b"")
        os.removexattr(root, "user.test")
    except OSError:
        pytest.skip("this file system has no attributes")
    given = {"user.a": b"1", "user.empty": b"", "user.overlayx": b"2"}
    hidden = {"user.overlay.opaque": b"y", "trusted.overlay.redirect": b"/etc"}
    extractor = Extractor(root)
    extractor.add("", _directory("", 0o755, xattrs={"user.root": b"r", **hidden}))
    # A read-only mode must be set after the attributes.
    extractor.add("f", _file("f", 0o400, xattrs={**given, **hidden}))
    extractor.finish()
    assert _attributes(root / "f") == given
    assert _attributes(root) == {"user.root": b"r"}
    assert extractor.left_out == ["extended attributes of 4 files"]


@pytest.mark.needs("root")
def test_capabilities_are_kept_when_the_owner_changes(root: Path) -> None:
    (root / "test").touch()
    try:
        os.setxattr(root / "test", "security.capability", CAPABILITY)
    except OSError:
        pytest.skip("this file system has no capabilities")
    extractor = Extractor(root)
    member = _file("ping", 0o755, uid=12, xattrs={"security.capability": CAPABILITY})
    extractor.add("ping", member)
    assert os.getxattr(root / "ping", "security.capability") == CAPABILITY


def _fails(number: int) -> Callable[..., None]:
    def act(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return act


@pytest.mark.parametrize(
    "number",
    [errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EINVAL, errno.ENODATA, errno.ENOSYS,
     errno.ERANGE, errno.E2BIG],
)  # fmt: skip
def test_unsupported_metadata_is_omitted(
    root: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(os, "setxattr", _fails(number), raising=False)
    monkeypatch.setattr(os, "chown", _fails(number))
    monkeypatch.setattr(os, "mknod", _fails(number))
    monkeypatch.setattr(os, "utime", _fails(number))
    extractor = Extractor(root, as_root=True)
    extractor.add("f", _file("f", xattrs={"user.a": b""}))
    device = Member("null", Kind.CHARACTER_DEVICE, device=(1, 3))
    extractor.add("null", device)
    extractor.link("zero", "null", device)
    assert sorted(extractor.left_out) == [
        "devices of 1 files",
        "extended attributes of 1 files",
        "owners of 1 files",
        "times of 1 files",
    ]
    assert [path.name for path in root.iterdir()] == ["f"]


def test_full_disk_is_an_error(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "chown", _fails(errno.ENOSPC))
    with pytest.raises(OSError, match="No space"):
        Extractor(root, as_root=True).add("f", _file("f"))


def test_only_root_creates_devices(root: Path) -> None:
    extractor = Extractor(root, as_root=False)
    for kind in (Kind.CHARACTER_DEVICE, Kind.BLOCK_DEVICE):
        extractor.add(kind.name, Member(kind.name, kind, device=(1, 3)))
        extractor.link(f"{kind.name}-2", kind.name, Member("", kind))
    assert (list(root.iterdir()), extractor.left_out) == ([], ["devices of 2 files"])


@pytest.mark.needs("root")
def test_devices_have_the_numbers_of_the_image(root: Path) -> None:
    try:
        os.mknod(root / "test", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except OSError:
        pytest.skip("no devices here")
    (root / "test").unlink()
    extractor = Extractor(root)
    extractor.add("c", Member("c", Kind.CHARACTER_DEVICE, mode=0o620, device=(5, 300)))
    extractor.add("b", Member("b", Kind.BLOCK_DEVICE, mode=0o660, device=(8, 1)))
    # Overlay file systems treat this device as a whiteout.
    extractor.add("w", Member("w", Kind.CHARACTER_DEVICE, mode=0o000, device=(0, 0)))
    assert extractor.left_out == []
    c, b, w = ((root / name).lstat() for name in "cbw")
    assert (stat.S_ISCHR(c.st_mode), c.st_rdev, _mode(root / "c")) == (
        True, os.makedev(5, 300), 0o620)  # fmt: skip
    assert (stat.S_ISBLK(b.st_mode), b.st_rdev, _mode(root / "b")) == (
        True, os.makedev(8, 1), 0o660)  # fmt: skip
    assert (stat.S_ISCHR(w.st_mode), w.st_rdev) == (True, 0)


def test_hard_links_to_files_and_symbolic_links(root: Path) -> None:
    extractor = Extractor(root)
    extractor.add("a", _file("a", 0o640))
    extractor.link("b", "a", _file("b"))
    link = Member("s", Kind.SYMLINK, target="a", **OWN)
    extractor.add("s", link)
    extractor.link("t", "s", link)
    assert (root / "b").samefile(root / "a")
    assert _mode(root / "b") == 0o640
    assert os.readlink(root / "t") == "a"  # noqa: PTH115 as it is
    assert (root / "t").lstat().st_ino == (root / "s").lstat().st_ino


def test_hard_link_to_a_missing_file_is_an_error(root: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Extractor(root).link("b", "a", _file("b"))


@pytest.mark.parametrize(
    ("time", "shown"), [(-1, -1), (5, 5), (2**62, 2**62), (2**70, 2**62), (-(2**70), -(2**62))]
)
def test_times_are_limited_to_those_of_the_system(
    root: Path, monkeypatch: pytest.MonkeyPatch, time: int, shown: int
) -> None:
    seen: list[tuple[int, int]] = []
    real = os.utime

    def utime(path: Path, *, ns: tuple[int, int], follow_symlinks: bool) -> None:
        seen.append(ns)
        assert not follow_symlinks
        real(path, ns=(5, 5), follow_symlinks=False)

    monkeypatch.setattr(os, "utime", utime)
    monkeypatch.setattr(os, "supports_follow_symlinks", {*os.supports_follow_symlinks, utime})
    extractor = Extractor(root)
    extractor.add("f", _file("f", mtime=time))
    extractor.add("s", Member("s", Kind.SYMLINK, target="none", mtime=time, **OWN))
    assert seen == [(shown, shown)] * 2


def test_directories_keep_their_times(root: Path) -> None:
    extractor = Extractor(root)
    extractor.add("a", _directory("a", 0o555, mtime=7 * 10**9))
    extractor.add("a/b", _directory("a/b", 0o500, mtime=8 * 10**9))
    extractor.add("a/b/c", _file("a/b/c", mtime=9 * 10**9))
    extractor.finish()
    found = [(root / path).stat() for path in ("a", "a/b", "a/b/c")]
    assert [int(each.st_mtime) for each in found] == [7, 8, 9]
    assert [stat.S_IMODE(each.st_mode) for each in found] == [0o555, 0o500, 0o644]


def test_invalid_windows_names_are_rejected(root: Path) -> None:
    with pytest.raises(UnsupportedError, match="cannot create `a:b`"):
        Extractor(root, on_windows=True).add("a:b", _file("a:b"))
    Extractor(root, on_windows=False).add("a:b", _file("a:b"))
    assert (root / "a:b").exists()
