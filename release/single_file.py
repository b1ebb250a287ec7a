"""Build ghcrctl as a single file that Python runs: ``make zipapp``.

Some libraries are compiled, so a file is for one version of Python and one kind of machine: those
that build it. Its name contains both.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from ghcrctl import __version__
from release.contents import ROOT, install, set_source_date
from release.file_name import file_name, python_version

# Runs first, in whatever Python was given the file.
_PREAMBLE = """#!/usr/bin/env python3
import sys

if sys.version_info[:2] != {version}:
    sys.exit(
        "error: this file is for Python {dotted}, and this is Python %d.%d\\n"
        "hint: run it as `python{dotted} FILE`, or download the file for this Python"
        % sys.version_info[:2]
    )
"""


def main() -> None:
    """Build the file; print its name and size."""
    parser = argparse.ArgumentParser(prog="make zipapp", description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "dist", help="directory of the file")
    folder: Path = parser.parse_args().to
    target = folder / file_name(__version__)
    target.parent.mkdir(exist_ok=True)
    set_source_date()
    with tempfile.TemporaryDirectory() as aside:
        site = Path(aside) / "site"
        install(site)
        preamble = Path(aside) / "preamble.py"
        preamble.write_text(
            _PREAMBLE.format(version=sys.version_info[:2], dotted=python_version()),
            encoding="ascii",
        )
        preamble.chmod(0o755)
        _shiv(target, site, preamble)
    print(f"{target} {target.stat().st_size / 1e6:.1f}MB")


def _shiv(target: Path, site: Path, preamble: Path) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "shiv", "--site-packages", str(site)),
            *("--entry-point", "ghcrctl.cli.main:main"),
            *("--python", f"/usr/bin/env python{python_version()}"),
            *("--compressed", "--reproducible", "--preamble", str(preamble)),
            *("--output-file", str(target)),
        ],
        stdout=subprocess.DEVNULL,
        check=True,
    )


if __name__ == "__main__":
    main()
