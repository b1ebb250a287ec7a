"""Options of commands with two sides: a credential, trust and certificates for each.

What belongs here: the options, and asking for passwords. What does not: what a side does with them
(``operations.sides``).
"""

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
    """Add the options of both sides; `accesses` reads them."""
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
            f"User of the {word}'s registry; the password is asked for, or read from "
            f"{_variable(side)}. USER:PASS is visible to others on this machine.",
            metavar="USER[:PASS]",
        ),
        option(
            "password-stdin",
            f"Read the password for --{side}-creds from standard input.",
            is_flag=True,
        ),
        option(
            "insecure",
            f"Accept any certificate of the {word}'s registry, and plain HTTP.",
            is_flag=True,
        ),
        option(
            "ca-file",
            f"PEM certificates to trust for the {word} besides the system's.",
            metavar="FILE",
            type=PATH_OR_DASH,
        ),
        option(
            "cert", f"PEM client certificate for the {word}.", metavar="FILE", type=PATH_OR_DASH
        ),
        option("key", "PEM key of that certificate.", metavar="FILE", type=PATH_OR_DASH),
    ]


def _keep(ctx: click.Context, param: click.Parameter, value: object) -> None:
    if value not in (None, False):
        ctx.meta.setdefault(_KEY, {})[str(param.name)] = value


def _variable(side: str) -> str:
    return f"GHCRCTL_{side.upper()}_PASSWORD"


def accesses(
    app: App, sources: Iterable[str], targets: Iterable[str]
) -> tuple[Access | None, Access | None]:
    """Return what each side was given, in the order source, target; ``None`` for nothing.

    Args:
        app: warns, and knows the environment.
        sources: the registries that the source side talks to.
        targets: those of the target side.

    Raises:
        UsageError: what was given does not fit together, or a side has not one registry.
    """
    given: Mapping[str, Any] = click.get_current_context().meta.get(_KEY, {})
    if given.get("src_password_stdin") and given.get("dest_password_stdin"):
        raise UsageError(
            "--src-password-stdin and --dest-password-stdin are mutually exclusive: standard input "
            "has one password",
            hint=f"the other one may be in {_variable('src')} or {_variable('dest')}",
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
        what = f"the {_WORDS[side]} is no registry" if not found else f"there are {len(found)}"
        raise UsageError(f"{option} is for one registry: {what}")
    if "key" in mine and "cert" not in mine:
        raise UsageError(f"--{side}-key needs --{side}-cert")
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
            raise UsageError(f"{option} needs a user name")
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
    """Get a password: from standard input, the environment, or the person at a terminal."""
    if from_stdin:
        return read_password()
    if kept := app.settings.environ.get(_variable(side)):
        return kept
    if not app.can_ask:
        raise UsageError(
            f"no password for --{side}-creds, and nobody to ask: "
            + app.unasked("standard input is no terminal"),
            hint=f"put it in {_variable(side)}, or use --{side}-password-stdin",
        )
    return str(click.prompt(f"Password of {username} at {registry}", hide_input=True, err=True))
