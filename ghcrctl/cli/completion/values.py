"""Completion candidates for the values of options and arguments.

The kind of value follows from its name in the help, such as ``NAME|ID`` or ``OS/ARCH``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ghcrctl.cli.app import App
from ghcrctl.oci.reference import DOCKER_HUB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Found = Iterable[CompletionItem]
    Complete = Callable[[click.Context, str], Found]

_PLATFORMS = (
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "linux/arm/v6",
    "linux/386",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
    "windows/amd64",
)
_SCHEMES = ("archive:", "docker-daemon:", "oci:", "store:")
# Commands whose NAME is at a registry.
_REMOTE = {
    "artifact pull",
    "artifact push",
    "attach",
    "digest",
    "exists",
    "lock add",
    "manifest inspect",
    "pull",
    "referrers",
    "tags",
}
# A registry may return a tag such as `$(command)`, and bash inserts candidates without quoting.
# Therefore only offer candidates of these characters, which no shell expands. Valid names and tags
# have no others.
_HARMLESS = re.compile(r"[\w.:/@+=,-]*\Z", re.ASCII)
# Shorter prefixes only complete names.
_MIN_ID_DIGITS = 2


def candidates(
    context: click.Context, target: click.Command | click.Parameter, word: str
) -> list[CompletionItem]:
    """Return the candidates for a word.

    Args:
        context: the command line before the word.
        target: the parameter that the word is a value of, or a command for its options and
            subcommands.
        word: the incomplete word.
    """
    found = target.shell_complete(context, word)
    if found or isinstance(target, click.Command):
        return found
    complete = _completer(context, target)
    return [item for item in complete(context, word) if _fits(item, word)]


def _fits(item: CompletionItem, word: str) -> bool:
    if item.type != "plain":
        return True
    return item.value.startswith(word) and bool(_HARMLESS.match(item.value))


def _completer(context: click.Context, param: click.Parameter) -> Complete:
    """Return the source of candidates for a parameter, by its name in the help."""
    called = str(param.metavar or param.name or "").replace("...", "")
    path = _path(context)
    if "|" in called and called.replace("|", "").islower():
        return _some(called.split("|"))
    if path.startswith("lock ") and path not in _REMOTE and "NAME" in called:
        return _pinned
    for words, complete in _BY_WORDS:
        if any(word in called for word in words):
            return complete
    if called.strip("[]").startswith(("NAME[:", "NAME")) and path in _REMOTE:
        return _remote
    return _BY_NAME.get(
        called.strip("[]"), _local if called.strip("[]").startswith("NAME[:") else _none
    )


def _path(context: click.Context) -> str:
    """Return the name of the command, without ``ghcrctl`` and docker's group ``image``."""
    path = context.command_path.partition(" ")[2]
    return path.removeprefix("image ")


def _some(values: Iterable[object]) -> Complete:
    return lambda _context, _word: [CompletionItem(str(value)) for value in values]


def _none(_context: click.Context, _word: str) -> Found:
    return ()


def _files(_context: click.Context, _word: str) -> Found:
    return (CompletionItem("", type="file"),)


def _folders(_context: click.Context, _word: str) -> Found:
    return (CompletionItem("", type="dir"),)


def _codes(_context: click.Context, _word: str) -> Iterator[CompletionItem]:
    from ghcrctl.cli.explanations import explain_code, explain_status, statuses_by_code
    from ghcrctl.errors import ExitStatus

    for code in statuses_by_code():
        yield CompletionItem(code, help=explain_code(code).meaning)
    for status in ExitStatus:
        yield CompletionItem(str(status.value), help=explain_status(status).meaning)


def _named(context: click.Context) -> dict[str, str]:
    """Return the names of local images with their IDs."""
    from ghcrctl.store.store import Store

    settings = context.ensure_object(App).settings
    store = Store(settings.store_dir, prefer=settings.preferred_platform)
    return {row.name: row.image_id.encoded[:12] for row in store.listing() if row.name}


def _short(context: click.Context, name: str, word: str) -> str:
    """Return a name without the default registry, unless the word starts with it."""
    shown = _familiar(context, name)
    return name if word and not shown.startswith(word) else shown


def _familiar(context: click.Context, name: str) -> str:
    """Return a name without the default registry, and for Docker Hub without `library/`."""
    registry = context.ensure_object(App).settings.get("default_registry")
    short = name.removeprefix(f"{registry}/")
    return short.removeprefix("library/") if short != name and registry == DOCKER_HUB else short


def _local(context: click.Context, word: str) -> Iterator[CompletionItem]:
    """Yield names of local images, or remote names if ``--remote`` is given."""
    if context.params.get("remote") or context.params.get("is_remote"):
        yield from _remote(context, word)
        return
    for name in sorted(_named(context)):
        yield CompletionItem(_short(context, name, word))


