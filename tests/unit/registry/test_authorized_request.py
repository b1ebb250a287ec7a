"""Where registries send challenges, and how they reject credentials."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.credential_chain import CredentialChain
from ghcrctl.errors import (
    DeniedError,
    GhcrctlError,
    InvalidResponseError,
    ManifestUnknownError,
    RateLimitedError,
    RedirectError,
    UnauthorizedError,
)
from ghcrctl.oci.digest import Digest
from ghcrctl.registry.client import RegistryClient
from ghcrctl.registry.transport_options import TransportOptions
from tests.unit.registry.lan import answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.server import BaseHTTPRequestHandler

    import responses

    from tests.unit.registry.lan import Lan

REGISTRY = "registry.example"
BASE = f"https://{REGISTRY}"
REALM = "https://auth.example/token"
BEARER = {"WWW-Authenticate": f'Bearer realm="{REALM}",service="registry"'}
BASIC = {"WWW-Authenticate": 'Basic realm="registry"'}
MANIFEST = f"{BASE}/v2/octo/image/manifests/1.0"
RAW = json.dumps({"schemaVersion": 2}).encode()
BLOB = Digest.of(b"content")
EXPIRED = {"errors": [{"code": "DENIED", "message": "Your Authorization Token has expired."}]}


class Source:
    """The credentials of a test."""

    label = "the test"

    def __init__(self, users: dict[str, str]) -> None:
        self._users = users

    def get(self, registry: str, repository: str) -> Credential | None:
        del registry
        user = self._users.get(repository) or self._users.get("")
        return Credential(user, "secret", source=f"the test for {user}") if user else None


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def meet(said: list[str]) -> Iterator[Callable[..., RegistryClient]]:
    with contextlib.ExitStack() as closing:

        def make(registry: str = REGISTRY, **users: str) -> RegistryClient:
            options = TransportOptions(retry=RetryPolicy(attempts=1))
            credential_chain = CredentialChain(
                [Source({n.replace("__", "/"): u for n, u in users.items()})]
            )
            client = RegistryClient(
                registry, credentials=credential_chain, options=options, warn=said.append
            )
            closing.callback(client.close)
            return client

        yield make


def paths(web: responses.RequestsMock) -> list[str]:
    return [f"{c.request.method} {str(c.request.url).partition('?')[0]}" for c in web.calls]


def shown(web: responses.RequestsMock) -> list[str | None]:
    return [call.request.headers.get("Authorization") for call in web.calls]


Meet = Any


@pytest.mark.parametrize("status", [401, 403, 404])
@pytest.mark.parametrize("challenge", [BEARER, BASIC])
def test_a_challenge_that_only_v2_sends_is_found(
    web: responses.RequestsMock, meet: Meet, status: int, challenge: dict[str, str]
) -> None:
    web.get(MANIFEST, status=status)
    web.get(f"{BASE}/v2/", status=401, headers=challenge)
    web.get(REALM, json={"token": "t"})
    web.get(MANIFEST, body=RAW)
    client = meet(**{"": "octo"})
    assert client.get_manifest("octo/image", "1.0").raw == RAW
    assert paths(web)[1] == f"GET {BASE}/v2/"
    assert (shown(web)[-1] or "").startswith(challenge["WWW-Authenticate"].split()[0])
    # The challenge is only requested once.
    assert client.get_manifest("octo/image", "1.0").raw == RAW
    assert paths(web).count(f"GET {BASE}/v2/") == 1


def test_a_bare_401_gets_an_anonymous_token_too(web: responses.RequestsMock, meet: Meet) -> None:
    web.get(MANIFEST, status=401)
    web.get(f"{BASE}/v2/", status=401, headers=BEARER)
    web.get(REALM, json={"token": "t"})
    web.get(MANIFEST, body=RAW)
    assert meet().get_manifest("octo/image", "1.0").raw == RAW


@pytest.mark.parametrize("status", [403, 404])
def test_without_a_credential_a_refusal_is_final(
    web: responses.RequestsMock, meet: Meet, status: int
) -> None:
    web.get(MANIFEST, status=status)
    with pytest.raises(GhcrctlError):
        meet().get_manifest("octo/image", "1.0")
    assert len(web.calls) == 1


def test_a_missing_manifest_is_requested_twice_at_most(
    web: responses.RequestsMock, meet: Meet
) -> None:
    web.get(MANIFEST, status=404)
    web.get(f"{BASE}/v2/", status=200)
    client = meet(**{"": "octo"})
    for _ in range(3):
        with pytest.raises(ManifestUnknownError):
            client.get_manifest("octo/image", "1.0")
    assert len(web.calls) == 4


def test_an_expired_token_is_replaced_without_a_challenge(
    web: responses.RequestsMock, meet: Meet
) -> None:
    web.get(MANIFEST, status=401)
    web.get(f"{BASE}/v2/", status=401, headers=BEARER)
    web.get(REALM, json={"token": "t1"})
    web.get(MANIFEST, body=RAW)
    web.get(MANIFEST, status=401)
    web.get(REALM, json={"token": "t2"})
    web.get(MANIFEST, body=RAW)
    client = meet(**{"": "octo"})
    client.get_manifest("octo/image", "1.0")
    client.get_manifest("octo/image", "1.0")
    assert shown(web)[-1] == "Bearer t2"


def test_an_upload_finds_the_challenge_too(web: responses.RequestsMock, meet: Meet) -> None:
    uploads = f"{BASE}/v2/octo/image/blobs/uploads/"
    web.post(uploads, status=404)
    web.get(f"{BASE}/v2/", status=401, headers=BASIC)
    web.post(uploads, status=202, headers={"Location": "/u/1"})
    assert meet(**{"": "octo"}).uploads.begin("octo/image").address == f"{BASE}/u/1"


# Expired credentials


@pytest.mark.parametrize("challenge", [BEARER, BASIC])
@pytest.mark.parametrize("body", [EXPIRED, {"message": "authorization token has expired"}, {}])
def test_a_403_for_an_expired_credential_does_not_block_a_public_image(
    web: responses.RequestsMock,
    meet: Meet,
    said: list[str],
    challenge: dict[str, str],
    body: dict[str, Any],
) -> None:
    web.get(MANIFEST, status=401, headers=challenge)
    web.get(REALM, json={"token": "t1"})
    web.get(MANIFEST, status=403, json=body)
    web.get(REALM, json={"token": "anonymous"})
    web.get(MANIFEST, body=RAW)
    client = meet(**{"": "octo"})
    assert client.get_manifest("octo/image", "1.0").raw == RAW
    assert shown(web)[-1] == ("Bearer anonymous" if challenge is BEARER else None)
    assert len(said) == 1
    assert "rejects the credential from the test for octo" in said[0]
    # From now on, the image is read without the credential.
    client.get_manifest("octo/image", "1.0")
    assert shown(web)[-1] == ("Bearer anonymous" if challenge is BEARER else None)
    assert len(said) == 1


def test_a_401_for_an_expired_credential_does_not_block_a_public_image_of_its_own(
    web: responses.RequestsMock, meet: Meet
) -> None:
    """The registry is known to use Basic by then, so the credential is sent up front."""
    public = f"{BASE}/v2/cat/public/manifests/1.0"
    web.get(MANIFEST, status=401, headers=BASIC)
    web.get(MANIFEST, body=RAW)
    web.get(public, status=401, headers=BASIC)
    web.get(public, status=401, headers=BASIC)
    web.get(public, body=RAW)
    client = meet(octo__image="octo", cat__public="cat")
    client.get_manifest("octo/image", "1.0")
    assert client.get_manifest("cat/public", "1.0").raw == RAW
    assert shown(web)[-1] is None


def test_a_denial_of_a_private_image_is_kept(
    web: responses.RequestsMock, meet: Meet, said: list[str]
) -> None:
    web.get(MANIFEST, status=401, headers=BASIC)
    web.get(MANIFEST, status=403, json={"errors": [{"code": "DENIED", "message": "no access"}]})
    web.get(MANIFEST, status=401, headers=BASIC)
    with pytest.raises(DeniedError, match="no access"):
        meet(**{"": "octo"}).get_manifest("octo/image", "1.0")
    assert said == []


def test_a_denial_for_one_repository_leaves_the_credential_to_the_others(
    web: responses.RequestsMock, meet: Meet
) -> None:
    other = f"{BASE}/v2/octo/other/manifests/1.0"
    web.get(MANIFEST, status=401, headers=BASIC)
    web.get(MANIFEST, status=403, json={})
    web.get(MANIFEST, body=RAW)
    web.get(other, body=RAW)
    client = meet(**{"": "octo"})
    client.get_manifest("octo/image", "1.0")
    client.get_manifest("octo/other", "1.0")
    assert shown(web)[-2] is None
    assert (shown(web)[-1] or "").startswith("Basic ")


def test_a_push_is_never_tried_without_its_credential(
    web: responses.RequestsMock, meet: Meet
) -> None:
    uploads = f"{BASE}/v2/octo/image/blobs/uploads/"
    web.post(uploads, status=401, headers=BASIC)
    web.post(uploads, status=403, json=EXPIRED)
    with pytest.raises(DeniedError, match="expired"):
        meet(**{"": "octo"}).uploads.begin("octo/image")
    assert len(web.calls) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_token_endpoint_that_rejects_a_credential_does_not_block_a_public_image(
    web: responses.RequestsMock, meet: Meet, status: int, said: list[str]
) -> None:
    web.get(MANIFEST, status=401, headers=BEARER)
    web.get(REALM, status=status, json={"error": "invalid_grant"})
    web.get(REALM, json={"token": "anonymous"})
    web.get(MANIFEST, body=RAW)
    assert meet(**{"": "octo"}).get_manifest("octo/image", "1.0").raw == RAW
    assert len(said) == 1


# Responses to HEAD have no body


def _limited(handler: BaseHTTPRequestHandler) -> None:
    body = b'{"message": "You have exceeded a secondary rate limit."}'
    answer(handler, body, status=403, Content_Type="application/json")


def test_a_get_explains_a_refused_head(lan: Lan, meet: Meet) -> None:
    lan.act = _limited
    with pytest.raises(RateLimitedError, match="secondary rate limit") as caught:
        meet(f"127.0.0.1:{lan.port}").has_blob("octo/image", BLOB)
    assert caught.value.exit_status == 3
    path = f"/v2/octo/image/blobs/{BLOB}"
    assert lan.seen[-2:] == [("HEAD", path), ("GET", path)]


# Other hosts, and TLS that ends in front of the registry


def test_an_upload_that_storage_refuses_blames_no_credential(
    web: responses.RequestsMock, meet: Meet
) -> None:
    uploads = f"{BASE}/v2/octo/image/blobs/uploads/"
    web.post(uploads, status=401, headers=BASIC)
    web.post(uploads, status=202, headers={"Location": "https://storage.example/u?sig=s"})
    web.put("https://storage.example/u", status=403, body="<Error>no</Error>")
    client = meet(**{"": "octo"})
    address = client.uploads.begin("octo/image").address
    with pytest.raises(DeniedError, match=r"storage\.example") as caught:
        client.uploads.finish("octo/image", address, BLOB, b"content")
    told = f"{caught.value.message} {caught.value.hint}"
    assert "the test" not in told
    assert "login" not in told
    assert shown(web)[-1] is None


def test_a_redirect_of_an_upload_names_the_other_host(
    web: responses.RequestsMock, meet: Meet
) -> None:
    uploads = f"{BASE}/v2/octo/image/blobs/uploads/"
    web.post(uploads, status=307, headers={"Location": "https://other.example/v2/"})
    with pytest.raises(RedirectError, match=r"redirects the request to other\.example"):
        meet(**{"": "octo"}).uploads.begin("octo/image")


@pytest.mark.parametrize("location", [f"http://{REGISTRY}/u/1", "http://inner.example/u/1"])
def test_an_upload_without_tls_mentions_the_header_that_is_missing(
    web: responses.RequestsMock, meet: Meet, location: str
) -> None:
    uploads = f"{BASE}/v2/octo/image/blobs/uploads/"
    web.post(uploads, status=202, headers={"Location": location})
    with pytest.raises(InvalidResponseError, match="does not use TLS") as caught:
        meet().uploads.begin("octo/image")
    assert "X-Forwarded-Proto" in (caught.value.hint or "")


def test_a_redirect_without_tls_mentions_the_header_that_is_missing(
    web: responses.RequestsMock, meet: Meet
) -> None:
    web.get(MANIFEST, status=307, headers={"Location": f"http://{REGISTRY}/elsewhere"})
    with pytest.raises(RedirectError) as caught:
        meet().get_manifest("octo/image", "1.0")
    assert "X-Forwarded-Proto" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("manifests/1.0", lambda client: client.get_manifest("octo/image", "1.0")),
        ("tags/list", lambda client: list(client.tags("octo/image"))),
        ("", lambda client: client.check(Credential("octo", "secret"))),
    ],
)
def test_an_html_page_in_place_of_a_response_is_reported(
    web: responses.RequestsMock, meet: Meet, path: str, read: Callable[[RegistryClient], object]
) -> None:
    page = "<html><head><title>Sign in to this network</title>"
    url = f"{BASE}/v2/octo/image/{path}" if path else f"{BASE}/v2/"
    web.get(url, body=page, content_type="text/html; charset=utf-8")
    client = meet()
    with pytest.raises(InvalidResponseError, match='an HTML page: "Sign in to this network"'):
        read(client)


def test_an_html_page_of_a_token_endpoint_is_reported(
    web: responses.RequestsMock, meet: Meet
) -> None:
    web.get(MANIFEST, status=401, headers=BEARER)
    web.get(REALM, body="<!doctype html><title>Proxy</title>")
    with pytest.raises(InvalidResponseError, match=r'auth\.example sent an HTML page: "Proxy"'):
        meet().get_manifest("octo/image", "1.0")


def test_a_credential_that_is_rejected_for_pushing_is_still_named(
    web: responses.RequestsMock, meet: Meet
) -> None:
    uploads = f"{BASE}/v2/octo/image/blobs/uploads/"
    web.post(uploads, status=401, headers=BASIC)
    with pytest.raises(UnauthorizedError, match="rejects the credential from the test for octo"):
        meet(**{"": "octo"}).uploads.begin("octo/image")


def test_a_redirect_to_a_page_of_the_same_host_does_not_suggest_that_host(
    web: responses.RequestsMock, meet: Meet
) -> None:
    uploads = f"{BASE}/v2/octo/image/blobs/uploads/"
    web.post(uploads, status=303, headers={"Location": "/login"})
    with pytest.raises(RedirectError, match=r"to another page \(status 303\)") as caught:
        meet(**{"": "octo"}).uploads.begin("octo/image")
    assert "use the name" not in str(caught.value.hint)
