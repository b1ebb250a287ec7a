"""Insert the examples of `ghcrctl explain` into the troubleshooting page.

A comment ``<!-- example: CODE -->`` marks each place. The example's command, messages and exit
status are real: tests/explained plays them.
"""

from __future__ import annotations

import re
from pathlib import Path

from ghcrctl.cli.explanations import explain_code

PAGE = Path(__file__).parent / "how-to" / "troubleshooting.md"
_EXAMPLE = re.compile(
    r"^(?P<mark><!-- example: (?P<code>[\w-]+) -->\n)(?:\n```console\n.*?^```\n)?",
    re.MULTILINE | re.DOTALL,
)


def troubleshooting() -> str:
    """Return the troubleshooting page with the current examples."""
    return _EXAMPLE.sub(_with_example, PAGE.read_text(encoding="utf-8"))


def _with_example(match: re.Match[str]) -> str:
    example = explain_code(match["code"]).example
    return f"{match['mark']}\n```console\n{_shortened(example)}\n```\n"


def _shortened(example: str) -> str:
    """Return an example without progress lines and exit status, its digests shortened."""
    lines = example.splitlines()
    kept = [line for line in lines if line.startswith(("$ ", "error: ", "hint: "))]
    return re.sub(r"(?<=\bsha256:)([0-9a-f]{12})[0-9a-f]{52}", r"\1...", "\n".join(kept))
