"""Digests and tags that are in use elsewhere: read from files.

What belongs here: finding them in text. Manifests of Kubernetes, compose files, Helm values and
plain lists have them all as ``sha256:<hex>`` and as names of images, so that no format needs to be
understood: what looks like one is protected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ghcrctl.errors import NotFoundError
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ghcrctl.operations.packages.package_names import Named

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}(?![0-9A-Za-z])")
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"


def protected_in(paths: Iterable[Path]) -> str:
    """Return the text of files, or of all files in directories.

    Raises:
        NotFoundError: there is no such file.
        StoreError: one cannot be read.
    """
    texts = []
    for path in paths:
        if not path.exists():
            raise NotFoundError(f"no such file: {path}")
        with disk_errors(f"read {path}"):
            files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
            texts += [_decoded(file.read_bytes()) for file in files]
    return "\n".join(texts)


def _decoded(raw: bytes) -> str:
    """Decode a text, also one in UTF-16, as Windows PowerShell redirects output into files."""
    without_zeros = raw.replace(b"\0", b"")
    found = raw if without_zeros == raw else raw + b"\n" + without_zeros
    return found.decode(errors="replace")


def digests_in(text: str) -> frozenset[str]:
    """Return every digest in a text."""
    return frozenset(_DIGEST.findall(text))


def tags_in(text: str, named: Named) -> frozenset[str]:
    """Return every tag of a package in a text; a name without one stands for ``latest``."""
    name = re.escape(named.name)
    found = re.compile(
        rf"(?:(?<![\w./-])|(?<=//)){name}(?![\w/.-])(?::({_TAG}))?(@)?", re.IGNORECASE
    )
    tags = {match[1] or "latest" for match in found.finditer(text) if match[1] or not match[2]}
    # A name may end a sentence; protecting one tag too many does no harm.
    return frozenset(tags | {tag.rstrip(".-") for tag in tags})
