"""Pull, push, copy and sync, from Python."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

import pytest

from ghcrctl import (
    Access,
    AuthError,
    Credential,
    Finished,
    NotFoundError,
    Planned,
    Platform,
    RefusedError,
    UsageError,
)
from ghcrctl.errors import ManifestUnknownError, NoSuchImageError
from tests.builders import artifact, index_of, random_image

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl import Client, Event, FailedJob, SyncedTag
    from tests.registry_double import PlainRegistry, RegistryDouble

ARM = Platform("linux", "arm64")
ONE, OTHER = random_image(seed=1), random_image(seed=1, platform=ARM)
BOTH = index_of(ONE, OTHER)


@pytest.fixture
def image(plain_registry: PlainRegistry, repository: str) -> str:
    plain_registry.push_image("octo/image", "1.0", BOTH)
    return f"{repository}:1.0"


# Pull and push


@pytest.mark.parametrize("platform", ["linux/arm64", ARM, [ARM], ("linux/arm64",)])
def test_a_platform_may_be_a_text_a_value_or_one_of_a_list(
    client: Client, image: str, platform: str | Platform
) -> None:
    result = client.pull(image, platform=platform)
    assert result.digest == BOTH.root.digest
    assert result.descriptor.digest == OTHER.root.digest


def test_one_platform_and_all_exclude_each_other(client: Client, image: str) -> None:
    with pytest.raises(UsageError, match="are mutually exclusive"):
        client.pull(image, platform="linux/arm64", all_platforms=True)
    assert client.pull(image, all_platforms=True).descriptor.digest == BOTH.root.digest


def test_an_observer_sees_the_plan_and_each_layer(client: Client, image: str) -> None:
    events: list[Event] = []
    client.pull(image, dry_run=True, observer=events.append)
    assert [type(event) for event in events] == [Planned]
    assert client.images() == []
    client.pull(image, observer=events.append)
    assert sum(isinstance(e, Finished) and e.step.is_layer for e in events) == 2


def test_an_exception_of_an_observer_ends_the_transfer(client: Client, image: str) -> None:
    def fail(event: Event) -> None:
        if isinstance(event, Finished):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        client.pull(image, observer=fail)
    assert client.images() == []
    assert client.pull(image).updated


def test_of_several_one_that_fails_does_not_stop_the_others(
    client: Client, image: str, repository: str
) -> None:
    gone, there = client.pull_several([f"{repository}:9", image, image])
    assert there.get().reference.tag == there.item.tag == "1.0"
    assert isinstance(gone.error, ManifestUnknownError)
    with pytest.raises(ManifestUnknownError):
        gone.get()


def test_all_tags_are_pulled_and_pushed(
    client: Client, plain_registry: PlainRegistry, image: str, repository: str
) -> None:
    helper = f"sha256-{'a' * 64}.sig"
    plain_registry.push_image("octo/image", "1.1", random_image(seed=5))
    plain_registry.push_image("octo/image", helper, artifact())
    pulled = client.pull_several([repository], all_tags=True, all_platforms=True)
    assert [attempt.get().reference.tag for attempt in pulled] == ["1.0", "1.1"]
    pushed = client.push_several([repository], all_tags=True)
    assert [attempt.get().moved for attempt in pushed] == [0, 0]
    with pytest.raises(UsageError, match="tag can't be used with --all-tags"):
        client.pull_several([image], all_tags=True)
    with pytest.raises(UsageError, match="tag can't be used with --all-tags"):
        client.push_several([image], all_tags=True)


def test_a_missing_image_cannot_be_pushed(client: Client, repository: str) -> None:
    with pytest.raises(NoSuchImageError):
        client.push(f"{repository}:1.0")
    with pytest.raises(RefusedError, match="local name"):
        client.push("hello")


# Copy


def test_a_copy_keeps_the_digest_and_the_tag(client: Client, image: str, repository: str) -> None:
    copied = client.copy(image, f"{repository}-copy")
    assert copied.descriptor.digest == BOTH.root.digest
    assert copied.target.shown == f"{repository}-copy:1.0"
    assert client.digest(f"{repository}-copy:1.0") == BOTH.root.digest


def test_a_copy_may_be_of_some_platforms_and_packed_otherwise(
    client: Client, image: str, repository: str
) -> None:
    small = client.copy(image, f"{repository}-small", platform=ARM)
    assert small.descriptor.digest == OTHER.root.digest
    packed = client.copy(image, f"{repository}-zstd", compress="zstd")
    assert packed.descriptor.digest != BOTH.root.digest
    with pytest.raises(UsageError, match="--level requires --compress"):
        client.copy(image, f"{repository}-zstd", level=3)


def test_a_side_may_have_a_credential_of_its_own(
    client: Client, ghcr: RegistryDouble, repository: str
) -> None:
    ghcr.push_image("octo/private", "1.0", ONE)
    source = f"{ghcr.host}/octo/private:1.0"
    with pytest.raises(AuthError):
        client.copy(source, repository)
    mine = Access(ghcr.host, Credential("octo", "ghp_octo"))
    copied = client.copy(source, repository, accesses=(mine, None))
    assert copied.descriptor.digest == ONE.root.digest
    with pytest.raises(AuthError):
        client.digest(source)


def test_attempts_carry_the_given_names(client: Client, image: str, repository: str) -> None:
    gone, there = client.copy_several([f"{repository}:9", image], f"{repository}-copy")
    assert isinstance(gone.error, ManifestUnknownError)
    assert there.item == image
    assert there.get().descriptor.digest == BOTH.root.digest
    with pytest.raises(UsageError, match="to one name"):
        client.copy_several([image, f"{repository}:9"], f"{repository}-copy:1.0")


def test_an_archive_is_there_when_all_images_are_in_it(
    tmp_path: Path, client: Client, image: str, repository: str
) -> None:
    path = tmp_path / "images.tar"
    with pytest.raises(ManifestUnknownError):
        client.copy_several([image, f"{repository}:9"], f"archive:{path}")
    assert not path.exists()
    assert len(client.copy_several([image], f"archive:{path}")) == 1
    assert tarfile.is_tarfile(path)


# Sync


def test_a_sync_tells_of_each_tag(
    client: Client, plain_registry: PlainRegistry, image: str, repository: str
) -> None:
    assert image
    plain_registry.push_image("octo/other", "old", ONE)
    told: list[SyncedTag | FailedJob] = []
    target = f"{plain_registry.host}/octo/other"
    dry = client.sync(repository, target, delete=True, dry_run=True)
    report = client.sync(repository, target, delete=True, tell=told.append)
    assert (dry.copied, dry.deleted) == (report.copied, report.deleted) == (1, 1)
    assert [one.status for one in told if hasattr(one, "status")] == ["copied", "deleted"]
    assert [row.tag for row in client.tags(target)] == ["1.0"]


def test_a_sync_raises_the_first_failure_unless_it_keeps_going(
    tmp_path: Path, client: Client, image: str, repository: str
) -> None:
    assert image
    file = tmp_path / "sync.yaml"
    file.write_text(
        f"sync:\n- {{from: {repository}-none, to: {repository}-a}}\n"
        f"- {{from: {repository}, to: {repository}-b}}\n"
    )
    with pytest.raises(NotFoundError):
        client.sync_file(file)
    report = client.sync_file(file, keep_going=True)
    assert (report.copied, report.failed) == (1, 1)
    assert report.first is not None


def test_rules_of_a_sync_are_read_as_the_command_reads_them(
    client: Client, image: str, repository: str
) -> None:
    assert image
    assert client.sync(repository, f"{repository}-b", newer_than="1d").too_old == 1
    assert client.sync(repository, f"{repository}-b", include=["2.*"]).copied == 0
    with pytest.raises(UsageError):
        client.sync(repository, f"{repository}-b", newer_than="yesterday")
    with pytest.raises(UsageError, match="needs a unit"):
        client.sync(repository, f"{repository}-b", newer_than="30")
    with pytest.raises(UsageError, match="an image, not a repository"):
        client.sync(image, f"{repository}-b")
