"""Why a pull, a push or a clean-up fails: what the token is, what it may, what the package is.

What belongs here: one question after the other, each with cause, mend and page. What does not:
mending; what no API can do is done by a person on the page that is named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from ghcrctl.credentials.renewal_hints import renewal_hint
from ghcrctl.credentials.token_kinds import TokenKind, token_kind
from ghcrctl.errors import AuthError, ExitStatus, GhcrctlError, NotFoundError
from ghcrctl.operations.packages.package_names import read_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ghcrctl.credentials.credential import Credential
    from ghcrctl.github.packages import Packages
    from ghcrctl.github.records import Owner, Package
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.package_names import Named

_SCOPES = {
    "read:packages": "pull private images and look at packages",
    "write:packages": "push, retag, untag and restore",
    "delete:packages": "delete and prune",
}
# A scope that another one brings with it (GitHub's documentation, "Scopes for OAuth apps").
_IMPLIED = {"write:packages": {"read:packages"}}


class Health(Enum):
    """How it looks."""

    GOOD = "ok"
    NOTE = "note"
    WARNING = "warning"
    BAD = "problem"


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that was looked at.

    Args:
        what: the question.
        health: how it looks.
        message: the answer.
        mend: what to do about it.
        page: where that is done.
        status: the exit status of what fails for it.
    """

    what: str
    health: Health
    message: str
    mend: str = ""
    page: str = ""
    status: ExitStatus = ExitStatus.SUCCESS


def examine(session: Session, text: str | None) -> Iterator[Sign]:
    """Look at what a package's name says, or without one at the usual registry's token.

    Raises:
        InvalidReferenceError: it is no name.
    """
    named = read_name(session, text) if text else None
    registry = named.registry if named else session.settings.get("default_registry")
    yield from diagnose(session, registry, named)


def diagnose(session: Session, registry: str, named: Named | None) -> Iterator[Sign]:
    """Look at the token, and at a package where one is named.

    Args:
        session: the run.
        registry: whose token.
        named: the package.

    Raises:
        UnsupportedError: the registry is none of GitHub's.
    """
    doctor = _Doctor(session, registry)
    yield from doctor.token()
    yield from doctor.registry_takes_it()
    if named:
        yield from doctor.package(named)


def _problem(what: str, error: GhcrctlError, page: str = "") -> Sign:
    return Sign(what, Health.BAD, error.message, error.hint or "", page, error.exit_status)


