"""Converting images at a registry and in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.layers.compression import Compression
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.making.convert import Conversion, convert_image
from ghcrctl.operations.making.indexes import IndexTarget, NewImage, read_manifest
from ghcrctl.operations.making.media_formats import Format
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.registries.referrers import referrers_tree
from ghcrctl.operations.store.fsck import check
from ghcrctl.transfer.events import Finished, Outcome, Planned
from tests.builders import artifact, index_of, random_image
from tests.sessions import name_at

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Event
    from tests.registry_double import RegistryDouble

ARM = Platform("linux", "arm64")
TO_DOCKER, ZSTD = Conversion(Format.DOCKER), Conversion(compression=Compression.ZSTD)


@pytest.mark.parametrize("local", [False, True])
def test_an_image_is_converted_in_place(
    session: Session, ghcr: RegistryDouble, local: bool
) -> None:
    built = index_of(random_image(2, seed=1), random_image(1, seed=2, platform=ARM))
    ghcr.push_image("octo/image", "1.0", built)
    where, there = (
        IndexTarget(name_at(ghcr, session, f"octo/image:{t}"), local) for t in ("1.0", "2.0")
    )
    if local:
        pull(session, where.reference, select=Selection(everything=True))
    both = Conversion(Format.OCI, Compression.ZSTD)
    done = convert_image(session, where, there, both)
    made = done.descriptor
    assert done == NewImage(there, made)
    assert read_manifest(session, there).descriptor == made
    assert read_manifest(session, where).descriptor == built.root
    assert not check(session).faults
    assert session.settings.store_dir.exists() is local
    # Converting again transfers nothing, and does not set the tag.
    events: list[Event] = []
    writes = ghcr.count("PUT", "/")
    assert convert_image(session, there, None, both, events.append, replace=True) == done
    assert not events
    assert ghcr.count("PUT", "/") == writes


def test_only_new_content_is_sent(session: Session, ghcr: RegistryDouble) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(3))
    events: list[Event] = []
    where, there = (
        IndexTarget(name_at(ghcr, session, name)) for name in ("octo/image", "octo/other")
    )
    where = IndexTarget(where.reference.with_tag("1.0"))
    convert_image(
        session, where, IndexTarget(where.reference.with_tag("2")), TO_DOCKER, events.append
    )
    [plan] = [event.plan for event in events if isinstance(event, Planned)]
    assert plan.bytes_to_move == plan.root.size
    convert_image(
        session, where, IndexTarget(there.reference.with_tag("2")), TO_DOCKER, events.append
    )
    outcomes = [e.outcome for e in events if isinstance(e, Finished)][-5:]
    assert outcomes.count(Outcome.MOUNTED) == 4
    # No other repository is asked to mount content that is new or exists here already.
    before = ghcr.count("POST")
    convert_image(session, where, IndexTarget(where.reference.with_tag("3")), ZSTD)
    convert_image(session, where, IndexTarget(there.reference.with_tag("3")), ZSTD)
    assert not [e for e in list(ghcr.log)[-40:] if "mount=" in e.query and e.status != 201]
    assert ghcr.count("POST") == before + 6


def test_signatures_of_the_original_give_a_warning(
    session: Session, ghcr: RegistryDouble, warnings: list[str]
) -> None:
    built = random_image(1)
    ghcr.push_image("octo/image", "1.0", built)
    where = IndexTarget(name_at(ghcr, session))
    convert_image(session, where, IndexTarget(where.reference.with_tag("quiet")), TO_DOCKER)
    assert not warnings
    tag = f"sha256-{built.root.digest.encoded}.sig"
    ghcr.push_image("octo/image", tag, artifact(payload=b"signature"))
    assert referrers_tree(session, where.reference).count == 1
    convert_image(session, where, None, TO_DOCKER)
    [warning] = warnings
    assert str(built.root.digest) in warning