def _local_or_id(context: click.Context, word: str) -> Iterator[CompletionItem]:
    yield from _local(context, word)
    if len(word) >= _MIN_ID_DIGITS:
        for name, image_id in sorted(_named(context).items()):
            yield CompletionItem(image_id, help=name)


def _remote(context: click.Context, word: str) -> Iterator[CompletionItem]:
    """Yield known repositories, or after a colon the tags at the registry."""
    repository, colon, rest = word.rpartition(":")
    if colon and "/" not in rest and "@" not in word:
        yield from (CompletionItem(f"{repository}:{tag}") for tag in _tags(context, repository))
        return
    end = "" if _path(context) == "tags" else ":"
    for name in _repositories(context):
        yield CompletionItem(f"{_short(context, name, word)}{end}")


def _repositories(context: click.Context) -> list[str]:
    """Return the repositories of local images."""
    names = {name.partition("@")[0] for name in _named(context)}
    known = {name[: name.rfind(":")] if ":" in name.rpartition("/")[2] else name for name in names}
    return sorted(name for name in known if "/" in name)


def _tags(context: click.Context, repository: str) -> list[str]:
    from ghcrctl.operations.registries.cached_tags import cached_tags

    return cached_tags(context.ensure_object(App).settings, repository)


def _pinned(context: click.Context, word: str) -> Iterator[CompletionItem]:
    """Yield the names in the lock file."""
    from pathlib import Path

    from ghcrctl.errors import GhcrctlError
    from ghcrctl.operations.locks.lock_file import read_pins

    try:
        pins = read_pins(Path(context.params.get("file") or "images.lock"))
    except GhcrctlError:
        return
    for name in pins:
        yield CompletionItem(_short(context, str(name), word))


def _local_or_remote(context: click.Context, word: str) -> Iterator[CompletionItem]:
    """Yield local images, or remote names if no local image matches."""
    found = [item for item in _local(context, word) if item.value.startswith(word)]
    yield from found or _remote(context, word)


def _endpoints(context: click.Context, word: str) -> Iterator[CompletionItem]:
    scheme, colon, _ = word.partition(":")
    if colon and f"{scheme}:" in _SCHEMES:
        if scheme == "store":
            yield from (CompletionItem(f"store:{i.value}") for i in _local(context, word[6:]))
        return
    yield from _remote(context, word)
    yield from (CompletionItem(name) for name in _SCHEMES)


def _packages(context: click.Context, word: str) -> Iterator[CompletionItem]:
    """Yield packages of local images, or after a colon their tags."""
    if ":" in word.rpartition("/")[2]:
        yield from _remote(context, word)
        return
    for name in _default_registry_names(context):
        yield CompletionItem(name)


def _owners(context: click.Context, _word: str) -> Iterator[CompletionItem]:
    """Yield the owners of local images and the current user."""
    settings = context.ensure_object(App).settings
    given = (settings.environ.get(name) for name in ("GHCRCTL_USERNAME", "GITHUB_REPOSITORY_OWNER"))
    owners = {
        name.partition("/")[0] for name in _default_registry_names(context) if "/" in name
    } | set(filter(None, given))
    yield from map(CompletionItem, sorted(owners))


def _default_registry_names(context: click.Context) -> list[str]:
    known = [(name, _familiar(context, name)) for name in _repositories(context)]
    return [short for name, short in known if short != name]


def _registries(context: click.Context, _word: str) -> Iterator[CompletionItem]:
    """Yield the registries of local images and those with a stored login."""
    import json

    settings = context.ensure_object(App).settings
    known = {name.partition("/")[0] for name in _repositories(context)} | {"ghcr.io", "docker.io"}
    try:
        data: Any = json.loads((settings.config_dir / "auth.json").read_bytes())
        known |= {str(key) for key in data["auths"]}
    except (OSError, ValueError, KeyError, TypeError):
        pass
    yield from map(CompletionItem, sorted(known))


# The sources of candidates, by a part of the value's name in the help. The first match wins.
_BY_WORDS: tuple[tuple[tuple[str, ...], Complete], ...] = (
    (("OS/ARCH", "PLATFORM|"), _some(_PLATFORMS)),
    (("CODE|STATUS",), _codes),
    (("OWNER/IMAGE",), _packages),
    (("NAME|ID", "TAG|@DIGEST]|ID"), _local_or_id),
    (("FILE", "ARCHIVE", "DIR|"), _files),
)
_BY_NAME: dict[str, Complete] = {
    "A": _local_or_remote,
    "B": _local_or_remote,
    "DIR": _folders,
    "FORMAT": _some(["json"]),
    "IMAGE": _local_or_remote,
    "INDEX": _local_or_remote,
    "OWNER": _owners,
    "SOURCE": _endpoints,
    "TARGET": _endpoints,
    "owner": _owners,
    "server": _registries,
}
