"""Login and logout: check a credential with its registry, keep it, forget it.

What belongs here: the order of things: nothing is kept that the registry did not accept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.own_store import default_vault
from ghcrctl.credentials.token_kinds import advice
from ghcrctl.errors import CredentialStoreError, InvalidReferenceError, UsageError
from ghcrctl.oci.reference import Reference

if TYPE_CHECKING:
    from ghcrctl.credentials.own_store import Vault
    from ghcrctl.operations.common.session import Session


@dataclass(frozen=True, slots=True)
class LoginResult:
    """Where a credential is kept.

    Args:
        registry: the registry that the credential is sent to.
        place: where it is kept, for messages.
        warnings: warnings about the place or the token.
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
    client = session.resolver.sign_in(registry)
    client.check(credential)
    host = client.registry
    stored = _vault(session).store(host, credential)
    session.forget(host)
    routed = f"registries.conf routes {registry} to {host}: the credential is stored for {host}"
    notes = (advice(secret, host), stored.warning, "" if host == registry else routed)
    return LoginResult(host, stored.place, tuple(note for note in notes if note))


def logout(session: Session, registry: str) -> list[str]:
    """Forget the credential for a registry, and warn where another one is left.

    Returns:
        The places that it was erased from; none where there was none.
    """
    host = session.settings.routes.host_of(registry)
    places: list[str] = []
    for name in dict.fromkeys((registry, host)):
        places += _vault(session).erase(name)
        session.forget(name)
        if left := session.keychain.find(name):
            session.warn(f"{name} is still reached with a credential from {left.source}")
    return list(dict.fromkeys(places))


def logged_in(session: Session) -> list[str]:
    """Return the registries whose credentials were kept by `login`."""
    return _vault(session).registries()


def warn_of_helper(session: Session) -> None:
    """Warn of credentials that docker's helper has: other programs may have stored them."""
    try:
        program, registries = _vault(session).kept_by_helper()
    except CredentialStoreError as error:
        session.warn(str(error))
        return
    if registries:
        session.warn(
            f"{program} still has credentials for {', '.join(registries)}; docker uses them too. "
            f"To delete one, run: ghcrctl logout {registries[0]}"
        )


def _vault(session: Session) -> Vault:
    settings = session.settings
    return default_vault(
        settings.credential_environ, home=settings.home, config_dir=settings.config_dir
    )
