"""Credentials whose secrets never appear in messages."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential for a registry.

    Args:
        username: the user name; ignored by ghcr.io.
        secret: the password or token.
        identity_token: docker's ``identitytoken``, an OAuth2 refresh token that replaces the
            secret.
        source: where the credential was found, for messages.
        registry_token: docker's ``registrytoken``, a bearer token that is sent unchanged.
    """

    username: str
    secret: str = field(repr=False)
    identity_token: str | None = field(default=None, repr=False)
    source: str = ""
    registry_token: str | None = field(default=None, repr=False)

    @property
    def fault(self) -> str | None:
        """The reason why the credential cannot be sent in a request; ``None`` if it can.

        Variables and JSON may contain unpaired surrogates, which UTF-8 cannot encode. A header is
        limited to visible ASCII (RFC 9110, section 5.5).
        """
        try:
            f"{self.username}{self.secret}{self.identity_token}".encode()
        except UnicodeEncodeError:
            return "it is not valid UTF-8"
        token = self.registry_token or ""
        if not (token.isascii() and token.isprintable()):
            return "its registry token has characters that are not allowed in a header"
        return None
