"""Requests to a docker engine, its responses and errors."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from ghcrctl.archive import engine as engine_module
from ghcrctl.archive.engine import Engine
from ghcrctl.archive.engine_address import EngineAddress
from ghcrctl.archive.engine_connection import translate_errors
from ghcrctl.errors import (
    ConnectionFailedError,
    ConnectionLostError,
    DeniedError,
    GhcrctlError,
    InvalidResponseError,
    NoSpaceError,
    NoSuchImageError,
    TimedOutError,
    UnsupportedError,
)
from tests.unit.archive.engine_double import EngineDouble, RunningDouble, in_chunk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ID = f"sha256:{'a' * 64}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
# Longer than the tail of a stream, and not a whole number of chunks.
ARCHIVE = bytes(range(256)) * 900 + bytes(10240)


@pytest.fixture
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineDouble]:
    # The path of a socket can have at most 108 bytes.
    with RunningDouble(tmp_path_factory.mktemp("dk")) as running:
        yield running.double


@pytest.fixture
def engine(double: EngineDouble) -> Engine:
    return Engine(double.address)


def read_all(engine: Engine, *names: str, size: int = 70_000) -> bytes:
    stream = engine.save(names)
    try:
        return b"".join(iter(lambda: stream.read(size), b""))
    finally:
        stream.close()
        stream.close()


def response(status: str, body: bytes) -> bytes:
    """Return an HTTP response."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def failing(words: str) -> bytes:
    """Return a line with an error."""
    return json.dumps({"errorDetail": {"message": words}, "error": words}).encode() + b"\r\n"


def telling(words: str) -> bytes:
    """Return a line with progress."""
    return json.dumps({"stream": f"{words}\n"}).encode() + b"\r\n"


def test_engine_version_is_requested_once(double: EngineDouble, engine: Engine) -> None:
    double.images["octo/image:1"] = {"Id": ID}
    assert engine.inspect("octo/image:1") == {"Id": ID}
    engine.inspect("octo/image:1")
    assert double.requested == ["GET /_ping", *["GET /v1.41/images/octo/image:1/json"] * 2]


@pytest.mark.parametrize("version", ["", "one", "1.41/../.."])
def test_without_engine_version_paths_have_none(
    double: EngineDouble, engine: Engine, version: str
) -> None:
    double.version = version
    double.images["image"] = {}
    engine.inspect("image")
    assert double.requested[-1] == "GET /images/image/json"


def test_saved_images_are_streamed_unchanged(double: EngineDouble, engine: Engine) -> None:
    double.images = {"octo/image:1": {}, ID: {}}
    double.saved = ARCHIVE
    assert read_all(engine, "octo/image:1", ID) == ARCHIVE
    assert double.queries[-1] == {"names": ["octo/image:1", ID]}


def test_missing_image_is_named_in_the_error(double: EngineDouble, engine: Engine) -> None:
    double.images["octo/image:1"] = {}
    for act in (
        lambda: engine.save(["octo/image:1", "octo/none:2"]),
        lambda: engine.inspect("octo/none:2"),
        lambda: engine.tag("octo/none:2", "octo/other:1"),
    ):
        with pytest.raises(NoSuchImageError, match=r"has no image octo/none:2$"):
            act()


def test_error_names_all_images_if_the_engine_names_none(
    double: EngineDouble, engine: Engine
) -> None:
    double.script["/images/get"] = response("404 Not Found", b'{"message": "image not known"}')
    with pytest.raises(NoSuchImageError, match=r"has no image one, two$"):
        engine.save(["one", "two"])


@pytest.mark.parametrize(
    "reply",
    [
        CHUNKED + in_chunk(ARCHIVE),
        CHUNKED + in_chunk(ARCHIVE)[:-5000],
        CHUNKED + in_chunk(ARCHIVE) + b"3",
        b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + ARCHIVE,
    ],
    ids=["no last chunk", "half a chunk", "half a size", "too few bytes"],
)
def test_truncated_archive_is_an_error(double: EngineDouble, engine: Engine, reply: bytes) -> None:
    double.script["/images/get"] = reply
    with pytest.raises(ConnectionLostError):
        read_all(engine, "image")


@pytest.mark.parametrize("size", [100, 1_000_000])
def test_error_at_the_end_of_an_archive_is_quoted(
    double: EngineDouble, engine: Engine, size: int
) -> None:
    double.images["image"] = {}
    double.saved = ARCHIVE[:-7000] + failing("layer does not exist")
    with pytest.raises(UnsupportedError, match=r'failed to save images: "layer does not exist"'):
        read_all(engine, "image", size=size)


def test_error_text_inside_an_archive_is_ignored(double: EngineDouble, engine: Engine) -> None:
    double.images["image"] = {}
    double.saved = failing("text of an image").ljust(512, b"\0") + bytes(1024)
    assert read_all(engine, "image") == double.saved


