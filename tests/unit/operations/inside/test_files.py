"""Listing and reading files of local and remote images."""

from __future__ import annotations

import json
import random
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import (
    DigestMismatchError,
    IntegrityError,
    InvalidManifestError,
    NoSuchImageError,
    NotFoundError,
    PlatformNotFoundError,
    RefusedError,
    UnsupportedError,
)
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.inside.files import list_files, read_file
from ghcrctl.operations.inside.image_layers import ImageSelector
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import Built, artifact, index_of, random_image
from tests.filesystems import directory, file, image_of, special, symlink, tar
from tests.registry_double.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble

NAME = "ghcr.io/octo/image:1.0"
BASE = tar(
    directory("etc/"),
    file("etc/passwd", b"root"),
    file("etc/old", b"old"),
    directory("var/"),
    *[file(f"var/{number}", b"x" * 100) for number in range(3)],
)
TOP = tar(
    directory("etc/"),
    file("etc/.wh.old"),
    file("etc/motd", b"hello\0\xff"),
    symlink("motd", "/etc/motd"),
    special("null", tarfile.CHRTYPE),
    file("empty"),
)
IMAGE = image_of(BASE, TOP)


def put(session: Session, built: Built, name: str = NAME) -> None:
    memory = MemoryPlace()
    built.into(memory)
    execute(make_plan(memory, StorePlace(session.store), built.root, names=(name,)))


@pytest.fixture(params=["local", "remote"])
def wanted(request: pytest.FixtureRequest, session: Session, ghcr: RegistryDouble) -> ImageSelector:
    """The image, local or remote."""
    if request.param == "local":
        put(session, IMAGE)
        return ImageSelector(NAME)
    ghcr.push_image("octo/image", "1.0", IMAGE)
    return ImageSelector(f"{ghcr.host}/octo/image:1.0", is_remote=True)


def content(session: Session, wanted: ImageSelector, path: str) -> bytes:
    parts: list[bytes] = []
    read_file(session, wanted, path, parts.append)
    return b"".join(parts)


def test_a_directory_is_listed_by_name(session: Session, wanted: ImageSelector) -> None:
    rows = list_files(session, wanted)
    assert [(row.name, row.path) for row in rows] == [
        (name, f"/{name}") for name in ("empty", "etc", "motd", "null", "var")
    ]
    assert [row.name for row in list_files(session, wanted, "etc/")] == ["motd", "passwd"]


def test_recursive_lists_start_at_the_given_directory(
    session: Session, wanted: ImageSelector
) -> None:
    rows = list_files(session, wanted, "/", recursive=True)
    assert [row.name for row in rows][:4] == ["empty", "etc", "etc/motd", "etc/passwd"]
    [*_, last] = list_files(session, wanted, "var", recursive=True)
    assert (last.name, last.path, last.member.size) == ("2", "/var/2", 100)


def test_a_file_is_listed_with_the_given_path(session: Session, wanted: ImageSelector) -> None:
    [row] = list_files(session, wanted, "motd")
    assert (row.name, row.path, row.member.size) == ("motd", "/etc/motd", 7)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/etc/passwd", b"root"),
        ("motd", b"hello\0\xff"),
        ("empty", b""),
        ("var/../var/1", b"x" * 100),
    ],
)
def test_a_file_is_read_byte_for_byte(
    session: Session, wanted: ImageSelector, path: str, expected: bytes
) -> None:
    assert content(session, wanted, path) == expected


@pytest.mark.parametrize("path", ["/etc", "null", "/"])
def test_only_regular_files_can_be_read(session: Session, wanted: ImageSelector, path: str) -> None:
    with pytest.raises(RefusedError, match="not a regular file"):
        content(session, wanted, path)


@pytest.mark.parametrize("path", ["/etc/old", "none", "/etc/passwd/x"])
def test_a_missing_path_is_an_error(session: Session, wanted: ImageSelector, path: str) -> None:
    with pytest.raises(NotFoundError, match="not found"):
        content(session, wanted, path)
    with pytest.raises(NotFoundError):
        list_files(session, wanted, path)


def test_remote_layers_are_read_once_and_only_if_needed(
    session: Session, ghcr: RegistryDouble
) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    wanted = ImageSelector(f"{ghcr.host}/octo/image:1.0", is_remote=True)
    assert content(session, wanted, "etc/motd") == b"hello\0\xff"
    base, top = (descriptor.digest for descriptor, _ in IMAGE.blobs[:2])
    statuses = [entry.status for entry in ghcr.log if str(top) in entry.path]
    assert statuses.count(200) == 1
    assert not [entry for entry in ghcr.log if str(base) in entry.path]


