"""``ghcrctl explain``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.explanations import statuses_by_code
from ghcrctl.cli.explanations.find import find
from ghcrctl.errors import ExitStatus, NotFoundError
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("code", statuses_by_code())
def test_each_code_is_found_by_itself(code: str) -> None:
    assert find(code).name == code
    assert find(code.upper().replace("-", "_")).name == code


@pytest.mark.parametrize("status", ExitStatus, ids=str)
def test_each_status_is_found_by_its_number(status: ExitStatus) -> None:
    for text in (f"{status.value}", f"status {status.value}", f"exit status {status.value}"):
        assert find(text).name == str(status.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("error: denied", "denied"),
        ("Error response from daemon: denied", "denied"),
        ("unauthorized: authentication required", "unauthorized"),
        (
            '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}',
            "manifest-unknown",
        ),
        ('{"error": {"code": "refused", "message": "x", "exit_status": 7}}', "refused"),
        ("toomanyrequests: retry-after: 880µs, allowed: 44000/minute", "rate-limited"),
        ("write /dev/sda1: no space left on device", "no-space"),
        ("x509: certificate signed by unknown authority", "tls"),
        ("Get https://ghcr.io/v2/: context deadline exceeded", "timed-out"),
        ("received unexpected HTTP status: 503 Service Unavailable", "registry-unavailable"),
        ("no basic auth credentials", "unauthorized"),
        ("denied: permission_denied: write_package", "denied"),
        ("name unknown: repository name not known to registry", "repository-unknown"),
        ("http: server gave HTTP response to HTTPS client", "tls"),
        ("tls: first record does not look like a TLS handshake", "tls"),
        ("net/http: TLS handshake timeout", "timed-out"),
        ("dial tcp 140.82.121.34:443: i/o timeout", "timed-out"),
        ("dial tcp: lookup ghcr.io: no such host", "connection-failed"),
        ("dial tcp 127.0.0.1:5000: connect: connection refused", "connection-failed"),
        ("read tcp 10.0.0.1:443: connection reset by peer", "connection-lost"),
        ("unexpected EOF", "connection-lost"),
        ("filesystem layer verification failed for digest sha256:0", "digest-mismatch"),
        ("no matching manifest for linux/arm64/v8 in the manifest list", "platform-not-found"),
        ("You have reached your pull rate limit", "rate-limited"),
        ("You have exceeded a secondary rate limit", "rate-limited"),
        ("conflict: unable to delete 1a2b (must be forced)", "conflict"),
        ("You cannot delete the last tagged version of a package", "retained"),
    ],
)
def test_messages_of_other_programs_lead_to_a_code(text: str, code: str) -> None:
    assert find(text).name == code


def test_a_word_within_another_is_not_that_word() -> None:
    with pytest.raises(NotFoundError):
        find("sha256:4035003 is fine")


def test_a_misspelled_code_gets_suggestions() -> None:
    with pytest.raises(NotFoundError) as caught:
        find("manifest-unknwon")
    assert "did you mean `manifest-unknown`?" in (caught.value.hint or "")


def test_an_unknown_status_is_an_error() -> None:
    with pytest.raises(NotFoundError, match="unknown exit status 77"):
        find("77")


def test_an_explanation_has_meaning_causes_and_remedies(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shown = shell.ok("explain", "error:", "denied")
    assert shown[0] == "denied (exit status 5)"
    assert {"Causes:", "What to do:", "Example:"} <= set(shown)
    assert all(len(line) <= 80 for line in shown[: shown.index("Example:")])
    listed = "\n".join(shell.ok("explain"))
    assert all(code in listed for code in statuses_by_code())
    assert "did you mean" in shell.fails(4, "explain", "deneid")


def test_explanations_are_for_programs_too(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    told = json.loads("\n".join(shell.ok("explain", "--format", "json", "denied")))
    assert (told["Code"], told["ExitStatus"]) == ("denied", 5)
    assert told["Remedies"]
    assert told["Example"].endswith("(status 5)")
    all_of_them = json.loads("\n".join(shell.ok("explain", "--format", "json")))
    assert len(all_of_them) == len(ExitStatus) + len(statuses_by_code())
