"""Docker's token protocol and Basic authentication.

Secrets are sent only to their registry and to the token endpoint that it names, over TLS or on this
machine.

Spec: distribution's "Token Authentication Specification" and "Docker Registry v2 authentication via
OAuth2".
"""

from __future__ import annotations

import base64
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from ghcrctl.content.retry import retry
from ghcrctl.content.wait_events import report_retries
from ghcrctl.credentials.renewal_hints import renewal_hint
from ghcrctl.errors import AuthError, GhcrctlError, InvalidResponseError, UnauthorizedError
from ghcrctl.registry.body_stream import error_text
from ghcrctl.registry.challenge import Challenge, parse_challenges
from ghcrctl.registry.refusals import Refusal, explain_refusal
from ghcrctl.registry.token_endpoint import check_realm, read_token, rejects_grant

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from ghcrctl.credentials.credential import Credential
    from ghcrctl.registry.transport import Transport

# Renew tokens this long before they expire.
_RENEW_EARLY_SECONDS = 10.0
_CLIENT_ID = "ghcrctl"


@dataclass(frozen=True, slots=True)
class Scope:
    """The access a token grants: repositories and actions, as ``("owner/image", "pull,push")``."""

    grants: tuple[tuple[str, str], ...] = ()

    @classmethod
    def pull(cls, repository: str) -> Scope:
        """Return the scope to read one repository."""
        return cls(((repository, "pull"),))

    @classmethod
    def push(cls, repository: str, *mounted: str) -> Scope:
        """Return the scope to write one repository and to read others of the same registry."""
        return cls(((repository, "pull,push"), *((name, "pull") for name in mounted)))

    @property
    def repository(self) -> str:
        """The first repository, or an empty string."""
        return self.grants[0][0] if self.grants else ""

    @property
    def writes(self) -> bool:
        """Whether the scope includes pushing, which anonymous access never allows."""
        return any("push" in actions for _, actions in self.grants)

    @property
    def texts(self) -> list[str]:
        """The values of the ``scope`` parameter."""
        return [f"repository:{name}:{actions}" for name, actions in self.grants]


