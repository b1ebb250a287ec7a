"""Token endpoints: which may receive a secret, and parsing their responses.

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

# Lifetime of a token if its endpoint states none.
_DEFAULT_LIFE_SECONDS = 60.0
_REJECTIONS = ("invalid_grant", "invalid_client", "unauthorized_client", "access_denied")
_MAX_TOKEN_RESPONSE = 1024 * 1024
# Strict, because programs parse odd URLs differently: a backslash may end the host or be part of it
# (RFC 3986, sections 3.2.2 and 3.2.3).
_REALM = re.compile(
    r"(?P<scheme>https?)://(?P<host>(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?)"
    r"(?:[/?][\x21-\x7e]*)?\Z",
    re.IGNORECASE | re.ASCII,
)


def check_realm(challenge: Challenge, registry: str, url: str) -> None:
    """Reject a token endpoint that must not receive secrets.

    An endpoint without TLS is only accepted on this machine, or on the host of a registry that is
    itself reached without TLS.
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
    """A token with its lifetime, as returned by a token endpoint.

    Args:
        token: the token for requests to the registry.
        life: the token's lifetime (seconds).
        refresh_token: the identity token to use from now on; empty if it is unchanged.
    """

    token: str = field(repr=False)
    life: float
    refresh_token: str = field(default="", repr=False)


def read_token(response: requests.Response, registry: str) -> IssuedToken:
    """Parse the response of a token endpoint.

    Raises:
        InvalidResponseError: the response contains no token.
    """
    raw = read_all(response, _MAX_TOKEN_RESPONSE, "token")
    try:
        data = json.loads(raw)
        token = data.get("token") or data.get("access_token")
        life, refresh = data.get("expires_in"), data.get("refresh_token")
    except (ValueError, AttributeError, RecursionError):
        token = life = refresh = None
    # A header is limited to ASCII (RFC 9110, section 5.5).
    if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
        text = raw[:MAX_ERROR_BODY].decode(errors="replace")
        page = quote_body(text, host_shown(response.url)) if is_html(text) else ""
        raise InvalidResponseError(f"the token endpoint of {registry} returned no token{page}")
    return IssuedToken(token, _seconds(life), refresh if isinstance(refresh, str) else "")


def rejects_grant(text: str) -> bool:
    """Check whether an OAuth 2.0 error rejects the credential; its status is 400.

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
    return seconds if seconds > 0 else _DEFAULT_LIFE_SECONDS
