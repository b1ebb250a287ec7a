"""Copying what refers to an image, beside the image: signatures, attestations, bills of materials.

What belongs here: which of it goes along, and how it is attached at the target. What does not:
finding it (``referrers``), listing it where a registry does not (``registry.referrers``), moving it
(``transfer``).

Spec: OCI distribution spec 1.1, "Pushing Manifests with Subject": a referrer may be there before
its subject, so that an image is signed from the moment that its tag moves.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace, Overlay
from ghcrctl.content.streams import Content, read_metadata
from ghcrctl.content.threads import threads
from ghcrctl.errors import (
    InvalidManifestError,
    InvalidResponseError,
    NotFoundError,
    UnsupportedError,
)
from ghcrctl.oci.manifest import Manifest, parse
from ghcrctl.oci.media_types import OCI_INDEX
from ghcrctl.operations.registries.referrers import Way, referrers_tree
from ghcrctl.operations.registries.referrers_consistency import ensure_listed, read_referrers
from ghcrctl.registry.referrers import referrers_tag
from ghcrctl.transfer.error_context import writing_to
from ghcrctl.transfer.events import Planned
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import Action, make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ghcrctl.content.ports import Source
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.registries.referrers import Node
    from ghcrctl.registry.repository import Repository
    from ghcrctl.transfer.events import Event, Observer
    from ghcrctl.transfer.execute import TransferOptions
    from ghcrctl.transfer.plan import Plan

# How cosign ends its tags: SIGNATURE_SPEC.md of sigstore/cosign, "Tag-based discovery".
_SUFFIXES = {"signature": ".sig", "attestation": ".att", "SBOM": ".sbom"}
_UNREADABLE = (NotFoundError, InvalidManifestError, InvalidResponseError, UnsupportedError)


@dataclass(frozen=True, slots=True)
class Attached:
    """Something that refers to an image.

    Args:
        descriptor: its manifest.
        subject: what it refers to.
        tag: cosign's tag; empty where a registry lists it.
    """

    descriptor: Descriptor
    subject: Digest
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Company:
    """What goes along with an image.

    Args:
        attached: each of it.
        plan: of all of it; its root is only made up.
        sink: the plan's.
        before: what the target lists for each subject, before anything moves.
    """

    attached: tuple[Attached, ...]
    plan: Plan
    sink: Repository
    before: Mapping[Digest, list[Descriptor]]


def find_attached(
    session: Session, source: Reference, root: Descriptor, image: Plan
) -> list[Attached]:
    """Find what refers to the parts of an image that are copied, what is attached to that included.

    Args:
        session: of the source; is warned of what is left out.
        source: the repository.
        root: what the name stands for there.
        image: the plan of the copy, whose root may be a part of that or a smaller index.
    """
    trees = [referrers_tree(session, source.with_digest(root.digest), describe=False)]
    wanted, kept = image.root, image.manifests
    known = {node.descriptor.digest for tree in trees for node in (tree, *tree.children)}
    if wanted.digest not in known and not wanted.is_index:
        trees.append(referrers_tree(session, source.with_digest(wanted.digest), describe=False))
    lost = len({a.descriptor.digest for a in _of_node(trees[0])}) if root.digest not in kept else 0
    if lost:
        session.warn(
            f"left out {lost} referrers of the whole index {root.digest}: what is copied of it has "
            "another digest"
        )
    platforms = [child for tree in trees for child in tree.children if child.way is Way.PLATFORM]
    here = [node for node in (*trees, *platforms) if node.descriptor.digest in kept]
    found = {(a.descriptor.digest, a.tag): a for node in here for a in _of_node(node)}
    return list(found.values())


def _of_node(node: Node) -> Iterator[Attached]:
    """Yield what is attached to a node, and to that in turn; buildx's entries are in the index."""
    for child in node.children:
        if child.way is Way.PLATFORM:
            continue
        if child.way is not Way.BUILDX:
            subject, tag = node.descriptor.digest, ""
            if child.way is Way.COSIGN:
                tag = f"{referrers_tag(subject)}{_SUFFIXES[child.kind]}"
            yield Attached(child.descriptor, subject, tag)
        yield from _of_node(child)


