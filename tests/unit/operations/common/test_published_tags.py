"""A published tag of an index never loses platforms by surprise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import RefusedError, UnsupportedError
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.making.convert import Conversion
from ghcrctl.operations.making.indexes import IndexTarget
from ghcrctl.operations.making.media_formats import Format
from ghcrctl.operations.making.mutate import Mutation, mutate
from ghcrctl.operations.moving.copy import EVERYTHING, CopyOptions, OpenTarget, copy, copy_into
from ghcrctl.operations.moving.endpoints.registry import RegistryEndpoint
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.moving.push import push
from ghcrctl.operations.moving.push_index import push_index
from ghcrctl.operations.sync.plan import Job
from ghcrctl.operations.sync.run import run_jobs
from tests.builders import attested, index_of, random_image
from tests.sessions import name_at

if TYPE_CHECKING:
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from tests.builders import Built
    from tests.registry_double import RegistryDouble

ARM, S390 = Platform("linux", "arm64"), Platform("linux", "s390x")
AMD_IMAGE, ARM_IMAGE = random_image(2, seed=1), random_image(1, seed=2, platform=ARM)
ALL = index_of(AMD_IMAGE, ARM_IMAGE, random_image(1, seed=3, platform=S390))
NOTE = "Not all multiplatform-content is present and only the available"


@pytest.fixture
def name(ghcr: RegistryDouble, session: Session) -> Reference:
    """Return a tag at the registry that points to an index of three platforms."""
    ghcr.push_image("octo/image", "1.0", ALL)
    return name_at(ghcr, session)


def current(session: Session, name: Reference) -> object:
    return str(session.repository(name).digest_of(name.target))


def test_one_platform_is_not_pushed_over_its_index(session: Session, name: Reference) -> None:
    pull(session, name)
    for dry_run in (True, False):
        with pytest.raises(RefusedError, match="the tag points to an index of") as caught:
            push(session, name, dry_run=dry_run)
        assert caught.value.exit_status == 7
    assert "linux/amd64, linux/arm64, linux/s390x" in caught.value.message
    assert "only linux/amd64 would remain" in caught.value.message
    assert f"ghcrctl push --force {name}" in str(caught.value.hint)
    assert current(session, name) == str(ALL.root.digest)


def test_force_pushes_one_platform_with_a_note(
    session: Session, name: Reference, warnings: list[str]
) -> None:
    pull(session, name)
    push(session, name, force=True)
    assert current(session, name) == str(AMD_IMAGE.root.digest)
    [note] = warnings
    first, digests, command = note.splitlines()
    assert first == f"{NOTE} single-platform image was pushed"
    assert digests.strip() == f"{ALL.root.digest} -> {AMD_IMAGE.root.digest}"
    assert command.endswith(f"ghcrctl copy {name.name}@{ALL.root.digest} {name}")


@pytest.mark.parametrize("target", ["octo/image:2.0", "octo/other:1.0"])
def test_a_new_name_gets_one_platform_with_a_note(
    ghcr: RegistryDouble, session: Session, name: Reference, warnings: list[str], target: str
) -> None:
    pull(session, name)
    other = name_at(ghcr, session, target)
    tag(session, str(name), [other])
    for dry_run, said in ((True, "would be pushed"), (False, "was pushed")):
        warnings.clear()
        push(session, other, dry_run=dry_run)
        [note] = warnings
        assert said in note
        assert f"{ALL.root.digest} -> {AMD_IMAGE.root.digest}" in note
        assert f"ghcrctl copy {name.name}@{ALL.root.digest} {other}" in note
    # The note also appears if the name is tagged or pushed again.
    warnings.clear()
    push(session, other)
    again = name_at(ghcr, session, "octo/third:1")
    tag(session, str(other), [again])
    push(session, again)
    assert len(warnings) == 2
    assert f"ghcrctl copy {name.name}@{ALL.root.digest} {again}" in warnings[1]


def test_another_tag_of_the_index_is_guarded_too(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    ghcr.push_image("octo/other", "1.0", index_of(AMD_IMAGE, ARM_IMAGE))
    pull(session, name)
    other = name_at(ghcr, session, "octo/other:1.0")
    tag(session, str(name), [other])
    with pytest.raises(RefusedError) as caught:
        push(session, other)
    assert f"ghcrctl copy {name.name}@{ALL.root.digest} {other}" in str(caught.value.hint)


def test_some_platforms_are_not_pushed_over_all(
    session: Session, name: Reference, warnings: list[str]
) -> None:
    two = Selection.of(["linux/amd64", "linux/arm64"])
    pull(session, name, select=two)
    with pytest.raises(RefusedError, match="only linux/amd64, linux/arm64 would remain"):
        push(session, name)
    push(session, name, force=True)
    assert f"{NOTE} platforms were pushed" in warnings[0]


def test_attestations_are_protected_too(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    ghcr.push_image("octo/image", "1.0", attested(random_image(1, seed=4)))
    pull(session, name)
    with pytest.raises(RefusedError):
        push(session, name)


@pytest.mark.parametrize(
    "there", [random_image(1, seed=9), index_of(ARM_IMAGE), AMD_IMAGE, ALL], ids="abcd"
)
def test_a_push_without_lost_platforms_is_allowed(
    ghcr: RegistryDouble, session: Session, name: Reference, there: Built
) -> None:
    """Push another image, an index without this one, the same image, and the whole index."""
    pull(session, name, select=Selection(everything=there is ALL))
    ghcr.push_image("octo/image", "1.0", there)
    push(session, name)
    root = ALL if there is ALL else AMD_IMAGE
    assert current(session, name) == str(root.root.digest)


def test_nested_indexes_are_compared_by_their_images(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    ghcr.push_image("octo/image", "nested", index_of(ALL))
    pull(session, name)
    nested = name.with_tag("nested")
    tag(session, str(name), [nested])
    with pytest.raises(RefusedError):
        push(session, nested)


def test_a_copy_within_a_registry_loses_no_platforms(session: Session, name: Reference) -> None:
    amd = Selection.of(["linux/amd64"])
    for dry_run in (True, False):
        with pytest.raises(RefusedError) as caught:
            copy(session, name, name, select=amd, dry_run=dry_run)
    assert "--force" in str(caught.value.hint)
    pinned = name.with_digest(AMD_IMAGE.root.digest)
    with pytest.raises(RefusedError):
        copy(session, pinned, name)
    assert current(session, name) == str(ALL.root.digest)
    copy(session, pinned, name, force=True)
    assert current(session, name) == str(AMD_IMAGE.root.digest)


def test_sync_may_drop_platforms_only_without_a_selection(
    ghcr: RegistryDouble, session: Session, name: Reference
) -> None:
    ghcr.push_image("octo/target", "1.0", ALL)
    target = name_at(ghcr, session, "octo/target:1.0")
    ends = (name.with_tag(None), target.with_tag(None))
    amd = Job(*ends, platforms=(Platform("linux", "amd64"),))
    report = run_jobs(session, [amd])
    assert isinstance(report.first, RefusedError)
    assert current(session, target) == str(ALL.root.digest)
    assert run_jobs(session, [amd], force=True).first is None
    assert current(session, target) == str(AMD_IMAGE.root.digest)
    # A mirror loses what the source has lost.
    ghcr.push_image("octo/target", "1.0", ALL)
    ghcr.push_image("octo/image", "1.0", ARM_IMAGE)
    assert run_jobs(session, [Job(*ends)]).first is None
    assert current(session, target) == str(ARM_IMAGE.root.digest)


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_converted_part_is_not_copied_over_its_index(
    session: Session, name: Reference, dry_run: bool
) -> None:
    copy_options = CopyOptions(
        Selection((ARM,)), conversion=Conversion(Format.DOCKER), dry_run=dry_run
    )
    with pytest.raises(RefusedError, match="only linux/arm64 would remain"):
        convert_in_place(session, name, copy_options)
    assert current(session, name) == str(ALL.root.digest)
    convert_in_place(session, name, replace(copy_options, force=True, dry_run=False))
    assert current(session, name) != str(ALL.root.digest)


def test_a_whole_index_is_converted_in_place(session: Session, name: Reference) -> None:
    convert_in_place(session, name, CopyOptions(conversion=Conversion(Format.DOCKER)))
    assert current(session, name) != str(ALL.root.digest)


def convert_in_place(session: Session, name: Reference, copy_options: CopyOptions) -> None:
    end = RegistryEndpoint(name)
    with end.sink(session, dry_run=copy_options.dry_run) as sink:
        copy_into(session, end, OpenTarget(end, sink), copy_options)


@pytest.mark.parametrize("local", [False, True])
def test_a_part_does_not_replace_its_index(session: Session, name: Reference, local: bool) -> None:
    if local:
        pull(session, name, select=EVERYTHING)
    source = IndexTarget(name, local)
    one = Mutation(platforms=(ARM,), changes=("ENV A=1",))
    for target in (None, source):
        with pytest.raises(RefusedError, match="only 1 of its 3 images would remain") as caught:
            mutate(session, source, target, one, replace=target is None)
        assert "--tag" in str(caught.value.hint)
    whole = mutate(session, source, None, Mutation(changes=("ENV A=1",)), replace=True)
    assert whole.previous == ALL.root.digest


def test_a_manifest_push_pushes_no_part_over_its_index(session: Session, name: Reference) -> None:
    pull(session, name)
    with pytest.raises(UnsupportedError, match="is an image, not an index") as caught:
        push_index(session, IndexTarget(name), purge=True)
    assert caught.value.hint == f"ghcrctl push {name}"
    assert current(session, name) == str(ALL.root.digest)
    assert session.store.records()


def test_a_smaller_index_of_the_store_replaces_no_larger_one(
    session: Session, name: Reference
) -> None:
    pull(session, name, select=Selection((ARM, S390)))
    with pytest.raises(RefusedError, match="only linux/arm64, linux/s390x would remain"):
        push_index(session, IndexTarget(name))
    push_index(session, IndexTarget(name), replace=True)
    assert current(session, name) != str(ALL.root.digest)


def test_lost_attestations_are_counted(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", attested(AMD_IMAGE))
    name = name_at(ghcr, session)
    pull(session, name)
    with pytest.raises(
        RefusedError, match="linux/amd64 with 1 attestation, and only linux/amd64 w"
    ):
        push(session, name)
