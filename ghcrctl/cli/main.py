"""The entry point: runs commands and turns errors into messages and exit statuses."""

from __future__ import annotations

import errno
import gc
import itertools
import os
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

import click

from ghcrctl import __version__
from ghcrctl.cli.app import App
from ghcrctl.cli.command_classes import LazyGroup
from ghcrctl.cli.signals import TerminatedError, TimeIsUpError, end_time_limit, handle_sigterm
from ghcrctl.cli.streams import (
    closed_output,
    ensure_std_streams,
    escape_unencodable_text,
    is_closed_pipe,
    redirect_to_devnull,
)
from ghcrctl.errors import (
    ExitStatus,
    GhcrctlError,
    InterruptedByUserError,
    TerminatedBySignalError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "login": ("registries.login", "Log in to a registry"),
    "logout": ("registries.logout", "Log out from a registry"),
    "pull": ("moving.pull", "Pull images from a registry"),
    "push": ("moving.push", "Push images to a registry"),
    "copy": ("moving.copy", "Copy images between registries, archives and local stores"),
    "sync": ("sync", "Mirror the tags of one repository to another"),
    "manifest": ("making.manifest", "Manage image manifests and manifest lists"),
    "tags": ("registries.tags", "List the tags of a repository"),
    "digest": ("registries.digest", "Print the digest of a tag"),
    "exists": ("registries.exists", "Check whether an image exists (exit status only)"),
    "referrers": ("registries.referrers", "Show signatures, attestations and other referrers"),
    "attach": ("making.attach", "Attach files to an image in a registry"),
    "artifact": ("making.artifact", "Push and pull files as artifacts"),
    "packages": ("packages", "Manage container packages on GitHub"),
    "lock": ("locks", "Pin image names to digests in a lock file"),
    "outdated": ("registries.outdated", "List local images that are outdated"),
    "images": ("images.images", "List local images"),
    "inspect": ("images.inspect", "Show details of images"),
    "tag": ("images.tag", "Add names to a local image"),
    "rmi": ("images.rmi", "Remove local images"),
    "history": ("inside.history", "Show the history of an image"),
    "ls": ("inside.ls", "List files in an image"),
    "cat": ("inside.cat", "Print a file from an image"),
    "diff": ("inside.diff", "Compare two images"),
    "export": ("inside.export", "Export an image's files to a tar archive or directory"),
    "save": ("archives.save", "Save images to an archive"),
    "load": ("archives.load", "Load images from an archive"),
    "build": ("making.build", "Build an image from a Dockerfile"),
    "import": ("making.import_", "Create an image from a tar archive of files"),
    "append": ("making.append", "Append files to an image as a new layer"),
    "mutate": ("making.mutate", "Change the config or annotations of an image"),
    "flatten": ("making.flatten", "Squash all layers of an image into one"),
    "rebase": ("making.rebase", "Replace the base image of an image"),
    "convert": ("making.convert", "Convert between Docker and OCI format, or recompress layers"),
    "df": ("store.df", "Show disk usage of the local store"),
    "prune": ("store.prune", "Remove unused local images"),
    "fsck": ("store.fsck", "Check and repair the local store"),
    "serve": ("store.serve", "Serve the local store as a registry"),
    "explain": ("general.explain", "Explain an error code or exit status"),
    "completion": ("general.completion", "Set up shell completion"),
    "info": ("store.info", "Show information about ghcrctl and its store"),
    "version": ("general.version", "Show version information"),
}

# Docker's other names for commands. `ghcrctl --help` does not list them.
ALIASES = {
    "help": ("general.help_", "Show help for a command"),
    "image": ("images.image", "Manage local images"),
    "system": ("store.system", "Manage the local store"),
}

# The sections of the command list, each by its first command.
SECTIONS = {
    "login": "Registries",
    "images": "Local images",
    "ls": "Inside images",
    "save": "Archives",
    "build": "Making images",
    "df": "Local store",
    "explain": "General",
}

# Network errors are translated where they occur; one that arrives here is a bug.
_NETWORK_ERRORS = (ConnectionError, TimeoutError)


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    sections=SECTIONS,
    aliases=ALIASES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-v", "--version", message="%(prog)s %(version)s")
