"""Inputs of a prune plan: names, protect files, pull requests and branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.errors import (
    DeniedError,
    InvalidReferenceError,
    NetworkError,
    NotFoundError,
    PackageUnknownError,
    RefusedError,
)
from ghcrctl.operations.packages.package_names import (
    PackageName,
    match_packages,
    read_name,
    read_owner,
)
from ghcrctl.operations.packages.protect_files import find_digests, find_tags, read_protect_files
from ghcrctl.operations.packages.prune import plan_prune
from ghcrctl.operations.packages.rules import parse_rules
from tests.builders import random_image
from tests.packages_double.fixtures import environ_for
from tests.registry_double.faults import Fault
from tests.sessions import session_on
from tests.unit.operations.packages.content import NAME, days_ago, multi_platform, releases

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.github.plan import Plan
    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble


def plans(session: Session, github: GitHubDouble, *names: str, **given: Any) -> list[Plan]:
    data = {key.replace("_", "-"): value for key, value in given.items()}
    rules = parse_rules(names or (NAME,), data, github.clock.now)
    return list(plan_prune(session, [rules], github.clock.now))


def tags_gone(plan: Plan) -> set[str]:
    return {tag for step in plan.steps for tag in step.tags}


# Names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("octo/app", ("octo", "app", "", "", None)),
        ("octo/a/b/c:v1", ("octo", "a/b/c", "v1", "", None)),
        (f"octo/app@sha256:{'ab' * 32}", ("octo", "app", "", f"sha256:{'ab' * 32}", None)),
        ("octo/app#123", ("octo", "app", "", "", 123)),
    ],
)
def test_a_name_may_name_a_version(
    at_github: Session, text: str, expected: tuple[str, str, str, str, int | None]
) -> None:
    found = read_name(at_github, text)
    assert (found.owner, found.package, found.tag, found.digest, found.id) == expected


@pytest.mark.parametrize("text", ["octo/app#", "octo/app#x", "octo/app#-1", "localhost:1/app"])
def test_an_invalid_name_is_refused(at_github: Session, text: str) -> None:
    with pytest.raises(InvalidReferenceError):
        read_name(at_github, text)


def test_an_owner_may_have_another_registry(at_github: Session, github: GitHubDouble) -> None:
    assert read_owner(at_github, "octo") == (github.host, "octo")
    assert read_owner(at_github, "containers.x.example/octo") == ("containers.x.example", "octo")
    with pytest.raises(InvalidReferenceError):
        read_owner(at_github, "a/b/c")


def test_patterns_select_matching_packages(at_github: Session, github: GitHubDouble) -> None:
    for name in ("octo/app-a", "octo/app-b", "octo/lib", "octo/app-a/deep"):
        github.push(name, "v1", random_image(seed=1), days_ago(github, 9))
    found = [named.package for named in match_packages(at_github, ["octo/lib", "octo/app-*"])]
    assert found == ["lib", "app-a", "app-a/deep", "app-b"]
    assert [n.package for n in match_packages(at_github, [f"{github.host}/octo/l*"])] == ["lib"]
    assert len(match_packages(at_github, ["octo/*", "octo/lib"])) == 4


def test_a_pattern_without_a_match_is_reported_and_ends_a_run_without_others(
    github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    said: list[str] = []
    with session_on(
        tmp_path,
        registry=github.host,
        token="ghp_octo",
        warn=said.append,
        environ=environ_for(github, tmp_path),
    ) as session:
        assert len(plans(session, github, "octo/x*", NAME)) == 1
        assert said == ["no package matches `octo/x*`"]
        with pytest.raises(PackageUnknownError, match="no package matches"):
            plans(session, github, "octo/x*")


def test_the_first_rules_that_name_a_package_apply(
    at_github: Session, github: GitHubDouble
) -> None:
    releases(github)
    now = github.clock.now
    first = parse_rules((NAME,), {"include": ["v0"]}, now)
    second = parse_rules(("octo/*",), {"include": ["*"]}, now)
    found = list(plan_prune(at_github, [first, second], now))
    assert [tags_gone(plan) for plan in found] == [{"v0"}]


def test_a_job_token_that_cannot_list_packages_gets_a_hint(
    github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    github.accounts["octo"] = "ghs_job"
    with (
        session_on(
            tmp_path, registry=github.host, token="ghs_job", environ=environ_for(github, tmp_path)
        ) as job,
        pytest.raises(DeniedError) as caught,
    ):
        match_packages(job, ["octo/*"])
    assert "never list an owner's packages: name each package" in (caught.value.hint or "")


def test_white_space_around_a_name_is_ignored(at_github: Session, github: GitHubDouble) -> None:
    releases(github)
    assert match_packages(at_github, [" octo/app\n", "\tocto/a* "]) == [
        PackageName(github.host, "octo", "app")
    ]


def test_manifests_read_before_an_interruption_are_cached(
    at_github: Session, github: GitHubDouble
) -> None:
    releases(github, 90)
    # The interruption is in the middle of the second batch of 200.
    github.faults.append(Fault("GET", "/manifests/", status=503, after=240, times=10_000))
    with pytest.raises(NetworkError):
        plans(at_github, github)
    github.faults.clear()
    before = len(github.log)
    plans(at_github, github)
    read = [e for e in github.log[before:] if "/manifests/" in e.path and e.status == 200]
    assert len(read) == 270 - 200


# Protection


def test_digests_and_tags_in_use_are_kept(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    made = releases(github, 5)
    cluster = tmp_path / "cluster"
    (cluster / "deep").mkdir(parents=True)
    host = github.host
    (cluster / "app.yaml").write_text(f"image: {host}/octo/app@{made[1].root.digest}\n")
    (cluster / "deep" / "compose.yml").write_text(f'image: "{host}/octo/app:v2"\n')
    [plan] = plans(at_github, github, include=["*"], protect_file=[str(cluster)], keep_last=1)
    assert tags_gone(plan) == {"v0", "v3"}
    [plan] = plans(at_github, github, include=["*"], protect_digest=[str(made[3].root.digest)])
    assert "v3" not in tags_gone(plan)


def test_a_missing_protect_file_ends_the_run(
    at_github: Session, github: GitHubDouble, tmp_path: Path
) -> None:
    releases(github)
    with pytest.raises(NotFoundError, match="no such file"):
        plans(at_github, github, include=["*"], protect_file=[str(tmp_path / "none")])


def test_digests_are_found_in_any_text() -> None:
    digest = f"sha256:{'0f' * 32}"
    assert find_digests(f"x: a/b@{digest}\n- {digest},sha256:{'0f' * 33} sha256:123") == {digest}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image: ghcr.io/octo/app:v1", {"v1"}),
        ("image: GHCR.io/Octo/App:v1", {"v1"}),
        ("'ghcr.io/octo/app'", {"latest"}),
        ("ghcr.io/octo/app@sha256:00", set()),
        ("ghcr.io/octo/app:v1@sha256:00", {"v1"}),
        ("ghcr.io/octo/app-two:v2 ghcr.io/octo/app/sub:v3 ghcr.io/octo/app.x:v4", set()),
        ("my.ghcr.io/octo/app:v5 x/ghcr.io/octo/app:v6", set()),
        ("ghcr.io/octo/app:v1,ghcr.io/octo/app:v2", {"v1", "v2"}),
        ("docker://ghcr.io/octo/app:v1", {"v1"}),
        ("octo/app:v1", set()),
        ("It runs ghcr.io/octo/app:v1.", {"v1.", "v1"}),
    ],
)
def test_tags_are_found_by_the_whole_name(text: str, expected: set[str]) -> None:
    assert find_tags(text, PackageName("ghcr.io", "octo", "app")) == expected


def test_files_of_any_bytes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\xff\xfe ghcr.io/octo/app:v1 \x00")
    assert find_tags(read_protect_files([path]), PackageName("ghcr.io", "octo", "app")) == {"v1"}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_that_windows_wrote_protects_too(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "images.txt"
    digest = f"sha256:{'0f' * 32}"
    path.write_text(f"ghcr.io/octo/app:v1\r\n{digest}\r\n", encoding=encoding)
    text = read_protect_files([path])
    assert find_tags(text, PackageName("ghcr.io", "octo", "app")) == {"v1"}
    assert find_digests(text) == {digest}


def test_a_list_separated_by_nul_protects_each_tag(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(b"ghcr.io/octo/app:v1\0ghcr.io/octo/app:v2\0")
    assert find_tags(read_protect_files([path]), PackageName("ghcr.io", "octo", "app")) >= {
        "v1",
        "v2",
    }


def test_every_file_of_a_directory_protects(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.yaml", "sub/b.yaml"):
        (tmp_path / name).write_text(f"ghcr.io/octo/app:{name[-6]}")
    text = read_protect_files([tmp_path, tmp_path / "a.yaml"])
    assert find_tags(text, PackageName("ghcr.io", "octo", "app")) == {"a", "b"}


# Pull requests and branches


def test_images_of_closed_pull_requests_and_deleted_branches_are_deleted(
    at_github: Session, github: GitHubDouble
) -> None:
    github.api.linked[NAME] = "octo/app"
    github.api.pulls["octo/app"] = [7]
    github.api.branches["octo/app"] = ["main", "feature/x"]
    tags = ("pr-6", "pr-7", "pr-71", "branch-main", "branch-feature-x", "branch-gone", "v1")
    for number, tag in enumerate(tags):
        github.push(NAME, tag, multi_platform(number), days_ago(github, 9))
    [plan] = plans(
        at_github,
        github,
        closed_pull_requests="pr-{number}",
        deleted_branches="branch-{branch}",
    )
    assert tags_gone(plan) == {"pr-6", "pr-71", "branch-gone"}


def test_a_tag_that_may_belong_to_something_existing_is_kept(
    at_github: Session, github: GitHubDouble
) -> None:
    github.api.linked[NAME] = "octo/app"
    github.api.pulls["octo/app"] = [7]
    github.api.branches["octo/app"] = ["main", "fix/12"]
    for number, tag in enumerate(("pr-6", "pr-7", "main", "fix-12", "gone", "latest")):
        github.push(NAME, tag, multi_platform(number), days_ago(github, 9))
    [plan] = plans(
        at_github,
        github,
        closed_pull_requests="*-{number}",
        deleted_branches="{branch}",
        exclude=["latest"],
    )
    assert tags_gone(plan) == {"pr-6", "gone"}


def test_a_package_without_a_repository_needs_one_named(
    at_github: Session, github: GitHubDouble
) -> None:
    github.push(NAME, "pr-1", random_image(seed=1), days_ago(github, 9))
    github.push(NAME, "v1", random_image(seed=2), days_ago(github, 9))
    with pytest.raises(RefusedError, match="no linked repository") as caught:
        plans(at_github, github, closed_pull_requests="pr-{number}")
    assert "--repository" in (caught.value.hint or "")
    github.api.pulls["octo/other"] = []
    given = {"closed_pull_requests": "pr-{number}", "repository": "octo/other"}
    [plan] = plans(at_github, github, **given)
    assert tags_gone(plan) == {"pr-1"}


def test_an_unreadable_repository_ends_the_run(at_github: Session, github: GitHubDouble) -> None:
    # Without the list of open pull requests, all would count as closed.
    github.push(NAME, "pr-1", random_image(seed=1), days_ago(github, 9))
    with pytest.raises(PackageUnknownError, match="the pull requests of octo/none"):
        plans(at_github, github, closed_pull_requests="pr-{number}", repository="octo/none")
