"""Digests: the names of content by what it is.

What belongs here: parsing, computing and comparing digests. What does not: reading the content
(``content``).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidDigestError
from ghcrctl.oci.quoting import shortened

if TYPE_CHECKING:
    from hashlib import _Hash

# Length of the encoded part in characters, per algorithm (OCI image spec 1.1, descriptor.md,
# Registered Algorithms).
ENCODED_LENGTH = {"sha256": 64, "sha512": 128}
SHORT_LENGTH = 12
_ENCODED = re.compile(r"[0-9a-f]+\Z")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A digest such as ``sha256:9f86d0...``; the constructor trusts, `parse` does not."""

    algorithm: str
    encoded: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.encoded}"

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read a digest in its text form.

        Raises:
            InvalidDigestError: it has no algorithm, an unknown one, or an encoded part that does
                not fit it.

        Spec: OCI image spec 1.1, descriptor.md, section "Digests".
        """
        return _parse(text)

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Digest:
        """Compute the digest of ``content``."""
        return cls(algorithm, hashlib.new(algorithm, content, usedforsecurity=False).hexdigest())

    @property
    def short(self) -> str:
        """The first twelve digits, as docker shows a digest to people."""
        return self.encoded[:SHORT_LENGTH]

    def hasher(self) -> _Hash:
        """Start a computation by this digest's algorithm."""
        return hashlib.new(self.algorithm, usedforsecurity=False)

    def matches(self, hasher: _Hash) -> bool:
        """Tell whether a finished computation gave this digest."""
        return hasher.hexdigest() == self.encoded


@lru_cache(maxsize=1024)
def _parse(text: str) -> Digest:
    """Read a digest; the same few are read again and again in a listing."""
    algorithm, colon, encoded = text.partition(":")
    shown = shortened(text)
    if not colon:
        raise InvalidDigestError(
            f"invalid digest `{shown}`: it has no algorithm",
            hint="a digest looks like sha256:<64 hexadecimal digits>",
        )
    length = ENCODED_LENGTH.get(algorithm)
    if length is None:
        known = " and ".join(ENCODED_LENGTH)
        raise InvalidDigestError(
            f"invalid digest `{shown}`: unknown algorithm `{shortened(algorithm)}`",
            hint=f"{known} are known",
        )
    if len(encoded) != length:
        raise InvalidDigestError(
            f"invalid digest `{shown}`: {algorithm} has {length} hexadecimal digits, this "
            f"has {len(encoded)}"
        )
    if not _ENCODED.match(encoded):
        raise InvalidDigestError(
            f"invalid digest `{shown}`: only 0-9 and a-f (lower case) are digits"
        )
    return Digest(algorithm, encoded)
