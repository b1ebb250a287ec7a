"""Version graphs, written by hand."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ghcrctl.github.deletion_planner import Target
from ghcrctl.github.graph import Graph
from ghcrctl.github.manifest_facts import Child, Facts
from ghcrctl.github.records import Version
from ghcrctl.github.subject_tags import subject_of_tag
from ghcrctl.oci.media_types import OCI_INDEX, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
TARGET = Target("ghcr.io", "octo", "app")
SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"


def digest_of(name: str) -> str:
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def tag_for(name: str, suffix: str = "") -> str:
    """Return the tag that ties a manifest to a version."""
    return f"{digest_of(name).replace(':', '-')}{suffix}"


class Versions:
    """Versions by name, each created an hour after the previous one; the first 999 hours ago."""

    def __init__(self) -> None:
        self.versions: dict[str, Version] = {}
        self.facts: dict[str, Facts] = {}
        self.unreadable: dict[str, str] = {}
        self.gone: set[str] = set()
        self.names: dict[str, str] = {}

    def image(
        self,
        name: str,
        *tags: str,
        subject: str = "",
        kind: str | None = None,
        layers: tuple[str, ...] = (),
        hours: float | None = None,
    ) -> Versions:
        """Add an image; with a cosign tag and no kind it is a signature."""
        blobs = tuple((digest_of(f"layer {layer}"), 1000) for layer in layers or (name,))
        if kind is None:
            kind = SIGNATURE if any(map(subject_of_tag, tags)) else ""
        facts = Facts(
            OCI_MANIFEST,
            100,
            is_index=False,
            blobs=blobs,
            subject=digest_of(subject) if subject else "",
            kind=kind,
        )
        return self._add(name, tags, facts, hours)

    def index(
        self,
        name: str,
        children: tuple[str, ...],
        *tags: str,
        subject: str = "",
        attests: tuple[tuple[str, str], ...] = (),
        hours: float | None = None,
    ) -> Versions:
        listed = [Child(digest_of(c), f"linux/{c}") for c in children]
        listed += [Child(digest_of(a), attests=digest_of(of)) for a, of in attests]
        facts = Facts(
            OCI_INDEX,
            200,
            is_index=True,
            children=tuple(listed),
            subject=digest_of(subject) if subject else "",
        )
        return self._add(name, tags, facts, hours)

    def without(self, *names: str) -> Versions:
        """Remove versions, like a tool that does not know indexes."""
        for name in names:
            del self.versions[name]
            del self.facts[digest_of(name)]
        return self

    def unread(self, name: str) -> Versions:
        self.unreadable[digest_of(name)] = "the registry failed"
        self.facts.pop(digest_of(name), None)
        return self

    def _add(self, name: str, tags: tuple[str, ...], facts: Facts, hours: float | None) -> Versions:
        number = len(self.names) + 1
        age = 1000 - number if hours is None else hours
        created = NOW - timedelta(hours=age)
        digest = digest_of(name)
        self.names[digest] = name
        self.versions[name] = Version(number, digest, tags, created, created)
        self.facts[digest] = facts
        return self

    @property
    def graph(self) -> Graph:
        """The graph, without information about other packages or deleted versions."""
        there = {v.digest for v in self.versions.values()} | self.facts.keys()
        listed = {c.digest for facts in self.facts.values() for c in facts.children}
        return Graph.of(
            self.versions.values(), dict(self.facts), dict(self.unreadable), listed - there
        )

    def knowing(self, *deleted: str, elsewhere: Mapping[str, str] | None = None) -> Graph:
        """Return the graph with deleted versions and subjects that may be elsewhere, by name."""
        return replace(
            self.graph,
            deleted=frozenset(map(digest_of, deleted)),
            elsewhere={digest_of(name): why for name, why in (elsewhere or {}).items()},
        )
