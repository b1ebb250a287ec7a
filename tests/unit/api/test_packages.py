"""Packages on GitHub, from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl import Client, UsageError
from ghcrctl.errors import PackageUnknownError
from tests.cli.test_packages import LOOSE, NAME, RELEASES, digest_of, github, there
from tests.packages_double.fixtures import environ_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl import Done, Restored
    from tests.packages_double import GitHubDouble

__all__ = ["github"]

OLD: dict[str, Any] = {"include": ["*"], "keep_last": 1}


@pytest.fixture
def at_github(
    tmp_path: Path, environ: dict[str, str], github: GitHubDouble, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    token = {"GHCRCTL_REGISTRY": github.host, "GHCRCTL_TOKEN": "ghp_octo"}
    with Client(environ={**environ, **environ_for(github, tmp_path), **token}) as client:
        yield client


def test_packages_are_listed_and_described(at_github: Client) -> None:
    packages = at_github.packages
    assert [one.full_name for one in packages.list("octo")] == ["octo/app", "octo/lib"]
    assert [one.name for one in packages.list(filters=["visibility=public"])] == ["lib"]
    view = packages.show(NAME)
    assert "v1.2" in {tag for row in view.tagged for tag in row.tags}
    rows = packages.versions(NAME)
    assert digest_of(LOOSE) in {row.version.digest for row in rows}
    with pytest.raises(PackageUnknownError):
        packages.show("octo/nothing")


def test_a_plan_is_carried_out_and_undone(at_github: Client, github: GitHubDouble) -> None:
    before = there(github)
    plans = at_github.packages.plan(NAME, **OLD)
    assert there(github) == before
    told: list[Done] = []
    done = at_github.packages.apply(plans, tell=told.append)
    assert set(done.deleted) == before - there(github)
    assert digest_of(RELEASES[0]) in done.deleted
    assert [one.step for one in told] == [one.step for one in done.done]
    assert done.freed > 0
    assert done.journal is not None
    restored: list[Restored] = []
    at_github.packages.restore_run(done.journal, tell=restored.append)
    assert there(github) == before
    assert len(restored) == len(done.deleted)


def test_a_plan_file_resumes(tmp_path: Path, at_github: Client, github: GitHubDouble) -> None:
    first = at_github.packages.prune(NAME)
    assert first.plan_file is not None
    assert at_github.packages.apply(first.plan_file).deleted == first.deleted
    assert digest_of(LOOSE) not in there(github)
    policy = tmp_path / "policy.yaml"
    policy.write_text(f"packages:\n- {{package: {NAME}, keep-last: 1, include: ['*']}}\n")
    [plan] = at_github.packages.plan_file(policy)
    assert at_github.packages.apply([plan], dry_run=True).done == ()


def test_a_dry_run_previews_current_deletions(at_github: Client, github: GitHubDouble) -> None:
    plans = at_github.packages.plan(NAME, **OLD)
    github.push(NAME, "stable", RELEASES[0])
    told: list[Done] = []
    found = at_github.packages.apply(plans, dry_run=True, tell=told.append)
    assert (found.done, found.journal, found.plan_file, found.deleted) == ((), None, None, ())
    assert list(found.preview) == told
    states = {d.step.digest: d.state.value for d in found.preview if d.step}
    assert states[digest_of(RELEASES[0])] == "changed"
    assert states[digest_of(RELEASES[1])] == "planned"
    assert github.count("DELETE") == 0
    done = at_github.packages.apply(plans)
    assert set(done.deleted) == {d for d, state in states.items() if state == "planned"}
    assert done.remaining == ()


def test_versions_not_attempted_are_listed(at_github: Client, github: GitHubDouble) -> None:
    plans = at_github.packages.plan(NAME, **OLD)
    github.api.scopes["ghp_octo"] = ("read:packages",)
    done = at_github.packages.apply(plans)
    assert done.error is not None
    assert done.error.code == "denied"
    assert done.remaining == plans[0].steps[1:]
    assert github.count("DELETE") == 1


def test_a_dry_run_and_nothing_to_do_keep_no_file(at_github: Client, github: GitHubDouble) -> None:
    done = at_github.packages.prune(NAME, dry_run=True)
    assert (done.plan_file, done.journal, done.deleted) == (None, None, ())
    assert len(done.plans[0].steps) == 1
    assert github.count("DELETE") == 0


def test_rules_are_those_of_the_command(at_github: Client) -> None:
    with pytest.raises(UsageError, match="kep-last"):
        at_github.packages.plan(NAME, kep_last=1)
    with pytest.raises(UsageError, match="invalid `keep-last`: expected a number"):
        at_github.packages.plan(NAME, keep_last="one")


def test_versions_go_and_come_back(at_github: Client, github: GitHubDouble) -> None:
    at_github.packages.delete(f"{NAME}@{digest_of(LOOSE)}")
    assert digest_of(LOOSE) not in there(github)
    [back] = at_github.packages.restore(NAME, digests=[digest_of(LOOSE)])
    assert (back.digest, back.error) == (digest_of(LOOSE), None)
    assert digest_of(LOOSE) in there(github)
    at_github.packages.delete(f"{NAME}@{digest_of(LOOSE)}")
    assert [one.digest for one in at_github.packages.restore(NAME, since="1h")] == [back.digest]
    with pytest.raises(PackageUnknownError):
        at_github.packages.restore(NAME, tags=["never"])


def test_tags_move_and_go(at_github: Client, github: GitHubDouble) -> None:
    before = at_github.packages.retag(f"{NAME}:v1.2", "latest", "stable")
    assert before == {"latest": digest_of(RELEASES[2]), "stable": ""}
    with pytest.raises(UsageError, match="invalid tag"):
        at_github.packages.retag(f"{NAME}:v1.2", "no tag")
    assert at_github.packages.untag(f"{NAME}:stable") == {f"{github.host}/{NAME}:stable": True}
    with pytest.raises(UsageError, match="expected OWNER/IMAGE:TAG"):
        at_github.packages.untag(NAME)


def test_broken_images_are_found_and_repaired(at_github: Client, github: GitHubDouble) -> None:
    child = next(str(d.digest) for d, _ in RELEASES[1].manifests)
    github.lose(NAME, child)
    findings = at_github.packages.check(NAME)[f"{github.host}/{NAME}"]
    assert any(child in finding.missing for finding in findings)
    with pytest.raises(PackageUnknownError, match="no package matches"):
        at_github.packages.check("octo/none-*")
    repaired = at_github.packages.repair(NAME)
    assert [one.digest for one in repaired] == [child]


def test_the_doctor_looks_at_token_and_package(at_github: Client) -> None:
    assert len(at_github.packages.doctor(NAME)) > len(at_github.packages.doctor()) > 0
