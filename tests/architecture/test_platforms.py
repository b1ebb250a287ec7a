"""Names that only some systems have are used behind a guard."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import ROOT, modules, name_of, parsed, rule_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What Python has on some systems only, by module. Source: the "Availability" notes of the standard
# library's documentation, and the Windows and macOS branches of the type stubs.
NOT_EVERYWHERE = {
    "os": {
        *("chown", "chroot", "confstr", "copy_file_range", "ctermid", "eventfd", "fchdir"),
        *("fchmod", "fchown", "fdatasync", "fork", "forkpty", "fpathconf", "fstatvfs"),
        *("getegid", "geteuid", "getgid", "getgroups", "getloadavg", "getpgid", "getpgrp"),
        *("getpriority", "getrandom", "getresuid", "getsid", "getuid", "getxattr", "initgroups"),
        *("killpg", "lchflags", "lchmod", "lchown", "listxattr", "lockf", "major", "makedev"),
        *("memfd_create", "minor", "mkfifo", "mknod", "nice", "openpty", "pathconf", "pidfd_open"),
        *("pipe2", "posix_fadvise", "posix_fallocate", "posix_spawn", "pread", "preadv", "pwrite"),
        *("pwritev", "readv", "register_at_fork", "removexattr", "sched_getaffinity"),
        *(
            "sched_setaffinity",
            "sched_yield",
            "sendfile",
            "setegid",
            "seteuid",
            "setgid",
            "setpgid",
        ),
        *("setpriority", "setsid", "setuid", "setxattr", "splice", "statvfs", "sync", "sysconf"),
        *("tcgetpgrp", "tcsetpgrp", "ttyname", "uname", "unshare", "wait", "wait3", "wait4"),
        *("waitid", "waitstatus_to_exitcode", "writev", "O_ASYNC", "O_CLOEXEC", "O_DIRECT"),
        *("O_DIRECTORY", "O_DSYNC", "O_NOATIME", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK", "O_PATH"),
        *("O_SYNC", "O_TMPFILE", "startfile", "add_dll_directory", "O_BINARY", "O_TEMPORARY"),
        "kill",  # On Windows, signal 0 is Ctrl-C, and every other number ends the process.
    },
    "signal": {
        *("SIGALRM", "SIGBUS", "SIGCHLD", "SIGCLD", "SIGCONT", "SIGHUP", "SIGIO", "SIGKILL"),
        *("SIGPIPE", "SIGPROF", "SIGPWR", "SIGQUIT", "SIGSTOP", "SIGSYS", "SIGTRAP", "SIGTSTP"),
        *("SIGTTIN", "SIGTTOU", "SIGURG", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGWINCH"),
        *("SIGXCPU", "SIGXFSZ", "ITIMER_REAL", "alarm", "getitimer", "pause", "pthread_kill"),
        *("pthread_sigmask", "setitimer", "siginterrupt", "sigpending", "sigtimedwait", "sigwait"),
        *("SIGBREAK", "CTRL_C_EVENT", "CTRL_BREAK_EVENT"),
    },
    "socket": {"AF_UNIX", "AF_VSOCK", "AF_NETLINK", "MSG_DONTWAIT", "SO_REUSEPORT", "socketpair"},
    "select": {"epoll", "kqueue", "poll", "select"},
    "time": {"clock_gettime", "clock_settime", "pthread_getcpuclockid", "tzset"},
    "ctypes": {"WinDLL", "WinError", "windll", "oledll", "FormatError", "GetLastError"},
    "subprocess": {"STARTUPINFO", "CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW"},
    "stat": {"IO_REPARSE_TAG_MOUNT_POINT", "IO_REPARSE_TAG_SYMLINK"},
    "sys": {"getwindowsversion", "winver"},
    "found": {"st_blocks", "st_rdev", "st_flags", "st_file_attributes", "st_reparse_tag"},
}
MODULES = {
    *("_winapi", "crypt", "curses", "fcntl", "grp", "msvcrt", "nis", "posix", "pty", "pwd"),
    *("readline", "resource", "spwd", "syslog", "termios", "tty", "winreg", "winsound"),
}
# A condition that distinguishes systems.
GUARD = re.compile(
    r"hasattr\((os|signal|socket|stat|found)\b|sys\.platform|os\.name|_HAS_LOCKS|is_windows|on_windows"
)
HANDLED = {"AttributeError", "ImportError", "ModuleNotFoundError", "Exception"}
# Functions that only run where a guard elsewhere lets them.
CALLED_BEHIND_A_GUARD = {
    # Only called on Windows.
    "ghcrctl/cli/format/windows_console.py": {"ctypes.windll"},
    # Only called where there are locks, which Windows has not.
    "ghcrctl/store/scratch.py": {"os.kill"},
}


def _parents(tree: ast.AST) -> dict[ast.AST, ast.AST]:
    return {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}


def _is_guarded(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Return whether a condition around a node, or an earlier exit, distinguishes systems."""
    while (above := parents.get(node)) is not None:
        if isinstance(above, ast.If | ast.IfExp | ast.BoolOp) and _tells(above, node):
            return True
        if isinstance(above, ast.Try) and node in above.body and _is_handled(above):
            return True
        if any(_leaves(each) for each in _statements(above) if _line(each) < _line(node)):
            return True
        if isinstance(above, ast.FunctionDef):
            return False
        node = above
    return False


