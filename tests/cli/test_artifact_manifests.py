"""Commands on artifact manifests of the OCI image spec 1.1 release candidates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.media_types import OCI_ARTIFACT
from tests.builders import Built, random_image
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

IMAGE = random_image(seed=1)
BLOB = (Descriptor.of(b"signed", "application/jose+json"), b"signed")


def _signature() -> Built:
    raw = json.dumps(
        {
            "mediaType": OCI_ARTIFACT,
            "artifactType": "application/vnd.cncf.notary.signature",
            "blobs": [BLOB[0].to_json()],
            "subject": IMAGE.root.to_json(),
        }
    ).encode()
    root = Descriptor.of(raw, OCI_ARTIFACT)
    return Built(root, (BLOB, (root, raw)))


SIGNATURE = _signature()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def name(plain_registry: PlainRegistry) -> str:
    plain_registry.push_image("octo/app", "v1", IMAGE)
    plain_registry.push_image("octo/app", "signature", SIGNATURE)
    return f"{plain_registry.host}/octo/app"


def test_an_artifact_manifest_is_pulled_shown_and_pushed(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    shell.ok("pull", f"{name}:signature")
    shell.ok("inspect", f"{name}:signature")
    shown = json.loads("\n".join(shell.ok("manifest", "inspect", f"{name}:signature")))
    assert shown["mediaType"] == OCI_ARTIFACT
    other = f"{plain_registry.host}/octo/other:signature"
    shell.ok("tag", f"{name}:signature", other)
    shell.ok("rmi", f"{name}:signature")
    shell.ok("push", other)
    assert shell.ok("digest", other) == [str(SIGNATURE.root.digest)]
    assert shell.ok("fsck")


def test_an_artifact_manifest_is_copied(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    other = f"{plain_registry.host}/octo/other:signature"
    shell.ok("copy", f"{name}:signature", other)
    shell.ok("copy", f"{name}:signature", "oci:layout:signature")
    shell.ok("inspect", "--remote", other)
    assert shell.ok("digest", other) == [str(SIGNATURE.root.digest)]


def test_an_artifact_manifest_is_a_referrer(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    other = f"{plain_registry.host}/octo/other"
    shell.ok("copy", f"{name}:v1", f"{other}:v1")
    # This registry only registers referrers on push.
    shell.ok("copy", f"{name}:signature", f"{other}:signature")
    lines = shell.ok("referrers", f"{other}:v1")
    assert any(SIGNATURE.root.digest.encoded[:12] in line for line in lines)
