"""The JSON of a command equals the result of its call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl import Client, Platform
from tests.builders import index_of, random_image
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

ARM = Platform("linux", "arm64")
BOTH = index_of(random_image(seed=1), random_image(seed=1, platform=ARM))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


@pytest.fixture
def client(shell: Shell) -> Client:
    """A client in the shell's home."""
    return Client(environ=shell.environ)


@pytest.fixture
def image(plain_registry: PlainRegistry, repository: str) -> str:
    plain_registry.push_image("octo/image", "1.0", BOTH)
    return f"{repository}:1.0"


def told(shell: Shell, *arguments: str) -> Any:
    """Return the JSON document printed by a command."""
    return json.loads("\n".join(shell.ok(*arguments, "--format", "json")))


def test_pull_and_push(shell: Shell, client: Client, image: str) -> None:
    [shown] = told(shell, "pull", "--dry-run", "--all-platforms", image)
    pulled = client.pull(image, all_platforms=True)
    assert (shown["Digest"], shown["Moved"]) == (str(pulled.digest), pulled.moved)
    assert (shown["Name"], shown["Updated"]) == (str(pulled.reference), pulled.updated)
    [shown] = told(shell, "push", image)
    pushed = client.push(image)
    assert (shown["Digest"], shown["Size"]) == (
        str(pushed.descriptor.digest),
        pushed.descriptor.size,
    )


def test_what_is_there(shell: Shell, client: Client, image: str) -> None:
    [shown] = told(shell, "digest", "--platform", "linux/arm64", image)
    assert shown["Digest"] == str(client.digest(image, platform=ARM))
    assert told(shell, "inspect", "--remote", image) == [client.inspect(image, remote=True)]
    client.pull(image, all_platforms=True)
    [shown] = map(json.loads, shell.ok("images", "--format", "json", "--no-trunc"))
    [row] = client.images()
    assert (shown["ID"], shown["Digest"]) == (str(row.image_id), str(row.digest))
    raw = json.loads("".join(shell.ok("manifest", "inspect", image)))
    assert raw == json.loads(client.manifest.inspect(image).raw)
    assert told(shell, "referrers", image)["Digest"] == str(BOTH.root.digest)
    assert client.referrers(image).descriptor.digest == BOTH.root.digest
