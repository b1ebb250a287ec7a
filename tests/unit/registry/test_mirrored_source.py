"""A source that reads from mirrors and the origin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import ManifestUnknownError, NetworkError, RefusedError
from ghcrctl.operations.images.inspect import inspect_remote
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.registries.exists import exists
from tests.builders import random_image
from tests.registry_double import Fault, PlainRegistry, RegistryDouble
from tests.sessions import is_stored, name_at, session_on

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = random_image(3, 100_000, seed=1)


@pytest.fixture
def mirror(plain_registry: PlainRegistry) -> PlainRegistry:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    return plain_registry


@pytest.fixture
def origin(ghcr: RegistryDouble) -> RegistryDouble:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    return ghcr


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault(status=500, times=99),
        Fault(path_contains="/manifests/", status=404, times=99),
        Fault(path_contains="/manifests/", body=b"lies", times=99),
        Fault(path_contains="/blobs/", status=404, times=99),
        Fault(path_contains="/blobs/", status=500, times=99),
        Fault(path_contains="/blobs/", cut_after=5000, times=2),
        Fault(path_contains="/blobs/", body=b"lies", times=99),
        Fault(path_contains="/blobs/", body=b"long " * 100_000, times=99),
        Fault(status=401, times=99),
    ],
    ids=[
        "well",
        "down",
        "no manifest",
        "lies",
        "no blobs",
        "blobs fail",
        "cut",
        "blobs lie",
        "blobs are long",
        "denied",
    ],
)
def test_the_image_arrives_whatever_a_mirror_does(
    tmp_path: Path, mirror: PlainRegistry, origin: RegistryDouble, fault: Fault | None
) -> None:
    if fault:
        mirror.faults.append(fault)
    environ = {"GHCRCTL_MIRRORS": f"{origin.host}={mirror.host}"}
    with session_on(tmp_path, registry=origin.host, token="ghp_octo", environ=environ) as session:
        result = pull(session, name_at(origin, session))
        assert result.digest == IMAGE.root.digest
        assert is_stored(session, IMAGE)
    assert not any(entry.had_authorization for entry in mirror.log)
    if fault is None:
        assert origin.count() == 0


def test_an_unreachable_mirror_is_tried_once(tmp_path: Path, origin: RegistryDouble) -> None:
    said: list[str] = []
    environ = {"GHCRCTL_MIRRORS": f"{origin.host}=127.0.0.1:9"}
    with session_on(
        tmp_path, registry=origin.host, token="ghp_octo", warn=said.append, environ=environ
    ) as session:
        assert pull(session, name_at(origin, session)).updated
        assert inspect_remote(session, name_at(origin, session))["Os"] == "linux"
    assert "127.0.0.1:9/octo/image is not available" in said[0]


def test_missing_content_is_the_origins_error(
    tmp_path: Path, mirror: PlainRegistry, origin: RegistryDouble
) -> None:
    environ = {"GHCRCTL_MIRRORS": f"{origin.host}={mirror.host}"}
    with (
        session_on(tmp_path, registry=origin.host, token="ghp_octo", environ=environ) as session,
        pytest.raises(ManifestUnknownError, match=origin.host),
    ):
        pull(session, name_at(origin, session, "octo/image:none"))


@pytest.mark.parametrize("text", ["{", "[]", "[" * 100_000])
def test_a_broken_file_of_docker_is_named(
    tmp_path: Path, origin: RegistryDouble, text: str
) -> None:
    path = tmp_path / ".config" / "docker" / "daemon.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    said: list[str] = []
    with session_on(tmp_path, registry=origin.host, token="ghp_octo", warn=said.append) as session:
        assert pull(session, name_at(origin, session)).updated
    assert said == [f"ignoring {path}: expected a JSON object"]


def test_the_error_for_an_unreachable_origin_mentions_the_mirror(
    tmp_path: Path, mirror: PlainRegistry
) -> None:
    environ = {"GHCRCTL_MIRRORS": f"127.0.0.1:9={mirror.host}"}
    with (
        session_on(tmp_path, environ=environ) as session,
        pytest.raises(NetworkError, match=f"its mirror does not have it.*{mirror.host}"),
    ):
        pull(session, session.parse("127.0.0.1:9/octo/image:none"))


def test_content_missing_in_all_mirrors_of_a_blocked_registry_is_not_found(
    tmp_path: Path, mirror: PlainRegistry, origin: RegistryDouble
) -> None:
    conf = tmp_path / ".config" / "containers" / "registries.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text(
        f'[[registry]]\nlocation = "{origin.host}"\nblocked = true\n'
        f'[[registry.mirror]]\nlocation = "{mirror.host}"\n'
    )
    with session_on(tmp_path) as session:
        assert pull(session, name_at(origin, session)).updated
        assert exists(session, f"{origin.host}/octo/image:none") is None
        with pytest.raises(ManifestUnknownError, match=mirror.host):
            pull(session, name_at(origin, session, "octo/image:none"))
    assert origin.count() == 0


def test_a_blocked_registry_is_not_contacted(tmp_path: Path, origin: RegistryDouble) -> None:
    conf = tmp_path / ".config" / "containers" / "registries.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text(f'[[registry]]\nlocation = "{origin.host}"\nblocked = true\n')
    with (
        session_on(tmp_path, registry=origin.host, token="ghp_octo") as session,
        pytest.raises(RefusedError, match="blocked"),
    ):
        pull(session, name_at(origin, session))
