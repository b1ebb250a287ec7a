"""Show, confirm and execute deletion plans, for all commands that delete packages or versions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import click

from ghcrctl.cli.format.documents import error_fields
from ghcrctl.cli.format.plans import (
    counts_text,
    done_line,
    failures_summary,
    headline,
    kept_table,
    left_line,
    plan_table,
    run_document,
    summary,
)
from ghcrctl.cli.format.quantity import quantity
from ghcrctl.cli.format.units import human_size
from ghcrctl.cli.item_progress import ItemCounter
from ghcrctl.cli.prompts import ask, choose, confirm
from ghcrctl.cli.results import Results
from ghcrctl.cli.signals import EndedError, TimeIsUpError
from ghcrctl.errors import AuthError, GhcrctlError, RefusedError
from ghcrctl.operations.packages.apply_plans import (
    apply_plans,
    continue_hint,
    preview_plans,
    remaining_steps,
    store_plans,
    write_plans,
)
from ghcrctl.operations.packages.journal import State, journal_beside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.github.graph import Graph
    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.apply_plan import Done

_ANSWERS = {
    **dict.fromkeys(("y", "yes"), "yes"),
    **dict.fromkeys(("n", "no"), "no"),
    **dict.fromkeys(("r", "review"), "review"),
}
# A prompt follows, so the list has to fit on a screen.
_MAXIMUM_BEFORE_PROMPT = 30


@dataclass(frozen=True, slots=True)
class ExecutionOptions:
    """The options of a command that deletes.

    Args:
        format_: print one document: ``json`` or a template.
        quiet: only print deleted digests.
        dry_run: show what would be deleted.
        checks: with `dry_run`, check what has changed since the plan was created.
        yes: do not prompt.
        show_kept: also list kept versions.
    """

    format_: str | None = None
    quiet: bool = False
    dry_run: bool = False
    checks: bool = False
    yes: bool = False
    show_kept: bool = False


class PlanExecution:
    """The execution of deletion plans.

    Args:
        app: the run.
        session: the session.
        options: the options of the command.
    """

    def __init__(self, app: App, session: Session, options: ExecutionOptions) -> None:
        self._app = app
        self._session = session
        self._options = options
        self._results = Results(app, options.format_)
        self._actions = app.actions
        self._done: list[Done] = []
        self._counts: Counter[State] = Counter()
        self._freed = 0
        self._kept_journal: Path | None = None
        self._failures: list[tuple[str, GhcrctlError]] = []
        self.counter = ItemCounter(app, quiet=options.quiet)
        self.graphs: dict[str, Graph] = {}

    def run(self, plans: Sequence[Plan], *, plan_file: Path | None = None) -> int:
        """Show plans, ask for confirmation, and execute them; return the exit status.

        Args:
            plans: one plan per package.
            plan_file: the file of the plans. By default, they are stored next to the journals.
        """
        self._warn(plans)
        if not self._results.are_documents:
            self._show(plans)
        if not self._options.dry_run and any(plan.does_something for plan in plans):
            plans = self._confirmed(plans)
        if not any(plan.does_something for plan in plans):
            self._finish(plans, plan_file, None)
            return self._status(plans)
        if self._options.dry_run:
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
        if self._options.checks:
            error = preview_plans(
                self._session,
                plans,
                plan_file,
                tell=self._report,
                progress=self.counter,
                failed=self.failed,
            )
        self._finish(plans, plan_file, None, error)
        return self._status(plans, error)

    def failed(self, name: str, error: GhcrctlError) -> None:
        """Report a package that cannot be planned or processed; the others continue."""
        self.counter.clear()
        self._failures.append((name, error))
        self._app.report(error)

    def _status(self, plans: Sequence[Plan], error: GhcrctlError | None = None) -> int:
        """Report unreadable packages and failures; return the exit status of the first one."""
        reported = [reason for _, reason in self._failures]
        new: list[GhcrctlError] = [reason for plan in plans if (reason := plan.unreadable_error)]
        # Execution reads a package again and can fail for the reason that planning reported.
        if error and error not in reported and str(error) not in map(str, new):
            new.append(error)
        for failure in new:
            self._app.report(failure)
        if self._failures and not self._app.as_json:
            failed = dict.fromkeys(name for name, _ in self._failures)
            total = len({*failed, *(plan.name for plan in plans)})
            count = f"{len(failed)} of {quantity(total, 'package')}"
            self._app.error_line(f"failed: {count}: {', '.join(failed)}")
        statuses = [int(reason.exit_status) for reason in (*reported, *new)]
        return statuses[0] if statuses else 0

    def write(self, plans: Sequence[Plan], path: Path, *, brief: bool) -> int:
        """Write plans to a file for later execution; return the exit status.

        Args:
            plans: one plan per package.
            path: the file.
            brief: print one line per package instead of its versions.
        """
        write_plans(path, plans)
        self._warn(plans)
        if brief and not self._options.quiet:
            for plan in plans:
                self._results.out(headline(plan))
        elif not self._results.are_documents:
            self._show(plans)
        self._finish(plans, path, None)
        if not self._options.quiet:
            self._results.out(f"Apply it: ghcrctl packages apply {path}")
        return self._status(plans)

    def _warn(self, plans: Sequence[Plan]) -> None:
        self.counter.clear()
        for plan in plans:
            for warning in plan.warnings:
                self._app.warn(f"{plan.name}: {warning}")
                self._actions.warning(f"{plan.name}: {warning}")

    def _show(self, plans: Sequence[Plan]) -> None:
        measure = self._app.measure
        asks = not (self._options.dry_run or self._options.yes)
        for plan in plans:
            if self._options.quiet:
                if self._options.dry_run and not self._options.checks:
                    self._app.write("".join(f"{step.digest}\n" for step in plan.steps))
                continue
            self._app.out(headline(plan))
            shown = plan.steps[:_MAXIMUM_BEFORE_PROMPT] if asks else plan.steps
            if shown and (asks or (self._options.dry_run and not self._options.checks)):
                self._app.write(plan_table(shown, measure, self._app.style))
            if len(shown) < len(plan.steps):
                left = len(plan.steps) - len(shown)
                self._app.out(f"... and {left} more; --dry-run shows all")
            if self._options.show_kept and plan.kept:
                self._app.out("Kept versions:")
                self._app.write(kept_table(plan, self._app.style))

    def review(self, plans: Sequence[Plan]) -> list[Plan]:
        """Let the user exclude versions from plans, on the whole screen.

        Raises:
            RefusedError: there is no terminal.
            Abort: the user quit the review.
        """
        self.counter.clear()
        if not self._app.can_draw:
            raise RefusedError(
                self._app.no_prompt_reason("cannot open a review: there is no terminal"),
                hint="use --dry-run or --plan FILE to see the plan, and --exclude PATTERN or "
                "--protect-digest DIGEST to keep versions",
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

    def _confirmed(self, plans: Sequence[Plan]) -> Sequence[Plan]:
        """Ask for confirmation; return the plans, without the versions that a review excluded."""
        while not self._is_confirmed(plans):
            plans = self.review(plans)
            if not any(plan.does_something for plan in plans):
                return plans
            for plan in plans:
                self._app.error_line(headline(plan))
        return plans

    def _is_confirmed(self, plans: Sequence[Plan]) -> bool:
        """Ask for confirmation; return ``False`` if the user wants a review.

        Raises:
            Abort: the user declined.
            RefusedError: there is no terminal for the prompt.
        """
        if self._options.yes:
            return True
        if not self._app.can_prompt:
            raise RefusedError(
                self._app.no_prompt_reason(
                    "cannot ask for confirmation: standard input is not a terminal"
                ),
                hint="use --yes to delete without confirmation, or --dry-run to preview",
            )
        whole = [plan for plan in plans if plan.deletes_package]
        for plan in whole:
            name = f"{plan.owner}/{plan.package}"
            typed = ask(f"Type {name} to delete the whole package", "", self._app.error_style)
            if typed != name:
                raise click.Abort
        count = sum(len(plan.steps) for plan in plans)
        return bool(whole) or self._is_agreed(
            f"This will delete {quantity(count, 'version')}. Continue?"
        )

    def _is_agreed(self, question: str) -> bool:
        """Ask for yes or no; return ``False`` if the user wants a review."""
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
            tell=self._report,
            progress=self.counter,
            moved=self._record_kept_journal,
            failed=self.failed,
        )

    def _record_kept_journal(self, journal: Path) -> None:
        self._kept_journal = journal

    def _report(self, done: Done) -> None:
        self._done.append(done)
        # An interrupted run also prints its counts.
        self._counts[done.state] += len(done.steps)
        self._freed += done.freed
        self.counter.clear()
        if done.state in {State.BLOCKED, State.FAILED, State.DENIED}:
            self._actions.warning(done_line(done))
        if done.was_done:
            return
        if not self._options.quiet:
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
        """Write the results of a run, which may be incomplete."""
        self.counter.clear()
        files = {
            "Plan": plan_file and str(plan_file),
            "Journal": journal and str(journal),
            "SetAside": self._kept_journal and str(self._kept_journal),
        }
        dry_run, is_guess = (
            self._options.dry_run,
            self._options.dry_run and not self._options.checks,
        )
        freed = sum(plan.freed for plan in plans) if is_guess else self._freed
        failed = [{"Package": name, **error_fields(error)} for name, error in self._failures]
        data = run_document(plans, self._done, freed, dry_run=dry_run)
        self._results.add({**data, "Failed": failed, **files})
        self._results.end(single=True)
        if not self._options.quiet:
            if journal or self._done:
                self._list_rest(plans, error)
            self._print_summary(journal)
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

    def _list_rest(self, plans: Sequence[Plan], error: GhcrctlError | None) -> None:
        """Print the versions that were not attempted because the run ended early."""
        left = remaining_steps(plans, self._done)
        # Other errors are temporary, and the same command continues.
        shown = left[:_MAXIMUM_BEFORE_PROMPT] if isinstance(error, AuthError) else []
        for _, step in shown:
            self._results.out(left_line(step))
        if len(left) > len(shown):
            more = len(left) - len(shown)
            self._results.out(f"... and {more} more" if shown else f"Not attempted: {more}")

    def _print_summary(self, journal: Path | None) -> None:
        if self._done:
            verb = "frees" if self._options.dry_run else "freed"
            self._results.out(f"{counts_text(self._counts)}; {verb} {human_size(self._freed)}")
        if self._kept_journal:
            self._results.out(f"Journal of another plan kept as: {self._kept_journal}")
        if journal and self._counts[State.DELETED]:
            self._results.out(f"Undo: ghcrctl packages restore --run {journal}")
