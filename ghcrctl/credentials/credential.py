"""The credential: a noun that never shows its secret."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential for a registry.

    Args:
        username: the user name; ignored by ghcr.io.
        secret: the password or token.
        identity_token: docker's ``identitytoken``, an OAuth2 refresh token, used in place of the
            secret.
        source: where it was found, for messages.
        registry_token: docker's ``registrytoken``, a bearer token that is sent as it is.
    """

    username: str
    secret: str = field(repr=False)
    identity_token: str | None = field(default=None, repr=False)
    source: str = ""
    registry_token: str | None = field(default=None, repr=False)

    @property
    def fault(self) -> str | None:
        """Why no request can carry this credential; ``None`` where one can.

        Variables and JSON may hold halves of surrogate pairs, which UTF-8 has no bytes for, and a
        header holds visible ASCII (RFC 9110, section 5.5).
        """
        try:
            f"{self.username}{self.secret}{self.identity_token}".encode()
        except UnicodeEncodeError:
            return "it is not valid UTF-8"
        token = self.registry_token or ""
        if not (token.isascii() and token.isprintable()):
            return "its registry token has characters that a header cannot hold"
        return None
