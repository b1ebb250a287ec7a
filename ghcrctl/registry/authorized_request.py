"""One authorized request to a registry: challenges, rejected credentials, retries.

Registries differ in where they send challenges, and in how they reject credentials:

- some send a challenge at ``/v2/`` only, and 404, 403 or a bare 401 elsewhere;
- some reject an expired credential with 403, even for a public image;
- a response to HEAD has no body, so a 403 may or may not be a rate limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import AuthError
from ghcrctl.registry.body_stream import discard
from ghcrctl.registry.temporary_refusals import status_of
from ghcrctl.registry.urls import origin

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from ghcrctl.registry.auth import Authenticator, Scope

    # Takes the method and the value of the Authorization header.
    Send = Callable[[str, str | None], requests.Response]

_WITHOUT_CHALLENGE = frozenset({401, 403, 404})


@dataclass(slots=True)
class AuthorizedRequest:
    """One request to a registry.

    Args:
        auth: the registry's authenticator.
        scope: the access the request needs.
        method: the HTTP method.
        url: the request's URL.
        base: the registry's base URL.
        is_streamed: whether the body can only be sent once.
        send: sends the request.
    """

    auth: Authenticator
    scope: Scope
    method: str
    url: str
    base: str
    is_streamed: bool
    send: Send
    sent: str | None = None

    def respond(self) -> requests.Response:
        """Send the request, repeat it where that may help, and return the last response."""
        response = self._send(self.auth.header(self.scope))
        response = self._answer_challenges(response)
        if self.is_streamed:
            return response
        response = self._discover_challenge(response)
        if self.method == "HEAD" and response.status_code == 403 and "/blobs/" in self.url:
            # Manifests are left to the caller, which sends a GET of its own.
            response.close()
            self.method = "GET"
            response = self._send(self.sent)
        return self._retry_anonymously(response)

    def _send(self, authorization: str | None) -> requests.Response:
        self.sent = authorization
        return self.send(self.method, authorization)

    def _is_own(self, response: requests.Response) -> bool:
        return origin(response.url) == origin(self.url)

    def _answer_challenges(self, response: requests.Response) -> requests.Response:
        is_rejected = False
        for _ in range(2):
            if response.status_code != 401 or not self._is_own(response):
                break
            authorization = self._answer(response)
            # After the credential was rejected, sending no header may work.
            if self.is_streamed or (authorization is None and not is_rejected):
                break
            discard(response)
            response = self._send(authorization)
            is_rejected = response.status_code == 401 and self.auth.reject(self.scope)
            if not is_rejected:
                break
        return response

    def _answer(self, response: requests.Response) -> str | None:
        try:
            return self.auth.answer(response, self.scope, self.url)
        except BaseException:
            response.close()
            raise

    def _discover_challenge(self, response: requests.Response) -> requests.Response:
        """Request ``/v2/`` for the challenge that this response lacks, once per registry."""
        status = status_of(response) if response.status_code in _WITHOUT_CHALLENGE else 0
        if status not in _WITHOUT_CHALLENGE or self.sent is not None or not self._is_own(response):
            return response
        if status != 401 and self.auth.credential(self.scope) is None:
            return response
        try:
            authorization = self.auth.discover(self.scope, self.base)
        except AuthError:
            if status == 401:
                response.close()
                raise
            return response
        if authorization is None:
            return response
        discard(response)
        return self._answer_challenges(self._send(authorization))

    def _retry_anonymously(self, response: requests.Response) -> requests.Response:
        """Repeat a denied read without the credential, since the image may be public."""
        denied = response.status_code == 403 and self._is_own(response) and self.sent is not None
        if not denied or not self.auth.may_go_without(self.scope) or status_of(response) != 403:
            return response
        try:
            authorization = self.auth.anonymous_header(self.scope)
        except AuthError:
            return response
        # `status_of` has read the denial's body, so the error can still quote it.
        other = self.send(self.method, authorization)
        if other.status_code >= 400:
            other.close()
            return response
        response.close()
        self.auth.deny(self.scope, response)
        return other
