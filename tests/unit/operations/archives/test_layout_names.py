"""All commands name images in layouts in the same way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.archive.names import ORIGIN, OUR_NAME, REF_NAME
from ghcrctl.errors import ManifestUnknownError
from ghcrctl.operations.archives.load import load
from ghcrctl.operations.archives.save import save_directory
from ghcrctl.operations.images.list import list_images
from ghcrctl.operations.moving.endpoints.parse import parse_endpoint
from tests.builders import random_image
from tests.sessions import session_on
from tests.unit.operations.images.test_damage import copy
from tests.unit.operations.images.test_true_names import names, put

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session

NAME, OTHER = "ghcr.io/octo/image:1.0", "ghcr.io/octo/other:1.0"
IMAGE, SECOND = random_image(seed=1), random_image(seed=2)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path / "here") as made:
        put(made, IMAGE, NAME, IMAGE.root.digest)
        put(made, SECOND, OTHER)
        yield made


def listed(folder: Path) -> dict[str, str]:
    """Return the digests in a layout by the names under which other programs find them."""
    entries = json.loads((folder / "index.json").read_bytes())["manifests"]
    return {e.get("annotations", {}).get(REF_NAME, ""): e["digest"] for e in entries}


def found(session: Session, text: str) -> Digest:
    with parse_endpoint(session, text).source(session) as image:
        return image.root.digest


def write(session: Session, how: str, folder: Path, *full: str) -> None:
    for name in full:
        if how == "save":
            save_directory(session, [name], folder)
        else:
            copy(session, f"store:{name}", f"oci:{folder}")


@pytest.mark.parametrize("how", ["save", "copy"])
def test_an_image_is_found_by_its_tag_and_keeps_its_full_name(
    session: Session, tmp_path: Path, how: str
) -> None:
    folder = tmp_path / "layout"
    write(session, how, folder, NAME, NAME)
    assert listed(folder) == {"1.0": str(IMAGE.root.digest)}
    [entry] = json.loads((folder / "index.json").read_bytes())["manifests"]
    ours = {key for key in entry["annotations"] if key.startswith("io.ghcrctl.")}
    assert ours <= {OUR_NAME, ORIGIN}
    for name in ("", ":1.0", f":{NAME}", f"@{IMAGE.root.digest}"):
        assert found(session, f"oci:{folder}{name}") == IMAGE.root.digest
    with session_on(tmp_path / "there") as other:
        assert [image.name for image in load(other, folder)] == [NAME]
    with session_on(tmp_path / "elsewhere") as other:
        copy(other, f"oci:{folder}:1.0", "store:")
        assert names(other) == {NAME: IMAGE.root.digest}


def test_two_images_with_one_tag_are_both_saved(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    write(session, "save", folder, NAME, OTHER, NAME, OTHER)
    expected = {"1.0": str(IMAGE.root.digest), OTHER: str(SECOND.root.digest)}
    assert listed(folder) == expected
    assert found(session, f"oci:{folder}:{OTHER}") == SECOND.root.digest
    with session_on(tmp_path / "there") as other:
        assert sorted(image.name for image in load(other, folder)) == [NAME, OTHER]


def test_two_names_of_one_image_with_one_tag_are_both_saved(
    session: Session, tmp_path: Path
) -> None:
    folder = tmp_path / "layout"
    put(session, IMAGE, OTHER)
    write(session, "save", folder, NAME, OTHER, NAME, OTHER)
    assert listed(folder) == dict.fromkeys(("1.0", OTHER), str(IMAGE.root.digest))
    with session_on(tmp_path / "there") as other:
        assert sorted(image.name for image in load(other, folder)) == [NAME, OTHER]


def test_a_new_version_replaces_the_old_one(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    write(session, "save", folder, NAME)
    put(session, SECOND, NAME)
    write(session, "save", folder, NAME)
    assert listed(folder) == {"1.0": str(SECOND.root.digest)}


def test_a_given_name_is_written_unchanged(session: Session, tmp_path: Path) -> None:
    copy(session, f"store:{NAME}", f"oci:{tmp_path}/layout:mine")
    assert listed(tmp_path / "layout") == {"mine": str(IMAGE.root.digest)}
    with session_on(tmp_path / "there") as other:
        [loaded] = load(other, tmp_path / "layout")
        assert (loaded.name, loaded.tag) == ("", "mine")


def test_an_image_without_a_name_counts_as_latest(session: Session, tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    short = IMAGE.contents[-2][0].digest.short
    save_directory(session, [short], folder)
    assert listed(folder) == {"": str(IMAGE.root.digest)}
    assert found(session, f"oci:{folder}:latest") == IMAGE.root.digest
    save_directory(session, [SECOND.contents[-2][0].digest.short], folder)
    with pytest.raises(ManifestUnknownError):
        found(session, f"oci:{folder}:latest")


def test_a_directory_keeps_the_digest_of_the_repository(session: Session, tmp_path: Path) -> None:
    save_directory(session, [NAME], tmp_path / "layout")
    with session_on(tmp_path / "there") as other:
        load(other, tmp_path / "layout")
        [row] = list_images(other)
        assert row.digest == IMAGE.root.digest
