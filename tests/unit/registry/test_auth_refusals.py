"""Where credentials are sent, and what happens after a token endpoint refuses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.credentials.credential import Credential
from ghcrctl.errors import (
    DeniedError,
    GhcrctlError,
    InvalidResponseError,
    RateLimitedError,
    RedirectError,
    RegistryUnavailableError,
    UnauthorizedError,
)
from ghcrctl.registry.auth import Authenticator, Scope
from tests.unit.registry.party import BASIC, CHALLENGE, PULL, PUSH, REALM, SECRET, URL, Party, gives

if TYPE_CHECKING:
    import responses


@pytest.mark.parametrize("header", ["", "Negotiate", "Digest realm=x"])
def test_an_unsupported_challenge_is_not_answered(octo: Party, header: str) -> None:
    assert octo.challenged(header=header) is None


@pytest.mark.parametrize(
    "realm",
    [
        "http://ghcr.io/token",
        "http://evil.example/token",
        "ftp://ghcr.io/token",
        "file:///etc/passwd",
        "https://user@evil.example/token",
        "https://[evil.example/token",
        "https://[::::::]/token",
        "https://evil.example\N{ACCOUNT OF}/token",
        "https:///token",
        "//evil.example/token",
        "token",
        "",
    ],
)
def test_no_secret_is_sent_to_an_invalid_realm(
    web: responses.RequestsMock, octo: Party, realm: str
) -> None:
    with pytest.raises(InvalidResponseError):
        octo.challenged(header=f'Bearer realm="{realm}"')
    assert len(web.calls) == 0


def test_the_token_endpoint_may_be_another_host(web: responses.RequestsMock, octo: Party) -> None:
    realm = "https://auth.docker.io/token"
    gives(web, {"token": "t1"}, realm=realm)
    assert octo.challenged(header=f'Bearer realm="{realm}"') == "Bearer t1"
    assert web.calls[0].request.headers["Authorization"] == BASIC


@pytest.mark.parametrize(
    "realm",
    [
        "http://127.0.0.1:9/token",
        "https://localhost/token",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/token",
        "https://0.0.0.0/token",
        "https://[::ffff:127.0.0.1]/token",
    ],
)
def test_the_token_endpoint_of_a_remote_registry_is_not_this_machine(
    web: responses.RequestsMock, octo: Party, realm: str
) -> None:
    with pytest.raises(RedirectError, match=r"ghcr\.io named this host"):
        octo.challenged(header=f'Bearer realm="{realm}"')
    assert len(web.calls) == 0


def test_the_target_of_a_token_endpoints_redirect_gets_no_credential(
    web: responses.RequestsMock, octo: Party
) -> None:
    web.get(REALM, status=307, headers={"Location": "https://evil.example/token"})
    web.get("https://evil.example/token", json={"token": "t1"})
    octo.challenged()
    assert "Authorization" not in web.calls[1].request.headers


def test_an_identity_token_does_not_follow_a_redirect(web: responses.RequestsMock) -> None:
    party = Party(
        Credential("<token>", "", identity_token=SECRET, source="the test"), lenient=False
    )
    web.post(REALM, status=307, headers={"Location": "https://evil.example/token"})
    with pytest.raises(InvalidResponseError, match="status 307") as caught:
        party.challenged()
    assert len(web.calls) == 1
    assert SECRET not in str([*party.said, caught.value, caught.value.hint])
    party.transport.close()


def test_a_registry_without_tls_may_name_a_realm_without_tls(
    web: responses.RequestsMock, octo: Party
) -> None:
    gives(web, {"token": "t1"}, realm="http://registry.lan/token")
    header = 'Bearer realm="http://registry.lan/token"'
    assert octo.challenged(header=header, url="http://registry.lan/v2/") == "Bearer t1"


def test_a_rejected_credential_does_not_block_a_public_image(
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
def test_a_rejected_credential_is_an_error_if_anonymous_access_fails(
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
        b'{"token": "a\\r\\nHost: evil.example"}',
        # An invalid header value must not cause an error when it is sent.
        b'{"token": "\\u65e5\\u672c"}',
        b'{"token": "\\u00e9"}',
        b'"token"',
        b"null",
        b"\xff\xfe",
        b"[" * 99_999,
        b"{" + b" " * 2_000_000,
    ],
)
def test_a_response_without_a_token_is_an_error(
    web: responses.RequestsMock, octo: Party, answer: bytes
) -> None:
    web.get(REALM, body=answer)
    with pytest.raises(InvalidResponseError, match=r"no token|returned a token of more"):
        octo.challenged()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidResponseError),
        (404, InvalidResponseError),
        (405, InvalidResponseError),
        (429, RateLimitedError),
        (500, RegistryUnavailableError),
        (503, RegistryUnavailableError),
    ],
)
def test_a_failing_token_endpoint_is_an_error(
    web: responses.RequestsMock, octo: Party, status: int, kind: type[GhcrctlError]
) -> None:
    web.get(REALM, status=status, body="its own words")
    with pytest.raises(kind) as caught:
        octo.challenged()
    assert type(caught.value) is kind
    assert 'ghcr.io says: "its own words"' in caught.value.message
    if kind is InvalidResponseError:
        assert f"the token endpoint of ghcr.io returned status {status}" in str(caught.value)
    shown = [call.request.headers.get("Authorization") for call in web.calls]
    # Only failures that the credential may have caused are retried without it.
    assert shown == ([BASIC, None] if kind is InvalidResponseError else [BASIC])


def test_no_secret_appears_in_messages(web: responses.RequestsMock, octo: Party) -> None:
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


def test_a_rejected_credential_does_not_affect_others_of_the_registry(
    web: responses.RequestsMock, octo: Party
) -> None:
    users = {"octo/image": Credential("octo", "old"), "cat/image": Credential("cat", "good")}
    octo.auth = Authenticator("ghcr.io", users.get, octo.transport, octo.said.append)
    web.get(REALM, status=401)
    gives(web, {"token": "anonymous"}, {"token": "of-cat"})
    assert octo.challenged() == "Bearer anonymous"
    assert octo.auth.header(Scope.pull("cat/image")) == "Bearer of-cat"
    assert octo.auth.credential(PULL) is None
    assert octo.auth.credential(Scope.pull("cat/image")) == users["cat/image"]


def test_a_registry_token_is_sent_unchanged(web: responses.RequestsMock) -> None:
    party = Party(Credential("", "", registry_token="as-is", source="the test"))
    assert party.challenged(PUSH) == "Bearer as-is"
    assert len(web.calls) == 0
    party.transport.close()


def test_a_rejected_registry_token_does_not_block_a_public_image(
    web: responses.RequestsMock,
) -> None:
    party = Party(Credential("", "", registry_token="as-is", source="the test"))
    party.challenged()
    gives(web, {"token": "anonymous"})
    assert party.challenged(sent="Bearer as-is") == "Bearer as-is"
    assert party.auth.reject(PULL)
    assert party.challenged(sent="Bearer as-is") == "Bearer anonymous"
    party.transport.close()


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client", "access_denied"])
def test_an_oauth_error_rejects_the_credential(web: responses.RequestsMock, error: str) -> None:
    party = Party(Credential("octo", "", identity_token=SECRET, source="the test"))
    web.post(REALM, status=400, json={"error": error, "error_description": "it has expired"})
    with pytest.raises(UnauthorizedError, match="rejects the credential from the test") as caught:
        party.challenged(PUSH)
    assert "it has expired" in caught.value.message
    assert "ghcrctl login ghcr.io" in (caught.value.hint or "")
    party.transport.close()


@pytest.mark.parametrize("status", [401, 403, 408, 425, 429, 499, 500, 503])
def test_a_refusal_of_the_token_endpoint_is_explained_and_not_retried_again(
    web: responses.RequestsMock, octo: Party, status: int
) -> None:
    web.get(REALM, status=status)
    with pytest.raises(GhcrctlError) as caught:
        octo.challenged(PUSH)
    assert not isinstance(caught.value, InvalidResponseError)
    # The request has already been retried as often as the user allows.
    assert not caught.value.retryable


@pytest.mark.parametrize("status", [302, 400, 404, 418])
def test_other_statuses_of_the_token_endpoint_are_invalid_responses(
    web: responses.RequestsMock, octo: Party, status: int
) -> None:
    web.get(REALM, status=status)
    with pytest.raises(InvalidResponseError, match=f"returned status {status}"):
        octo.challenged(PUSH)


def test_a_challenge_that_only_v2_sends_is_requested_once(
    web: responses.RequestsMock, octo: Party
) -> None:
    octo.transport.guard.trust(URL)
    base = web.get("https://ghcr.io/v2/", status=401, headers={"WWW-Authenticate": CHALLENGE})
    gives(web, {"token": "t1"})
    for _ in range(2):
        assert octo.auth.discover(PULL, "https://ghcr.io") == "Bearer t1"
    assert base.call_count == 1


def test_a_registry_without_challenges_is_asked_once(
    web: responses.RequestsMock, octo: Party
) -> None:
    octo.transport.guard.trust(URL)
    base = web.get("https://ghcr.io/v2/", status=200)
    for _ in range(2):
        assert octo.auth.discover(PULL, "https://ghcr.io") is None
    assert base.call_count == 1
