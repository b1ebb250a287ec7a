"""Untrusted text on a terminal: errors, warnings, templates and debug output."""

from __future__ import annotations

import json
import unicodedata
from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from tests.builders import Built, index_of, random_image
from tests.registry_double import Fault
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

TEMPLATES = (
    "{{.Author}}",
    "{{.Config.Labels}}",
    "{{range .Config.Env}}{{.}}{{end}}",
    "{{json .}}",
    "{{json .Config}}",
    '{{printf "%s %v %q" .Author .Author .Author}}',
    '{{join .Config.Env ","}}',
    "{{upper .Author}}",
    "{{slice .Author 0 3}}",
    "{{.Comment | println}}",
    "{{index .Config.Env 0}}",
    "{{.Os}}/{{.Architecture}}",
)
# Clear screen, a window title, a C1 control, a link, carriage return, backspace, a bell, DEL,
# right-to-left text, an invisible tag and a line separator.
EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\x1b]8;;http://x\x1b\\\r\x08\x7f\u202e\U000e0041\u2028"
ERROR = json.dumps({"errors": [{"code": EVIL, "message": EVIL}]}).encode()


def assert_harmless(text: str) -> None:
    harmful = {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp", "Cs"}}
    assert harmful <= {"\n"}, text


def printed(shell: Shell, *arguments: str) -> str:
    """Return the exact output of a successful run."""
    done = shell.run(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def image(config: dict[str, object], **fields: object) -> Built:
    """Build an image without layers from a config and additional manifest fields."""
    raw = json.dumps({"os": "linux", "architecture": "amd64", **config}).encode()
    described = Descriptor.of(raw, media_types.OCI_CONFIG)
    body = {
        "schemaVersion": 2,
        "mediaType": media_types.OCI_MANIFEST,
        "config": described.to_json(),
        "layers": [],
        **fields,
    }
    manifest = json.dumps(body).encode()
    root = Descriptor.of(manifest, media_types.OCI_MANIFEST)
    return Built(root, ((described, raw), (root, manifest)))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.parametrize("status", [401, 404, 405, 429, 500])
@pytest.mark.parametrize("body", [ERROR, EVIL.encode()])
def test_registry_messages_are_sanitized(
    plain_registry: PlainRegistry, shell: Shell, status: int, body: bytes
) -> None:
    plain_registry.faults.append(
        Fault(path_contains="/manifests/", status=status, body=body, times=5)
    )
    done = shell.run("--debug", "inspect", "--remote", f"{plain_registry.host}/octo/image:1")
    assert done.returncode not in {0, 1}
    assert_harmless(done.stdout + done.stderr)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": f"x/{EVIL}".encode("latin-1", "ignore").decode("latin-1")},
        {"Docker-Content-Digest": "sha256:\x1b[2J"},
        {"Docker-Content-Digest": "\x9b31m" * 1000},
        {"Content-Range": "\x1b[2J"},
    ],
    ids=repr,
)
def test_registry_headers_are_sanitized(
    plain_registry: PlainRegistry, shell: Shell, headers: dict[str, str]
) -> None:
    clean = {key: value.replace("\r", "") for key, value in headers.items()}
    plain_registry.push_image("octo/image", "1", random_image(1))
    plain_registry.faults.append(Fault(path_contains="/manifests/", headers=clean, times=5))
    done = shell.run("pull", f"{plain_registry.host}/octo/image:1")
    assert done.returncode in {0, 3, 6}, done.stderr
    assert_harmless(done.stdout + done.stderr)


@pytest.mark.parametrize(
    "location", ["http://\x9b31m/", "/\x9b31m", "https://x\x7f/", "\x1b[2J", "http://[\x1b]/"]
)
def test_redirect_targets_are_sanitized(
    plain_registry: PlainRegistry, shell: Shell, location: str
) -> None:
    plain_registry.faults.append(
        Fault(path_contains="/manifests/", status=302, headers={"Location": location}, times=50)
    )
    done = shell.run("inspect", "--remote", f"{plain_registry.host}/octo/image:1")
    assert done.returncode in {3, 4, 6}, done.stderr
    assert_harmless(done.stdout + done.stderr)


