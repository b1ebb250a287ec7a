"""Foreign layers: fetched from their publisher, and not uploaded by default."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    BlobUnknownError,
    DigestMismatchError,
)
from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.moving.copy import CopyOptions
from ghcrctl.operations.moving.copy_many import open_copy
from ghcrctl.operations.moving.endpoints.parse import parse_endpoint
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.moving.push import push
from ghcrctl.transfer.events import Finished, Outcome
from tests.builders import Built, random_image
from tests.sessions import name_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble


class _Publisher(BaseHTTPRequestHandler):
    """Serves one layer, and records its requests."""

    content = b""
    seen: list[dict[str, str]] = []  # noqa: RUF012 one server a test

    def do_GET(self) -> None:
        self.seen.append(dict(self.headers))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
        """Log nothing."""


@pytest.fixture
def publisher() -> Iterator[tuple[str, type[_Publisher]]]:
    handler = type("Handler", (_Publisher,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/layer", handler
    server.shutdown()
    server.server_close()


def with_foreign_layer(url: str, content: bytes, *, has_urls: bool = True) -> Built:
    """Build an image whose base layer is only at its publisher."""
    plain = random_image(2)
    body = json.loads(plain.raw)
    body["layers"][0] = {
        "mediaType": media_types.DOCKER_FOREIGN_LAYER,
        "digest": str(Digest.of(content)),
        "size": len(content),
        **({"urls": ["ftp://127.0.0.1/never", url]} if has_urls else {}),
    }
    raw = json.dumps(body).encode()
    base = Digest.parse(json.loads(plain.raw)["layers"][0]["digest"])
    kept = tuple(pair for pair in plain.blobs if pair[0].digest != base)
    root = plain.root.of(raw, plain.root.media_type)
    return Built(root, (*kept, (root, raw)))


def layout_of(image: Built, folder: Path, *blobs: bytes) -> None:
    """Write an image and further blobs as an OCI layout."""
    (folder / "blobs" / "sha256").mkdir(parents=True)
    for content in (*(raw for _, raw in image.contents), *blobs):
        (folder / "blobs" / "sha256" / Digest.of(content).encoded).write_bytes(content)
    entry = {**image.root.to_json(), "annotations": {"org.opencontainers.image.ref.name": "1"}}
    index = {"schemaVersion": 2, "manifests": [entry]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def test_a_foreign_layer_comes_from_its_publisher_without_credentials(
    ghcr: RegistryDouble, session: Session, publisher: tuple[str, type[_Publisher]]
) -> None:
    url, handler = publisher
    handler.content = b"a layer of Windows"
    image = with_foreign_layer(url, handler.content)
    ghcr.push_image("octo/image", "1.0", image)
    pull(session, name_at(ghcr, session))
    assert session.store.blobs.path(Digest.of(handler.content)).read_bytes() == handler.content
    assert handler.seen
    assert not any("Authorization" in headers for headers in handler.seen)


def test_a_foreign_layer_with_wrong_bytes_is_refused(
    ghcr: RegistryDouble, session: Session, publisher: tuple[str, type[_Publisher]]
) -> None:
    url, handler = publisher
    ghcr.push_image("octo/image", "1.0", with_foreign_layer(url, b"a layer of Windows"))
    handler.content = b"a layer of Wind0ws"
    with pytest.raises(DigestMismatchError):
        pull(session, name_at(ghcr, session))
    assert session.store.records() == []


def test_a_foreign_layer_may_be_skipped_and_pulled_later(
    ghcr: RegistryDouble, session: Session, publisher: tuple[str, type[_Publisher]]
) -> None:
    url, handler = publisher
    handler.content = b"a layer of Windows"
    ghcr.push_image("octo/image", "1.0", with_foreign_layer(url, handler.content))
    result = pull(session, name_at(ghcr, session), skip_foreign=True)
    assert [d.digest for d in result.skipped] == [Digest.of(handler.content)]
    assert handler.seen == []
    assert pull(session, name_at(ghcr, session)).updated
    assert session.store.blobs.path(Digest.of(handler.content)).exists()


def test_a_push_skips_foreign_layers_by_default(
    ghcr: RegistryDouble, session: Session, publisher: tuple[str, type[_Publisher]]
) -> None:
    url, handler = publisher
    handler.content = b"a layer of Windows"
    image = with_foreign_layer(url, handler.content)
    ghcr.push_image("octo/image", "1.0", image)
    pull(session, name_at(ghcr, session))
    outcomes = []
    for name, included in (("octo/lean:1", False), ("octo/full:1", True)):
        tag(session, f"{ghcr.host}/octo/image:1.0", [name_at(ghcr, session, name)])
        push(
            session,
            name_at(ghcr, session, name),
            include_foreign=included,
            observer=lambda e: outcomes.append(e.outcome) if isinstance(e, Finished) else None,
        )
    assert outcomes.count(Outcome.SKIPPED) == 1
    digest = Digest.of(handler.content)
    assert not session.resolver.sign_in(ghcr.host).has_blob("octo/lean", digest)
    assert session.resolver.sign_in(ghcr.host).has_blob("octo/full", digest)


def test_a_missing_foreign_layer_names_its_urls(ghcr: RegistryDouble, session: Session) -> None:
    image = with_foreign_layer("http://127.0.0.1:9/layer", b"gone")
    ghcr.push_image("octo/image", "1.0", image)
    with pytest.raises(BlobUnknownError, match=r"127\.0\.0\.1:9"):
        pull(session, name_at(ghcr, session))


def _copied(session: Session, source: str, target: str) -> None:
    """Copy between any two endpoints."""
    ends = [parse_endpoint(session, source)], parse_endpoint(session, target)
    with open_copy(session, *ends, CopyOptions()) as act, session.workers() as workers:
        act.copy(act.groups[0][0], workers=workers)


@pytest.mark.parametrize("target", ["oci:{}/other:1", "archive:{}/image.tar", "store:copy:1"])
@pytest.mark.parametrize("has_urls", [True, False])
def test_local_places_get_stored_foreign_layers(
    tmp_path: Path, session: Session, target: str, has_urls: bool
) -> None:
    content = b"a layer of Windows"
    image = with_foreign_layer("http://127.0.0.1:9/layer", content, has_urls=has_urls)
    layout_of(image, tmp_path / "layout", content)
    _copied(session, f"oci:{tmp_path / 'layout'}", target.format(tmp_path))
    _copied(session, target.format(tmp_path), f"oci:{tmp_path / 'last'}:1")
    blob = tmp_path / "last" / "blobs" / "sha256" / Digest.of(content).encoded
    assert blob.read_bytes() == content


def test_a_local_copy_without_a_foreign_layer_is_copied_without_it(
    tmp_path: Path, session: Session
) -> None:
    image = with_foreign_layer("http://127.0.0.1:9/layer", b"gone")
    layout_of(image, tmp_path / "layout")
    _copied(session, f"oci:{tmp_path / 'layout'}", f"oci:{tmp_path / 'other'}:1")
    blobs = tmp_path / "other" / "blobs" / "sha256"
    assert (blobs / image.root.digest.encoded).exists()
    assert not (blobs / Digest.of(b"gone").encoded).exists()
    # This layer has no URL, so dropping it would lose it silently.
    image = with_foreign_layer("", b"gone", has_urls=False)
    layout_of(image, tmp_path / "broken")
    with pytest.raises(BlobUnknownError):
        _copied(session, f"oci:{tmp_path / 'broken'}", f"oci:{tmp_path / 'third'}:1")


@pytest.mark.parametrize("has_urls", [True, False])
def test_a_registry_only_gets_foreign_layers_without_urls(
    tmp_path: Path, ghcr: RegistryDouble, session: Session, has_urls: bool
) -> None:
    content = b"a layer of Windows"
    image = with_foreign_layer("http://127.0.0.1:9/layer", content, has_urls=has_urls)
    layout_of(image, tmp_path / "layout", content)
    target = str(name_at(ghcr, session, "octo/lean:1"))
    _copied(session, f"oci:{tmp_path / 'layout'}", target)
    has_blob = session.resolver.sign_in(ghcr.host).has_blob
    assert has_blob("octo/lean", Digest.of(content)) is not has_urls


def test_foreign_layers_at_a_registry_are_copied_to_local_places(
    tmp_path: Path,
    ghcr: RegistryDouble,
    session: Session,
    publisher: tuple[str, type[_Publisher]],
) -> None:
    url, handler = publisher
    handler.content = b"a layer of Windows"
    ghcr.push_image("octo/image", "1.0", with_foreign_layer(url, handler.content))
    _copied(session, str(name_at(ghcr, session)), f"oci:{tmp_path / 'layout'}:1")
    blob = tmp_path / "layout" / "blobs" / "sha256" / Digest.of(handler.content).encoded
    assert blob.read_bytes() == handler.content
