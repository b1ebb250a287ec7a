"""Choosing a browser to open a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.programs.browser import open_page

if TYPE_CHECKING:
    from pathlib import Path

PAGE = "https://github.com/settings?a=b"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory for programs; the current directory has a hostile `xdg-open`."""
    here = tmp_path / "clone"
    here.mkdir()
    monkeypatch.chdir(here)
    for name in ("xdg-open", "firefox"):
        install(here, name, f"touch {tmp_path / 'hostile'}")
    return tmp_path / "bin"


def install(folder: Path, name: str, body: str = "") -> str:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body or f'echo $0 $* > {folder}/opened'}\n")
    path.chmod(0o755)
    return str(path)


def opened(folder: Path, **environ: str) -> str | None:
    path = folder / "opened"
    path.unlink(missing_ok=True)
    environ = {"PATH": f".:{folder}:", **environ}
    if not open_page(PAGE, environ, system="linux"):
        assert not path.exists()
        return None
    assert not (folder.parent / "hostile").exists()
    return path.read_text().strip()


def test_the_users_browser_comes_first(folder: Path) -> None:
    launcher, firefox = install(folder, "xdg-open"), install(folder, "firefox")
    assert opened(folder) == f"{launcher} {PAGE}"
    assert opened(folder, BROWSER="firefox") == f"{firefox} {PAGE}"
    assert opened(folder, BROWSER="firefox --tab %s &") == f"{firefox} --tab {PAGE}"
    assert opened(folder, BROWSER=f"{firefox} -u=%s") == f"{firefox} -u={PAGE}"
    assert opened(folder, BROWSER=f"/nowhere/x:'::{firefox}") == f"{firefox} {PAGE}"


def test_a_browser_of_the_current_directory_is_never_run(folder: Path) -> None:
    assert opened(folder) is None
    assert opened(folder, BROWSER="./firefox") is None
    assert opened(folder, BROWSER="firefox") is None
    assert not (folder.parent / "hostile").exists()


def test_a_failing_launcher_is_skipped(folder: Path) -> None:
    install(folder, "xdg-open", "exit 3")
    assert opened(folder) is None
    other = install(folder, "sensible-browser")
    assert opened(folder) == f"{other} {PAGE}"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "calc.exe", "-x", "javascript:1"])
def test_only_web_pages_are_opened(folder: Path, url: str) -> None:
    install(folder, "xdg-open")
    assert not open_page(url, {"PATH": str(folder)}, system="linux")
    assert not (folder / "opened").exists()


def test_macos_has_its_own_launcher(folder: Path) -> None:
    install(folder, "xdg-open")
    assert not open_page(PAGE, {"PATH": str(folder)}, system="darwin")
    assert not (folder / "opened").exists()
