"""Credentials that cannot be sent in a request."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.credential_chain import default_chain

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("credential", "fault"),
    [
        (Credential("ü", "ß:\n\0"), None),
        (Credential("", ""), None),
        (Credential("u", "", "t"), None),
        (Credential("u", "", registry_token="a.b-c_d~+/="), None),
        (Credential("\udcff", "s"), "it is not valid UTF-8"),
        (Credential("u", "\ud800"), "it is not valid UTF-8"),
        (Credential("u", "", "\udcff"), "it is not valid UTF-8"),
        (
            Credential("u", "", registry_token="a\r\nX: b"),
            "characters that are not allowed in a header",
        ),
        (Credential("u", "", registry_token="ü"), "characters that are not allowed in a header"),
    ],
)
def test_a_fault_is_detected_before_sending(credential: Credential, fault: str | None) -> None:
    assert (fault in (credential.fault or "")) if fault else credential.fault is None


def test_the_next_source_is_used_instead(tmp_path: Path) -> None:
    auths = {
        "reg.io": {"registrytoken": "a\nb"},
        "ghcr.io": {"auth": base64.b64encode(b"u:p").decode()},
    }
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").write_text(json.dumps({"auths": auths}))
    said: list[str] = []
    environ = {
        "PATH": "/nowhere",
        "XDG_RUNTIME_DIR": str(tmp_path),
        "GHCRCTL_KEYRING": "0",
        "GHCRCTL_TOKEN": "t\udcff",
    }
    chain = default_chain(environ, home=tmp_path, config_dir=tmp_path, warn=said.append)
    found = chain.find("ghcr.io")
    assert found
    assert found.username == "u"
    assert chain.find("reg.io") is None
    assert len(said) == 2
    assert said[0] == (
        "ignoring the credential from the environment (GHCRCTL_TOKEN): it is not valid UTF-8"
    )
    assert "config.json: its registry token" in said[1]
