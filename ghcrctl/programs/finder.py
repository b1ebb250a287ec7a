"""Finds programs on the PATH, but never in the current directory.

Attack: the current directory is often a clone of an untrusted repository, and a `gh` or
`docker-credential-...` in it would get the user's token. Decision: only absolute directories of the
PATH are searched. ``shutil.which`` cannot be used: on Windows it searches the current directory
first, and on every system it follows empty and relative entries of the PATH.

Source: Go's ``os/exec``, `ErrDot`; Microsoft's documentation, "CreateProcessW" and
"NeedCurrentDirectoryForExePathW".
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

# CreateProcess can only start these; PATHEXT also lists scripts.
_EXECUTABLE = (".COM", ".EXE", ".BAT", ".CMD")


class ProgramNotFoundError(Exception):
    """A program is not in any absolute directory of the PATH.

    Args:
        name: the program.
        ignored: a program of that name in the current directory, or in a relative one.
    """

    def __init__(self, name: str, ignored: str | None = None) -> None:
        text = f"{name} is not on the PATH"
        super().__init__(f"{text}; {ignored_programs([ignored])}" if ignored else text)
        self.ignored = ignored


def ignored_programs(paths: Iterable[str]) -> str:
    """Return the reason why programs in the current directory are not run."""
    names = [f"`{path}`" for path in dict.fromkeys(paths)]
    verb = "are" if len(names) > 1 else "is"
    return (
        f"{', '.join(names)} in the current directory {verb} ignored, because programs are only "
        "run from absolute directories of the PATH"
    )


@dataclass(frozen=True, slots=True)
class Finder:
    """A search for programs.

    Args:
        environ: the environment, with PATH, and PATHEXT on Windows.
        on_windows: whether to apply Windows' rules.
        is_program: checks whether a path is an executable file.
    """

    environ: Mapping[str, str] = field(repr=False)
    on_windows: bool = os.name == "nt"
    is_program: Callable[[str], bool] | None = None

    def find(self, name: str) -> str:
        """Return the absolute path of a program.

        Args:
            name: a bare name, without a directory.

        Raises:
            ProgramNotFoundError: no absolute directory of the PATH has the program.
        """
        if not self._is_bare(name):
            raise ProgramNotFoundError(repr(name))
        trusted, skipped = self._folders()
        found = next(self._programs(trusted, name), None)
        if found is None:
            raise ProgramNotFoundError(name, next(self._programs(["", *skipped], name), None))
        return found

    def _folders(self) -> tuple[list[str], list[str]]:
        """Return the absolute directories of the PATH, and the relative ones."""
        trusted: list[str] = []
        skipped: list[str] = []
        for entry in self._entries():
            (trusted if self._is_absolute(entry) else skipped).append(entry)
        return trusted, skipped

    def _entries(self) -> list[str]:
        path = self._variable("PATH")
        if self.on_windows:
            # A quoted entry may contain a semicolon.
            return list(_split_quoted(path or ""))
        return (os.defpath if path is None else path).split(":")

    def _is_absolute(self, entry: str) -> bool:
        if self.on_windows:
            # Not `C:bin` or `\bin`, which depend on the current directory or drive.
            return PureWindowsPath(entry).is_absolute()
        return PurePosixPath(entry).is_absolute()

    def _is_bare(self, name: str) -> bool:
        if name in {"", ".", ".."} or "\0" in name:
            return False
        return not set(name) & set("/\\:" if self.on_windows else "/")

    def _programs(self, folders: list[str], name: str) -> Iterator[str]:
        is_program = self.is_program or self._is_executable
        flavour = PureWindowsPath if self.on_windows else PurePosixPath
        for folder in folders:
            for file in self._files(name):
                path = str(flavour(folder) / file)
                if is_program(path):
                    yield path

    def _files(self, name: str) -> list[str]:
        """Return the possible file names of a program."""
        if not self.on_windows:
            return [name]
        listed = (self._variable("PATHEXT") or ";".join(_EXECUTABLE)).upper().split(";")
        known = [end for end in listed if end in _EXECUTABLE]
        if PureWindowsPath(name).suffix.upper() in known:
            return [name]
        return [f"{name}{end.lower()}" for end in known]

    def _variable(self, name: str) -> str | None:
        """Return a variable; its name is case-insensitive on Windows."""
        if name in self.environ or not self.on_windows:
            return self.environ.get(name)
        return next((v for k, v in self.environ.items() if k.upper() == name), None)

    def _is_executable(self, path: str) -> bool:
        try:
            is_file = stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116 the path that is executed
        except (OSError, ValueError):
            return False
        return is_file and (self.on_windows or os.access(path, os.X_OK))


def find_program(name: str, environ: Mapping[str, str]) -> str:
    """Return the absolute path of a program on the PATH.

    Raises:
        ProgramNotFoundError: no absolute directory of the PATH has the program.
    """
    return Finder(environ).find(name)


def _split_quoted(path: str) -> Iterator[str]:
    """Yield the entries of a Windows PATH, without their quotes."""
    entry, is_quoted = "", False
    for character in path:
        if character == '"':
            is_quoted = not is_quoted
        elif character == ";" and not is_quoted:
            yield entry
            entry = ""
        else:
            entry += character
    yield entry
