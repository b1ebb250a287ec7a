"""A client for GitHub's REST API: authentication, rate limits and errors.

Spec: GitHub's documentation, "Getting started with the REST API"; version 2022-11-28.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ghcrctl.content.threads import thread_pool
from ghcrctl.content.wait_events import Wait
from ghcrctl.credentials.renewal_hints import renewal_hint
from ghcrctl.errors import (
    GhcrctlError,
    InvalidResponseError,
    RateLimitedError,
    UnauthorizedError,
)
from ghcrctl.github.rate_limit import RateLimiter, refusal_wait
from ghcrctl.github.refusals import Refusal, explain_refusal, rate_limited
from ghcrctl.oci.numbers import whole_number
from ghcrctl.registry.body_stream import MAX_ERROR_BODY, discard, error_text
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.error_bodies import is_html, quote_body
from ghcrctl.registry.responses import read_all
from ghcrctl.registry.transport import Delivery, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    from ghcrctl.credentials.credential import Credential
    from ghcrctl.github.github_hosts import Instance
    from ghcrctl.registry.transport_options import TransportOptions

# GitHub's OpenAPI description names the second type.
_ACCEPT = "application/vnd.github+json, application/json"
_VERSION = "2022-11-28"
_PAGE = 100
_MAX_RESPONSE = 16 * 1024 * 1024
_MAX_PAGES = 20_000
_LAST = re.compile(r'<([^<>]*)>[^,<]*?;\s*rel="?last"?', re.IGNORECASE)
# After this many waits in a row, the cause is something other than a rate limit.
_MAX_WAITS = 5
# GitHub's primary limit resets every hour.
_MAX_WAIT_SECONDS = 3700.0

Query = dict[str, str]


class GitHub:
    """A client for one GitHub instance; safe to share between threads.

    Args:
        instance: the GitHub instance.
        credential: its secret is the token; ``None`` for anonymous access.
        options: transport options.
        limiter: the rate limiter.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        instance: Instance,
        credential: Credential | None,
        options: TransportOptions,
        *,
        limiter: RateLimiter | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.instance = instance
        self.credential = credential
        self._options = options
        self._transport = Transport(options, waits_out_limits=False)
        self._transport.guard.trust(instance.api)
        self._limiter = limiter or RateLimiter()
        self._sleep = sleep

    def close(self) -> None:
        """Close all open connections."""
        self._transport.close()

    def get(self, path: str, what: str, query: Query | None = None) -> Any:
        """Return a JSON object.

        Args:
            path: the path below the API's URL, with a leading slash.
            what: the object, for messages.
            query: the query parameters.

        Raises:
            GhcrctlError: GitHub refuses the request, see `explain_refusal`.
        """
        return self._get(path, what, query)[0]

    def headers_of(self, path: str, what: str) -> Mapping[str, str]:
        """Return the response headers of a request for an object."""
        return self._get(path, what, None)[1]

    def pages(
        self,
        path: str,
        what: str,
        query: Query | None = None,
        *,
        seen: Callable[[int, int], None] | None = None,
    ) -> list[list[Any]]:
        """Return all pages of a list, fetching those after the first in parallel.

        Args:
            path: the path below the API's URL.
            what: the list, for messages.
            query: additional query parameters.
            seen: called with the number of pages received and the total.
        """
        parameters = {**(query or {}), "per_page": str(_PAGE)}
        first, headers = self._get_list(path, what, parameters)
        count = _page_count(headers.get("Link", ""))
        if seen:
            seen(1, count)
        pages = [first]
        with thread_pool(self._options.jobs, "pages") as pool:
            numbers = range(2, count + 1)
            found = pool.map(lambda n: self.page(path, what, parameters, n), numbers)
            for number, page in enumerate(found, 2):
                pages.append(page)
                if seen:
                    seen(number, count)
        return pages

    def page(self, path: str, what: str, query: Query | None, number: int) -> list[Any]:
        """Return one page of a list, counted from 1."""
        parameters = {**(query or {}), "per_page": str(_PAGE), "page": str(number)}
        return self._get_list(path, what, parameters)[0]

    def send(
        self,
        method: str,
        path: str,
        what: str,
        *,
        action: str,
        scope: str,
        is_done: Callable[[], bool],
    ) -> None:
        """Send a request without a body that changes something.

        An attempt whose response was lost may have taken effect, and GitHub then refuses the next
        attempt because nothing is left to do. A refusal after such an attempt is ignored if the
        change is visible.

        Source: a body makes GitHub respond with 422, https://github.com/cli/cli/issues/4286.

        Args:
            method: the HTTP method.
            path: the path below the API's URL.
            what: the object, for messages.
            action: the verb, for messages.
            scope: the scope that a classic token needs for the action.
            is_done: checks whether the change is visible.

        Raises:
            GhcrctlError: GitHub refuses the request, see `explain_refusal`.
        """
        delivery = Delivery()
        try:
            response = self._request(method, path, {}, action, what, scope, delivery=delivery)
        except GhcrctlError as error:
            error.may_be_done = delivery.is_uncertain
            raise
        with response:
            try:
                self._expect(response, {200, 202, 204}, action, what, scope)
            except GhcrctlError as error:
                error.may_be_done = delivery.is_uncertain
                if not (delivery.is_uncertain and _holds(is_done)):
                    raise

    def _get_list(self, path: str, what: str, query: Query) -> tuple[list[Any], Mapping[str, str]]:
        data, headers = self._get(path, what, query)
        if not isinstance(data, list):
            raise InvalidResponseError(
                f"GitHub returned an invalid response for {what}: expected a list"
            )
        return data, headers

    def _get(self, path: str, what: str, query: Query | None) -> tuple[Any, Mapping[str, str]]:
        scope = "read:packages"
        with self._request("GET", path, query or {}, "get", what, scope) as response:
            self._expect(response, {200}, "get", what, scope)
            raw = read_all(response, _MAX_RESPONSE, "response")
            headers = response.headers
        try:
            return json.loads(raw), headers
        except (ValueError, RecursionError):
            text = raw[:MAX_ERROR_BODY].decode(errors="replace")
            page = quote_body(text, host_shown(self.instance.api)) if is_html(text) else ""
            raise InvalidResponseError(f"GitHub returned invalid JSON for {what}{page}") from None

    def _request(  # noqa: PLR0913 the parts of an HTTP request
        self,
        method: str,
        path: str,
        query: Query,
        action: str,
        what: str,
        scope: str,
        *,
        delivery: Delivery | None = None,
    ) -> requests.Response:
        """Send a request, waiting as long as GitHub's rate limits require."""
        url = f"{self.instance.api}{path}{'?' + urlencode(query) if query else ''}"
        attempt = 0
        while True:
            attempt += 1
            self._limiter.take(method)
            response = self._transport.request(
                method,
                url,
                headers=self._headers(),
                authorization=self._authorization(),
                delivery=delivery,
            )
            if response.status_code not in {403, 429}:
                return response
            text = error_text(response)
            wait = refusal_wait(
                response.status_code, response.headers, text, now=time.time(), attempt=attempt
            )
            if wait is None:
                return response
            refusal = self._refusal(response, action, what, scope)
            discard(response)
            if wait > _MAX_WAIT_SECONDS or attempt > _MAX_WAITS:
                raise rate_limited(refusal, wait)
            self._options.waiting(_rate_limit_wait(wait))
            self._sleep(wait)

    def _headers(self) -> dict[str, str]:
        return {"Accept": _ACCEPT, "X-GitHub-Api-Version": _VERSION}

    def _authorization(self) -> str | None:
        if not self.credential or not self.credential.secret:
            return None
        secret = self.credential.secret.strip()
        # A header is limited to ASCII (RFC 9110, section 5.5).
        if not (secret.isascii() and secret.isprintable()):
            raise UnauthorizedError(
                f"invalid token from {self.credential.source}: it has non-ASCII or control "
                "characters",
                hint=renewal_hint(self.credential.source, self.instance.registry),
            )
        return f"Bearer {secret}"

    def _expect(
        self, response: requests.Response, statuses: set[int], action: str, what: str, scope: str
    ) -> None:
        if response.status_code not in statuses:
            raise explain_refusal(self._refusal(response, action, what, scope))

    def _refusal(self, response: requests.Response, action: str, what: str, scope: str) -> Refusal:
        return Refusal(
            instance=self.instance,
            action=action,
            what=what,
            status=response.status_code,
            text=error_text(response),
            headers=response.headers,
            credential=self.credential,
            scope=scope,
        )


def _holds(check: Callable[[], bool]) -> bool:
    """Return the result of a check; `False` if the check itself fails."""
    try:
        return check()
    except GhcrctlError:
        return False


def _rate_limit_wait(seconds: float) -> Wait:
    return Wait("GitHub is rate limiting requests", seconds, RateLimitedError.code)


def _page_count(link: str) -> int:
    """Return the number of pages from a ``Link`` header.

    Raises:
        InvalidResponseError: the number is larger than any package can have.
    """
    match = _LAST.search(link)
    if not match:
        return 1
    try:
        number = whole_number(parse_qs(urlsplit(match[1]).query).get("page", [""])[0])
    except ValueError:
        number = None
    count = number or 1
    if count > _MAX_PAGES:
        raise InvalidResponseError(f"GitHub returned a list with {count} pages")
    return count


def flat(pages: list[list[Any]]) -> Iterator[Any]:
    """Yield the entries of all pages."""
    for page in pages:
        yield from page
