"""Read and write the lock file of a project, which pins its image names to digests."""

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
from ghcrctl.oci.quotes import shortened
from ghcrctl.oci.reference import Reference, is_tag
from ghcrctl.operations.common.rule_file import (
    as_mapping,
    as_text,
    as_texts,
    check_keys,
    read_limited,
)
from ghcrctl.settings import read_toml
from ghcrctl.store.locks import exclusive_file
from ghcrctl.store.output_files import check_output_directory, check_output_file, whole_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

VERSION = 1
_HEADER = """\
# Digests of this project's images. Written by `ghcrctl lock`; commit this file.
# Change it with `ghcrctl lock add`, `update` and `remove`; pull with `ghcrctl lock pull`.
"""
_MAX_FILE_BYTES = 4 * 1024 * 1024  # enough for a few thousand images with ten platforms
_LOCK_TIMEOUT_SECONDS = 60.0
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
        platform: the platform.
        digest: the digest of its manifest.
        size: stored size of all content that it needs (bytes).
    """

    platform: Platform
    digest: Digest
    size: int


@dataclass(frozen=True, slots=True)
class Pin:
    """The digest that a name is pinned to.

    Args:
        name: the full name, with its tag and without a digest.
        digest: the image's digest in its repository.
        platforms: its platforms; empty for an artifact.
        only: the platforms that the project uses; empty for all.
    """

    name: Reference
    digest: Digest
    platforms: tuple[PinnedPlatform, ...] = ()
    only: tuple[Platform, ...] = ()

    @property
    def reference(self) -> Reference:
        """The name with the digest, to pull by."""
        return self.name.with_digest(self.digest)


def read_platform(text: str) -> Platform:
    """Parse a platform; reject characters that have a meaning in the file.

    Raises:
        UsageError: the text is not a platform.
    """
    platform = Platform.parse(text, known=False)
    if not _OS_VERSION.match(platform.os_version):
        raise UsageError(f"invalid platform `{shortened(text)}`")
    return platform


def read_pins(path: Path) -> dict[Reference, Pin]:
    """Read a lock file.

    Returns:
        The pins, by name.

    Raises:
        NotFoundError: the file does not exist.
        UsageError: the file is malformed, or has an unknown version.
    """
    if not os.path.exists(path):  # noqa: PTH110 False if the name is too long
        raise NotFoundError(
            f"no such file: {path}",
            hint="create it: ghcrctl lock add NAME (or choose another file with --file)",
        )
    return parse_pins(read_limited(path, _MAX_FILE_BYTES), path)


def parse_pins(raw: bytes, path: Path) -> dict[Reference, Pin]:
    """Parse the text of a lock file. ``path``: for errors.

    Raises:
        UsageError: the text is malformed, or has an unknown version.
    """
    _check_shape(raw, path)
    data = as_mapping(read_toml(raw, path), str(path))
    _check_version(data.get("version"), path)
    check_keys(data, _TOP_KEYS, str(path))
    entries = data.get("image", [])
    if not isinstance(entries, list):
        raise UsageError(f"{path}: invalid `image`: expected a list of tables")
    pins: dict[Reference, Pin] = {}
    for number, entry in enumerate(entries, 1):
        pin = _read_table(f"{path}: image {number}", _pin, entry)
        if pin.name in pins:
            raise UsageError(f"{path} pins {pin.name} twice", hint="remove one of the two")
        pins[pin.name] = pin
    return pins


def _check_shape(raw: bytes, path: Path) -> None:
    """Reject conflict markers, and keys with so many parts that parsing takes too long."""
    if _CONFLICT.search(raw):
        raise UsageError(
            f"{path} has unresolved merge conflicts",
            hint="keep both sides, remove the conflict markers, then run: ghcrctl lock add NAME",
        )
    if b"'''" in raw or b'"""' in raw or b"." in _STRING_OR_COMMENT.sub(b"", raw):
        raise UsageError(
            f"{path} is not a lock file, or is truncated: it has dotted keys, fractions, or "
            "multi-line or unterminated texts"
        )


def _check_version(version: object, path: Path) -> None:
    if version is None:
        raise UsageError(f"{path} is not a lock file: it has no `version`")
    if version != VERSION or isinstance(version, bool):
        raise UsageError(
            f"{path}: unsupported version {shortened(str(version))}, expected {VERSION}",
            hint="upgrade ghcrctl: the file was written by a newer version",
        )


def _read_table(where: str, read: Callable[[Mapping[str, Any], str], Any], data: object) -> Any:
    """Read a table; prefix errors with its location."""
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
        raise UsageError(f"{where}: invalid name `{shortened(name)}`: expected a full repository")
    if not is_tag(tag):
        raise UsageError(f"{where}: invalid tag `{shortened(tag)}`")
    platforms = data.get("platforms", [])
    if not isinstance(platforms, list):
        raise UsageError(f"{where}: invalid `platforms`: expected a list of tables")
    return Pin(
        reference.with_tag(tag),
        Digest.parse(as_text(data, "digest", where)),
        tuple(
            _read_table(f"{where}: platform {number}", _platform, one)
            for number, one in enumerate(platforms, 1)
        ),
        tuple(map(read_platform, as_texts(data, "only", where))),
    )


def _platform(data: Mapping[str, Any], where: str) -> PinnedPlatform:
    check_keys(data, _PLATFORM_KEYS, where)
    size = data.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= MAX_SIZE:
        raise UsageError(f"{where}: invalid `size`: expected a number of bytes")
    return PinnedPlatform(
        read_platform(as_text(data, "platform", where)),
        Digest.parse(as_text(data, "digest", where)),
        size,
    )


def format_pins(pins: Iterable[Pin]) -> bytes:
    """Format a lock file: sorted by name, with the same bytes for the same pins."""
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
        # One platform per line, for readable diffs.
        lines += ["platforms = [", *map(_line, pin.platforms), "]"]
    return "\n".join(lines) + "\n"


def _line(one: PinnedPlatform) -> str:
    platform, digest = _quoted(one.platform.with_features), _quoted(one.digest)
    return f"    {{ platform = {platform}, digest = {digest}, size = {one.size} }},"


def _quoted(value: object) -> str:
    """Quote a string; all strings in the file are plain ASCII, for which JSON and TOML agree."""
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
    """Change a lock file, which may not exist yet, with exclusive access.

    Args:
        path: the file.
        change: changes the pins in place.

    Raises:
        UsageError: the file is malformed.
        RefusedError: another process has the file locked for too long.
        StoreError: the file cannot be read or written.
    """
    # Replace the target of a symbolic link, not the link.
    file = Path(os.path.realpath(path)) if path.is_symlink() else path
    check_lock_path(file)
    with exclusive_file(file, patience=_LOCK_TIMEOUT_SECONDS):
        pins = read_pins(file) if file.exists() else {}
        before = dict(pins)
        change(pins)
        if pins == before and file.exists():
            return
        text = format_pins(pins.values())
        if len(text) > _MAX_FILE_BYTES:
            raise UsageError(f"cannot write {path}: it would exceed {_MAX_FILE_BYTES} bytes")
        with whole_file(file) as write:
            write(text)
