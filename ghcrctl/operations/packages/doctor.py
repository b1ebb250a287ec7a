"""Diagnose why a pull, push or cleanup fails: check the token, its scopes and the package.

Each problem has a cause, a fix and the settings page, since GitHub has no API for some settings.
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
    from ghcrctl.operations.packages.package_names import PackageName

_SCOPES = {
    "read:packages": "pull private images and read packages",
    "write:packages": "push, retag, untag and restore",
    "delete:packages": "delete and prune",
}
# Scopes that another scope includes (GitHub's documentation, "Scopes for OAuth apps").
_IMPLIED = {"write:packages": {"read:packages"}}


class Health(Enum):
    """The result of a check."""

    GOOD = "ok"
    NOTE = "note"
    WARNING = "warning"
    BAD = "problem"


@dataclass(frozen=True, slots=True)
class Sign:
    """One check and its result.

    Args:
        what: the name of the check.
        health: the result.
        message: the details.
        mend: how to fix a problem.
        page: the settings page for the fix.
        status: the exit status of commands that fail because of it.
    """

    what: str
    health: Health
    message: str
    mend: str = ""
    page: str = ""
    status: ExitStatus = ExitStatus.SUCCESS


def examine(session: Session, text: str | None) -> Iterator[Sign]:
    """Diagnose a package, or without a name the token for the default registry.

    Raises:
        InvalidReferenceError: the name is invalid.
    """
    named = read_name(session, text) if text else None
    registry = named.registry if named else session.settings.get("default_registry")
    yield from diagnose(session, registry, named)


def diagnose(session: Session, registry: str, named: PackageName | None) -> Iterator[Sign]:
    """Diagnose the token for a registry, and optionally a package.

    Args:
        session: the run.
        registry: the registry.
        named: the package; ``None`` for the token only.

    Raises:
        UnsupportedError: the registry does not belong to GitHub.
    """
    doctor = _Diagnosis(session, registry)
    yield from doctor.token()
    yield from doctor.registry()
    if named:
        yield from doctor.package(named)


def _problem(what: str, error: GhcrctlError, page: str = "") -> Sign:
    return Sign(what, Health.BAD, error.message, error.hint or "", page, error.exit_status)


class _Diagnosis:
    """Runs the checks."""

    def __init__(self, session: Session, registry: str) -> None:
        self._session = session
        self._registry = registry
        self._packages: Packages = session.packages(registry)
        self._instance = self._packages.github.instance
        self._credential: Credential | None = self._packages.github.credential

    # The token

    def token(self) -> Iterator[Sign]:
        """Check which token is used, and its permissions."""
        credential = self._credential
        if credential is None:
            yield Sign(
                "token",
                Health.WARNING,
                f"no token for {self._registry}: only public images can be pulled",
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
                "GitHub Packages does not support fine-grained tokens: login works, but pushing "
                "and managing packages does not",
                "use a classic token",
                self._instance.new_token_page(*_SCOPES),
            )
        if kind is TokenKind.ACTIONS:
            yield Sign(
                "kind",
                Health.NOTE,
                "it expires with its job, may not list packages, and may only do what the job's "
                "`permissions: packages` and the package's settings allow",
            )

    def _accepted(self, kind: TokenKind) -> Iterator[Sign]:
        # A job's token is not allowed to read its account.
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
            yield Sign("scopes", Health.GOOD, f"{given}: sufficient for packages")
            return
        cannot = "; ".join(f"{scope} to {_SCOPES[scope]}" for scope in missing)
        yield Sign(
            "scopes",
            Health.WARNING,
            f"it has `{given}`, but not {cannot}",
            "create a token with these; for gh's token: gh auth refresh -s " + ",".join(missing),
            self._instance.new_token_page(*_SCOPES),
        )

    def _expiry(self, headers: Mapping[str, str]) -> Iterator[Sign]:
        until = headers.get("GitHub-Authentication-Token-Expiration")
        if until:
            yield Sign("expiry", Health.NOTE, f"the token expires on {until}")

    def _limits(self) -> Iterator[Sign]:
        try:
            data: Any = self._packages.github.get("/rate_limit", "the rate limit")
            core = data["resources"]["core"]
            left, limit = int(core["remaining"]), int(core["limit"])
        except (GhcrctlError, KeyError, TypeError, ValueError):
            # A GitHub Enterprise Server without rate limits does not have this endpoint.
            return
        health = Health.GOOD if left > limit // 10 else Health.WARNING
        yield Sign("rate limit", health, f"{left} of {limit} requests an hour are left")

    def registry(self) -> Iterator[Sign]:
        """Check whether the registry accepts the token."""
        if self._credential is None:
            return
        try:
            client = self._session.resolver.sign_in(self._registry)
            if client.registry != self._registry:
                message = f"registries.conf routes {self._registry} to {client.registry}"
                yield Sign("registry", Health.NOTE, f"{message}, which does not get the token")
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

    def package(self, named: PackageName) -> Iterator[Sign]:
        """Check whether a package exists, who may pull it, and where that is configured."""
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
        kind = "an organization" if owner.is_organization else "a user"
        yield Sign("owner", Health.GOOD, f"{owner.login} is {kind}")
        package = None
        try:
            package = self._packages.get(owner, named.package)
        except NotFoundError as error:
            yield self._absent(named, owner, error)
            # GitHub's API may hide a package that is nevertheless public.
            yield from self._public(named)
            return
        except GhcrctlError as error:
            yield _problem("package", error, settings)
        else:
            yield Sign("package", Health.GOOD, f"it exists, and is {package.visibility}")
            yield from self._link(package, settings)
        yield from self._anonymous(named, package, settings)
        yield from self._own_pull(named, settings)
        yield Sign(
            "access",
            Health.NOTE,
            "GitHub has no API for visibility and for the repositories whose Actions can write",
            "set them under `Danger Zone` and `Manage Actions access`",
            settings,
        )

    def _absent(self, named: PackageName, owner: Owner, error: GhcrctlError) -> Sign:
        return Sign(
            "package",
            Health.BAD,
            f"GitHub has no package {named.repository}, or hides it from this token",
            f"check the name: ghcrctl packages list {owner.login}; private packages are only shown "
            "to users with access",
            status=error.exit_status,
        )

    def _link(self, package: Package, settings: str) -> Iterator[Sign]:
        if not package.repository:
            yield Sign(
                "repository",
                Health.WARNING,
                "not linked: no repository's GitHub Actions can push",
                "link it in the settings, or push with the label org.opencontainers.image.source",
                settings,
            )
        elif package.visibility != "public" and not package.repository_is_private:
            yield Sign(
                "repository",
                Health.NOTE,
                f"{package.repository} is public, but the package is {package.visibility}: "
                "packages do not inherit the visibility of their repository",
                page=settings,
            )
        else:
            yield Sign("repository", Health.GOOD, f"linked to {package.repository}")

    def _public(self, named: PackageName) -> Iterator[Sign]:
        """Yield a sign if a package is public."""
        signs = self._anonymous(named, None, "")
        yield from (sign for sign in signs if sign.health is Health.GOOD)

    def _anonymous(
        self, named: PackageName, package: Package | None, settings: str
    ) -> Iterator[Sign]:
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
                    f"not possible: the package is {package.visibility}",
                    "packages are private by default; make it public in its settings",
                    settings,
                )
        else:
            yield Sign("pull by everybody", Health.GOOD, "works without login")
        finally:
            client.close()

    def _own_pull(self, named: PackageName, settings: str) -> Iterator[Sign]:
        if self._credential is None:
            return
        try:
            client, repository = self._session.resolver.access(named.reference)
            next(client.tags(repository), None)
        except GhcrctlError as error:
            yield _problem("pull with the token", error, settings)
        else:
            yield Sign("pull with the token", Health.GOOD, "works")
