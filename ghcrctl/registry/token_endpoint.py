"""Token endpoints: whether they may receive a secret, and what they respond.

Spec: distribution's "Token Authentication Specification".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ghcrctl.errors import InvalidResponseError
from ghcrctl.registry.body_stream import MAX_ERROR_BODY
from ghcrctl.registry.endpoint import host_shown, is_loopback
from ghcrctl.registry.error_bodies import is_html, quote_body
from ghcrctl.registry.redirects import FORWARDED_PROTO
from ghcrctl.registry.responses import read_all

if TYPE_CHECKING:
    import requests

    from ghcrctl.registry.challenge import Challenge

# Seconds that a token lives where its endpoint does not say.
_DEFAULT_LIFE = 60.0
_REJECTIONS = ("invalid_grant", "invalid_client", "unauthorized_client", "access_denied")
_MAX_TOKEN_ANSWER = 1024 * 1024
# Strict, because programs read odd addresses in different ways: where a backslash stands, one takes
# it for a part of the host and another for the end of it (RFC 3986, sections 3.2.2 and 3.2.3).
_REALM = re.compile(
    r"(?P<scheme>https?)://(?P<host>(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?)"
    r"(?:[/?][\x21-\x7e]*)?\Z",
    re.IGNORECASE | re.ASCII,
)


def check_realm(challenge: Challenge, registry: str, url: str) -> None:
    """Refuse a token endpoint that no secret may be sent to.

    Without TLS that is every one but this machine, and the host of a registry that is reached
    without TLS itself.
    """
    text = challenge.parameters.get("realm", "")
    match = _REALM.match(text)
    name = _host_name(text) if match else ""
    if not match or not name:
        raise InvalidResponseError(f"invalid token endpoint of {registry}: expected an https URL")
    own = urlsplit(url).scheme == "http" and _host_name(url) == name
    if match["scheme"].lower() == "http" and not (own or is_loopback(match["host"])):
        raise InvalidResponseError(
            f"invalid token endpoint of {registry}: http://{match['host']} does not use TLS",
            hint=FORWARDED_PROTO if _host_name(url) == name else None,
        )


def _host_name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """What a token endpoint issued.

    Args:
        token: the token for requests to the registry.
        life: how long the token is valid (seconds).
        refresh_token: the identity token to use from now on; empty where it stays the same.
    """

    token: str = field(repr=False)
    life: float
    refresh_token: str = field(default="", repr=False)


def read_token(response: requests.Response, registry: str) -> IssuedToken:
    """Read the response of a token endpoint.

    Raises:
        InvalidResponseError: the response has none.
    """
    raw = read_all(response, _MAX_TOKEN_ANSWER, "token")
    try:
        data = json.loads(raw)
        token = data.get("token") or data.get("access_token")
        life, refresh = data.get("expires_in"), data.get("refresh_token")
    except (ValueError, AttributeError, RecursionError):
        token = life = refresh = None
    # A header holds ASCII (RFC 9110, section 5.5).
    if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
        text = raw[:MAX_ERROR_BODY].decode(errors="replace")
        page = quote_body(text, host_shown(response.url)) if is_html(text) else ""
        raise InvalidResponseError(f"the token endpoint of {registry} returned no token{page}")
    return IssuedToken(token, _seconds(life), refresh if isinstance(refresh, str) else "")


def rejects_grant(text: str) -> bool:
    """Check whether an OAuth 2.0 error is about the credential; it comes with status 400.

    Spec: RFC 6749, section 5.2.
    """
    try:
        return json.loads(text)["error"] in _REJECTIONS
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _seconds(life: object) -> float:
    """Parse ``expires_in``, which some endpoints send as a string; ignore other values."""
    try:
        seconds = float(life) if isinstance(life, int | float | str) else 0.0
    except (ValueError, OverflowError):
        seconds = 0.0
    return seconds if seconds > 0 else _DEFAULT_LIFE
