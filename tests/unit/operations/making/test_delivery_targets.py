"""The rules for the destination of a new image."""

from __future__ import annotations

import pytest

from ghcrctl.errors import UsageError
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.reference import Reference
from ghcrctl.operations.making.destination import choose_destination
from ghcrctl.operations.making.indexes import NAMELESS, IndexTarget

DIGEST = f"sha256:{'a' * 64}"
ROOT = Digest.of(b"image")


def _end(text: str, *, local: bool = False, root: Digest | None = None) -> IndexTarget:
    return IndexTarget(Reference.parse(text), local, root)


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("source", ["o/a", "o/a:1", f"o/a@{DIGEST}", f"o/a:1@{DIGEST}"])
def test_without_a_target_no_tag_is_moved(source: str, *, local: bool) -> None:
    found = choose_destination(_end(source, local=local), None)
    assert found == _end("o/a", local=local)
    assert (found.reference.tag, found.reference.digest) == (None, None)


def test_a_tag_is_replaced_only_if_it_names_the_source() -> None:
    source = _end("o/a:1", local=True)
    assert choose_destination(source, None, replace=True) is source


@pytest.mark.parametrize("source", ["o/a:1", f"o/a@{DIGEST}"])
def test_a_target_does_not_depend_on_the_source(source: str) -> None:
    target = _end("o/b:2")
    assert choose_destination(_end(source), target) is target
    assert choose_destination(IndexTarget(NAMELESS, local=True, root=ROOT), target) is target


@pytest.mark.parametrize(
    ("source", "target", "replace", "message", "hint"),
    [
        ("o/a:1", "o/b:2", True, "are mutually exclusive", "--replace moves ghcr.io/o/a:1"),
        (f"o/a:1@{DIGEST}", None, True, "it has a digest", "omit the digest: ghcr.io/o/a:1"),
        (f"o/a@{DIGEST}", None, True, "invalid target `ghcr.io/o/a@", "--tag ghcr.io/o/a:TAG"),
        ("o/a", None, True, "invalid target `ghcr.io/o/a`", "--tag ghcr.io/o/a:TAG"),
        ("o/a:1", "o/b", False, "invalid target `ghcr.io/o/b`", "--tag ghcr.io/o/b:TAG"),
        ("o/a:1", f"o/b:2@{DIGEST}", False, "expected NAME:TAG", "--tag ghcr.io/o/b:TAG"),
        ("o/a:1", f"o/b@{DIGEST}", False, "expected NAME:TAG", "--tag ghcr.io/o/b:TAG"),
    ],
)
def test_an_invalid_target_name_is_refused(
    source: str, target: str | None, message: str, hint: str, *, replace: bool
) -> None:
    end = _end(target) if target else None
    with pytest.raises(UsageError) as caught:
        choose_destination(_end(source), end, replace=replace)
    assert message in caught.value.message
    assert hint in str(caught.value.hint)


def test_an_image_given_by_its_id_needs_a_name() -> None:
    named = IndexTarget(Reference.parse("o/a:1"), local=True, root=ROOT)
    with pytest.raises(UsageError, match="cannot replace a tag: the image is given by its ID"):
        choose_destination(named, None, replace=True)
    assert choose_destination(named, None).reference == Reference.parse("o/a")
    nameless = IndexTarget(NAMELESS, local=True, root=ROOT)
    with pytest.raises(UsageError, match=f"the image {ROOT} has no name"):
        choose_destination(nameless, None)
    with pytest.raises(UsageError, match="cannot replace a tag"):
        choose_destination(nameless, None, replace=True)
