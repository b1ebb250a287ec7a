"""Every exception of the project, with its stable code, exit status and hint.

What belongs here: the classes. What does not: the wording of one failure, which is written where
its facts are known. This package imports nothing of ours, so every room may raise and catch these.

The tree, with exit statuses::

    GhcrctlError (1)
    ├── UsageError (2): InvalidReferenceError, InvalidDigestError, InvalidPlatformError,
    │   InvalidTemplateError, InvalidFilterError, InvalidSettingError
    ├── NetworkError (3): ConnectionFailedError, ConnectionLostError, TimedOutError, TlsError,
    │   ProxyError, RateLimitedError, RegistryUnavailableError, RedirectError
    ├── NotFoundError (4): NoSuchImageError, ManifestUnknownError, BlobUnknownError,
    │   RepositoryUnknownError, PlatformNotFoundError, PackageUnknownError
    ├── AuthError (5): UnauthorizedError, DeniedError, CredentialStoreError
    ├── IntegrityError (6): DigestMismatchError, SizeMismatchError, InvalidManifestError,
    │   InvalidResponseError, UnreadableManifestError
    ├── UnsupportedError (7): SchemaOneError, RefusedError, AmbiguousIdError, ConflictError,
    │   RetainedError, BlockedError, BuildFailedError
    ├── StoreError (8): StoreLockedError, NoSpaceError, StoreReadOnlyError, StoreDamagedError,
    │   ResourcesExhaustedError
    ├── TagMovedError (9)
    ├── InterruptedByUserError (130)
    └── TerminatedBySignalError (143)
"""

from __future__ import annotations

from ghcrctl.errors.base import GhcrctlError as GhcrctlError
from ghcrctl.errors.exit_status import ExitStatus as ExitStatus


class UsageError(GhcrctlError):
    """The command line asks for something that makes no sense."""

    code = "usage"
    exit_status = ExitStatus.USAGE


class InvalidReferenceError(UsageError):
    """A text is no image reference."""

    code = "invalid-reference"


class InvalidDigestError(UsageError):
    """A text is no digest."""

    code = "invalid-digest"


class InvalidPlatformError(UsageError):
    """A text is no platform."""

    code = "invalid-platform"


class InvalidTemplateError(UsageError):
    """A ``--format`` template cannot be parsed or cannot be applied."""

    code = "invalid-template"


class InvalidFilterError(UsageError):
    """A ``--filter`` is unknown or malformed."""

    code = "invalid-filter"


class InvalidSettingError(UsageError):
    """A setting in a file or in the environment cannot be used."""

    code = "invalid-setting"


class NetworkError(GhcrctlError):
    """A host could not be talked to."""

    code = "network"
    exit_status = ExitStatus.NETWORK
    usual_hint = "--debug shows each request and its answer"


class ConnectionFailedError(NetworkError):
    """No connection came about: refused, unreachable, or the name does not resolve."""

    code = "connection-failed"
    usual_hint = "check the network, and HTTPS_PROXY where a proxy is in between"


class ProxyError(ConnectionFailedError):
    """A proxy refused or failed, or its setting is invalid."""

    code = "proxy"
    usual_hint = "check HTTPS_PROXY and HTTP_PROXY; NO_PROXY lists hosts to reach without a proxy"


class ConnectionLostError(NetworkError):
    """A connection broke while bytes were moving."""

    code = "connection-lost"
    usual_hint = "run it again; --retries N tries more often"


class TimedOutError(NetworkError):
    """A host did not answer, or sent nothing, for too long."""

    code = "timed-out"
    usual_hint = "run it again; --stall-timeout SECONDS waits longer"


class TlsError(NetworkError):
    """A TLS connection could not be trusted or set up."""

    code = "tls"


class RateLimitedError(NetworkError):
    """A host rate limited the requests and kept refusing.

    Args:
        least_wait: seconds to wait before the next request where the host does not say how long;
            the wait doubles with each refusal.
    """

    code = "rate-limited"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
        least_wait: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint, retryable=retryable, retry_after=retry_after)
        self.least_wait = least_wait


class RegistryUnavailableError(NetworkError):
    """A registry answered with a server error (5xx), and went on doing so."""

    code = "registry-unavailable"


class RedirectError(NetworkError):
    """A registry redirects or refers to a host that must not be contacted."""

    code = "bad-redirect"


class NotFoundError(GhcrctlError):
    """Something that was asked for is not there."""

    code = "not-found"
    exit_status = ExitStatus.NOT_FOUND


