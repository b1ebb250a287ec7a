"""Options for the source and target of a copy: credentials, trust and client certificates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.password import read_password
from ghcrctl.cli.path_types import PATH_OR_DASH
from ghcrctl.credentials.credential import Credential
from ghcrctl.errors import UsageError
from ghcrctl.operations.common.registry_access import Access

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeVar

    from ghcrctl.cli.app import App

    Function = TypeVar("Function", bound=Callable[..., Any])

_KEY = "ghcrctl.sides"
_WORDS = {"src": "source", "dest": "target"}


def side_options(function: Function) -> Function:
    """Add the options of source and target, which `accesses` reads."""
    for side in reversed(_WORDS):
        for option in reversed(_options(side)):
            if not hasattr(function, "__click_params__"):
                function.__click_params__ = []  # type: ignore[attr-defined]
            function.__click_params__.append(option)  # type: ignore[attr-defined]
    return function


def _options(side: str) -> list[click.Option]:
    word = _WORDS[side]

    def option(name: str, text: str, **attributes: Any) -> click.Option:
        names = (f"--{side}-{name}",)
        return click.Option(names, help=text, expose_value=False, callback=_keep, **attributes)

    return [
        option(
            "creds",
            f"Credentials for the {word} registry.",
            metavar="USER[:PASS]",
        ),
        option(
            "password-stdin",
            f"Read the password for --{side}-creds from stdin.",
            is_flag=True,
        ),
        option(
            "insecure",
            f"Allow invalid certificates and plain HTTP at the {word}.",
            is_flag=True,
        ),
        option(
            "ca-file",
            f"Also trust the CA certificates in this file at the {word}.",
            metavar="FILE",
            type=PATH_OR_DASH,
        ),
        option(
            "cert",
            f"Use this PEM client certificate at the {word}.",
            metavar="FILE",
            type=PATH_OR_DASH,
        ),
        option("key", f"Use this PEM key for --{side}-cert.", metavar="FILE", type=PATH_OR_DASH),
    ]


def _keep(ctx: click.Context, param: click.Parameter, value: object) -> None:
    if value not in (None, False):
        ctx.meta.setdefault(_KEY, {})[str(param.name)] = value


def _variable(side: str) -> str:
    return f"GHCRCTL_{side.upper()}_PASSWORD"


def accesses(
    app: App, sources: Iterable[str], targets: Iterable[str]
) -> tuple[Access | None, Access | None]:
    """Return the access options of source and target, each ``None`` if there are none.

    Args:
        app: for warnings and the environment.
        sources: the registries of the source.
        targets: the registries of the target.

    Raises:
        UsageError: options contradict each other, or a side does not have exactly one registry.
    """
    given: Mapping[str, Any] = click.get_current_context().meta.get(_KEY, {})
    if given.get("src_password_stdin") and given.get("dest_password_stdin"):
        raise UsageError(
            "--src-password-stdin and --dest-password-stdin are mutually exclusive",
            hint=f"set the other password in {_variable('src')} or {_variable('dest')}",
        )
    return _access(app, "src", given, sources), _access(app, "dest", given, targets)


def _access(
    app: App, side: str, given: Mapping[str, Any], registries: Iterable[str]
) -> Access | None:
    mine = {key[len(side) + 1 :]: v for key, v in given.items() if key.startswith(f"{side}_")}
    if not mine:
        return None
    found = sorted(set(registries))
    if len(found) != 1:
        option = f"--{side}-{next(iter(mine)).replace('_', '-')}"
        actual = f"{len(found)} registries" if found else "no registry"
        raise UsageError(f"{option} requires one registry: the {_WORDS[side]} has {actual}")
    if "key" in mine and "cert" not in mine:
        raise UsageError(f"--{side}-key requires --{side}-cert")
    return Access(
        found[0],
        _credential(app, side, mine, found[0]),
        ca_file=_path(mine, "ca_file"),
        client_cert=_path(mine, "cert"),
        client_key=_path(mine, "key"),
        insecure=bool(mine.get("insecure")),
    )


def _path(mine: Mapping[str, Any], name: str) -> Path | None:
    return Path(mine[name]) if name in mine else None


def _credential(app: App, side: str, mine: Mapping[str, Any], registry: str) -> Credential | None:
    option = f"--{side}-creds"
    username, colon, secret = str(mine.get("creds", "")).partition(":")
    if not username:
        if mine.get("password_stdin"):
            raise UsageError(f"must provide {option} USER with --{side}-password-stdin")
        if "creds" in mine:
            raise UsageError(f"{option} requires a username")
        return None
    if colon and mine.get("password_stdin"):
        raise UsageError(
            f"a password in {option} and --{side}-password-stdin are mutually exclusive"
        )
    if colon:
        app.warn(f"Using {option} USER:PASS via the CLI is insecure. Use --{side}-password-stdin.")
    else:
        secret = _ask(app, side, username, registry, from_stdin=bool(mine.get("password_stdin")))
    if not secret:
        raise UsageError(f"the password for {option} must not be empty")
    return Credential(username, secret, source=option)


def _ask(app: App, side: str, username: str, registry: str, *, from_stdin: bool) -> str:
    """Read a password from stdin, from the environment or from a prompt."""
    if from_stdin:
        return read_password()
    if kept := app.settings.environ.get(_variable(side)):
        return kept
    if not app.can_prompt:
        raise UsageError(
            f"no password for --{side}-creds: "
            + app.no_prompt_reason("cannot prompt for it: standard input is not a terminal"),
            hint=f"set {_variable(side)}, or use --{side}-password-stdin",
        )
    return str(click.prompt(f"Password for {username} at {registry}", hide_input=True, err=True))
