"""A checkout whose files hijack every Python that imports from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MODULES = (
    "click",
    "ensurepip",
    "ghcrctl",
    "hatchling",
    "importlib",
    "logging",
    "pip",
    "runpy",
    "site",
    "sitecustomize",
    "startup",
    "usercustomize",
    "venv",
)
_SETTINGS = {
    "pip.conf": "[global]\nno-index = true\nfind-links = /nowhere\n",
    "pip.ini": "[global]\nno-index = true\n",
    "setup.cfg": "[global]\nno-index = true\n[install]\nprefix = /nowhere\n",
    "uv.toml": 'index-url = "file:///nowhere"\n',
    "pyvenv.cfg": "home = /nowhere\ninclude-system-site-packages = true\n",
}


def write_hostile_checkout(folder: Path, trap: Path) -> dict[str, str]:
    """Write modules and settings that shadow real ones; return variables that point to them.

    Args:
        folder: the checkout.
        trap: the file that each module creates when Python imports it.
    """
    source = f"import os\nos.close(os.open({str(trap)!r}, os.O_CREAT))\n"
    for name in _MODULES:
        (folder / f"{name}.py").write_text(source)
        package = folder / "packages" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(source)
        (package / "__main__.py").write_text(source)
    (folder / "pip").mkdir()
    (folder / "pip" / "__init__.py").write_text(source)
    (folder / "pip" / "__main__.py").write_text(source)
    for name, text in _SETTINGS.items():
        (folder / name).write_text(text)
    return {
        "PYTHONPATH": f".:{folder}:{folder / 'packages'}",
        "PYTHONSTARTUP": str(folder / "startup.py"),
        "PYTHONINSPECT": "",
        "PIP_CONFIG_FILE": str(folder / "pip.conf"),
        "UV_CONFIG_FILE": str(folder / "uv.toml"),
        "GITHUB_WORKSPACE": str(folder),
    }
