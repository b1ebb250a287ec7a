"""Directories as layers, on Windows too."""

from __future__ import annotations

import io
import os
import socket
import stat
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import UnsupportedError
from ghcrctl.layers.directory_tar import TreeStream
from ghcrctl.layers.windows_links import image_target

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = "C:\\project\\Tree"
LINK = "usr/link"


def members(stream: TreeStream) -> dict[str, tarfile.TarInfo]:
    data = io.BytesIO(b"".join(iter(lambda: stream.read(1_000_000), b"")))
    with tarfile.open(fileobj=data) as archive:
        return {member.name: member for member in archive.getmembers()}


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    for name, mode in (("bin/tool", 0o666), ("bin/fixed", 0o444)):
        (tree / name).write_bytes(b"#!")
        (tree / name).chmod(mode)
    (tree / "bin").chmod(0o777)
    return tree


def test_windows_files_are_executable_and_owned_by_root(tree: Path) -> None:
    os.symlink("..\\bin\\tool", tree / "bin" / "link")  # noqa: PTH211 the text as Windows has it
    found = members(TreeStream(tree, on_windows=True))
    assert {name: (member.mode, member.uid, member.gid) for name, member in found.items()} == {
        "bin": (0o755, 0, 0),
        "bin/fixed": (0o555, 0, 0),
        "bin/link": (0o777, 0, 0),
        "bin/tool": (0o755, 0, 0),
    }
    assert found["bin/link"].linkname == "../bin/tool"


def test_parent_directories_of_a_windows_tree_have_the_same_mode(tree: Path) -> None:
    found = members(TreeStream(tree / "bin", prefix="usr/bin", on_windows=True))
    assert (found["usr"].mode, found["usr/bin"].mode) == (0o755, 0o755)


def test_modes_and_links_are_unchanged_on_other_systems(tree: Path) -> None:
    os.symlink("a\\b", tree / "link")  # noqa: PTH211 the text as it is
    found = members(TreeStream(tree, on_windows=False))
    modes = {name: oct(member.mode) for name, member in found.items() if member.isfile()}
    assert modes == {"bin/fixed": "0o444", "bin/tool": "0o666"}
    assert found["link"].linkname == "a\\b"


