"""The rules for following redirects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ghcrctl.errors import RedirectError
from ghcrctl.registry.endpoint import host_shown, is_loopback
from ghcrctl.registry.urls import joined, origin, same_host, shown_origin

if TYPE_CHECKING:
    import requests

MAX_REDIRECTS = 10
# A registry behind a TLS proxy builds `http` URLs unless the proxy sets this header.
FORWARDED_PROTO = (
    "ask the registry's administrator to set `X-Forwarded-Proto: https` in the proxy in front of it"
)
_STATUSES = frozenset({301, 302, 303, 307, 308})
# Other statuses change a write into a GET (RFC 9110, section 15.4).
_KEEPING = frozenset({301, 302, 307, 308})
# RFC 3986, section 3.1.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}):")
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class RedirectTrail:
    """The redirects of one request.

    Args:
        method: the HTTP method, which redirects do not change.
        url: the first URL.
        follow: whether to follow redirects.
        insecure: whether plain HTTP is allowed.
    """

    def __init__(self, method: str, url: str, *, follow: bool, insecure: bool) -> None:
        self._method = method
        self._first = url
        self._follow = follow
        self._insecure = insecure
        self._visited = [url]

    @property
    def url(self) -> str:
        """The current URL."""
        return self._visited[-1]

    @property
    def is_home(self) -> bool:
        """Whether the current URL is on the first host; only that host gets the credential."""
        return origin(self.url) == origin(self._first)

    def advance(self, response: requests.Response) -> bool:
        """Follow a redirect; return whether the response was one.

        Raises:
            RedirectError: the redirects loop, are too many, or lead to a forbidden URL.
        """
        target = redirect_target(response, self._method, self.url, insecure=self._insecure)
        if not self._follow or target is None:
            return False
        if target in self._visited:
            raise RedirectError(f"{shown_origin(self._first)} redirects in a loop")
        if len(self._visited) > MAX_REDIRECTS:
            raise RedirectError(
                f"{shown_origin(self._first)} redirects more than {MAX_REDIRECTS} times"
            )
        self._visited.append(target)
        return True


def redirect_target(
    response: requests.Response, method: str, url: str, *, insecure: bool
) -> str | None:
    """Return the target of a redirect; ``None`` for other responses.

    A write is only redirected within its host, since its body is meant for that host.

    Raises:
        RedirectError: the redirect must not be followed.
    """
    location = response.headers.get("Location")
    writes = method in _WRITING
    if not location or response.status_code not in (_KEEPING if writes else _STATUSES):
        return None
    target = joined(url, location)
    if writes and not (target and _is_within(url, target)):
        return None
    if target is None:
        raise RedirectError(f"{shown_origin(url)} redirects to {_flaw(location)}")
    plain = urlsplit(url).scheme == "https" and urlsplit(target).scheme == "http"
    if plain and not (insecure or is_loopback(urlsplit(target).netloc)):
        raise RedirectError(
            f"{shown_origin(url)} redirects from https to plain http ({host_shown(target)})",
            hint=FORWARDED_PROTO if same_host(url, target) else None,
        )
    return target


def _is_within(url: str, target: str) -> bool:
    """Check whether two URLs are on one host: the same origin, or its https counterpart."""
    upgrade = urlsplit(url).scheme == "http" and urlsplit(target).scheme == "https"
    return origin(url) == origin(target) or (upgrade and same_host(url, target))


def _flaw(location: str) -> str:
    """Describe why a redirect target is invalid."""
    scheme = _SCHEME.match(location)
    if scheme and scheme[1].lower() not in {"http", "https"}:
        return f"an invalid URL: the scheme is `{scheme[1]}`, not http or https"
    return "an invalid URL"
