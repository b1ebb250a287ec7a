"""Finding a version by its name, and planning its deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import PackageUnknownError
from ghcrctl.operations.packages.delete import plan_delete
from tests.unit.operations.packages.content import NAME, named, releases

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble


def test_a_version_is_found_by_tag_digest_and_number(
    at_github: Session, github: GitHubDouble
) -> None:
    made = releases(github)
    record = next(r for r in github.versions(NAME) if "v1" in r.tags)
    for text in (":v1", f"@{record.digest}", f"#{record.id}", f":v1#{record.id}"):
        plan = plan_delete(at_github, named(at_github, f"{NAME}{text}"), github.clock.now)
        assert plan.steps[0].id == record.id
        assert plan.steps[0].digest == str(made[1].root.digest)
        assert not plan.deletes_package
        assert len(plan.steps) == 3


def test_a_package_is_planned_as_a_whole(at_github: Session, github: GitHubDouble) -> None:
    releases(github)
    plan = plan_delete(at_github, named(at_github), github.clock.now)
    assert plan.deletes_package
    assert len(plan.steps) == 9


@pytest.mark.parametrize("what", [":v9", "#1", f"@sha256:{'0' * 64}", ":v1#other", ":v9#own"])
def test_a_version_must_match_tag_and_number(
    at_github: Session, github: GitHubDouble, what: str
) -> None:
    releases(github)
    ids = {tag: r.id for r in github.versions(NAME) for tag in r.tags}
    text = what.replace("other", str(ids["v0"])).replace("own", str(ids["v1"]))
    with pytest.raises(PackageUnknownError) as caught:
        plan_delete(at_github, named(at_github, f"{NAME}{text}"), github.clock.now)
    assert caught.value.message.endswith(f"has no version `{text.removeprefix(':').lstrip('@')}`")
    assert f"packages versions {NAME}" in (caught.value.hint or "")