@pytest.mark.parametrize("where", ["type", "platform", "digest"])
def test_image_errors_are_sanitized(
    plain_registry: PlainRegistry, shell: Shell, where: str
) -> None:
    body: dict[str, object] = {"mediaType": EVIL}
    if where == "digest":
        body = {"config": {"digest": EVIL}}
    bent = json.dumps({"schemaVersion": 2, **body}).encode()
    if where == "platform":
        whole = random_image(1)
        entry = whole.root.to_json() | {"platform": {"os": EVIL, "architecture": EVIL}}
        kind = {"mediaType": media_types.OCI_INDEX}
        bent = json.dumps({"schemaVersion": 2, **kind, "manifests": [entry]}).encode()
    plain_registry.faults.append(
        Fault(method="GET", path_contains="/manifests/", status=200, body=bent, times=50)
    )
    done = shell.run("--debug", "pull", f"{plain_registry.host}/octo/image:1")
    assert done.returncode in {4, 6}, done.stderr
    assert_harmless(done.stdout + done.stderr)


def test_template_output_is_sanitized(plain_registry: PlainRegistry, shell: Shell) -> None:
    labels = {EVIL: EVIL}
    evil = image(
        {
            "architecture": EVIL,
            "author": EVIL,
            "config": {"Labels": labels, "Env": [EVIL], "Cmd": [EVIL]},
            "history": [{"comment": EVIL, "created_by": EVIL, "empty_layer": True}],
        }
    )
    plain_registry.push_image("octo/image", "1", evil)
    name = f"{plain_registry.host}/octo/image:1"
    messages = printed(shell, "inspect", "--remote", "--format", "|".join(TEMPLATES), name)
    assert messages.count("|") == len(TEMPLATES) - 1
    assert_harmless(messages)


def test_json_output_has_the_exact_text(plain_registry: PlainRegistry, shell: Shell) -> None:
    plain_registry.push_image("octo/image", "1", image({"config": {"Labels": {"a": EVIL}}}))
    done = shell.run("inspect", "--remote", f"{plain_registry.host}/octo/image:1")
    assert_harmless(done.stdout)
    assert json.loads(done.stdout)[0]["Config"]["Labels"]["a"] == EVIL


def test_history_is_sanitized(plain_registry: PlainRegistry, shell: Shell) -> None:
    step = {"comment": EVIL, "created_by": EVIL, "created": EVIL, "empty_layer": True}
    evil = image({"history": [step]})
    name = f"{plain_registry.host}/octo/image:1"
    plain_registry.push_image("octo/image", "1", evil)
    shell.ok("pull", name)
    for more in (
        [],
        ["--no-trunc"],
        ["--format", "{{.CreatedBy}}{{.Comment}}"],
        ["--format", "table {{.CreatedBy}}"],
        ["--format", "json"],
    ):
        assert_harmless(printed(shell, "history", *more, name))


def test_lone_surrogates_are_printed(plain_registry: PlainRegistry, shell: Shell) -> None:
    lone = "\ud800"
    config: dict[str, object] = {
        "author": lone,
        "created": lone,
        "config": {"Labels": {lone: lone}, "Env": [lone]},
        "history": [{"created_by": lone, "comment": lone, "empty_layer": True}],
    }
    name = f"{plain_registry.host}/octo/image:1"
    odd = image(config, annotations={lone: lone}, artifactType=lone)
    plain_registry.push_image("octo/image", "1", odd)
    shell.ok("pull", name)
    for line in ("images", "df -v", "images --format json", "fsck", f"inspect {name}"):
        assert_harmless(printed(shell, *line.split()))
    assert_harmless(printed(shell, "history", name))


def test_credential_helper_messages_are_sanitized(
    plain_registry: PlainRegistry, shell: Shell
) -> None:
    tools = shell.folder / "tools"
    tools.mkdir()
    program = tools / "docker-credential-evil"
    octal = "".join(f"\\{byte:03o}" for byte in EVIL.encode())
    program.write_text(f"#!/bin/sh\nprintf '{octal}' >&2\nprintf '{octal}'\nexit 1\n")
    program.chmod(0o755)
    docker = shell.folder / ".docker"
    docker.mkdir()
    (docker / "config.json").write_text(json.dumps({"credsStore": "evil"}))
    shell.environ["PATH"] = f"{tools}:{shell.environ['PATH']}"
    plain_registry.push_image("octo/image", "1", index_of(random_image(1)))
    unauthorized = {"WWW-Authenticate": 'Basic realm="x"'}
    plain_registry.faults.append(Fault(status=401, headers=unauthorized, body=ERROR, times=50))
    done = shell.run("--debug", "pull", f"{plain_registry.host}/octo/image:1")
    assert done.returncode == 5, done.stderr
    assert_harmless(done.stdout + done.stderr)
