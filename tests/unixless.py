"""A Python that lacks what only Unix has, so that Linux shows what Windows would."""

from __future__ import annotations

import sys

# Without these, the standard library uses its fallbacks.
MODULES = ("curses", "fcntl", "grp", "pty", "pwd", "readline", "resource", "termios", "tty")
OF_OS = (
    *("chown", "lchown", "getegid", "geteuid", "getgid", "getuid", "getpgid", "killpg", "setsid"),
    *("mkfifo", "mknod", "posix_fallocate", "sched_getaffinity", "statvfs", "uname", "fchown"),
    *("getxattr", "listxattr", "removexattr", "setxattr", "sync", "openpty", "sendfile"),
    *("fork", "major", "makedev", "minor", "pread", "pwrite", "O_DIRECTORY", "O_NOFOLLOW"),
)
OF_SIGNAL = (
    *("SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP"),
    *("SIGTSTP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "pthread_kill", "setitimer"),
)
OF_SOCKET = ("AF_UNIX",)


def take_away() -> None:
    """Take it away from the process, but for those who have other code for Windows anyway."""
    import asyncio
    import os
    import platform
    import shutil
    import signal
    import socket
    import socketserver
    import subprocess
    import tempfile

    import filelock
    import platformdirs

    needed = (asyncio, shutil, socketserver, subprocess, tempfile, filelock, platformdirs)
    assert needed
    platform.uname()
    for name in MODULES:
        sys.modules[name] = None  # type: ignore[assignment] # Python then says that it is missing
    for owner, names in ((os, OF_OS), (signal, OF_SIGNAL), (socket, OF_SOCKET)):
        for name in names:
            if hasattr(owner, name):
                delattr(owner, name)
