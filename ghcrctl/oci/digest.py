"""Digests: parsing, computing and comparing."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidDigestError
from ghcrctl.oci.quotes import shortened

if TYPE_CHECKING:
    from hashlib import _Hash

# Length of the encoded part in characters, by algorithm (OCI image spec 1.1, descriptor.md,
# "Registered Algorithms").
ENCODED_LENGTH = {"sha256": 64, "sha512": 128}
SHORT_LENGTH = 12
_ENCODED = re.compile(r"[0-9a-f]+\Z")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """A digest such as ``sha256:9f86d0...``. Only `parse` validates its input."""

    algorithm: str
    encoded: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.encoded}"

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Parse a digest.

        Raises:
            InvalidDigestError: the algorithm is missing or unknown, or the encoded part does not
                match the algorithm.

        Spec: OCI image spec 1.1, descriptor.md, "Digests".
        """
        return _parse(text)

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Digest:
        """Return the digest of ``content``."""
        return cls(algorithm, hashlib.new(algorithm, content, usedforsecurity=False).hexdigest())

    @property
    def short(self) -> str:
        """The first twelve digits, docker's short form."""
        return self.encoded[:SHORT_LENGTH]

    def hasher(self) -> _Hash:
        """Return a new hash object for this digest's algorithm."""
        return hashlib.new(self.algorithm, usedforsecurity=False)

    def matches(self, hasher: _Hash) -> bool:
        """Check whether a hash object has computed this digest."""
        return hasher.hexdigest() == self.encoded


@lru_cache(maxsize=1024)
def _parse(text: str) -> Digest:
    """Parse a digest, cached, since listings parse the same digests repeatedly."""
    algorithm, colon, encoded = text.partition(":")
    shown = shortened(text)
    if not colon:
        raise InvalidDigestError(
            f"invalid digest `{shown}`: the algorithm is missing",
            hint="write it like sha256:<64 hexadecimal digits>",
        )
    length = ENCODED_LENGTH.get(algorithm)
    if length is None:
        known = " or ".join(ENCODED_LENGTH)
        raise InvalidDigestError(
            f"invalid digest `{shown}`: unknown algorithm `{shortened(algorithm)}`",
            hint=f"use {known}",
        )
    if len(encoded) != length:
        raise InvalidDigestError(
            f"invalid digest `{shown}`: expected {length} hexadecimal digits for {algorithm}, got "
            f"{len(encoded)}"
        )
    if not _ENCODED.match(encoded):
        raise InvalidDigestError(
            f"invalid digest `{shown}`: expected only the digits 0-9 and a-f (lower case)"
        )
    return Digest(algorithm, encoded)
