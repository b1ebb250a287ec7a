"""Pruning a package of thousands of versions, against a double of GitHub."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ghcrctl.oci.platform import Platform
from tests.bench.bench import OURS
from tests.builders import index_of, random_image
from tests.packages_double import GitHubDouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.bench.bench import Bench
    from tests.bench.measure import Run

_RELEASES = 1667
_NAME = "octo/app"
_ARM = Platform("linux", "arm64")


def prune(bench: Bench) -> Mapping[str, Callable[[], Run]]:
    """Prune all releases but ten; plan it for the first time; plan it again."""

    def pruned() -> Run:
        with _github() as github:
            cache = bench.fresh("cache")
            return _run(bench, github, cache, "--yes", "-q")

    def planned(times: int) -> Run:
        with _github() as github:
            cache = bench.fresh("cache")
            return [_run(bench, github, cache, "--dry-run", "-q") for _ in range(times)][-1]

    return {
        "ghcrctl": pruned,
        "ghcrctl, plan": lambda: planned(1),
        "ghcrctl, plan again": lambda: planned(2),
    }


def _run(bench: Bench, github: GitHubDouble, cache: Path, *options: str) -> Run:
    before, given = len(github.log), bench.environ
    bench.environ = {
        **given,
        "GHCRCTL_DEFAULT_REGISTRY": github.host,
        "GHCRCTL_REGISTRY": github.host,
        "GHCRCTL_TOKEN": "ghp_octo",
        "GHCRCTL_GITHUB_API": github.api_url,
        "GHCRCTL_GITHUB_RATE": "0",
        "GHCRCTL_CACHE_DIR": str(cache),
    }
    try:
        rules = ("--keep-last", "10", *options)
        done = bench.run([*OURS, "packages", "prune", _NAME, *rules])
    finally:
        bench.environ = given
    return replace(done, requests=len(github.log) - before)


@contextmanager
def _github() -> Iterator[GitHubDouble]:
    with GitHubDouble() as github:
        github.accounts["octo"] = "ghp_octo"
        now = github.clock.now = datetime.now(timezone.utc)
        for number in range(_RELEASES):
            amd = random_image(1, 100, seed=number)
            arm = random_image(1, 100, seed=number, platform=_ARM)
            moment = now - timedelta(days=100) + timedelta(minutes=number)
            github.push(_NAME, f"v{number}", index_of(amd, arm), moment)
        yield github
