"""Which engine builds: the best that is there and works, or the one that was asked for.

What belongs here: looking for engines, and what is said where there is none. What does not: how
they are driven (`driving`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.engines.build_request import ENGINES
from ghcrctl.engines.buildah import Buildah
from ghcrctl.engines.buildx import Buildx
from ghcrctl.engines.docker import Docker
from ghcrctl.engines.install_hints import how_to_install
from ghcrctl.engines.podman import Podman
from ghcrctl.errors import UnsupportedError
from ghcrctl.programs.finder import ProgramNotFoundError, find_program, ignored_programs
from ghcrctl.programs.process import ProgramError, run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ghcrctl.engines.build_request import Engine

AUTO = "auto"
# Seconds that an engine may take to say that it is there.
_PATIENCE = 20.0
# Since this version docker's client builds with BuildKit only through buildx.
_BUILDKIT_MOVED_IN = 23
# buildx's builders that need no docker daemon.
_ELSEWHERE = {"cloud", "kubernetes", "remote"}


def choose(wanted: str, environ: Mapping[str, str]) -> Engine:
    """Choose an engine.

    Args:
        wanted: its name, or ``auto``.
        environ: the person's environment.

    Raises:
        UnsupportedError: there is none, or not the one that is wanted.
    """
    search = Search(environ)
    reasons = []
    for name in ENGINES if wanted == AUTO else (wanted,):
        try:
            return search.find(name)
        except AbsentError as error:
            reasons.append(error)
    installed = [reason for reason in reasons if reason.is_installed]
    if wanted != AUTO:
        raise _absent(reasons[0])
    said = "; ".join(dict.fromkeys(reason.why for reason in installed)) or "no docker"
    if ignored := [reason.ignored for reason in reasons if reason.ignored]:
        said += f"; {ignored_programs(ignored)}"
    raise UnsupportedError(
        "nothing on this machine builds images: there is no docker buildx, buildah or podman, and "
        + said,
        hint=how_to_install("buildah"),
    )


def _absent(reason: AbsentError) -> UnsupportedError:
    if reason.is_installed:
        return UnsupportedError(reason.why, hint="start it, or leave --builder out")
    return UnsupportedError(reason.why, hint=how_to_install(reason.engine))


class AbsentError(Exception):
    """An engine cannot be used.

    Args:
        engine: its name.
        why: for people.
        is_installed: whether its programs are there.
        ignored: a program of the current directory, from which none is run.
    """

    def __init__(
        self, engine: str, why: str, *, is_installed: bool = False, ignored: str | None = None
    ) -> None:
        super().__init__(why)
        self.ignored = ignored
        self.engine = engine
        self.why = why
        self.is_installed = is_installed


@dataclass(frozen=True, slots=True)
class Search:
    """Looks for engines. ``environ``: the person's environment."""

    environ: Mapping[str, str]

    def find(self, name: str) -> Engine:
        """Find an engine.

        Raises:
            AbsentError: it is not there, or does not work.
        """
        finders: dict[str, Callable[[], Engine]] = {
            "buildx": self._buildx,
            "buildah": lambda: Buildah(self._program("buildah"), self._keeps_steps()),
            "podman": lambda: Podman(self._program("podman")),
            "docker": self._docker,
        }
        return finders[name]()

    def _program(self, name: str, engine: str = "") -> str:
        try:
            return find_program(name, self.environ)
        except ProgramNotFoundError as error:
            raise AbsentError(engine or name, str(error), ignored=error.ignored) from None

    def _keeps_steps(self) -> bool:
        return self.environ.get("BUILDAH_LAYERS", "").lower() in {"1", "t", "true"}

    def _buildx(self) -> Engine:
        program = self._program("docker", "buildx")
        if not self._has_buildx(program):
            raise AbsentError("buildx", "docker has no buildx")
        builder = self._ask(program, "buildx", "inspect") or ""
        driver = _field(builder, "Driver")
        if driver in _ELSEWHERE:
            return Buildx(program)
        info = self._info(program, "buildx")
        is_inside = driver in {"", "docker"}
        return Buildx(program, has_archives=not is_inside or _keeps_in_containerd(info))

    def _has_buildx(self, program: str) -> bool:
        # Podman has a `buildx` too, which is its own `build`.
        return "docker/buildx" in (self._ask(program, "buildx", "version") or "")

    def _docker(self) -> Engine:
        program = self._program("docker")
        self._info(program, "docker")
        return Docker(program, has_buildkit=self._has_buildkit(program))

    def _has_buildkit(self, program: str) -> bool:
        if self.environ.get("DOCKER_BUILDKIT") == "0":
            return False
        version = self._ask(program, "version", "--format={{.Client.Version}}") or ""
        major = version.split(".")[0].strip()
        built_in = major.isdecimal() and int(major) < _BUILDKIT_MOVED_IN
        return built_in or self._has_buildx(program)

    def _info(self, program: str, engine: str) -> str:
        """Ask docker's daemon for what it is."""
        info = self._ask(program, "info", "--format={{json .DriverStatus}}")
        # Some versions end well where no daemon is, and say nothing.
        if not info or not info.strip():
            why = "docker is here, but its daemon does not answer"
            raise AbsentError(engine, why, is_installed=True)
        return info

    def _ask(self, *words: str) -> str | None:
        """Return what a command prints; none where it fails."""
        try:
            done = run_program(words, self.environ, seconds=_PATIENCE)
        except ProgramError:
            return None
        return None if done.status else done.stdout.decode(errors="replace")


def _field(text: str, name: str) -> str:
    """Return the first value of a name in lines of ``Name: value``."""
    lines = (line.partition(":") for line in text.splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _keeps_in_containerd(info: str) -> bool:
    """Tell whether docker keeps its images in containerd; older ones cannot."""
    try:
        status = json.loads(info)
    except ValueError:
        return False
    return ["driver-type", "io.containerd.snapshotter.v1"] in (status or [])
