"""The number of requests of each command. No request is redundant."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.builders import index_of, random_image
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.registry_double import LogEntry, RegistryDouble

LAYERS = 3
IMAGE = random_image(LAYERS, seed=1)
BOTH = index_of(IMAGE, random_image(LAYERS, seed=2))


def kind_of(entry: LogEntry) -> str:
    """Return the kind of a request."""
    if entry.path == "/token":
        return "token"
    place = "storage" if entry.host == "storage" else "manifest"
    if "/blobs/" in entry.path and entry.host == "registry":
        place = "upload" if "/uploads/" in entry.path else "blob"
    return f"{entry.method} {place}"


@pytest.fixture
def counted(tmp_path: Path, ghcr: RegistryDouble) -> Callable[..., dict[str, int]]:
    """Run commands that must succeed and count the requests of the last one."""
    shell = Shell(tmp_path)
    shell.environ |= {"GHCRCTL_REGISTRY": ghcr.host, "GHCRCTL_TOKEN": "ghp_octo"}

    def run(*commands: str) -> dict[str, int]:
        for command in commands:
            ghcr.log.clear()
            shell.ok(*command.format(host=ghcr.host).split())
        return dict(Counter(map(kind_of, ghcr.log)))

    return run


# The first request gets a challenge and is repeated with a token, which all others use.
MET = {"token": 1}


def test_a_pull(ghcr: RegistryDouble, counted: Callable[..., dict[str, int]]) -> None:
    ghcr.push_image("octo/image", "1", BOTH)
    assert counted("pull {host}/octo/image:1") == {
        **MET,
        # The challenge, the index, and the image for this platform.
        "GET manifest": 3,
        "GET blob": LAYERS + 1,
        "GET storage": LAYERS + 1,
    }


def test_a_pull_of_a_current_image(
    ghcr: RegistryDouble, counted: Callable[..., dict[str, int]]
) -> None:
    ghcr.push_image("octo/image", "1", IMAGE)
    name = "pull {host}/octo/image:1"
    assert counted(name, name) == {**MET, "GET manifest": 2}


def test_a_pull_of_several(ghcr: RegistryDouble, counted: Callable[..., dict[str, int]]) -> None:
    ghcr.push_image("octo/image", "1", IMAGE)
    ghcr.push_image("octo/image", "2", BOTH)
    made = counted("pull {host}/octo/image:1 {host}/octo/image:2")
    # Both may get a challenge at the same time. Everything else is requested once.
    assert made.pop("GET manifest") in {4, 5}
    assert made == {**MET, "GET blob": LAYERS + 1, "GET storage": LAYERS + 1}


def test_a_push(ghcr: RegistryDouble, counted: Callable[..., dict[str, int]]) -> None:
    ghcr.push_image("octo/image", "1", IMAGE)
    made = counted(
        "pull {host}/octo/image:1",
        "tag {host}/octo/image:1 {host}/octo/other:1",
        "rmi {host}/octo/image:1",
        "push {host}/octo/other:1",
    )
    assert made == {
        **MET,
        "HEAD manifest": 2,
        "HEAD blob": LAYERS + 1,
        "POST upload": LAYERS + 1,
        "PUT upload": LAYERS + 1,
        "PUT manifest": 1,
    }


def test_a_push_to_a_repository_beside(
    ghcr: RegistryDouble, counted: Callable[..., dict[str, int]]
) -> None:
    ghcr.push_image("octo/image", "1", IMAGE)
    made = counted(
        "pull {host}/octo/image:1",
        "tag {host}/octo/image:1 {host}/octo/other:1",
        "push {host}/octo/other:1",
    )
    # Mounting requires a token for both repositories.
    assert made == {
        "token": 2,
        "HEAD manifest": 2,
        "HEAD blob": LAYERS + 1,
        "POST upload": LAYERS + 1,
        "PUT manifest": 1,
    }


def test_a_push_of_an_existing_image(
    ghcr: RegistryDouble, counted: Callable[..., dict[str, int]]
) -> None:
    ghcr.push_image("octo/image", "1", IMAGE)
    made = counted("pull {host}/octo/image:1", "push {host}/octo/image:1")
    # The tag is read with a read-only token, to check whether it would lose platforms.
    assert made == {"token": 2, "HEAD manifest": 2, "GET manifest": 1, "PUT manifest": 1}


@pytest.mark.parametrize(
    "command", ["images", "tag {host}/octo/image:1 again", "inspect {host}/octo/image:1", "df"]
)
def test_local_commands_send_no_requests(
    ghcr: RegistryDouble, counted: Callable[..., dict[str, int]], command: str
) -> None:
    ghcr.push_image("octo/image", "1", IMAGE)
    assert counted("pull {host}/octo/image:1", command) == {}