class NoSuchImageError(NotFoundError):
    """The local store has no such image."""

    code = "no-such-image"


class ManifestUnknownError(NotFoundError):
    """A registry has no such manifest or tag, or does not show it."""

    code = "manifest-unknown"


class BlobUnknownError(NotFoundError):
    """A place has no such blob."""

    code = "blob-unknown"


class RepositoryUnknownError(NotFoundError):
    """A registry has no such repository, or does not show it."""

    code = "repository-unknown"


class PlatformNotFoundError(NotFoundError):
    """An image has no manifest for the wanted platform."""

    code = "platform-not-found"


class PackageUnknownError(NotFoundError):
    """GitHub has no such package or version of one, or does not show it."""

    code = "package-unknown"


class AuthError(GhcrctlError):
    """A registry wants another credential, or allows less than was asked."""

    code = "auth"
    exit_status = ExitStatus.AUTH


class UnauthorizedError(AuthError):
    """A credential is missing or was rejected."""

    code = "unauthorized"


class DeniedError(AuthError):
    """A credential is good but does not allow this."""

    code = "denied"


class CredentialStoreError(AuthError):
    """A place where credentials are kept cannot be read or written."""

    code = "credential-store"


class IntegrityError(GhcrctlError):
    """Bytes are not what they should be."""

    code = "integrity"
    exit_status = ExitStatus.INTEGRITY


class DigestMismatchError(IntegrityError):
    """Content does not have the digest it was asked for by."""

    code = "digest-mismatch"


class SizeMismatchError(IntegrityError):
    """Content is longer or shorter than its descriptor says."""

    code = "size-mismatch"


class InvalidManifestError(IntegrityError):
    """A manifest, index or config is not what its specification says."""

    code = "invalid-manifest"


class InvalidResponseError(IntegrityError):
    """A registry's answer breaks the protocol."""

    code = "invalid-response"
    usual_hint = "something else may answer in its place: --debug shows requests and answers"


class UnreadableManifestError(IntegrityError):
    """A package has a version whose manifest cannot be read."""

    code = "unreadable-manifest"


class UnsupportedError(GhcrctlError):
    """Something is well-formed but not supported here."""

    code = "unsupported"
    exit_status = ExitStatus.UNSUPPORTED


class SchemaOneError(UnsupportedError):
    """An image is in Docker's obsolete manifest format, schema 1."""

    code = "schema1-unsupported"


class BuildFailedError(UnsupportedError):
    """A build engine ran and reported that the build failed."""

    code = "build-failed"


class RefusedError(UnsupportedError):
    """Something is possible but would do harm, so it is refused."""

    code = "refused"


class AmbiguousIdError(RefusedError):
    """An ID prefix matches several images."""

    code = "ambiguous-id"


class ConflictError(RefusedError):
    """An image is still referred to by other names."""

    code = "conflict"


class RetainedError(RefusedError):
    """GitHub keeps the last tagged version of a package."""

    code = "retained"


class BlockedError(RefusedError):
    """GitHub does not delete what was downloaded more than 5,000 times."""

    code = "blocked"


class StoreError(GhcrctlError):
    """The local store, or the disk under it, failed."""

    code = "store"
    exit_status = ExitStatus.STORE


class StoreLockedError(StoreError):
    """Another process held the store's lock for too long."""

    code = "store-locked"


class NoSpaceError(StoreError):
    """The disk, or a quota on it, is full."""

    code = "no-space"


class StoreReadOnlyError(StoreError):
    """The store cannot be written."""

    code = "store-read-only"


class ResourcesExhaustedError(StoreError):
    """The system has no memory, threads or open files left."""

    code = "resources-exhausted"
    usual_hint = "--jobs 1 needs fewer threads and connections; `ulimit -a` shows the limits"


class StoreDamagedError(StoreError):
    """The store holds something that it should not, or lacks something that it should have."""

    code = "store-damaged"


class TagMovedError(GhcrctlError):
    """A tag stands for another image than a lock file pins."""

    code = "tag-moved"
    exit_status = ExitStatus.DIFFERENT


class InterruptedByUserError(GhcrctlError):
    """The person pressed Ctrl-C."""

    code = "interrupted"
    exit_status = ExitStatus.INTERRUPTED


class TerminatedBySignalError(GhcrctlError):
    """SIGTERM ended the program."""

    code = "terminated"
    exit_status = ExitStatus.TERMINATED
