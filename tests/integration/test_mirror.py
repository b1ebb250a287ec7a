"""Debian's docker-registry as a pull-through cache that fails during a pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.moving.push import push
from ghcrctl.transfer.events import Finished
from tests.builders import random_image
from tests.integration.docker_registry import docker_registry, running
from tests.sessions import is_stored, session_on
from tests.unit.store.acts import fill

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.transfer.events import Event
    from tests.integration.docker_registry import DockerRegistry

__all__ = ["docker_registry"]
pytestmark = pytest.mark.integration
IMAGE = random_image(6, 500_000, seed=1)


def test_cache_may_fail_during_a_pull(docker_registry: DockerRegistry, tmp_path: Path) -> None:
    name = f"{docker_registry.host}/octo/image:1.0"
    with session_on(tmp_path / "publisher") as session:
        fill(session.store, IMAGE, name, pulled=False)
        push(session, session.parse(name))
    folder = tmp_path / "cache"
    folder.mkdir()
    with running(folder, {"proxy": {"remoteurl": docker_registry.url}}) as cache:
        environ = {"GHCRCTL_MIRRORS": f"{docker_registry.host}=127.0.0.1:{cache.port}"}
        asked: list[str] = []
        with session_on(tmp_path / "first", environ=environ, debug=asked.append) as session:
            pull(session, session.parse(name))
            assert is_stored(session, IMAGE)
        assert not [line for line in asked if docker_registry.host in line]

        def stop(event: Event) -> None:
            if isinstance(event, Finished):
                cache.process.kill()

        said: list[str] = []
        environ["GHCRCTL_JOBS"] = "1"
        with session_on(tmp_path / "second", environ=environ, warn=said.append) as session:
            pull(session, session.parse(name), observer=stop)
            assert is_stored(session, IMAGE)
        assert "is not available" in said[0]
