"""Arguments of calls: single names and invalid names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl import Client, Reference
from tests.builders import random_image

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

IMAGE = random_image()


@pytest.fixture
def name(plain_registry: PlainRegistry) -> str:
    plain_registry.push_image("octo/image", "1.0", IMAGE)
    plain_registry.push_image("octo/image", "v1", IMAGE)
    return f"{plain_registry.host}/octo/image:1.0"


def test_one_name_is_as_good_as_a_list_of_one(client: Client, name: str, tmp_path: Path) -> None:
    lock = tmp_path / "images.lock"
    [pulled] = client.pull_several(name)
    assert pulled.get().digest == IMAGE.root.digest
    [pin] = client.lock.add(Reference.parse(name, default_registry=""), file=lock)
    assert pin.after
    assert [str(one.name) for one in client.lock.list(name, file=lock)] == [name]
    assert [str(one.name) for one in client.lock.remove(name, file=lock)] == [name]


def test_one_pattern_is_not_the_patterns_of_its_letters(
    client: Client, name: str, plain_registry: PlainRegistry
) -> None:
    source = name.rpartition(":")[0]
    client.sync(source, f"{plain_registry.host}/octo/copy", include="v*")
    assert [row.tag for row in client.tags(f"{plain_registry.host}/octo/copy")] == ["v1"]


def test_one_directory_is_not_the_directories_of_its_letters(
    client: Client, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "layer").mkdir()
    (tmp_path / "layer" / "hello").write_text("hello")
    client.pull(name)
    client.append(name, "more", "./layer", local=True)
    assert client.cat("more", "/hello") == b"hello"


@pytest.mark.parametrize("given", [None, 5, b"octo/image", ["octo/image"], object()])
@pytest.mark.parametrize("call", ["pull", "push", "digest", "exists", "inspect", "rmi", "ls"])
def test_invalid_names_are_refused(client: Client, call: str, given: Any) -> None:
    with pytest.raises(TypeError, match="expected a name as str or Reference, not"):
        getattr(client, call)(given)
