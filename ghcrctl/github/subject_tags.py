"""Tags that name the subject of their manifest: ``sha256-<hex>.sig`` and ``sha256-<hex>``.

The manifest has to confirm it, since content-addressed builds also tag ordinary images as
``sha256-<hex>``. Sources: cosign's SIGNATURE_SPEC.md; OCI distribution spec 1.1, "Referrers Tag
Schema".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.github.manifest_facts import Child, Facts

_SUBJECT = re.compile(r"sha256-([0-9a-f]{64})(\..*)?\Z", re.DOTALL)


def subject_of_tag(tag: str) -> str:
    """Return the digest in a tag such as ``sha256-<hex>.sig``; empty for other tags."""
    match = _SUBJECT.match(tag)
    return f"sha256:{match[1]}" if match else ""


def names_subject(tag: str, digest: str, facts: Mapping[str, Facts]) -> bool:
    """Check whether a manifest's tag names a subject, based on the manifest's content.

    True for signatures, attestations, other artifacts and lists of referrers; false for container
    images and indexes of images. Assumed to be true for manifests that were not read.

    Args:
        tag: a tag that `subject_of_tag` accepts.
        digest: the manifest's digest.
        facts: the facts of all manifests that were read, by digest.
    """
    own = facts.get(digest)
    if own is None or own.subject:
        return True
    if own.is_cache:
        return False
    if own.is_index:
        return all(_is_referrer(child, facts) for child in own.children)
    # A tag without a suffix is the referrers tag, which points to an index.
    return bool(own.kind) and "." in tag


def _is_referrer(child: Child, facts: Mapping[str, Facts]) -> bool:
    """Check whether an index entry is a referrer.

    If its manifest is missing, the entry alone has to decide.
    """
    found = facts.get(child.digest)
    if found is not None:
        return bool(found.subject or found.kind)
    return bool(child.artifact_type) and not (child.platform or child.attests)
