"""Token endpoints that try to steal secrets or to attack the local machine."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

import pytest
import responses

from ghcrctl.credentials.credential import Credential
from ghcrctl.errors import InvalidResponseError
from ghcrctl.registry.challenge import parse_challenges
from tests.unit.registry.party import BASIC, PULL, REALM, SECRET, Party, gives

if TYPE_CHECKING:
    from collections.abc import Iterator

PLAIN_HERE = "http://127.0.0.1:5000/v2/"
PLAIN_THERE = "http://registry.lan/v2/"
TLS = "https://ghcr.io/v2/"


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def octo(web: responses.RequestsMock) -> Iterator[Party]:
    """A user with a credential."""
    del web
    party = Party(Credential("octo", SECRET, source="the test"))
    yield party
    party.transport.close()


@pytest.mark.parametrize(
    ("url", "realm"),
    [
        (TLS, "http://evil.example/token"),
        # Some programs parse the host as .localhost, others as evil.example.
        (TLS, "http://evil.example\\.localhost/token"),
        (TLS, "https://evil.example\\@ghcr.io/token"),
        (TLS, "http://evil.example#.localhost/token"),
        (TLS, "http://evil.example?.localhost/token"),
        (TLS, "http://localhost@evil.example/token"),
        (TLS, "http://evil.example:80@localhost/token"),
        (TLS, "http://evil.example%2f.localhost/token"),
        (TLS, "http://evil.example%00.localhost/token"),
        (TLS, "http://evil.example .localhost/token"),
        (TLS, "http://127.0.0.1.evil.example/token"),
        (TLS, "http://ghcr.io/token"),
        (TLS, "https://ghcr.io/to\x1b[2Jken"),
        (TLS, "https://ghcr.io/to\x00ken"),
        (TLS, "https://ghcr.io/\N{RIGHT-TO-LEFT OVERRIDE}"),
        (TLS, "https://ghcr.io:99999999/token"),
        (TLS, "https://" + "a" * 100_000),
        (TLS, "file:///etc/passwd"),
        # A local registry without TLS must not allow other hosts without TLS.
        (PLAIN_HERE, "http://evil.example/token"),
        (PLAIN_THERE, "http://evil.example/token"),
        (PLAIN_THERE, "http://registry.lan.evil.example/token"),
    ],
    ids=lambda text: repr(text)[:50],
)
def test_secrets_are_not_sent_unencrypted(
    web: responses.RequestsMock, octo: Party, url: str, realm: str
) -> None:
    with pytest.raises(InvalidResponseError) as caught:
        octo.challenged(header=f'Bearer realm="{realm}"'.replace("\\", "\\\\"), url=url)
    assert len(web.calls) == 0
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("url", "realm"),
    [
        (TLS, "https://auth.docker.io/token"),
        (TLS, "HTTPS://auth.docker.io/token"),
        (TLS, "https://[2001:db8::1]:8443/token"),
        (PLAIN_HERE, "http://127.0.0.1:5001/auth"),
        (PLAIN_HERE, "http://localhost:5001/auth"),
        (PLAIN_THERE, "http://registry.lan:5001/auth"),
        (PLAIN_THERE, "https://auth.lan/token"),
    ],
)
def test_secrets_are_sent_to_trusted_realms(
    web: responses.RequestsMock, octo: Party, url: str, realm: str
) -> None:
    gives(web, {"token": "t1"}, realm=realm)
    assert octo.challenged(header=f'Bearer realm="{realm}"', url=url) == "Bearer t1"
    assert web.calls[0].request.headers["Authorization"] == BASIC


@pytest.mark.parametrize(
    "token",
    [
        "t\r\nX-Evil: 1",
        "t\n",
        "t\x00",
        "t\x1b[2J",
        "\N{SNOWMAN}",
        "\ud800",
        "",
        None,
        5,
        ["t"],
        {"token": "t"},
        "t" * 2_000_000,
    ],
    ids=lambda token: repr(token)[:20],
)
def test_token_with_invalid_characters_is_rejected(
    web: responses.RequestsMock, octo: Party, token: Any
) -> None:
    gives(web, {"token": token})
    with pytest.raises(InvalidResponseError) as caught:
        octo.challenged()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"[" * 100_000, b"\xff", b"x" * 2_000_000])
def test_invalid_token_response_is_an_error(
    web: responses.RequestsMock, octo: Party, body: bytes
) -> None:
    web.get(REALM, body=body)
    with pytest.raises(InvalidResponseError):
        octo.challenged()


@pytest.mark.parametrize("life", [-1, 0, 1e308, "inf", "nan", "1e999", 10**400, "x", [], True])
def test_any_token_lifetime_is_accepted(
    web: responses.RequestsMock, octo: Party, life: Any
) -> None:
    gives(web, {"token": "t1", "expires_in": life})
    assert octo.challenged() == "Bearer t1"
    assert octo.auth.header(PULL) == "Bearer t1"


@pytest.mark.parametrize(
    "header",
    [
        'Bearer realm="http://evil.example/",' * 300_000,
        "Basic " * 1_000_000,
        "1 " * 3_000_000,
        "a@" * 3_000_000,
        'Bearer realm="' + '\\"' * 3_000_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_huge_challenges_are_parsed_quickly(octo: Party, header: str) -> None:
    began = time.process_time()
    parse_challenges(header)
    assert time.process_time() - began < 0.5
    with contextlib.suppress(InvalidResponseError):
        octo.challenged(header=header)
    assert len(str(octo.said)) < 500
