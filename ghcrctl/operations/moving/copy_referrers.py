"""Copy the referrers of an image, such as signatures, attestations and SBOMs.

They are copied before the image so that the image is signed as soon as its tag is set. Spec: OCI
distribution spec 1.1, "Pushing Manifests with Subject", allows a referrer without its subject.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.content.streams import Content, read_metadata
from ghcrctl.content.threads import thread_pool
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

# Suffixes of cosign's tags: SIGNATURE_SPEC.md of sigstore/cosign, "Tag-based discovery".
_SUFFIXES = {"signature": ".sig", "attestation": ".att", "SBOM": ".sbom"}
_UNREADABLE = (NotFoundError, InvalidManifestError, InvalidResponseError, UnsupportedError)


@dataclass(frozen=True, slots=True)
class Referrer:
    """A referrer of an image.

    Args:
        descriptor: its manifest.
        subject: the digest of its subject.
        tag: cosign's tag; empty if the registry lists it as a referrer.
    """

    descriptor: Descriptor
    subject: Digest
    tag: str = ""


@dataclass(frozen=True, slots=True)
class ReferrerPlan:
    """The referrers that are copied with an image.

    Args:
        attached: the referrers.
        plan: the plan for all of them; its root is never written.
        sink: the target repository.
        before: what the target lists for each subject before the copy.
    """

    attached: tuple[Referrer, ...]
    plan: Plan
    sink: Repository
    before: Mapping[Digest, list[Descriptor]]


def find_referrers(
    session: Session, source: Reference, root: Descriptor, image: Plan
) -> list[Referrer]:
    """Find the referrers of the copied parts of an image, and their own referrers.

    Args:
        session: the session of the source; warns of skipped referrers.
        source: the repository.
        root: the manifest or index that the name resolves to.
        image: the plan of the copy, whose root may be a part of it or a smaller index.
    """
    trees = [referrers_tree(session, source.with_digest(root.digest), describe=False)]
    wanted, kept = image.root, image.manifests
    known = {node.descriptor.digest for tree in trees for node in (tree, *tree.children)}
    if wanted.digest not in known and not wanted.is_index:
        trees.append(referrers_tree(session, source.with_digest(wanted.digest), describe=False))
    lost = (
        len({a.descriptor.digest for a in _walk_referrers(trees[0])})
        if root.digest not in kept
        else 0
    )
    if lost:
        session.warn(
            f"skipped {lost} referrers of the whole index {root.digest}: the copy has another "
            "digest"
        )
    platforms = [child for tree in trees for child in tree.children if child.way is Way.PLATFORM]
    here = [node for node in (*trees, *platforms) if node.descriptor.digest in kept]
    found = {(a.descriptor.digest, a.tag): a for node in here for a in _walk_referrers(node)}
    return list(found.values())


def _walk_referrers(node: Node) -> Iterator[Referrer]:
    """Yield the referrers of a node, recursively; buildx's entries are in the index itself."""
    for child in node.children:
        if child.way is Way.PLATFORM:
            continue
        if child.way is not Way.BUILDX:
            subject, tag = node.descriptor.digest, ""
            if child.way is Way.COSIGN:
                tag = f"{referrers_tag(subject)}{_SUFFIXES[child.kind]}"
            yield Referrer(child.descriptor, subject, tag)
        yield from _walk_referrers(child)


def plan_referrers(
    session: Session,
    source: Source,
    sink: Repository,
    attached: list[Referrer],
    *,
    skip_foreign: bool,
    reserve: bool,
) -> ReferrerPlan:
    """Plan the transfer of referrers; skip unreadable ones with a warning.

    Args:
        session: the run.
        source: the source of the referrers.
        sink: the target repository.
        attached: the referrers.
        skip_foreign: as in `make_plan`.
        reserve: as in `make_plan`; whether the plan will be executed.
    """
    memory = MemoryPlace("the referrers")
    with thread_pool(session.jobs, "referrers") as pool:
        reasons = list(pool.map(lambda item: _read_referrer(source, item, memory), attached))
    for item, why in zip(attached, reasons, strict=True):
        if why:
            session.warn(
                f"skipped {item.descriptor.digest}, listed as a referrer of {item.subject}: {why}"
            )
    whole = tuple(item for item, why in zip(attached, reasons, strict=True) if not why)
    # Combine all referrers in a temporary index to get one plan; the index is never written.
    entries = {
        d.digest: {"mediaType": d.media_type, "digest": str(d.digest), "size": d.size}
        for d in (item.descriptor for item in whole)
    }
    body = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(entries.values())}
    plan = make_plan(
        Overlay(memory, source),
        sink,
        memory.add(json.dumps(body).encode(), OCI_INDEX),
        skip_foreign=skip_foreign,
        reserve=reserve,
        jobs=session.jobs,
    )
    subjects = {item.subject for item in whole if not item.tag} if reserve else ()
    before = read_referrers(session, sink, subjects)
    return ReferrerPlan(whole, replace(plan, steps=plan.steps[:-1]), sink, before)


