"""The lock file, from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl import Client, NotFoundError
from tests.builders import random_image
from tests.registry_double.fixtures import plain_registry

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

__all__ = ["plain_registry"]
ONE, TWO = random_image(seed=1), random_image(seed=2)


def test_names_are_pinned_checked_pulled_and_removed(
    tmp_path: Path, plain_registry: PlainRegistry
) -> None:
    plain_registry.push_image("octo/app", "1", ONE)
    name, file = f"{plain_registry.host}/octo/app:1", tmp_path / "images.lock"
    environ = {"HOME": str(tmp_path), "GHCRCTL_KEYRING": "0"}
    with Client(store=tmp_path / "store", platform="linux/amd64", environ=environ) as client:
        [added] = client.lock.add([name], file=file)
        assert added.after == client.lock.list(file=file)[0]
        assert [one.failures for one in client.lock.check(file=file)] == [()]
        plain_registry.push_image("octo/app", "1", TWO)
        [pulled] = client.lock.pull(file=file)
        assert pulled.get().digest == ONE.root.digest
        [checked] = client.lock.check([name], local=True, file=file)
        assert [failure.code for failure in checked.failures] == ["tag-moved"]
        [moved] = client.lock.update(file=file)
        assert moved.after
        assert moved.after.digest == TWO.root.digest
        assert client.lock.remove([name], file=file) == [moved.after]
        with pytest.raises(NotFoundError):
            client.lock.check([name], file=file)
