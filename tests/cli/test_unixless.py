"""Commands on systems without the functions of Unix."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl.layers.windows_names import windows_name_error
from tests.shell import Shell

if TYPE_CHECKING:
    from tests.registry_double import RegistryDouble

_ROOT = Path(__file__).parents[2]
_RUN = """
import sys
from tests.unixless import take_away
take_away()
from ghcrctl.cli.main import main
main(sys.argv[1:])
"""


class Unixless(Shell):
    """Runs ghcrctl without the functions of Unix."""

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", _RUN, *arguments],
            # In a shared folder, the Unix code of filelock would check the owner.
            env={**self.environ, "PYTHONPATH": str(_ROOT), "TMPDIR": str(self.folder)},
            cwd=self.folder,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


@pytest.fixture
def shell(tmp_path: Path) -> Unixless:
    return Unixless(tmp_path / "home")


def test_a_day_of_work(shell: Unixless, ghcr: RegistryDouble, archive: str) -> None:
    name = f"{ghcr.host}/octo/image:1.0"
    secret = ("login", "--username", "octo", "--password-stdin", ghcr.host)
    assert shell.ok(*secret, stdin="ghp_octo") == ["Login Succeeded"]
    shell.ok("import", archive, name)
    shell.ok("push", "--timeout", "50", name)
    shell.ok("rmi", name)
    shell.ok("pull", name)
    assert shell.ok("images", "--format", "{{.Tag}}") == ["1.0"]
    for line in ("history", "inspect", "ls"):
        assert shell.ok(line, name)
    assert shell.ok("cat", name, "/hello") == ["hello"]
    kept = [path.relative_to(shell.folder).as_posix() for path in shell.folder.rglob("*")]
    assert kept
    assert not [path for path in kept if windows_name_error(path)]
    shell.ok("export", "--to", "tree", name)
    assert (shell.folder / "tree" / "hello").read_text() == "hello\n"
    shell.ok("save", "--output", "image.tar", name)
    shell.ok("copy", name, "oci:layout:1.0")
    shell.ok("append", "--local", "--base", name, "more:1", "tree")
    shell.ok("convert", "--local", "--compress", "zstd", "--tag", "packed:1", name)
    shell.ok("prune", "--force", "--all")
    shell.ok("load", "--input", "image.tar")
    assert shell.ok("fsck")
    assert shell.ok("df")
    assert shell.ok("logout", ghcr.host)


@pytest.mark.parametrize("drive", ["C:\\images", "C:/images"])
def test_windows_device_names_are_reported(shell: Unixless, drive: str) -> None:
    said = shell.fails(2, "copy", f"{drive}/image.tar", "octo/image:1.0")
    assert f"archive:{drive}" in said