def plan_company(
    session: Session,
    source: Source,
    sink: Repository,
    attached: list[Attached],
    *,
    skip_foreign: bool,
    reserve: bool,
) -> Company:
    """Find out what of it must move; what cannot be read is left out, and said.

    Args:
        session: the run.
        source: where it is.
        sink: the repository of the copy.
        attached: what was found.
        skip_foreign: see `make_plan`, as for ``reserve``.
        reserve: whether the plan is going to be carried out.
    """
    made = MemoryPlace("made here")
    with threads(session.jobs, "referrers") as pool:
        whys = list(pool.map(lambda item: _bring(source, item, made), attached))
    for item, why in zip(attached, whys, strict=True):
        if why:
            session.warn(
                f"left out {item.descriptor.digest}, listed as referring to {item.subject}: {why}"
            )
    whole = tuple(item for item, why in zip(attached, whys, strict=True) if not why)
    # An index of all, which is never written, makes one plan of them.
    entries = {
        d.digest: {"mediaType": d.media_type, "digest": str(d.digest), "size": d.size}
        for d in (item.descriptor for item in whole)
    }
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries.values())}
    plan = make_plan(
        Overlay(made, source),
        sink,
        made.add(json.dumps(body).encode(), OCI_INDEX),
        skip_foreign=skip_foreign,
        reserve=reserve,
        jobs=session.jobs,
    )
    subjects = {item.subject for item in whole if not item.tag} if reserve else ()
    before = read_referrers(session, sink, subjects)
    return Company(whole, replace(plan, steps=plan.steps[:-1]), sink, before)


def _bring(source: Source, item: Attached, made: MemoryPlace) -> str:
    """Read a manifest, so that it is fetched once; return why it cannot go along, if so."""
    if not item.descriptor.is_manifest:
        return f"it is of the unknown type `{item.descriptor.media_type}`"
    try:
        raw = read_metadata(source, item.descriptor)
        subject = parse(raw, item.descriptor.media_type).subject
    except _UNREADABLE as error:
        return str(error)
    if not item.tag and (subject is None or subject.digest != item.subject):
        # No registry would list it as what it is said to be.
        return "it does not name that as its subject"
    made.put(item.descriptor, raw)
    return ""


def together(image: Plan, company: Company | None) -> Plan:
    """Return the plan of an image and of its company, each digest once, to be shown."""
    if company is None:
        return image
    steps = {step.descriptor.digest: step for step in (*company.plan.steps, *image.steps)}
    manifests = {**company.plan.manifests, **image.manifests}
    return replace(image, steps=tuple(steps.values()), manifests=manifests)


def but_plans(observer: Observer) -> Observer:
    """Return an observer to which a plan is no news, as it was told one of all."""

    def watch(event: Event) -> None:
        if not isinstance(event, Planned):
            observer(event)

    return watch


def move_company(
    session: Session, company: Company, options: TransferOptions, observer: Observer
) -> None:
    """Make it exist at the target, and attached there as it is at the source.

    Args:
        session: the run.
        company: what `plan_company` made.
        options: how it is moved.
        observer: watches, and was told the plan.
    """
    plan = company.plan
    if plan.steps:
        execute(plan, options, observer)
    with writing_to(plan.sink):
        _list_all(session, company)
        for item in company.attached:
            if item.tag:
                _give_tag(session, company, item)


def _list_all(session: Session, company: Company) -> None:
    """See to it that all is listed: what went along, and what the target had listed before."""
    plan, sink = company.plan, company.sink
    there = {step.descriptor.digest for step in plan.steps if step.action is Action.EXISTS}
    for subject, before in company.before.items():
        ours = [a.descriptor for a in company.attached if not a.tag and a.subject == subject]
        wanted = {d.digest: Content(sink, d) for d in before}
        wanted |= {d.digest: Content(plan.source, d) for d in ours}
        unlisted = there - {d.digest for d in before}
        ensure_listed(session, sink, subject, wanted, unlisted)


def _give_tag(session: Session, company: Company, item: Attached) -> None:
    """Give a manifest cosign's tag, unless that has signatures there which would be lost."""
    source, sink = company.plan.source, company.sink
    try:
        there = sink.resolve(item.tag)
    except NotFoundError:
        there = None
    if there and there.digest == item.descriptor.digest:
        return
    if there and not _layers(sink, there) <= _layers(source, item.descriptor):
        session.warn(
            f"{sink.label}:{item.tag} was left as it is: it has what the source has not "
            f"({item.descriptor.digest} is its like there)"
        )
        return
    content = Content(source, item.descriptor)
    session.with_retries(lambda: sink.tag(content, item.tag))


def _layers(source: Source, descriptor: Descriptor) -> set[Digest]:
    """Return what a manifest of cosign holds, a signature a layer."""
    parsed = parse(read_metadata(source, descriptor), descriptor.media_type)
    own = {descriptor.digest}
    return {layer.digest for layer in parsed.layers} if isinstance(parsed, Manifest) else own
