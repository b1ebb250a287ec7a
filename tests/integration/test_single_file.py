"""ghcrctl as a single file, in an empty home and with the wrong Python."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl import __version__
from release.file_name import file_name
from tests.integration.peers import do_without
from tests.registry_double.fixtures import ghcr

if TYPE_CHECKING:
    from tests.registry_double import RegistryDouble

__all__ = ["ghcr"]
# The fixture installs packages, which takes minutes on a slow machine.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]
_ROOT = Path(__file__).parents[2]
# Tests have their own home, but Pythons may be installed in the real one.
_HOME = os.environ.get("HOME", "")


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The single file, built like ``make zipapp``."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "release.single_file", "--to", str(folder)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    if done.returncode and "error sending request" in done.stderr:
        do_without(f"a network with a package index is missing: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    (path,) = folder.iterdir()
    return path


def _run(
    single: Path, home: Path, *arguments: str, python: str = sys.executable, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    home.mkdir(exist_ok=True)
    return subprocess.run(
        # Isolated mode ignores the packages of this environment.
        [python, "-I", str(single), *arguments],
        env={"HOME": str(home), "PATH": os.defpath, "GHCRCTL_KEYRING": "0"},
        cwd=home,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=120,
    )


def test_runs_with_an_empty_home(single: Path, ghcr: RegistryDouble, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert _run(single, home, "--version").stdout.strip() == f"ghcrctl {__version__}".encode()
    archive = subprocess.run(
        ["tar", "-c", "-C", str(single.parent), "."], check=True, capture_output=True
    )
    name = f"{ghcr.host}/octo/image:1.0"
    assert _run(single, home, "import", "-", name, stdin=archive.stdout).returncode == 0
    assert b"octo/image" in _run(single, home, "images").stdout
    secret = ("login", "--username", "octo", "--password-stdin", ghcr.host)
    assert _run(single, home, *secret, stdin=b"ghp_octo").returncode == 0
    pushed = _run(single, home, "push", name)
    assert pushed.returncode == 0, pushed.stderr
    assert ghcr.backend.resolve("octo/image", "1.0").is_manifest


def test_is_small(single: Path) -> None:
    assert single.name == file_name(__version__)
    assert single.stat().st_size < 10_000_000


# The digests change with the locked libraries. Mention that in the changelog.
@pytest.mark.parametrize(
    ("options", "digest"),
    [
        (
            ("--compress", "gzip"),
            "9876f4e4ec05445c79f37516550f86d45d26c4e19fc212a9311a2106b9664ad2",
        ),
        (
            ("--compress", "zstd"),
            "da45894b07771c96edd950b42da8eef0166fd515fe86e74ad84bda817391f8bb",
        ),
    ],
)
def test_compresses_to_the_same_bytes_on_every_machine(
    single: Path, tmp_path: Path, options: tuple[str, ...], digest: str
) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        member = tarfile.TarInfo("numbers")
        data = b" ".join(b"%d" % number for number in range(300_000))
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    home = tmp_path / "home"
    assert _run(single, home, "import", "-", "local:1", stdin=archive.getvalue()).returncode == 0
    converted = _run(single, home, "convert", "--local", *options, "-t", "local:2", "local:1")
    assert converted.returncode == 0, converted.stderr
    shown = _run(single, home, "manifest", "inspect", "local:2")
    (layer,) = json.loads(shown.stdout)["layers"]
    assert layer["digest"] == f"sha256:{digest}"


def test_wrong_python_is_reported(single: Path, tmp_path: Path) -> None:
    ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert f"-py{ours}-" in single.name
    other = _another_python(ours)
    done = _run(single, tmp_path, "--version", python=other)
    assert done.returncode == 1
    assert f"error: this file is for Python {ours}" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def _another_python(ours: str) -> str:
    listed = subprocess.run(
        ["sh", "tests/interpreters.sh", "found"],
        cwd=_ROOT,
        env={**os.environ, "HOME": _HOME},
        capture_output=True,
        text=True,
        check=True,
    )
    pythons = dict(line.split(" ", 1) for line in listed.stdout.splitlines())
    others = [path for version, path in pythons.items() if version != ours]
    return others[0] if others else do_without("another Python is missing")
