"""The conformance suite of sources and sinks with Debian's docker-registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import RegistryUnavailableError
from tests.builders import random_image
from tests.conformance.suites import Rig, SinkSuite, SourceSuite, fill, repository_rig
from tests.integration.docker_registry import docker_registry
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.docker_registry import DockerRegistry

__all__ = ["docker_registry"]
pytestmark = pytest.mark.integration


@pytest.fixture
def rig(docker_registry: DockerRegistry, tmp_path: Path) -> Iterator[Rig]:
    with session_on(tmp_path / "home") as session:
        yield repository_rig(session, f"{docker_registry.host}/octo/image")


class TestSource(SourceSuite):
    """The source contract."""

    def test_a_blob_digest_does_not_resolve_to_a_manifest(self, rig: Rig) -> None:
        # docker-registry parses any blob as a manifest and fails with status 500.
        image = random_image(seed=1)
        fill(rig, image, "v1")
        with pytest.raises(RegistryUnavailableError):
            rig.place.resolve(str(image.blobs[0][0].digest))


class TestSink(SinkSuite):
    """The sink contract."""
