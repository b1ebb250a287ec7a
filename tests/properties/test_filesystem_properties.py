"""Extracting any archives changes nothing outside, and merging layers preserves their result."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.errors import GhcrctlError, NotFoundError
from ghcrctl.layers.extraction import Extractor
from ghcrctl.layers.flatten_layers import flatten
from ghcrctl.layers.layered_view import LayeredView
from ghcrctl.layers.limits import Meter
from ghcrctl.layers.members import Kind, Member
from ghcrctl.layers.merged_tree import Tree
from ghcrctl.layers.tar_writer import TarWriter
from ghcrctl.layers.walk_layer import walk
from tests.filesystems import directory, file, hard_link, special, symlink, tar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.filesystems import Entry

PARTS = st.sampled_from(
    ["a", "b", "c", "..", ".", "", ".wh.a", ".wh.b", ".wh..wh..opq", "\udce9", "victim", "A"]
)
PLAIN_PARTS = st.sampled_from(["a", "b", "c"])


def names(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(parts, min_size=1, max_size=4).map("/".join)


HOSTILE = st.one_of(names(PARTS), names(PARTS).map("/{}".format), st.just("../victim"))
TARGETS = st.one_of(HOSTILE, st.sampled_from(["../..", "/", "{outside}", "{outside}/victim"]))
CONTENT = st.binary(max_size=5)
MODES = st.integers(0, 0o7777)


def entries(
    paths: st.SearchStrategy[str], targets: st.SearchStrategy[str]
) -> st.SearchStrategy[Entry]:
    kinds = [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
    return st.one_of(
        st.builds(lambda name, data, mode: file(name, data, mode=mode), paths, CONTENT, MODES),
        st.builds(lambda name, mode: directory(name, mode=mode), paths, MODES),
        st.builds(symlink, paths, targets),
        st.builds(hard_link, paths, targets),
        st.builds(special, paths, st.sampled_from(kinds)),
    )


LAYERS = st.lists(st.lists(entries(HOSTILE, TARGETS), max_size=6), min_size=1, max_size=3)
WHITEOUTS = st.sampled_from([".wh.a", ".wh.b", ".wh..wh..opq"])
USUAL = st.one_of(
    names(PLAIN_PARTS),
    st.builds("{}/{}".format, names(PLAIN_PARTS), WHITEOUTS),
)
USUAL_LAYERS = st.lists(
    st.lists(entries(USUAL, names(st.sampled_from(["a", "b", "c", ".."]))), max_size=5),
    min_size=1,
    max_size=4,
)


def placed(layers: list[list[Entry]], outside: Path) -> list[bytes]:
    """Build archives whose links point to files that must not change."""
    for layer in layers:
        for info, _ in layer:
            info.linkname = info.linkname.replace("{outside}", str(outside))
    return [tar(*layer) for layer in layers]


def members(data: bytes) -> list[Member]:
    return [entry.member for entry in walk(io.BytesIO(data), Meter())]


def tree_of(archives: list[bytes]) -> Tree:
    tree = Tree()
    for number, data in enumerate(archives):
        tree.apply(number, members(data))
    return tree


def snapshot(outside: Path, inside: Path) -> dict[str, tuple[object, ...]]:
    """Record everything that might change: names, types, modes, owners, links and content."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted({outside, *outside.iterdir(), *inside.parent.iterdir()} - {inside}):
        of = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(of.st_mode) else b""
        found[str(path)] = (of.st_mode, of.st_uid, of.st_nlink, of.st_mtime_ns, content)
    return found


def find_with_entries(root: Path) -> None:
    """Make all directories accessible, so that they can be removed."""
    root.chmod(0o700)
    for above, names, _ in os.walk(root):
        for path in (Path(above, name) for name in names):
            if not path.is_symlink():
                path.chmod(0o700)


