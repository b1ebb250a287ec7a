"""A token server with docker's token protocol, trusted by the registry.

Spec: distribution, "Token Authentication Specification" and "Implementation"; RFC 7515, 7517.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import trustme

ISSUER = "tests"
SERVICE = "docker-registry"
# docker-registry accepts expired tokens for this many seconds.
_LEEWAY = 60


class TokenServer:
    """A WSGI application that issues tokens with all requested scopes to the account.

    Args:
        certificate: what signs, and is in the registry's ``rootcertbundle``.
        accounts: passwords by user; who gives none may pull from ``public``.
        public: repositories that everybody may pull.
    """

    def __init__(
        self, certificate: trustme.LeafCert, *, accounts: dict[str, str], public: set[str]
    ) -> None:
        pem = certificate.private_key_pem.bytes()
        key = serialization.load_pem_private_key(pem, password=None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self._chain = [_der_text(blob.bytes()) for blob in certificate.cert_chain_pems]
        self._accounts = accounts
        self._public = public
        # The reported and the actual lifetime of a token, in seconds.
        self.life = 300
        self.taken_for = 300
        self.requests: list[dict[str, list[str]]] = []

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., object]
    ) -> Iterable[bytes]:
        query = parse_qs(str(environ.get("QUERY_STRING", "")))
        self.requests.append(query)
        user = self._user(str(environ.get("HTTP_AUTHORIZATION", "")))
        if user is None:
            body = b'{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}'
            start_response("401 Unauthorized", [("Content-Length", str(len(body)))])
            return [body]
        access = [entry for entry in map(_parse, _scopes(query)) if self._cut(user, entry)]
        body = json.dumps({"token": self._sign(user, access), "expires_in": self.life}).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK", headers)
        return [body]

    def _user(self, authorization: str) -> str | None:
        if not authorization:
            return ""
        user, _, password = base64.b64decode(authorization[6:]).decode().partition(":")
        return user if self._accounts.get(user) == password else None

    def _cut(self, user: str, entry: dict[str, Any]) -> bool:
        """Reduce an entry to the allowed actions; return whether there are any."""
        if not user:
            entry["actions"] = ["pull"] if entry["name"] in self._public else []
        return bool(entry["actions"])

    def _sign(self, user: str, access: list[dict[str, Any]]) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": user,
            "aud": SERVICE,
            "exp": now - _LEEWAY + self.taken_for,
            "nbf": now - 2 * _LEEWAY,
            "iat": now,
            "jti": secrets.token_hex(8),
            "access": access,
        }
        header = {"typ": "JWT", "alg": "RS256", "x5c": self._chain}
        signed = f"{_encoded(header)}.{_encoded(claims)}"
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_text(signature)}"


def _scopes(query: dict[str, list[str]]) -> list[str]:
    return " ".join(query.get("scope", [])).split()


def _parse(scope: str) -> dict[str, Any]:
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return {"type": kind, "name": name, "actions": actions.split(",")}


def _der_text(pem: bytes) -> str:
    lines = pem.decode().strip().splitlines()
    return "".join(line for line in lines if not line.startswith("-"))


def _encoded(data: object) -> str:
    return _text(json.dumps(data).encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