def test_closing_an_unfinished_archive_closes_the_connection(
    double: EngineDouble, engine: Engine
) -> None:
    double.images["image"] = {}
    double.saved = ARCHIVE * 20
    stream = engine.save(["image"])
    assert stream.read(10)
    stream.close()


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ([telling("Loaded image: octo/image:1")], ["octo/image:1"]),
        ([telling("Loaded image: a:1"), telling("Loaded image: localhost:5000/b")], None),
        ([telling(f"Loaded image ID: {ID}")], [ID]),
        ([telling("Loaded image(s): a:1,b:2")], ["a:1", "b:2"]),
        ([telling("Loaded image: a:1, b:2").replace(b"\r\n", b"")], ["a:1", "b:2"]),
        ([telling("Loading layer"), b'{"status": "x", "id": "1"}\n', b"\r\n"], []),
        ([], []),
    ],
)
def test_load_returns_names_and_ids(
    double: EngineDouble, engine: Engine, lines: list[bytes], names: list[str] | None
) -> None:
    double.loaded = lines
    given = [ARCHIVE[:9], b"", ARCHIVE[9:]]
    assert engine.load(given) == (["a:1", "localhost:5000/b"] if names is None else names)
    assert double.received == [ARCHIVE]
    assert double.queries[-1] == {"quiet": ["1"]}


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (response("200 OK", failing("unexpected EOF")), UnsupportedError, '"unexpected EOF"'),
        (response("200 OK", b'{"error": "EOF"}'), UnsupportedError, '"EOF"'),
        (
            response("200 OK", telling("Loaded image: a") + failing("bad\x1b[2J")),
            UnsupportedError,
            r': "bad \[2J"',
        ),
        (
            response("200 OK", failing("write /x/layer.tar: no space left on device")),
            NoSpaceError,
            "is full",
        ),
        (response("200 OK", b"<html>"), InvalidResponseError, "unexpected response"),
        (response("200 OK", b"[1]"), InvalidResponseError, "unexpected response"),
        (response("200 OK", b"[" * 100_000), InvalidResponseError, "unexpected response"),
        (
            response("500 Internal Server Error", b'{"message": "boom"}'),
            UnsupportedError,
            'failed to load images: "boom"',
        ),
        (response("502 Bad Gateway", b"the proxy's text"), UnsupportedError, "the proxy's text"),
        (
            response("403 Forbidden", b'{"message": "by plugin"}'),
            DeniedError,
            'permission denied to load images on .*: "by plugin"',
        ),
        (b"SSH-2.0-OpenSSH\r\n", InvalidResponseError, "invalid HTTP response"),
        (b"", ConnectionLostError, "was lost"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", ConnectionLostError, "was lost"),
        (CHUNKED + b'9\r\n{"stream', ConnectionLostError, "was lost"),
    ],
)
def test_load_error_is_quoted(
    double: EngineDouble, engine: Engine, reply: bytes, kind: type[GhcrctlError], words: str
) -> None:
    double.script["/images/load"] = reply
    with pytest.raises(kind, match=words):
        engine.load([ARCHIVE])


def test_endless_line_is_an_error(
    double: EngineDouble, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_MAX_DOCUMENT", 5000)
    double.loaded = [b"x" * 100_000]
    with pytest.raises(InvalidResponseError, match="line that is too long"):
        engine.load([ARCHIVE])


def test_engine_that_rejects_the_body_is_quoted(double: EngineDouble, engine: Engine) -> None:
    double.script["/images/load"] = response("500 No", b'{"message": "no room"}')
    with pytest.raises(UnsupportedError, match='"no room"'):
        engine.load(bytes(1_000_000) for _ in range(30))


def test_failed_upload_is_not_completed(double: EngineDouble, engine: Engine) -> None:
    def chunks() -> Iterator[bytes]:
        yield ARCHIVE
        raise BrokenPipeError("of ours")

    with pytest.raises(BrokenPipeError, match="of ours"):
        engine.load(chunks())
    engine.ping()
    for _ in range(200):
        if double.received:
            break
        threading.Event().wait(0.01)
    assert double.received == [None]


@pytest.mark.parametrize(
    ("name", "repository", "tag"),
    [
        ("octo/image:1", "octo/image", "1"),
        ("octo/image", "octo/image", "latest"),
        ("localhost:5000/image", "localhost:5000/image", "latest"),
        ("localhost:5000/image:1.0", "localhost:5000/image", "1.0"),
    ],
)
def test_tag_splits_repository_and_tag(
    double: EngineDouble, engine: Engine, name: str, repository: str, tag: str
) -> None:
    double.images[ID] = {}
    engine.tag(ID, name)
    assert double.requested[-1] == f"POST /v1.41/images/{ID}/tag"
    assert double.queries[-1] == {"repo": [repository], "tag": [tag]}


def test_names_are_quoted_in_paths(double: EngineDouble, engine: Engine) -> None:
    double.images["a?b#c d\r\n\u00e9"] = {"Id": ID}
    assert engine.inspect("a?b#c d\r\n\u00e9") == {"Id": ID}


def test_missing_socket_error_has_a_hint(tmp_path: Path) -> None:
    gone = Engine(f"unix://{tmp_path}/none")
    with pytest.raises(ConnectionFailedError, match="socket not found") as caught:
        gone.ping()
    assert "systemctl start docker" in str(caught.value.hint)


def test_stale_socket_is_connection_refused(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("dk") / "sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(ConnectionFailedError, match="connection refused"):
        Engine(f"unix://{path}").save(["image"])


def test_invalid_socket_path_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / ("d" * 120)):
        with pytest.raises(
            ConnectionFailedError, match="cannot connect to the docker engine at unix://"
        ):
            Engine(f"unix://{path}").ping()


def test_unknown_host_is_an_error() -> None:
    with pytest.raises(ConnectionFailedError, match="host not found"):
        Engine("tcp://engine.example").ping()


def test_permission_error_mentions_the_docker_group() -> None:
    # Tests may run as root, who may use every socket.
    address = EngineAddress.parse("unix:///run/docker.sock")
    with (
        pytest.raises(
            DeniedError, match="permission denied for the docker engine at unix:///run"
        ) as caught,
        translate_errors(address),
    ):
        raise PermissionError(13, "Permission denied")
    assert "usermod -aG docker" in str(caught.value.hint)


def test_engine_that_does_not_respond_times_out(
    double: EngineDouble, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_RESPONSE_SECONDS", 0.05)
    double.silent = threading.Event()
    with pytest.raises(TimedOutError, match="did not respond in time"):
        engine.ping()
