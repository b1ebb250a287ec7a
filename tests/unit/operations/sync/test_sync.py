"""Syncing repositories: copied, unchanged and deleted tags."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    GhcrctlError,
    NotFoundError,
    RefusedError,
    UnsupportedError,
    UsageError,
)
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.sync.config_file import read_jobs
from ghcrctl.operations.sync.deletions import Deletions
from ghcrctl.operations.sync.plan import Job, TagAction, check_job, plan_job, plan_jobs
from tests.builders import artifact, index_of, random_image
from tests.registry_double.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.sync.plan import Task
    from tests.builders import Built
    from tests.registry_double import PlainRegistry, RegistryDouble

NOW = datetime(2026, 1, 31, tzinfo=timezone.utc)
# The creation time of `random_image`.
MADE = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
IMAGES = [random_image(seed=number) for number in range(4)]
ARM64 = Platform("linux", "arm64")
INDEX = index_of(IMAGES[0], random_image(seed=9, platform=ARM64))


def put(registry: PlainRegistry, repository: str, images: dict[str, Built]) -> None:
    for tag, image in images.items():
        registry.push_image(repository, tag, image)


def job(ghcr: RegistryDouble, other: PlainRegistry, session: Session, **rules: object) -> Job:
    return Job(
        session.parse(f"{ghcr.host}/octo/image"),
        session.parse(f"{other.host}/octo/copy"),
        **rules,  # type: ignore[arg-type]
    )


def delete(session: Session, tasks: list[Task]) -> None:
    deletions = Deletions(session, tasks)
    for task in tasks:
        if task.what is TagAction.DELETE:
            deletions.delete(task)


def by_digest_only(registry: PlainRegistry, *tags: str) -> None:
    """Make a registry refuse to delete some tags, as many do."""
    for tag in tags:
        registry.faults.append(Fault("DELETE", f"/manifests/{tag}", status=405, times=99))


def planned(session: Session, wanted: Job) -> dict[str, TagAction]:
    return {task.tag: task.what for task in plan_job(session, wanted)}


def test_different_tags_are_copied_and_equal_ones_are_kept(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {"1": IMAGES[0], "2": IMAGES[1], "3": IMAGES[2]})
    put(plain_registry, "octo/copy", {"1": IMAGES[0], "2": IMAGES[3], "own": IMAGES[3]})
    wanted = job(ghcr, plain_registry, session)
    assert planned(session, wanted) == {
        "1": TagAction.SAME,
        "2": TagAction.COPY,
        "3": TagAction.COPY,
    }


def test_an_up_to_date_tag_costs_one_request_per_side(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    images = {str(number): image for number, image in enumerate(IMAGES)}
    put(ghcr, "octo/image", images)
    put(plain_registry, "octo/copy", images)
    plan_job(session, job(ghcr, plain_registry, session))
    for registry in (ghcr, plain_registry):
        assert registry.count("HEAD", "/manifests/") == len(images)
        assert registry.count("GET", "/manifests/") == 0
    assert plain_registry.count() == len(images) + 1


def test_patterns_select_tags(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    tags = ["1.0", "1.1", "1.2-rc1", "latest", f"sha256-{'0' * 64}.sig"]
    put(ghcr, "octo/image", dict.fromkeys(tags, IMAGES[0]))
    wanted = job(ghcr, plain_registry, session, include=("semver:>=1.1", "l*"), exclude=("*-rc*",))
    assert planned(session, wanted) == {"1.1": TagAction.COPY, "latest": TagAction.COPY}


@pytest.mark.parametrize(
    ("moment", "what"),
    [(MADE.replace(year=2023), TagAction.COPY), (MADE.replace(year=2025), TagAction.TOO_OLD)],
)
def test_old_images_are_skipped(
    ghcr: RegistryDouble,
    plain_registry: PlainRegistry,
    session: Session,
    moment: datetime,
    what: TagAction,
) -> None:
    put(ghcr, "octo/image", {"1": IMAGES[0], "thing": artifact()})
    found = planned(session, job(ghcr, plain_registry, session, newer_than=moment))
    # An image without a creation time counts as new.
    assert found == {"1": what, "thing": TagAction.COPY}


def test_selected_platforms_are_compared_as_copied(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {"1": INDEX, "2": INDEX})
    put(plain_registry, "octo/copy", {"1": IMAGES[0], "2": INDEX})
    wanted = job(ghcr, plain_registry, session, platforms=(Platform("linux", "amd64"),))
    assert planned(session, wanted) == {"1": TagAction.SAME, "2": TagAction.COPY}


def test_tags_missing_at_the_source_are_deleted_if_selected(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {"1.0": IMAGES[0], "dev": IMAGES[1]})
    put(plain_registry, "octo/copy", {"1.0": IMAGES[0], "0.9": IMAGES[2], "mine": IMAGES[3]})
    rules = {"include": ("semver:*",), "delete": True}
    wanted = job(ghcr, plain_registry, session, **rules)
    assert planned(session, wanted) == {"1.0": TagAction.SAME, "0.9": TagAction.DELETE}


def test_tags_excluded_at_the_source_are_not_deleted(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {"1.0": IMAGES[0]})
    put(plain_registry, "octo/copy", {"1.0": IMAGES[1]})
    rules = {"newer_than": MADE.replace(year=2025), "delete": True}
    assert planned(session, job(ghcr, plain_registry, session, **rules)) == {
        "1.0": TagAction.TOO_OLD
    }


def test_an_empty_source_does_not_empty_the_target(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {f"sha256-{'0' * 64}": IMAGES[0]})
    put(plain_registry, "octo/copy", {"1.0": IMAGES[0]})
    with pytest.raises(RefusedError, match="would be deleted"):
        plan_job(session, job(ghcr, plain_registry, session, delete=True))


def test_a_missing_source_is_an_error(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    with pytest.raises(NotFoundError):
        plan_job(session, job(ghcr, plain_registry, session))


def test_a_tag_is_deleted_and_other_tags_of_its_image_are_kept(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {"1": IMAGES[0]})
    put(plain_registry, "octo/copy", {"1": IMAGES[0], "old": IMAGES[0], "gone": IMAGES[1]})
    tasks = plan_job(session, job(ghcr, plain_registry, session, delete=True))
    delete(session, tasks)
    left = session.repository(tasks[0].job.target)
    assert list(left.tags()) == ["1"]
    assert left.digest_of("1") == IMAGES[0].root.digest


def test_tags_of_one_image_are_deleted_together_by_digest(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {"1": IMAGES[0]})
    put(plain_registry, "octo/copy", {"1": IMAGES[0], "old": IMAGES[1], "older": IMAGES[1]})
    by_digest_only(plain_registry, "old", "older")
    tasks = plan_job(session, job(ghcr, plain_registry, session, delete=True))
    delete(session, tasks)
    left = session.repository(tasks[0].job.target)
    assert left.digest_of("1") == IMAGES[0].root.digest
    with pytest.raises(NotFoundError):
        left.digest_of("older")


@pytest.mark.parametrize("dead", [IMAGES[0], INDEX], ids=["in an index", "by another name"])
def test_content_of_kept_tags_is_not_deleted_by_digest(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session, dead: Built
) -> None:
    put(ghcr, "octo/image", {"1": INDEX})
    put(plain_registry, "octo/copy", {"1": INDEX, "dead": dead, "dead-too": dead})
    by_digest_only(plain_registry, "dead")
    tasks = plan_job(session, job(ghcr, plain_registry, session, delete=True))
    with pytest.raises(RefusedError, match="`1` needs"):
        delete(session, tasks)
    left = session.repository(tasks[0].job.target)
    assert left.digest_of("1") == INDEX.root.digest
    assert left.digest_of("dead") == dead.root.digest


def test_kept_tags_are_read_once_for_all_deletions(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {"1": IMAGES[0], "2": IMAGES[1]})
    kept = {"1": IMAGES[0], "2": IMAGES[1]}
    put(plain_registry, "octo/copy", {**kept, "x": IMAGES[2], "y": IMAGES[3]})
    by_digest_only(plain_registry, "x", "y")
    delete(session, plan_job(session, job(ghcr, plain_registry, session, delete=True)))
    assert plain_registry.count("GET", "/manifests/") == len(kept)


def test_a_registry_without_deletion_is_an_error_with_a_hint(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {"1": IMAGES[0]})
    put(plain_registry, "octo/copy", {"old": IMAGES[1]})
    by_digest_only(plain_registry, "")
    tasks = plan_job(session, job(ghcr, plain_registry, session, delete=True))
    with pytest.raises(UnsupportedError) as caught:
        delete(session, tasks)
    assert "without --delete" in (caught.value.hint or "")


def test_a_missing_tag_is_ignored_but_a_denied_deletion_is_an_error(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {"1": IMAGES[0]})
    put(plain_registry, "octo/copy", {"old": IMAGES[1]})
    tasks = plan_job(session, job(ghcr, plain_registry, session, delete=True))
    plain_registry.faults.append(Fault("DELETE", "/manifests/old", status=404))
    with pytest.raises(NotFoundError):
        delete(session, tasks)
    delete(session, tasks)
    delete(session, tasks)


def test_a_tag_without_a_manifest_at_the_target_is_copied_again(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {"1": IMAGES[0]})
    put(plain_registry, "octo/copy", {"1": IMAGES[0]})
    plain_registry.faults.append(Fault("HEAD", "/manifests/1", status=404, times=99))
    assert planned(session, job(ghcr, plain_registry, session)) == {"1": TagAction.COPY}


def test_a_broken_tag_stops_its_repository_without_keep_going(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {"1": IMAGES[0], "2": IMAGES[1]})
    put(plain_registry, "octo/copy", {"1": IMAGES[0], "2": IMAGES[1]})
    ghcr.faults.append(Fault("HEAD", "/manifests/1", status=404, times=99))
    wanted = job(ghcr, plain_registry, session)
    with pytest.raises(NotFoundError):
        plan_job(session, wanted)
    broken, same = plan_job(session, wanted, keep_going=True)
    assert (broken.tag, broken.what, same.what) == ("1", TagAction.BROKEN, TagAction.SAME)
    assert isinstance(broken.error, NotFoundError)


def test_repositories_with_one_target_do_not_delete_each_others_tags(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    put(ghcr, "octo/image", {"1": IMAGES[0]})
    put(ghcr, "octo/other", {"2": IMAGES[1]})
    put(plain_registry, "octo/copy", {"1": IMAGES[0], "2": IMAGES[1], "old": IMAGES[2]})
    one = job(ghcr, plain_registry, session, delete=True)
    two = replace(one, source=session.parse(f"{ghcr.host}/octo/other"))
    tasks = plan_jobs(session, [one, two], lambda _, error: pytest.fail(error.message))
    assert [(task.tag, task.what) for task in tasks] == [
        ("1", TagAction.SAME),
        ("2", TagAction.SAME),
        ("old", TagAction.DELETE),
    ]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("hello", "octo/image"),
        ("octo/image", "hello"),
        ("octo/image:1", "octo/other"),
        ("octo/image", "octo/other:1"),
        ("octo/image", "octo/image"),
    ],
)
def test_an_invalid_job_is_refused(session: Session, source: str, target: str) -> None:
    with pytest.raises((UsageError, RefusedError)):
        check_job(Job(session.parse(source), session.parse(target)))


YAML = """
defaults:
  exclude: "*-rc*"
  delete: true
