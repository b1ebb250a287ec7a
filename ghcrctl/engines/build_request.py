"""What an engine is asked to build, in words that no single engine owns.

What belongs here: the order, the places where one build puts things, command lines as data. What
does not: how an engine says it (`buildx`, `buildah`, `podman`, `docker`).
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.oci.platform import Platform

# The engines, the best first.
ENGINES = ("buildx", "buildah", "podman", "docker")


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be built.

    Args:
        context: a directory, an address, or ``-`` for standard input.
        file: the Dockerfile; the engine's usual one in the context where it is not given.
        platforms: what to build for; the engine's own where there is none.
        build_args: each ``NAME=VALUE``, or ``NAME`` for the environment's value.
        labels: each ``NAME=VALUE``.
        target: the stage to stop at.
        secrets: each ``id=NAME,src=FILE`` or the like.
        ssh: each ``default`` or ``NAME=SOCKET``.
        network: of the build steps.
        cache_from: where to look for steps that were done before.
        cache_to: where to leave them.
        no_cache: do every step.
        pull: look for newer base images.
        format: ``oci`` or ``docker``; the engine's own where it is not given.
        timestamp: seconds since 1970 that all files and the image are to have.
        more: further options of the engine's own, word for word.
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
class Work:
    """Where one build puts things.

    Args:
        folder: a directory of its own.
        name: what the engine calls the image until it has been handed over.
    """

    folder: Path
    name: str

    @property
    def image_id(self) -> Path:
        """Where the engine's ID of the image is written."""
        return self.folder / "id"

    @property
    def archive(self) -> Path:
        """Where an archive of the image goes."""
        return self.folder / "image.tar"

    @property
    def layout(self) -> Path:
        """Where the image goes as a directory with an OCI layout."""
        return self.folder / "layout"

    @property
    def image(self) -> Path:
        """The image, as whichever of the two it was handed over."""
        return self.layout if self.layout.exists() else self.archive


class Private(str):
    """A word of a command line that nobody else is to see: its value may be a secret."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Command:
    """A command line.

    Args:
        program: its path.
        verb: what it is to do: ``build``, ``image save``.
        arguments: what comes after that.
        stdout: where its output goes; to the person where that is not said.
        environ: variables that it gets besides the person's.
    """

    program: str
    verb: str
    arguments: tuple[str, ...] = field(repr=False)
    stdout: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """What people call it: ``docker image save``."""
        return f"{Path(self.program).name.removesuffix('.exe')} {self.verb}"

    @property
    def words(self) -> list[str]:
        """The whole line."""
        return [self.program, *self.verb.split(), *self.arguments]

    @property
    def shown(self) -> str:
        """The line as it may be seen."""
        return shlex.join(_shown(word) for word in self.words)


class Engine(Protocol):
    """One program that builds images."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def builds_indexes(self) -> bool:
        """Whether one command builds for several platforms."""

    def check(self, order: Order) -> None:
        """Check that the engine can do what is asked.

        Raises:
            UnsupportedError: it lacks something.
        """

    def build(self, order: Order, work: Work) -> Command:
        """Return the command that does the build steps."""

    def identify(self, work: Work) -> Command | None:
        """Return the command that writes the image's ID; none where it is written, or of no use."""

    def save(self, order: Order, work: Work, image_id: str) -> Command | None:
        """Return the command that hands the image over; none where it has been already."""

    def forget(self, order: Order, work: Work) -> Command | None:
        """Return the command that takes the image out of the engine's own store."""


def option(name: str, value: str | None) -> tuple[str, ...]:
    """Say an option that has a value, if it has one."""
    return () if value is None else (f"--{name}={value}",)


def options(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """Say an option as often as it has values."""
    return tuple(f"--{name}={value}" for value in values)


def private(name: str, values: tuple[str, ...]) -> tuple[str, ...]:
    """Say an option whose values are nobody else's business."""
    return tuple(Private(f"--{name}={value}") for value in values)


def switch(name: str, *, on: bool) -> tuple[str, ...]:
    """Say an option that has no value, if it is wanted."""
    return (f"--{name}",) if on else ()


def platforms_of(order: Order) -> tuple[str, ...]:
    """Say which platforms are wanted, if that was said."""
    return options("platform", (",".join(map(str, order.platforms)),) if order.platforms else ())


def usual(order: Order) -> tuple[str, ...]:
    """Say what all engines say alike."""
    return (
        *option("file", order.file),
        *platforms_of(order),
        *private("build-arg", order.build_args),
        *options("label", order.labels),
        *option("target", order.target),
        *private("secret", order.secrets),
        *options("ssh", order.ssh),
        *option("network", order.network),
        *switch("no-cache", on=order.no_cache),
    )


def _shown(word: str) -> str:
    if not isinstance(word, Private):
        return word
    name, equals, _ = word.partition("=")
    return f"{name}=..." if equals and name.startswith("-") else "..."
