"""What tests need of a system, and how a test on a system without it is left out: visibly.

A test's needs are read from its code, with that of the helpers and fixtures of its module. What
cannot be seen there is written as a mark: ``@pytest.mark.needs("root")``. Nothing is left
out on Linux, except for want of root.
"""

from __future__ import annotations

import ast
import os
import signal
import socket
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import pytest


@dataclass(frozen=True, slots=True)
class Ability:
    """Something that not every system has.

    Args:
        what: its description, for the reason of a skip.
        is_here: whether this system has it.
        names: names and texts in a test's code that show a need for it.
    """

    what: str
    is_here: Callable[[], bool]
    names: frozenset[str] = frozenset()


def _can_link() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        try:
            (Path(folder) / "link").symlink_to("target")
        except OSError:
            return False
        return True


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


_TEXTS = ("/dev/full", "/dev/stdout", "/bin/sh")
ABILITIES: Mapping[str, Ability] = {
    "root": Ability("the rights of root", _is_root),
    "linux": Ability("Linux", lambda: sys.platform == "linux"),
    "fork": Ability("processes that fork", lambda: hasattr(os, "fork"), frozenset({"fork"})),
    "signals": Ability(
        "signals between processes",
        lambda: hasattr(signal, "SIGKILL"),
        frozenset(
            {"SIGKILL", "SIGSTOP", "SIGCONT", "SIGTSTP", "SIGUSR1", "killpg", "pthread_sigmask"}
        ),
    ),
    "timers": Ability(
        "timers that send a signal",
        lambda: hasattr(signal, "setitimer"),
        frozenset({"setitimer", "getitimer", "SIGALRM", "ITIMER_REAL"}),
    ),
    "modes": Ability(
        "file modes",
        lambda: os.name == "posix",
        frozenset({"S_IMODE", "st_mode", "chmod", "umask"}),
    ),
    "owners": Ability(
        "owners of files",
        lambda: hasattr(os, "getuid"),
        frozenset({"getuid", "getgid", "geteuid", "getegid", "chown", "lchown"}),
    ),
    "links": Ability("symbolic links", cache(_can_link), frozenset({"symlink_to", "symlink"})),
    "any name": Ability(
        "file names with every character",
        lambda: os.name == "posix",
        frozenset({"surrogateescape", "fsdecode"}),
    ),
    "pipes": Ability("named pipes", lambda: hasattr(os, "mkfifo"), frozenset({"mkfifo", "mknod"})),
    "sparse files": Ability(
        "files with holes", lambda: hasattr(os.stat_result, "st_blocks"), frozenset({"st_blocks"})
    ),
    "attributes": Ability(
        "extended attributes",
        lambda: hasattr(os, "setxattr"),
        frozenset({"setxattr", "getxattr", "listxattr"}),
    ),
    "terminals": Ability("terminals", lambda: hasattr(os, "openpty"), frozenset({"openpty"})),
    "sockets": Ability("unix sockets", lambda: hasattr(socket, "AF_UNIX"), frozenset({"AF_UNIX"})),
    "limits": Ability(
        "limits of a process",
        lambda: os.name == "posix",
        frozenset({"resource", "setrlimit"}),
    ),
    "system name": Ability("uname", lambda: hasattr(os, "uname"), frozenset({"uname"})),
    "a shell": Ability("sh", lambda: os.name == "posix", frozenset({"/bin/sh"})),
    "fcntl": Ability("control of open files", lambda: os.name == "posix", frozenset({"fcntl"})),
    "directory sync": Ability("directories that are synced", lambda: os.name == "posix"),
    "directory locks": Ability("directories that are locked", lambda: os.name == "posix"),
    "playing others": Ability(
        "a system that can play another one", lambda: sys.platform != "win32"
    ),
    "/dev/full": Ability("/dev/full", lambda: Path("/dev/full").exists(), frozenset({"/dev/full"})),
    "/dev/stdout": Ability(
        "/dev/stdout", lambda: Path("/dev/stdout").exists(), frozenset({"/dev/stdout"})
    ),
}


def lacking() -> frozenset[str]:
    """Return the abilities that this system lacks."""
    return frozenset(name for name, ability in ABILITIES.items() if not ability.is_here())


def needs_of(item: pytest.Item) -> set[str]:
    """Return the abilities that a test needs."""
    marked = {name for mark in item.iter_markers("needs") for name in mark.args}
    assert marked <= ABILITIES.keys(), f"unknown abilities: {marked - ABILITIES.keys()}"
    function = getattr(item, "originalname", None) or item.name
    return marked | needs_of_code(item.path, function)


def needs_of_code(path: Path, function: str) -> set[str]:
    """Return the abilities that a function needs, judged by its code."""
    used = _used(path)
    seen: set[str] = set()
    pending = {function}
    while pending:
        name = pending.pop()
        seen.add(name)
        pending |= used.get(name, frozenset()) - seen
    return {name for name, ability in ABILITIES.items() if ability.names & seen}


@cache
def _used(path: Path) -> Mapping[str, frozenset[str]]:
    """Return the names and strings that each function and class of a module uses."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: dict[str, frozenset[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = found.get(node.name, frozenset()) | frozenset(_names(node))
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = frozenset(_names(node.value))
    return found


def _names(node: ast.AST) -> Iterable[str]:
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Attribute):
            yield each.attr
        elif isinstance(each, ast.alias):
            yield each.name
        elif isinstance(each, ast.arg):
            # A fixture's name may differ from its function's.
            yield from (each.arg, f"_{each.arg}")
        elif isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value
            yield from (text for text in _TEXTS if text in each.value)


def reason(missing: Iterable[str]) -> str:
    """Return why a test is skipped."""
    return f"needs {', '.join(ABILITIES[name].what for name in sorted(missing))}"
