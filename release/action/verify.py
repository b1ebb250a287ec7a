"""Check a downloaded file: ``verify.py SHA256SUMS FILE [DIGEST_OF_SHA256SUMS]``.

The action runs this module in the Python of a job, so it imports the standard library only.
"""

from __future__ import annotations

import hashlib
import hmac
import sys
from pathlib import Path


def main(arguments: list[str]) -> None:
    """Exit with an error unless the digests match."""
    sums, file = map(Path, arguments[:2])
    pinned = arguments[2].lower().removeprefix("sha256:") if len(arguments) > 2 else ""
    if pinned and not hmac.compare_digest(_digest(sums), pinned):
        sys.exit(f"error: the digest of {sums.name} is {_digest(sums)}, expected {pinned}")
    expected = _listed(sums).get(file.name, "")
    if not hmac.compare_digest(_digest(file), expected):
        sys.exit(f"error: the digest of {file.name} is {_digest(file)}, expected {expected}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _listed(sums: Path) -> dict[str, str]:
    """Return the digests by file name, from the output of sha256sum."""
    lines = [line.split(maxsplit=1) for line in sums.read_text(encoding="utf-8").splitlines()]
    return {name.lstrip("*"): digest for digest, name in lines}


if __name__ == "__main__":
    main(sys.argv[1:])
