"""Messages of findings, and the requests of a check."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import GhcrctlError, PackageUnknownError
from ghcrctl.operations.packages.check import FindingKind, Mended, check_packages, repair
from tests.builders import index_of, random_image, rewritten
from tests.packages_double.fixtures import environ_for
from tests.registry_double import Fault
from tests.sessions import session_on
from tests.unit.operations.packages.content import (
    ARM,
    NAME,
    children_of,
    days_ago,
    multi_platform,
    named,
)
from tests.unit.operations.packages.test_check import DESCRIBED, described, found, push, troubles

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble

PLATFORMS = (random_image(seed=1), random_image(seed=1, platform=ARM), random_image(seed=2))


@pytest.fixture(autouse=True)
def _linked(github: GitHubDouble) -> None:
    github.api.linked[NAME] = "octo/app"


def test_a_partial_index_says_how_many_of_how_many_are_missing(
    at_github: Session, github: GitHubDouble
) -> None:
    index = push(github, "v1", described(index_of(*PLATFORMS)))
    github.lose(NAME, children_of(index)[1])
    [finding] = found(at_github)
    digest = str(index.root.digest)
    assert finding.message == f"`v1` ({digest[:19]}) lacks 1 of its 3 manifests: linux/arm64"
    assert (finding.digest, finding.tags) == (digest, ("v1",))
    assert finding.mend == f"ghcrctl packages repair {NAME}"


def test_a_ghost_says_that_all_are_missing_and_each_platform_once(
    at_github: Session, github: GitHubDouble
) -> None:
    index = push(github, "v1", described(index_of(*PLATFORMS)))
    for child in children_of(index):
        github.lose(NAME, child)
    [finding] = found(at_github)
    assert finding.message.endswith(" lacks all of its 3 manifests: linux/amd64, linux/arm64")


def test_a_missing_manifest_without_a_platform_is_only_counted(
    at_github: Session, github: GitHubDouble
) -> None:
    index = multi_platform(1)
    entries = [
        {"mediaType": d.media_type, "digest": str(d.digest), "size": d.size}
        for d, _ in index.contents
        if d.is_manifest and d != index.root
    ]
    push(github, "v1", rewritten(index, manifests=entries, annotations=DESCRIBED))
    github.lose(NAME, children_of(index)[0])
    [finding] = found(at_github)
    assert finding.message.endswith(" lacks 1 of its 2 manifests")


def test_an_untagged_index_is_named_by_its_digest_alone(
    at_github: Session, github: GitHubDouble
) -> None:
    index = multi_platform(1)
    github.push(NAME, None, index, days_ago(github, 9))
    push(github, "v1", random_image(seed=9))
    github.lose(NAME, children_of(index)[0])
    [finding] = found(at_github)
    assert finding.message.startswith(f"{str(index.root.digest)[:19]} lacks 1 of")
    assert finding.tags == ()


def test_manifests_that_cannot_be_restored_need_a_source_too(
    at_github: Session, github: GitHubDouble
) -> None:
    index = push(github, "v1", described(index_of(*PLATFORMS)))
    first, second, _ = children_of(index)
    github.lose(NAME, first)
    github.content.packages[NAME].gone.clear()
    github.lose(NAME, second)
    [finding] = found(at_github)
    [(restorable, number)] = finding.restorable
    assert restorable == second
    assert number in {record.id for record in github.deleted(NAME)}
    assert finding.mend.endswith(" --from SOURCE, which has the image")


def test_a_version_that_cannot_be_read_is_named_and_breaks_pulls(
    tmp_path: Path, at_github: Session, github: GitHubDouble
) -> None:
    image = push(github, "v1", random_image(seed=1))
    github.faults.append(Fault("GET", f"/manifests/{image.root.digest}", status=404, times=99))
    [finding] = found(at_github)
    assert finding.trouble is FindingKind.UNREADABLE
    assert finding.trouble.breaks
    [record] = github.versions(NAME)
    assert " cannot be read: " in finding.message
    assert finding.mend == f"try again, or delete it: ghcrctl packages delete {NAME}#{record.id}"
    assert (finding.digest, finding.tags) == (record.digest, ("v1",))
    github.faults.clear()
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    assert found(at_github) == []


def test_deleted_versions_are_listed_only_where_something_is_missing(
    at_github: Session, github: GitHubDouble
) -> None:
    index = push(github, "v1", described(multi_platform(1)))
    found(at_github)
    assert not any("state=deleted" in entry.query for entry in github.log)
    github.lose(NAME, children_of(index)[0])
    found(at_github)
    assert sum("state=deleted" in entry.query for entry in github.log) == 1


def test_unlistable_deleted_versions_give_a_warning(tmp_path: Path, github: GitHubDouble) -> None:
    index = push(github, "v1", described(multi_platform(1)))
    github.lose(NAME, children_of(index)[0])
    route = github.api._versions

    def refuse(match: object, environ: dict[str, object]) -> object:
        answer = route(match, environ)  # type: ignore[arg-type]
        if "state=deleted" in str(environ.get("QUERY_STRING")):
            answer.status = 403
        return answer

    github.api._versions = refuse  # type: ignore[assignment,method-assign]
    said: list[str] = []
    with session_on(
        tmp_path,
        registry=github.host,
        token="ghp_octo",
        warn=said.append,
        environ=environ_for(github, tmp_path),
    ) as session:
        [finding] = found(session)
    assert finding.restorable == ()
    assert len(said) == 1
    assert said[0].startswith("cannot list deleted versions: ")


# Metadata


def test_the_description_of_the_newest_tagged_root_is_checked(
    at_github: Session, github: GitHubDouble
) -> None:
    github.push(NAME, "old", multi_platform(1), days_ago(github, 20))
    github.push(NAME, "new", described(multi_platform(2)), days_ago(github, 10))
    github.push(NAME, None, multi_platform(3), days_ago(github, 5))
    assert found(at_github) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [("", "has no description"), ("x" * 600, "has a description of 600 characters")],
)
def test_a_description_that_github_does_not_show_is_reported(
    at_github: Session, github: GitHubDouble, text: str, what: str
) -> None:
    annotations = {"org.opencontainers.image.description": text}
    index = push(github, "v1", rewritten(multi_platform(1), annotations=annotations))
    [finding] = found(at_github)
    digest = str(index.root.digest)
    assert finding.message.startswith(f"the index `v1` ({digest[:19]}) {what}; GitHub shows")
    assert (finding.digest, finding.tags) == (digest, ("v1",))


def test_a_package_without_a_tag_needs_no_description(
    at_github: Session, github: GitHubDouble
) -> None:
    github.push(NAME, None, multi_platform(1), days_ago(github, 9))
    assert troubles(at_github) == []


# Several packages, and repair


def test_a_pattern_that_matches_no_package_is_an_error(
    at_github: Session, github: GitHubDouble
) -> None:
    push(github, "v1", random_image(seed=1))
    with pytest.raises(PackageUnknownError, match="no package matches"):
        list(check_packages(at_github, ["octo/none*"]))
    assert [name.package for name, _ in check_packages(at_github, ["octo/a*"])] == ["app"]


def test_only_missing_manifests_are_repaired(at_github: Session, github: GitHubDouble) -> None:
    index = push(github, "v1", multi_platform(1))
    [first, second] = children_of(index)
    github.lose(NAME, first)
    pushed: list[str] = []
    told: list[Mended] = []
    done = repair(at_github, named(at_github), push=pushed.append, tell=told.append)
    assert told == done
    assert [(repaired.digest, repaired.how) for repaired in done] == [(first, "restored")]
    assert pushed == []
    github.lose(NAME, second)
    github.content.packages[NAME].gone.clear()

    def fail(_digest: str) -> None:
        raise GhcrctlError("not there either")

    [repaired] = repair(at_github, named(at_github), push=fail)
    assert (repaired.digest, repaired.how, str(repaired.error)) == (second, "", "not there either")
