"""Format deletion plans and their results as tables, documents and Markdown."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.markdown import cell
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.quantity import quantity
from ghcrctl.cli.format.table import render_rows
from ghcrctl.cli.format.units import human_size
from ghcrctl.operations.packages.journal import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ghcrctl.cli.format.style import Style
    from ghcrctl.cli.format.units import Measure
    from ghcrctl.errors import GhcrctlError
    from ghcrctl.github.plan import Plan, Step
    from ghcrctl.operations.packages.apply_plan import Done

NO_TAG = "<none>"
_COLUMNS = (
    ("id", "ID"),
    ("tags", "TAGS"),
    ("digest", "DIGEST"),
    ("kind", "KIND"),
    ("created", "CREATED"),
    ("frees", "FREES"),
    ("why", "WHY"),
)
_MAXIMUM_IN_SUMMARY = 100
# Narrower tables omit the digest.
_WIDTH_FOR_DIGEST = 120
# The digest within a tag such as sha256-<hex>.sig.
_DIGEST_TAG = re.compile(r"^(sha256-[0-9a-f]{12})[0-9a-f]{52}")


def headline(plan: Plan) -> str:
    """Return one line that says what a plan deletes."""
    if plan.deletes_package:
        versions = quantity(len(plan.steps), "version")
        return f"{plan.name}: delete the package and its {versions}"
    if not plan.steps:
        return f"{plan.name}: nothing to delete, {quantity(len(plan.kept), 'version')} kept"
    freed = f"{human_size(plan.freed)} of {human_size(plan.size)}"
    versions = quantity(len(plan.steps) + len(plan.kept), "version")
    return f"{plan.name}: delete {len(plan.steps)} of {versions}, {freed}"


def plan_table(steps: Iterable[Step], measure: Measure, style: Style) -> str:
    """Return the versions that a plan deletes as a table."""
    rows = (_cells(step, measure) for step in steps)
    # The number already identifies a version, so leave the space for the reason.
    is_narrow = style.width is not None and style.width < _WIDTH_FOR_DIGEST
    columns = [pair for pair in _COLUMNS if not (is_narrow and pair[0] == "digest")]
    return render_rows(rows, columns, headers=True, style=style)


def kept_table(plan: Plan, style: Style) -> str:
    """Return the versions that a plan keeps as a table."""
    rows = (
        {
            "id": f"#{kept.id}",
            "tags": tags_shown(kept.tags),
            "digest": _short(kept.digest),
            "kind": kept.kind,
            "why": printable(kept.reason),
        }
        for kept in plan.kept
    )
    columns = [pair for pair in _COLUMNS if pair[0] not in {"created", "frees"}]
    return render_rows(rows, columns, headers=True, style=style)


def _cells(step: Step, measure: Measure) -> dict[str, object]:
    return {
        "id": f"#{step.id}",
        "tags": tags_shown(step.tags),
        "digest": _short(step.digest),
        "kind": step.kind,
        "created": measure.since(step.created),
        "frees": measure.size(step.freed),
        "why": printable(step.reason),
    }


def tags_shown(tags: Iterable[str]) -> str:
    """Return tags for a table, with digests in tags of signatures and attestations cut short."""
    shown = [_DIGEST_TAG.sub(r"\1...", tag) for tag in tags]
    return ", ".join(shown) or NO_TAG


def _short(digest: str) -> str:
    return digest.partition(":")[2][:12]


def done_line(done: Done) -> str:
    """Return one line with the result of a step."""
    subject = f"#{done.step.id} {done.step.digest}" if done.step else done.plan.name
    tags = f" ({tags_shown(done.step.tags)})" if done.step and done.step.tags else ""
    why = f": {done.why}" if done.why else ""
    return f"{WORDS[done.state]}: {subject}{tags}{why}"


def left_line(step: Step) -> str:
    """Return one line for a step that was not attempted."""
    tags = f" ({tags_shown(step.tags)})" if step.tags else ""
    return f"Not attempted: #{step.id} {step.digest}{tags}"


WORDS = {
    State.PLANNED: "To delete",
    State.DELETED: "Deleted",
    State.GONE: "Already gone",
    State.CHANGED: "Skipped",
    State.RETAINED: "Retained by GitHub",
    State.BLOCKED: "Blocked by GitHub",
    State.DENIED: "Denied",
    State.FAILED: "Failed",
}


def counts_text(counts: Mapping[State, int]) -> str:
    """Return the number of versions in each state."""
    parts = [f"{counts[state]} {word.lower()}" for state, word in WORDS.items() if counts[state]]
    return ", ".join(parts) or "nothing to do"


def run_document(
    plans: Sequence[Plan], done: Sequence[Done], freed: int, *, dry_run: bool
) -> dict[str, Any]:
    """Return the document of a run."""
    states = {(d.plan.name, step.id): d for d in done for step in d.steps}
    ends = Counter(
        states[plan.name, step.id].state if (plan.name, step.id) in states else State.PLANNED
        for plan in plans
        for step in plan.steps
    )
    return {
        "DryRun": dry_run,
        "Packages": [_package_json(plan, states) for plan in plans],
        "Freed": freed,
        "Counts": {state.value: ends[state] for state in WORDS},
    }


def _package_json(plan: Plan, states: Mapping[tuple[str, int], Done]) -> dict[str, Any]:
    return {
        "Package": plan.name,
        "Size": plan.size,
        "Freed": plan.freed,
        "Kept": len(plan.kept),
        "DeletesPackage": plan.deletes_package,
        "Warnings": list(plan.warnings),
        "Unreadable": list(plan.unreadable),
        "Versions": [_step_json(step, states.get((plan.name, step.id))) for step in plan.steps],
    }


def _step_json(step: Step, done: Done | None) -> dict[str, Any]:
    return {
        "ID": step.id,
        "Digest": step.digest,
        "Tags": list(step.tags),
        "Kind": step.kind,
        "CreatedAt": step.created.isoformat(),
        "Freed": step.freed,
        "Reason": step.reason,
        "State": done.state.value if done else "planned",
        "Why": (done.why or None) if done else None,
    }


def summary(
    plans: Sequence[Plan], done: Sequence[Done], counts: Mapping[State, int], *, dry_run: bool
) -> str:
    """Return a run as Markdown, for the job summary."""
    states = {(d.plan.name, step.id): d for d in done for step in d.steps}
    lines = [f"### ghcrctl: {'dry run' if dry_run else counts_text(counts)}", ""]
    for plan in plans:
        lines += [f"**{cell(headline(plan))}**", ""]
        lines += [f"> {cell(warning)}" for warning in plan.warnings]
        if not plan.steps:
            continue
        lines += ["| version | tags | kind | frees | why | |", "|---|---|---|---|---|---|"]
        for step in plan.steps[:_MAXIMUM_IN_SUMMARY]:
            found = states.get((plan.name, step.id))
            state = found.state.value if found else "planned"
            lines.append(
                f"| {step.id} | {cell(', '.join(step.tags))} | {cell(step.kind)} "
                f"| {human_size(step.freed)} | {cell(step.reason)} | {state} |"
            )
        if len(plan.steps) > _MAXIMUM_IN_SUMMARY:
            lines.append(f"| ... | and {len(plan.steps) - _MAXIMUM_IN_SUMMARY} more | | | | |")
        lines.append("")
    return "\n".join(lines)


def failures_summary(failures: Sequence[tuple[str, GhcrctlError]]) -> str:
    """Return the packages that failed as Markdown, for the job summary."""
    if not failures:
        return ""
    lines = [f"| {cell(name)} | {cell(str(error))} |" for name, error in failures]
    return "\n".join(["", "| package that failed | error |", "|---|---|", *lines, ""])
