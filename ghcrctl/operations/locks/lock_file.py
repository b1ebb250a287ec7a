"""The lock file of a project: which image each of its names stands for.

What belongs here: its form, which is read strictly and written in one way only, and being alone at
it. What does not: asking registries (``lock``).
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghcrctl.errors import GhcrctlError, NotFoundError, UsageError
from ghcrctl.oci.descriptor import MAX_SIZE
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform
from ghcrctl.oci.quoting import shortened
from ghcrctl.oci.reference import Reference, is_tag
from ghcrctl.operations.common.rule_file import (
    as_mapping,
    as_text,
    as_texts,
    check_keys,
    read_limited,
)
from ghcrctl.settings import read_toml
from ghcrctl.store.locks import alone_at
from ghcrctl.store.output_files import check_output_directory, check_output_file, whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

VERSION = 1
_HEADER = """\
# What the image names of this project stand for: written by `ghcrctl lock`, for version control.
# Change it with `ghcrctl lock add`, `update` and `remove`; `ghcrctl lock pull` brings the images.
"""
# Bytes: some thousand images of ten platforms.
_LARGEST = 4 * 1024 * 1024
# Seconds that another process may take for writing the file.
_PATIENCE = 60.0
_TOP_KEYS = ("version", "image")
_KEYS = ("name", "tag", "digest", "only", "platforms")
_PLATFORM_KEYS = ("platform", "digest", "size")
_STRING_OR_COMMENT = re.compile(rb"""\"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|\#[^\n]*""")
_CONFLICT = re.compile(rb"^(?:<{7}|>{7}) ", re.MULTILINE)
_OS_VERSION = re.compile(r"[A-Za-z0-9_.+-]*\Z")


@dataclass(frozen=True, slots=True)
class PinnedPlatform:
    """A platform of a pinned image.

    Args:
        platform: it.
        digest: of its manifest.
        size: bytes of all that it needs, as they are stored and moved.
    """

    platform: Platform
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Pin:
    """What a name stands for.

    Args:
        name: the full name, with its tag and without a digest.
        digest: what the repository knows the image by.
        platforms: those that it is for, of which only some may be wanted; none of an artifact.
        only: the platforms that are wanted, where not all are.
    """

    name: Reference
    digest: Digest
    platforms: tuple[PinnedPlatform, ...] = ()
    only: tuple[Platform, ...] = ()

    @property
    def reference(self) -> Reference:
        """The name by digest: what can be pulled."""
        return self.name.with_digest(self.digest)


def read_platform(text: str) -> Platform:
    """Read a platform as the file has it, with no character that means anything there.

    Raises:
        UsageError: it is none.
    """
    platform = Platform.parse(text, known=False)
    if not _OS_VERSION.match(platform.os_version):
        raise UsageError(f"`{shortened(text)}` is no platform")
    return platform


def read_pins(path: Path) -> dict[Reference, Pin]:
    """Read a file.

    Returns:
        What it pins, by name.

    Raises:
        NotFoundError: there is no such file.
        UsageError: it is malformed, or of a version that nobody knows.
    """
    if not os.path.exists(path):  # noqa: PTH110 a name that is too long is none
        raise NotFoundError(
            f"no such file: {path}", hint="`ghcrctl lock add NAME` begins one; --file names another"
        )
    return parse_pins(read_limited(path, _LARGEST), path)


def parse_pins(raw: bytes, path: Path) -> dict[Reference, Pin]:
    """Read the text of a file. ``path``: names it in errors.

    Raises:
        UsageError: it is malformed, or of a version that nobody knows.
    """
    _check_shape(raw, path)
    data = as_mapping(read_toml(raw, path), str(path))
    _check_version(data.get("version"), path)
    check_keys(data, _TOP_KEYS, str(path))
    entries = data.get("image", [])
    if not isinstance(entries, list):
        raise UsageError(f"{path}: `image` is no list of tables")
    pins: dict[Reference, Pin] = {}
    for number, entry in enumerate(entries, 1):
        pin = _at(f"{path}: image {number}", _pin, entry)
        if pin.name in pins:
            raise UsageError(f"{path} pins {pin.name} twice", hint="remove one of the two")
        pins[pin.name] = pin
    return pins


def _check_shape(raw: bytes, path: Path) -> None:
    """Refuse what would take more time than any lock file needs: keys of very many parts."""
    if _CONFLICT.search(raw):
        raise UsageError(
            f"{path} has the marks of a merge that conflicted",
            hint="keep both sides and take the marks away; then `ghcrctl lock add` what is missing",
        )
    if b"'''" in raw or b'"""' in raw or b"." in _STRING_OR_COMMENT.sub(b"", raw):
        raise UsageError(
            f"{path} is no lock file, or is cut off: it has keys with dots, numbers with fractions "
            "or texts of several lines, or without an end"
        )


