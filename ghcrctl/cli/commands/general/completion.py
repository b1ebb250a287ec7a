"""``ghcrctl completion``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.completion.shells import SCRIPTS, script
from ghcrctl.cli.format.documents import Documents
from ghcrctl.cli.options import format_option, pass_app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App

_HELP = """Print the completion script for a shell.

Completes commands, options, local images, tags at the registry (after the colon of `pull
OWNER/IMAGE:`), owners, platforms, files and error codes. Requests to a registry take at most 1.5
seconds, and responses are cached for 5 minutes. Completion never opens the keyring or runs a
credential helper.

\b
bash:        source <(ghcrctl completion bash)          in ~/.bashrc
zsh:         source <(ghcrctl completion zsh)           in ~/.zshrc, after compinit
fish:        ghcrctl completion fish | source           in ~/.config/fish/config.fish
PowerShell:  ghcrctl completion powershell | Out-String | Invoke-Expression     in $PROFILE

--install writes the script to the folder where the shell looks for it and prints the next step.
bash needs the bash-completion package. Run it again after updating ghcrctl.
"""


@click.command(
    cls=Command,
    needs_settings=False,
    help=_HELP,
    examples="""
    ghcrctl completion --install fish
    ghcrctl completion bash
    """,
)
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
@click.option(
    "--install", is_flag=True, help="Install the script in the shell's completion folder."
)
@format_option
@pass_app
def command(app: App, *, shell: str, install: bool, format_: str | None) -> None:
    """Print or install the completion script for a shell."""
    from ghcrctl.disk.durability import make_directories, write_atomically
    from ghcrctl.store.disk_errors import disk_errors

    documents = Documents(format_)
    path, step = _place(shell, app.settings.environ, app.settings.home)
    if install:
        with disk_errors(f"write {path}"):
            make_directories(path.parent)
            write_atomically(path, script(shell).encode())
    if documents:
        written = str(path) if install else None
        app.write(documents.one({"Shell": shell, "Path": written, "Script": script(shell)}))
    elif install:
        app.out(str(path))
        app.error_line(f"hint: {step}")
    else:
        app.write(script(shell))


def _place(shell: str, environ: Mapping[str, str], home: Path) -> tuple[Path, str]:
    """Return the path of the user's completion script and the next step after writing it.

    See "Where should I install my own local completions?" in the README of bash-completion, "Where
    to put completions" in the documentation of fish, and "Autoloading Functions" in that of zsh.
    """
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    if shell == "bash":
        given = environ.get("BASH_COMPLETION_USER_DIR")
        folder = Path(given) if given else data / "bash-completion"
        return (
            folder / "completions" / "ghcrctl",
            "open a new shell (requires the bash-completion package)",
        )
    if shell == "zsh":
        folder = data / "zsh" / "site-functions"
        return folder / SCRIPTS[shell], (
            f"add `fpath=({folder} $fpath)` to ~/.zshrc before `compinit`, and open a new shell"
        )
    if shell == "fish":
        return config / "fish" / "completions" / SCRIPTS[
            shell
        ], "completion is active in every new shell"
    folder = home / "Documents" / "PowerShell" if os.name == "nt" else config / "powershell"
    return folder / SCRIPTS[shell], f"add `. '{folder / SCRIPTS[shell]}'` to $PROFILE"