sync:
  - from: octo/image
    to: registry.local/image
    include: ["1.*", "semver:>=2"]
    newer-than: 30d
    platforms: [linux/amd64]
  - {from: octo/other, to: registry.local/other, delete: false, newer-than: 2026-01-01}
"""
TOML = """
defaults = {exclude = "*-rc*", delete = true}
[[sync]]
from = "octo/image"
to = "registry.local/image"
include = ["1.*", "semver:>=2"]
newer-than = "30d"
platforms = ["linux/amd64"]
[[sync]]
from = "octo/other"
to = "registry.local/other"
delete = false
newer-than = 2026-01-01
"""


@pytest.mark.parametrize(("name", "text"), [("sync.yaml", YAML), ("sync.toml", TOML)])
def test_a_file_configures_jobs(session: Session, tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    first, second = read_jobs(path, session.parse, NOW)
    assert first == Job(
        session.parse("octo/image"),
        session.parse("registry.local/image"),
        include=("1.*", "semver:>=2"),
        exclude=("*-rc*",),
        newer_than=datetime(2026, 1, 1, tzinfo=timezone.utc),
        delete=True,
        platforms=(Platform("linux", "amd64"),),
    )
    assert (second.delete, second.exclude) == (False, ("*-rc*",))
    assert second.newer_than == datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a table"),
        ("sync: []", "`sync` is missing"),
        ("sync: 1", "`sync` is missing"),
        ("sink: []", "unknown key `sink`"),
        ("defaults: false\nsync: [{from: a/b, to: c/d}]", "`defaults`: expected a table"),
        ("sync: [1]", "entry 1: expected a table"),
        ("sync: [{from: a/b}]", "entry 1: `to` is missing or not a text"),
        ("sync: [{from: a/b, to: c/d}, {from: a/b, to: c/d, includes: x}]", "entry 2"),
        (
            "sync: [{from: a/b, to: c/d, include: [1.10]}]",
            "invalid `1.1` in `include`: expected a text",
        ),
        ("sync: [{from: a/b, to: c/d, include: []}]", "`include`"),
        ("sync: [{from: a/b, to: c/d, delete: maybe}]", "expected true or false"),
        ("sync: [{from: a/b, to: c/d, newer-than: soon}]", "newer-than"),
        ("sync: [{from: a/b, to: c/d, newer-than: [1]}]", "newer-than"),
        ("sync: [{from: hello, to: c/d}]", "entry 1: `hello` is a local name"),
        ("sync: [{from: a/b, to: a/b}]", "with itself"),
        ("sync: [{from: 'A B', to: a/b}]", "entry 1"),
        ("sync: [{from: a/b, to: c/d, include: 're:('}]", "regular expression"),
        ("sync: [{from: a/b, to: c/d, newer-than: 30}]", "a number needs a unit"),
        ("sync:\n- from: a/b\n  to: c/d\n  to: e/f\n", "duplicate key `to` on line 4"),
        ("a: &a [1]\nb: *a", "alias"),
        ("sync: [}", "not valid YAML: expected the node content, but found '}' on line 1"),
        ("sync: !!python/object/apply:os.system [id]", "not valid YAML"),
        ("[" * 500_000, "nested too deeply"),
    ],
)
def test_errors_in_a_file_name_their_place(
    session: Session, tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "sync.yaml"
    path.write_text(text)
    with pytest.raises(GhcrctlError) as caught:
        read_jobs(path, session.parse, NOW)
    assert said in f"{caught.value.message}{json.dumps(caught.value.hint)}"
    assert caught.value.exit_status in {2, 7}


def test_a_missing_or_huge_file_is_an_error(session: Session, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_jobs(tmp_path / "nothing", session.parse, NOW)
    (tmp_path / "huge").write_bytes(b"#" * 2_000_000)
    with pytest.raises(UsageError, match="larger"):
        read_jobs(tmp_path / "huge", session.parse, NOW)
