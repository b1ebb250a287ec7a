"""Docker's engine as an endpoint of a copy."""

from __future__ import annotations

import io
import json
import tarfile
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import NoSuchImageError, NotFoundError, UnsupportedError, UsageError
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.moving.copy import Copied, CopyOptions, OpenTarget, copy_into
from ghcrctl.operations.moving.endpoints.parse import parse_endpoint
from ghcrctl.transfer.events import Event, Planned
from tests.builders import index_of, random_image
from tests.registry_double import Fault
from tests.sessions import session_on
from tests.unit.archive.engine_double import RunningDouble

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Observer
    from tests.registry_double import PlainRegistry
    from tests.unit.archive.engine_double import EngineDouble

IMAGES = [
    random_image(2, 200_000, seed=n, platform=Platform("linux", a))
    for n, a in enumerate(("amd64", "arm64"))
]
INDEX = index_of(*IMAGES)
LOADED = [b'{"stream":"Loaded image: docker.io/octo/image:1.0\\n"}\r\n']
REFUSED = [b'{"errorDetail":{"message":"it is full"},"error":"it is full"}\r\n']


@pytest.fixture
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineDouble]:
    with RunningDouble(tmp_path_factory.mktemp("e")) as running:
        running.double.loaded = LOADED
        yield running.double


@pytest.fixture
def session(tmp_path: Path, engine: EngineDouble) -> Iterator[Session]:
    with session_on(tmp_path / "home", environ={"DOCKER_HOST": engine.address}) as made:
        yield made


@pytest.fixture
def start(plain_registry: PlainRegistry) -> str:
    plain_registry.push_image("octo/image", "1.0", INDEX)
    return f"{plain_registry.host}/octo/image:1.0"


def copy(
    session: Session,
    source: str,
    target: str,
    copy_options: CopyOptions = CopyOptions(),  # noqa: B008 frozen
    observer: Observer = lambda _: None,
) -> Copied:
    end = parse_endpoint(session, target)
    with end.sink(session, dry_run=copy_options.dry_run) as sink:
        return copy_into(
            session,
            parse_endpoint(session, source),
            OpenTarget(end, sink),
            copy_options,
            observer=observer,
        )


def listed(archive: bytes | None) -> list[dict[str, object]]:
    """Return docker's list in an archive."""
    assert archive is not None
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        member = tar.extractfile("manifest.json")
        assert member is not None
        found: list[dict[str, object]] = json.load(member)
        return found


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("docker-daemon:octo/copy", "docker.io/octo/copy:1.0"),
        ("docker-daemon:octo/copy:2", "docker.io/octo/copy:2"),
        ("docker-daemon:hello", "hello:1.0"),
        ("docker-daemon:ghcr.io/octo/copy:3", "ghcr.io/octo/copy:3"),
    ],
)
def test_an_engine_gets_one_platform_with_its_name(
    session: Session, engine: EngineDouble, start: str, target: str, name: str
) -> None:
    done = copy(session, start, target)
    assert done.target.shown == f"docker-daemon:{name}"
    assert done.descriptor.digest == IMAGES[0].root.digest
    [image] = listed(engine.received[0])
    assert image["RepoTags"] == [name]
    assert not session.settings.store_dir.exists()


def test_an_engine_gets_several_platforms_on_request(
    session: Session, engine: EngineDouble, start: str, tmp_path: Path
) -> None:
    both = CopyOptions(Selection((Platform("linux", "amd64"), Platform("linux", "arm64"))))
    copy(session, start, "docker-daemon:", both)
    copy(session, start, f"archive:{tmp_path}/same.tar", both)
    assert engine.received == [(tmp_path / "same.tar").read_bytes()]


def test_an_engine_never_gets_the_end_of_an_incomplete_archive(
    session: Session, engine: EngineDouble, plain_registry: PlainRegistry, start: str
) -> None:
    layer = IMAGES[0].blobs[1][0].digest
    plain_registry.faults.append(Fault(path_contains=f"/blobs/{layer}", status=404, times=9))
    with pytest.raises(NotFoundError, match="reading from"):
        copy(session, start, "docker-daemon:")
    deadline = time.monotonic() + 10
    while not engine.received and time.monotonic() < deadline:
        time.sleep(0.02)
    assert engine.received == [None]


@pytest.mark.parametrize(("answer", "message"), [(REFUSED, "it is full"), ([], "loaded nothing")])
def test_an_engine_that_rejects_the_image_is_an_error(
    session: Session, engine: EngineDouble, start: str, answer: list[bytes], message: str
) -> None:
    engine.loaded = answer
    with pytest.raises(UnsupportedError, match=message):
        copy(session, start, "docker-daemon:")


def test_a_dry_run_only_checks_that_the_engine_exists(
    session: Session, engine: EngineDouble, start: str
) -> None:
    events: list[Event] = []
    copy(session, start, "docker-daemon:", CopyOptions(dry_run=True), events.append)
    assert engine.requested == ["GET /_ping"]
    assert isinstance(events[-1], Planned)
    everything = sum(descriptor.size for descriptor, _ in IMAGES[0].contents)
    assert events[-1].plan.bytes_to_move == everything


@pytest.mark.parametrize(
    ("text", "asked", "name"),
    [
        ("octo/image:1.0", "docker.io/octo/image:1.0", "octo/copy:1.0"),
        ("hello", "hello:latest", "octo/copy:latest"),
        ("0123456789ab", "0123456789ab", "octo/copy:1.0"),
        (f"sha256:{'a' * 64}", f"sha256:{'a' * 64}", "octo/copy:1.0"),
    ],
)
def test_an_image_is_copied_from_an_engine(
    session: Session, engine: EngineDouble, start: str, text: str, asked: str, name: str
) -> None:
    copy(session, start, "docker-daemon:octo/image")
    engine.images[asked] = {}
    engine.saved = engine.received[0] or b""
    done = copy(session, f"docker-daemon:{text}", start.replace("image:1.0", "copy"))
    assert engine.queries[-1]["names"] == [asked]
    assert done.descriptor.digest == IMAGES[0].root.digest
    assert done.target.shown.endswith(name)


def test_an_image_missing_in_the_engine_is_an_error(
    session: Session, start: str, tmp_path: Path
) -> None:
    with pytest.raises(NoSuchImageError, match="has no image"):
        copy(session, "docker-daemon:octo/none:1", f"oci:{tmp_path}/x")
    with pytest.raises(UsageError, match="is an ID"):
        copy(session, start, "docker-daemon:0123456789ab")
