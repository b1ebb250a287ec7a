"""Copying referrers between registries with and without the referrers API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import GhcrctlError, NotFoundError
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.moving.copy import copy
from ghcrctl.operations.registries.referrers import Node, referrers_tree
from ghcrctl.registry.referrers import referrers_tag
from ghcrctl.transfer.events import Event, Planned
from tests.builders import Built, artifact, index_of, random_image
from tests.registry_double import Fault, PlainRegistry, RegistryDouble
from tests.sessions import name_at

if TYPE_CHECKING:
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session

IMAGES = [
    random_image(1, seed=n, platform=Platform("linux", a))
    for n, a in enumerate(("amd64", "arm64", "s390x"))
]
INDEX = index_of(*IMAGES)
SBOM = artifact("application/spdx+json", subject=INDEX.root, payload=b"sbom")
SIGNED_SBOM = artifact("application/x-signature", subject=SBOM.root, payload=b"signed")
PROOF = artifact(
    "application/x-proof", subject=IMAGES[1].root, payload=b"proof", annotations={"level": "3"}
)
SIGNATURE = artifact("", payload=b"cosign")
REFERRERS = (SBOM, SIGNED_SBOM, PROOF)


def listing(*images: Built) -> Built:
    """Build the fallback index for a registry without the referrers API."""
    entries = [i.root.to_json() for i in images]
    body = {"schemaVersion": 2, "mediaType": media_types.OCI_INDEX, "manifests": entries}
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, media_types.OCI_INDEX)
    return Built(root, ((root, raw),))


def fill(registry: PlainRegistry, repository: str, *, cosign: bool = True) -> None:
    """Push the index with all referrers of it and of its images."""
    registry.push_image(repository, "1.0", INDEX)
    for referrer in REFERRERS:
        registry.push_image(repository, None, referrer)
    for subject, referrer in ((INDEX, SBOM), (SBOM, SIGNED_SBOM), (IMAGES[1], PROOF)):
        if isinstance(registry, RegistryDouble):
            tag = referrers_tag(subject.root.digest)
            registry.push_image(repository, tag, listing(referrer))
    if cosign:
        registry.push_image(repository, f"{referrers_tag(IMAGES[0].root.digest)}.sig", SIGNATURE)


def digests(node: Node) -> set[Digest]:
    """Return all digests below a node."""
    below = (digests(child) for child in node.children)
    return {child.descriptor.digest for child in node.children}.union(*below)


def entries(session: Session, repository: Reference, subject: Digest) -> list[dict[str, object]]:
    """Return the entries of the index at a tag."""
    place = session.repository(repository)
    raw = read_metadata(place, place.resolve(referrers_tag(subject)))
    found: list[dict[str, object]] = json.loads(raw)["manifests"]
    return found


@pytest.fixture(params=["tag to list", "list to tag"])
def ends(
    request: pytest.FixtureRequest,
    session: Session,
    ghcr: RegistryDouble,
    plain_registry: PlainRegistry,
) -> tuple[PlainRegistry, Reference, Reference]:
    """The registry of the source, the name of the image there, and of its copy."""
    by_tag = name_at(ghcr, session, "octo/one:1.0")
    by_list = session.parse(f"{plain_registry.host}/octo/one:1.0")
    if request.param == "tag to list":
        return ghcr, by_tag, by_list
    return plain_registry, by_list, by_tag


def test_referrers_are_copied_with_their_image(
    session: Session, ends: tuple[PlainRegistry, Reference, Reference]
) -> None:
    registry, source, target = ends
    fill(registry, "octo/one")
    before = referrers_tree(session, source)
    done = copy(session, source, target, referrers=True)
    after = referrers_tree(session, target)
    assert done.referrers == before.count == after.count == 4
    assert digests(before) == digests(after)
    assert after.descriptor.digest == INDEX.root.digest
    place = session.repository(target)
    tag = f"{referrers_tag(IMAGES[0].root.digest)}.sig"
    assert place.resolve(tag).digest == SIGNATURE.root.digest
    for built in (*REFERRERS, SIGNATURE):
        for descriptor, content in built.contents:
            assert place.open(descriptor).read(1000) == content


def test_referrers_are_not_copied_by_default(ghcr: RegistryDouble, session: Session) -> None:
    fill(ghcr, "octo/one")
    target = name_at(ghcr, session, "octo/two:1.0")
    assert copy(session, name_at(ghcr, session, "octo/one:1.0"), target).referrers == 0
    assert referrers_tree(session, target).count == 0


def test_referrers_at_the_target_are_kept(ghcr: RegistryDouble, session: Session) -> None:
    own = artifact("application/x-own", subject=INDEX.root, payload=b"own")
    fill(ghcr, "octo/one")
    ghcr.push_image("octo/two", None, own)
    ghcr.push_image("octo/two", referrers_tag(INDEX.root.digest), listing(own))
    target = name_at(ghcr, session, "octo/two:1.0")
    copy(session, name_at(ghcr, session, "octo/one:1.0"), target, referrers=True)
    listed = entries(session, target, INDEX.root.digest)
    assert [e["digest"] for e in listed] == [str(own.root.digest), str(SBOM.root.digest)]
    assert listed[1]["artifactType"] == "application/spdx+json"
    assert entries(session, target, IMAGES[1].root.digest)[0]["annotations"] == {"level": "3"}


def test_a_second_copy_writes_nothing(ghcr: RegistryDouble, session: Session) -> None:
    fill(ghcr, "octo/one")
    source, target = (name_at(ghcr, session, f"octo/{name}:1.0") for name in ("one", "two"))
    copy(session, source, target, referrers=True)
    ghcr.log.clear()
    copy(session, source, target, referrers=True)
    # This is the tag of the image itself, as without referrers.
    assert ghcr.count("PUT") == ghcr.count("PUT", "/manifests/1.0") == 1
    assert ghcr.count("POST") == 0


def test_unlisted_referrers_are_listed(ghcr: RegistryDouble, session: Session) -> None:
    fill(ghcr, "octo/one")
    ghcr.push_image("octo/two", None, SBOM)
    target = name_at(ghcr, session, "octo/two:1.0")
    copy(session, name_at(ghcr, session, "octo/one:1.0"), target, referrers=True)
    listed = entries(session, target, INDEX.root.digest)
    assert [e["digest"] for e in listed] == [str(SBOM.root.digest)]


def test_referrers_are_copied_before_the_tag_is_set(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    fill(ghcr, "octo/one")
    target = session.parse(f"{plain_registry.host}/octo/two:1.0")
    copy(session, name_at(ghcr, session, "octo/one:1.0"), target, referrers=True)
    puts = [e.path.rpartition("/")[2] for e in plain_registry.log if e.method == "PUT"]
    manifests = [p for p in puts if p == "1.0" or p.startswith("sha256")]
    assert manifests[-1] == "1.0"


def test_a_smaller_index_skips_referrers_of_the_whole_one(
    ghcr: RegistryDouble, session: Session, warnings: list[str]
) -> None:
    fill(ghcr, "octo/one")
    source, target = (name_at(ghcr, session, f"octo/{name}:1.0") for name in ("one", "two"))
    two = Selection((Platform("linux", "amd64"), Platform("linux", "arm64")))
    done = copy(session, source, target, select=two, referrers=True)
    assert done.referrers == 2
    assert digests(referrers_tree(session, target)) >= {PROOF.root.digest, SIGNATURE.root.digest}
    assert warnings == [
        f"skipped 2 referrers of the whole index {INDEX.root.digest}: the copy has another digest"
    ]
    with pytest.raises(NotFoundError):
        session.repository(target).resolve(str(SBOM.root.digest))


@pytest.mark.parametrize(("arch", "count"), [("amd64", 1), ("arm64", 1), ("s390x", 0)])
def test_one_platform_is_copied_with_its_own_referrers(
    ghcr: RegistryDouble, session: Session, arch: str, count: int
) -> None:
    fill(ghcr, "octo/one")
    source, target = (name_at(ghcr, session, f"octo/{name}:1.0") for name in ("one", "two"))
    one = Selection((Platform("linux", arch),))
    assert copy(session, source, target, select=one, referrers=True).referrers == count
    assert referrers_tree(session, target).count == count


def test_a_platform_of_a_nested_index_is_copied_with_its_own_referrers(
    plain_registry: PlainRegistry, session: Session
) -> None:
    fill(plain_registry, "octo/one", cosign=False)
    plain_registry.push_image("octo/one", "deep", index_of(INDEX, platforms=(None,)))
    source, target = (
        session.parse(f"{plain_registry.host}/octo/{name}") for name in ("one:deep", "two:1.0")
    )
    one = Selection((Platform("linux", "arm64"),))
    assert copy(session, source, target, select=one, referrers=True).referrers == 1
    assert digests(referrers_tree(session, target)) == {PROOF.root.digest}


@pytest.mark.parametrize(
    ("stray", "why"),
    [
        (artifact("x/y", subject=INDEX.root, payload=b"gone"), "has no manifest"),
        (artifact("x/y", payload=b"no subject"), "its subject is another manifest"),
        (
            artifact("x/y", subject=IMAGES[0].root, payload=b"other"),
            "its subject is another manifest",
        ),
    ],
)
def test_wrongly_listed_referrers_are_skipped_with_a_warning(
    ghcr: RegistryDouble, session: Session, warnings: list[str], stray: Built, why: str
) -> None:
    fill(ghcr, "octo/one")
    if why != "has no manifest":
        ghcr.push_image("octo/one", None, stray)
    ghcr.push_image("octo/one", referrers_tag(INDEX.root.digest), listing(stray, SBOM))
    source, target = (name_at(ghcr, session, f"octo/{name}:1.0") for name in ("one", "two"))
    assert copy(session, source, target, referrers=True).referrers == 4
    assert len(warnings) == 1
    assert warnings[0].startswith(f"skipped {stray.root.digest}, listed as a referrer of ")
    assert why in warnings[0]


def test_signatures_of_the_target_are_not_lost(
    ghcr: RegistryDouble, session: Session, warnings: list[str]
) -> None:
    fill(ghcr, "octo/one")
    tag = f"{referrers_tag(IMAGES[0].root.digest)}.sig"
    other = artifact("", payload=b"of the target")
    ghcr.push_image("octo/two", tag, other)
    source, target = (name_at(ghcr, session, f"octo/{name}:1.0") for name in ("one", "two"))
    copy(session, source, target, referrers=True)
    assert session.repository(target).resolve(tag).digest == other.root.digest
    assert len(warnings) == 1
    assert f"{tag} was not changed" in warnings[0]


def test_a_signature_with_more_layers_replaces_the_old_one(
    ghcr: RegistryDouble, session: Session, warnings: list[str]
) -> None:
    fill(ghcr, "octo/one")
    tag = f"{referrers_tag(IMAGES[0].root.digest)}.sig"
    body = json.loads(SIGNATURE.raw)
    extra = (Descriptor.of(b"more", "application/octet-stream"), b"more")
    body["layers"].append(extra[0].to_json())
    raw = json.dumps(body).encode()
    root = Descriptor.of(raw, media_types.OCI_MANIFEST)
    ghcr.push_image("octo/two", tag, SIGNATURE)
    ghcr.push_image("octo/one", tag, Built(root, (*SIGNATURE.blobs, extra, (root, raw))))
    source, target = (name_at(ghcr, session, f"octo/{name}:1.0") for name in ("one", "two"))
    copy(session, source, target, referrers=True)
    assert session.repository(target).resolve(tag).digest == root.digest
    assert warnings == []


def test_a_dry_run_counts_everything_and_transfers_nothing(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    fill(ghcr, "octo/one")
    target = session.parse(f"{plain_registry.host}/octo/two:1.0")
    events: list[Event] = []
    copy(
        session,
        name_at(ghcr, session, "octo/one:1.0"),
        target,
        referrers=True,
        observer=events.append,
        dry_run=True,
    )
    (planned,) = events
    assert isinstance(planned, Planned)
    parts = {pair for built in (INDEX, *REFERRERS, SIGNATURE) for pair in built.contents}
    assert planned.plan.bytes_to_move == sum(descriptor.size for descriptor, _ in parts)
    assert plain_registry.count("PUT") == plain_registry.count("POST") == 0


def test_each_manifest_is_fetched_once_besides_the_root(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    fill(ghcr, "octo/one")
    target = session.parse(f"{plain_registry.host}/octo/two:1.0")
    copy(session, name_at(ghcr, session, "octo/one:1.0"), target, referrers=True)
    for built in (*IMAGES, *REFERRERS):
        assert ghcr.downloads[str(built.root.digest)] == 1


def test_a_failed_referrer_does_not_move_the_tag(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    fill(ghcr, "octo/one")
    broken = Fault(
        method="PUT", path_contains=f"/manifests/{SBOM.root.digest}", status=500, times=9
    )
    plain_registry.faults.append(broken)
    target = session.parse(f"{plain_registry.host}/octo/two:1.0")
    source = name_at(ghcr, session, "octo/one:1.0")
    with pytest.raises(GhcrctlError, match="writing to"):
        copy(session, source, target, referrers=True)
    assert plain_registry.count("PUT", "/manifests/1.0") == 0


@pytest.mark.parametrize("lag", [1, 2])
def test_delayed_writes_lose_no_referrers(
    ghcr: RegistryDouble,
    plain_registry: PlainRegistry,
    session: Session,
    warnings: list[str],
    monkeypatch: pytest.MonkeyPatch,
    lag: int,
) -> None:
    monkeypatch.setattr("ghcrctl.operations.registries.referrers_consistency._PAUSE_SECONDS", 0.01)
    more = [artifact("x/more", subject=INDEX.root, payload=bytes([n])) for n in range(3)]
    own = artifact("application/x-own", subject=INDEX.root, payload=b"own")
    fill(plain_registry, "octo/one")
    for referrer in more:
        plain_registry.push_image("octo/one", None, referrer)
    ghcr.push_image("octo/two", None, own)
    ghcr.push_image("octo/two", referrers_tag(INDEX.root.digest), listing(own))
    ghcr.moods.lag = lag
    target = name_at(ghcr, session, "octo/two:1.0")
    copy(session, session.parse(f"{plain_registry.host}/octo/one:1.0"), target, referrers=True)
    ghcr.moods.lag = 0
    listed = {str(e["digest"]) for e in entries(session, target, INDEX.root.digest)}
    assert listed == {str(built.root.digest) for built in (own, SBOM, *more)}
    assert warnings == []