class _Doctor:
    """Asks one question after the other."""

    def __init__(self, session: Session, registry: str) -> None:
        self._session = session
        self._registry = registry
        self._packages: Packages = session.packages(registry)
        self._instance = self._packages.github.instance
        self._credential: Credential | None = self._packages.github.credential

    # The token

    def token(self) -> Iterator[Sign]:
        """Tell which token it is, and what it may do."""
        credential = self._credential
        if credential is None:
            yield Sign(
                "token",
                Health.WARNING,
                f"there is none for {self._registry}: only public images can be pulled",
                f"sign in: ghcrctl login {self._registry}",
                self._instance.new_token_page(*_SCOPES),
            )
            return
        kind = token_kind(credential.secret)
        yield Sign("token", Health.GOOD, f"a {kind.value}, from {credential.source}")
        yield from self._kind(kind)
        yield from self._accepted(kind)

    def _kind(self, kind: TokenKind) -> Iterator[Sign]:
        if kind is TokenKind.FINE_GRAINED:
            yield Sign(
                "kind",
                Health.WARNING,
                "packages do not know fine-grained tokens: signing in works, pushing and looking "
                "after packages do not",
                "use a classic token",
                self._instance.new_token_page(*_SCOPES),
            )
        if kind is TokenKind.ACTIONS:
            yield Sign(
                "kind",
                Health.NOTE,
                "it ends with its job, may not list packages, and may do only what the job's "
                "`permissions: packages` and the package's settings allow to the repository",
            )

    def _accepted(self, kind: TokenKind) -> Iterator[Sign]:
        # A job's token may not ask who it is.
        path = "/rate_limit" if kind is TokenKind.ACTIONS else "/user"
        try:
            headers = self._packages.github.headers_of(path, "the token's account")
        except GhcrctlError as error:
            yield _problem("account", error, self._instance.new_token_page(*_SCOPES))
            return
        if path == "/user":
            yield Sign("account", Health.GOOD, f"{self._packages.me()}, on {self._instance.web}")
        yield from self._scopes(headers)
        yield from self._expiry(headers)
        yield from self._limits()

    def _scopes(self, headers: Mapping[str, str]) -> Iterator[Sign]:
        given = headers.get("X-OAuth-Scopes")
        if given is None:
            return
        scopes = {scope for scope in re.split(r"[,\s]+", given) if scope}
        scopes |= {more for scope in scopes for more in _IMPLIED.get(scope, ())}
        missing = [scope for scope in _SCOPES if scope not in scopes]
        if not missing:
            yield Sign("scopes", Health.GOOD, f"{given}: all that packages need")
            return
        cannot = "; ".join(f"{scope} to {_SCOPES[scope]}" for scope in missing)
        yield Sign(
            "scopes",
            Health.WARNING,
            f"it has `{given}`, and lacks {cannot}",
            "make a token with these, or for that of gh: gh auth refresh -s " + ",".join(missing),
            self._instance.new_token_page(*_SCOPES),
        )

    def _expiry(self, headers: Mapping[str, str]) -> Iterator[Sign]:
        until = headers.get("GitHub-Authentication-Token-Expiration")
        if until:
            yield Sign("expiry", Health.NOTE, f"the token ends on {until}")

    def _limits(self) -> Iterator[Sign]:
        try:
            data: Any = self._packages.github.get("/rate_limit", "the rate limit")
            core = data["resources"]["core"]
            left, limit = int(core["remaining"]), int(core["limit"])
        except (GhcrctlError, KeyError, TypeError, ValueError):
            # An Enterprise Server without limits has no such page.
            return
        health = Health.GOOD if left > limit // 10 else Health.WARNING
        yield Sign("rate limit", health, f"{left} of {limit} requests an hour are left")

    def registry_takes_it(self) -> Iterator[Sign]:
        """Tell whether the registry accepts the token too."""
        if self._credential is None:
            return
        try:
            client = self._session.resolver.sign_in(self._registry)
            if client.registry != self._registry:
                message = f"registries.conf routes {self._registry} to {client.registry}"
                yield Sign("registry", Health.NOTE, f"{message}, which is not sent the token")
                return
            client.check(self._credential)
        except AuthError as error:
            sign = _problem("registry", error)
            yield replace(sign, mend=renewal_hint(self._credential.source, self._registry))
        except GhcrctlError as error:
            yield _problem("registry", error)
        else:
            yield Sign("registry", Health.GOOD, f"{self._registry} accepts the token")

    # The package

    def package(self, named: Named) -> Iterator[Sign]:
        """Tell whether a package is there, who may pull it, and where that is set."""
        try:
            owner = self._packages.owner(named.owner)
        except GhcrctlError as error:
            yield _problem("owner", error)
            # A public package is reported even if the token cannot read its owner.
            signs = self._anonymous(named, None, "")
            yield from self._public(named) if isinstance(error, NotFoundError) else signs
            return
        names = {"is_organization": owner.is_organization}
        settings = self._instance.settings_page(owner.login, named.package, **names)
        kind = "an organisation" if owner.is_organization else "a user"
        yield Sign("owner", Health.GOOD, f"{owner.login} is {kind}")
        package = None
        try:
            package = self._packages.get(owner, named.package)
        except NotFoundError as error:
            yield self._absent(named, owner, error)
            # GitHub may hide a package from the API that is nevertheless public.
            yield from self._public(named)
            return
        except GhcrctlError as error:
            yield _problem("package", error, settings)
        else:
            yield Sign("package", Health.GOOD, f"it is there, and {package.visibility}")
            yield from self._link(package, settings)
        yield from self._anonymous(named, package, settings)
        yield from self._own_pull(named, settings)
        yield Sign(
            "access",
            Health.NOTE,
            "visibility, and which repositories' Actions may write, no API shows or sets",
            "set them under `Danger Zone` and `Manage Actions access`",
            settings,
        )

    def _absent(self, named: Named, owner: Owner, error: GhcrctlError) -> Sign:
        return Sign(
            "package",
            Health.BAD,
            f"GitHub has no package {named.repository}, or does not show it to this token",
            f"check the spelling: ghcrctl packages list {owner.login}; a private package is shown "
            "only to those who have access",
            status=error.exit_status,
        )

    def _link(self, package: Package, settings: str) -> Iterator[Sign]:
        if not package.repository:
            yield Sign(
                "repository",
                Health.WARNING,
                "none is linked: Actions of no repository may push by themselves",
                "link it in the settings, or push with the label org.opencontainers.image.source",
                settings,
            )
        elif package.visibility != "public" and not package.repository_is_private:
            yield Sign(
                "repository",
                Health.NOTE,
                f"{package.repository} is public while the package is {package.visibility}: "
                "a package "
                "does not take over its repository's visibility",
                page=settings,
            )
        else:
            yield Sign("repository", Health.GOOD, f"linked to {package.repository}")

    def _public(self, named: Named) -> Iterator[Sign]:
        """Yield a sign if a package is public."""
        signs = self._anonymous(named, None, "")
        yield from (sign for sign in signs if sign.health is Health.GOOD)

    def _anonymous(self, named: Named, package: Package | None, settings: str) -> Iterator[Sign]:
        client, repository = self._session.resolver.access(named.reference)
        client = client.without_credential()
        try:
            next(client.tags(repository), None)
        except GhcrctlError as error:
            if package is None or package.visibility == "public":
                yield _problem("pull by everybody", error, settings)
            else:
                yield Sign(
                    "pull by everybody",
                    Health.NOTE,
                    f"not possible, since the package is {package.visibility}",
                    "packages are private at first; make it public in its settings",
                    settings,
                )
        else:
            yield Sign("pull by everybody", Health.GOOD, "works, without signing in")
        finally:
            client.close()

    def _own_pull(self, named: Named, settings: str) -> Iterator[Sign]:
        if self._credential is None:
            return
        try:
            client, repository = self._session.resolver.access(named.reference)
            next(client.tags(repository), None)
        except GhcrctlError as error:
            yield _problem("pull with the token", error, settings)
        else:
            yield Sign("pull with the token", Health.GOOD, "works")
