"""Log in and out: a credential is stored only after its registry has accepted it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.own_store import default_store
from ghcrctl.credentials.token_kinds import advice
from ghcrctl.errors import CredentialStoreError, InvalidReferenceError, UsageError
from ghcrctl.oci.reference import Reference

if TYPE_CHECKING:
    from ghcrctl.credentials.own_store import OwnStore
    from ghcrctl.operations.common.session import Session


@dataclass(frozen=True, slots=True)
class LoginResult:
    """Where a credential is stored.

    Args:
        registry: the registry that the credential is sent to.
        place: where it is stored, for messages.
        warnings: warnings about the storage or the token.
    """

    registry: str
    place: str
    warnings: tuple[str, ...]


def registry_name(text: str) -> str:
    """Parse a registry as the user typed it: a host, possibly with a scheme or an API path.

    Raises:
        UsageError: the text is not a registry.
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
        raise UsageError(f"invalid registry `{text}`: {error.message}") from None
    if not any(character in host for character in ".:") and host != "localhost":
        raise UsageError(
            f"invalid registry `{text}`: expected a host with a dot or a port",
            hint="a registry looks like ghcr.io or localhost:5000",
        )
    if "/" in host:
        raise UsageError(
            f"invalid registry `{text}`: expected a host, not a repository",
            hint=f"try: {host.partition('/')[0]}",
        )
    return registry


def login(session: Session, registry: str, username: str, secret: str) -> LoginResult:
    """Check a credential with its registry, then store it.

    Raises:
        UnauthorizedError: the registry rejects it; nothing is stored.
        CredentialStoreError: it cannot be stored.
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
    """Delete the credential for a registry, and warn if another source still has one.

    Returns:
        The places that it was deleted from; empty if there was none.
    """
    host = session.settings.routes.host_of(registry)
    places: list[str] = []
    for name in dict.fromkeys((registry, host)):
        places += _vault(session).erase(name)
        session.forget(name)
        if left := session.credential_chain.find(name):
            session.warn(f"{name} still has a credential from {left.source}")
    return list(dict.fromkeys(places))


def logged_in(session: Session) -> list[str]:
    """Return the registries whose credentials were stored by `login`."""
    return _vault(session).registries()


def warn_of_helper_credentials(session: Session) -> None:
    """Warn of credentials in docker's credential helper: other programs may have stored them."""
    try:
        program, registries = _vault(session).helper_registries()
    except CredentialStoreError as error:
        session.warn(str(error))
        return
    if registries:
        session.warn(
            f"{program} still has credentials for {', '.join(registries)}; docker uses them too. "
            f"To delete one, run: ghcrctl logout {registries[0]}"
        )


def _vault(session: Session) -> OwnStore:
    settings = session.settings
    return default_store(
        settings.credential_environ, home=settings.home, config_dir=settings.config_dir
    )