def test_hard_links_are_kept_without_link_counts_in_entries(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.link(tree / "bin" / "tool", tree / "bin" / "zwei")
    scan: Callable[..., object] = os.scandir

    class Entry:
        """A file status as on Windows, where inode and link count are 0."""

        def __init__(self, entry: os.DirEntry[str]) -> None:
            self.name = entry.name

    monkeypatch.setattr(os, "scandir", lambda path: [Entry(e) for e in scan(path)])  # type: ignore[attr-defined]
    found = members(TreeStream(tree, on_windows=True))
    assert found["bin/zwei"].islnk()
    assert found["bin/zwei"].linkname == "bin/tool"
    assert found["bin/tool"].isreg()


def test_files_without_inode_numbers_are_different_files(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Found:
        """A file status as on some file systems of Windows."""

        st_mode, st_ino, st_dev, st_nlink, st_size, st_mtime = stat.S_IFREG | 0o666, 0, 0, 1, 2, 0.0

    real = Path.lstat
    monkeypatch.setattr(Path, "lstat", lambda p: real(p) if p.name == "bin" else Found())
    found = members(TreeStream(tree, on_windows=True))
    assert [member.isreg() for member in found.values()] == [False, True, True]


@pytest.mark.parametrize(("latest", "expected"), [(None, 2000), (1000, 1000), (3000, 2000)])
def test_modification_times_are_limited(tree: Path, latest: int | None, expected: int) -> None:
    os.utime(tree / "bin" / "tool", (2000, 2000))
    assert members(TreeStream(tree, latest=latest))["bin/tool"].mtime == expected


@pytest.mark.parametrize(("size", "blocks"), [(0, 3), (1, 4), (512, 4), (513, 5)])
def test_archive_has_no_extra_blocks(tmp_path: Path, size: int, blocks: int) -> None:
    (tmp_path / "a").write_bytes(bytes(size))
    stream = TreeStream(tmp_path)
    assert sum(map(len, iter(lambda: stream.read(1_000_000), b""))) == blocks * 512


@pytest.mark.needs("sockets")
def test_socket_is_omitted(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The path of a socket must be short.
    monkeypatch.chdir(tree)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("a.socket")
        assert "a.socket" not in members(TreeStream(tree))


def test_junction_is_a_link_and_is_not_followed(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Found:
        """A file status of a junction on Windows: a directory with a reparse tag."""

        st_mode = stat.S_IFDIR | 0o777
        st_reparse_tag = 0xA0000003
        st_mtime = 0.0

    real = Path.lstat
    inside = f"\\\\?\\C:{tree.as_posix()}/bin".replace("/", "\\")
    monkeypatch.setattr(Path, "lstat", lambda p: Found() if p.name == "bin" else real(p))
    monkeypatch.setattr(os, "readlink", lambda _: inside)
    monkeypatch.setattr(os.path, "abspath", lambda p: f"C:{p}".replace("/", "\\"))
    [member] = members(TreeStream(tree, on_windows=True)).values()
    assert (member.issym(), member.linkname, member.mode) == (True, "bin", 0o777)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("..\\lib\\x", "../lib/x"),
        ("x", "x"),
        ("\\usr\\lib", "/usr/lib"),
        ("a/b\\c", "a/b/c"),
        ("C:\\project\\Tree\\etc\\x", "../etc/x"),
        ("\\\\?\\C:\\project\\Tree\\usr", "."),
        ("\\??\\c:\\PROJECT\\tree\\usr\\x", "x"),
        ("C:/project/Tree/usr/x", "x"),
        ("C:\\project\\Tree", ".."),
        ("C:\\project\\other\\..\\Tree\\x", "../x"),
    ],
)
def test_windows_link_has_slashes_in_a_layer(target: str, expected: str) -> None:
    assert image_target(target, LINK, [ROOT]) == expected
    assert image_target(target, LINK, [f"\\\\?\\{ROOT}"]) == expected
    assert image_target(target, LINK, ["C:\\PROJEC~1\\Tree", ROOT]) == expected


@pytest.mark.parametrize(
    "target",
    [
        "C:\\project\\Tree2\\x",
        "C:\\project",
        "D:\\project\\Tree\\x",
        "\\\\?\\C:\\Windows",
        "\\\\?\\UNC\\server\\share\\x",
        "\\\\server\\share\\x",
        "\\\\?\\Volume{0}\\x",
        "C:x",
        "C:\\project\\Tree\\..\\other",
    ],
)
def test_full_link_out_of_the_tree_is_rejected(target: str) -> None:
    with pytest.raises(
        UnsupportedError, match=r"cannot add usr/link to a layer: .* outside C:"
    ) as reported:
        image_target(target, LINK, [ROOT, "E:\\Tree"])
    assert reported.value.hint


def test_link_in_the_root_of_a_drive() -> None:
    assert image_target("C:\\x\\y", "link", ["C:\\"]) == "x/y"


def test_link_in_a_network_share() -> None:
    target = "\\\\?\\UNC\\server\\share\\tree\\etc\\x"
    assert image_target(target, "link", ["\\\\server\\share\\tree"]) == "etc/x"


@pytest.mark.parametrize(
    ("prefix", "expected"), [("", {"usr/up": "../etc"}), ("opt/x", {"opt/x/usr/up": "../etc"})]
)
def test_full_link_inside_the_tree_becomes_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefix: str, expected: dict[str, str]
) -> None:
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr" / "up").symlink_to("C:\\Tree\\etc")
    monkeypatch.setattr(os.path, "abspath", lambda _: "C:\\TREE~1")
    monkeypatch.setattr(os.path, "realpath", lambda _: "C:\\Tree")
    found = members(TreeStream(tmp_path, prefix=prefix, on_windows=True))
    assert {name: each.linkname for name, each in found.items() if each.issym()} == expected


def test_unpaired_surrogate_in_a_name_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Entry:
        name = "\ud800"

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", lambda _: [Entry()])
        patch.setattr(os, "fsencode", lambda name: name.encode("utf-8", "surrogatepass"))
        found = tmp_path.lstat()
        patch.setattr(Path, "lstat", lambda _: found)
        with pytest.raises(UnsupportedError, match="not valid Unicode"):
            TreeStream(tmp_path, on_windows=True).read(10)
