"""Create ghcrctl.exe, which runs a script: ``windows.py FOLDER SCRIPT``.

The action runs this module in the Python of a job, so it imports the standard library and pip only.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def main(folder: str, script: str) -> None:
    """Create the program in a folder."""
    scripts: Any = import_module("pip._vendor.distlib.scripts")
    maker = scripts.ScriptMaker(None, folder)
    maker.clobber, maker.variants = True, {""}
    # %% because the maker formats its template.
    path = repr(script).replace("%", "%%")
    maker.script_template = f"import runpy\nrunpy.run_path({path}, run_name='__main__')\n"
    maker.make("ghcrctl = ghcrctl:main", options={"interpreter_args": ["-I"]})


if __name__ == "__main__":
    main(*sys.argv[1:])
