"""A build request independent of the engine, and the interface of build engines."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.oci.platform import Platform

# The engines, best first.
ENGINES = ("buildx", "buildah", "podman", "docker")


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """The options of a build.

    Args:
        context: a directory, a URL, or ``-`` for standard input.
        file: path of the Dockerfile; by default, the engine's default in the context.
        platforms: target platforms; by default, the engine's platform.
        build_args: build arguments, each ``NAME=VALUE`` or ``NAME``.
        labels: labels, each ``NAME=VALUE``.
        target: stage to build.
        secrets: secrets, such as ``id=NAME,src=FILE``.
        ssh: SSH agents, each ``default`` or ``NAME=SOCKET``.
        network: network of the build steps.
        cache_from: build caches to read.
        cache_to: build caches to write.
        no_cache: do not use cached layers.
        pull: check for newer base images.
        format: ``oci`` or ``docker``; by default, the engine's format.
        timestamp: modification time of all files and creation time of the image (Unix seconds).
        more: additional options for the engine, passed unchanged.
    """

    context: str
    file: str | None = None
    platforms: tuple[Platform, ...] = ()
    build_args: tuple[str, ...] = field(default=(), repr=False)
    labels: tuple[str, ...] = ()
    target: str | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    ssh: tuple[str, ...] = ()
    network: str | None = None
    cache_from: tuple[str, ...] = field(default=(), repr=False)
    cache_to: tuple[str, ...] = field(default=(), repr=False)
    no_cache: bool = False
    pull: bool = False
    format: str | None = None
    timestamp: int | None = None
    more: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class BuildFiles:
    """The files of one build.

    Args:
        folder: directory of the files.
        name: temporary name of the image in the engine's store.
    """

    folder: Path
    name: str

    @property
    def image_id(self) -> Path:
        """Path of the file with the image ID."""
        return self.folder / "id"

    @property
    def archive(self) -> Path:
        """Path of the archive, if the engine writes one."""
        return self.folder / "image.tar"

    @property
    def layout(self) -> Path:
        """Path of the OCI layout, if the engine writes one."""
        return self.folder / "layout"

    @property
    def image(self) -> Path:
        """Path of the built image: the OCI layout if there is one, else the archive."""
        return self.layout if self.layout.exists() else self.archive


class PrivateArgument(str):
    """A command-line argument that is not logged, because its value may be secret."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command line.

    Args:
        program: path of the program.
        verb: subcommand, such as ``build`` or ``image save``.
        arguments: arguments after the subcommand.
        stdout: file for its standard output; by default, the user sees it.
        environ: additional environment variables.
    """

    program: str
    verb: str
    arguments: tuple[str, ...] = field(repr=False)
    stdout: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The name of the command in messages, such as ``docker image save``."""
        return f"{Path(self.program).name.removesuffix('.exe')} {self.verb}"

    @property
    def argv(self) -> list[str]:
        """The complete command line as a list."""
        return [self.program, *self.verb.split(), *self.arguments]

    @property
    def loggable(self) -> str:
        """The command line for logs, without secret values."""
        return shlex.join(_shown(word) for word in self.argv)


class Engine(Protocol):
    """A program that builds images."""

    @property
    def name(self) -> str:
        """The name of the engine in options and messages."""

    @property
    def builds_indexes(self) -> bool:
        """Whether one command can build for multiple platforms."""

    def check(self, request: BuildRequest) -> None:
        """Check that the engine supports the options of a build.

        Raises:
            UnsupportedError: the engine does not support one of the options.
        """

    def build(self, request: BuildRequest, files: BuildFiles) -> Command:
        """Return the command that builds the image."""

    def identify(self, files: BuildFiles) -> Command | None:
        """Return the command that writes the image ID; ``None`` if none is needed."""

    def save(self, request: BuildRequest, files: BuildFiles, image_id: str) -> Command | None:
        """Return the command that saves the image; ``None`` if the build has saved it."""

    def delete(self, request: BuildRequest, files: BuildFiles) -> Command | None:
        """Return the command that deletes the image from the engine's store."""


def option(name: str, value: str | None) -> tuple[str, ...]:
    """Return an option with a value; nothing if the value is ``None``."""
    return () if value is None else (f"--{name}={value}",)


def options(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return an option repeated for each value."""
    return tuple(f"--{name}={value}" for value in values)


def private_options(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """Return an option repeated for each value, with values that are not logged."""
    return tuple(PrivateArgument(f"--{name}={value}") for value in values)


def switch(name: str, *, on: bool) -> tuple[str, ...]:
    """Return an option without a value if it is on."""
    return (f"--{name}",) if on else ()


def platform_options(request: BuildRequest) -> tuple[str, ...]:
    """Return the option for the target platforms, if there are any."""
    return options(
        "platform", (",".join(map(str, request.platforms)),) if request.platforms else ()
    )


def common_options(request: BuildRequest) -> tuple[str, ...]:
    """Return the options that are the same for all engines."""
    return (
        *option("file", request.file),
        *platform_options(request),
        *private_options("build-arg", request.build_args),
        *options("label", request.labels),
        *option("target", request.target),
        *private_options("secret", request.secrets),
        *options("ssh", request.ssh),
        *option("network", request.network),
        *switch("no-cache", on=request.no_cache),
    )


def _shown(word: str) -> str:
    if not isinstance(word, PrivateArgument):
        return word
    name, equals, _ = word.partition("=")
    return f"{name}=..." if equals and name.startswith("-") else "..."
