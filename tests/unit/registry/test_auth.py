"""Docker's token protocol, and Basic, against scripted answers."""

from __future__ import annotations

import base64
import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.credentials.credential import Credential
from ghcrctl.errors import (
    AuthError,
    DeniedError,
    GhcrctlError,
    InvalidResponseError,
    UnauthorizedError,
)
from ghcrctl.registry.auth import Authenticator, Scope
from ghcrctl.registry.transport import Transport, TransportOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "ghp_verysecret"
REALM = "https://ghcr.io/token"
CHALLENGE = f'Bearer realm="{REALM}",service="ghcr.io",scope="ignored"'
URL = "https://ghcr.io/v2/octo/image/manifests/1.0"
PULL, PUSH = Scope.pull("octo/image"), Scope.push("octo/image")
BASIC = "Basic " + base64.b64encode(f"octo:{SECRET}".encode()).decode()


class Party:
    """An authenticator with all that it says and sends."""

    def __init__(self, credential: Credential | None, *, lenient: bool = True) -> None:
        self.said: list[str] = []
        options = TransportOptions(retry=RetryPolicy(attempts=1), debug=self.said.append)
        self.transport = Transport(options, sleep=lambda _: None)
        self.auth = Authenticator(
            "ghcr.io", lambda _: credential, self.transport, self.said.append, lenient=lenient
        )

    def challenged(
        self, scope: Scope = PULL, header: str = CHALLENGE, url: str = URL
    ) -> str | None:
        """Answer a 401 that has a challenge."""
        response = requests.Response()
        response.status_code = 401
        response.headers["WWW-Authenticate"] = header
        return self.auth.answer(response, scope, url)


@pytest.fixture(autouse=True)
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def octo() -> Iterator[Party]:
    party = Party(Credential("octo", SECRET, source="the test"))
    yield party
    party.transport.close()


@pytest.fixture
def nobody() -> Iterator[Party]:
    party = Party(None)
    yield party
    party.transport.close()


def gives(web: responses.RequestsMock, *answers: dict[str, Any], realm: str = REALM) -> None:
    for answer in answers:
        web.get(realm, json=answer)


def query(web: responses.RequestsMock, number: int = -1) -> dict[str, list[str]]:
    return parse_qs(urlsplit(str(web.calls[number].request.url)).query)


def test_a_token_is_asked_for_with_service_scope_and_the_credential(
    web: responses.RequestsMock, octo: Party
) -> None:
    gives(web, {"token": "t1"})
    assert octo.auth.header(PULL) is None
    assert octo.challenged() == "Bearer t1"
    assert query(web) == {"service": ["ghcr.io"], "scope": ["repository:octo/image:pull"]}
    assert web.calls[0].request.headers["Authorization"] == BASIC


def test_without_a_credential_the_token_is_anonymous(
    web: responses.RequestsMock, nobody: Party
) -> None:
    gives(web, {"access_token": "t1", "token": ""})
    assert nobody.challenged() == "Bearer t1"
    assert "Authorization" not in web.calls[0].request.headers


def test_a_mount_asks_for_both_repositories(web: responses.RequestsMock, octo: Party) -> None:
    gives(web, {"token": "t1"})
    octo.challenged(Scope.push("octo/image", "octo/other"))
    assert query(web)["scope"] == [
        "repository:octo/image:pull,push",
        "repository:octo/other:pull",
    ]


def test_a_realm_with_a_query_keeps_it(web: responses.RequestsMock, octo: Party) -> None:
    gives(web, {"token": "t1"})
    octo.challenged(header='Bearer realm="https://ghcr.io/token?account=x"')
    assert query(web) == {"account": ["x"], "scope": ["repository:octo/image:pull"]}


