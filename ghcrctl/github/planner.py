"""From graph, policy and time to a plan: a pure function.

What belongs here: which versions go, in which order, and why. What does not: getting the graph,
carrying the plan out (``operations``).

What holds of every plan, and what the property tests say:

- Nothing that a root which stays needs is deleted: its children, what is attached to it, and what
  it is attached to itself.
- A manifest that cannot be read might need any other: then nothing goes.
- What needs something goes before it, so that no moment shows a broken image.
- One tagged version stays at least, since GitHub keeps the last one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ghcrctl.errors import RefusedError, RetainedError
from ghcrctl.github.image_counts import (
    by_age,
    held_by_floor,
    images_among,
    kept_last,
    tagged_by_age,
)
from ghcrctl.github.orphans import detached_goes, unseen_warnings
from ghcrctl.github.plan import Kept, Plan, Step
from ghcrctl.github.version_kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.policy import Policy
    from ghcrctl.github.records import Version

_NAMED = 3
_ASKED = "asked for"


@dataclass(slots=True)
class _Verdicts:
    """Why each root is deleted or kept; a root with both reasons is kept."""

    goes: dict[str, str] = field(default_factory=dict)
    stays: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """Which package a plan is for."""

    registry: str
    owner: str
    package: str
    rules: Mapping[str, object] = field(default_factory=dict)


def make_plan(graph: Graph, policy: Policy, now: datetime, target: Target) -> Plan:
    """Plan what goes by a policy.

    Args:
        graph: the package's.
        policy: the rules.
        now: aware.
        target: which package it is.

    Raises:
        RefusedError: nothing tagged would be left, and the policy says to fail then.
        InvalidFilterError: an expression takes too long.
    """
    if graph.unreadable:
        return _closed(graph, target, now)
    verdicts = _judge(graph, policy, now)
    kept = _kept_by(graph, verdicts)
    if _is_lost(graph, kept) and policy.if_empty == "fail":
        raise RefusedError(
            f"the rules leave nothing tagged of {target.owner}/{target.package}",
            hint="with --when-empty the newest stays, or the package goes",
        )
    whole = policy.if_empty == "delete-package" and not kept.intersection(graph.versions)
    if whole and graph.versions:
        return plan_whole(graph, now, target)
    if _hold_floor(graph, policy, verdicts, kept):
        kept = _kept_by(graph, verdicts)
    return _assemble(graph, verdicts, kept, now, target, unseen_warnings(graph, verdicts.stays))


def plan_deletion(graph: Graph, digests: Sequence[str], now: datetime, target: Target) -> Plan:
    """Plan what goes with some versions: they, and what only they need.

    Raises:
        RefusedError: something that stays needs one of them.
    """
    doomed = set(digests)
    for digest in digests:
        needing = [d for d in graph.parents.get(digest, ()) if d not in doomed]
        if needing:
            raise RefusedError(
                f"{label(graph, needing[0])} needs {digest}",
                hint=f"delete that one, and this goes with it: {needing[0]}",
            )
    verdicts = _Verdicts()
    for digest in digests:
        verdicts.goes[digest] = _ASKED
    reached = graph.reach(digests)
    unreadable = sorted(graph.unreadable.keys() - doomed)
    if unreadable:
        # It might need any other version, so only the named ones are deleted.
        why = f"{_short(unreadable[0])}, which cannot be read, might need it"
        verdicts.stays.update(dict.fromkeys(graph.versions.keys() - doomed, why))
    for digest in graph.versions:
        if digest not in reached or (graph.own_tags(digest) and digest not in doomed):
            verdicts.stays.setdefault(digest, "not asked for")
    kept = _kept_by(graph, verdicts, explicit=doomed)
    if _is_lost(graph, kept):
        raise RetainedError(
            f"nothing tagged would be left of {target.owner}/{target.package}, and GitHub keeps "
            "the last tagged version of a package",
            hint=f"delete the package: ghcrctl packages delete {target.owner}/{target.package}",
        )
    warnings = [
        f"{_short(d)} cannot be read ({graph.unreadable[d]}): what only the deleted need stays too"
        for d in unreadable
    ]
    plan = _assemble(graph, verdicts, kept, now, target, warnings)
    return replace(plan, unreadable={digest: graph.unreadable[digest] for digest in unreadable})


def label(graph: Graph, digest: str) -> str:
    """Name a version for people: by its tags, else by the start of its digest."""
    tags = graph.own_tags(digest)
    return f"`{tags[0]}`" if tags else _short(digest)


# What the rules say of each root


def _judge(graph: Graph, policy: Policy, now: datetime) -> _Verdicts:
    verdicts = _Verdicts()
    last = kept_last(graph, policy)
    untagged = [d for d in graph.roots if not graph.own_tags(d) and not graph.is_detached(d)]
    first = set(by_age(graph, policy, untagged)[: policy.keep_untagged or 0])
    for digest in sorted(graph.roots):
        version = graph.versions[digest]
        reason = _must_stay(policy, version, now)
        if reason is None and digest in first:
            reason = f"one of the {policy.keep_untagged} newest without a tag"
        goes, why = (False, reason) if reason else _may_go(graph, policy, digest, last)
        (verdicts.goes if goes else verdicts.stays)[digest] = why
    for digest in graph.versions.keys() - graph.roots:
        reason = _must_stay(policy, graph.versions[digest], now)
        if reason:
            verdicts.stays[digest] = reason
    return verdicts


def _must_stay(policy: Policy, version: Version, now: datetime) -> str | None:
    """Tell what protects a version, whatever rules choose it."""
    if version.digest in policy.protected:
        return "its digest is protected"
    protecting = policy.protecting(version.tags)
    if protecting:
        return f"`{protecting[0]}` is protected"
    if now - max(version.created, version.updated) < policy.min_age:
        return "it is too new: somebody may still be pushing it"
    return None


def _may_go(graph: Graph, policy: Policy, digest: str, last: Mapping[str, str]) -> tuple[bool, str]:
    """Tell whether a root that nothing protects goes, and why or why not."""
    version = graph.versions[digest]
    goes, why = _class_goes(graph, policy, digest, last)
    if goes and not policy.has_age(version):
        return False, f"{policy.by} {policy.age_of(version):%Y-%m-%d}, out of the span"
    return goes, why


def _class_goes(
    graph: Graph, policy: Policy, digest: str, last: Mapping[str, str]
) -> tuple[bool, str]:
    if graph.is_detached(digest):
        return detached_goes(graph, policy, digest)
    if not graph.own_tags(digest):
        return policy.untagged, "no tag, and nothing needs it"
    broken = _broken(graph, policy, digest)
    return (True, broken) if broken else _tagged_goes(graph, policy, digest, last)


def _broken(graph: Graph, policy: Policy, digest: str) -> str:
    if policy.ghosts and graph.is_ghost(digest):
        return "none of its images is left"
    if policy.partial and graph.is_partial(digest):
        return f"{len(graph.missing_children(digest))} of its images are missing"
    return ""


def _tagged_goes(
    graph: Graph, policy: Policy, digest: str, last: Mapping[str, str]
) -> tuple[bool, str]:
    tags = graph.own_tags(digest)
    left_over, included = policy.left_over(tags), policy.included(tags)
    chosen = {*left_over, *included}
    others = [tag for tag in tags if tag not in chosen]
    if not chosen:
        return False, "it is tagged, and no rule chooses its tags"
    if others:
        return False, f"it is tagged `{others[0]}` too"
    if len(left_over) == len(tags):
        return True, f"`{left_over[0]}` was made for what is closed or deleted"
    if digest in last:
        return False, last[digest]
    if policy.keep_last is not None:
        return True, f"not one of the {policy.keep_last} newest"
    return True, f"`{included[0]}` fits"


# What follows


def _kept_by(graph: Graph, verdicts: _Verdicts, *, explicit: Iterable[str] = ()) -> set[str]:
    """Return all that stays: what is said to, what that needs, and what nothing is said of."""
    reached = graph.reach(verdicts.goes)
    # A cycle, which only tags can make, has no root; a manifest without a version may be in use.
    unsaid = [d for d in graph.versions if d not in reached]
    unlisted = [d for d in graph.facts if d not in graph.versions]
    return graph.closure([*verdicts.stays, *unsaid, *unlisted], without=set(explicit))


def _is_lost(graph: Graph, kept: set[str]) -> bool:
    """Tell whether nothing would be left that GitHub lets a package consist of."""
    tagged = [digest for digest, version in graph.versions.items() if version.tags]
    return bool(graph.versions) and not kept.intersection(tagged or graph.versions)


def _hold_floor(graph: Graph, policy: Policy, verdicts: _Verdicts, kept: set[str]) -> bool:
    """Keep the newest images where too few would be left; return whether that was needed."""
    held = held_by_floor(graph, policy, kept)
    why = f"{policy.least} tagged images are always kept"
    if not held and _is_lost(graph, kept):
        images = images_among(graph, tagged_by_age(graph, policy))
        any_tag = [d for d, version in graph.versions.items() if version.tags]
        held = images[:1] or by_age(graph, policy, any_tag or graph.versions)[:1]
        why = "GitHub keeps the last tagged version of a package"
    for digest in held:
        verdicts.stays[digest] = why
    return bool(held)


def _assemble(
    graph: Graph,
    verdicts: _Verdicts,
    kept: set[str],
    now: datetime,
    target: Target,
    warnings: Iterable[str] = (),
) -> Plan:
    doomed = set(graph.versions) - kept
    order = graph.deletion_order(doomed)
    left = graph.sizes(kept)
    steps = []
    for digest in order:
        freed = {blob: size for blob, size in graph.blobs(digest) if blob not in left}
        left |= freed
        steps.append(_step(graph, digest, verdicts, doomed, sum(freed.values())))
    return Plan(
        registry=target.registry,
        owner=target.owner,
        package=target.package,
        made=now,
        rules=target.rules,
        steps=tuple(steps),
        kept=tuple(_kept(graph, d, verdicts, kept) for d in graph.versions if d in kept),
        size=sum(graph.sizes(graph.versions).values()),
        warnings=tuple(warnings),
    )


def _step(graph: Graph, digest: str, verdicts: _Verdicts, doomed: set[str], freed: int) -> Step:
    version = graph.versions[digest]
    above = tuple(dict.fromkeys(d for d in graph.above(digest) if d in doomed))
    return Step(
        id=version.id,
        digest=digest,
        tags=version.tags,
        kind=kind_of(graph, digest),
        reason=verdicts.goes.get(digest) or _goes_with(graph, above),
        created=version.created,
        freed=freed,
        follows=above,
        is_asked=verdicts.goes.get(digest) == _ASKED,
    )


def _goes_with(graph: Graph, above: Sequence[str]) -> str:
    if len(above) == 1:
        return f"only {label(graph, above[0])} needs it"
    names = ", ".join(label(graph, d) for d in above[:_NAMED])
    return f"only {names}{' and others' * (len(above) > _NAMED)} need it"


def _kept(graph: Graph, digest: str, verdicts: _Verdicts, kept: set[str]) -> Kept:
    version = graph.versions[digest]
    reason = verdicts.stays.get(digest)
    if reason is None:
        needing = [d for d in graph.above(digest) if d in kept]
        reason = f"{label(graph, needing[0])} needs it" if needing else "it is part of a circle"
    return Kept(version.id, digest, version.tags, kind_of(graph, digest), reason)


def _closed(graph: Graph, target: Target, now: datetime) -> Plan:
    """Keep everything: what cannot be read might need any of it."""
    names = sorted(graph.unreadable)
    shown = ", ".join(f"{_short(d)} ({graph.unreadable[d]})" for d in names[:_NAMED])
    reason = f"{_short(names[0])} cannot be read, and might need it"
    return Plan(
        registry=target.registry,
        owner=target.owner,
        package=target.package,
        made=now,
        rules=target.rules,
        kept=tuple(
            Kept(v.id, d, v.tags, kind_of(graph, d), reason) for d, v in graph.versions.items()
        ),
        size=sum(graph.sizes(graph.versions).values()),
        warnings=(
            f"nothing is deleted, since manifests cannot be read: {shown}"
            f"{' ...' * (len(names) > _NAMED)}; try again, or delete each by its digest",
        ),
        unreadable=dict(graph.unreadable),
    )


def plan_whole(graph: Graph, now: datetime, target: Target) -> Plan:
    """Plan that a package goes with all of its versions."""
    verdicts = _Verdicts(goes=dict.fromkeys(graph.versions, "the package goes"))
    return replace(_assemble(graph, verdicts, set(), now, target), deletes_package=True)


def _short(digest: str) -> str:
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm}:{encoded[:12]}"
