"""Finding damaged content, and fetching it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.store.fsck import check, repair
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import index_of, random_image
from tests.sessions import is_stored, name_at
from tests.unit.store.acts import fill

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble

IMAGE = random_image(2, 300_000, seed=1)


@pytest.fixture
def pulled(ghcr: RegistryDouble, session: Session) -> Session:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    pull(session, name_at(ghcr, session))
    return session


def flip(session: Session, number: int) -> None:
    """Flip one bit of one blob."""
    path = session.store.blobs.path(IMAGE.contents[number][0].digest)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def test_a_healthy_store_has_no_faults(pulled: Session) -> None:
    result = check(pulled)
    assert (result.images, result.faults) == (1, ())
    assert result.content == sum(d.size for d, _ in IMAGE.contents)


@pytest.mark.parametrize(
    "number", range(len(IMAGE.contents)), ids=lambda n: IMAGE.contents[n][0].media_type
)
@pytest.mark.parametrize("damage", ["flipped", "missing", "short"])
def test_each_damaged_blob_is_found_and_fetched_again(
    ghcr: RegistryDouble, pulled: Session, number: int, damage: str
) -> None:
    descriptor = IMAGE.contents[number][0]
    path = pulled.store.blobs.path(descriptor.digest)
    if damage == "flipped":
        flip(pulled, number)
    elif damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"short")
    [(fault, names)] = check(pulled).faults
    assert fault.descriptor.digest == descriptor.digest
    assert fault.problem == ("missing" if damage == "missing" else "damaged")
    assert names == (str(name_at(ghcr, pulled)),)
    ghcr.log.clear()
    [done] = repair(pulled, check(pulled))
    assert done.error is None
    assert check(pulled).faults == ()
    assert path.read_bytes() == IMAGE.contents[number][1]
    fetched = [e.path for e in ghcr.log if e.host == "registry" and "/blobs/" in e.path]
    assert all(descriptor.digest.encoded in path for path in fetched)


def test_content_that_cannot_be_fetched_is_kept(ghcr: RegistryDouble, pulled: Session) -> None:
    flip(pulled, 0)
    path = pulled.store.blobs.path(IMAGE.contents[0][0].digest)
    before = path.read_bytes()
    ghcr.accounts.clear()
    pulled.resolver.sign_in(ghcr.host).close()
    with_faults = check(pulled)
    ghcr.backend.delete("octo/image", IMAGE.root.digest)
    ghcr.backend.delete_blob("octo/image", IMAGE.contents[0][0].digest)
    [done] = repair(pulled, with_faults)
    assert done.error
    assert path.read_bytes() == before
    assert [p for p in path.parent.iterdir() if p.suffix] == []


def test_a_local_image_cannot_be_fetched(session: Session) -> None:
    fill(session.store, IMAGE, "local:latest", pulled=False)
    flip(session, 0)
    [done] = repair(session, check(session))
    assert done.name == "local:latest"
    assert done.error
    assert "no registry" in str(done.error)


def test_an_index_is_repaired_with_everything_below_it(
    ghcr: RegistryDouble, session: Session
) -> None:
    nested = index_of(index_of(IMAGE), random_image(seed=5))
    ghcr.push_image("octo/image", "1.0", nested)
    pull(session, name_at(ghcr, session), select=Selection(everything=True))
    for descriptor, _ in nested.contents[:4]:
        session.store.blobs.path(descriptor.digest).write_bytes(b"?")
    while result := check(session).faults:
        assert all(done.error is None for done in repair(session, check(session))), result
    assert is_stored(session, nested)


def test_a_foreign_layer_may_be_missing(session: Session) -> None:
    memory = MemoryPlace()
    image = random_image(2, foreign=True).into(memory)
    plan = make_plan(
        memory, StorePlace(session.store), image.root, names=("windows:1",), skip_foreign=True
    )
    execute(plan)
    assert check(session).faults == ()
