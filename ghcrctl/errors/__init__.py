"""All exceptions of ghcrctl, with stable codes, exit statuses and hints.

This package imports nothing else of ghcrctl, so every package can raise and catch these errors.

The hierarchy, with exit statuses::

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
    """The command line is invalid."""

    code = "usage"
    exit_status = ExitStatus.USAGE


class InvalidReferenceError(UsageError):
    """An image reference is invalid."""

    code = "invalid-reference"


class InvalidDigestError(UsageError):
    """A digest is invalid."""

    code = "invalid-digest"


class InvalidPlatformError(UsageError):
    """A platform is invalid."""

    code = "invalid-platform"


class InvalidTemplateError(UsageError):
    """A ``--format`` template cannot be parsed or applied."""

    code = "invalid-template"


class InvalidFilterError(UsageError):
    """A ``--filter`` is unknown or malformed."""

    code = "invalid-filter"


class InvalidSettingError(UsageError):
    """A setting in a file or environment variable is invalid."""

    code = "invalid-setting"


class NetworkError(GhcrctlError):
    """A network request failed."""

    code = "network"
    exit_status = ExitStatus.NETWORK
    usual_hint = "use --debug to show requests and responses"


class ConnectionFailedError(NetworkError):
    """A host refused the connection, is unreachable, or its name does not resolve."""

    code = "connection-failed"
    usual_hint = "check the network connection, and HTTPS_PROXY if you use a proxy"


class ProxyError(ConnectionFailedError):
    """A proxy refused a request or failed, or its setting is invalid."""

    code = "proxy"
    usual_hint = "check HTTPS_PROXY and HTTP_PROXY; NO_PROXY lists hosts to reach without a proxy"


class ConnectionLostError(NetworkError):
    """A connection was lost during a transfer."""

    code = "connection-lost"
    usual_hint = "run the command again; --retries N allows more retries"


class TimedOutError(NetworkError):
    """A host did not respond, or sent no data, for too long."""

    code = "timed-out"
    usual_hint = "run the command again; --stall-timeout SECONDS allows longer pauses"


class TlsError(NetworkError):
    """A TLS connection failed or is not trusted."""

    code = "tls"


class RateLimitedError(NetworkError):
    """A host is rate limiting requests, even after retries.

    Args:
        least_wait: the first wait if the host does not request one (seconds). It doubles with each
            retry.
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
    """A registry repeatedly responded with a server error (5xx)."""

    code = "registry-unavailable"


class RedirectError(NetworkError):
    """A registry redirects or refers to a host that must not be contacted."""

    code = "bad-redirect"


class NotFoundError(GhcrctlError):
    """A file, path or URL does not exist."""

    code = "not-found"
    exit_status = ExitStatus.NOT_FOUND


class NoSuchImageError(NotFoundError):
    """An image does not exist in the local store."""

    code = "no-such-image"


class ManifestUnknownError(NotFoundError):
    """A manifest or tag does not exist in the registry, or is not accessible."""

    code = "manifest-unknown"


class BlobUnknownError(NotFoundError):
    """A registry, archive or store lacks a blob."""

    code = "blob-unknown"


class RepositoryUnknownError(NotFoundError):
    """A repository does not exist in the registry, or is not accessible."""

    code = "repository-unknown"


class PlatformNotFoundError(NotFoundError):
    """An image does not support the requested platform."""

    code = "platform-not-found"


class PackageUnknownError(NotFoundError):
    """A package or version does not exist on GitHub, or is not accessible."""

    code = "package-unknown"


class AuthError(GhcrctlError):
    """A registry requires a different credential, or the credential lacks permission."""

    code = "auth"
    exit_status = ExitStatus.AUTH


class UnauthorizedError(AuthError):
    """A credential is missing or was rejected."""

    code = "unauthorized"


class DeniedError(AuthError):
    """A credential lacks permission."""

    code = "denied"


class CredentialStoreError(AuthError):
    """Stored credentials cannot be read or written."""

    code = "credential-store"


class IntegrityError(GhcrctlError):
    """Content is corrupt."""

    code = "integrity"
    exit_status = ExitStatus.INTEGRITY


class DigestMismatchError(IntegrityError):
    """Content does not match its digest."""

    code = "digest-mismatch"


class SizeMismatchError(IntegrityError):
    """Content is longer or shorter than its descriptor says."""

    code = "size-mismatch"


class InvalidManifestError(IntegrityError):
    """A manifest, index or config does not conform to its specification."""

    code = "invalid-manifest"


class InvalidResponseError(IntegrityError):
    """The response of a registry violates the protocol."""

    code = "invalid-response"
    usual_hint = "another server may be responding; use --debug to show requests and responses"


class UnreadableManifestError(IntegrityError):
    """The manifest of a package version cannot be read."""

    code = "unreadable-manifest"


class UnsupportedError(GhcrctlError):
    """The operation is not supported."""

    code = "unsupported"
    exit_status = ExitStatus.UNSUPPORTED


class SchemaOneError(UnsupportedError):
    """An image uses Docker's obsolete manifest format, schema 1."""

    code = "schema1-unsupported"


class BuildFailedError(UnsupportedError):
    """A build engine reported that the build failed."""

    code = "build-failed"


class RefusedError(UnsupportedError):
    """An operation was refused because it could do harm."""

    code = "refused"


class AmbiguousIdError(RefusedError):
    """An ID prefix matches multiple images."""

    code = "ambiguous-id"


class ConflictError(RefusedError):
    """An image has other names."""

    code = "conflict"


class RetainedError(RefusedError):
    """GitHub does not delete the last tagged version of a package."""

    code = "retained"


class BlockedError(RefusedError):
    """GitHub does not delete public versions with more than 5,000 downloads."""

    code = "blocked"


class StoreError(GhcrctlError):
    """The local store or its disk failed."""

    code = "store"
    exit_status = ExitStatus.STORE


class StoreLockedError(StoreError):
    """Another process held the store's lock for too long."""

    code = "store-locked"


class NoSpaceError(StoreError):
    """The disk or a disk quota is full."""

    code = "no-space"


class StoreReadOnlyError(StoreError):
    """The store is not writable."""

    code = "store-read-only"


class ResourcesExhaustedError(StoreError):
    """The system has no memory, threads or open files left."""

    code = "resources-exhausted"
    usual_hint = "--jobs 1 needs fewer threads and connections; `ulimit -a` shows the limits"


class StoreDamagedError(StoreError):
    """The store contains invalid files or lacks required ones."""

    code = "store-damaged"


class TagMovedError(GhcrctlError):
    """A tag no longer points to the image that the lock file pins."""

    code = "tag-moved"
    exit_status = ExitStatus.DIFFERENT


class InterruptedByUserError(GhcrctlError):
    """The user pressed Ctrl-C."""

    code = "interrupted"
    exit_status = ExitStatus.INTERRUPTED


class TerminatedBySignalError(GhcrctlError):
    """The program was terminated by SIGTERM."""

    code = "terminated"
    exit_status = ExitStatus.TERMINATED
