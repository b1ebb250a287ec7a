"""The docker engine's API: what is asked, what comes back, what is said when that goes wrong."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from ghcrctl.archive import engine as engine_module
from ghcrctl.archive.engine import Engine
from ghcrctl.archive.engine_address import EngineAddress
from ghcrctl.archive.engine_connection import in_words
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
# Longer than a stream's tail, and of no whole number of chunks.
ARCHIVE = bytes(range(256)) * 900 + bytes(10240)


@pytest.fixture
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineDouble]:
    # Short, since the path of a socket has at most 108 bytes.
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


def said(status: str, body: bytes) -> bytes:
    """Write an answer."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def failing(words: str) -> bytes:
    """Write the line that tells of a failure."""
    return json.dumps({"errorDetail": {"message": words}, "error": words}).encode() + b"\r\n"


def telling(words: str) -> bytes:
    """Write a line that tells how it goes."""
    return json.dumps({"stream": f"{words}\n"}).encode() + b"\r\n"


def test_the_engines_own_version_is_spoken_and_asked_once(
    double: EngineDouble, engine: Engine
) -> None:
    double.images["octo/image:1"] = {"Id": ID}
    assert engine.inspect("octo/image:1") == {"Id": ID}
    engine.inspect("octo/image:1")
    assert double.asked == ["GET /_ping", *["GET /v1.41/images/octo/image:1/json"] * 2]


@pytest.mark.parametrize("version", ["", "one", "1.41/../.."])
def test_an_engine_without_a_version_is_asked_without_one(
    double: EngineDouble, engine: Engine, version: str
) -> None:
    double.version = version
    double.images["image"] = {}
    engine.inspect("image")
    assert double.asked[-1] == "GET /images/image/json"


def test_images_are_saved_as_the_engine_sends_them(double: EngineDouble, engine: Engine) -> None:
    double.images = {"octo/image:1": {}, ID: {}}
    double.saved = ARCHIVE
    assert read_all(engine, "octo/image:1", ID) == ARCHIVE
    assert double.queries[-1] == {"names": ["octo/image:1", ID]}


def test_an_image_that_the_engine_lacks_is_named(double: EngineDouble, engine: Engine) -> None:
    double.images["octo/image:1"] = {}
    for act in (
        lambda: engine.save(["octo/image:1", "octo/none:2"]),
        lambda: engine.inspect("octo/none:2"),
        lambda: engine.tag("octo/none:2", "octo/other:1"),
    ):
        with pytest.raises(NoSuchImageError, match=r"has no image octo/none:2$"):
            act()


def test_names_are_named_where_the_engine_does_not(double: EngineDouble, engine: Engine) -> None:
    double.script["/images/get"] = said("404 Not Found", b'{"message": "image not known"}')
    with pytest.raises(NoSuchImageError, match=r"has no image one, two$"):
        engine.save(["one", "two"])


@pytest.mark.parametrize(
    "answer",
    [
        CHUNKED + in_chunk(ARCHIVE),
        CHUNKED + in_chunk(ARCHIVE)[:-5000],
        CHUNKED + in_chunk(ARCHIVE) + b"3",
        b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + ARCHIVE,
    ],
    ids=["no last chunk", "half a chunk", "half a size", "too few bytes"],
)
def test_a_broken_off_archive_is_no_end(
    double: EngineDouble, engine: Engine, answer: bytes
) -> None:
    double.script["/images/get"] = answer
    with pytest.raises(ConnectionLostError):
        read_all(engine, "image")


@pytest.mark.parametrize("size", [100, 1_000_000])
def test_an_engine_that_fails_on_the_way_is_quoted(
    double: EngineDouble, engine: Engine, size: int
) -> None:
    double.images["image"] = {}
    double.saved = ARCHIVE[:-7000] + failing("layer does not exist")
    with pytest.raises(UnsupportedError, match=r'refuses to save images .*"layer does not exist"'):
        read_all(engine, "image", size=size)


def test_what_is_in_images_is_not_taken_for_words(double: EngineDouble, engine: Engine) -> None:
    double.images["image"] = {}
    double.saved = failing("text of an image").ljust(512, b"\0") + bytes(1024)
    assert read_all(engine, "image") == double.saved


