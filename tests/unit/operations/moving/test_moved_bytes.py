"""Reported transfer sizes match the transferred bytes, also in dry runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.format.units import human_size
from ghcrctl.cli.progress.transfer_lines import PlanObserver
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.moving.copy import copy
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.moving.push import push
from ghcrctl.operations.sync.plan import Job
from ghcrctl.operations.sync.run import run_jobs
from ghcrctl.transfer.events import Planned
from tests.builders import random_image
from tests.sessions import name_at, session_on

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.pull import PullResult
    from ghcrctl.transfer.events import Event
    from tests.registry_double import RegistryDouble

IMAGE = random_image(2, seed=1)
TOTAL = sum(descriptor.size for descriptor, _ in IMAGE.contents)


def test_bytes_of_an_interrupted_pull_are_not_counted(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    name = name_at(ghcr, session)
    layer, content = IMAGE.blobs[0]
    half = len(content) // 2
    folder = session.store.root / "ghcrctl" / "partial"
    folder.mkdir(parents=True)
    (folder / f"sha256-{layer.digest.encoded}.1-dead-left").write_bytes(content[:half])
    lines: list[str] = []
    would = pull(session, name, dry_run=True, observer=PlanObserver(lines.append, "x", "download"))
    assert would.moved == TOTAL - half
    assert would.updated
    assert f"{human_size(half)} already exist" in lines[-1]
    done = pull(session, name)
    assert (done.moved, done.updated) == (TOTAL - half, True)
    again = pull(session, name)
    assert (again.moved, again.updated) == (0, False)


def test_corrupt_partial_content_is_transferred_again(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    layer, content = IMAGE.blobs[0]
    folder = session.store.root / "ghcrctl" / "partial"
    folder.mkdir(parents=True)
    wrong = b"x" * (len(content) // 2)
    (folder / f"sha256-{layer.digest.encoded}.1-dead-left").write_bytes(wrong)
    assert pull(session, name_at(ghcr, session)).moved == TOTAL


def test_one_of_several_pulls_claims_the_update(ghcr: RegistryDouble, tmp_path: Path) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    with (
        session_on(tmp_path, registry=ghcr.host, token="ghp_octo") as one,
        session_on(tmp_path, registry=ghcr.host, token="ghp_octo") as other,
    ):
        name = name_at(ghcr, one)

        def first(event: Event) -> None:
            if isinstance(event, Planned):
                done.append(pull(other, name))

        done: list[PullResult] = []
        done.append(pull(one, name, observer=first))
    assert sorted(result.updated for result in done) == [False, True]
    assert sorted(result.moved for result in done) == [0, TOTAL]


def test_a_repaired_image_is_an_update(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    name = name_at(ghcr, session)
    pull(session, name)
    layer, content = IMAGE.blobs[0]
    session.store.blobs.remove(layer.digest)
    done = pull(session, name)
    assert (done.moved, done.updated) == (len(content), True)


@pytest.mark.parametrize("dry_run", [True, False])
def test_mounted_layers_are_not_transferred(
    ghcr: RegistryDouble, session: Session, dry_run: bool
) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    source = name_at(ghcr, session)
    pull(session, source)
    pushed, copied, synced = (name_at(ghcr, session, f"octo/{n}:1.0") for n in ("a", "b", "c"))
    tag(session, str(source), [pushed])
    root = IMAGE.root.size
    assert push(session, pushed, dry_run=dry_run).moved == root
    plans = []
    copy(
        session,
        source,
        copied,
        dry_run=dry_run,
        observer=lambda e: plans.append(e.plan) if isinstance(e, Planned) else None,
    )
    assert [plan.bytes_to_move for plan in plans] == [root]
    assert plans[0].bytes_to_mount == TOTAL - root
    job = Job(source.with_tag(None), synced.with_tag(None))
    assert run_jobs(session, [job], dry_run=dry_run).moved == root


def test_a_dry_run_reports_mounts(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    lines: list[str] = []
    observer = PlanObserver(lines.append, "header", "copy")
    source, target = name_at(ghcr, session), name_at(ghcr, session, "octo/other:1.0")
    copy(session, source, target, dry_run=True, observer=observer)
    _, *layers, summary = lines
    assert all(line.endswith(": Would mount from octo/image") for line in layers)
    assert " and mount " in summary
    # Within one repository, nothing needs to be mounted.
    lines.clear()
    copy(session, source, source.with_tag("2"), dry_run=True, observer=observer)
    assert all(line.endswith(": Already exists") for line in lines[1:-1])
