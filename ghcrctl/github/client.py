"""Asking GitHub's REST API: what authorizes a request, how fast, what its refusal means.

What belongs here: what every request has in common. What does not: what is asked (``packages``),
connections (``registry.transport``).

Spec: GitHub's documentation, "Getting started with the REST API"; version 2022-11-28.
"""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ghcrctl.content.rate_limit_waits import Wait
from ghcrctl.content.threads import thread_pool
from ghcrctl.credentials.renewal_hints import renewal_hint
from ghcrctl.errors import (
    GhcrctlError,
    InvalidResponseError,
    RateLimitedError,
    UnauthorizedError,
)
from ghcrctl.github.rate_limit import Pace, refusal_wait
from ghcrctl.github.refusals import Refusal, explain, rate_limited
from ghcrctl.oci.numbers import whole_number
from ghcrctl.registry.body_stream import MAX_ERROR_BODY, error_text, let_go
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.error_bodies import is_html, quote_body
from ghcrctl.registry.responses import read_all
from ghcrctl.registry.transport import Delivery, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import requests

    from ghcrctl.credentials.credential import Credential
    from ghcrctl.github.instance import Instance
    from ghcrctl.registry.transport_options import TransportOptions

# Both: the second is what GitHub's own description of the API names.
_ACCEPT = "application/vnd.github+json, application/json"
_VERSION = "2022-11-28"
_PAGE = 100
_MAX_ANSWER = 16 * 1024 * 1024
_MAX_PAGES = 20_000
_LAST = re.compile(r'<([^<>]*)>[^,<]*?;\s*rel="?last"?', re.IGNORECASE)
# Refused so often in a row, waiting each time, something else is wrong.
_MOST_WAITS = 5
# GitHub's hourly limit comes back within the hour.
_LONGEST_WAIT = 3700.0

Query = dict[str, str]


class GitHub:
    """Talks to one GitHub; threads may share it.

    Args:
        instance: which one.
        credential: whose secret is the token; ``None`` for none.
        options: how to talk.
        pace: how fast.
        sleep: waits for seconds.
    """

    def __init__(
        self,
        instance: Instance,
        credential: Credential | None,
        options: TransportOptions,
        *,
        pace: Pace | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.instance = instance
        self.credential = credential
        self._options = options
        self._transport = Transport(options, waits_out_limits=False)
        self._transport.guard.trust(instance.api)
        self._pace = pace or Pace()
        self._sleep = sleep

    def close(self) -> None:
        """Close the connections that are open."""
        self._transport.close()

    def get(self, path: str, what: str, query: Query | None = None) -> Any:
        """Get an object.

        Args:
            path: below the API's address, with its first slash.
            what: what is asked for, for people.
            query: the parameters.

        Raises:
            GhcrctlError: GitHub refuses, as `explain` has it.
        """
        return self._get(path, what, query)[0]

    def headers_of(self, path: str, what: str) -> Mapping[str, str]:
        """Get an object for what its answer's headers say."""
        return self._get(path, what, None)[1]

    def pages(
        self,
        path: str,
        what: str,
        query: Query | None = None,
        *,
        seen: Callable[[int, int], None] | None = None,
    ) -> list[list[Any]]:
        """Get all pages of a list, those after the first in parallel.

        Args:
            path: below the API's address.
            what: what is listed, for people.
            query: further parameters.
            seen: is told how many pages have come, and of how many.
        """
        asked = {**(query or {}), "per_page": str(_PAGE)}
        first, headers = self._get_list(path, what, asked)
        count = _page_count(headers.get("Link", ""))
        if seen:
            seen(1, count)
        pages = [first]
        with thread_pool(self._options.jobs, "pages") as pool:
            numbers = range(2, count + 1)
            found = pool.map(lambda n: self.page(path, what, asked, n), numbers)
            for number, page in enumerate(found, 2):
                pages.append(page)
                if seen:
                    seen(number, count)
        return pages

    def page(self, path: str, what: str, query: Query | None, number: int) -> list[Any]:
        """Get one page of a list, counted from 1."""
        asked = {**(query or {}), "per_page": str(_PAGE), "page": str(number)}
        return self._get_list(path, what, asked)[0]

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
        """Send a request that changes something; it has no body.

        An attempt whose response was lost may have taken effect. GitHub then refuses the next
        attempt, because nothing is left to do. So a refusal counts only if the change is not
        visible.

        Source: a body makes GitHub answer 422, https://github.com/cli/cli/issues/4286.

        Args:
            method: of the request.
            path: below the API's address.
            what: the object, for messages.
            action: the verb, for messages.
            scope: what the action needs of a classic token.
            is_done: checks whether the change is visible.

        Raises:
            GhcrctlError: GitHub refuses, as `explain` has it.
        """
        delivery = Delivery()
        try:
            response = self._ask(method, path, {}, action, what, scope, delivery=delivery)
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
        with self._ask("GET", path, query or {}, "get", what, scope) as response:
            self._expect(response, {200}, "get", what, scope)
            raw = read_all(response, _MAX_ANSWER, "answer")
            headers = response.headers
        try:
            return json.loads(raw), headers
        except (ValueError, RecursionError):
            text = raw[:MAX_ERROR_BODY].decode(errors="replace")
            page = quote_body(text, host_shown(self.instance.api)) if is_html(text) else ""
            raise InvalidResponseError(f"GitHub returned invalid JSON for {what}{page}") from None

    def _ask(  # noqa: PLR0913 all that a request is
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
        """Send a request, waiting where GitHub refuses for the number of requests."""
        url = f"{self.instance.api}{path}{'?' + urlencode(query) if query else ''}"
        attempt = 0
        while True:
            attempt += 1
            self._pace.take(method)
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
            let_go(response)
            if wait > _LONGEST_WAIT or attempt > _MOST_WAITS:
                raise rate_limited(refusal, wait)
            self._options.waiting(_asked_to_wait(wait))
            self._sleep(wait)

    def _headers(self) -> dict[str, str]:
        return {"Accept": _ACCEPT, "X-GitHub-Api-Version": _VERSION}

    def _authorization(self) -> str | None:
        if not self.credential or not self.credential.secret:
            return None
        secret = self.credential.secret.strip()
        # A header holds ASCII (RFC 9110, section 5.5).
        if not (secret.isascii() and secret.isprintable()):
            raise UnauthorizedError(
                f"the token from {self.credential.source} has characters that no token has",
                hint=renewal_hint(self.credential.source, self.instance.registry),
            )
        return f"Bearer {secret}"

    def _expect(
        self, response: requests.Response, statuses: set[int], action: str, what: str, scope: str
    ) -> None:
        if response.status_code not in statuses:
            raise explain(self._refusal(response, action, what, scope))

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


def _asked_to_wait(seconds: float) -> Wait:
    return Wait("GitHub asks for fewer requests", seconds, RateLimitedError.code)


def _page_count(link: str) -> int:
    """Read from ``Link`` how many pages there are.

    Raises:
        InvalidResponseError: more than any package has.
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
        raise InvalidResponseError(f"GitHub says that a list has {count} pages")
    return count


def flat(pages: list[list[Any]]) -> Iterator[Any]:
    """Yield what is on all pages."""
    for page in pages:
        yield from page