def _read_referrer(source: Source, item: Referrer, memory: MemoryPlace) -> str:
    """Read a manifest once, and return why it cannot be copied; empty if it can."""
    if not item.descriptor.is_manifest:
        return f"unknown type `{item.descriptor.media_type}`"
    try:
        raw = read_metadata(source, item.descriptor)
        subject = parse(raw, item.descriptor.media_type).subject
    except _UNREADABLE as error:
        return str(error)
    if not item.tag and (subject is None or subject.digest != item.subject):
        # No registry would list it as a referrer of this subject.
        return "its subject is another manifest"
    memory.put(item.descriptor, raw)
    return ""


def combine_plans(image: Plan, referrer_plan: ReferrerPlan | None) -> Plan:
    """Return a plan of an image and its referrers without duplicates, for display."""
    if referrer_plan is None:
        return image
    steps = {step.descriptor.digest: step for step in (*referrer_plan.plan.steps, *image.steps)}
    manifests = {**referrer_plan.plan.manifests, **image.manifests}
    return replace(image, steps=tuple(steps.values()), manifests=manifests)


def ignore_plans(observer: Observer) -> Observer:
    """Return an observer that ignores plans: one plan of everything was reported before."""

    def watch(event: Event) -> None:
        if not isinstance(event, Planned):
            observer(event)

    return watch


def copy_referrers(
    session: Session, referrer_plan: ReferrerPlan, options: TransferOptions, observer: Observer
) -> None:
    """Copy the referrers to the target, and attach them as in the source.

    Args:
        session: the run.
        referrer_plan: the planned referrers.
        options: the transfer options.
        observer: receives progress events.
    """
    plan = referrer_plan.plan
    if plan.steps:
        execute(plan, options, observer)
    with writing_to(plan.sink):
        _ensure_all_listed(session, referrer_plan)
        for item in referrer_plan.attached:
            if item.tag:
                _set_tag(session, referrer_plan, item)


def _ensure_all_listed(session: Session, referrer_plan: ReferrerPlan) -> None:
    """Ensure that the target lists the copied referrers and those that it listed before."""
    plan, sink = referrer_plan.plan, referrer_plan.sink
    existing = {step.descriptor.digest for step in plan.steps if step.action is Action.EXISTS}
    for subject, before in referrer_plan.before.items():
        ours = [a.descriptor for a in referrer_plan.attached if not a.tag and a.subject == subject]
        wanted = {d.digest: Content(sink, d) for d in before}
        wanted |= {d.digest: Content(plan.source, d) for d in ours}
        unlisted = existing - {d.digest for d in before}
        ensure_listed(session, sink, subject, wanted, unlisted)


def _set_tag(session: Session, referrer_plan: ReferrerPlan, item: Referrer) -> None:
    """Set cosign's tag on a manifest, unless that would lose signatures at the target."""
    source, sink = referrer_plan.plan.source, referrer_plan.sink
    try:
        existing = sink.resolve(item.tag)
    except NotFoundError:
        existing = None
    if existing and existing.digest == item.descriptor.digest:
        return
    if existing and not _layers(sink, existing) <= _layers(source, item.descriptor):
        session.warn(
            f"{sink.label}:{item.tag} was not changed: it has signatures that the source does not "
            f"have (source: {item.descriptor.digest})"
        )
        return
    content = Content(source, item.descriptor)
    session.with_retries(lambda: sink.tag(content, item.tag))


def _layers(source: Source, descriptor: Descriptor) -> set[Digest]:
    """Return the layers of a cosign manifest, one for each signature."""
    parsed = parse(read_metadata(source, descriptor), descriptor.media_type)
    own = {descriptor.digest}
    return {layer.digest for layer in parsed.layers} if isinstance(parsed, Manifest) else own
