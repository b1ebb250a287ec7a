"""The image API of a real docker engine."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from ghcrctl.archive.engine import Engine
from ghcrctl.errors import NoSuchImageError, UnsupportedError
from ghcrctl.settings import Settings
from tests.integration.engines import GREETING, context, docker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from tests.integration.engines import Docker

__all__ = ["context", "docker"]
pytestmark = pytest.mark.integration


@pytest.fixture
def engine(docker: Docker) -> Engine:
    return Engine(*Settings(docker.environ).docker_engine)


def chunks(stream: Stream) -> Iterator[bytes]:
    try:
        yield from iter(lambda: stream.read(100_000), b"")
    finally:
        stream.close()


def test_save_and_load_round_trip(docker: Docker, engine: Engine, context: Path) -> None:
    names = ["octo/leaves:1", "localhost:5000/octo/leaves:2"]
    docker.run("build", "-q", "--network", "none", "-t", names[0], str(context))
    image_id = engine.inspect(names[0])["Id"]
    engine.tag(image_id, names[1])
    saved = b"".join(chunks(engine.save(names)))
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        assert "manifest.json" in archive.getnames()
    docker.run("rmi", "-f", image_id)
    with pytest.raises(NoSuchImageError, match=names[0]):
        engine.inspect(names[0])
    assert sorted(engine.load([saved])) == sorted(names)
    assert docker.run("run", "--rm", "--network", "none", names[1]).strip() == GREETING
    without_name = engine.load(chunks(engine.save([image_id])))
    assert without_name == [image_id]
    docker.run("rmi", "-f", image_id)


def test_missing_image_is_named(engine: Engine) -> None:
    engine.ping()
    for act in (engine.inspect, lambda name: engine.save([name]), lambda n: engine.tag(n, "a:1")):
        with pytest.raises(NoSuchImageError, match=r"has no image octo/none:1$"):
            act("octo/none:1")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (b"no archive" * 1000, "archive/tar: invalid tar header"),
        (b"", "repositories: no such file or directory"),
    ],
)
def test_docker_error_is_quoted(engine: Engine, given: bytes, words: str) -> None:
    with pytest.raises(UnsupportedError, match=words):
        engine.load([given])


def test_incomplete_archive_is_not_loaded(docker: Docker, engine: Engine) -> None:
    def stopping() -> Iterator[bytes]:
        yield bytes(100_000)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.load(stopping())
    assert docker.run("images", "-q").strip() == ""
