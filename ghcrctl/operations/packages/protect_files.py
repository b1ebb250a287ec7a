"""Find digests and tags that are in use elsewhere in files.

Kubernetes manifests, compose files, Helm values and plain lists all have ``sha256:<hex>`` or image
names. Everything that looks like one is protected, so no format needs to be parsed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ghcrctl.errors import NotFoundError
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ghcrctl.operations.packages.package_names import PackageName

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}(?![0-9A-Za-z])")
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"


def read_protect_files(paths: Iterable[Path]) -> str:
    """Return the text of files, or of all files in directories.

    Raises:
        NotFoundError: a file does not exist.
        StoreError: a file cannot be read.
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
    """Decode text, including UTF-16, which Windows PowerShell writes when redirecting output."""
    without_zeros = raw.replace(b"\0", b"")
    found = raw if without_zeros == raw else raw + b"\n" + without_zeros
    return found.decode(errors="replace")


def find_digests(text: str) -> frozenset[str]:
    """Return every digest in the text of a file."""
    return frozenset(_DIGEST.findall(text))


def find_tags(text: str, named: PackageName) -> frozenset[str]:
    """Return every tag of a package in a file's text; a bare name means ``latest``."""
    name = re.escape(named.name)
    found = re.compile(
        rf"(?:(?<![\w./-])|(?<=//)){name}(?![\w/.-])(?::({_TAG}))?(@)?", re.IGNORECASE
    )
    tags = {match[1] or "latest" for match in found.finditer(text) if match[1] or not match[2]}
    # A name may end a sentence; protecting too many tags does no harm.
    return frozenset(tags | {tag.rstrip(".-") for tag in tags})
