"""Registries and logins, from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl import AuthError, Client, FileEntry, Manifest, NotFoundError, Platform, UsageError
from ghcrctl.errors import UnauthorizedError
from tests.builders import random_image

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry, RegistryDouble

ARM = Platform("linux", "arm64")
ONE, OTHER = random_image(seed=1), random_image(seed=1, platform=ARM)
SPDX = "application/spdx+json"


@pytest.fixture
def image(plain_registry: PlainRegistry, repository: str) -> str:
    plain_registry.push_image("octo/image", "1.0", ONE)
    plain_registry.push_image("octo/image", "1.0-arm", OTHER)
    return f"{repository}:1.0"


def test_tags_are_listed_with_their_digests(client: Client, image: str, repository: str) -> None:
    rows = client.tags(repository, details=True, filters=["name=1.0"])
    assert [(row.tag, row.digest) for row in rows] == [("1.0", ONE.root.digest)]
    with pytest.raises(UsageError, match="an image, not a repository"):
        client.tags(image)
    with pytest.raises(NotFoundError):
        client.tags(f"{repository}-none")


@pytest.mark.parametrize("sort", ["age", ""])
def test_an_unknown_order_is_refused(client: Client, repository: str, sort: str) -> None:
    for call in (client.tags, client.images):
        with pytest.raises(UsageError, match="invalid sort key"):
            call(repository, sort=sort)


def test_files_are_attached_and_found(
    tmp_path: Path, client: Client, image: str, repository: str
) -> None:
    path = tmp_path / "sbom.json"
    path.write_text("{}")
    made = client.attach(image, [path], SPDX, annotations={"made": "here"})
    assert made.subject
    assert made.subject.digest == ONE.root.digest
    [node] = client.referrers(image).children
    assert (node.kind, node.descriptor.digest) == (SPDX, made.descriptor.digest)
    client.artifact.push(f"{repository}:files", [FileEntry(path, "text/plain"), __file__], SPDX)
    found = client.artifact.pull(f"{repository}:files", tmp_path / "out")
    assert [file.name for file in found] == ["sbom.json", "test_registries.py"]
    with pytest.raises(UsageError, match="invalid media type"):
        client.attach(image, [path], "sbom")


def test_outdated_images_are_reported(
    client: Client, plain_registry: PlainRegistry, image: str
) -> None:
    client.pull(image)
    assert [one.state.value for one in client.outdated()] == ["current"]
    plain_registry.push_image("octo/image", "1.0", random_image(seed=9))
    assert [one.state.value for one in client.outdated(image)] == ["outdated"]


def test_an_index_is_made_changed_and_read(client: Client, image: str, repository: str) -> None:
    index = f"{repository}:both"
    made = client.manifest.create(index, [image], annotations={"a": "b"})
    assert str(made.reference) == index
    client.manifest.add(index, [f"{repository}:1.0-arm"])
    entries = client.manifest.entries(index)
    assert [entry.platform for entry, _ in entries] == [Platform("linux", "amd64"), ARM]
    # Nothing is pushed before the call of ``push``.
    assert not client.exists(index)
    assert client.manifest.inspect(index, ARM).descriptor.digest == OTHER.root.digest
    client.manifest.push(index)
    client.manifest.annotate(index, ARM, platform="linux/arm64/v8", annotations={"c": "d"})
    with pytest.raises(UsageError, match="without an entry"):
        client.manifest.annotate(index, platform="linux/arm64")
    left = client.manifest.remove(index, ONE.root.digest, push=True)
    parsed = client.manifest.inspect(f"{repository}@{left.digest}")
    assert parsed.annotations == {"a": "b"}
    assert [entry.digest for entry, _ in client.manifest.entries(index)] == [OTHER.root.digest]


def test_an_index_of_the_store_is_pushed(client: Client, image: str, repository: str) -> None:
    client.pull(image)
    made = client.manifest.create(f"{repository}:new", [image], local=True)
    assert made.end.local
    assert client.manifest.push(f"{repository}:new", purge=True).descriptor.digest == made.digest
    assert not client.exists(f"{repository}:new", local=True)
    assert client.digest(f"{repository}:new") == made.digest


def test_images_are_made_of_others(
    tmp_path: Path, client: Client, image: str, repository: str
) -> None:
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer" / "motd").write_text("hello\n")
    more = client.append(image, f"{repository}:more", [tmp_path / "layer"], message="more")
    assert client.cat(more.reference, "/motd", remote=True) == b"hello\n"
    changed = client.mutate(more.reference, f"{repository}:set", changes=["ENV A=b"])
    assert "A=b" in client.inspect(changed.reference, remote=True)["Config"]["Env"]
    flat = client.flatten(changed.reference, f"{repository}:flat", compress="zstd")
    parsed = client.manifest.inspect(flat.reference)
    assert isinstance(parsed, Manifest)
    assert [layer.media_type.rpartition("+")[2] for layer in parsed.layers] == ["zstd"]
    docker = client.convert(image, f"{repository}:docker", form="docker")
    assert "docker" in client.manifest.inspect(docker.reference).descriptor.media_type
    with pytest.raises(UsageError, match="nothing to convert"):
        client.convert(image)


def test_an_image_is_put_on_another_base(
    tmp_path: Path, client: Client, image: str, repository: str, plain_registry: PlainRegistry
) -> None:
    plain_registry.push_image("octo/image", "new", random_image(seed=7))
    (tmp_path / "layer").mkdir()
    made = client.append(image, f"{repository}:app", [tmp_path / "layer"])
    moved = client.rebase(
        made.reference, old_base=image, new_base=f"{repository}:new", target=f"{repository}:app2"
    )
    parsed = client.manifest.inspect(moved.reference)
    assert isinstance(parsed, Manifest)
    assert len(parsed.layers) == 3
    assert client.digest(f"{repository}:app2") == moved.digest


def test_a_credential_is_checked_kept_and_forgotten(
    environ: dict[str, str], ghcr: RegistryDouble
) -> None:
    ghcr.push_image("octo/image", "1.0", ONE)
    with Client(environ=environ) as client:
        with pytest.raises(AuthError):
            client.digest(f"{ghcr.host}/octo/image:1.0")
        with pytest.raises(UnauthorizedError):
            client.login("octo", "wrong", ghcr.host)
        assert client.logged_in() == []
        assert client.login("octo", "ghp_octo", ghcr.host).registry == ghcr.host
        assert client.logged_in() == [ghcr.host]
        assert client.digest(f"{ghcr.host}/octo/image:1.0") == ONE.root.digest
        assert client.logout(ghcr.host)
        with pytest.raises(AuthError):
            client.digest(f"{ghcr.host}/octo/image:1.0")
        client.login("octo", "ghp_octo", ghcr.host)
    assert Client(environ=environ).digest(f"{ghcr.host}/octo/image:1.0") == ONE.root.digest
    assert len(Client(environ=environ).logout(ghcr.host)) == 1
    assert Client(environ=environ).logout(ghcr.host) == []
