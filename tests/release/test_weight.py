"""The check of the installed size."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from release import weight

if TYPE_CHECKING:
    from pathlib import Path


def _environment(folder: Path, **sizes: int) -> Path:
    site = folder / "lib/python3.11/site-packages"
    for name, size in sizes.items():
        (site / name).mkdir(parents=True)
        (site / name / "module.py").write_bytes(bytes(size))
    return folder


def test_packages_are_counted_in_blocks_without_pip(tmp_path: Path) -> None:
    environment = _environment(tmp_path, click=1, rich=4097, pip=9000)
    site = tmp_path / "lib/python3.11/site-packages"
    (site / "click-8.0.dist-info").mkdir()
    (site / "click-8.0.dist-info/METADATA").write_bytes(b"x")
    (site / "socks.py").write_bytes(b"")
    assert weight.weights(environment) == {"click": 8192, "rich": 8192, "socks": 0}


def test_an_installation_above_the_limit_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = _environment(tmp_path, large=3_000_000)
    monkeypatch.setattr(sys, "argv", ["weight", str(environment)])
    weight.main()
    assert capsys.readouterr().out == "3 MB installed\n"
    monkeypatch.setattr(weight, "LIMIT_MB", 2)
    with pytest.raises(SystemExit, match="larger than 2 MB"):
        weight.main()
