"""Docker's token protocol, and Basic.

What belongs here: from a challenge to an ``Authorization`` header, and the cache of tokens. Secrets
go to the registry that they are for and to the token endpoint that it names, over TLS or on this
machine; nowhere else.

Spec: distribution's "Token Authentication Specification" and "Docker Registry v2 authentication via
OAuth2".
"""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from ghcrctl.content.retry import retry
from ghcrctl.content.waits import telling
from ghcrctl.errors import AuthError, InvalidResponseError
from ghcrctl.registry.answers import read_all
from ghcrctl.registry.bodies import error_text
from ghcrctl.registry.challenge import Challenge, parse_challenges
from ghcrctl.registry.endpoint import is_loopback
from ghcrctl.registry.explain import Refusal, explain

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from ghcrctl.credentials.credential import Credential
    from ghcrctl.registry.transport import Transport

# Seconds a token lives where its endpoint does not say, and how much earlier it is renewed.
_DEFAULT_LIFE = 60.0
_EARLY = 10.0
_MAX_TOKEN_ANSWER = 1024 * 1024
_CLIENT_ID = "ghcrctl"
# Strict, because programs read odd addresses in different ways: where a backslash stands, one takes
# it for a part of the host and another for the end of it (RFC 3986, sections 3.2.2 and 3.2.3).
_REALM = re.compile(
    r"(?P<scheme>https?)://(?P<host>(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?)"
    r"(?:[/?][\x21-\x7e]*)?\Z",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is for: repositories and actions, as ``("owner/image", "pull,push")``."""

    grants: tuple[tuple[str, str], ...] = ()

    @classmethod
    def pull(cls, repository: str) -> Scope:
        """Reading one repository."""
        return cls(((repository, "pull"),))

    @classmethod
    def push(cls, repository: str, *mounted: str) -> Scope:
        """Writing one repository, and reading others of the same registry."""
        return cls(((repository, "pull,push"), *((name, "pull") for name in mounted)))

    @property
    def writes(self) -> bool:
        """Whether anonymous access can never do."""
        return any("push" in actions for _, actions in self.grants)

    @property
    def texts(self) -> list[str]:
        """The ``scope`` parameters."""
        return [f"repository:{name}:{actions}" for name, actions in self.grants]


class Authenticator:
    """Authorizes requests to one registry.

    Args:
        registry: its name.
        find: returns the credential for a repository, if there is one.
        transport: sends the requests for tokens.
        warn: is told of a credential that is rejected.
        lenient: whether reading goes on without a credential that is rejected.
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
        self._rejected: set[Credential] = set()
        self._lock = threading.RLock()

    def credential(self, scope: Scope) -> Credential | None:
        """Return the credential that is used, if any."""
        found = self._find(scope.grants[0][0] if scope.grants else "")
        return None if found in self._rejected else found

    def header(self, scope: Scope) -> str | None:
        """Return the header to send at once; ``None`` before the registry was met."""
        with self._lock:
            if self._challenge is None:
                return None
            if self._challenge.scheme == "basic":
                return _basic(self.credential(scope))
            return f"Bearer {self._token(scope)}"

    def answer(self, response: requests.Response, scope: Scope, url: str) -> str | None:
        """Return the header that a 401 asks for; ``None`` where nothing that we have would do.

        Args:
            response: the 401.
            scope: what was asked.
            url: where the 401 comes from, to tell whether it is the registry's own.
        """
        challenges = parse_challenges(response.headers.get("WWW-Authenticate", ""))
        by_scheme = {challenge.scheme: challenge for challenge in reversed(challenges)}
        challenge = by_scheme.get("bearer") or by_scheme.get("basic")
        if challenge is None:
            return None
        with self._lock:
            if challenge.scheme == "bearer":
                _check_realm(challenge, self._registry, url)
            self._challenge = challenge
            # Another thread, with the same 401, may have got a new token in the meantime.
            sent = response.request.headers.get("Authorization")
            if sent == f"Bearer {self._tokens.get(scope, ('',))[0]}":
                self._tokens.pop(scope, None)
            return self.header(scope)

    def reject(self, scope: Scope) -> bool:
        """Go on without the credential that the registry rejects, where reading may do without.

        Returns:
            Whether there was one and it is worth to try without it.
        """
        with self._lock:
            credential = self.credential(scope)
            if credential is None or scope.writes or not self._lenient:
                return False
            self._rejected.add(credential)
            self._tokens.clear()
        self._warn(
            f"{self._registry} rejects the credential from {credential.source}; going on "
            "without it. "
            f"Sign in again with `ghcrctl login {self._registry}`, "
            f"or forget it with `ghcrctl logout {self._registry}`"
        )
        return True

    def _token(self, scope: Scope) -> str:
        token, expiry = self._tokens.get(scope, ("", 0.0))
        if time.monotonic() < expiry:
            return token
        credential = self.credential(scope)
        if credential and credential.registry_token:
            return credential.registry_token
        try:
            token, life = self._fetch(scope, credential)
        except AuthError as error:
            if credential is None or scope.writes or not self._lenient:
                raise
            # A stored credential that has expired must not stand before a public image.
            token, life = self._fetch_anonymously(scope, error)
        self._tokens[scope] = (token, time.monotonic() + max(life - _EARLY, 1.0))
        return token

    def _fetch_anonymously(self, scope: Scope, error: AuthError) -> tuple[str, float]:
        try:
            answer = self._fetch(scope, None)
        except AuthError:
            raise error from None
        self.reject(scope)
        return answer

    def _fetch(self, scope: Scope, credential: Credential | None) -> tuple[str, float]:
        """Ask the token endpoint; return a token and the seconds that it lives."""
        ask = partial(self._ask, scope, credential)
        options = self._transport.options
        return retry(ask, options.retry, on_retry=telling(options.waiting))

    def _ask(self, scope: Scope, credential: Credential | None) -> tuple[str, float]:
        parameters = self._challenge.parameters if self._challenge else {}
        realm, service = parameters.get("realm", ""), parameters.get("service", "")
        if credential and credential.identity_token:
            response = self._post(realm, service, scope, credential.identity_token)
        else:
            query = [("service", service)] if service else []
            query += [("scope", text) for text in scope.texts]
            separator = "&" if urlsplit(realm).query else "?"
            url = f"{realm}{separator}{urlencode(query)}" if query else realm
            response = self._transport.request("GET", url, authorization=_basic(credential))
        with response:
            if response.status_code != 200:
                raise self._refused(response, scope, credential)
            return _read_token(response, self._registry)

    def _post(
        self, realm: str, service: str, scope: Scope, identity_token: str
    ) -> requests.Response:
        """Trade an identity token (docker's ``identitytoken``) for a token."""
        form = {
            "grant_type": "refresh_token",
            "refresh_token": identity_token,
            "service": service,
            "client_id": _CLIENT_ID,
            "scope": " ".join(scope.texts),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._transport.request("POST", realm, headers=headers, body=urlencode(form))

    def _refused(
        self, response: requests.Response, scope: Scope, credential: Credential | None
    ) -> Exception:
        status = response.status_code
        refusal = Refusal(
            registry=self._registry,
            repository=scope.grants[0][0] if scope.grants else "",
            action="push to" if scope.writes else "pull from" if scope.grants else "sign in to",
            what="",
            status=status,
            text=error_text(response),
            headers=response.headers,
            signed_in=credential.source if credential else "",
        )
        if status in {401, 403, 408, 429} or status >= 500:
            error = explain(refusal)
            # The request was tried as often as the person says.
            error.retryable = False
            return error
        return InvalidResponseError(
            f"the token endpoint of {self._registry} answered with status {status}{refusal.words}"
        )


def _basic(credential: Credential | None) -> str | None:
    if credential is None or credential.identity_token:
        return None
    pair = f"{credential.username}:{credential.secret}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"


def _check_realm(challenge: Challenge, registry: str, url: str) -> None:
    """Refuse a token endpoint that no secret may be sent to.

    Without TLS that is every one but this machine, and the host of a registry that is reached
    without TLS itself.
    """
    text = challenge.parameters.get("realm", "")
    match = _REALM.match(text)
    name = _host_name(text) if match else ""
    if not match or not name:
        raise InvalidResponseError(f"{registry} names a token endpoint that is no web address")
    own = urlsplit(url).scheme == "http" and _host_name(url) == name
    if match["scheme"].lower() == "http" and not (own or is_loopback(match["host"])):
        raise InvalidResponseError(
            f"{registry} names a token endpoint without TLS ({match['host']}); nothing is sent "
            "to it"
        )


def _host_name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _read_token(response: requests.Response, registry: str) -> tuple[str, float]:
    raw = read_all(response, _MAX_TOKEN_ANSWER, "token")
    try:
        data = json.loads(raw)
        token = data.get("token") or data.get("access_token")
        life = data.get("expires_in")
    except (ValueError, AttributeError, RecursionError):
        token = life = None
    # A header holds ASCII (RFC 9110, section 5.5).
    if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
        raise InvalidResponseError(f"the token endpoint of {registry} gave no token")
    return token, _seconds(life)


def _seconds(life: object) -> float:
    """Read ``expires_in``, which some endpoints write as a text; what is no number says nothing."""
    try:
        seconds = float(life) if isinstance(life, int | float | str) else 0.0
    except (ValueError, OverflowError):
        seconds = 0.0
    return seconds if seconds > 0 else _DEFAULT_LIFE
