"""Creates a deletion plan from a graph, a policy and the time, as a pure function.

Every plan satisfies these rules, which property tests check:

- Nothing that a kept root needs is deleted: its children, its referrers and its subjects.
- An unreadable manifest might need any version, so nothing is deleted.
- A version is deleted before the versions that it needs, so no image is ever broken.
- At least one tagged version is kept, since GitHub refuses to delete the last one.
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
from ghcrctl.github.orphans import judge_detached, unseen_warnings
from ghcrctl.github.plan import Kept, Plan, Step
from ghcrctl.github.version_kinds import kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from ghcrctl.github.graph import Graph
    from ghcrctl.github.records import Version
    from ghcrctl.github.retention_policy import Policy

_MAX_SHOWN = 3
_REQUESTED = "requested"


@dataclass(slots=True)
class _Verdicts:
    """Why each root is deleted or kept; a root with both reasons is kept."""

    deleted: dict[str, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """The package that a plan is for."""

    registry: str
    owner: str
    package: str
    rules: Mapping[str, object] = field(default_factory=dict)


def make_plan(graph: Graph, policy: Policy, now: datetime, target: Target) -> Plan:
    """Return the deletion plan for a policy.

    Args:
        graph: the package's graph.
        policy: the retention policy.
        now: the current time, with a time zone.
        target: the package.

    Raises:
        RefusedError: no tagged version would be left, and the policy says to fail then.
        InvalidFilterError: an expression takes too long.
    """
    if graph.unreadable:
        return _keep_all(graph, target, now)
    verdicts = _judge(graph, policy, now)
    kept = _kept_by(graph, verdicts)
    if _is_lost(graph, kept) and policy.if_empty == "fail":
        raise RefusedError(
            f"the rules would delete all tagged versions of {target.owner}/{target.package}",
            hint="keep the newest with --when-empty keep, or use --when-empty delete-package",
        )
    whole = policy.if_empty == "delete-package" and not kept.intersection(graph.versions)
    if whole and graph.versions:
        return plan_whole(graph, now, target)
    if _hold_floor(graph, policy, verdicts, kept):
        kept = _kept_by(graph, verdicts)
    return _assemble(graph, verdicts, kept, now, target, unseen_warnings(graph, verdicts.kept))


def plan_deletion(graph: Graph, digests: Sequence[str], now: datetime, target: Target) -> Plan:
    """Return the plan to delete some versions, with everything that only they need.

    Raises:
        RefusedError: a version to keep needs one of them.
    """
    doomed = set(digests)
    for digest in digests:
        needing = [d for d in graph.parents.get(digest, ()) if d not in doomed]
        if needing:
            raise RefusedError(
                f"cannot delete {digest}: {label(graph, needing[0])} needs it",
                hint=f"delete {needing[0]}, which deletes this version too",
            )
    verdicts = _Verdicts()
    for digest in digests:
        verdicts.deleted[digest] = _REQUESTED
    reached = graph.reach(digests)
    unreadable = sorted(graph.unreadable.keys() - doomed)
    if unreadable:
        # It might need any other version, so only the named ones are deleted.
        why = f"{_short(unreadable[0])}, which cannot be read, might need it"
        verdicts.kept.update(dict.fromkeys(graph.versions.keys() - doomed, why))
    for digest in graph.versions:
        if digest not in reached or (graph.own_tags(digest) and digest not in doomed):
            verdicts.kept.setdefault(digest, "not requested")
    kept = _kept_by(graph, verdicts, explicit=doomed)
    if _is_lost(graph, kept):
        raise RetainedError(
            f"cannot delete all tagged versions of {target.owner}/{target.package}: GitHub keeps "
            "the last tagged version of a package",
            hint=f"delete the package: ghcrctl packages delete {target.owner}/{target.package}",
        )
    warnings = [
        f"{_short(d)} cannot be read ({graph.unreadable[d]}); keeping what only the deleted "
        "versions need"
        for d in unreadable
    ]
    plan = _assemble(graph, verdicts, kept, now, target, warnings)
    return replace(plan, unreadable={digest: graph.unreadable[digest] for digest in unreadable})


def label(graph: Graph, digest: str) -> str:
    """Return a name for a version: its first tag, else its short digest."""
    tags = graph.own_tags(digest)
    return f"`{tags[0]}`" if tags else _short(digest)


# Verdicts on roots, according to the rules


def _judge(graph: Graph, policy: Policy, now: datetime) -> _Verdicts:
    verdicts = _Verdicts()
    last = kept_last(graph, policy)
    untagged = [d for d in graph.roots if not graph.own_tags(d) and not graph.is_detached(d)]
    first = set(by_age(graph, policy, untagged)[: policy.keep_untagged or 0])
    for digest in sorted(graph.roots):
        version = graph.versions[digest]
        reason = _protection(policy, version, now)
        if reason is None and digest in first:
            reason = f"one of the {policy.keep_untagged} newest without a tag"
        deletes, why = (False, reason) if reason else _judge_root(graph, policy, digest, last)
        (verdicts.deleted if deletes else verdicts.kept)[digest] = why
    for digest in graph.versions.keys() - graph.roots:
        reason = _protection(policy, graph.versions[digest], now)
        if reason:
            verdicts.kept[digest] = reason
    return verdicts


def _protection(policy: Policy, version: Version, now: datetime) -> str | None:
    """Return why a version is protected from all rules; ``None`` if it is not."""
    if version.digest in policy.protected:
        return "its digest is protected"
    protecting = policy.protecting(version.tags)
    if protecting:
        return f"`{protecting[0]}` is protected"
    if now - max(version.created, version.updated) < policy.min_age:
        return "it is too new: a push may be in progress"
    return None


def _judge_root(
    graph: Graph, policy: Policy, digest: str, last: Mapping[str, str]
) -> tuple[bool, str]:
    """Return whether an unprotected root is deleted, with the reason."""
    version = graph.versions[digest]
    deletes, why = _judge_class(graph, policy, digest, last)
    if deletes and not policy.has_age(version):
        return False, f"{policy.by} {policy.age_of(version):%Y-%m-%d}, outside the time range"
    return deletes, why


def _judge_class(
    graph: Graph, policy: Policy, digest: str, last: Mapping[str, str]
) -> tuple[bool, str]:
    if graph.is_detached(digest):
        return judge_detached(graph, policy, digest)
    if not graph.own_tags(digest):
        return policy.untagged, "untagged, and no version needs it"
    broken = _broken(graph, policy, digest)
    return (True, broken) if broken else _judge_tagged(graph, policy, digest, last)


def _broken(graph: Graph, policy: Policy, digest: str) -> str:
    if policy.ghosts and graph.is_ghost(digest):
        return "all of its images are missing"
    if policy.partial and graph.is_partial(digest):
        return f"{len(graph.missing_children(digest))} of its images are missing"
    return ""


def _judge_tagged(
    graph: Graph, policy: Policy, digest: str, last: Mapping[str, str]
) -> tuple[bool, str]:
    tags = graph.own_tags(digest)
    stale, included = policy.stale(tags), policy.included(tags)
    chosen = {*stale, *included}
    others = [tag for tag in tags if tag not in chosen]
    if not chosen:
        return False, "no rule selects its tags"
    if others:
        return False, f"it also has the tag `{others[0]}`"
    if len(stale) == len(tags):
        return True, f"the branch or pull request of `{stale[0]}` is deleted or closed"
    if digest in last:
        return False, last[digest]
    if policy.keep_last is not None:
        return True, f"not one of the {policy.keep_last} newest"
    return True, f"`{included[0]}` matches"


# Consequences of the verdicts


def _kept_by(graph: Graph, verdicts: _Verdicts, *, explicit: Iterable[str] = ()) -> set[str]:
    """Return all versions to keep: those with a verdict or without any, and what they need."""
    reached = graph.reach(verdicts.deleted)
    # A cycle, which only tags can create, has no root; a manifest without a version may be in use.
    unjudged = [d for d in graph.versions if d not in reached]
    unlisted = [d for d in graph.facts if d not in graph.versions]
    return graph.closure([*verdicts.kept, *unjudged, *unlisted], without=set(explicit))


def _is_lost(graph: Graph, kept: set[str]) -> bool:
    """Check whether no version would be left that GitHub accepts as the last one."""
    tagged = [digest for digest, version in graph.versions.items() if version.tags]
    return bool(graph.versions) and not kept.intersection(tagged or graph.versions)


def _hold_floor(graph: Graph, policy: Policy, verdicts: _Verdicts, kept: set[str]) -> bool:
    """Keep the newest images if too few would be left; return whether that was necessary."""
    held = held_by_floor(graph, policy, kept)
    why = f"{policy.least} tagged images are always kept"
    if not held and _is_lost(graph, kept):
        images = images_among(graph, tagged_by_age(graph, policy))
        any_tag = [d for d, version in graph.versions.items() if version.tags]
        held = images[:1] or by_age(graph, policy, any_tag or graph.versions)[:1]
        why = "GitHub keeps the last tagged version of a package"
    for digest in held:
        verdicts.kept[digest] = why
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
        reason=verdicts.deleted.get(digest) or _dependency_reason(graph, above),
        created=version.created,
        freed=freed,
        follows=above,
        is_asked=verdicts.deleted.get(digest) == _REQUESTED,
    )


def _dependency_reason(graph: Graph, above: Sequence[str]) -> str:
    if len(above) == 1:
        return f"only {label(graph, above[0])} needs it"
    names = ", ".join(label(graph, d) for d in above[:_MAX_SHOWN])
    return f"only {names}{' and others' * (len(above) > _MAX_SHOWN)} need it"


def _kept(graph: Graph, digest: str, verdicts: _Verdicts, kept: set[str]) -> Kept:
    version = graph.versions[digest]
    reason = verdicts.kept.get(digest)
    if reason is None:
        needing = [d for d in graph.above(digest) if d in kept]
        reason = f"{label(graph, needing[0])} needs it" if needing else "it is part of a cycle"
    return Kept(version.id, digest, version.tags, kind_of(graph, digest), reason)


def _keep_all(graph: Graph, target: Target, now: datetime) -> Plan:
    """Return a plan that keeps everything, since an unreadable manifest might need it."""
    names = sorted(graph.unreadable)
    shown = ", ".join(f"{_short(d)} ({graph.unreadable[d]})" for d in names[:_MAX_SHOWN])
    reason = f"{_short(names[0])}, which cannot be read, might need it"
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
            f"{' ...' * (len(names) > _MAX_SHOWN)}; try again, or delete them by digest",
        ),
        unreadable=dict(graph.unreadable),
    )


def plan_whole(graph: Graph, now: datetime, target: Target) -> Plan:
    """Return the plan to delete a package with all of its versions."""
    verdicts = _Verdicts(deleted=dict.fromkeys(graph.versions, "the package is deleted"))
    return replace(_assemble(graph, verdicts, set(), now, target), deletes_package=True)


def _short(digest: str) -> str:
    algorithm, _, encoded = digest.partition(":")
    return f"{algorithm}:{encoded[:12]}"
