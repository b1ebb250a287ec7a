"""The entry point: the group of all commands, and where errors become words and exit statuses."""

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
from ghcrctl.cli.options import LazyGroup
from ghcrctl.cli.signals import TerminatedError, TimeIsUpError, end_time_limit, obey_sigterm
from ghcrctl.cli.streams import (
    be_there,
    closed_output,
    go_nowhere,
    is_closed_pipe,
    take_any_text,
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
    "login": ("registries.login", "Sign in to a registry"),
    "logout": ("registries.logout", "Sign out of a registry"),
    "pull": ("moving.pull", "Bring images from a registry"),
    "push": ("moving.push", "Send images to a registry"),
    "copy": ("moving.copy", "Copy images from any place to any other"),
    "sync": ("sync", "Make the tags of a repository be those of another one"),
    "manifest": ("making.manifest", "Look at manifests, and make and change indexes"),
    "tags": ("registries.tags", "List the tags of a repository"),
    "digest": ("registries.digest", "Print what a tag stands for"),
    "exists": ("registries.exists", "Tell by the exit status whether an image is there"),
    "referrers": ("registries.referrers", "Show what signs, attests or describes an image"),
    "attach": ("making.attach", "Attach files to an image in a registry"),
    "artifact": ("making.artifact", "Push and pull plain files"),
    "packages": ("packages", "Look after packages on GitHub: see, prune, restore"),
    "lock": ("locks", "Pin the image names of a project in a file"),
    "outdated": ("registries.outdated", "Show which local images have moved on at their registry"),
    "images": ("images.images", "List local images"),
    "inspect": ("images.inspect", "Describe images in detail"),
    "tag": ("images.tag", "Give a local image further names"),
    "rmi": ("images.rmi", "Remove local images"),
    "history": ("inside.history", "Show how an image came to be"),
    "ls": ("inside.ls", "List the files in an image"),
    "cat": ("inside.cat", "Print a file of an image"),
    "diff": ("inside.diff", "Compare two images"),
    "export": ("inside.export", "Write an image's files as one archive, or into a directory"),
    "save": ("archives.save", "Save images to an archive"),
    "load": ("archives.load", "Load images from an archive"),
    "build": ("making.build", "Build an image from a Dockerfile"),
    "import": ("making.import_", "Make an image of a file tree in a tar archive"),
    "append": ("making.append", "Make an image of another one and further files"),
    "mutate": ("making.mutate", "Make an image of another one with a changed config"),
    "flatten": ("making.flatten", "Make the layers of an image one"),
    "rebase": ("making.rebase", "Put an image on a newer base without building it again"),
    "convert": ("making.convert", "Give an image the other format, or pack its layers otherwise"),
    "df": ("store.df", "Show what the local store takes"),
    "prune": ("store.prune", "Remove local images that are not wanted any more"),
    "fsck": ("store.fsck", "Check the local store, and repair it"),
    "serve": ("store.serve", "Serve the local images as a registry"),
    "explain": ("general.explain", "Explain an error code or an exit status"),
    "completion": ("general.completion", "Let a shell complete what is typed"),
    "info": ("store.info", "Show information about ghcrctl and its store"),
    "version": ("general.version", "Show versions"),
}

# Docker's other names, which the list of commands leaves out.
ALIASES = {
    "help": ("general.help_", "Show help for a command"),
    "image": ("images.image", "Manage local images with docker's command names"),
    "system": ("store.system", "Manage the local store with docker's command names"),
}

# How the list of commands is divided: by where a section begins.
SECTIONS = {
    "login": "Registries",
    "images": "Local images",
    "ls": "Inside images",
    "save": "Archives",
    "build": "Making images",
    "df": "The local store",
    "explain": "Help",
}

# Errors of the system that tell of another host, which nothing but a mistake of ours lets through.
_OF_HOSTS = (ConnectionError, TimeoutError)


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    sections=SECTIONS,
    aliases=ALIASES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-v", "--version", message="%(prog)s %(version)s")