class Authenticator:
    """Authorizes requests to one registry.

    Args:
        registry: the registry's name.
        find: returns the credential for a repository, or ``None``.
        transport: sends the token requests.
        warn: called with a message when a credential is rejected.
        lenient: whether reads continue anonymously after a credential is rejected.
    """

    def __init__(
        self,
        registry: str,
        find: Callable[[str], Credential | None],
        transport: Transport,
        warn: Callable[[str], None],
        *,
        lenient: bool = True,
    ) -> None:
        self._lenient = lenient
        self._registry = registry
        self._find = find
        self._transport = transport
        self._warn = warn
        self._challenge: Challenge | None = None
        self._tokens: dict[Scope, tuple[str, float]] = {}
        # Rejected credentials with the repository; an empty name means the whole registry.
        self._rejected: set[tuple[Credential, str]] = set()
        self._has_probed = False
        # Identity tokens that the endpoint issued to replace stored ones.
        self._refreshed: dict[str, str] = {}
        self._lock = threading.RLock()

    def credential(self, scope: Scope) -> Credential | None:
        """Return the credential to use, if any.

        Raises:
            UnauthorizedError: the credential cannot be sent in a request.
        """
        found = self._find(scope.repository)
        if found is None or self._rejected & {(found, ""), (found, scope.repository)}:
            return None
        if found.fault:
            raise UnauthorizedError(f"cannot use the credential from {found.source}: {found.fault}")
        return found

    def header(self, scope: Scope) -> str | None:
        """Return the header to send up front; ``None`` until the registry has sent a challenge."""
        with self._lock:
            if self._challenge is None:
                return None
            if self._challenge.scheme == "basic":
                return _basic(self.credential(scope))
            return f"Bearer {self._token(scope)}"

    def answer(self, response: requests.Response, scope: Scope, url: str) -> str | None:
        """Return the header that answers a 401; ``None`` if no credential fits its challenges.

        Args:
            response: the 401 response.
            scope: the access the request needs.
            url: the URL of the request, to check whether the registry itself responded.
        """
        challenges = parse_challenges(response.headers.get("WWW-Authenticate", ""))
        by_scheme = {challenge.scheme: challenge for challenge in reversed(challenges)}
        with self._lock:
            # Some registries only send a challenge at ``/v2/``; it then applies to every 401.
            challenge = by_scheme.get("bearer") or by_scheme.get("basic") or self._challenge
            if challenge is None:
                return None
            if challenge.scheme == "bearer":
                check_realm(challenge, self._registry, url)
            self._challenge = challenge
            # Another thread with the same 401 may have fetched a new token in the meantime.
            sent = response.request.headers.get("Authorization")
            if sent == f"Bearer {self._tokens.get(scope, ('',))[0]}":
                self._tokens.pop(scope, None)
            return self.header(scope)

    def reject(self, scope: Scope) -> bool:
        """Stop using a credential that the registry rejects, if anonymous access may suffice.

        Returns:
            Whether a credential was dropped and the request is worth repeating.
        """
        with self._lock:
            credential = self.credential(scope)
            if credential is None or not self.may_go_without(scope):
                return False
            self._reject(credential, "")
        return True

    def deny(self, scope: Scope, response: requests.Response) -> None:
        """Stop using a credential that is denied access to public content.

        Args:
            scope: the access that was denied.
            response: the denial. If it mentions expiry, the credential is dropped for the whole
                registry, otherwise for this repository.
        """
        with self._lock:
            credential = self.credential(scope)
            if credential:
                expired = "expired" in error_text(response).lower()
                self._reject(credential, "" if expired else scope.repository)

    def may_go_without(self, scope: Scope) -> bool:
        """Check whether a request is worth repeating without its credential."""
        return self._lenient and not scope.writes

    def discover(self, scope: Scope, base: str) -> str | None:
        """Return the header for the challenge of ``/v2/``, if no other endpoint sent one.

        Args:
            scope: the access the request needs.
            base: the registry's base URL.

        Raises:
            AuthError: the token endpoint refuses.
        """
        with self._lock:
            if self._challenge is not None:
                return self.header(scope)
            if self._has_probed:
                return None
            self._has_probed = True
            url = f"{base}/v2/"
            with self._transport.request("GET", url, follow=False) as response:
                return self.answer(response, scope, url)

    def anonymous_header(self, scope: Scope) -> str | None:
        """Return the header for an anonymous request; ``None`` to send no header.

        Raises:
            AuthError: the token endpoint issues no anonymous token.
        """
        with self._lock:
            if self._challenge is None or self._challenge.scheme == "basic":
                return None
            return f"Bearer {self._fetch(scope, None)[0]}"

    def _reject(self, credential: Credential, repository: str) -> None:
        was_reported = any(credential == known for known, _ in self._rejected)
        self._rejected.add((credential, repository))
        self._tokens.clear()
        if was_reported:
            return
        self._warn(
            f"{self._registry} rejects the credential from {credential.source}; continuing "
            f"without it; {renewal_hint(credential.source, self._registry)}"
        )

    def _token(self, scope: Scope) -> str:
        token, expiry = self._tokens.get(scope, ("", 0.0))
        if time.monotonic() < expiry:
            return token
        credential = self.credential(scope)
        if credential and credential.registry_token:
            return credential.registry_token
        try:
            token, life = self._fetch(scope, credential)
        except (AuthError, InvalidResponseError) as error:
            if credential is None or not self.may_go_without(scope):
                raise
            # An expired credential must not block a public image. Some token endpoints refuse it
            # with 400, as OAuth 2.0 does (RFC 6749, section 5.2).
            token, life = self._fetch_anonymously(scope, error)
        lifetime = max(life - _RENEW_EARLY_SECONDS, 1.0)
        self._tokens[scope] = (token, time.monotonic() + lifetime)
        return token

    def _fetch_anonymously(self, scope: Scope, error: GhcrctlError) -> tuple[str, float]:
        try:
            issued = self._fetch(scope, None)
        except GhcrctlError:
            raise error from None
        self.reject(scope)
        return issued

    def _fetch(self, scope: Scope, credential: Credential | None) -> tuple[str, float]:
        """Fetch a token with retries; return the token and its lifetime in seconds."""
        fetch = partial(self._request_token, scope, credential)
        options = self._transport.options
        return retry(fetch, options.retry, on_retry=report_retries(options.waiting))

    def _request_token(self, scope: Scope, credential: Credential | None) -> tuple[str, float]:
        parameters = self._challenge.parameters if self._challenge else {}
        realm, service = parameters.get("realm", ""), parameters.get("service", "")
        if credential and credential.identity_token:
            current = self._refreshed.get(credential.identity_token, credential.identity_token)
            response = self._post(realm, service, scope, current)
        else:
            query = [("service", service)] if service else []
            query += [("scope", text) for text in scope.texts]
            separator = "&" if urlsplit(realm).query else "?"
            url = f"{realm}{separator}{urlencode(query)}" if query else realm
            response = self._transport.request("GET", url, authorization=_basic(credential))
        with response:
            if response.status_code != 200:
                raise self._refusal(response, scope, credential)
            issued = read_token(response, self._registry)
        if credential and credential.identity_token and issued.refresh_token:
            # The endpoint may accept an identity token only once (RFC 6749, section 6).
            self._refreshed[credential.identity_token] = issued.refresh_token
        return issued.token, issued.life

    def _post(
        self, realm: str, service: str, scope: Scope, identity_token: str
    ) -> requests.Response:
        """Exchange an identity token (docker's ``identitytoken``) for an access token."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": identity_token,
            "service": service,
            "client_id": _CLIENT_ID,
            "scope": " ".join(scope.texts),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._transport.request("POST", realm, headers=headers, body=urlencode(form))

    def _refusal(
        self, response: requests.Response, scope: Scope, credential: Credential | None
    ) -> Exception:
        text = error_text(response)
        status = 401 if credential and rejects_grant(text) else response.status_code
        refusal = Refusal(
            registry=self._registry,
            repository=scope.repository,
            action="push to" if scope.writes else "pull from" if scope.grants else "sign in to",
            what="",
            status=status,
            text=text,
            headers=response.headers,
            signed_in=credential.source if credential else "",
        )
        if status in {401, 403, 408, 425, 429, 499} or status >= 500:
            error = explain_refusal(refusal)
            # The token request has already been retried as often as the settings allow.
            error.retryable = False
            return error
        return InvalidResponseError(
            f"the token endpoint of {self._registry} returned status {status}{refusal.quoted}"
        )


def _basic(credential: Credential | None) -> str | None:
    if credential is None or credential.identity_token:
        return None
    if not (credential.username or credential.secret):
        return None
    pair = f"{credential.username}:{credential.secret}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
