"""The choice of a build engine: the requested one, or the best one that works."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.engines.build_request import ENGINES
from ghcrctl.engines.buildah import Buildah
from ghcrctl.engines.buildx import Buildx
from ghcrctl.engines.docker import Docker
from ghcrctl.engines.install_hints import install_command
from ghcrctl.engines.podman import Podman
from ghcrctl.errors import UnsupportedError
from ghcrctl.programs.finder import ProgramNotFoundError, find_program, ignored_programs
from ghcrctl.programs.process import ProgramError, run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ghcrctl.engines.build_request import Engine

AUTO = "auto"
_PROBE_SECONDS = 20.0
# Since this version, the docker client needs buildx to build with BuildKit.
_FIRST_WITHOUT_BUILDKIT = 23
# These buildx drivers need no docker daemon.
_REMOTE_DRIVERS = {"cloud", "kubernetes", "remote"}


def choose_engine(wanted: str, environ: Mapping[str, str]) -> Engine:
    """Choose a build engine.

    Args:
        wanted: name of the engine, or ``auto``.
        environ: environment variables of the user.

    Raises:
        UnsupportedError: no engine works, or the requested one does not.
    """
    search = EngineSearch(environ)
    reasons = []
    for name in ENGINES if wanted == AUTO else (wanted,):
        try:
            return search.find(name)
        except EngineUnavailableError as error:
            reasons.append(error)
    installed = [reason for reason in reasons if reason.is_installed]
    if wanted != AUTO:
        raise _unavailable(reasons[0])
    details = list(dict.fromkeys(reason.why for reason in installed))
    if ignored := [reason.ignored for reason in reasons if reason.ignored]:
        details.append(ignored_programs(ignored))
    raise UnsupportedError(
        "; ".join(["cannot build: docker buildx, buildah or podman is required", *details]),
        hint=install_command("buildah"),
    )


def _unavailable(reason: EngineUnavailableError) -> UnsupportedError:
    if reason.is_installed:
        return UnsupportedError(reason.why, hint="start the daemon, or omit --builder")
    return UnsupportedError(reason.why, hint=install_command(reason.engine))


class EngineUnavailableError(Exception):
    """A build engine cannot be used.

    Args:
        engine: name of the engine.
        why: reason for the user.
        is_installed: whether the programs of the engine are installed.
        ignored: path of the program in the current directory, which is never run.
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
class EngineSearch:
    """A search for build engines; ``environ`` is the environment of the user."""

    environ: Mapping[str, str]

    def find(self, name: str) -> Engine:
        """Find a build engine.

        Raises:
            EngineUnavailableError: the engine is not installed or does not work.
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
            raise EngineUnavailableError(
                engine or name, str(error), ignored=error.ignored
            ) from None

    def _keeps_steps(self) -> bool:
        return self.environ.get("BUILDAH_LAYERS", "").lower() in {"1", "t", "true"}

    def _buildx(self) -> Engine:
        program = self._program("docker", "buildx")
        if not self._has_buildx(program):
            raise EngineUnavailableError("buildx", "the docker client has no buildx plugin")
        builder = self._output_of(program, "buildx", "inspect") or ""
        driver = _field(builder, "Driver")
        if driver in _REMOTE_DRIVERS:
            return Buildx(program)
        info = self._info(program, "buildx")
        is_inside = driver in {"", "docker"}
        return Buildx(program, has_archives=not is_inside or _uses_containerd_store(info))

    def _has_buildx(self, program: str) -> bool:
        # `docker` may be podman, whose `buildx` is an alias of its own `build`.
        return "docker/buildx" in (self._output_of(program, "buildx", "version") or "")

    def _docker(self) -> Engine:
        program = self._program("docker")
        self._info(program, "docker")
        return Docker(program, has_buildkit=self._has_buildkit(program))

    def _has_buildkit(self, program: str) -> bool:
        if self.environ.get("DOCKER_BUILDKIT") == "0":
            return False
        version = self._output_of(program, "version", "--format={{.Client.Version}}") or ""
        major = version.split(".")[0].strip()
        built_in = major.isdecimal() and int(major) < _FIRST_WITHOUT_BUILDKIT
        return built_in or self._has_buildx(program)

    def _info(self, program: str, engine: str) -> str:
        """Return the storage driver status of the docker daemon as JSON."""
        info = self._output_of(program, "info", "--format={{json .DriverStatus}}")
        # Without a daemon, some versions exit with status 0 and print nothing.
        if not info or not info.strip():
            why = "the docker daemon is not running"
            raise EngineUnavailableError(engine, why, is_installed=True)
        return info

    def _output_of(self, *words: str) -> str | None:
        """Return the output of a command, or ``None`` if it fails."""
        try:
            done = run_program(words, self.environ, seconds=_PROBE_SECONDS)
        except ProgramError:
            return None
        return None if done.status else done.stdout.decode(errors="replace")


def _field(text: str, name: str) -> str:
    """Return the value of the first line ``Name: value`` with a name."""
    lines = (line.partition(":") for line in text.splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")


def _uses_containerd_store(info: str) -> bool:
    """Return whether docker uses the containerd image store."""
    try:
        status = json.loads(info)
    except ValueError:
        return False
    return ["driver-type", "io.containerd.snapshotter.v1"] in (status or [])
