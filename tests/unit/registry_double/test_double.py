"""The test registry behaves like ghcr.io as observed; otherwise its tests would prove nothing."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
import requests

from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from tests.builders import random_image
from tests.registry_double import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.registry_double import PlainRegistry, RegistryDouble

REPOSITORY = "octo/image"
IMAGE = random_image(seed=1)
ACCEPT = {"Accept": ", ".join(media_types.ACCEPTED)}
BLOB, BLOB_BYTES = IMAGE.blobs[0]


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def token(http: requests.Session, ghcr: RegistryDouble, scope: str, *, auth: bool = True) -> str:
    answer = http.get(
        f"{ghcr.url}/token",
        params={"service": "ghcr.io", "scope": scope},
        auth=("anybody", "ghp_octo") if auth else None,
    )
    return str(answer.json()["token"])


@pytest.fixture
def signed_in(http: requests.Session, ghcr: RegistryDouble) -> requests.Session:
    ghcr.push_image(REPOSITORY, "v1", IMAGE)
    bearer = token(http, ghcr, f"repository:{REPOSITORY}:pull,push")
    http.headers["Authorization"] = f"Bearer {bearer}"
    return http


class TestTokens:
    def test_a_request_without_token_is_challenged(
        self, http: requests.Session, ghcr: RegistryDouble
    ) -> None:
        answer = http.get(f"{ghcr.url}/v2/{REPOSITORY}/manifests/v1")
        assert answer.status_code == 401
        scope = f"repository:{REPOSITORY}:pull"
        expected = f'Bearer realm="{ghcr.url}/token",service="ghcr.io",scope="{scope}"'
        assert answer.headers["WWW-Authenticate"] == expected

    @pytest.mark.parametrize("name", [REPOSITORY, "octo/absent"])
    def test_private_and_missing_repositories_look_the_same(
        self, http: requests.Session, ghcr: RegistryDouble, name: str
    ) -> None:
        ghcr.push_image(REPOSITORY, "v1", IMAGE)
        answer = http.get(f"{ghcr.url}/token", params={"scope": f"repository:{name}:pull"})
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "DENIED")

    def test_public_repositories_need_an_anonymous_token(
        self, http: requests.Session, ghcr: RegistryDouble
    ) -> None:
        ghcr.push_image(REPOSITORY, "v1", IMAGE)
        ghcr.public.add(REPOSITORY)
        bearer = token(http, ghcr, f"repository:{REPOSITORY}:pull", auth=False)
        headers = {**ACCEPT, "Authorization": f"Bearer {bearer}"}
        assert http.get(f"{ghcr.url}/v2/{REPOSITORY}/manifests/v1", headers=headers).ok

    def test_a_bad_credential_is_denied_even_for_public_repositories(
        self, http: requests.Session, ghcr: RegistryDouble
    ) -> None:
        ghcr.public.add(REPOSITORY)
        scope = {"scope": f"repository:{REPOSITORY}:pull"}
        answer = http.get(f"{ghcr.url}/token", params=scope, auth=("octo", "expired"))
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["message"] == "denied: denied"

    def test_a_token_is_limited_to_its_repository_and_action(
        self, http: requests.Session, ghcr: RegistryDouble
    ) -> None:
        bearer = token(http, ghcr, f"repository:{REPOSITORY}:pull")
        http.headers["Authorization"] = f"Bearer {bearer}"
        assert http.get(f"{ghcr.url}/v2/octo/other/tags/list").status_code == 401
        assert http.post(f"{ghcr.url}/v2/{REPOSITORY}/blobs/uploads/").status_code == 401

    @pytest.mark.parametrize(
        ("authorization", "status"),
        [
            ("Bearer " + base64.b64encode(b"ghp_octo").decode(), 200),
            ("Bearer ghp_octo", 403),
            ("Basic " + base64.b64encode(b"octo:ghp_octo").decode(), 403),
            ("Bearer ", 401),
        ],
        ids=["encoded", "raw", "basic", "empty"],
    )
    def test_other_authorizations(
        self, http: requests.Session, ghcr: RegistryDouble, authorization: str, status: int
    ) -> None:
        ghcr.push_image(REPOSITORY, "v1", IMAGE)
        headers = {"Authorization": authorization}
        answer = http.get(f"{ghcr.url}/v2/{REPOSITORY}/tags/list", headers=headers)
        assert answer.status_code == status


class TestBlobs:
    def test_a_blob_is_redirected_to_storage_that_takes_no_authorization(
        self, signed_in: requests.Session, ghcr: RegistryDouble
    ) -> None:
        first = signed_in.get(
            f"{ghcr.url}/v2/{REPOSITORY}/blobs/{BLOB.digest}", allow_redirects=False
        )
        assert first.status_code == 307
        address = first.headers["Location"]
        assert ghcr.storage_host in address
        assert signed_in.get(address).status_code == 400
        del signed_in.headers["Authorization"]
        assert signed_in.get(address).content == BLOB_BYTES
        part = signed_in.get(address, headers={"Range": "bytes=5-9"})
        assert (part.status_code, part.content) == (206, BLOB_BYTES[5:10])
        assert signed_in.head(address).status_code == 403

    def test_a_signed_url_can_be_made_to_expire(
        self, signed_in: requests.Session, ghcr: RegistryDouble
    ) -> None:
        ghcr.moods.expired = 1
        blob = f"{ghcr.url}/v2/{REPOSITORY}/blobs/{BLOB.digest}"
        found = [
            requests.get(signed_in.get(blob, allow_redirects=False).headers["Location"], timeout=5)
            for _ in range(2)
        ]
        assert [answer.status_code for answer in found] == [403, 200]

    def test_a_chunk_with_a_range_is_limited_to_four_mebibytes(
        self, signed_in: requests.Session, ghcr: RegistryDouble
    ) -> None:
        begun = signed_in.post(f"{ghcr.url}/v2/{REPOSITORY}/blobs/uploads/")
        place, data = ghcr.url + begun.headers["Location"], bytes(4 * 1024 * 1024 + 1)
        ranged = {"Content-Range": f"0-{len(data) - 1}"}
        refused = signed_in.patch(place, data=data, headers=ranged)
        assert refused.status_code == 416
        assert "4.00MiB" in refused.text
        assert signed_in.patch(place, data=data).status_code == 202

    @pytest.mark.parametrize(("known", "status"), [(True, 201), (False, 202)])
    def test_mount_needs_pull_access_to_the_source(
        self, http: requests.Session, ghcr: RegistryDouble, known: bool, status: int
    ) -> None:
        ghcr.push_image("octo/source", "v1", IMAGE)
        more = " repository:octo/source:pull" if known else ""
        bearer = token(http, ghcr, f"repository:{REPOSITORY}:pull,push{more}")
        answer = http.post(
            f"{ghcr.url}/v2/{REPOSITORY}/blobs/uploads/",
            params={"mount": str(BLOB.digest), "from": "octo/source"},
            headers={"Authorization": f"Bearer {bearer}"},
        )
        assert answer.status_code == status


class TestManifests:
    def test_a_manifest_of_a_type_not_accepted_is_not_found(
        self, signed_in: requests.Session, ghcr: RegistryDouble
    ) -> None:
        address = f"{ghcr.url}/v2/{REPOSITORY}/manifests/v1"
        assert signed_in.get(address).status_code == 404
        assert signed_in.get(address, headers=ACCEPT).content == IMAGE.raw
        assert ghcr.downloads == {str(IMAGE.root.digest): 1}

    @pytest.mark.parametrize("what", ["manifests/v1", f"blobs/{BLOB.digest}"])
    def test_delete_is_unsupported(
        self, signed_in: requests.Session, ghcr: RegistryDouble, what: str
    ) -> None:
        answer = signed_in.delete(f"{ghcr.url}/v2/{REPOSITORY}/{what}")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (405, "UNSUPPORTED")

    def test_the_referrers_api_redirects_or_is_not_found(
        self, signed_in: requests.Session, ghcr: RegistryDouble
    ) -> None:
        address = f"{ghcr.url}/v2/{REPOSITORY}/referrers/{IMAGE.root.digest}"
        assert signed_in.get(address, allow_redirects=False).status_code == 303
        ghcr.moods.referrers = "missing"
        assert signed_in.get(address).status_code == 404

    def test_a_page_has_at_most_a_hundred_tags(
        self, signed_in: requests.Session, ghcr: RegistryDouble
    ) -> None:
        for number in range(101):
            ghcr.push_image(REPOSITORY, f"t{number:03}", random_image(layers=0))
        first = signed_in.get(f"{ghcr.url}/v2/{REPOSITORY}/tags/list")
        assert len(first.json()["tags"]) == 100
        assert first.links["next"]["url"].startswith("/v2/")

    def test_writes_can_become_visible_late(
        self, signed_in: requests.Session, ghcr: RegistryDouble
    ) -> None:
        ghcr.moods.lag = 2
        address = f"{ghcr.url}/v2/{REPOSITORY}/manifests/v2"
        kind = {"Content-Type": IMAGE.root.media_type}
        assert signed_in.put(address, data=IMAGE.raw, headers=kind).status_code == 201
        seen = [signed_in.get(address, headers=ACCEPT).status_code for _ in range(3)]
        assert seen == [404, 404, 200]

    def test_upper_case_is_refused(self, signed_in: requests.Session, ghcr: RegistryDouble) -> None:
        encoded = "Bearer " + base64.b64encode(b"ghp_octo").decode()
        headers = {**ACCEPT, "Authorization": encoded}
        ghcr.authority.members["Octo"] = {"octo"}
        answer = signed_in.get(f"{ghcr.url}/v2/Octo/Image/manifests/v1", headers=headers)
        assert answer.json()["errors"][0]["code"] == "NAME_INVALID"


class TestMoods:
    def test_a_rate_limit_uses_go_durations(
        self, signed_in: requests.Session, ghcr: RegistryDouble
    ) -> None:
        ghcr.moods.rate_limited = 1
        address = f"{ghcr.url}/v2/{REPOSITORY}/tags/list"
        answer = signed_in.get(address)
        assert answer.status_code == 429
        assert "retry-after: 880.092µs" in answer.json()["errors"][0]["message"]
        assert signed_in.get(address).status_code == 200

    def test_a_denial_has_its_message(
        self, signed_in: requests.Session, ghcr: RegistryDouble
    ) -> None:
        ghcr.moods.denials[REPOSITORY] = "permission_denied: write_package"
        answer = signed_in.post(f"{ghcr.url}/v2/{REPOSITORY}/blobs/uploads/")
        assert (answer.status_code, answer.json()["errors"][0]["message"]) == (
            403,
            "permission_denied: write_package",
        )


class TestFaults:
    @pytest.fixture
    def url(self, plain_registry: PlainRegistry) -> str:
        plain_registry.push_image("a/b", "v1", IMAGE)
        return f"{plain_registry.url}/v2/a/b"

    def test_a_status_is_returned_for_a_number_of_requests(
        self, http: requests.Session, plain_registry: PlainRegistry, url: str
    ) -> None:
        plain_registry.faults.append(
            Fault(method="GET", path_contains="/blobs/", times=2, status=503)
        )
        seen = [http.get(f"{url}/blobs/{BLOB.digest}").status_code for _ in range(3)]
        assert seen == [503, 503, 200]
        assert plain_registry.count("GET", "/blobs/") == 3

    def test_a_response_can_be_cut_short(
        self, http: requests.Session, plain_registry: PlainRegistry, url: str
    ) -> None:
        plain_registry.faults.append(Fault(path_contains="/blobs/", cut_after=100))
        answer = http.get(f"{url}/blobs/{BLOB.digest}", stream=True)
        chunks = answer.iter_content(10)
        received = b"".join(next(chunks) for _ in range(10))
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            next(chunks)
        assert received == BLOB_BYTES[:100]
        assert http.get(f"{url}/blobs/{BLOB.digest}").content == BLOB_BYTES

    def test_an_interrupted_upload_keeps_received_bytes(
        self, http: requests.Session, plain_registry: PlainRegistry, url: str
    ) -> None:
        place = plain_registry.url + http.post(f"{url}/blobs/uploads/").headers["Location"]
        plain_registry.faults.append(Fault(method="PATCH", cut_after=100))
        with pytest.raises(requests.ConnectionError):
            http.patch(place, data=BLOB_BYTES)
        assert http.get(place).headers["Range"] == "0-99"

    def test_body_and_headers_can_be_replaced(
        self, http: requests.Session, plain_registry: PlainRegistry, url: str
    ) -> None:
        lie = {"Docker-Content-Digest": str(Digest.of(b"lie"))}
        plain_registry.faults.append(Fault(path_contains="/manifests/", body=b"lie", headers=lie))
        answer = http.get(f"{url}/manifests/v1")
        assert (answer.content, answer.headers["Docker-Content-Digest"]) == (
            b"lie",
            lie["Docker-Content-Digest"],
        )