def _check_version(version: object, path: Path) -> None:
    if version is None:
        raise UsageError(f"{path} is no lock file: it has no `version`")
    if version != VERSION or isinstance(version, bool):
        raise UsageError(
            f"{path} is of version {shortened(str(version))}; this ghcrctl reads version {VERSION}",
            hint="a newer ghcrctl wrote it: install that one",
        )


def _at(where: str, read: Callable[[Mapping[str, Any], str], Any], data: object) -> Any:
    """Read a table; an error says where it was."""
    try:
        return read(as_mapping(data, where), where)
    except GhcrctlError as error:
        if where not in error.message:
            error.message = f"{where}: {error.message}"
        raise


def _pin(data: Mapping[str, Any], where: str) -> Pin:
    check_keys(data, _KEYS, where)
    name, tag = as_text(data, "name", where), as_text(data, "tag", where)
    reference = Reference.parse(name, default_registry="")
    if reference.is_local or reference.tag or reference.digest:
        raise UsageError(f"{where}: `{shortened(name)}` is no full name of a repository")
    if not is_tag(tag):
        raise UsageError(f"{where}: invalid tag `{shortened(tag)}`")
    platforms = data.get("platforms", [])
    if not isinstance(platforms, list):
        raise UsageError(f"{where}: `platforms` is no list of tables")
    return Pin(
        reference.with_tag(tag),
        Digest.parse(as_text(data, "digest", where)),
        tuple(
            _at(f"{where}: platform {number}", _platform, one)
            for number, one in enumerate(platforms, 1)
        ),
        tuple(map(read_platform, as_texts(data, "only", where))),
    )


def _platform(data: Mapping[str, Any], where: str) -> PinnedPlatform:
    check_keys(data, _PLATFORM_KEYS, where)
    size = data.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_SIZE:
        raise UsageError(f"{where} has no `size` in bytes")
    return PinnedPlatform(
        read_platform(as_text(data, "platform", where)),
        Digest.parse(as_text(data, "digest", where)),
        size,
    )


def format_pins(pins: Iterable[Pin]) -> bytes:
    """Write the text of a file: in the order of names, always the same for the same pins."""
    ordered = sorted(pins, key=lambda pin: (pin.name.name, pin.name.tag or ""))
    head = f"{_HEADER}version = {VERSION}\n"
    return "\n".join([head, *map(_table, ordered)]).encode()


def _table(pin: Pin) -> str:
    lines = [
        "[[image]]",
        f"name = {_quoted(pin.name.name)}",
        f"tag = {_quoted(pin.name.tag)}",
        f"digest = {_quoted(pin.digest)}",
    ]
    if pin.only:
        lines.append(f"only = [{', '.join(_quoted(p.with_features) for p in pin.only)}]")
    if pin.platforms:
        # A line each, so that a difference shows which of them changed.
        lines += ["platforms = [", *map(_line, pin.platforms), "]"]
    return "\n".join(lines) + "\n"


def _line(one: PinnedPlatform) -> str:
    platform, digest = _quoted(one.platform.with_features), _quoted(one.digest)
    return f"    {{ platform = {platform}, digest = {digest}, size = {one.size} }},"


def _quoted(value: object) -> str:
    """Write a text; all that stand in the file are plain ASCII, where JSON and TOML agree."""
    return json.dumps(str(value))


def check_lock_path(path: Path) -> None:
    """Check that a lock file can have this path; missing directories are created.

    Raises:
        UsageError: the path is a directory, or a part of it is a file.
    """
    check_output_directory(path.parent)
    if path.parent.exists():
        check_output_file(path)


def edit_pins(path: Path, change: Callable[[dict[Reference, Pin]], None]) -> None:
    """Change a file, which need not be there yet, while no other process does.

    Args:
        path: the file.
        change: is given what the file pins now, and changes that.

    Raises:
        UsageError: it is malformed.
        RefusedError: another process is at it for very long.
        StoreError: the disk says so.
    """
    # What a link leads to is replaced, and not the link.
    file = Path(os.path.realpath(path)) if path.is_symlink() else path
    check_lock_path(file)
    with alone_at(file, patience=_PATIENCE):
        pins = read_pins(file) if file.exists() else {}
        before = dict(pins)
        change(pins)
        if pins == before and file.exists():
            return
        text = format_pins(pins.values())
        if len(text) > _LARGEST:
            raise UsageError(f"{path} would be larger than {_LARGEST} bytes")
        with whole_file(file) as write:
            write(text)
