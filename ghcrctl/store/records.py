"""Records: one named (or nameless) image of the store, and the facts that listing needs.

What belongs here: the record and its form in ``index.json``, whose annotations keep name and facts,
so that a listing opens one file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ghcrctl.errors import InvalidDigestError, InvalidReferenceError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.reference import Reference
from ghcrctl.store.name_bindings import may_claim, true_name

if TYPE_CHECKING:
    from collections.abc import Mapping

# OCI image spec 1.1, annotations.md: what other tools look for in a layout.
NAME = "org.opencontainers.image.ref.name"
_PREFIX = "io.ghcrctl.image."
ID, CREATED, SIZE, KIND, ORIGIN, INDEX = (
    _PREFIX + key for key in ("id", "created", "size", "kind", "origin", "index")
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a listing shows of an image without opening it.

    Args:
        image_id: the config's digest, as in docker; for other artifacts the manifest's.
        created: RFC 3339 text, maybe empty.
        size: bytes of everything that belongs to the image, as stored.
        kind: empty for a container image, else what kind of artifact it is.
    """

    image_id: Digest
    created: str = ""
    size: int = 0
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the store.

    Args:
        descriptor: the image's root: a manifest or an index.
        name: its full reference; empty where a newer image took it (docker's dangling).
        facts: what a listing shows.
        origin: the digest that the name's repository knows it by: the index's where one platform of
            it was pulled.
        index: the reference by digest of the index that this is a part of; empty where it is
            unknown, or the image is whole.
    """

    descriptor: Descriptor
    name: str
    facts: Facts
    origin: Digest | None = None
    index: str = ""

    @property
    def reference(self) -> Reference | None:
        """The name, parsed; ``None`` where there is none, or one of another tool's kind."""
        try:
            return Reference.parse(self.name, default_registry="") if self.name else None
        except InvalidReferenceError:
            return None

    @property
    def repository(self) -> str:
        """The name without tag and digest."""
        return split_name(self.name)[0]

    @property
    def tag(self) -> str:
        """The tag of the name, or nothing."""
        return split_name(self.name)[1]

    @property
    def repo_digest(self) -> str | None:
        """The name by digest, as RepoDigests has it."""
        reference = self.reference
        return f"{reference.name}@{self.origin}" if reference and self.origin else None

    @property
    def part_of(self) -> str:
        """The reference of the index that this is only a part of; empty where it is whole."""
        if self.index or self.origin in {None, self.descriptor.digest}:
            return self.index
        return self.repo_digest or ""

    @property
    def index_digest(self) -> Digest | None:
        """The digest of the index of its own repository that this is a part of, if it is one."""
        repository, _, digest = self.part_of.rpartition("@")
        return Digest.parse(digest) if repository and repository == self.repository else None

    def demoted(self) -> Record:
        """Return what becomes of this record when its name moves to another image."""
        return replace(self, name=self.repo_digest or "")


class Listed(NamedTuple):
    """What a listing shows of one entry; a tuple, since a listing makes thousands in no time.

    See `Facts` and `Record` for the fields. ``entry``: the entry as it is written.
    """

    name: str
    image_id: Digest
    created: str
    size: int
    kind: str
    origin: Digest | None
    entry: Mapping[str, Any]

    @property
    def record(self) -> Record:
        """The same as a record."""
        facts = Facts(self.image_id, self.created, self.size, self.kind)
        descriptor = Descriptor.from_json(self.entry)
        index = descriptor.annotations.get(INDEX, "")
        return Record(descriptor, self.name, facts, self.origin, index)


@lru_cache(maxsize=20_000)
def split_name(name: str) -> tuple[str, str]:
    """Split a name into repository and tag, without its digest.

    It is for lists, where to parse each name takes too long.
    """
    name = name.partition("@")[0]
    colon = name.rfind(":")
    return (name[:colon], name[colon + 1 :]) if colon > name.rfind("/") else (name, "")


def from_entry(entry: Mapping[str, Any]) -> Listed | None:
    """Read what a listing shows out of an entry as it is written; ``None`` where it is not ours."""
    try:
        notes = entry["annotations"]
        name, created, kind = notes.get(NAME, ""), notes.get(CREATED, ""), notes.get(KIND, "")
        if not type(name) is type(created) is type(kind) is str:
            return None
        origin = Digest.parse(notes[ORIGIN]) if ORIGIN in notes else None
        if may_claim(name):
            name = true_name(name, Digest.parse(entry["digest"]), origin)
        return Listed(
            name,
            Digest.parse(notes[ID]),
            created,
            int(notes.get(SIZE, "0")),
            kind,
            origin,
            entry,
        )
    except (KeyError, ValueError, TypeError, AttributeError, InvalidDigestError):
        return None


def from_descriptor(descriptor: Descriptor) -> Record | None:
    """Read a record out of an index entry; ``None`` where another tool wrote it."""
    notes = descriptor.annotations
    try:
        facts = Facts(
            image_id=Digest.parse(notes[ID]),
            created=notes.get(CREATED, ""),
            size=int(notes.get(SIZE, "0")),
            kind=notes.get(KIND, ""),
        )
        origin = Digest.parse(notes[ORIGIN]) if ORIGIN in notes else None
    except (KeyError, ValueError, InvalidDigestError):
        return None
    name = true_name(notes.get(NAME, ""), descriptor.digest, origin)
    return Record(descriptor, name, facts, origin, notes.get(INDEX, ""))


def to_descriptor(record: Record) -> Descriptor:
    """Write a record as an index entry; annotations of other tools stay."""
    foreign = {
        key: value
        for key, value in record.descriptor.annotations.items()
        if key != NAME and not key.startswith(_PREFIX)
    }
    ours = {
        NAME: record.name,
        ID: str(record.facts.image_id),
        CREATED: record.facts.created,
        SIZE: str(record.facts.size),
        KIND: record.facts.kind,
        ORIGIN: str(record.origin or ""),
        INDEX: record.index,
    }
    annotations = foreign | {key: value for key, value in ours.items() if value}
    return replace(record.descriptor, annotations=annotations)
