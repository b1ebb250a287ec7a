"""Login and logout: check a credential with its registry, keep it, forget it.

What belongs here: the order of things: nothing is kept that the registry did not accept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.token_kinds import advice
from ghcrctl.credentials.vault import default_vault
from ghcrctl.errors import InvalidReferenceError, UsageError
from ghcrctl.oci.reference import Reference

if TYPE_CHECKING:
    from ghcrctl.credentials.vault import Vault
    from ghcrctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class LoginResult:
    """Where a credential is kept.

    Args:
        registry: the registry it is for.
        place: where it is kept, for people.
        warnings: what a person should know of the place or of the token.
    """

    registry: str
    place: str
    warnings: tuple[str, ...]


def registry_name(text: str) -> str:
    """Read what people type for a registry: a host, maybe with a scheme or a path behind it.

    Raises:
        UsageError: it is no registry.
    """
    host = text.removeprefix("https://").removeprefix("http://").rstrip("/")
    host = host.removesuffix("/v1").removesuffix("/v2")
    user, at, bare = host.rpartition("@")
    if at and ":" in user:
        # The message must not repeat the password.
        raise UsageError(
            f"invalid registry: expected `{bare.partition('/')[0]}`, without user and password",
            hint=f"ghcrctl login --username USER {bare.partition('/')[0]}",
        )
    try:
        registry = Reference.parse(f"{host}/image").registry
    except InvalidReferenceError as error:
        raise UsageError(f"`{text}` is no registry: {error.message}") from None
    if not any(character in host for character in ".:") and host != "localhost":
        raise UsageError(
            f"`{text}` is no registry: it has neither a dot nor a port",
            hint="a registry looks like ghcr.io or localhost:5000",
        )
    if "/" in host:
        raise UsageError(
            f"`{text}` is no registry but a repository", hint=f"try: {host.partition('/')[0]}"
        )
    return registry


def login(session: Session, registry: str, username: str, secret: str) -> LoginResult:
    """Check a credential with its registry, then keep it.

    Raises:
        UnauthorizedError: the registry rejects it; nothing is kept.
        CredentialStoreError: it cannot be kept.
    """
    credential = Credential(username, secret, source="the command line")
    session.client(registry).check(credential)
    stored = _vault(session).store(registry, credential)
    session.forget(registry)
    notes = (advice(secret, registry), stored.warning)
    return LoginResult(registry, stored.place, tuple(note for note in notes if note))


def logout(session: Session, registry: str) -> list[str]:
    """Forget the credential for a registry, and warn where another one is left.

    Returns:
        The places that it was erased from; none where there was none.
    """
    places = _vault(session).erase(registry)
    session.forget(registry)
    if left := session.keychain.find(registry):
        session.warn(f"{registry} is still reached with a credential from {left.source}")
    return places


def logged_in(session: Session) -> list[str]:
    """Return the registries whose credentials were kept by `login`."""
    return _vault(session).registries()


def _vault(session: Session) -> Vault:
    settings = session.settings
    return default_vault(settings.environ, home=settings.home, config_dir=settings.config_dir)
