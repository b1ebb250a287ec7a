"""``ghcrctl completion``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.completion.shells import SCRIPTS, script
from ghcrctl.cli.format.documents import Documents
from ghcrctl.cli.options import Command, format_option, pass_app

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.app import App

_HELP = """Print the script by which a shell completes ghcrctl's commands, options and values.

Local images, tags at the registry (behind the colon of `pull OWNER/IMAGE:`), owners, platforms,
files and error codes are completed too. A registry is asked for at most 1.5 seconds, its answer is
remembered for 5 minutes; neither the keyring nor a helper program is asked for a credential.

\b
bash:        source <(ghcrctl completion bash)          in ~/.bashrc
zsh:         source <(ghcrctl completion zsh)           in ~/.zshrc, after compinit
fish:        ghcrctl completion fish | source           in ~/.config/fish/config.fish
PowerShell:  ghcrctl completion powershell | Out-String | Invoke-Expression     in $PROFILE

--install writes the script once to where the shell looks for it, and says what else there is to
do. bash then needs the package bash-completion. After an update of ghcrctl do it again.
"""


@click.command(
    cls=Command,
    needs_settings=False,
    help=_HELP,
    short_help="Let a shell complete what is typed",
    examples="""
    ghcrctl completion --install fish
    ghcrctl completion bash
    """,
)
@click.argument("shell", type=click.Choice(list(SCRIPTS)))
@click.option("--install", is_flag=True, help="Write it to where the shell looks for it.")
@format_option
@pass_app
def command(app: App, *, shell: str, install: bool, format_: str | None) -> None:
    """Print a shell's script, or install it."""
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
    """Return where a shell looks for a person's scripts, and what the person has to do then.

    Sources: bash-completion's README, "Where should I install my own local completions?"; fish's
    documentation, "Where to put completions"; zsh's, "Autoloading Functions".
    """
    data = Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    if shell == "bash":
        given = environ.get("BASH_COMPLETION_USER_DIR")
        folder = Path(given) if given else data / "bash-completion"
        return folder / "completions" / "ghcrctl", "open a new shell; it needs bash-completion"
    if shell == "zsh":
        folder = data / "zsh" / "site-functions"
        return folder / SCRIPTS[shell], (
            f"put `fpath=({folder} $fpath)` into ~/.zshrc before `compinit`, and open a new shell"
        )
    if shell == "fish":
        return config / "fish" / "completions" / SCRIPTS[shell], "it works at once"
    folder = home / "Documents" / "PowerShell" if os.name == "nt" else config / "powershell"
    return folder / SCRIPTS[shell], f"put `. '{folder / SCRIPTS[shell]}'` into $PROFILE"
