"""Protection rules that match nothing are reported once, after all packages are planned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.operations.packages.prune import plan_prune
from ghcrctl.operations.packages.rules import parse_rules, read_policy_file
from tests.builders import random_image
from tests.packages_double.fixtures import environ_for
from tests.registry_double.faults import Fault
from tests.sessions import session_on
from tests.unit.operations.packages.content import NAME, days_ago, releases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble

OTHER = "octo/lib"
NOWHERE = f"sha256:{'ab' * 32}"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def session(github: GitHubDouble, tmp_path: Path, said: list[str]) -> Iterator[Session]:
    """A session that records warnings, and packages with v0, v1 and v2, and with `stable`."""
    releases(github)
    github.push(OTHER, "stable", random_image(seed=70), days_ago(github, 9))
    environ = environ_for(github, tmp_path)
    with session_on(
        tmp_path, registry=github.host, token="ghp_octo", warn=said.append, environ=environ
    ) as open_journal:
        yield open_journal


def run(session: Session, github: GitHubDouble, *names: str, **given: Any) -> None:
    data = {key.replace("_", "-"): value for key, value in given.items()}
    now = github.clock.now
    list(plan_prune(session, [parse_rules(names or (NAME,), data, now)], now))


def unmatched(*rules: str) -> list[str]:
    return [f"{rule} matches nothing in its packages, so it protects nothing" for rule in rules]


def test_a_pattern_that_matches_no_tag_is_reported(
    session: Session, github: GitHubDouble, said: list[str]
) -> None:
    patterns = ["v1", "lates", "re:v[0-9]", "semver:>=9", "rel-*"]
    run(session, github, include=["*"], exclude=patterns)
    assert said == unmatched("exclude `lates`", "exclude `semver:>=9`", "exclude `rel-*`")


def test_a_digest_and_a_file_that_name_nothing_are_reported(
    session: Session, github: GitHubDouble, said: list[str], tmp_path: Path
) -> None:
    digest = github.tags(NAME)["v1"]
    texts = {
        "none": f"{github.host}/{OTHER}:v1 {github.host}/{NAME}:v9 {NOWHERE}",
        "digest": f"x@{digest}",
        "tag": f"image: {github.host}/{NAME}:v2",
        "empty": "",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    files = [str(tmp_path / name) for name in texts]
    run(session, github, protect_digest=[digest, NOWHERE], protect_file=files)
    expected = [f"protect-digest `{NOWHERE}`"]
    expected += [f"protect-file `{tmp_path / name}`" for name in ("none", "empty")]
    assert said == unmatched(*expected)


def test_files_of_a_directory_count_together(
    session: Session, github: GitHubDouble, said: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "deploy"
    folder.mkdir()
    (folder / "a").write_text("nothing")
    (folder / "b").write_text(f"{github.host}/{NAME}:v1")
    run(session, github, protect_file=[str(folder)])
    assert said == []


def test_a_pattern_for_several_packages_needs_one_match(
    session: Session, github: GitHubDouble, said: list[str]
) -> None:
    run(session, github, NAME, OTHER, exclude=["stable", "v1", "none", "none"])
    assert said == unmatched("exclude `none`")


def test_a_default_of_a_policy_needs_one_match(
    session: Session, github: GitHubDouble, said: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(f"""
defaults: {{exclude: [stable, lost]}}
packages:
- package: {NAME}
- package: [{OTHER}, {NAME}]
  protect-digest: [{NOWHERE}]
- package: octo/gone-*
  exclude: [untried]
""")
    list(plan_prune(session, read_policy_file(path, github.clock.now), github.clock.now))
    assert said[0] == "no package matches `octo/gone-*`"
    assert sorted(said[1:]) == sorted(unmatched("exclude `lost`", f"protect-digest `{NOWHERE}`"))


def test_an_unmatched_rule_of_an_entry_is_reported(
    session: Session, github: GitHubDouble, said: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(f"""
[[packages]]
package = "{NAME}"
exclude = ["stable"]
[[packages]]
package = "{OTHER}"
""")
    list(plan_prune(session, read_policy_file(path, github.clock.now), github.clock.now))
    assert said == unmatched("exclude `stable`")


def test_a_rule_of_a_package_that_cannot_be_read_is_not_reported(
    session: Session, github: GitHubDouble, said: list[str]
) -> None:
    now = github.clock.now
    rules = [
        parse_rules((NAME,), {"exclude": ["shared", "lost"]}, now),
        parse_rules((OTHER,), {"exclude": ["shared", "unread"]}, now),
    ]
    github.faults.append(Fault("GET", "/octo/lib/manifests/", status=403, times=99))
    failed: list[str] = []
    planned = plan_prune(session, rules, now, failed=lambda name, _: failed.append(name))
    assert [plan.package for plan in planned] == ["app"]
    assert failed == [f"{github.host}/{OTHER}"]
    assert said == unmatched("exclude `lost`")
