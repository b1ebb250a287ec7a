"""Runs one command and prints its seconds, its peak memory in KiB and its exit status.

A program of its own, and a small one: Linux counts what a process had in memory before it became
another one, so the process that starts a command must be smaller than it.
"""

import os
import sys
import time

log, *command = sys.argv[1:]
output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
nothing = os.open(os.devnull, os.O_RDONLY)
began = time.perf_counter()
child = os.fork()
if child == 0:
    for target, descriptor in enumerate((nothing, output, output)):
        os.dup2(descriptor, target)
    try:
        os.execvp(command[0], command)
    finally:
        os._exit(127)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - began
# Linux counts in KiB (getrusage(2)).
print(seconds, usage.ru_maxrss, os.waitstatus_to_exitcode(status))  # noqa: T201
