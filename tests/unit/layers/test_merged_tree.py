"""Merged layers, and views that read as few layers as possible."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import IntegrityError, NotFoundError, RefusedError
from ghcrctl.layers.flatten_layers import flatten
from ghcrctl.layers.layered_view import LayeredView
from ghcrctl.layers.limits import Limits, Meter
from ghcrctl.layers.members import Kind
from ghcrctl.layers.merged_tree import Tree
from ghcrctl.layers.tar_writer import TarWriter
from ghcrctl.layers.walk_layer import walk
from ghcrctl.layers.whiteouts import is_aufs_metadata, whiteout_of
from tests.filesystems import directory, file, hard_link, special, symlink, tar

if TYPE_CHECKING:
    from ghcrctl.layers.members import Member
    from tests.filesystems import Entry

Layer = list["Entry"]
BASE: Layer = [
    directory("./"),
    directory("etc/"),
    file("etc/passwd", b"root"),
    file("etc/group", b"group"),
    directory("usr/"),
    directory("usr/lib/"),
    file("usr/lib/libc", b"libc"),
    symlink("lib", "usr/lib"),
]


def read(layer: Layer) -> list[Member]:
    return [entry.member for entry in walk(io.BytesIO(tar(*layer)), Meter())]


def merged(*layers: Layer, limits: Limits | None = None) -> Tree:
    tree = Tree(limits)
    for number, layer in enumerate(layers):
        tree.apply(number, read(layer))
    return tree


def paths(tree: Tree) -> list[str]:
    return [path for path, _ in tree.walk() if path]


def flat(*layers: Layer) -> list[tarfile.TarInfo]:
    """Flatten layers and read the archive with `tarfile`."""
    out = io.BytesIO()
    writer = TarWriter(out.write)
    flatten(merged(*layers), lambda number: walk(io.BytesIO(tar(*layers[number])), Meter()), writer)
    writer.finish()
    out.seek(0)
    with tarfile.open(fileobj=out) as archive:
        return archive.getmembers()


@pytest.mark.parametrize(
    ("layer", "gone", "new"),
    [
        ([file("etc/.wh.passwd")], {"etc/passwd"}, set()),
        ([file(".wh.etc")], {"etc", "etc/passwd", "etc/group"}, set()),
        ([file("etc/.wh..wh..opq")], {"etc/passwd", "etc/group"}, set()),
        (
            [directory("etc/"), file("etc/.wh..wh..opq"), file("etc/new")],
            {"etc/passwd", "etc/group"},
            {"etc/new"},
        ),
        ([file("etc/group"), file("etc/.wh..wh..opq")], {"etc/passwd"}, set()),
        ([file("etc/passwd"), file("etc/.wh.passwd")], set(), set()),
        ([file("etc/.wh.passwd"), file("etc/passwd")], set(), set()),
        ([file("etc")], {"etc/passwd", "etc/group"}, set()),
        ([directory("etc/passwd/"), file("etc/passwd/x")], set(), {"etc/passwd/x"}),
        ([file("etc/.wh.none"), file("none/.wh.x")], set(), {"none"}),
        ([file("etc/passwd/.wh.x")], set(), set()),
        ([file("lib/new")], set(), {"usr/lib/new"}),
        ([file("lib/.wh.libc")], {"usr/lib/libc"}, set()),
        ([directory("lib/"), file("lib/new")], set(), {"lib/new"}),
        ([file(".wh..wh.plnk/1.2"), file(".wh..wh.aufs"), file("a")], set(), {"a"}),
        ([file("deep/er/x")], set(), {"deep", "deep/er", "deep/er/x"}),
        ([symlink("loop", "/../usr/./lib/../lib"), file("loop/y")], set(), {"loop", "usr/lib/y"}),
    ],
)
def test_apply_layer(layer: Layer, gone: set[str], new: set[str]) -> None:
    before = set(paths(merged(BASE)))
    assert set(paths(merged(BASE, layer))) == before - gone | new


def test_opaque_directory_keeps_files_of_its_own_layer() -> None:
    first: Layer = [file("a/b/c/old"), file("a/b/old"), file("a/other/old")]
    second: Layer = [file("a/b/c/new"), file("a/.wh..wh..opq")]
    assert paths(merged(first, second)) == ["a", "a/b", "a/b/c", "a/b/c/new"]


@pytest.mark.parametrize(
    ("path", "note"),
    [
        (".wh..wh.plnk", True),
        ("a/.wh..wh.orph/b", True),
        (".wh..wh.plnk/.wh..wh..opq", True),
        (".wh..wh..opq/below", True),
        ("a/.wh..wh..opq", False),
        ("a/x.wh..wh.y", False),
        ("a/.wh.gone", False),
    ],
)
def test_aufs_metadata_is_ignored(path: str, note: bool) -> None:
    assert is_aufs_metadata(read([file(path)])[0]) is note


@pytest.mark.parametrize("path", [".wh.", ".wh..", ".wh...", "a/.wh.."])
def test_whiteout_without_a_name_is_rejected(path: str) -> None:
    with pytest.raises(IntegrityError, match="whiteout without a name"):
        whiteout_of(read([file(path)])[0])


def test_last_member_with_a_name_counts() -> None:
    tree = merged([file("a", b"1"), file("a", b"22"), directory("b/"), file("b", b"333")])
    sizes = {path: node.member.size for path, node in tree.walk() if node.member}
    assert sizes == {"a": 2, "b": 3}


def test_directory_keeps_its_files_and_gets_the_mode_of_the_upper_layer() -> None:
    tree = merged(BASE, [directory("etc/", mode=0o700)])
    [etc] = [node for path, node in tree.walk() if path == "etc"]
    assert etc.member
    assert (etc.member.mode, sorted(etc.children or {})) == (0o700, ["group", "passwd"])


def test_hard_links_keep_their_file_when_its_name_is_replaced() -> None:
    first: Layer = [file("a", b"old"), hard_link("b", "a"), hard_link("c", "b")]
    found = flat(first, [file("a", b"newer")])
    assert [(m.name, m.type, m.size, m.linkname) for m in found] == [
        ("b", tarfile.REGTYPE, 3, ""),
        ("c", tarfile.LNKTYPE, 0, "b"),
        ("a", tarfile.REGTYPE, 5, ""),
    ]


def test_hard_link_to_a_file_of_a_lower_layer() -> None:
    found = flat(BASE, [hard_link("shadow", "etc/passwd"), file("etc/.wh.passwd")])
    [shadow] = [member for member in found if member.name == "shadow"]
    assert (shadow.type, shadow.size) == (tarfile.REGTYPE, 4)


@pytest.mark.parametrize("target", ["none", "etc", "etc/none/x"])
def test_hard_link_to_a_missing_file_is_rejected(target: str) -> None:
    with pytest.raises(IntegrityError, match="hard link"):
        merged(BASE, [hard_link("a", target)])


@pytest.mark.parametrize(
    "layer",
    [
        [file("etc/passwd/x")],
        [symlink("a", "b"), symlink("b", "a"), file("a/x")],
        [file("etc/.wh.")],
        [file("etc/.wh...")],
        [symlink("./", "etc")],
    ],
)
def test_inconsistent_layer_is_rejected(layer: Layer) -> None:
    with pytest.raises(IntegrityError):
        merged(BASE, layer)


def test_implicit_directories_count_towards_the_limit() -> None:
    with pytest.raises(RefusedError):
        merged([file("a/" * 50 + "x")], limits=Limits(members=20))


def test_deep_trees_need_no_recursion() -> None:
    tree = merged([file("a/" * 2000 + "x")], [file("a/.wh..wh..opq")])
    assert paths(tree) == ["a"]


def test_flattened_archive_is_reproducible_with_directories_first() -> None:
    layers = (BASE, [file("etc/z", b"z"), special("etc/dev", tarfile.CHRTYPE)], [file("a/b", b"c")])
    found = flat(*layers)
    assert [m.name for m in found] == [
        *(".", "a", "etc", "etc/dev", "lib", "usr", "usr/lib"),
        *("etc/passwd", "etc/group", "usr/lib/libc", "etc/z", "a/b"),
    ]
    assert [m.get_info() for m in found] == [m.get_info() for m in flat(*layers)]


def test_flattened_archive_keeps_metadata() -> None:
    extra = {"SCHILY.xattr.user.x": "v", "mtime": "1700000000.5"}
    big = file("ä" * 100, b"x" * 600, mode=0o6711, uid=2**30, gid=5, pax_headers=extra)
    [found] = flat([big])
    assert (found.name, found.mode, found.uid, found.gid) == ("ä" * 100, 0o6711, 2**30, 5)
    assert found.pax_headers["SCHILY.xattr.user.x"] == "v"
    assert found.mtime == 1700000000.5


class Counted:
    """A view that records the layers it reads."""

    def __init__(self, *layers: Layer) -> None:
        self.seen: list[int] = []
        self._layers = layers
        self.view = LayeredView(len(layers), self._read)

    def _read(self, number: int) -> list[Member]:
        self.seen.append(number)
        return read(self._layers[number])


UPPER: Layer = [directory("etc/"), file("etc/passwd", b"changed"), directory("opt/")]


@pytest.mark.parametrize(
    ("path", "top", "leads_to", "layers"),
    [
        ("/etc/passwd", UPPER, "etc/passwd", [2]),
        ("etc/group", UPPER, "etc/group", [2, 1, 0]),
        ("/", UPPER, "", []),
        ("lib/libc", UPPER, "usr/lib/libc", [2, 1, 0]),
        ("/etc/../etc/./passwd", UPPER, "etc/passwd", [2]),
        ("/../../etc/passwd", UPPER, "etc/passwd", [2]),
        # Its parent may be a link in a lower layer.
        ("etc/passwd", [file("etc/passwd")], "etc/passwd", [2, 1, 0]),
        ("a", [symlink("a", "/etc/passwd"), *UPPER], "etc/passwd", [2]),
        ("a", [symlink("a", "b"), symlink("b", "opt"), *UPPER], "opt", [2]),
        ("a", [hard_link("a", "etc/group")], "a", [2, 1, 0]),
    ],
)
def test_path_is_resolved_with_as_few_layers_as_possible(
    path: str, top: Layer, leads_to: str, layers: list[int]
) -> None:
    counted = Counted(BASE, [file("middle")], top)
    assert counted.view.find(path).path == leads_to
    assert counted.seen == layers


@pytest.mark.parametrize(
    ("path", "top", "layers"),
    [
        ("/none", UPPER, [2, 1, 0]),
        ("/etc/passwd/x", UPPER, [2]),
        ("/etc/passwd/.", UPPER, [2]),
        ("/etc/passwd/..", UPPER, [2]),
        ("/etc/passwd", [directory("etc/"), file("etc/.wh.passwd")], [2]),
        ("/etc/none", [directory("etc/"), file("etc/.wh..wh..opq")], [2]),
        ("/etc/group", [file("etc")], [2]),
        ("/a", [symlink("a", "b"), symlink("b", "a")], [2]),
        ("/a", [symlink("a", "none")], [2, 1, 0]),
        ("/a", [symlink("a", "../../etc/passwd/x"), *UPPER], [2]),
    ],
)
def test_missing_path_is_detected_with_as_few_layers_as_possible(
    path: str, top: Layer, layers: list[int]
) -> None:
    counted = Counted(BASE, [file("middle")], top)
    with pytest.raises(NotFoundError):
        counted.view.find(path)
    assert counted.seen == layers


def test_opaque_directory_is_listed_without_lower_files() -> None:
    counted = Counted(BASE, [directory("etc/"), file("etc/.wh..wh..opq"), file("etc/new")], [])
    found = counted.view.find_with_entries("etc")
    assert sorted(found.node.children or {}) == ["new"]
    assert counted.seen == [2, 1]


def test_listing_the_root_reads_every_layer_once() -> None:
    counted = Counted(BASE, UPPER, [file("c")])
    found = counted.view.find_with_entries("/", everything=True)
    assert sorted(found.node.children or {}) == ["c", "etc", "lib", "opt", "usr"]
    assert counted.seen == [2, 1, 0]
    assert counted.view.find("etc/passwd").node.kind is Kind.FILE
    assert counted.seen == [2, 1, 0]


def test_image_without_layers_has_an_empty_root() -> None:
    found = LayeredView(0, lambda _: []).find_with_entries("/")
    assert found.node.children == {}
