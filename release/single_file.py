"""ghcrctl as one file that Python runs: `make zipapp`.

The libraries that pack layers are compiled, so that a file is for one version of Python and one
kind of machine: those that it is made with. Its name says which.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from ghcrctl import __version__
from release.contents import ROOT, date_by_commit

# Runs before ghcrctl does, in whatever Python the file was given to.
_PREAMBLE = """#!/usr/bin/env python3
import sys

if sys.version_info[:2] != {version}:
    sys.exit(
        "error: this file is for Python {dotted}, and this is Python %d.%d\\n"
        "hint: run it as `python{dotted} FILE`, or get the file for this Python"
        % sys.version_info[:2]
    )
"""


def main() -> None:
    """Make the file, and print its name and size."""
    parser = argparse.ArgumentParser(prog="make zipapp", description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="directory of the file")
    folder: Path = parser.parse_args().to
    version = sys.version_info[:2]
    dotted = ".".join(map(str, version))
    kind = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    target = folder / f"ghcrctl-{__version__}-py{dotted}-{kind}.pyz"
    target.parent.mkdir(exist_ok=True)
    date_by_commit()
    with tempfile.TemporaryDirectory() as aside:
        preamble = Path(aside) / "preamble.py"
        preamble.write_text(_PREAMBLE.format(version=version, dotted=dotted), encoding="ascii")
        preamble.chmod(0o755)
        _shiv(target, preamble, f"/usr/bin/env python{dotted}")
    print(f"{target} {target.stat().st_size / 1e6:.1f}MB")


def _shiv(target: Path, preamble: Path, interpreter: str) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "shiv", "--quiet"),
            *("--console-script", "ghcrctl", "--python", interpreter),
            *("--compressed", "--reproducible", "--preamble", str(preamble)),
            *("--output-file", str(target), f"{ROOT}[serve]", "--quiet", "--no-compile"),
        ],
        check=True,
    )


if __name__ == "__main__":
    main()
