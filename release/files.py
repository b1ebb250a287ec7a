"""Write the files that describe a release: ``python -m release.files FOLDER NOTES``.

The folder gets ``sbom.cdx.json``, which lists the locked packages (CycloneDX 1.5), and
``SHA256SUMS`` with the digests of all files. NOTES gets the changelog entries of this version.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

from ghcrctl import __version__
from release.checks import changes_of
from release.contents import LOCK
from release.repository import project

SUMS = "SHA256SUMS"
SBOM = "sbom.cdx.json"


def main() -> None:
    """Write the files next to those of the release."""
    folder, notes = map(Path, sys.argv[1:])
    (folder / SBOM).write_text(json.dumps(sbom(), indent=2) + "\n", encoding="utf-8")
    (folder / SUMS).write_text(checksums(folder), encoding="utf-8")
    notes.write_text(changes_of(__version__) + "\n", encoding="utf-8")


def checksums(folder: Path) -> str:
    """Return the digests of the files in a folder, in the format of sha256sum."""
    paths = sorted(path for path in folder.iterdir() if path.name != SUMS)
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items())


def sbom() -> dict[str, Any]:
    """Return the locked packages as a CycloneDX document.

    Source: CycloneDX Specification 1.5, "JSON Reference".
    """
    described = project()
    packages = locked_packages()
    own = _purl("ghcrctl", __version__)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                **_component("application", "ghcrctl", __version__),
                "licenses": [{"license": {"id": described["license"]}}],
                "externalReferences": [{"type": "vcs", "url": described["urls"]["Repository"]}],
            }
        },
        "components": [_component("library", *package) for package in packages],
        "dependencies": [
            {"ref": own, "dependsOn": [_purl(*package) for package in packages]},
        ],
    }


def locked_packages() -> list[tuple[str, str]]:
    """Return names and versions in the lock; some packages differ between versions of Python."""
    found = re.findall(r"^([\w.-]+)==([^\s;\\]+)", LOCK.read_text(encoding="utf-8"), re.MULTILINE)
    return sorted({(name.lower(), version) for name, version in found})


def _component(kind: str, name: str, version: str) -> dict[str, Any]:
    purl = _purl(name, version)
    return {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


if __name__ == "__main__":
    main()