@given(layers=LAYERS, as_root=st.booleans())
def test_nothing_outside_the_directory_is_touched(layers: list[list[Entry]], as_root: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        outside, inside = Path(name, "outside"), Path(name, "outside", "inside", "root")
        inside.mkdir(parents=True)
        (outside / "victim").write_text("as it was")
        (outside / "inside" / "victim").write_text("as it was")
        archives = placed(layers, outside)
        before = snapshot(outside, inside)
        extractor = Extractor(inside, as_root=as_root and os.geteuid() == 0)
        try:
            flatten(tree_of(archives), lambda n: walk(io.BytesIO(archives[n]), Meter()), extractor)
            extractor.finish()
        except GhcrctlError:
            pass
        finally:
            find_with_entries(inside)
        assert snapshot(outside, inside) == before


@given(layers=USUAL_LAYERS)
def test_a_directory_has_the_archives_content(layers: list[list[Entry]]) -> None:
    archives = [tar(*layer) for layer in layers]
    try:
        tree = tree_of(archives)
    except GhcrctlError:
        return
    out = io.BytesIO()
    writer = TarWriter(out.write)
    flatten(tree, lambda n: walk(io.BytesIO(archives[n]), Meter()), writer)
    writer.finish()
    out.seek(0)
    with tempfile.TemporaryDirectory() as name, tarfile.open(fileobj=out) as archive:
        extractor = Extractor(Path(name), as_root=False)
        flatten(tree, lambda n: walk(io.BytesIO(archives[n]), Meter()), extractor)
        on_disk = {path: kind for path, kind in listed(Path(name)) if kind not in DEVICES}
        archived = {m.name: kind_of(archive, m) for m in archive if m.name != "."}
    assert on_disk == {path: kind for path, kind in archived.items() if kind not in DEVICES}


DEVICES = {"c", "b"}


def listed(root: Path) -> Iterator[tuple[str, str]]:
    for path in root.rglob("*"):
        yield str(path.relative_to(root)), stat.filemode(path.lstat().st_mode)[0]


def kind_of(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    while member.islnk():
        member = archive.getmember(member.linkname)
    letters = {
        tarfile.DIRTYPE: "d",
        tarfile.SYMTYPE: "l",
        tarfile.CHRTYPE: "c",
        tarfile.BLKTYPE: "b",
        tarfile.FIFOTYPE: "p",
    }
    return letters.get(member.type, "-")


@given(layers=USUAL_LAYERS, path=names(st.sampled_from(["a", "b", "c", "..", "."])))
def test_the_fewest_layers_give_the_same_result_as_all(
    layers: list[list[Entry]], path: str
) -> None:
    # Dangling hard links make the whole archive invalid, but not each query.
    archives = [tar(*layer) for layer in layers]
    try:
        everything = tree_of(archives)
    except GhcrctlError:
        return
    whole = LayeredView(1, lambda _: [])
    whole._lowest, whole._tree = 0, everything
    lazy = LayeredView(len(archives), lambda number: members(archives[number]))
    try:
        expected = whole.find(path)
    except NotFoundError:
        with pytest.raises(NotFoundError):
            lazy.find(path)
        return
    found = lazy.find(path)
    assert (found.path, found.node.member) == (expected.path, expected.node.member)
    if found.node.kind is Kind.DIRECTORY:
        below = lazy.find_with_entries(path).node.children or {}
        shown = {name for name, node in below.items() if not node.is_deleted}
        assert shown == set(expected.node.children or {})


@given(data=st.binary(max_size=2000), start=st.integers(0, 1500))
def test_damaged_archives_are_errors_with_messages(data: bytes, start: int) -> None:
    whole = tar(directory("a/"), file("a/b", b"hello" * 50), symlink("c" * 120, "a/b"))
    damaged = whole[:start] + data + whole[start + len(data) :]
    try:
        for entry in walk(io.BytesIO(damaged), Meter()):
            list(entry.data.chunks())
    except GhcrctlError:
        pass
