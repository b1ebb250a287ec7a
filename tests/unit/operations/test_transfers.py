"""Pull and push against a registry that behaves like ghcr.io."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    BlobUnknownError,
    ConflictError,
    DigestMismatchError,
    ExitStatus,
    GhcrctlError,
    IntegrityError,
    InvalidManifestError,
    InvalidResponseError,
    ManifestUnknownError,
    PlatformNotFoundError,
    RedirectError,
    RefusedError,
    SchemaOneError,
)
from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.images import list_images
from ghcrctl.operations.inspect import inspect_local, inspect_remote
from ghcrctl.operations.pull import Selection, pull, tags_of
from ghcrctl.operations.push import push
from ghcrctl.operations.remove import remove
from ghcrctl.operations.tag import tag
from ghcrctl.transfer.events import Finished, Outcome
from tests.builders import Built, artifact, index_of, random_image
from tests.registry_double import Fault, RegistryDouble
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.session import Session

AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def session(tmp_path: Path, ghcr: RegistryDouble, warnings: list[str]) -> Iterator[Session]:
    with session_on(
        tmp_path / "home", registry=ghcr.host, token="ghp_octo", warn=warnings.append
    ) as made:
        yield made


def name_at(ghcr: RegistryDouble, session: Session, text: str = "octo/image:1.0") -> Reference:
    return session.parse(f"{ghcr.host}/{text}")


def stored(session: Session, image: Built) -> bool:
    return all(session.store.blobs.exists(descriptor) for descriptor, _ in image.contents)


@pytest.mark.parametrize("format_", ["oci", "docker"])
def test_a_pulled_image_is_here_byte_for_byte(
    ghcr: RegistryDouble, session: Session, format_: str
) -> None:
    image = random_image(3, format="docker" if format_ == "docker" else "oci")
    ghcr.push_image("octo/image", "1.0", image)
    result = pull(session, name_at(ghcr, session))
    assert (result.digest, result.updated) == (image.root.digest, True)
    for descriptor, content in image.contents:
        assert session.store.blobs.path(descriptor.digest).read_bytes() == content
    again = pull(session, name_at(ghcr, session))
    assert not again.updated


def test_a_second_pull_asks_for_nothing_but_the_tag(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    pull(session, name_at(ghcr, session))
    ghcr.log.clear()
    pull(session, name_at(ghcr, session))
    assert [(entry.method, entry.status) for entry in ghcr.log] == [("GET", 200)]


def test_a_pull_makes_one_request_a_piece_and_one_for_the_token(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(2))
    pull(session, name_at(ghcr, session))
    registry = [e for e in ghcr.log if e.host == "registry" and e.path != "/v2/"]
    assert sum(e.path == "/token" for e in registry) == 1
    assert sum("/manifests/" in e.path and e.status == 200 for e in registry) == 1
    assert sum("/blobs/" in e.path for e in registry) == 3
    assert ghcr.count("GET", "") == len([e for e in ghcr.log if e.method == "GET"])


def test_no_credential_goes_to_the_storage_host(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    pull(session, name_at(ghcr, session))
    fetched = [entry for entry in ghcr.log if entry.host == "storage"]
    assert fetched
    assert not any(entry.had_authorization for entry in fetched)


def test_of_an_index_this_machines_platform_is_taken_and_the_indexs_digest_remembered(
    ghcr: RegistryDouble, session: Session
) -> None:
    index = index_of(random_image(platform=ARM64), random_image(platform=AMD64))
    ghcr.push_image("octo/image", "1.0", index)
    result = pull(session, name_at(ghcr, session))
    assert result.digest == index.root.digest
    document = inspect_local(session, str(name_at(ghcr, session)))
    assert document["Architecture"] == "amd64"
    assert document["RepoDigests"] == [f"{ghcr.host}/octo/image@{index.root.digest}"]
    assert not session.store.blobs.exists(index.root)


def test_all_platforms_keep_the_index_itself(ghcr: RegistryDouble, session: Session) -> None:
    nested = index_of(
        index_of(random_image(platform=ARM64), platforms=(ARM64,)),
        random_image(platform=AMD64, seed=1),
        platforms=(None, AMD64),
    )
    ghcr.push_image("octo/image", "1.0", nested)
    pull(session, name_at(ghcr, session), select=Selection(everything=True))
    assert stored(session, nested)


def test_a_nested_index_is_looked_through_for_the_platform(
    ghcr: RegistryDouble, session: Session
) -> None:
    inner = index_of(random_image(platform=ARM64), platforms=(ARM64,))
    outer = index_of(inner, random_image(seed=1), platforms=(None, AMD64))
    ghcr.push_image("octo/image", "1.0", outer)
    result = pull(session, name_at(ghcr, session), select=Selection((ARM64,)))
    assert result.descriptor.digest != outer.root.digest
    assert inspect_local(session, str(name_at(ghcr, session)))["Architecture"] == "arm64"


def test_a_subset_of_platforms_becomes_a_smaller_index(
    ghcr: RegistryDouble, session: Session
) -> None:
    third = Platform("linux", "s390x")
    index = index_of(*(random_image(platform=p) for p in (AMD64, ARM64, third)))
    ghcr.push_image("octo/image", "1.0", index)
    result = pull(session, name_at(ghcr, session), select=Selection((AMD64, third)))
    raw = json.loads(session.store.blobs.path(result.descriptor.digest).read_bytes())
    assert [entry["platform"]["architecture"] for entry in raw["manifests"]] == ["amd64", "s390x"]
    assert result.digest == index.root.digest


def test_windows_is_chosen_by_its_build(ghcr: RegistryDouble, session: Session) -> None:
    old = Platform("windows", "amd64", "", "10.0.17763.1")
    new = Platform("windows", "amd64", "", "10.0.20348.5")
    index = index_of(random_image(platform=old), random_image(platform=new))
    ghcr.push_image("octo/image", "1.0", index)
    wanted = Platform.parse("windows/amd64:10.0.20348.999")
    pull(session, name_at(ghcr, session), select=Selection((wanted,)))
    assert inspect_local(session, str(name_at(ghcr, session)))["OsVersion"] == "10.0.20348.5"


def test_a_platform_that_is_missing_is_named_with_those_that_are_there(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", index_of(random_image(platform=ARM64)))
    with pytest.raises(PlatformNotFoundError) as caught:
        pull(session, name_at(ghcr, session))
    assert "linux/amd64" in str(caught.value)
    assert "linux/arm64" in str(caught.value.hint)


def test_an_artifact_is_kept_and_shown_as_what_it_is(
    ghcr: RegistryDouble, session: Session
) -> None:
    thing = artifact("application/vnd.example.thing")
    ghcr.push_image("octo/image", "1.0", thing)
    assert pull(session, name_at(ghcr, session)).kind == "application/vnd.example.thing"
    document = inspect_local(session, str(name_at(ghcr, session)))
    assert document["ArtifactType"] == "application/vnd.example.thing"
    assert [row.kind for row in list_images(session)] == ["application/vnd.example.thing"]


def test_a_pull_by_digest_has_no_tag(ghcr: RegistryDouble, session: Session) -> None:
    image = random_image()
    ghcr.push_image("octo/image", "1.0", image)
    by_digest = f"octo/image@{image.root.digest}"
    pull(session, name_at(ghcr, session, by_digest))
    [row] = list_images(session)
    assert (row.tag, row.digest) == ("", image.root.digest)
    assert inspect_local(session, f"{ghcr.host}/{by_digest}")["RepoDigests"]


def test_a_public_image_is_pulled_though_the_stored_credential_has_expired(
    tmp_path: Path, ghcr: RegistryDouble
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    ghcr.public.add("octo/image")
    said: list[str] = []
    with session_on(tmp_path, registry=ghcr.host, token="ghp_old", warn=said.append) as session:
        assert pull(session, name_at(ghcr, session)).updated
    [warning] = said
    assert "GHCRCTL_TOKEN" in warning
    assert "ghcrctl login" in warning
    assert "ghp_old" not in warning


@pytest.mark.parametrize("token", ["", "ghp_wrong"])
def test_a_private_image_is_denied(tmp_path: Path, ghcr: RegistryDouble, token: str) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    with (
        session_on(tmp_path, registry=ghcr.host, token=token) as session,
        pytest.raises(GhcrctlError) as caught,
    ):
        pull(session, name_at(ghcr, session))
    assert caught.value.exit_status is ExitStatus.AUTH
    assert "wrong" not in repr(caught.value)


def test_an_unknown_tag_is_not_found(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    with pytest.raises(ManifestUnknownError):
        pull(session, name_at(ghcr, session, "octo/image:2.0"))


def test_a_local_name_cannot_be_pulled_or_pushed(session: Session) -> None:
    for act in (pull, push):
        with pytest.raises(RefusedError, match="local name"):
            act(session, session.parse("hello_docker"))


def test_a_push_sends_everything_once_and_a_second_push_nothing(
    ghcr: RegistryDouble, session: Session
) -> None:
    image = random_image(2)
    ghcr.push_image("octo/image", "1.0", image)
    pull(session, name_at(ghcr, session))
    tag(session, str(name_at(ghcr, session)), [name_at(ghcr, session, "octo/other:2")])
    result = push(session, name_at(ghcr, session, "octo/other:2"))
    assert result.descriptor.digest == image.root.digest
    assert inspect_remote(session, name_at(ghcr, session, "octo/other:2"))["RepoDigests"] == [
        f"{ghcr.host}/octo/other@{image.root.digest}"
    ]
    ghcr.log.clear()
    push(session, name_at(ghcr, session, "octo/other:2"))
    assert [(e.method, e.status) for e in ghcr.log] == [("HEAD", 200), ("PUT", 201)]


def test_what_a_sibling_repository_has_is_mounted(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(2))
    pull(session, name_at(ghcr, session))
    tag(session, str(name_at(ghcr, session)), [name_at(ghcr, session, "octo/other:2")])
    outcomes = []
    push(
        session,
        name_at(ghcr, session, "octo/other:2"),
        observer=lambda e: outcomes.append(e.outcome) if isinstance(e, Finished) else None,
    )
    assert outcomes.count(Outcome.MOUNTED) == 3
    assert ghcr.count("PUT", "/blobs/uploads/") == 0


def test_an_artifact_with_a_subject_is_listed_under_the_fallback_tag(
    ghcr: RegistryDouble, session: Session
) -> None:
    image = random_image()
    signature = artifact("application/vnd.example.signature", subject=image.root)
    ghcr.push_image("octo/image", "sig", signature)
    pull(session, name_at(ghcr, session, "octo/image:sig"))
    tag(session, f"{ghcr.host}/octo/image:sig", [name_at(ghcr, session, "octo/copy:sig")])
    push(session, name_at(ghcr, session, "octo/copy:sig"))
    fallback = f"sha256-{image.root.digest.encoded}"
    repository = session.repository(name_at(ghcr, session, "octo/copy"))
    assert fallback in list(repository.tags())


def test_all_tags_come_page_by_page_without_helper_tags(
    ghcr: RegistryDouble, session: Session
) -> None:
    image = random_image()
    wanted = [f"v{number:03}" for number in range(120)]
    for name in (*wanted, f"sha256-{'a' * 64}", f"sha256-{'b' * 64}.sig"):
        ghcr.push_image("octo/image", name, image)
    tags, helpers = tags_of(session, name_at(ghcr, session, "octo/image"))
    assert sorted(t.tag or "" for t in tags) == wanted
    assert helpers == 2


def test_waits_for_a_rate_limit_and_for_an_expired_address(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    ghcr.moods.rate_limited = 1
    ghcr.moods.expired = 1
    assert pull(session, name_at(ghcr, session)).updated


def test_a_layer_that_is_cut_is_gone_on_with_from_where_it_stopped(
    ghcr: RegistryDouble, session: Session
) -> None:
    image = random_image(1, size=3_000_000)
    ghcr.push_image("octo/image", "1.0", image)
    layer = image.contents[0][0]
    ghcr.faults.append(
        Fault(method="GET", path_contains=layer.digest.encoded, cut_after=1_500_000, host="storage")
    )
    pull(session, name_at(ghcr, session))
    assert stored(session, image)
    answers = [e.status for e in ghcr.log if e.host == "storage" and layer.digest.encoded in e.path]
    assert answers == [200, 206]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(path_contains="/manifests/", body=b"{}"), IntegrityError),
        (Fault(path_contains="/manifests/", body=b"no json"), IntegrityError),
        (Fault(path_contains="/manifests/", body=b"[" * 100_000), IntegrityError),
        (Fault(path_contains="/manifests/", body=b" " * (5 * 1024 * 1024)), InvalidResponseError),
        (
            Fault(
                path_contains="/manifests/", headers={"Docker-Content-Digest": f"sha256:{'0' * 64}"}
            ),
            DigestMismatchError,
        ),
        (
            Fault(
                path_contains="/manifests/",
                headers={"Content-Type": media_types.DOCKER_MANIFEST},
            ),
            InvalidManifestError,
        ),
        (Fault(host="storage", times=9, body=b"other bytes"), IntegrityError),
        (
            Fault(path_contains="/blobs/", times=9, status=307, headers={"Location": "file:///x"}),
            RedirectError,
        ),
        (
            Fault(path_contains="/blobs/", times=99, status=307, headers={"Location": "?a"}),
            RedirectError,
        ),
    ],
)
def test_a_server_that_lies_leaves_the_store_as_it_was(
    ghcr: RegistryDouble, session: Session, fault: Fault, error: type[GhcrctlError]
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(seed=1))
    pull(session, name_at(ghcr, session))
    before = session.store.records()
    image = random_image(seed=2)
    ghcr.push_image("octo/image", "1.0", image)
    ghcr.faults.append(fault)
    with pytest.raises(error):
        pull(session, name_at(ghcr, session))
    assert session.store.records() == before
    assert inspect_local(session, str(name_at(ghcr, session)))
    assert not session.store.blobs.exists(image.root)


def test_schema_1_is_refused_with_what_to_do(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    body = json.dumps({"schemaVersion": 1, "name": "octo/image", "tag": "1.0"}).encode()
    digest = str(Digest.of(body))
    ghcr.faults.append(
        Fault(
            path_contains="/manifests/",
            times=9,
            body=body,
            headers={
                "Content-Type": media_types.DOCKER_SCHEMA1_SIGNED,
                "Docker-Content-Digest": digest,
            },
        )
    )
    with pytest.raises(SchemaOneError, match="schema 1") as caught:
        pull(session, name_at(ghcr, session))
    assert "rebuild" in (caught.value.hint or "")


class _Publisher(BaseHTTPRequestHandler):
    """Serves one layer, and remembers what it was asked with."""

    content = b""
    seen: list[dict[str, str]] = []  # noqa: RUF012 one server a test

    def do_GET(self) -> None:
        self.seen.append(dict(self.headers))
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the library's name
        """Say nothing."""


@pytest.fixture
def publisher() -> Iterator[tuple[str, type[_Publisher]]]:
    handler = type("Handler", (_Publisher,), {"seen": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/layer", handler
    server.shutdown()
    server.server_close()


def with_foreign_layer(url: str, content: bytes) -> Built:
    """Make an image whose base layer is only at its publisher's."""
    plain = random_image(2)
    body = json.loads(plain.raw)
    body["layers"][0] = {
        "mediaType": media_types.DOCKER_FOREIGN_LAYER,
        "digest": str(Digest.of(content)),
        "size": len(content),
        "urls": ["ftp://127.0.0.1/never", url],
    }
    raw = json.dumps(body).encode()
    base = Digest.parse(json.loads(plain.raw)["layers"][0]["digest"])
    kept = tuple(pair for pair in plain.blobs if pair[0].digest != base)
    root = plain.root.of(raw, plain.root.media_type)
    return Built(root, (*kept, (root, raw)))


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


