"""An authenticator that records everything for a test."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.registry.auth import Authenticator, Scope
from ghcrctl.registry.transport import Transport
from ghcrctl.registry.transport_options import TransportOptions

if TYPE_CHECKING:
    import responses

    from ghcrctl.credentials.credential import Credential

SECRET = "ghp_verysecret"
REALM = "https://ghcr.io/token"
CHALLENGE = f'Bearer realm="{REALM}",service="ghcr.io",scope="ignored"'
URL = "https://ghcr.io/v2/octo/image/manifests/1.0"
PULL, PUSH = Scope.pull("octo/image"), Scope.push("octo/image")
BASIC = "Basic " + base64.b64encode(f"octo:{SECRET}".encode()).decode()


class Party:
    """An authenticator with its warnings and requests."""

    def __init__(self, credential: Credential | None, *, lenient: bool = True) -> None:
        self.said: list[str] = []
        options = TransportOptions(retry=RetryPolicy(attempts=1), debug=self.said.append)
        self.transport = Transport(options, sleep=lambda _: None)
        self.auth = Authenticator(
            "ghcr.io", lambda _: credential, self.transport, self.said.append, lenient=lenient
        )

    def challenged(
        self, scope: Scope = PULL, header: str = CHALLENGE, url: str = URL, *, sent: str = ""
    ) -> str | None:
        """Answer a 401 with a challenge. ``sent``: the Authorization header that was rejected."""
        self.transport.guard.trust(url)
        response = requests.Response()
        response.request = requests.Request("GET", url, {"Authorization": sent}).prepare()
        response.status_code = 401
        response.headers["WWW-Authenticate"] = header
        return self.auth.answer(response, scope, url)


def gives(web: responses.RequestsMock, *answers: dict[str, Any], realm: str = REALM) -> None:
    for answer in answers:
        web.get(realm, json=answer)


def query(web: responses.RequestsMock, number: int = -1) -> dict[str, list[str]]:
    return parse_qs(urlsplit(str(web.calls[number].request.url)).query)
