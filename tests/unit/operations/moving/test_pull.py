"""Pulling from a registry that behaves like ghcr.io."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    ExitStatus,
    GhcrctlError,
    ManifestUnknownError,
    PlatformNotFoundError,
)
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.archives.save import select_images
from ghcrctl.operations.common.find import find
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.images.inspect import inspect_local
from ghcrctl.operations.images.list import list_images
from ghcrctl.operations.moving.pull import pull, tags_of
from ghcrctl.operations.registries.outdated import State, compare
from tests.builders import artifact, index_of, random_image
from tests.sessions import is_stored, name_at, session_on

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


@pytest.mark.parametrize("format_", ["oci", "docker"])
def test_a_pulled_image_is_stored_byte_for_byte(
    ghcr: RegistryDouble, session: Session, format_: str
) -> None:
    image = random_image(3, format="docker" if format_ == "docker" else "oci")
    ghcr.push_image("octo/image", "1.0", image)
    result = pull(session, name_at(ghcr, session))
    assert (result.digest, result.updated) == (image.root.digest, True)
    for descriptor, content in image.contents:
        assert session.store.blobs.path(descriptor.digest).read_bytes() == content
    again = pull(session, name_at(ghcr, session))
    assert not again.updated


def test_a_second_pull_requests_only_the_tag(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    pull(session, name_at(ghcr, session))
    ghcr.log.clear()
    pull(session, name_at(ghcr, session))
    assert [(entry.method, entry.status) for entry in ghcr.log] == [("GET", 200)]


@pytest.mark.parametrize("which", [0, -2, -1], ids=["layer", "config", "manifest"])
def test_corrupt_stored_content_is_fetched_again(
    tmp_path: Path, ghcr: RegistryDouble, which: int
) -> None:
    image = random_image(2)
    ghcr.push_image("octo/image", "1.0", image)
    descriptor, content = image.contents[which]
    environ = {"GHCRCTL_RETRIES": "0"}
    said: list[str] = []
    for _ in range(2):
        with session_on(
            tmp_path, registry=ghcr.host, token="ghp_octo", warn=said.append, environ=environ
        ) as session:
            pull(session, name_at(ghcr, session))
            path = session.store.blobs.path(descriptor.digest)
            assert path.read_bytes() == content
            path.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    with session_on(
        tmp_path, registry=ghcr.host, token="ghp_octo", warn=said.append, environ=environ
    ) as session:
        pull(session, name_at(ghcr, session))
        assert path.read_bytes() == content
    assert said == []


def test_a_pull_makes_one_request_per_blob_and_one_for_the_token(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(2))
    pull(session, name_at(ghcr, session))
    registry = [e for e in ghcr.log if e.host == "registry" and e.path != "/v2/"]
    assert sum(e.path == "/token" for e in registry) == 1
    assert sum("/manifests/" in e.path and e.status == 200 for e in registry) == 1
    assert sum("/blobs/" in e.path for e in registry) == 3
    assert ghcr.count("GET", "") == len([e for e in ghcr.log if e.method == "GET"])


def test_no_credential_is_sent_to_the_storage_host(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    pull(session, name_at(ghcr, session))
    fetched = [entry for entry in ghcr.log if entry.host == "storage"]
    assert fetched
    assert not any(entry.had_authorization for entry in fetched)


def test_a_pull_of_an_index_stores_this_machines_platform_and_the_index_digest(
    ghcr: RegistryDouble, session: Session
) -> None:
    index = index_of(random_image(platform=ARM64), random_image(platform=AMD64))
    ghcr.push_image("octo/image", "1.0", index)
    result = pull(session, name_at(ghcr, session))
    assert result.digest == index.root.digest
    document = inspect_local(session, str(name_at(ghcr, session)))
    assert document["Architecture"] == "amd64"
    assert document["RepoDigests"] == [f"{ghcr.host}/octo/image@{index.root.digest}"]
    assert not session.store.blobs.exists(index.root)


def test_all_platforms_keep_the_index_itself(ghcr: RegistryDouble, session: Session) -> None:
    nested = index_of(
        index_of(random_image(platform=ARM64), platforms=(ARM64,)),
        random_image(platform=AMD64, seed=1),
        platforms=(None, AMD64),
    )
    ghcr.push_image("octo/image", "1.0", nested)
    pull(session, name_at(ghcr, session), select=Selection(everything=True))
    assert is_stored(session, nested)


def test_a_platform_is_found_in_a_nested_index(ghcr: RegistryDouble, session: Session) -> None:
    inner = index_of(random_image(platform=ARM64), platforms=(ARM64,))
    outer = index_of(inner, random_image(seed=1), platforms=(None, AMD64))
    ghcr.push_image("octo/image", "1.0", outer)
    result = pull(session, name_at(ghcr, session), select=Selection((ARM64,)))
    assert result.descriptor.digest != outer.root.digest
    assert inspect_local(session, str(name_at(ghcr, session)))["Architecture"] == "arm64"


def test_a_subset_of_platforms_becomes_a_smaller_index(
    ghcr: RegistryDouble, session: Session
) -> None:
    third = Platform("linux", "s390x")
    index = index_of(*(random_image(platform=p) for p in (AMD64, ARM64, third)))
    ghcr.push_image("octo/image", "1.0", index)
    result = pull(session, name_at(ghcr, session), select=Selection((AMD64, third)))
    raw = json.loads(session.store.blobs.path(result.descriptor.digest).read_bytes())
    assert [entry["platform"]["architecture"] for entry in raw["manifests"]] == ["amd64", "s390x"]
    assert result.digest == index.root.digest


def test_windows_is_chosen_by_its_build(ghcr: RegistryDouble, session: Session) -> None:
    old = Platform("windows", "amd64", "", "10.0.17763.1")
    new = Platform("windows", "amd64", "", "10.0.20348.5")
    index = index_of(random_image(platform=old), random_image(platform=new))
    ghcr.push_image("octo/image", "1.0", index)
    wanted = Platform.parse("windows/amd64:10.0.20348.999")
    pull(session, name_at(ghcr, session), select=Selection((wanted,)))
    assert inspect_local(session, str(name_at(ghcr, session)))["OsVersion"] == "10.0.20348.5"


def test_a_missing_platform_is_named_with_the_existing_ones(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", index_of(random_image(platform=ARM64)))
    with pytest.raises(PlatformNotFoundError) as caught:
        pull(session, name_at(ghcr, session))
    assert "linux/amd64" in str(caught.value)
    assert "linux/arm64" in str(caught.value.hint)


def test_an_artifact_is_stored_and_shown_with_its_type(
    ghcr: RegistryDouble, session: Session
) -> None:
    thing = artifact("application/vnd.example.thing")
    ghcr.push_image("octo/image", "1.0", thing)
    assert pull(session, name_at(ghcr, session)).kind == "application/vnd.example.thing"
    document = inspect_local(session, str(name_at(ghcr, session)))
    assert document["ArtifactType"] == "application/vnd.example.thing"
    assert [row.kind for row in list_images(session)] == ["application/vnd.example.thing"]


def test_a_pull_by_digest_has_no_tag(ghcr: RegistryDouble, session: Session) -> None:
    image = random_image()
    ghcr.push_image("octo/image", "1.0", image)
    by_digest = f"octo/image@{image.root.digest}"
    pull(session, name_at(ghcr, session, by_digest))
    [row] = list_images(session)
    assert (row.tag, row.digest) == ("", image.root.digest)
    assert inspect_local(session, f"{ghcr.host}/{by_digest}")["RepoDigests"]


def test_an_expired_credential_does_not_block_a_public_image(
    tmp_path: Path, ghcr: RegistryDouble
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    ghcr.public.add("octo/image")
    said: list[str] = []
    with session_on(tmp_path, registry=ghcr.host, token="ghp_old", warn=said.append) as session:
        assert pull(session, name_at(ghcr, session)).updated
    [warning] = said
    assert warning.endswith("or unset it: unset GHCRCTL_TOKEN")
    assert "ghp_old" not in warning


@pytest.mark.parametrize("token", ["", "ghp_wrong"])
def test_a_private_image_is_denied(tmp_path: Path, ghcr: RegistryDouble, token: str) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    with (
        session_on(tmp_path, registry=ghcr.host, token=token) as session,
        pytest.raises(GhcrctlError) as caught,
    ):
        pull(session, name_at(ghcr, session))
    assert caught.value.exit_status is ExitStatus.AUTH
    assert "wrong" not in repr(caught.value)


def test_an_unknown_tag_is_not_found(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    with pytest.raises(ManifestUnknownError):
        pull(session, name_at(ghcr, session, "octo/image:2.0"))


def test_all_tags_are_listed_without_helper_tags(
    ghcr: RegistryDouble, session: Session, warnings: list[str]
) -> None:
    image = random_image()
    wanted = [f"v{number:03}" for number in range(120)]
    for name in (*wanted, f"sha256-{'a' * 64}", f"sha256-{'b' * 64}.sig"):
        ghcr.push_image("octo/image", name, image)
    tags = tags_of(session, name_at(ghcr, session, "octo/image"))
    assert sorted(t.tag or "" for t in tags) == wanted
    assert any(text.startswith("skipped 2 tags") for text in warnings)


def test_a_digest_resolves_to_the_platform_pulled_last(
    ghcr: RegistryDouble, session: Session
) -> None:
    arm, amd = random_image(seed=1, platform=ARM64), random_image(seed=2, platform=AMD64)
    index = index_of(arm, amd)
    ghcr.push_image("octo/image", "1.0", index)
    name = name_at(ghcr, session)
    by_digest = str(name.with_digest(index.root.digest))
    pull(session, name, select=Selection((ARM64,)))
    assert session.store.origins.read(index.root.digest) == index.raw
    pull(session, name)
    for text in (str(name), by_digest, str(index.root.digest)):
        assert find(session, text).record.descriptor.digest == amd.root.digest, text
    assert [i.root.digest for i in select_images(session, [by_digest])] == [amd.root.digest]
    pull(session, name.with_digest(index.root.digest), select=Selection((ARM64,)))
    assert find(session, by_digest).record.descriptor.digest == arm.root.digest
    assert find(session, str(name)).record.descriptor.digest == amd.root.digest
    # The tag keeps its image; the digest resolves to the platform pulled last.
    assert inspect_local(session, str(name))["RepoDigests"] == []
    assert inspect_local(session, by_digest)["RepoDigests"] == [by_digest]
    [tagged] = [r for r in session.store.records() if r.name == str(name)]
    assert tagged.part_of == by_digest
    assert [one.state for one in compare(session)] == [State.CURRENT]
    assert not pull(session, name).updated
    pull(session, name.with_digest(index.root.digest), select=Selection(everything=True))
    pull(session, name)
    assert find(session, by_digest).record.descriptor.digest == index.root.digest