def cli() -> None:
    """Work with images on ghcr.io and every other container registry, without a Docker daemon.

    A name without a registry belongs to ghcr.io: OWNER/IMAGE is ghcr.io/OWNER/IMAGE.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the program and leave with its exit status."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    be_there()
    if given[:1] == ["__complete"] and given[1:]:
        from ghcrctl.cli.completion.shells import answer

        answer(cli, given[1], given[2:])
    # A run is short and makes few cycles; looking for them costs lists a third of their time.
    gc.set_threshold(100_000)
    take_any_text()
    app = App(as_json=_wants_json(given))
    obey_sigterm()
    try:
        status = _run(app, arguments)
    finally:
        app.close()
    try:
        sys.stdout.flush()
    except OSError as error:
        status = _broken_pipe() if is_closed_pipe(error) else status or _failed(app, error)
        go_nowhere(sys.stdout)
    if status and threading.active_count() > 1:
        # Threads may still wait for a silent host; what they do is not visible until it is whole.
        from ghcrctl.disk.unfinished_files import discard_unfinished

        sys.stderr.flush()
        discard_unfinished()
        os._exit(status)
    sys.exit(status)


def _wants_json(arguments: Sequence[str]) -> bool:
    """Tell whether errors are wanted as JSON, before the command line is understood."""
    if {"--format=json", "--progress=json"} & set(arguments):
        return True
    wanted = {("--format", "json"), ("--progress", "json")}
    return any(pair in wanted for pair in itertools.pairwise(arguments))


def _run(app: App, arguments: Sequence[str] | None) -> int:
    try:
        status = _invoke(app, arguments)
    except (BrokenPipeError, SystemExit):
        # The library itself leaves so when its output is gone, and in no other case.
        return _broken_pipe()
    except TimeIsUpError as over:
        return app.report(over.reason)
    except TerminatedError:
        return _ended(app, TerminatedBySignalError)
    except (KeyboardInterrupt, click.Abort, InterruptedByUserError):
        return _ended(app, InterruptedByUserError)
    except Exception as error:  # noqa: BLE001 the boundary: nobody is to see a traceback
        return _failed(app, error)
    # A command that leaves early with a status of its own has it returned here.
    return status if isinstance(status, int) else ExitStatus.SUCCESS


def _invoke(app: App, arguments: Sequence[str] | None) -> object:
    """Run the command; a time limit is for the command alone."""
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
    if isinstance(error, OSError) and error.errno and not isinstance(error, _OF_HOSTS):
        if error.filename is None and is_closed_pipe(error):
            return _broken_pipe()
        return app.report(_of_the_disk(error))
    return _bug(app, error)


def _of_the_disk(error: OSError) -> GhcrctlError:
    """Translate an OSError without context."""
    from ghcrctl.store.disk_errors import disk_errors

    try:
        # Only a closed standard stream causes EBADF.
        what = "write to standard output" if error.errno == errno.EBADF else "continue"
        with disk_errors(f"use {error.filename}" if error.filename else what):
            raise closed_output(error)
    except GhcrctlError as told:
        return told


def _usage(app: App, error: click.ClickException) -> int:
    from ghcrctl.cli.usage_errors import usage_error

    message, hint = usage_error(error)
    app.failure(UsageError.code, message, hint, ExitStatus.USAGE)
    return ExitStatus.USAGE


def _bug(app: App, error: Exception) -> int:
    from ghcrctl.content.redaction import redact

    message = f"unexpected {type(error).__name__}: {redact(str(error))}"
    hint = "this is a bug in ghcrctl; run it again with --debug and report what it shows"
    is_debugging = app.is_debugging
    app.failure(GhcrctlError.code, message, None if is_debugging else hint, ExitStatus.BUG)
    if is_debugging:
        app.show_traceback(error)
    return ExitStatus.BUG


def _broken_pipe() -> int:
    """Leave as other programs do when nobody reads their output any more: quietly."""
    go_nowhere(sys.stdout)
    return ExitStatus.BROKEN_PIPE
