"""Responses that never start or never end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.shell import Shell
from tests.unit.hostile.test_answers import CHUNKED, answering

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("start", "part"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (CHUNKED + b'5\r\n{"a":\r\n0\r\n', b"X: y\r\n" * 10_000),
    ],
    ids=["interim answers", "trailers"],
)
def test_run_ends_after_its_timeout(tmp_path: Path, start: bytes, part: bytes) -> None:
    shell = Shell(tmp_path)
    began = time.monotonic()
    with answering(start, part, times=1_000_000) as client:
        output = shell.fails(
            3, "inspect", "--remote", "--timeout", "2", f"{client.registry}/octo/image:1"
        )
    assert "2 s" in output or "in time" in output
    assert time.monotonic() - began < 20
