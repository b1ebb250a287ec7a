"""How often a registry and its token endpoint are contacted, and the scope of rejections."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
import requests

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.credentials.credential import Credential
from ghcrctl.errors import (
    AuthError,
    DeniedError,
    GhcrctlError,
    ManifestUnknownError,
    RegistryUnavailableError,
    TimedOutError,
    UnauthorizedError,
)
from ghcrctl.registry.auth import Authenticator, Scope
from ghcrctl.registry.transport import Transport
from ghcrctl.registry.transport_options import TransportOptions
from tests.unit.registry.party import PULL, PUSH, REALM, Party, gives, query
from tests.unit.registry.test_authorized_request import (
    BASE,
    BLOB,
    EXPIRED,
    MANIFEST,
    RAW,
    meet,
    paths,
    said,
    shown,
)
from tests.unit.registry.test_authorized_request import BASIC as BASIC_CHALLENGE
from tests.unit.registry.test_authorized_request import BEARER as BEARER_CHALLENGE
from tests.unit.registry.test_authorized_request import REALM as OTHER_REALM

if TYPE_CHECKING:
    import responses

__all__ = ["meet", "said"]

Meet = Any


def denial(text: str = "") -> requests.Response:
    response = requests.Response()
    response.status_code = 403
    response.error_text = text  # type: ignore[attr-defined]
    return response


# Rejections


def test_without_a_credential_nothing_is_rejected(nobody: Party) -> None:
    assert not nobody.auth.reject(PULL)
    nobody.auth.deny(PULL, denial())
    assert nobody.said == []


def test_a_push_never_continues_without_its_credential(octo: Party) -> None:
    assert not octo.auth.reject(PUSH)
    assert octo.auth.credential(PUSH) is not None
    assert octo.said == []


def test_each_credential_is_warned_about_once(octo: Party) -> None:
    users = {"octo/a": Credential("a", "1", source="one"), "octo/b": Credential("b", "2")}
    octo.auth = Authenticator("ghcr.io", users.get, octo.transport, octo.said.append)
    for _ in range(2):
        for name, credential in users.items():
            octo.auth._reject(credential, name)
    assert sum("rejects the credential" in line for line in octo.said) == 2


def test_a_denial_applies_to_one_repository_unless_the_credential_expired(
    web: responses.RequestsMock, meet: Meet
) -> None:
    other = f"{BASE}/v2/octo/other/manifests/1.0"
    web.get(MANIFEST, status=401, headers=BASIC_CHALLENGE)
    web.get(MANIFEST, status=403, json=EXPIRED)
    web.get(MANIFEST, body=RAW)
    web.get(other, body=RAW)
    client = meet(**{"": "octo"})
    client.get_manifest("octo/image", "1.0")
    client.get_manifest("octo/other", "1.0")
    assert shown(web)[-1] is None


# Number of requests


def test_an_insufficient_anonymous_token_is_sent_once(
    web: responses.RequestsMock, meet: Meet
) -> None:
    web.get(MANIFEST, status=401, headers=BEARER_CHALLENGE)
    web.get(OTHER_REALM, json={"token": "t"})
    with pytest.raises(UnauthorizedError):
        meet().get_manifest("octo/image", "1.0")
    assert paths(web).count(f"GET {MANIFEST}") == 2


def test_a_rejected_credential_is_followed_by_one_anonymous_request(
    web: responses.RequestsMock, meet: Meet
) -> None:
    web.get(MANIFEST, status=401, headers=BEARER_CHALLENGE)
    web.get(OTHER_REALM, json={"token": "t"})
    with pytest.raises(UnauthorizedError):
        meet(**{"": "octo"}).get_manifest("octo/image", "1.0")
    assert paths(web).count(f"GET {MANIFEST}") == 3
    assert paths(web).count(f"GET {OTHER_REALM}") == 2


def test_a_known_challenge_is_not_requested(web: responses.RequestsMock, octo: Party) -> None:
    gives(web, {"token": "t"})
    octo.challenged()
    assert octo.auth.discover(PULL, "https://ghcr.io") == "Bearer t"
    assert len(web.calls) == 1


def test_a_challenge_is_not_requested_from_another_host(
    web: responses.RequestsMock, meet: Meet
) -> None:
    web.get(MANIFEST, status=404)
    web.get(f"{BASE}/v2/", status=302, headers={"Location": "https://elsewhere.example/v2/"})
    with pytest.raises(ManifestUnknownError):
        meet(**{"": "octo"}).get_manifest("octo/image", "1.0")
    assert paths(web) == [f"GET {MANIFEST}", f"GET {BASE}/v2/"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_stream_is_sent_once_whatever_the_response(
    web: responses.RequestsMock, meet: Meet, status: int
) -> None:
    address = f"{BASE}/v2/octo/image/blobs/uploads/1"
    web.put(address, status=status)
    with pytest.raises(GhcrctlError):
        meet(**{"": "octo"}).uploads.finish("octo/image", address, BLOB, io.BytesIO(b"content"))
    assert len(web.calls) == 1


@pytest.mark.parametrize("attempts", [1, 3])
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (408, TimedOutError),
        (425, RegistryUnavailableError),
        (499, RegistryUnavailableError),
        (500, RegistryUnavailableError),
        (503, RegistryUnavailableError),
    ],
)
def test_a_token_is_requested_as_often_as_allowed(
    web: responses.RequestsMock, octo: Party, attempts: int, status: int, kind: type[GhcrctlError]
) -> None:
    options = TransportOptions(retry=RetryPolicy(attempts=attempts, base=0.0))
    octo.auth._transport = transport = Transport(options, sleep=lambda _: None)
    web.get(REALM, status=status)
    with pytest.raises(kind) as caught:
        octo.challenged()
    transport.close()
    assert type(caught.value) is kind
    assert not caught.value.retryable
    assert len(web.calls) == attempts


# Content of token requests


@pytest.mark.parametrize(
    ("header", "scope", "expected"),
    [
        (f'Bearer realm="{REALM}"', PULL, {"scope": ["repository:octo/image:pull"]}),
        (f'Bearer realm="{REALM}",service="s"', Scope(), {"service": ["s"]}),
        (f'Bearer realm="{REALM}"', Scope(), {}),
    ],
)
def test_a_token_request_has_the_known_parameters(
    web: responses.RequestsMock,
    octo: Party,
    header: str,
    scope: Scope,
    expected: dict[str, list[str]],
) -> None:
    gives(web, {"token": "t"})
    octo.challenged(scope, header)
    assert query(web) == expected
    assert ("?" in str(web.calls[0].request.url)) == bool(expected)


@pytest.mark.parametrize(
    ("scope", "action"),
    [(PUSH, "push to"), (PULL, "pull from"), (Scope(), "sign in to")],
)
def test_a_refused_token_request_names_its_action(
    web: responses.RequestsMock, scope: Scope, action: str
) -> None:
    party = Party(Credential("octo", "x", source="the test"), lenient=False)
    web.get(REALM, status=403, json={"errors": [{"code": "DENIED", "message": "denied"}]})
    with pytest.raises(AuthError) as caught:
        party.challenged(scope)
    party.transport.close()
    assert isinstance(caught.value, DeniedError)
    assert action in caught.value.message


# Refusals of the token endpoint


def test_the_token_endpoints_error_is_raised(web: responses.RequestsMock, meet: Meet) -> None:
    web.post(f"{BASE}/v2/octo/image/blobs/uploads/", status=401, headers=BEARER_CHALLENGE)
    web.get(OTHER_REALM, status=503)
    with pytest.raises(RegistryUnavailableError):
        meet(**{"": "octo"}).uploads.begin("octo/image")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(401, DeniedError, "not for you"), (404, ManifestUnknownError, "octo/image")],
)
def test_a_refused_token_request_only_explains_a_401(
    web: responses.RequestsMock, meet: Meet, status: int, kind: type[GhcrctlError], words: str
) -> None:
    web.get(MANIFEST, status=status)
    web.get(f"{BASE}/v2/", status=401, headers=BEARER_CHALLENGE)
    denied = {"errors": [{"code": "DENIED", "message": "not for you"}]}
    web.get(OTHER_REALM, status=403, json=denied)
    with pytest.raises(kind, match=words):
        meet(**{"": "octo"}).get_manifest("octo/image", "1.0")
    assert paths(web).count(f"GET {MANIFEST}") == 1


def test_a_denial_is_final_without_an_anonymous_token(
    web: responses.RequestsMock, meet: Meet, said: list[str]
) -> None:
    web.get(MANIFEST, status=401, headers=BEARER_CHALLENGE)
    web.get(OTHER_REALM, json={"token": "t"})
    web.get(MANIFEST, status=403, json={"errors": [{"code": "DENIED", "message": "no access"}]})
    web.get(OTHER_REALM, status=403)
    with pytest.raises(DeniedError, match="no access"):
        meet(**{"": "octo"}).get_manifest("octo/image", "1.0")
    assert said == []


@pytest.mark.parametrize("status", [400, 401, 404, 500])
def test_a_denial_is_final_if_the_anonymous_request_fails(
    web: responses.RequestsMock, meet: Meet, said: list[str], status: int
) -> None:
    web.get(MANIFEST, status=401, headers=BASIC_CHALLENGE)
    web.get(MANIFEST, status=403, json={"errors": [{"code": "DENIED", "message": "no access"}]})
    web.get(MANIFEST, status=status)
    with pytest.raises(DeniedError, match="no access"):
        meet(**{"": "octo"}).get_manifest("octo/image", "1.0")
    assert said == []