def test_closing_amid_an_archive_leaves_nothing_open(double: EngineDouble, engine: Engine) -> None:
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
def test_loading_gives_names_and_ids(
    double: EngineDouble, engine: Engine, lines: list[bytes], names: list[str] | None
) -> None:
    double.loaded = lines
    given = [ARCHIVE[:9], b"", ARCHIVE[9:]]
    assert engine.load(given) == (["a:1", "localhost:5000/b"] if names is None else names)
    assert double.received == [ARCHIVE]
    assert double.queries[-1] == {"quiet": ["1"]}


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (said("200 OK", failing("unexpected EOF")), UnsupportedError, '"unexpected EOF"'),
        (said("200 OK", b'{"error": "EOF"}'), UnsupportedError, '"EOF"'),
        (
            said("200 OK", telling("Loaded image: a") + failing("bad\x1b[2J")),
            UnsupportedError,
            r'says: "bad \[2J"',
        ),
        (
            said("200 OK", failing("write /x/layer.tar: no space left on device")),
            NoSpaceError,
            "is full",
        ),
        (said("200 OK", b"<html>"), InvalidResponseError, "none of its API"),
        (said("200 OK", b"[1]"), InvalidResponseError, "none of its API"),
        (said("200 OK", b"[" * 100_000), InvalidResponseError, "none of its API"),
        (
            said("500 Internal Server Error", b'{"message": "boom"}'),
            UnsupportedError,
            'refuses to load images .it says: "boom"',
        ),
        (said("502 Bad Gateway", b"the proxy's text"), UnsupportedError, "the proxy's text"),
        (
            said("403 Forbidden", b'{"message": "by plugin"}'),
            DeniedError,
            'allow to load images .it says: "by plugin"',
        ),
        (b"SSH-2.0-OpenSSH\r\n", InvalidResponseError, "rules of HTTP"),
        (b"", ConnectionLostError, "was lost"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", ConnectionLostError, "was lost"),
        (CHUNKED + b'9\r\n{"stream', ConnectionLostError, "was lost"),
    ],
)
def test_an_engine_that_does_not_load_is_quoted(
    double: EngineDouble, engine: Engine, answer: bytes, kind: type[GhcrctlError], words: str
) -> None:
    double.script["/images/load"] = answer
    with pytest.raises(kind, match=words):
        engine.load([ARCHIVE])


def test_a_line_without_an_end_is_given_up(
    double: EngineDouble, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_LONGEST_ANSWER", 5000)
    double.loaded = [b"x" * 100_000]
    with pytest.raises(InvalidResponseError, match="without an end"):
        engine.load([ARCHIVE])


def test_an_engine_that_stops_listening_is_heard(double: EngineDouble, engine: Engine) -> None:
    double.script["/images/load"] = said("500 No", b'{"message": "no room"}')
    with pytest.raises(UnsupportedError, match='"no room"'):
        engine.load(bytes(1_000_000) for _ in range(30))


def test_what_fails_while_it_is_given_reaches_the_engine_as_no_whole(
    double: EngineDouble, engine: Engine
) -> None:
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
def test_an_image_gets_a_name(
    double: EngineDouble, engine: Engine, name: str, repository: str, tag: str
) -> None:
    double.images[ID] = {}
    engine.tag(ID, name)
    assert double.asked[-1] == f"POST /v1.41/images/{ID}/tag"
    assert double.queries[-1] == {"repo": [repository], "tag": [tag]}


def test_a_name_stays_within_its_path(double: EngineDouble, engine: Engine) -> None:
    double.images["a?b#c d\r\n\u00e9"] = {"Id": ID}
    assert engine.inspect("a?b#c d\r\n\u00e9") == {"Id": ID}


def test_where_nobody_listens_the_way_to_an_engine_is_told(tmp_path: Path) -> None:
    gone = Engine(f"unix://{tmp_path}/none")
    with pytest.raises(ConnectionFailedError, match="there is no such socket") as caught:
        gone.ping()
    assert "is dockerd running?" in str(caught.value.hint)


def test_a_socket_that_an_engine_left_behind_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("dk") / "sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(ConnectionFailedError, match="connection refused"):
        Engine(f"unix://{path}").save(["image"])


def test_a_socket_that_is_a_file_or_too_long_a_path_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / ("d" * 120)):
        with pytest.raises(ConnectionFailedError, match="no docker engine answers at unix://"):
            Engine(f"unix://{path}").ping()


def test_a_host_without_an_address_is_said_so() -> None:
    with pytest.raises(ConnectionFailedError, match="its name does not resolve"):
        Engine("tcp://engine.example").ping()


def test_an_account_without_the_right_is_told_of_the_group() -> None:
    # Root, as which tests may run, may use every socket.
    address = EngineAddress.parse("unix:///run/docker.sock")
    with (
        pytest.raises(DeniedError, match="may not use the docker engine at unix:///run") as caught,
        in_words(address),
    ):
        raise PermissionError(13, "Permission denied")
    assert "usermod -aG docker" in str(caught.value.hint)


def test_an_engine_that_never_answers_is_given_up(
    double: EngineDouble, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_ANSWER_SECONDS", 0.05)
    double.silent = threading.Event()
    with pytest.raises(TimedOutError, match="did not answer in time"):
        engine.ping()
