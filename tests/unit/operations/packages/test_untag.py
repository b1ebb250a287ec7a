"""Removing and moving tags, for which there is no API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    DeniedError,
    ManifestUnknownError,
    PackageUnknownError,
    RefusedError,
    RegistryUnavailableError,
    RetainedError,
)
from ghcrctl.operations.packages.untag import retag, untag
from tests.builders import Built, random_image
from tests.registry_double.faults import Fault
from tests.unit.operations.packages.content import NAME, days_ago, multi_platform, named
from tests.unit.operations.packages.losses import Loss

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble

IMAGES = {
    "index": multi_platform(1),
    "image": random_image(seed=1),
    "docker image": random_image(seed=1, format="docker"),
}


@pytest.fixture(params=list(IMAGES))
def image(request: pytest.FixtureRequest, github: GitHubDouble) -> Built:
    """An image of one kind, with the tags ``v1`` and ``rc1``, beside another."""
    made = IMAGES[request.param]
    for tag in ("v1", "rc1"):
        github.push(NAME, tag, made, days_ago(github, 9))
    github.push(NAME, "other", random_image(seed=2), days_ago(github, 8))
    return made


def test_a_tag_is_removed_and_everything_else_is_kept(
    at_github: Session, github: GitHubDouble, image: Built
) -> None:
    before = {r.digest: (r.id, r.created) for r in github.versions(NAME)}
    assert untag(at_github, named(at_github, f"{NAME}:rc1"))
    assert {r.digest: (r.id, r.created) for r in github.versions(NAME)} == before
    assert set(github.tags(NAME)) == {"v1", "other"}
    assert github.has(NAME, str(image.root.digest))


def test_the_last_tag_of_an_image_can_be_removed_if_others_have_one(
    at_github: Session, github: GitHubDouble, image: Built
) -> None:
    assert untag(at_github, named(at_github, f"{NAME}:rc1"))
    assert not untag(at_github, named(at_github, f"{NAME}:v1"))
    assert set(github.tags(NAME)) == {"other"}
    assert github.has(NAME, str(image.root.digest))


def test_the_last_tag_of_a_package_is_kept(at_github: Session, github: GitHubDouble) -> None:
    image = random_image(seed=1)
    github.push(NAME, "only", image, days_ago(github, 1))
    with pytest.raises(RetainedError, match="the last tag"):
        untag(at_github, named(at_github, f"{NAME}:only"))
    assert github.tags(NAME) == {"only": str(image.root.digest)}
    assert len(github.versions(NAME)) == 1, "nothing was put"


@pytest.mark.usefixtures("image")
def test_the_helper_is_deleted_only_if_it_has_just_that_tag(
    at_github: Session, github: GitHubDouble
) -> None:
    def tag_the_helper(_method: str, _path: str) -> None:
        # Another client tags the helper right after it was pushed.
        held = github.content.resolve(NAME, "rc1")
        if held.size < 1000 and github.tags(NAME)["rc1"] != github.tags(NAME)["v1"]:
            github.api.before = lambda *_: None
            place = github.content._find(NAME)
            place.tags["precious"] = held.digest
            github.content.note(NAME, "precious", held, github.clock.now)

    github.api.before = tag_the_helper
    with pytest.raises(RefusedError, match="which took over") as caught:
        untag(at_github, named(at_github, f"{NAME}:rc1"))
    assert "precious" in caught.value.message
    assert "precious" in github.tags(NAME)
    assert github.count("DELETE") == 0


@pytest.mark.usefixtures("image")
def test_a_delayed_list_is_read_again(at_github: Session, github: GitHubDouble) -> None:
    slept: list[float] = []
    github.content.lag = 3
    untag(at_github, named(at_github, f"{NAME}:rc1"), sleep=slept.append)
    assert len(slept) == 3
    assert set(github.tags(NAME)) == {"v1", "other"}


@pytest.mark.usefixtures("image")
def test_a_list_that_remains_outdated_moves_the_tag_back(
    at_github: Session, github: GitHubDouble
) -> None:
    tags = github.tags(NAME)
    github.content.lag = 1000
    with pytest.raises(RegistryUnavailableError, match="does not list the empty version") as caught:
        untag(at_github, named(at_github, f"{NAME}:rc1"), sleep=lambda _: None)
    assert "was moved back" in caught.value.message
    assert github.tags(NAME) == tags


class Killed(BaseException):
    """A run that ends without an error message."""


def killed(session: Session, github: GitHubDouble) -> None:
    """End a run while the empty version has the tag."""

    def kill(_: float) -> None:
        raise Killed

    github.content.lag = 1
    with pytest.raises(Killed):
        untag(session, named(session, f"{NAME}:rc1"), sleep=kill)
    github.content.lag = 0
    assert github.tags(NAME)["rc1"] != github.tags(NAME)["v1"]


@pytest.mark.usefixtures("image")
def test_a_killed_run_is_continued(at_github: Session, github: GitHubDouble) -> None:
    killed(at_github, github)
    untag(at_github, named(at_github, f"{NAME}:rc1"))
    assert set(github.tags(NAME)) == {"v1", "other"}
    assert len([r for r in github.versions(NAME) if r.tags]) == 2


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize("denied", ["scope", "role"])
@pytest.mark.parametrize("was_killed", [False, True])
def test_a_tag_whose_helper_may_not_be_deleted_is_moved_back(
    at_github: Session, github: GitHubDouble, denied: str, was_killed: bool
) -> None:
    tags = github.tags(NAME)
    if was_killed:
        killed(at_github, github)
    if denied == "scope":
        github.api.scopes["ghp_octo"] = ("read:packages", "write:packages")
    else:
        github.api.admins[NAME] = {"another"}
    with pytest.raises((DeniedError, PackageUnknownError), match="cannot delete") as caught:
        untag(at_github, named(at_github, f"{NAME}:rc1"))
    assert "`rc1` was moved back" in caught.value.message
    assert github.tags(NAME) == tags


@pytest.mark.usefixtures("image")
def test_a_tag_pushed_in_the_meantime_is_not_moved_back(
    at_github: Session, github: GitHubDouble
) -> None:
    newer = random_image(seed=50)

    def push(method: str, _path: str) -> None:
        if method == "DELETE":
            github.push(NAME, "rc1", newer)
            github.api.limits.errors = 99

    github.api.before = push
    with pytest.raises(RegistryUnavailableError):
        untag(at_github, named(at_github, f"{NAME}:rc1"))
    assert github.tags(NAME)["rc1"] == str(newer.root.digest)


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize("status", [0, 502])
@pytest.mark.parametrize("again", [True, False], ids=["refused again", "unreachable then"])
def test_a_tag_is_removed_despite_a_lost_response(
    at_github: Session, github: GitHubDouble, status: int, again: bool
) -> None:
    warned: list[str] = []
    at_github.warn = warned.append
    github.api.after = Loss(status=status)
    if not again:
        github.faults.append(Fault("DELETE", after=1, times=9, hang_up=True))
    assert untag(at_github, named(at_github, f"{NAME}:rc1"))
    assert set(github.tags(NAME)) == {"v1", "other"}
    assert warned == []


@pytest.mark.usefixtures("image")
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_tag_that_cannot_be_moved_back_gives_a_warning(
    at_github: Session, github: GitHubDouble, method: str
) -> None:
    warned: list[str] = []
    at_github.warn = warned.append
    digest = github.tags(NAME)["rc1"]
    github.api.scopes["ghp_octo"] = ("read:packages", "write:packages")

    def fail(called: str, _path: str) -> None:
        if called == "DELETE":
            github.faults.append(Fault(method, "/manifests/", times=9, status=500))

    github.api.before = fail
    with pytest.raises(DeniedError) as caught:
        untag(at_github, named(at_github, f"{NAME}:rc1"))
    assert "was moved back" not in caught.value.message
    assert len(warned) == 1
    assert "points to an empty image" in warned[0]
    assert digest in warned[0]


@pytest.mark.usefixtures("image")
def test_a_continued_run_knows_the_other_tags(at_github: Session, github: GitHubDouble) -> None:
    killed(at_github, github)
    assert untag(at_github, named(at_github, f"{NAME}:rc1"))


@pytest.mark.usefixtures("image")
def test_a_push_repeated_after_a_lost_response_moves_the_tag_once(
    at_github: Session, github: GitHubDouble
) -> None:
    github.faults.append(Fault("PUT", "/manifests/", status=502))
    before = {r.id for r in github.versions(NAME)}
    digest = github.tags(NAME)["v1"]
    assert retag(at_github, named(at_github, f"{NAME}:v1"), ["stable"]) == {"stable": ""}
    assert github.tags(NAME)["stable"] == digest
    assert {r.id for r in github.versions(NAME)} == before


@pytest.mark.usefixtures("image")
def test_a_missing_tag_is_an_error(at_github: Session) -> None:
    with pytest.raises(ManifestUnknownError):
        untag(at_github, named(at_github, f"{NAME}:none"))


def test_a_tag_is_added_and_moved_without_a_new_version(
    at_github: Session, github: GitHubDouble, image: Built
) -> None:
    before = {r.id for r in github.versions(NAME)}
    other = github.tags(NAME)["other"]
    had = retag(at_github, named(at_github, f"{NAME}:v1"), ["stable", "other", "v1"])
    digest = str(image.root.digest)
    assert had == {"stable": "", "other": other, "v1": digest}
    assert {r.id for r in github.versions(NAME)} == before
    assert github.tags(NAME) == dict.fromkeys(("v1", "rc1", "stable", "other"), digest)


def test_a_tag_keeps_its_platforms(at_github: Session, github: GitHubDouble) -> None:
    index = multi_platform(1)
    github.push(NAME, "v1", index, days_ago(github, 9))
    one = next(d for d, _ in index.contents if d.is_manifest and not d.is_index)
    pinned = named(at_github, f"{NAME}@{one.digest}")
    with pytest.raises(RefusedError, match="the tag points to an index of"):
        retag(at_github, pinned, ["new", "v1"])
    assert set(github.tags(NAME)) == {"v1"}
    retag(at_github, pinned, ["v1"], force=True)
    assert github.tags(NAME) == {"v1": str(one.digest)}
