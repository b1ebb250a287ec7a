"""Unpack the packages of a single file: ``unpack.py FILE FOLDER``.

The action runs this module in the Python of a job, so it imports the standard library only.
"""

from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZipFile

_FOLDER = "site-packages/"


def main(file: str, folder: str) -> None:
    """Extract the modules, whose digest was checked before."""
    with ZipFile(file) as archive:
        for member in archive.infolist():
            if member.filename.startswith(_FOLDER):
                member.filename = member.filename.removeprefix(_FOLDER)
                if member.filename:
                    archive.extract(member, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
