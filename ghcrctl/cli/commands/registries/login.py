"""``ghcrctl login``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.options import format_option, pass_app, registry_options
from ghcrctl.cli.password import read_password
from ghcrctl.cli.results import Results
from ghcrctl.errors import UsageError

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    echo $CR_PAT | ghcrctl login -u USERNAME --password-stdin
    ghcrctl login ghcr.io
    gh auth token | ghcrctl login -u USERNAME --password-stdin
    """,
)
@click.argument("server", default="ghcr.io")
@click.option("-u", "--username", help="Username. On ghcr.io, your GitHub login.")
@click.option("-p", "--password", help="Password or token. Visible to other local users.")
@click.option("--password-stdin", is_flag=True, help="Take the password or token from stdin.")
@format_option
@registry_options
@pass_app
def command(
    app: App,
    *,
    server: str,
    username: str | None,
    password: str | None,
    password_stdin: bool,
    format_: str | None,
) -> None:
    """Log in to a registry.

    Defaults to ghcr.io if no server is specified. The credential is verified with the registry,
    then stored with Docker's credential helper, in the system keyring, or in a file that only you
    can read.
    """
    from ghcrctl.operations.registries.login import login, registry_name

    results = Results(app, format_)
    registry = registry_name(server)
    if password is not None:
        if password_stdin:
            raise UsageError("--password and --password-stdin are mutually exclusive")
        app.warn("Using --password via the CLI is insecure. Use --password-stdin.")
    if password_stdin and not username:
        raise UsageError("must provide --username with --password-stdin")
    # Report a blocked registry before prompting for a password.
    app.settings.routes.find_host(registry)
    username, secret = _credential(app, registry, username, password, from_stdin=password_stdin)
    with app.session() as session:
        result = login(session, registry, username, secret)
    for warning in result.warnings:
        app.warn(warning)
    results.out("Login Succeeded")
    results.add({"Registry": registry, "Username": username, "Place": result.place})
    results.end(single=True)


def _credential(
    app: App, registry: str, username: str | None, password: str | None, *, from_stdin: bool
) -> tuple[str, str]:
    """Read a missing user name or password from stdin or from a prompt."""
    if from_stdin:
        password = _read_secret()
    elif (username is None or password is None) and not app.can_prompt:
        raise UsageError(
            app.no_prompt_reason("cannot prompt for a password: standard input is not a terminal"),
            hint=f"echo $TOKEN | ghcrctl login {registry} -u USERNAME --password-stdin",
        )
    if username is None:
        username = str(click.prompt("Username", err=True))
    if password is None:
        password = str(click.prompt("Password", hide_input=True, err=True))
    if not username or not password:
        raise UsageError("username and password must not be empty")
    return username, password


def _read_secret() -> str:
    secret = read_password()
    if not secret:
        raise UsageError(
            "standard input is empty",
            hint="check that the variable with the token is set",
        )
    return secret
