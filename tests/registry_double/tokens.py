"""ghcr.io's token endpoint, and how it evaluates Authorization."""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass, field

from tests.registry_double import wsgi
from tests.registry_double.wsgi import Answer, Environ

DENIED = "requested access to the resource is denied"


@dataclass(frozen=True, slots=True)
class Grant:
    """The access of a token: pairs of repository and action."""

    user: str
    scopes: frozenset[tuple[str, str]]
    until: float


@dataclass(slots=True)
class Authority:
    """Accounts, visibility and tokens.

    An account may do everything in its own namespace and in those of ``members``; everybody may
    pull what is public. Nobody learns what else there is.
    """

    accounts: dict[str, str] = field(default_factory=dict)
    public: set[str] = field(default_factory=set)
    members: dict[str, set[str]] = field(default_factory=dict)
    lifetime: float | None = None
    grants: dict[str, Grant] = field(default_factory=dict)

    def answer_token(self, environ: Environ) -> Answer:
        """Respond to ``GET /token``."""
        user = ""
        authorization = str(environ.get("HTTP_AUTHORIZATION", ""))
        if authorization:
            found = self._basic_user(authorization)
            if found is None:
                return wsgi.error(403, "DENIED", "denied: denied")
            user = found
        wanted = _parse_scopes(wsgi.query_of(environ).get("scope", []))
        granted = frozenset(pair for pair in wanted if self.allows(user, *pair))
        if any((repository, "pull") not in granted for repository, _ in wanted):
            return wsgi.error(403, "DENIED", DENIED)
        return self._issue(user, granted)

    def allows(self, user: str, repository: str, action: str) -> bool:
        if action == "pull" and repository in self.public:
            return True
        namespace = repository.partition("/")[0]
        return bool(user) and (
            user.lower() == namespace or user in self.members.get(namespace, set())
        )

    def grant_of(self, authorization: str) -> Grant | Answer | None:
        """Evaluate a request's Authorization: its access, an error, or nothing if it is invalid."""
        kind, _, value = authorization.partition(" ")
        if kind.lower() == "basic":
            return wsgi.error(403, "DENIED", "invalid token")
        if not value:
            return None
        grant = self.grants.get(value)
        if grant:
            return grant if grant.until > time.monotonic() else None
        if value in self.accounts.values():
            return wsgi.error(403, "DENIED", "invalid token")
        return self._encoded(value)

    def _encoded(self, value: str) -> Grant | None:
        """Accept the base64 of an account's token instead of an issued one, like ghcr.io."""
        try:
            token = base64.b64decode(value, validate=True).decode().rpartition(":")[2]
        except ValueError:
            return None
        user = self._user_of(token)
        return Grant(user, frozenset({("*", "*")}), float("inf")) if user else None

    def _basic_user(self, authorization: str) -> str | None:
        kind, _, value = authorization.partition(" ")
        try:
            password = base64.b64decode(value).decode().partition(":")[2]
        except ValueError:
            return None
        return self._user_of(password) if kind.lower() == "basic" else None

    def _user_of(self, token: str) -> str | None:
        # The user name is ignored; the token identifies the account.
        return next((user for user, mine in self.accounts.items() if mine == token), None)

    def _issue(self, user: str, scopes: frozenset[tuple[str, str]]) -> Answer:
        token = secrets.token_urlsafe(24)
        lifetime = self.lifetime if self.lifetime is not None else 300.0
        self.grants[token] = Grant(user, scopes, time.monotonic() + lifetime)
        data: dict[str, object] = {"token": token}
        if self.lifetime is not None:
            data["expires_in"] = int(self.lifetime)
        body = json.dumps(data).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        return Answer(200, headers, [body])


def _parse_scopes(texts: list[str]) -> list[tuple[str, str]]:
    pairs = []
    for scope in " ".join(texts).split():
        kind, _, rest = scope.partition(":")
        repository, _, actions = rest.rpartition(":")
        if kind == "repository" and repository:
            pairs += [(repository, action) for action in actions.split(",")]
    return pairs
