"""Progress events as JSON lines."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.builders import random_image
from tests.registry_double.faults import Fault
from tests.shell import Shell

if TYPE_CHECKING:
    from tests.registry_double import PlainRegistry, RegistryDouble

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "docs/reference/schemas/progress.json").read_text("utf-8")
)
IMAGE = random_image(3, size=40_000, seed=1)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def name(plain_registry: PlainRegistry) -> str:
    plain_registry.push_image("octo/app", "1.0", IMAGE)
    return f"{plain_registry.host}/octo/app:1.0"


def events(shell: Shell, *arguments: str, status: int = 0) -> list[dict[str, Any]]:
    """Run a command and return its events, after checking them against the schema."""
    done = shell.run(*arguments, "--progress", "json")
    assert done.returncode == status, done.stderr
    found = [json.loads(line) for line in done.stderr.splitlines()]
    for event in found:
        if "Event" in event:
            jsonschema.validate(event, SCHEMA)
    return found


def test_a_pull_tells_its_whole_story(shell: Shell, name: str) -> None:
    told = events(shell, "pull", name)
    assert {event["Image"] for event in told} == {name}
    planned = told[0]
    assert planned["Event"] == "planned"
    assert planned["Digest"] == str(IMAGE.root.digest)
    assert planned["BytesToMove"] == sum(len(content) for _, content in IMAGE.contents)
    assert (planned["Contents"], planned["ContentsToMove"]) == (5, 5)
    stories: dict[str, list[str]] = defaultdict(list)
    for event in told[1:]:
        stories[event["Digest"]].append(event["Event"])
    layers = [d for d, _ in IMAGE.blobs if "layer" in d.media_type]
    assert len(layers) == 3
    for layer in layers:
        story = stories[str(layer.digest)]
        assert (story[0], story[1], story[-1]) == ("started", "progressed", "finished")
    assert {e["Outcome"] for e in told if e["Event"] == "finished"} == {"copied"}
    again = events(shell, "pull", name)
    assert again[0]["BytesToMove"] == 0
    assert Counter(e.get("Outcome") for e in again[1:]) == {"exists": 5}


def test_no_event_follows_the_last_one(shell: Shell, name: str) -> None:
    for arguments in (("pull", name), ("pull", name), ("push", name)):
        stories: dict[str, list[str]] = defaultdict(list)
        for event in events(shell, *arguments)[1:]:
            stories[event["Digest"]].append(event["Event"])
        assert len(stories) == 5
        for story in stories.values():
            assert story[-1] == "finished"
            assert story == ["finished"] or story[0] == "started"


def test_results_stay_on_stdout_and_quiet_does_not_silence_events(shell: Shell, name: str) -> None:
    done = shell.run("pull", "-q", "--progress", "json", name)
    assert done.stdout == f"{name}\n"
    assert json.loads(done.stderr.splitlines()[0])["Event"] == "planned"


def test_retries_tell_their_error_and_their_delay(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    shell.environ["GHCRCTL_RETRIES"] = "2"
    plain_registry.faults.append(Fault("GET", str(IMAGE.blobs[0][0].digest), cut_after=1_000))
    [retrying] = [e for e in events(shell, "pull", name) if e["Event"] == "retrying"]
    assert retrying["ErrorCode"] == "connection-lost"
    assert retrying["Delay"] > 0


def test_a_wait_is_reported_when_it_starts(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    shell.environ["GHCRCTL_RETRIES"] = "2"
    limit = Fault("GET", "/manifests/", status=429, headers={"Retry-After": "1"})
    plain_registry.faults.append(limit)
    first, second, *_ = events(shell, "pull", name)
    assert (first["Event"], first["ErrorCode"]) == ("waiting", "rate-limited")
    assert first["Delay"] >= 1
    assert second["Event"] == "planned"


def test_a_failure_ends_with_the_error_as_json(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    plain_registry.faults.append(Fault("GET", "/blobs/", times=99, status=503))
    *told, last = events(shell, "pull", name, status=3)
    failed = [event for event in told if event["Event"] == "failed"]
    assert {event["ErrorCode"] for event in failed} <= {"registry-unavailable", "interrupted"}
    assert last["error"]["code"] == "registry-unavailable"
    assert last["error"]["exit_status"] == 3


def test_a_mounted_blob_names_its_repository(shell: Shell, ghcr: RegistryDouble) -> None:
    shell.environ |= {"GHCRCTL_REGISTRY": ghcr.host, "GHCRCTL_TOKEN": "ghp_octo"}
    ghcr.push_image("octo/app", "1.0", IMAGE)
    told = events(shell, "copy", f"{ghcr.host}/octo/app:1.0", f"{ghcr.host}/octo/other:1.0")
    mounted = [e for e in told if e.get("Outcome") == "mounted"]
    assert {e["MountedFrom"] for e in mounted} == {"octo/app"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("save", "-o", "image.tar", "{}"),
        ("push", "{}"),
        ("convert", "--local", "--to", "docker", "{}"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_other_commands_tell_events_too(
    shell: Shell, name: str, arguments: tuple[str, ...]
) -> None:
    shell.ok("pull", name)
    told = events(shell, *(part.format(name) for part in arguments))
    assert told[0]["Event"] in {"planned", "started"}
    assert all(event["Image"] for event in told)


def test_transfers_outside_the_engine_are_counted(shell: Shell, name: str) -> None:
    shell.ok("pull", name)
    shell.ok("export", "-o", "rootfs.tar", name)
    size = (shell.folder / "rootfs.tar").stat().st_size
    told = events(shell, "import", "rootfs.tar", "hello")
    assert {(e["What"], e["Total"], e["Unit"]) for e in told} == {("rootfs.tar", size, "bytes")}
    assert told[-1]["Done"] == size
    told = events(shell, "export", "--to", "rootfs", name)
    assert told[-1]["What"] == "layers"
    assert told[-1]["Done"] == told[-1]["Total"]
    assert events(shell, "fsck")[-1]["What"] == "content"
    assert events(shell, "save", "--format", "docker", "-o", "d.tar", name)[0]["What"] == "archive"


def test_files_of_an_artifact_are_events_too(shell: Shell, plain_registry: PlainRegistry) -> None:
    (shell.folder / "app.toml").write_text("x = 1\n")
    name = f"{plain_registry.host}/octo/config:1"
    events(shell, "artifact", "push", "--type", "text/x", name, "app.toml")
    told = events(shell, "artifact", "pull", "--to", "there", name)
    assert [e["Event"] for e in told] == ["planned", "started", "progressed", "finished"]
    assert told[0]["BytesToMove"] == 6


def test_the_setting_and_the_variable_do_the_same(shell: Shell, name: str) -> None:
    shell.environ["GHCRCTL_PROGRESS"] = "json"
    done = shell.run("pull", name)
    assert json.loads(done.stderr.splitlines()[0])["Event"] == "planned"
    error = shell.run("pull", "octo//x").stderr
    assert json.loads(error)["error"]["code"] == "invalid-reference"
