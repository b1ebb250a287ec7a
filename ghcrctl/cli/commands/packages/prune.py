"""``ghcrctl packages prune``."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.execute_plans import CarryingOut, Manner
from ghcrctl.cli.options import (
    Command,
    format_option_beside,
    human_option,
    pass_app,
    registry_options,
)
from ghcrctl.cli.path_types import PATH
from ghcrctl.errors import UsageError
from ghcrctl.github.policy import AGES, WHEN_EMPTY
from ghcrctl.operations.common.rule_file import COMMAND_LINE
from ghcrctl.operations.packages.prune import plan_prune
from ghcrctl.operations.packages.rules import read_policy_file, read_rules_of
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
        help="Also delete tagged images whose tags all match: a glob, re:REGEX or semver:RANGE.",
    ),
    click.option(
        "--exclude", metavar="PATTERN", multiple=True, help="Never delete images with such a tag."
    ),
    click.option(
        "--keep-last",
        metavar="N",
        type=click.IntRange(min=0),
        help="Also delete tagged images, except the newest N that --include matches.",
    ),
    click.option(
        "--group-by",
        metavar="REGEX",
        help="Keep the newest N of each group of tags for which REGEX captures the same text.",
    ),
    click.option(
        "--untagged/--no-untagged",
        default=None,
        help="Delete untagged images that nothing needs.  [default: untagged]",
    ),
    click.option(
        "--keep-untagged",
        metavar="N",
        type=click.IntRange(min=0),
        help="Keep the newest N untagged images.",
    ),
    click.option(
        "--orphaned/--no-orphaned",
        default=None,
        help="Delete signatures and attestations of deleted images.  [default: orphaned]",
    ),
    click.option(
        "--orphaned-unseen",
        is_flag=True,
        default=None,
        help="Also delete signatures of images that were never in a package of this run.",
    ),
    click.option(
        "--ghosts", is_flag=True, default=None, help="Delete tagged indexes that lost all images."
    ),
    click.option(
        "--partial", is_flag=True, default=None, help="Delete tagged indexes that lost some images."
    ),
    click.option(
        "--older-than", metavar="SPAN|DATE", help="Only delete older versions: 30d, 2026-01-31."
    ),
    click.option("--newer-than", metavar="SPAN|DATE", help="Only delete newer versions."),
    click.option(
        "--by",
        type=click.Choice(AGES),
        help="Date to compare: first push, or last change of the version or its tags.  "
        "[default: created]",
    ),
    click.option(
        "--min-age",
        metavar="SPAN",
        help="Keep versions younger than this; a push may be in progress.  [default: 6h]",
    ),
    click.option(
        "--floor",
        metavar="N",
        type=click.IntRange(min=0),
        help="Keep at least N tagged images, whatever other rules say.  [default: 1]",
    ),
    click.option(
        "--closed-pull-requests",
        metavar="PATTERN",
        help="Also delete images of closed pull requests: pr-{number}.",
    ),
    click.option(
        "--deleted-branches",
        metavar="PATTERN",
        help="Also delete images of deleted branches: branch-{branch}.",
    ),
    click.option(
        "--repository",
        metavar="OWNER/NAME",
        help="Repository of the pull requests and branches, instead of the linked one.",
    ),
    click.option(
        "--protect-digest",
        metavar="DIGEST",
        multiple=True,
        help="Never delete this digest or anything it needs.",
    ),
    click.option(
        "--protect-file",
        metavar="PATH",
        multiple=True,
        help="Never delete images named in this file or directory: Kubernetes, compose, lists.",
    ),
    click.option(
        "--when-empty",
        type=click.Choice(WHEN_EMPTY),
        help="What to do if no tagged image would be left; --floor comes first.  "
        "[default: keep the newest]",
    ),
)


def _rule_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_RULES):
        function = option(function)
    return function


@click.command(
    cls=Command,
    short_help="Delete versions by rules",
    examples="""
    ghcrctl packages prune OWNER/IMAGE --dry-run
    ghcrctl packages prune OWNER/IMAGE --keep-last 5 --group-by '^v(\\d+)\\.' --exclude latest
    ghcrctl packages prune OWNER/IMAGE --closed-pull-requests 'pr-{number}' --yes
    ghcrctl packages prune --all OWNER --older-than 30d --plan plan.json
    ghcrctl packages prune --policy retention.yaml --dry-run --format json
    """,
)
@click.argument("names", metavar="[OWNER/IMAGE...]", nargs=-1)
@click.option("--all", "owners", metavar="OWNER", multiple=True, help="All packages of OWNER.")
@click.option("--policy", metavar="FILE", type=PATH, help="Rules for many packages.")
@_rule_options
@click.option(
    "--plan",
    "plan_file",
    metavar="FILE",
    type=PATH,
    help="Write what would happen, and why, to FILE for `apply`; delete nothing.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Show what would happen; delete nothing.")
@click.option("--show-kept", is_flag=True, help="Show what stays, and why, too.")
@human_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--review", is_flag=True, help="Choose from the plan, on the screen, what stays.")
@format_option_beside("text")
@click.option("-q", "--quiet", is_flag=True, help="Print digests of what goes, no more.")
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
    """Delete versions that no rule keeps.

    Without rules, images go that have no tag and that nothing needs, and signatures and the like of
    what is gone. Rules widen that to tagged images (--include, --keep-last, --closed-pull-requests,
    --deleted-branches, --ghosts, --partial); the others narrow it. Children of an index that stays,
    its signatures and its attestations always stay.

    At the question, `r` opens the plan on the screen, as --review does, to take versions out of it;
    what belongs to them stays with them.

    NAME may be a pattern: OWNER/app-*. Sizes are of what nothing else in the package needs.
    """
    now = datetime.now(timezone.utc)
    rules = _rules(names, owners, policy, given, now)
    if plan_file:
        check_output_file(plan_file)
    manner = Manner(
        format_=format_,
        quiet=quiet,
        dry_run=dry_run or plan_file is not None,
        yes=yes,
        show_kept=show_kept,
    )
    with app.session() as session:
        running = CarryingOut(app, session, manner)
        plans = list(
            plan_prune(session, rules, now, running.counting, running.graphs, running.failed)
        )
        if review:
            plans = running.review(plans)
        if plan_file:
            status = running.write(plans, plan_file, brief=not dry_run)
        else:
            status = running.run(plans)
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
            raise UsageError("--policy says which packages and rules: write them there")
        return read_policy_file(policy, now)
    if not wanted:
        raise UsageError("give OWNER/IMAGE, --all OWNER, or --policy FILE")
    return [read_rules_of(wanted, data, now, COMMAND_LINE)]
