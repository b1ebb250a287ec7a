"""Restoring single versions, versions since a time, and whole runs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import PackageUnknownError, RefusedError, UsageError
from ghcrctl.operations.packages.apply_plan import apply_plan
from ghcrctl.operations.packages.delete import plan_delete
from ghcrctl.operations.packages.journal import open_journal
from ghcrctl.operations.packages.restore import (
    Outcome,
    VersionSelector,
    restore,
    restore_package,
    restore_run,
)
from tests.builders import artifact, random_image
from tests.unit.operations.packages.content import (
    NAME,
    OLD_ONES,
    children_of,
    days_ago,
    multi_platform,
    named,
    plan_of,
    releases,
)

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.packages.restore import Restored
    from tests.packages_double import GitHubDouble


def run(session: Session, plan: Plan, folder: Path) -> Path:
    path = folder / "plan.json.journal"
    with open_journal(path) as journal:
        apply_plan(session, plan, journal)
    return path


def delete(session: Session, github: GitHubDouble, folder: Path, text: str) -> Path:
    return run(session, plan_delete(session, named(session, text), github.clock.now), folder)


@pytest.fixture(params=[True, False], ids=["tags come back", "tags do not come back"])
def tags_come_back(request: pytest.FixtureRequest, github: GitHubDouble) -> bool:
    """GitHub may or may not restore the tags of a version: both must work."""
    github.api.limits.tags_come_back = request.param
    return bool(request.param)


@pytest.mark.usefixtures("tags_come_back")
def test_a_run_is_undone_with_all_tags(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    made = releases(github, 4)
    github.push(NAME, "old", made[0], days_ago(github, 60))
    before, tags = {r.digest for r in github.versions(NAME)}, github.tags(NAME)
    journal = run(at_github, plan_of(at_github, github, OLD_ONES), tmp_path)
    assert len(github.tags(NAME)) == 1
    results = restore_run(at_github, journal)
    assert {r.digest for r in github.versions(NAME)} == before
    assert github.tags(NAME) == tags
    assert {result.outcome for result in results} == {Outcome.RESTORED}
    assert all(github.has(NAME, digest) for digest in tags.values())


def test_dependencies_are_restored_first(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    first, *_ = releases(github, 2)
    journal = run(at_github, plan_of(at_github, github, OLD_ONES), tmp_path)
    results = restore_run(at_github, journal)
    assert results[-1].digest == str(first.root.digest)
    assert {r.digest for r in results[:-1]} == set(children_of(first))


@pytest.mark.usefixtures("tags_come_back")
@pytest.mark.parametrize("by", ["tag", "digest", "id", "since"])
def test_a_version_is_restored_with_its_dependencies(
    at_github: Session, github: GitHubDouble, tmp_path: Path, by: str
) -> None:
    made = releases(github)
    digest = str(made[1].root.digest)
    number = next(r.id for r in github.versions(NAME) if r.digest == digest)
    delete(at_github, github, tmp_path, f"{NAME}:v1")
    assert not github.has(NAME, digest)
    choices = {
        "tag": VersionSelector(tags=("v1",)),
        "digest": VersionSelector(digests=(digest,)),
        "id": VersionSelector(ids=(number,)),
        "since": VersionSelector(since=github.clock.now - timedelta(minutes=5)),
    }
    restore(at_github, named(at_github), choices[by])
    assert github.tags(NAME)["v1"] == digest
    assert github.has(NAME, digest)


def test_uncached_manifests_are_found_through_their_index(
    at_github: Session, github: GitHubDouble
) -> None:
    # No manifest was cached: the children of the index are known only after it is restored.
    releases(github)
    for record in github.versions(NAME):
        if "v0" in record.tags or record.digest in children_of(multi_platform(0)):
            github.lose(NAME, record.digest)
    restore(at_github, named(at_github), VersionSelector(tags=("v0",)))
    assert github.has(NAME, github.tags(NAME)["v0"])


def test_signatures_are_restored_with_their_image(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    image = random_image(seed=5)
    github.push(NAME, "v1", image, days_ago(github, 9))
    tag = f"sha256-{image.root.digest.encoded}.sig"
    github.push(NAME, tag, artifact(payload=b"signed"), days_ago(github, 9))
    github.push(NAME, "v2", random_image(seed=6), days_ago(github, 8))
    delete(at_github, github, tmp_path, f"{NAME}:v1")
    assert set(github.tags(NAME)) == {"v2"}
    restore(at_github, named(at_github), VersionSelector(tags=("v1",)))
    assert set(github.tags(NAME)) == {"v1", "v2", tag}


@pytest.mark.usefixtures("tags_come_back")
def test_a_tag_that_was_moved_since_is_not_moved_back(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    journal = delete(at_github, github, tmp_path, f"{NAME}:v1")
    newer = multi_platform(60)
    github.push(NAME, "v1", newer)
    results = restore_run(at_github, journal)
    assert github.tags(NAME)["v1"] == str(newer.root.digest)
    [moved] = [r for r in results if r.moved]
    assert moved.moved == ("v1",)
    assert moved.outcome is Outcome.RESTORED


def test_the_last_deleted_version_of_a_tag_is_restored(
    at_github: Session, github: GitHubDouble
) -> None:
    first, second = random_image(seed=1), random_image(seed=2)
    github.push(NAME, "main", random_image(seed=3), days_ago(github, 9))
    for image in (first, second):
        github.push(NAME, "v1", image, days_ago(github, 9))
        github.clock.advance(hours=1)
        github.lose(NAME, str(image.root.digest))
    restore(at_github, named(at_github), VersionSelector(tags=("v1",)))
    assert github.tags(NAME)["v1"] == str(second.root.digest)
    assert not github.has(NAME, str(first.root.digest))


def test_restoring_an_existing_version_is_not_a_failure(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    journal = delete(at_github, github, tmp_path, f"{NAME}:v1")
    restore_run(at_github, journal)
    results = restore_run(at_github, journal)
    assert {r.outcome for r in results} == {Outcome.THERE}


def test_a_version_deleted_too_long_ago_is_reported_and_others_are_restored(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    made = releases(github)
    journal = delete(at_github, github, tmp_path, f"{NAME}:v1")
    late = children_of(made[1])[0]
    for record in github.deleted(NAME):
        if record.digest == late and record.deleted:
            record.deleted -= timedelta(days=31)
    told: list[Restored] = []
    restore_run(at_github, journal, tell=told.append)
    failed = [r for r in told if r.outcome is Outcome.FAILED]
    assert [r.digest for r in failed] == [late]
    assert failed[0].error is not None
    assert "v1" in github.tags(NAME)


def test_no_matching_version_is_an_error(at_github: Session, github: GitHubDouble) -> None:
    releases(github)
    with pytest.raises(PackageUnknownError, match="no deleted version") as caught:
        restore(at_github, named(at_github), VersionSelector(tags=("v1",)))
    assert "30 days" in (caught.value.hint or "")


# Packages


def test_a_whole_package_is_restored(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    tags = github.tags(NAME)
    journal = delete(at_github, github, tmp_path, NAME)
    assert NAME not in github.content.packages
    restore_run(at_github, journal)
    assert github.tags(NAME) == tags


def test_an_existing_package_is_not_restored(at_github: Session, github: GitHubDouble) -> None:
    releases(github)
    with pytest.raises(UsageError, match="exists: choose which"):
        restore_package(at_github, named(at_github))


def test_a_package_whose_name_was_reused_is_reported(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    delete(at_github, github, tmp_path, NAME)
    packages = at_github.packages(github.host)
    owner = packages.owner("octo")
    github.push(NAME, "v9", random_image(seed=9))
    with pytest.raises(RefusedError, match="its name is taken"):
        packages.restore(owner, "app")


def test_one_package_of_a_run_can_be_undone_alone(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    path = tmp_path / "journal"
    for name in (NAME, "octo/lib"):
        releases(github, 2, name)
    with open_journal(path) as journal:
        for name in (NAME, "octo/lib"):
            apply_plan(at_github, plan_of(at_github, github, OLD_ONES, name), journal)
    restore_run(at_github, path, only=named(at_github, "octo/lib"))
    assert set(github.tags("octo/lib")) == {"v0", "v1"}
    assert set(github.tags(NAME)) == {"v1"}


def test_a_file_that_is_not_a_journal_is_refused(at_github: Session, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_text('{"schema": "ghcrctl/plan/1"}\n')
    with pytest.raises(UsageError, match="not a journal"):
        restore_run(at_github, path)
    path.write_text("")
    with pytest.raises(PackageUnknownError, match="records no deletions"):
        restore_run(at_github, path)
