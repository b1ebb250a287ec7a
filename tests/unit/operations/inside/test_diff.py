"""Differences between two images, and the layers that are read to find them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.operations.inside.diff import Difference, diff
from ghcrctl.operations.inside.image_layers import ImageSelector
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.filesystems import directory, file, hard_link, image_of, symlink, tar

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.builders import Built
    from tests.registry_double import RegistryDouble

BASE = tar(
    directory("etc/"), file("etc/a", b"a"), file("etc/b", b"bb"), directory("lib/"), file("lib/x")
)
CONFIG = {"Env": ["PATH=/bin", "OLD=1"], "Cmd": ["/a"], "Labels": {"v": "1"}, "User": "root"}
CHANGED = {
    "Env": ["PATH=/usr/bin", "NEW=2"],
    "Cmd": ["/b"],
    "Labels": {"v": "1"},
    "ExposedPorts": {"80/tcp": {}},
}


def compared(session: Session, one: Built, two: Built, **options: Any) -> Difference:
    wanted = []
    for number, built in enumerate((one, two)):
        memory = MemoryPlace()
        built.into(memory)
        name = f"ghcr.io/octo/image:{number}"
        execute(make_plan(memory, StorePlace(session.store), built.root, names=(name,)))
        wanted.append(ImageSelector(name))
    return diff(session, wanted[0], wanted[1], **options)


def files_of(found: Difference) -> dict[str, tuple[str, ...]]:
    assert found.files is not None
    signs = {(True, False): "-", (False, True): "+", (True, True): "~"}
    return {
        change.path: (signs[change.before is not None, change.after is not None], *change.what)
        for change in found.files
    }


def test_an_image_does_not_differ_from_itself(session: Session) -> None:
    image = image_of(BASE, config=CONFIG)
    assert compared(session, image, image, files=True).is_empty


def test_fields_of_manifest_and_config_are_compared(session: Session) -> None:
    one, two = image_of(BASE, config=CONFIG), image_of(BASE, config=CHANGED)
    found = compared(session, one, two)
    assert [change.field for change in found.manifest] == ["digest"]
    assert [(c.field, c.before, c.after) for c in found.config] == [
        ("cmd", '["/a"]', '["/b"]'),
        ("user", "root", None),
        ("env PATH", "/bin", "/usr/bin"),
        ("env OLD", "1", None),
        ("env NEW", None, "2"),
        ("port 80/tcp", None, ""),
    ]
    assert (found.layers, len(found.shared), found.files) == ([], 1, None)


def test_layers_are_compared_by_uncompressed_content(session: Session) -> None:
    top, other = tar(file("top")), tar(file("other"))
    one, two = image_of(BASE, top), image_of(BASE, other, packed=[BASE, other])
    base, gone, new = compared(session, one, two).layers
    assert base.before
    assert base.after
    assert base.before.digest != base.after.digest
    assert (gone.after, new.before) == (None, None)


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ([file("etc/new", b"n")], [], {"etc/new": ("+",)}),
        ([file("etc/.wh.a")], [], {"etc/a": ("-",)}),
        ([file("etc/a", b"A")], [], {"etc/a": ("~", "content")}),
        ([file("etc/a", b"a", mode=0o600)], [], {"etc/a": ("~", "mode")}),
        ([file("etc/a", b"a", mtime=5)], [], {}),
        ([directory("etc/", uid=5)], [], {"etc": ("~", "owner")}),
        ([symlink("etc/a", "b")], [], {"etc/a": ("~", "type")}),
        ([file(".wh.etc")], [], {"etc": ("-",), "etc/a": ("-",), "etc/b": ("-",)}),
        ([file("new", b"1")], [file("new", b"2")], {"new": ("~", "content")}),
        ([symlink("l", "a")], [symlink("l", "b")], {"l": ("~", "target")}),
        ([file("x", pax_headers={"SCHILY.xattr.user.a": "1"})], [file("x")], None),
        ([hard_link("etc/c", "etc/a")], [file("etc/c", b"a")], {}),
    ],
)
def test_files_are_compared_without_their_times(
    session: Session, one: Any, two: Any, expected: dict[str, tuple[str, ...]] | None
) -> None:
    before, after = image_of(BASE, tar(*two)), image_of(BASE, tar(*one))
    wanted = {"x": ("~", "attributes")} if expected is None else expected
    assert files_of(compared(session, before, after, files=True)) == wanted


def test_shared_layers_are_read_once_and_only_if_needed(
    session: Session, ghcr: RegistryDouble
) -> None:
    whole = [directory("app/"), file("app/.wh..wh..opq"), file("app/x", b"1")]
    images = {
        "1": image_of(BASE, tar(*whole)),
        "2": image_of(BASE, tar(*whole[:2], file("app/x", b"22"))),
        "3": image_of(BASE, tar(*whole, file("etc/a"))),
    }
    for tag, image in images.items():
        ghcr.push_image("octo/image", tag, image)
    one, two, three = (
        ImageSelector(f"{ghcr.host}/octo/image:{tag}", is_remote=True) for tag in images
    )
    base = str(images["1"].blobs[0][0].digest)

    def reads() -> int:
        return sum(base in entry.path and entry.status == 200 for entry in ghcr.log)

    assert files_of(diff(session, one, two, files=True)) == {"app/x": ("~", "content")}
    assert reads() == 0
    assert files_of(diff(session, one, three, files=True)) == {"etc/a": ("~", "content")}
    assert reads() == 1


def test_unusual_configs_are_compared(session: Session) -> None:
    odd = image_of(BASE)
    body = json.loads(odd.contents[-2][1])
    assert body["config"] == {}
    strange = {"Env": "x", "Labels": [1], "ExposedPorts": ["80"], "Volumes": None, "Cmd": "sh"}
    assert compared(session, odd, image_of(BASE, config=strange)).config[0].field == "cmd"
