"""Which images each prune rule removes, and which it keeps."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import InvalidFilterError, UsageError
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.operations.store.prune import PruneRules, prune, read_filters, read_size
from ghcrctl.store.blobs import Blobs
from ghcrctl.store.usage import measure
from tests.builders import Built, random_image
from tests.sessions import session_on
from tests.unit.store.acts import fill, is_whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path) as made:
        yield made


def dated(day: int, seed: int = 0) -> Built:
    """Build an image created on a day in May."""
    image = random_image(2, 3000, seed=seed or day)
    number = next(
        n for n, (d, _) in enumerate(image.blobs) if d.media_type in media_types.IMAGE_CONFIGS
    )
    config = json.loads(image.blobs[number][1])
    raw = json.dumps({**config, "created": f"2026-05-{day:02}T00:00:00Z"}).encode()
    described = Descriptor.of(raw, image.blobs[number][0].media_type)
    manifest = {**json.loads(image.raw), "config": described.to_json()}
    root_raw = json.dumps(manifest).encode()
    root = Descriptor.of(root_raw, image.root.media_type)
    layers = tuple(pair for n, pair in enumerate(image.blobs) if n != number)
    return Built(root, (*layers, (described, raw), (root, root_raw)))


def keep(session: Session, images: dict[str, Built]) -> None:
    for name, image in images.items():
        fill(session.store, image, name)
    session.store.close()


def names(session: Session) -> set[str]:
    return {record.name for record in session.store.records()}


def test_by_default_only_untagged_images_are_removed(session: Session) -> None:
    old, new = dated(1), dated(2)
    keep(session, {"ghcr.io/o/a:1": old})
    keep(session, {"ghcr.io/o/a:1": new, f"ghcr.io/o/b@{dated(3).root.digest}": dated(3)})
    done = prune(session, PruneRules())
    assert set(done.untagged) == {
        f"ghcr.io/o/a@{old.root.digest}",
        f"ghcr.io/o/b@{dated(3).root.digest}",
    }
    assert names(session) == {"ghcr.io/o/a:1"}
    assert is_whole(session.store, new)
    assert not session.store.blobs.exists(old.root)


def test_an_image_with_another_tag_is_kept(session: Session) -> None:
    image = dated(1)
    keep(session, {f"ghcr.io/o/a@{image.root.digest}": image, "ghcr.io/o/b:1": image})
    assert prune(session, PruneRules()).untagged == ()


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        (PruneRules(everything=True), set()),
        (PruneRules(everything=True, until=datetime(2026, 5, 3, tzinfo=timezone.utc)), {"3", "4"}),
        (PruneRules(keep_last=2), {"3", "4"}),
        (PruneRules(keep_last=9), {"1", "2", "3", "4"}),
        (PruneRules(keep_last=0), set()),
        (PruneRules(everything=True, labels=("seed=2",)), {"1", "3", "4"}),
        (PruneRules(everything=True, without_labels=("seed=2",)), {"2"}),
        (PruneRules(everything=True, labels=("nothing",)), {"1", "2", "3", "4"}),
        (PruneRules(max_size=17_000), {"3", "4"}),
        (PruneRules(max_size=10**9), {"1", "2", "3", "4"}),
        (PruneRules(max_size=0), set()),
    ],
)
def test_rules_select_images(session: Session, rules: PruneRules, left: set[str]) -> None:
    images = {f"ghcr.io/o/a:{day}": dated(day) for day in (1, 2, 3, 4)}
    keep(session, images)
    planned = prune(session, rules, dry_run=True)
    assert names(session) == set(images)
    before = measure(session.store).content
    done = prune(session, rules)
    assert (done.untagged, set(done.deleted), done.freed) == (
        planned.untagged,
        set(planned.deleted),
        planned.freed,
    )
    assert {name.rpartition(":")[2] for name in names(session)} == left
    assert before - measure(session.store).content == done.freed
    for day in left:
        assert is_whole(session.store, images[f"ghcr.io/o/a:{day}"])


@pytest.mark.parametrize("limit", range(0, 40_000, 3000))
def test_the_oldest_images_are_removed_until_the_rest_fits(session: Session, limit: int) -> None:
    # Images with the same seed share layers, and one image has two names: each byte counts once.
    images = {f"ghcr.io/o/a:{day}": dated(day, seed=day % 2 + 1) for day in range(1, 5)}
    images["ghcr.io/o/b:1"] = images["ghcr.io/o/a:1"]
    keep(session, images)
    prune(session, PruneRules(max_size=limit))
    left = names(session)
    by_age = sorted(images, key=lambda name: name.rpartition(":")[2])
    sizes = [
        sum({d.digest: d.size for n in by_age[k:] for d, _ in images[n].contents}.values())
        for k in range(len(by_age) + 1)
    ]
    expected = next(k for k, size in enumerate(sizes) if size <= limit)
    assert left == set(by_age[expected:])


def test_images_over_the_limit_are_found_in_one_pass(session: Session) -> None:
    opened: Counter[Digest] = Counter()

    class Counting(Blobs):
        def open(self, descriptor: Descriptor, offset: int = 0) -> Stream:
            opened[descriptor.digest] += 1
            return super().open(descriptor, offset)

    images = {f"ghcr.io/o/a:{day}": dated(day) for day in range(1, 9)}
    keep(session, images)
    private = session.store.root / "ghcrctl"
    session.store.blobs = Counting(
        session.store.root,
        partial=private / "partial",
        leases=private / "leases",
        verified=private / "verified",
    )
    prune(session, PruneRules(max_size=0), dry_run=True)
    assert {opened[image.root.digest] for image in images.values()} == {1}


def test_each_repository_keeps_its_own_newest(session: Session) -> None:
    keep(session, {f"ghcr.io/o/{r}:{d}": dated(d, seed=d * 9) for r in "ab" for d in (1, 2)})
    prune(session, PruneRules(keep_last=1))
    assert names(session) == {"ghcr.io/o/a:2", "ghcr.io/o/b:2"}


def test_unreferenced_content_and_unfinished_transfers_are_deleted_too(session: Session) -> None:
    kept = dated(1)
    keep(session, {"ghcr.io/o/a:1": kept})
    loose = random_image(1, seed=77).blobs[0]
    session.store.blobs.path(loose[0].digest).write_bytes(loose[1])
    partial = session.store.root / "ghcrctl" / "partial" / f"sha256-{'a' * 64}.1-dead"
    partial.write_bytes(b"begun")
    usage = measure(session.store)
    assert (usage.loose, usage.partial) == ({loose[0].digest: len(loose[1])}, (5,))
    done = prune(session, PruneRules())
    assert (done.deleted, done.partial, done.freed) == (
        (loose[0].digest,),
        1,
        len(loose[1]) + 5,
    )
    assert is_whole(session.store, kept)
    assert not partial.exists()


def test_content_of_running_transfers_is_kept(session: Session) -> None:
    image = dated(1)
    session.store.reserve(d.digest for d, _ in image.contents)
    layer, content = image.blobs[0]
    session.store.blobs.path(layer.digest).parent.mkdir(parents=True, exist_ok=True)
    session.store.blobs.path(layer.digest).write_bytes(content)
    prune(session, PruneRules(everything=True))
    assert session.store.blobs.exists(layer)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("until=24h", NOW - timedelta(days=1)),
        ("until=1h30m", NOW - timedelta(minutes=90)),
        ("until=2w", NOW - timedelta(days=14)),
        ("until=2026-01-31", datetime(2026, 1, 31, tzinfo=timezone.utc)),
        ("until=2026-01-31T10:00:00Z", datetime(2026, 1, 31, 10, tzinfo=timezone.utc)),
        ("until=1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=timezone.utc)),
        ("until=1000000000", datetime(2001, 9, 9, 1, 46, 40, tzinfo=timezone.utc)),
    ],
)
def test_a_time_is_a_duration_a_date_or_seconds(text: str, moment: datetime) -> None:
    assert read_filters([text], NOW).until == moment


@pytest.mark.parametrize(
    "text",
    [
        "until=",
        "until=soon",
        "until=24x",
        "label",
        "label=",
        "x=y",
        "",
        "until=" + "9" * 30,
        "until=9999999999w",
        "until=30",
        "until=0",
        "until=20260131",
        "until=0000000030",
        "until=999999999",
        "until=-1700000000",
    ],
)
def test_an_invalid_filter_is_refused(text: str) -> None:
    with pytest.raises(InvalidFilterError):
        read_filters([text], NOW)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("500MB", 500_000_000), ("1.5kB", 1500), ("2GiB", 2 * 1024**3), ("7b", 7)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1", "1XB", "1 2", "9" * 400])
def test_an_invalid_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_size(text)


def test_shared_and_unique_sizes_add_up(session: Session) -> None:
    small, large = random_image(1, seed=4), random_image(2, seed=4)
    keep(session, {"small:1": small, "large:1": large})
    usage = measure(session.store)
    shared = {d for d, _ in small.contents} & {d for d, _ in large.contents}
    size = sum(d.size for d in shared)
    assert size
    for image in (small, large):
        own = usage.images[image.root.digest]
        assert (own.shared, own.unique) == (size, sum(d.size for d, _ in image.contents) - size)
    assert usage.content == size + sum(own.unique for own in usage.images.values())
