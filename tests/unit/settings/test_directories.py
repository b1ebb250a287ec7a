"""The directories for files on other systems."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ghcrctl.settings import Settings

# The modules are imported before the system is changed; Windows without them reads variables.
_SHOW = """
import asyncio, pathlib, ssl, subprocess, sys, tempfile, typing
import ghcrctl.oci.platform, ghcrctl.oci.reference
sys.platform = {system!r}
sys.modules["ctypes"] = None
from ghcrctl.settings import Settings
settings = Settings({environ!r})
for path in (settings.config_file, settings.store_dir, settings.cache_dir, settings.home):
    print(str(path).replace("/", "|").replace(chr(92), "|"))
"""
_WINDOWS = {"USERPROFILE": r"C:\Users\me", "LOCALAPPDATA": r"C:\Users\me\AppData\Local"}
_MAC = {"HOME": "/Users/me"}


def _shown(system: str, environ: dict[str, str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _SHOW.format(system=system, environ=environ)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.needs("playing others")
@pytest.mark.parametrize(
    ("system", "environ", "paths"),
    [
        (
            "darwin",
            _MAC,
            [
                "|Users|me|Library|Application Support|ghcrctl|config.toml",
                "|Users|me|Library|Application Support|ghcrctl|store",
                "|Users|me|Library|Caches|ghcrctl",
                "|Users|me",
            ],
        ),
        (
            "win32",
            _WINDOWS,
            [
                "C:|Users|me|AppData|Local|ghcrctl|config.toml",
                "C:|Users|me|AppData|Local|ghcrctl|store",
                "C:|Users|me|AppData|Local|ghcrctl|Cache",
                "C:|Users|me",
            ],
        ),
        # The shell of Git for Windows sets HOME, which docker ignores.
        (
            "win32",
            {**_WINDOWS, "HOME": "/h", "XDG_CONFIG_HOME": "/x", "XDG_CACHE_HOME": "here"},
            [
                "|x|ghcrctl|config.toml",
                "C:|Users|me|AppData|Local|ghcrctl|store",
                "C:|Users|me|AppData|Local|ghcrctl|Cache",
                "C:|Users|me",
            ],
        ),
        (
            "darwin",
            {**_MAC, "XDG_DATA_HOME": "/d", "XDG_CACHE_HOME": "/c", "USERPROFILE": "/p"},
            [
                "|Users|me|Library|Application Support|ghcrctl|config.toml",
                "|d|ghcrctl|store",
                "|c|ghcrctl",
                "|Users|me",
            ],
        ),
    ],
)
def test_each_system_has_its_own_directories(
    system: str, environ: dict[str, str], paths: list[str]
) -> None:
    assert _shown(system, environ) == paths


def test_the_journal_directory_follows_its_variable() -> None:
    assert Settings(environ={"XDG_STATE_HOME": "/s"}).journal_dir == Path("/s/ghcrctl/deletions")


def test_a_windows_processor_has_its_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import os, uuid; del os.uname; import ghcrctl.settings as s; print(s.host_platform())"
    for machine, platform in (("AMD64", "linux/amd64"), ("ARM64", "linux/arm64")):
        monkeypatch.setenv("PROCESSOR_ARCHITECTURE", machine)
        shown = subprocess.check_output([sys.executable, "-c", script], text=True)
        assert shown.strip() == platform