def test_a_foreign_layer_of_other_bytes_is_refused(
    ghcr: RegistryDouble, session: Session, publisher: tuple[str, type[_Publisher]]
) -> None:
    url, handler = publisher
    ghcr.push_image("octo/image", "1.0", with_foreign_layer(url, b"a layer of Windows"))
    handler.content = b"a layer of Wind0ws"
    with pytest.raises(DigestMismatchError):
        pull(session, name_at(ghcr, session))
    assert session.store.records() == []


def test_a_foreign_layer_may_be_left_out_and_comes_later(
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


def test_a_push_leaves_foreign_layers_out_unless_told(
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
    assert not session.client(ghcr.host).has_blob("octo/lean", digest)
    assert session.client(ghcr.host).has_blob("octo/full", digest)


def test_a_foreign_layer_that_is_nowhere_says_where_it_was_looked_for(
    ghcr: RegistryDouble, session: Session
) -> None:
    image = with_foreign_layer("http://127.0.0.1:9/layer", b"gone")
    ghcr.push_image("octo/image", "1.0", image)
    with pytest.raises(BlobUnknownError, match=r"127\.0\.0\.1:9"):
        pull(session, name_at(ghcr, session))


def test_an_id_with_names_of_several_repositories_is_removed_only_by_force(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    pull(session, name_at(ghcr, session))
    tag(session, str(name_at(ghcr, session)), [session.parse("other")])
    [image_id] = {row.image_id for row in list_images(session)}
    with pytest.raises(ConflictError):
        remove(session, image_id.short)
    gone = remove(session, image_id.short, force=True)
    assert len(gone.untagged) == 3
    session.store.close()
    assert gone.deleted[0] == image_id
