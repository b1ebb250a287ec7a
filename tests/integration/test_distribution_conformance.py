"""The checks of the distribution spec's conformance suite 1.1, against `ghcrctl serve`.

Each kind of data is pushed, listed, asked for, pulled and deleted, in the suite's order; what was
deleted must be absent at once. All tests share one server, as a suite's run does.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from tests.integration.conformance_data import SETS, Dataset
from tests.integration.distribution import BINARY, Registry, error_codes
from tests.integration.test_serve import serving
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration
ACCEPT = {"Accept": f"{media_types.OCI_INDEX}, {media_types.OCI_MANIFEST}"}
ALGORITHMS = ("sha256", "sha512")
_numbers = itertools.count()


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    home = tmp_path_factory.mktemp("conformance")
    with requests.Session() as http, serving(Shell(home / "home")) as host:
        yield Registry(host, http, "conformance/repo1")


@pytest.fixture(params=SETS)
def data(request: pytest.FixtureRequest) -> Dataset:
    return SETS[request.param]()


def _kind(raw: bytes) -> str:
    return str(json.loads(raw)["mediaType"])


def _push_blobs(registry: Registry, data: Dataset) -> None:
    for digest, content in data.blobs.items():
        assert registry.finish(registry.begin(), digest, content).status_code == 201


def _push_manifest(registry: Registry, name: str, digest: Digest, raw: bytes) -> None:
    response = registry.put(raw, _kind(raw), name)
    assert response.status_code == 201, response.text
    assert response.headers["Docker-Content-Digest"] in {str(digest), str(Digest.of(raw))}
    if subject := json.loads(raw).get("subject"):
        assert response.headers["OCI-Subject"] == subject["digest"]
    _check_manifest(registry, response.headers["Location"], digest, raw)


def _check_manifest(registry: Registry, path: str, digest: Digest, raw: bytes) -> None:
    response = registry.ask("GET", path, headers=ACCEPT)
    assert (response.status_code, response.content) == (200, raw)
    _check_headers(response, digest, raw)
    if not path.startswith("/"):
        response = registry.ask("HEAD", path, headers=ACCEPT)
        assert (response.status_code, response.content) == (200, b"")
        _check_headers(response, digest, raw)


def _check_headers(response: requests.Response, digest: Digest, raw: bytes) -> None:
    assert response.headers["Content-Type"] == _kind(raw)
    assert response.headers["Content-Length"] == str(len(raw))
    assert response.headers["Docker-Content-Digest"] in {str(digest), str(Digest.of(raw))}


def _check_blob(registry: Registry, digest: Digest, content: bytes) -> None:
    for method, body in (("HEAD", b""), ("GET", content)):
        response = registry.ask(method, f"blobs/{digest}")
        assert (response.status_code, response.content) == (200, body)
        assert response.headers["Content-Length"] == str(len(content))
        assert response.headers["Docker-Content-Digest"] == str(digest)


def _check_referrers(registry: Registry, subject: str, wanted: list[dict[str, Any]]) -> None:
    response = registry.ask("GET", f"referrers/{subject}")
    assert response.headers["Content-Type"] == media_types.OCI_INDEX
    listed = response.json()["manifests"]
    assert all(entry in listed for entry in wanted)
    for kind in {entry["artifactType"] for entry in wanted}:
        response = registry.ask("GET", f"referrers/{subject}", params={"artifactType": kind})
        assert response.headers["OCI-Filters-Applied"] == "artifactType"
        some = response.json()["manifests"]
        assert all(entry in some for entry in wanted if entry["artifactType"] == kind)
        assert {entry["artifactType"] for entry in some} == {kind}


def _delete(registry: Registry, path: str, also: tuple[int, ...] = ()) -> None:
    assert registry.ask("DELETE", path).status_code in {202, *also}
    for method in ("HEAD", "GET"):
        assert registry.ask(method, path, headers=ACCEPT).status_code == 404


def _delete_all(registry: Registry, data: Dataset) -> None:
    """Delete tags, then manifests in reverse order, then blobs."""
    for tag in data.tags:
        _delete(registry, f"manifests/{tag}")
    for digest in reversed(data.manifests):
        _delete(registry, f"manifests/{digest}")
    for digest in data.blobs:
        _delete(registry, f"blobs/{digest}")


def test_push_find_pull_and_delete_every_kind_of_image(registry: Registry, data: Dataset) -> None:
    _push_blobs(registry, data)
    for digest, raw in data.manifests.items():
        _push_manifest(registry, str(digest), digest, raw)
    for tag, digest in data.tags.items():
        _push_manifest(registry, tag, digest, data.manifests[digest])
    assert set(data.tags) <= set(registry.tags())
    for name, digest in (*((str(d), d) for d in data.manifests), *data.tags.items()):
        _check_manifest(registry, f"manifests/{name}", digest, data.manifests[digest])
    for digest, content in data.blobs.items():
        _check_blob(registry, digest, content)
    for subject, wanted in data.referrers.items():
        _check_referrers(registry, subject, wanted)
    _delete_all(registry, data)
    for subject in data.referrers:
        response = registry.ask("GET", f"referrers/{subject}")
        assert (response.status_code, response.json()["manifests"]) == (200, [])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_push_by_digest_with_tags(registry: Registry, algorithm: str) -> None:
    data = Dataset(algorithm)
    data.index(data.images())
    _push_blobs(registry, data)
    for number, (digest, raw) in enumerate(data.manifests.items()):
        tags = [f"{algorithm}-{number}", f"{algorithm}-{number}-again"]
        response = registry.ask(
            "PUT",
            f"manifests/{digest}",
            params={"tag": tags},
            data=raw,
            headers={"Content-Type": _kind(raw)},
        )
        assert response.status_code == 201
        assert response.headers["OCI-Tag"].split(", ") == tags
        data.tags.update(dict.fromkeys(tags, digest))
    for tag, digest in data.tags.items():
        _check_manifest(registry, f"manifests/{tag}", digest, data.manifests[digest])
    _delete_all(registry, data)


@pytest.mark.parametrize("tags", [["-no-tag"], ["a/b"], [""], [f"t{i}" for i in range(101)]])
def test_push_by_digest_with_invalid_tags_changes_nothing(
    registry: Registry, tags: list[str]
) -> None:
    data = SETS["artifact"]()
    _push_blobs(registry, data)
    ((digest, raw),) = data.manifests.items()
    path, headers = f"manifests/{digest}", {"Content-Type": _kind(raw)}
    response = registry.ask("PUT", path, params={"tag": tags}, data=raw, headers=headers)
    assert response.status_code in {400, 414}
    assert error_codes(response) == ["TAG_INVALID"]
    assert registry.ask("HEAD", path).status_code == 404


def test_manifest_with_wrong_digest_is_400(registry: Registry) -> None:
    data = SETS["image"]()
    _push_blobs(registry, data)
    ((digest, raw),) = data.manifests.items()
    assert registry.put(raw + b"  ", _kind(raw), str(digest)).status_code == 400
    _delete(registry, f"manifests/{digest}", also=(404,))


def test_malformed_digest_is_400(registry: Registry) -> None:
    data = SETS["image"]()
    _push_blobs(registry, data)
    ((_, raw),) = data.manifests.items()
    assert registry.put(raw, _kind(raw), "sha256:baddigeststring").status_code == 400
    assert registry.ask("GET", "manifests/sha256:baddigeststring").status_code == 400


def test_unused_repository_has_no_tags_or_referrers(registry: Registry) -> None:
    empty = Registry(registry.host, registry.http, "conformance/unused")
    assert empty.tags() == []
    response = empty.ask("GET", f"referrers/{Digest.of(b'nothing')}")
    assert (response.status_code, response.json()["manifests"]) == (200, [])


# Blobs: each way to push, with each digest algorithm.


def _random(size: int) -> bytes:
    return f"{next(_numbers):08}".encode() * (size // 8) + b"x" * (size % 8)


def _post_only(registry: Registry, digest: Digest, content: bytes) -> requests.Response:
    path = f"blobs/uploads/?digest={digest}"
    return registry.ask("POST", path, data=content, headers=BINARY)


def _post_put(registry: Registry, digest: Digest, content: bytes) -> requests.Response:
    return registry.finish(registry.begin(), digest, content)


def _stream(registry: Registry, digest: Digest, content: bytes) -> requests.Response:
    response = registry.ask("PATCH", registry.begin(), data=iter([content]), headers=BINARY)
    assert response.status_code == 202
    return registry.finish(response.headers["Location"], digest)


def _chunks(
    registry: Registry, digest: Digest, content: bytes, *, in_put: bool = False
) -> requests.Response:
    """Push three chunks, each after a chunk out of order and a status request."""
    location, step = registry.begin(), len(content) // 3 + 1
    for start in range(0, len(content), step):
        wrong = start + step if start + step < len(content) else 0
        part = content[wrong : wrong + step]
        headers = {**BINARY, "Content-Range": f"{wrong}-{wrong + len(part) - 1}"}
        assert registry.ask("PATCH", location, data=part, headers=headers).status_code == 416
        status = registry.ask("GET", location)
        assert status.status_code == 204
        assert status.headers["Range"] == f"0-{max(start - 1, 0)}"
        part = content[start : start + step]
        headers["Content-Range"] = f"{start}-{start + len(part) - 1}"
        if in_put and start + step >= len(content):
            path = f"{location}?digest={digest}"
            return registry.ask("PUT", path, data=part, headers=headers)
        response = registry.ask("PATCH", location, data=part, headers=headers)
        assert response.status_code == 202
        location = response.headers["Location"]
    return registry.finish(location, digest)


def _chunks_and_put(registry: Registry, digest: Digest, content: bytes) -> requests.Response:
    return _chunks(registry, digest, content, in_put=True)


WAYS = [_post_only, _post_put, _stream, _chunks, _chunks_and_put]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("way", WAYS)
def test_push_blob_in_every_way_and_delete(registry: Registry, way: Any, algorithm: str) -> None:
    content = _random(3067)
    digest = Digest.of(content, algorithm)
    response = way(registry, digest, content)
    assert response.status_code == 201
    assert response.headers["Docker-Content-Digest"] == str(digest)
    assert registry.ask("GET", response.headers["Location"]).content == content
    _check_blob(registry, digest, content)
    _delete(registry, f"blobs/{digest}")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("way", WAYS)
def test_blob_with_wrong_digest_is_400(registry: Registry, way: Any, algorithm: str) -> None:
    content = _random(3067)
    digest = Digest.of(content, algorithm)
    assert way(registry, digest, content + b"oh no").status_code == 400
    assert registry.ask("HEAD", f"blobs/{digest}").status_code == 404


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("content", [b"", b"{}"])
def test_push_and_delete_well_known_blobs(
    registry: Registry, content: bytes, algorithm: str
) -> None:
    digest = Digest.of(content, algorithm)
    assert _post_put(registry, digest, content).status_code == 201
    _check_blob(registry, digest, content)
    _delete(registry, f"blobs/{digest}")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("named", [True, False])
def test_mount_blob_with_and_without_source(
    registry: Registry, algorithm: str, named: bool
) -> None:
    other = Registry(registry.host, registry.http, "conformance/repo2")
    content = _random(512)
    digest = Digest.of(content, algorithm)
    assert _post_put(other, digest, content).status_code == 201
    query = {"mount": str(digest), **({"from": other.name} if named else {})}
    response = registry.ask("POST", "blobs/uploads/", params=query)
    assert response.status_code == 201
    assert registry.ask("GET", response.headers["Location"]).content == content
    _delete(registry, f"blobs/{digest}")
    _delete(other, f"blobs/{digest}", also=(404,))


def test_mount_of_missing_blob_starts_an_upload(registry: Registry) -> None:
    content = _random(512)
    digest = Digest.of(content)
    query = {"mount": str(digest), "from": "conformance/repo2"}
    response = registry.ask("POST", "blobs/uploads/", params=query)
    assert response.status_code == 202
    assert registry.finish(response.headers["Location"], digest, content).status_code == 201


def test_cancel_upload(registry: Registry) -> None:
    location = registry.begin()
    assert registry.ask("DELETE", location).status_code == 204
    assert registry.ask("GET", location).status_code == 404


@pytest.mark.parametrize(
    ("requested", "start", "end"),
    [("500-1499", 500, 1500), ("500-", 500, 2048), ("-500", 1548, 2048)],
)
def test_range_of_a_blob_is_206(registry: Registry, requested: str, start: int, end: int) -> None:
    content = _random(2048)
    digest = registry.blob(content)
    response = registry.ask("GET", f"blobs/{digest}", headers={"Range": f"bytes={requested}"})
    assert (response.status_code, response.content) == (206, content[start:end])
    assert response.headers["Content-Length"] == str(end - start)
    assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/2048"


def test_range_beyond_the_end_is_truncated(registry: Registry) -> None:
    content = _random(2048)
    digest = registry.blob(content)
    response = registry.ask("GET", f"blobs/{digest}", headers={"Range": "bytes=2000-5000"})
    assert (response.status_code, response.content) == (206, content[2000:])


@pytest.mark.parametrize("requested", ["500-0", "5000-10000"])
def test_invalid_range_is_416(registry: Registry, requested: str) -> None:
    digest = registry.blob(_random(2048))
    response = registry.ask("GET", f"blobs/{digest}", headers={"Range": f"bytes={requested}"})
    assert response.status_code == 416


@pytest.mark.parametrize("name", [str(Digest.of(b"never pushed")), "missing-tag"])
def test_missing_manifest_is_404_for_all_methods(registry: Registry, name: str) -> None:
    for method in ("GET", "HEAD", "DELETE"):
        assert registry.ask(method, f"manifests/{name}").status_code == 404


@pytest.mark.parametrize("number", [1, 2, 3])
def test_last_selects_the_following_tags(registry: Registry, number: int) -> None:
    data = SETS["artifact"]()
    _push_blobs(registry, data)
    ((digest, raw),) = data.manifests.items()
    tags = ["T1", "a", "b.1", "z"]
    for tag in tags:
        _push_manifest(registry, tag, digest, raw)
    last = tags[number - 1]
    left = registry.tags(f"?last={last}")
    assert [tag for tag in left if tag in tags] == tags[number:]
    _delete(registry, f"manifests/{digest}")