@pytest.mark.parametrize(
    ("broken", "error", "words"),
    [
        (
            image_of(BASE, TOP, diff_ids=["sha256:" + "0" * 64] * 2),
            DigestMismatchError,
            "does not match the diff ID",
        ),
        (
            image_of(BASE, TOP, diff_ids=["sha256:" + "0" * 64]),
            InvalidManifestError,
            "lists 1 layers",
        ),
        (image_of(BASE, diff_ids=["nothing"]), InvalidManifestError, "invalid digest"),
        (image_of(BASE, packed=[b"no archive"]), IntegrityError, "reading the layer sha256:"),
        (image_of(BASE, layer_type="application/x-disk"), UnsupportedError, "not a tar archive"),
        (artifact(), UnsupportedError, "not a container image"),
    ],
)
def test_an_invalid_image_is_a_clear_error(
    session: Session, broken: Built, error: type[Exception], words: str
) -> None:
    put(session, broken)
    with pytest.raises(error, match=words):
        list_files(session, ImageSelector(NAME))


def test_nothing_of_a_damaged_layer_is_written(session: Session) -> None:
    put(session, image_of(BASE, diff_ids=["sha256:" + "0" * 64]))
    given: list[bytes] = []
    with pytest.raises(IntegrityError):
        read_file(session, ImageSelector(NAME), "etc/passwd", given.append)
    assert not given


def test_the_platform_is_chosen_as_in_other_commands(session: Session) -> None:
    arm = random_image(1, platform=Platform("linux", "arm64"))
    put(session, index_of(random_image(1), arm))
    [row] = list_files(session, ImageSelector(NAME, Platform("linux", "arm64")), "data")
    assert "arm64" in row.name
    with pytest.raises(PlatformNotFoundError):
        list_files(session, ImageSelector(NAME, Platform("linux", "s390x")))


def test_a_missing_local_image_is_not_looked_up_remotely(
    session: Session, ghcr: RegistryDouble
) -> None:
    with pytest.raises(NoSuchImageError):
        list_files(session, ImageSelector(f"{ghcr.host}/octo/image:1.0"))
    assert ghcr.count() == 0


def test_a_broken_connection_is_retried(session: Session, ghcr: RegistryDouble) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    top = IMAGE.blobs[1][0]
    fault = Fault(path_contains=str(top.digest), host="storage", cut_after=top.size // 2)
    ghcr.faults.append(fault)
    wanted = ImageSelector(f"{ghcr.host}/octo/image:1.0", is_remote=True)
    assert content(session, wanted, "etc/motd") == b"hello\0\xff"
    assert fault.befell == 1


class _Publisher(BaseHTTPRequestHandler):
    """Serves only the base layer."""

    def do_GET(self) -> None:
        data = IMAGE.blobs[0][1] if self.path == "/base" else b""
        self.send_response(200 if data else 404)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
        """Log nothing."""


@pytest.fixture
def publisher() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Publisher)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("is_remote", [False, True])
def test_a_foreign_layer_is_read_from_its_publisher(
    session: Session, ghcr: RegistryDouble, publisher: str, is_remote: bool
) -> None:
    body = json.loads(IMAGE.raw)
    body["layers"][0] |= {
        "mediaType": media_types.DOCKER_FOREIGN_LAYER,
        "urls": ["ftp://127.0.0.1/base", f"{publisher}/none", f"{publisher}/base"],
    }
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, IMAGE.root.media_type)
    image = Built(root, (*IMAGE.blobs[1:], (root, raw)))
    ghcr.push_image("octo/image", "1.0", image)
    name = f"{ghcr.host}/octo/image:1.0"
    memory = MemoryPlace()
    image.into(memory)
    place = StorePlace(session.store)
    execute(make_plan(memory, place, root, names=(name,), skip_foreign=True))
    assert content(session, ImageSelector(name, is_remote=is_remote), "etc/passwd") == b"root"


def test_a_large_file_is_read_completely(session: Session) -> None:
    large = random.Random(1).randbytes(5_000_000)
    put(session, image_of(tar(file("a", b"before"), file("large", large), file("z", b"after"))))
    given: list[bytes] = []
    read_file(session, ImageSelector(NAME), "large", given.append)
    assert b"".join(given) == large
