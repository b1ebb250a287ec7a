"""Ctrl-C interrupts every wait, on Windows too: waits without a time limit are in one place.

Before Python 3.14, a main thread on Windows that waits for a lock without a limit hears no signal.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.architecture.sources import modules, name_of, parsed, rule_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Where waiting is done in steps that Ctrl-C ends.
THE_PLACE = {"ghcrctl/content/thread_waits.py", "ghcrctl/content/threads.py"}
# Without an argument these wait until another thread or process has done something.
WAITS = {"acquire", "communicate", "exception", "get", "join", "result", "wait"}
POOLS = {"ThreadPoolExecutor", "ProcessPoolExecutor", "InterpreterPoolExecutor"}
FUNCTIONS = {"as_completed", "wait"}
PROCESSES = {"subprocess.run", "subprocess.call", "subprocess.check_output"}
EXCUSED = {
    # An image's result, which is there already.
    "attempt.get",
    # The lock library looks for the file again and again, and sleeps meanwhile.
    "lock.acquire",
    "self._lock.acquire",
    "taken.acquire",
}
EXCUSED_IN = {
    # The program was killed in the line above.
    ("ghcrctl/programs/process.py", "process.wait"),
    # The future is done.
    ("ghcrctl/transfer/execute.py", "f.exception"),
    # The server's method of that name handles one connection, in a thread.
    ("ghcrctl/server/connections.py", "super().communicate"),
}


def waits(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each wait without a time limit."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.alias) and _id(node) in POOLS:
            yield getattr(node, "lineno", 0), _id(node)
        elif isinstance(node, ast.Call) and _is_untimed(node):
            yield node.lineno, ast.unparse(node.func)


def _id(node: ast.Name | ast.alias) -> str:
    return node.id if isinstance(node, ast.Name) else node.name


def _is_untimed(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    keywords = {keyword.arg for keyword in call.keywords}
    if name in PROCESSES or name in FUNCTIONS:
        return "timeout" not in keywords
    if name == "select.select":
        return len(call.args) < 4
    if not isinstance(call.func, ast.Attribute):
        return False
    if call.func.attr == "wait_for":
        return len(call.args) < 2 and "timeout" not in keywords
    if call.func.attr == "shutdown":
        return any(k.arg == "wait" and ast.unparse(k.value) == "True" for k in call.keywords)
    return call.func.attr in WAITS and not call.args and not keywords & {"timeout", "blocking"}


@rule_for(modules("ghcrctl"))
def test_waits_without_a_limit_are_in_one_place(path: Path) -> None:
    if name_of(path) in THE_PLACE:
        return
    found = [
        (line, text)
        for line, text in waits(parsed(path))
        if text not in EXCUSED and (name_of(path), text) not in EXCUSED_IN
    ]
    assert not found, "use ghcrctl.content.thread_waits and ghcrctl.content.threads"


@pytest.mark.parametrize(
    "code",
    [
        "future.result()",
        "event.wait()",
        "self._thread.join()",
        "items.get()",
        "condition.wait_for(is_done)",
        "wait(futures)",
        "as_completed(futures)",
        "pool.shutdown(wait=True)",
        "with ThreadPoolExecutor(3) as pool: pass",
        "from concurrent.futures import ThreadPoolExecutor",
        "process.communicate()",
        "subprocess.run(['x'])",
        "select.select([x], [], [])",
    ],
)
def test_a_wait_without_a_limit_is_found(code: str) -> None:
    assert list(waits(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "future.result(timeout=1)",
        "event.wait(0.1)",
        "', '.join(words)",
        "items.get(key)",
        "condition.wait_for(is_done, 1)",
        "pool.shutdown(wait=False)",
        "lock.acquire(blocking=False)",
        "wait(futures, timeout=LIMIT)",
        "select.select([x], [], [], 1)",
    ],
)
def test_others_are_not(code: str) -> None:
    assert not list(waits(ast.parse(code)))
