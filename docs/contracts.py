"""Generate the page of the contracts of places from the names of the conformance tests."""

from __future__ import annotations

import ast
from pathlib import Path

SUITES = Path(__file__).parents[1] / "tests" / "conformance" / "suites.py"
_HEAD = """# Contracts of places

A [place](../concepts/places.md) is an adapter. It implements `Source`
(`ghcrctl/content/sources.py`) if it can be read, and `Sink` (`ghcrctl/content/sinks.py`) if it
can be written. The engine knows nothing else about it.

One test suite checks every adapter: a place in memory, the store, a directory, an archive (to
read), `ghcrctl serve`, a registry that follows the spec, one that behaves like ghcr.io, and
docker-registry. The lines below are the names of its tests.

A new kind of place is one adapter, and one line that adds it to the suite
(`tests/conformance/test_conformance.py`).
"""
_ABOUT = {
    "SourceSuite": "Sources",
    "SinkSuite": "Sinks",
}
_ENGINE = """
## The engine

- It plans before it transfers: what is missing, and how many bytes that is, is known before the
  first byte is transferred.
- Each digest is transferred once: blobs before manifests, children before parents, names last.
- Bytes are verified in one place, `content.streams.VerifiedStream`, which returns the last
  piece only if size and digest are right.
- Only errors that are marked as retryable are retried, from where the source ended. Progress is
  reset by what was lost.
- Manifests and configs are read up to 4 MiB. Everything else streams, so memory does not grow
  with the size of images.
- It reports events (`ghcrctl/transfer/events.py`), and knows nothing about bars, logs or
  terminals.
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
