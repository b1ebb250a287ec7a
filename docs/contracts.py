"""Writes down what every place with content promises, from the names of the conformance tests."""

from __future__ import annotations

import ast
from pathlib import Path

SUITES = Path(__file__).parents[1] / "tests" / "conformance" / "suites.py"
_HEAD = """# Contracts of places

A [place](../concepts/places.md) is an adapter that fulfils the ports in `ghcrctl/content/ports.py`:
a `Source` can be read, a `Sink` can be written. The engine knows nothing else of it. What a place
promises is one test a line, in one suite that every adapter passes: a place in memory, the store, a
directory, an archive (to read), `ghcrctl serve`, and repositories of registries: by the book, like
ghcr.io, and Debian's docker-registry. The lines below are the names of these tests.

A new kind of place is one adapter, and one line that enters it into the suite
(`tests/conformance/test_conformance.py`).
"""
_ABOUT = {
    "SourceSuite": "What can be read",
    "SinkSuite": "What can be written",
}
_ENGINE = """
## What the engine adds

- It walks first and then moves: what is missing, and how many bytes that is, is known before any
  byte moves.
- Each digest moves once; blobs before manifests, children before parents, names last of all.
- Bytes are verified in one place, `content.streams.VerifiedStream`, which hands out the last piece
  only after size and digest are right.
- Only errors that are marked as retryable are tried again, from where the source broke off;
  progress goes back by what was lost.
- Manifests and configs are read up to 4 MiB; everything else streams, so that memory does not grow
  with images.
- It tells what happens as events (`ghcrctl/transfer/events.py`), and knows no bar, no log and no
  terminal.
- An error says which side failed: *reading from ...*, *writing to ...*.
"""


def contracts() -> str:
    """Return the page."""
    tree = ast.parse(SUITES.read_text(encoding="utf-8"))
    parts = [_HEAD]
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in _ABOUT:
            tests = [item.name for item in node.body if isinstance(item, ast.FunctionDef)]
            lines = [f"- {_sentence(name)}" for name in tests if name.startswith("test_")]
            parts.append(f"\n## {_ABOUT[node.name]}\n\n" + "\n".join(lines) + "\n")
    return "".join(parts) + _ENGINE


def _sentence(name: str) -> str:
    words = name.removeprefix("test_").replace("_", " ").replace("sha512", "SHA-512")
    return f"{words[0].upper()}{words[1:]}."