def test_a_token_serves_until_shortly_before_it_ends(
    web: responses.RequestsMock, octo: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("ghcrctl.registry.auth.time.monotonic", lambda: now[0])
    gives(web, {"token": "t1", "expires_in": 300}, {"token": "t2", "expires_in": 300})
    assert octo.challenged() == "Bearer t1"
    now[0] += 285
    assert octo.auth.header(PULL) == "Bearer t1"
    now[0] += 10
    assert octo.auth.header(PULL) == "Bearer t2"
    assert len(web.calls) == 2


@pytest.mark.parametrize("expires", [None, 0, "60", 60.5, 10**12])
def test_any_span_of_life_is_understood(
    web: responses.RequestsMock, octo: Party, expires: object
) -> None:
    gives(web, {"token": "t1", "expires_in": expires})
    assert octo.challenged() == "Bearer t1"
    assert octo.auth.header(PULL) == "Bearer t1"
    assert len(web.calls) == 1


def test_tokens_are_kept_by_repository_and_actions(
    web: responses.RequestsMock, octo: Party
) -> None:
    gives(web, {"token": "pull"}, {"token": "push"}, {"token": "other"})
    assert octo.challenged() == "Bearer pull"
    assert octo.auth.header(PUSH) == "Bearer push"
    assert octo.auth.header(Scope.pull("octo/other")) == "Bearer other"
    assert [octo.auth.header(s) for s in (PULL, PUSH)] == ["Bearer pull", "Bearer push"]
    assert len(web.calls) == 3


def test_many_threads_share_one_token(web: responses.RequestsMock, octo: Party) -> None:
    gives(web, {"token": "t1"})
    octo.challenged(Scope())
    gives(web, {"token": "t2"})
    seen: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: seen.append(octo.auth.header(PULL))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["Bearer t2"] * 8
    assert len(web.calls) == 2


def test_an_identity_token_is_traded_by_post(web: responses.RequestsMock) -> None:
    party = Party(Credential("<token>", "", identity_token=SECRET, source="the test"))
    web.post(REALM, json={"access_token": "t1"})
    assert party.challenged() == "Bearer t1"
    request = web.calls[0].request
    form = parse_qs(str(request.body))
    assert form["grant_type"] == ["refresh_token"]
    assert form["refresh_token"] == [SECRET]
    assert form["scope"] == ["repository:octo/image:pull"]
    assert "Authorization" not in request.headers
    assert SECRET not in str(request.url)
    party.transport.close()


def test_bearer_is_preferred_to_basic(web: responses.RequestsMock, octo: Party) -> None:
    gives(web, {"token": "t1"})
    assert octo.challenged(header=f'Basic realm="x", {CHALLENGE}') == "Bearer t1"


def test_basic_sends_the_credential_itself(octo: Party, nobody: Party) -> None:
    assert octo.challenged(header='Basic realm="x"') == BASIC
    assert octo.auth.header(PULL) == BASIC
    assert nobody.challenged(header='Basic realm="x"') is None


@pytest.mark.parametrize("header", ["", "Negotiate", "Digest realm=x"])
def test_what_cannot_be_answered_is_not(octo: Party, header: str) -> None:
    assert octo.challenged(header=header) is None


@pytest.mark.parametrize(
    "realm",
    [
        "http://ghcr.io/token",
        "http://evil.example/token",
        "ftp://ghcr.io/token",
        "file:///etc/passwd",
        "https://user@evil.example/token",
        "token",
        "",
    ],
)
def test_no_secret_goes_to_a_realm_that_is_none(
    web: responses.RequestsMock, octo: Party, realm: str
) -> None:
    with pytest.raises(InvalidResponseError):
        octo.challenged(header=f'Bearer realm="{realm}"')
    assert len(web.calls) == 0


def test_a_registry_without_tls_may_name_a_realm_without_tls(
    web: responses.RequestsMock, octo: Party
) -> None:
    gives(web, {"token": "t1"}, realm="http://registry.lan/token")
    header = 'Bearer realm="http://registry.lan/token"'
    assert octo.challenged(header=header, url="http://registry.lan/v2/") == "Bearer t1"


def test_a_rejected_credential_does_not_stand_before_a_public_image(
    web: responses.RequestsMock, octo: Party
) -> None:
    web.get(REALM, status=403, json={"errors": [{"code": "DENIED", "message": "denied"}]})
    gives(web, {"token": "anonymous"})
    assert octo.challenged() == "Bearer anonymous"
    assert "Authorization" not in web.calls[1].request.headers
    warning = next(line for line in octo.said if "rejects" in line)
    assert "the test" in warning
    assert "ghcrctl logout ghcr.io" in warning
    gives(web, {"token": "again"})
    octo.auth.header(Scope.pull("octo/other"))
    assert "Authorization" not in web.calls[-1].request.headers


@pytest.mark.parametrize("scope", [PUSH, PULL])
def test_a_rejected_credential_is_told_where_nothing_goes_without(
    web: responses.RequestsMock, octo: Party, scope: Scope
) -> None:
    web.get(REALM, status=403, json={"errors": [{"code": "DENIED", "message": "denied"}]})
    with pytest.raises(DeniedError, match="access denied"):
        octo.challenged(scope)
    assert len(web.calls) == (1 if scope.writes else 2)


def test_a_login_is_not_lenient(web: responses.RequestsMock) -> None:
    party = Party(Credential("octo", SECRET), lenient=False)
    web.get(REALM, status=401)
    with pytest.raises(UnauthorizedError):
        party.challenged()
    assert len(web.calls) == 1
    party.transport.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"no json",
        b"[]",
        b'{"token": ""}',
        b'{"token": 7}',
        b'{"token": "a\\u0000b"}',
        b"[" * 99_999,
        b'{"token": "t", "expires_in": "soon"}',
        b"{" + b" " * 2_000_000,
    ],
)
def test_an_answer_without_a_token_is_told(
    web: responses.RequestsMock, octo: Party, answer: bytes
) -> None:
    web.get(REALM, body=answer)
    with pytest.raises(InvalidResponseError, match="no token"):
        octo.challenged()


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_a_token_endpoint_that_fails_is_told(
    web: responses.RequestsMock, octo: Party, status: int
) -> None:
    web.get(REALM, status=status)
    with pytest.raises(GhcrctlError) as caught:
        octo.challenged()
    assert not isinstance(caught.value, AuthError)


def test_no_secret_is_ever_said(web: responses.RequestsMock, octo: Party) -> None:
    web.get(REALM, status=403, json={"errors": [{"code": "DENIED", "message": "denied"}]})
    with pytest.raises(DeniedError) as caught:
        octo.challenged()
    gives(web, {"token": SECRET[::-1]}, realm="https://ghcr.io/other")
    octo.challenged(Scope.pull("octo/b"), header='Bearer realm="https://ghcr.io/other"')
    said = json.dumps([*octo.said, repr(caught.value), str(caught.value), caught.value.hint])
    assert any("GET https://ghcr.io/token 403" in line for line in octo.said)
    for secret in (SECRET, SECRET[::-1], BASIC.split()[1]):
        assert secret not in said
    assert SECRET not in repr(Credential("octo", SECRET, identity_token=SECRET))