def _statements(node: ast.AST) -> list[ast.stmt]:
    bodies = [getattr(node, name, None) for name in ("body", "orelse", "finalbody")]
    return [each for body in bodies if isinstance(body, list) for each in body]


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _tells(above: ast.If | ast.IfExp | ast.BoolOp, node: ast.AST) -> bool:
    if isinstance(above, ast.BoolOp):
        before = above.values[: above.values.index(node)] if node in above.values else []
        return any(GUARD.search(ast.unparse(value)) for value in before)
    return node is not above.test and bool(GUARD.search(ast.unparse(above.test)))


def _is_handled(above: ast.Try) -> bool:
    caught = {ast.unparse(handler.type) for handler in above.handlers if handler.type}
    return any(HANDLED & set(re.findall(r"\w+", text)) for text in caught)


def _leaves(node: ast.AST) -> bool:
    """Return whether a statement ends the function on some systems."""
    if not isinstance(node, ast.If) or not GUARD.search(ast.unparse(node.test)):
        return False
    return isinstance(node.body[-1], ast.Return | ast.Raise)


def unguarded(tree: ast.AST) -> Iterator[str]:
    """Yield names that only some systems have, with their lines, where no guard is around them."""
    parents = _parents(tree)
    for node in ast.walk(tree):
        if (name := _name(node)) and not _is_guarded(node, parents):
            yield f"{_line(node)}: {name}"


def _name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        listed = node.attr in NOT_EVERYWHERE.get(node.value.id, ())
        return f"{node.value.id}.{node.attr}" if listed else None
    if isinstance(node, ast.ImportFrom) and node.module in NOT_EVERYWHERE:
        found = [alias.name for alias in node.names if alias.name in NOT_EVERYWHERE[node.module]]
        return f"{node.module}.{found[0]}" if found else None
    imported = [node.module] if isinstance(node, ast.ImportFrom) else []
    if isinstance(node, ast.Import):
        imported = [alias.name for alias in node.names]
    return next((name for name in imported if name in MODULES), None)


@rule_for(modules("ghcrctl"))
def test_what_only_some_systems_have_is_guarded(path: Path) -> None:
    excused = CALLED_BEHIND_A_GUARD.get(name_of(path), set())
    found = [name for name in unguarded(parsed(path)) if name.partition(": ")[2] not in excused]
    assert not found


def test_every_excuse_is_needed() -> None:
    for path, names in CALLED_BEHIND_A_GUARD.items():
        found = {name.partition(": ")[2] for name in unguarded(parsed(ROOT / path))}
        assert names <= found


@pytest.mark.parametrize(
    "code",
    [
        "os.getuid()",
        "def f():\n    os.kill(1, 0)",
        "import fcntl",
        "from pwd import getpwuid",
        "from os import geteuid",
        "signal.signal(signal.SIGHUP, f)",
        "if other:\n    os.sync()",
        "try:\n    os.pread(1, 2, 3)\nexcept OSError:\n    pass",
        "if hasattr(os, 'x'):\n    pass\nos.sync()",
        "def f():\n    if sys.platform == 'win32':\n        print()\n    os.sync()",
        "os.O_NOFOLLOW | os.O_RDONLY",
    ],
)
def test_an_unguarded_name_is_found(code: str) -> None:
    assert list(unguarded(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "os.getuid() if hasattr(os, 'getuid') else -1",
        "hasattr(os, 'geteuid') and os.geteuid() == 0",
        "if sys.platform != 'win32':\n    os.sync()",
        "def f():\n    if os.name == 'nt':\n        return\n    os.sync()",
        "if x:\n    y\nelse:\n    if not hasattr(os, 'y'):\n        raise z\n    os.sync()",
        "try:\n    import fcntl\nexcept ImportError:\n    fcntl = None",
        "try:\n    os.uname()\nexcept AttributeError:\n    pass",
        "os.getpid()",
        "other.getuid()",
    ],
)
def test_a_guarded_name_is_not(code: str) -> None:
    assert not list(unguarded(ast.parse(code)))