def cli() -> None:
    """A Docker-style CLI for GitHub Container Registry and any OCI registry.

    No Docker required. Names without a registry refer to ghcr.io, so OWNER/IMAGE is
    ghcr.io/OWNER/IMAGE.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program and exit with its status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    ensure_std_streams()
    if given[:1] == ["__complete"] and given[1:]:
        from ghcrctl.cli.completion.shells import print_candidates

        print_candidates(cli, given[1], given[2:])
    # Runs are short and create few cycles. Garbage collection would take a third of the time of a
    # listing.
    gc.set_threshold(100_000)
    escape_unencodable_text()
    app = App(as_json=_wants_json(given))
    handle_sigterm()
    try:
        status = _run(app, arguments)
    finally:
        app.close()
    try:
        sys.stdout.flush()
    except OSError as error:
        status = _broken_pipe() if is_closed_pipe(error) else status or _failed(app, error)
        redirect_to_devnull(sys.stdout)
    if status and threading.active_count() > 1:
        # Threads may still wait for an unresponsive host. Their writes are atomic, so stop them.
        from ghcrctl.disk.unfinished_files import discard_unfinished

        sys.stderr.flush()
        discard_unfinished()
        os._exit(status)
    sys.exit(status)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Return whether to report errors as JSON, before the command line is parsed."""
    if {"--format=json", "--progress=json"} & set(arguments):
        return True
    wanted = {("--format", "json"), ("--progress", "json")}
    return any(pair in wanted for pair in itertools.pairwise(arguments))


def _run(app: App, arguments: Sequence[str] | None) -> int:
    try:
        status = _invoke(app, arguments)
    except (BrokenPipeError, SystemExit):
        # click raises SystemExit only if its output was closed.
        return _broken_pipe()
    except TimeIsUpError as over:
        return app.report(over.reason)
    except TerminatedError:
        return _ended(app, TerminatedBySignalError)
    except (KeyboardInterrupt, click.Abort, InterruptedByUserError):
        return _ended(app, InterruptedByUserError)
    except Exception as error:  # noqa: BLE001 the boundary: users never see a traceback
        return _failed(app, error)
    # Outside standalone mode, click returns the status of a command that exits early.
    return status if isinstance(status, int) else ExitStatus.SUCCESS


def _invoke(app: App, arguments: Sequence[str] | None) -> object:
    """Run the command. The time limit covers only the command."""
    try:
        return cli.main(
            args=None if arguments is None else list(arguments),
            prog_name="ghcrctl",
            standalone_mode=False,
            obj=app,
        )
    finally:
        end_time_limit()


def _ended(app: App, how: type[GhcrctlError]) -> int:
    if app.as_json:
        app.failure(how.code, how.code, None, how.exit_status)
    else:
        app.error_line(f"\n{how.code}")
    return how.exit_status


def _failed(app: App, error: Exception) -> int:
    if isinstance(error, click.ClickException):
        return _usage(app, error)
    if isinstance(error, GhcrctlError):
        return app.report(error)
    from ghcrctl.content.exhausted_resources import exhausted

    if scarce := exhausted(error):
        return app.report(scarce)
    if isinstance(error, OSError) and error.errno and not isinstance(error, _NETWORK_ERRORS):
        if error.filename is None and is_closed_pipe(error):
            return _broken_pipe()
        return app.report(_disk_error(error))
    return _bug(app, error)


def _disk_error(error: OSError) -> GhcrctlError:
    """Translate an OSError without context."""
    from ghcrctl.store.disk_errors import disk_errors

    try:
        # Only a closed standard stream causes EBADF.
        action = "write to standard output" if error.errno == errno.EBADF else "continue"
        with disk_errors(f"use {error.filename}" if error.filename else action):
            raise closed_output(error)
    except GhcrctlError as translated:
        return translated


def _usage(app: App, error: click.ClickException) -> int:
    from ghcrctl.cli.usage_errors import usage_error

    message, hint = usage_error(error)
    app.failure(UsageError.code, message, hint, ExitStatus.USAGE)
    return ExitStatus.USAGE


def _bug(app: App, error: Exception) -> int:
    from ghcrctl.content.redaction import redact

    message = f"unexpected {type(error).__name__}: {redact(str(error))}"
    hint = "this is a bug in ghcrctl; run the command again with --debug and report the output"
    is_debugging = app.is_debugging
    app.failure(GhcrctlError.code, message, None if is_debugging else hint, ExitStatus.BUG)
    if is_debugging:
        app.show_traceback(error)
    return ExitStatus.BUG


def _broken_pipe() -> int:
    """Exit quietly, as other programs do when the reader closes the pipe."""
    redirect_to_devnull(sys.stdout)
    return ExitStatus.BROKEN_PIPE
