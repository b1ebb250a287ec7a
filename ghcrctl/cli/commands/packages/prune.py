"""``ghcrctl packages prune``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.execute_plans import ExecutionOptions, PlanExecution
from ghcrctl.cli.options import (
    Option,
    dry_run_option,
    format_option_beside,
    human_option,
    pass_app,
    quiet_option,
    registry_options,
)
from ghcrctl.cli.path_types import PATH
from ghcrctl.errors import UsageError
from ghcrctl.github.retention_policy import AGES, WHEN_EMPTY
from ghcrctl.operations.common.rule_file import COMMAND_LINE
from ghcrctl.operations.packages.prune import plan_prune
from ghcrctl.operations.packages.rules import parse_rules, read_policy_file
from ghcrctl.store.output_files import check_output_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.operations.packages.rules import Rules

_RULES = (
    click.option(
        "--include",
        metavar="PATTERN",
        multiple=True,
        help="Also delete tagged images whose tags all match.",
    ),
    click.option(
        "--exclude",
        metavar="PATTERN",
        multiple=True,
        help="Never delete images with a matching tag.",
    ),
    click.option(
        "--keep-last",
        metavar="N",
        type=click.IntRange(min=0),
        help="Also delete tagged images, except the newest N.",
    ),
    click.option(
        "--group-by",
        metavar="REGEX",
        help="Apply --keep-last to each group of tags (see above).",
    ),
    click.option(
        "--untagged/--no-untagged",
        cls=Option,
        default=None,
        show_default="untagged",
        help="Delete untagged images that nothing needs.",
    ),
    click.option(
        "--keep-untagged",
        metavar="N",
        type=click.IntRange(min=0),
        help="Keep the newest N untagged images.",
    ),
    click.option(
        "--orphaned/--no-orphaned",
        cls=Option,
        default=None,
        show_default="orphaned",
        help="Delete signatures and attestations of deleted images.",
    ),
    click.option(
        "--orphaned-unseen",
        is_flag=True,
        default=None,
        help="Also delete signatures of images in no given package.",
    ),
    click.option(
        "--ghosts",
        is_flag=True,
        default=None,
        help="Delete tagged indexes without any images left.",
    ),
    click.option(
        "--partial", is_flag=True, default=None, help="Delete tagged indexes with missing images."
    ),
    click.option(
        "--older-than", metavar="SPAN|DATE", help="Only delete older versions (30d, 2026-01-31)."
    ),
    click.option("--newer-than", metavar="SPAN|DATE", help="Only delete newer versions."),
    click.option(
        "--by",
        cls=Option,
        type=click.Choice(AGES),
        show_default="created",
        help="Measure ages from the creation or the last change.",
    ),
    click.option(
        "--min-age",
        cls=Option,
        metavar="SPAN",
        show_default="6h",
        help="Keep versions younger than this; a push may be in progress.",
    ),
    click.option(
        "--floor",
        cls=Option,
        metavar="N",
        type=click.IntRange(min=0),
        show_default="1",
        help="Always keep at least N tagged images.",
    ),
    click.option(
        "--closed-pull-requests",
        metavar="PATTERN",
        help="Also delete images of closed pull requests.",
    ),
    click.option(
        "--deleted-branches",
        metavar="PATTERN",
        help="Also delete images of deleted branches.",
    ),
    click.option(
        "--repository",
        cls=Option,
        metavar="OWNER/NAME",
        show_default="the linked one",
        help="Set the repository of pull requests and branches.",
    ),
    click.option(
        "--protect-digest",
        metavar="DIGEST",
        multiple=True,
        help="Never delete this digest or anything it references.",
    ),
    click.option(
        "--protect-file",
        metavar="PATH",
        multiple=True,
        help="Never delete images named in this file or directory.",
    ),
    click.option(
        "--when-empty",
        cls=Option,
        type=click.Choice(WHEN_EMPTY),
        show_default="keep",
        help="Choose what to do if no tagged image would remain.",
    ),
)


def _rule_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_RULES):
        function = option(function)
    return function


@click.command(
    cls=Command,
    examples="""
    ghcrctl packages prune OWNER/IMAGE --dry-run
    ghcrctl packages prune OWNER/IMAGE --keep-last 5 --group-by '^v(\\d+)\\.' --exclude latest
    ghcrctl packages prune OWNER/IMAGE --closed-pull-requests 'pr-{number}' --yes
    ghcrctl packages prune --all OWNER --older-than 30d --plan plan.json
    ghcrctl packages prune --policy retention.yaml --dry-run --format json
    """,
)
@click.argument("names", metavar="[OWNER/IMAGE...]", nargs=-1)
@click.option(
    "--all", "owners", metavar="OWNER", multiple=True, help="Prune all packages of OWNER."
)
@click.option("--policy", metavar="FILE", type=PATH, help="Read packages and rules from FILE.")
@_rule_options
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    type=PATH,
    help="Save the plan to FILE for `apply`, without deleting.",
)
@dry_run_option("Show what would be deleted, without deleting.", "-n")
@click.option("--show-kept", is_flag=True, help="Also show kept versions and the reasons.")
@human_option
@click.option("-y", "--yes", is_flag=True, help="Do not prompt for confirmation.")
@click.option("--review", is_flag=True, help="Review the plan interactively and exclude versions.")
@format_option_beside("text")
@quiet_option("deleted digests")
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    /,
    *,
    names: tuple[str, ...],
    owners: tuple[str, ...],
    policy: Path | None,
    plan_file: Path | None,
    dry_run: bool,
    show_kept: bool,
    yes: bool,
    review: bool,
    format_: str | None,
    quiet: bool,
    **given: Any,
) -> None:
    """Delete versions according to rules.

    Without rules, prune deletes untagged images that nothing needs, and signatures and attestations
    of deleted images. --include, --keep-last, --closed-pull-requests, --deleted-branches, --ghosts
    and --partial also delete tagged images. Other rules keep more. The platforms, signatures and
    attestations of a kept index are always kept.

    Names may be patterns, such as OWNER/app-*. Tag patterns are a glob, re:REGEX or semver:RANGE.
    --group-by takes a regular expression, and tags with the same captured text form a group.
    --closed-pull-requests takes a tag such as pr-{number}, --deleted-branches one such as
    branch-{branch}. --protect-file reads Kubernetes manifests, compose files and lists of images.

    At the prompt, `r` opens the plan for review, like --review. Sizes count content that nothing
    else in the package needs.
    """
    now = datetime.now(timezone.utc)
    rules = _rules(names, owners, policy, given, now)
    if plan_file:
        check_output_file(plan_file)
    options = ExecutionOptions(
        format_=format_,
        quiet=quiet,
        dry_run=dry_run or plan_file is not None,
        yes=yes,
        show_kept=show_kept,
    )
    with app.session() as session:
        execution = PlanExecution(app, session, options)
        plans = list(
            plan_prune(session, rules, now, execution.counter, execution.graphs, execution.failed)
        )
        if review:
            plans = execution.review(plans)
        if plan_file:
            status = execution.write(plans, plan_file, brief=not dry_run)
        else:
            status = execution.run(plans)
    if status:
        raise click.exceptions.Exit(status)


def _rules(
    names: tuple[str, ...],
    owners: tuple[str, ...],
    policy: Path | None,
    given: dict[str, Any],
    now: datetime,
) -> list[Rules]:
    data = {
        key.replace("_", "-"): list(value) if isinstance(value, tuple) else value
        for key, value in given.items()
        if value not in ((), None)
    }
    wanted = (*names, *(f"{owner.rstrip('/')}/*" for owner in owners))
    if policy:
        if wanted or data:
            raise UsageError("--policy cannot be combined with packages or rules")
        return read_policy_file(policy, now)
    if not wanted:
        raise UsageError("give OWNER/IMAGE, --all OWNER, or --policy FILE")
    return [parse_rules(wanted, data, now, COMMAND_LINE)]
