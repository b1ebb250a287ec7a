"""Tags that name the subject of what they point to: ``sha256-<hex>.sig`` and ``sha256-<hex>``.

The name alone proves nothing: content-addressed builds tag ordinary images ``sha256-<hex>`` too.
The manifest decides. Sources: cosign's SIGNATURE_SPEC.md; OCI distribution spec 1.1, "Referrers Tag
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
    """Return whether a tag names the subject of a manifest, by the manifest's content.

    That of a signature, an attestation, another artifact or a list of referrers does; that of a
    container image or an index of images does not. What was not read may be anything.

    Args:
        tag: one that `subject_of_tag` knows.
        digest: the manifest.
        facts: the facts of all manifests that were read, by digest.
    """
    own = facts.get(digest)
    if own is None or own.subject:
        return True
    if own.is_cache:
        return False
    if own.is_index:
        return all(_is_referrer(child, facts) for child in own.children)
    # Without a suffix it is the tag of a list of referrers, which is an index.
    return bool(own.kind) and "." in tag


def _is_referrer(child: Child, facts: Mapping[str, Facts]) -> bool:
    """Return whether an entry of an index is one of a list of referrers.

    The entry alone has to decide where its manifest is missing.
    """
    found = facts.get(child.digest)
    if found is not None:
        return bool(found.subject or found.kind)
    return bool(child.artifact_type) and not (child.platform or child.attests)
