"""The endpoints of the registry API, and the types of the values in their paths.

Spec: OCI distribution spec 1.1, "Endpoints".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import BaseConverter, Map, Rule

from ghcrctl.errors import ManifestUnknownError
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.reference import is_repository, is_tag
from ghcrctl.server.errors import RegistryError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ghcrctl.server.request import Request
    from ghcrctl.server.responses import Response

    Handler = Callable[..., Response]

_READS = frozenset({"GET", "HEAD"})


class Router:
    """The handlers of a registry, by path and method.

    Args:
        handlers: by path as werkzeug writes it, then by method; ``GET`` includes ``HEAD``.
        read_only: refuse all other methods.
    """

    def __init__(self, handlers: Mapping[str, Mapping[str, Handler]], *, read_only: bool) -> None:
        rules = [
            Rule(path, methods=[method], endpoint=handler)
            for path, methods in handlers.items()
            for method, handler in methods.items()
        ]
        paths = Map(rules, converters=_CONVERTERS, strict_slashes=False, merge_slashes=False)
        self._paths = paths.bind("")
        self._read_only = read_only

    def dispatch(self, request: Request) -> Response:
        """Call the handler of a request.

        Raises:
            NotFound: no endpoint has this path.
            MethodNotAllowed: the endpoint does not support the method.
            RegistryError: the repository name is malformed.
            InvalidDigestError: the digest is malformed.
            ManifestUnknownError: the tag is malformed.
        """
        handler, values = self._match(request)
        response: Response = handler(request, **values)
        return response

    def _match(self, request: Request) -> tuple[Handler, Mapping[str, Any]]:
        if self._read_only and request.method not in _READS:
            methods = self._paths.allowed_methods(request.path)
            if methods:
                raise MethodNotAllowed(_READS.intersection(methods), "the registry is read-only")
        return self._paths.match(request.path, request.method)


class _RepositoryConverter(BaseConverter):
    """A repository name. A malformed name is reported as such (400), not as a wrong path (404)."""

    regex = ".+"
    part_isolating = False

    def to_python(self, value: str) -> str:
        check_repository(value)
        return value


class _DigestConverter(BaseConverter):
    """The digest of a blob or a subject."""

    # Without the exception, `blobs/uploads` would be a malformed digest for some methods.
    regex = r"(?!uploads\Z)[^/]+"

    def to_python(self, value: str) -> Digest:
        return Digest.parse(value)


class _ReferenceConverter(BaseConverter):
    """The tag or the digest of a manifest."""

    def to_python(self, value: str) -> str | Digest:
        if ":" in value:
            return Digest.parse(value)
        if not is_tag(value):
            raise ManifestUnknownError(f"invalid tag `{value}`")
        return value


_CONVERTERS = {
    "repository": _RepositoryConverter,
    "digest": _DigestConverter,
    "reference": _ReferenceConverter,
}


def check_repository(name: str) -> None:
    """Check a repository name.

    Raises:
        RegistryError: the name is malformed.
    """
    if not is_repository(name):
        raise RegistryError(400, "NAME_INVALID", "invalid repository name", detail={"name": name})
