"""Showing plans, asking, carrying them out, and telling how it went: for all commands that delete.

What belongs here: what `prune`, `apply` and `delete` have in common, so that what is shown is what
is done.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.format.documents import error_fields
from ghcrctl.cli.format.plans import (
    counted,
    done_line,
    failures_summary,
    headline,
    kept_table,
    left_line,
    plan_table,
    run_document,
    summary,
)
from ghcrctl.cli.format.units import human_size
from ghcrctl.cli.item_progress import ItemCounter
from ghcrctl.cli.prompts import ask, choose, confirm
from ghcrctl.cli.results import Results
from ghcrctl.cli.signals import EndedError, TimeIsUpError
from ghcrctl.errors import AuthError, GhcrctlError, RefusedError
from ghcrctl.operations.packages.journal import State, journal_beside
from ghcrctl.operations.packages.plan_execution import (
    apply_plans,
    continue_hint,
    preview_plans,
    remaining_steps,
    store_plans,
    write_plans,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.apply import Done

_ANSWERS = {
    **dict.fromkeys(("y", "yes"), "yes"),
    **dict.fromkeys(("n", "no"), "no"),
    **dict.fromkeys(("r", "review"), "review"),
}
# Before a question, no more than fills a screen.
_MOST_BEFORE_QUESTION = 30


@dataclass(frozen=True, slots=True)
class ExecutionOptions:
    """How a person wants it.

    Args:
        format_: tell everything as one object: ``json`` or a template.
        quiet: tell no more than needed.
        dry_run: show, and do nothing.
        checks: with `dry_run`, find out what changed since the plan was made.
        yes: do not ask.
        show_kept: show what stays too.
    """

    format_: str | None = None
    quiet: bool = False
    dry_run: bool = False
    checks: bool = False
    yes: bool = False
    show_kept: bool = False


class PlanExecution:
    """One run of plans.

    Args:
        app: the program.
        session: the run.
        manner: how it is wanted.
    """

    def __init__(self, app: App, session: Session, manner: ExecutionOptions) -> None:
        self._app = app
        self._session = session
        self._manner = manner
        self._results = Results(app, manner.format_)
        self._actions = app.actions
        self._done: list[Done] = []
        self._counts: Counter[State] = Counter()
        self._freed = 0
        self._set_aside: Path | None = None
        self._failures: list[tuple[str, GhcrctlError]] = []
        self.counting = ItemCounter(app, quiet=manner.quiet)
        self.graphs: dict[str, Graph] = {}

    def run(self, plans: Sequence[Plan], *, plan_file: Path | None = None) -> int:
        """Show plans, ask, and carry them out; return the exit status.

        Args:
            plans: one a package.
            plan_file: where they are; without it they are kept where journals are.
        """
        self._warn(plans)
        if not self._results.are_documents:
            self._show(plans)
        if not self._manner.dry_run and any(plan.does_something for plan in plans):
            plans = self._agreed(plans)
        if not any(plan.does_something for plan in plans):
            self._finish(plans, plan_file, None)
            return self._status(plans)
        if self._manner.dry_run:
            return self._preview(plans, plan_file)
        plan_file = plan_file or store_plans(self._session, plans)
        journal = journal_beside(plan_file)
        try:
            error = self._apply(plans, plan_file)
        except GhcrctlError as stopped:
            self._finish(plans, plan_file, journal, stopped)
            raise
        except (KeyboardInterrupt, EndedError) as ended:
            self._finish(plans, plan_file, journal)
            if isinstance(ended, TimeIsUpError):
                ended.reason.hint = continue_hint(plan_file)
            elif not self._app.as_json:
                self._app.error_line(f"hint: {continue_hint(plan_file)}")
            raise
        self._finish(plans, plan_file, journal, error)
        return self._status(plans, error)

    def _preview(self, plans: Sequence[Plan], plan_file: Path | None) -> int:
        """Show what plans would do now; return the exit status."""
        error = None
        if self._manner.checks:
            error = preview_plans(
                self._session,
                plans,
                plan_file,
                tell=self._tell,
                progress=self.counting,
                failed=self.failed,
            )
        self._finish(plans, plan_file, None, error)
        return self._status(plans, error)

    def failed(self, name: str, error: GhcrctlError) -> None:
        """Report a package that could not be planned or carried out; the others are."""
        self.counting.clear()
        self._failures.append((name, error))
        self._app.report(error)

    def _status(self, plans: Sequence[Plan], error: GhcrctlError | None = None) -> int:
        """Report what could not be read or done; return the exit status of the first failure."""
        reported = [reason for _, reason in self._failures]
        new: list[GhcrctlError] = [reason for plan in plans if (reason := plan.unreadable_error)]
        # A package may be read again while it is carried out, and fail for the same reason.
        if error and error not in reported and str(error) not in map(str, new):
            new.append(error)
        for failure in new:
            self._app.report(failure)
        if self._failures and not self._app.as_json:
            failed = dict.fromkeys(name for name, _ in self._failures)
            count = f"{len(failed)} of {len({*failed, *(plan.name for plan in plans)})} packages"
            self._app.error_line(f"failed: {count}: {', '.join(failed)}")
        statuses = [int(reason.exit_status) for reason in (*reported, *new)]
        return statuses[0] if statuses else 0

    def write(self, plans: Sequence[Plan], path: Path, *, brief: bool) -> int:
        """Write plans to a file to carry out later; return the exit status.

        Args:
            plans: one a package.
            path: the file.
            brief: tell one line a package, and not what goes.
        """
        write_plans(path, plans)
        self._warn(plans)
        if brief and not self._manner.quiet:
            for plan in plans:
                self._results.out(headline(plan))
        elif not self._results.are_documents:
            self._show(plans)
        self._finish(plans, path, None)
        if not self._manner.quiet:
            self._results.out(f"Carry it out: ghcrctl packages apply {path}")
        return self._status(plans)

    def _warn(self, plans: Sequence[Plan]) -> None:
        self.counting.clear()
        for plan in plans:
            for warning in plan.warnings:
                self._app.warn(f"{plan.name}: {warning}")
                self._actions.warning(f"{plan.name}: {warning}")

    def _show(self, plans: Sequence[Plan]) -> None:
        measure = self._app.measure
        asks = not (self._manner.dry_run or self._manner.yes)
        for plan in plans:
            if self._manner.quiet:
                if self._manner.dry_run and not self._manner.checks:
                    self._app.write("".join(f"{step.digest}\n" for step in plan.steps))
                continue
            self._app.out(headline(plan))
            shown = plan.steps[:_MOST_BEFORE_QUESTION] if asks else plan.steps
            if shown and (asks or (self._manner.dry_run and not self._manner.checks)):
                self._app.write(plan_table(shown, measure, self._app.style))
            if len(shown) < len(plan.steps):
                left = len(plan.steps) - len(shown)
                self._app.out(f"... and {left} more; --dry-run shows all")
            if self._manner.show_kept and plan.kept:
                self._app.out("What stays:")
                self._app.write(kept_table(plan, self._app.style))

    def review(self, plans: Sequence[Plan]) -> list[Plan]:
        """Let a person take versions out of plans, on the screen.

        Raises:
            RefusedError: there is no terminal for that.
            Abort: the person gave it up.
        """
        self.counting.clear()
        if not self._app.can_draw:
            raise RefusedError(
                self._app.no_prompt_reason("there is no terminal for a review"),
                hint="--dry-run shows what would go, --plan FILE writes it; --exclude PATTERN and "
                "--protect-digest DIGEST keep what is to stay",
            )
        chosen = [plan for plan in plans if plan.does_something]
        if not chosen:
            return list(plans)
        from ghcrctl.cli.review.review import review

        now = datetime.now(timezone.utc)
        left = review(chosen, self.graphs, now, self._app.error_style)
        if left is None:
            raise click.Abort
        by_name = {plan.name: plan for plan in left}
        return [by_name.get(plan.name, plan) for plan in plans]

    def _agreed(self, plans: Sequence[Plan]) -> Sequence[Plan]:
        """Ask whether plans are to be carried out; return them as they are after a review."""
        while not self._ask(plans):
            plans = self.review(plans)
            if not any(plan.does_something for plan in plans):
                return plans
            for plan in plans:
                self._app.error_line(headline(plan))
        return plans

    def _ask(self, plans: Sequence[Plan]) -> bool:
        """Ask; return whether the answer is yes, and no review is wanted."""
        if self._manner.yes:
            return True
        if not self._app.can_prompt:
            raise RefusedError(
                self._app.no_prompt_reason("there is no terminal to ask at"),
                hint="--yes deletes, --dry-run only shows",
            )
        whole = [plan for plan in plans if plan.deletes_package]
        for plan in whole:
            name = f"{plan.owner}/{plan.package}"
            typed = ask(f"Type {name} to delete the whole package", "", self._app.error_style)
            if typed != name:
                raise click.Abort
        count = sum(len(plan.steps) for plan in plans)
        return bool(whole) or self._confirm(f"This deletes {count} versions. Continue?")

    def _confirm(self, question: str) -> bool:
        """Ask for yes or no; return ``False`` where a review is asked for."""
        style = self._app.error_style
        if not (self.graphs and self._app.can_draw):
            answer = "yes" if confirm(question, style) else "no"
        else:
            answer = choose(question, "[y/N, r to review]", _ANSWERS, style)
        if answer == "no":
            raise click.Abort
        return answer == "yes"

    def _apply(self, plans: Sequence[Plan], path: Path) -> GhcrctlError | None:
        return apply_plans(
            self._session,
            plans,
            path,
            tell=self._tell,
            progress=self.counting,
            moved=self._note_set_aside,
            failed=self.failed,
        )

    def _note_set_aside(self, journal: Path) -> None:
        self._set_aside = journal

    def _tell(self, done: Done) -> None:
        self._done.append(done)
        # Counted one by one, since a run may be cut short.
        self._counts[done.state] += len(done.steps)
        self._freed += done.freed
        self.counting.clear()
        if done.state in {State.BLOCKED, State.FAILED, State.DENIED}:
            self._actions.warning(done_line(done))
        if done.was_done:
            return
        if not self._manner.quiet:
            self._results.out(done_line(done))
        elif done.state in {State.DELETED, State.PLANNED}:
            for step in done.steps:
                self._results.out(step.digest)

    def _finish(
        self,
        plans: Sequence[Plan],
        plan_file: Path | None,
        journal: Path | None,
        error: GhcrctlError | None = None,
    ) -> None:
        """Report a run, whether it was carried out to the end or not."""
        self.counting.clear()
        files = {
            "Plan": plan_file and str(plan_file),
            "Journal": journal and str(journal),
            "SetAside": self._set_aside and str(self._set_aside),
        }
        dry_run, is_guess = self._manner.dry_run, self._manner.dry_run and not self._manner.checks
        freed = sum(plan.freed for plan in plans) if is_guess else self._freed
        failed = [{"Package": name, **error_fields(error)} for name, error in self._failures]
        data = run_document(plans, self._done, freed, dry_run=dry_run)
        self._results.add({**data, "Failed": failed, **files})
        self._results.end(single=True)
        if not self._manner.quiet:
            if journal or self._done:
                self._name_rest(plans, error)
            self._sum_up(journal)
        text = summary(plans, self._done, self._counts, dry_run=dry_run)
        self._actions.summary(text + failures_summary(self._failures))
        self._actions.outputs(
            {
                "planned": sum(len(plan.steps) for plan in plans),
                "deleted": self._counts[State.DELETED],
                "failed": self._counts[State.FAILED] + self._counts[State.DENIED],
                "freed": freed,
                "journal": journal or "",
            }
        )

    def _name_rest(self, plans: Sequence[Plan], error: GhcrctlError | None) -> None:
        """Print what was not attempted, since the run ended early."""
        left = remaining_steps(plans, self._done)
        # Other errors are passing, and the same command continues.
        shown = left[:_MOST_BEFORE_QUESTION] if isinstance(error, AuthError) else []
        for _, step in shown:
            self._results.out(left_line(step))
        if len(left) > len(shown):
            more = len(left) - len(shown)
            self._results.out(f"... and {more} more" if shown else f"Not attempted: {more}")

    def _sum_up(self, journal: Path | None) -> None:
        if self._done:
            verb = "frees" if self._manner.dry_run else "freed"
            self._results.out(f"{counted(self._counts)}; {verb} {human_size(self._freed)}")
        if self._set_aside:
            self._results.out(f"Journal of another plan kept as: {self._set_aside}")
        if journal and self._counts[State.DELETED]:
            self._results.out(f"Undo: ghcrctl packages restore --run {journal}")
