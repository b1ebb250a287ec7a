"""GitHub's REST API for packages, according to its documentation and public reports."""

from __future__ import annotations

import re
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from tests.packages_double.answers import (
    account,
    branch,
    minimal_repository,
    package_json,
    pull_request,
    version_json,
)
from tests.packages_double.limits import Limits
from tests.packages_double.wire import (
    Newest,
    as_error,
    as_json,
    number_of,
    page_of,
    place_of,
    token_of,
)
from tests.registry_double import wsgi
from tests.registry_double.wsgi import Answer, Environ

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.packages_double.versions import Record, VersionedBackend
    from tests.registry_double.tokens import Authority

_ROOT = r"/(?:orgs/(?P<org>[^/]+)|(?P<me>user)|users/(?P<user>[^/]+))/packages"
_NAME = rf"{_ROOT}/container/(?P<name>[^/]+)"
_VERSION = rf"{_NAME}/versions/(?P<id>[^/]+)"
_REPO = r"/repos/(?P<owner>[^/]+)/(?P<repo>[^/]+)"
SCOPES = ("read:packages", "write:packages", "delete:packages")
LAST_TAGGED = (
    "You cannot delete the last tagged version of a package. You must delete the package instead."
)
POPULAR = (
    "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact "
    "GitHub support for further assistance."
)
_WINDOW = timedelta(days=30)


class Api:
    """The REST API for a registry's content."""

    def __init__(self, backend: VersionedBackend, authority: Authority, registry: str) -> None:
        self._backend = backend
        self._authority = authority
        self.registry = registry
        self.limits = Limits()
        self.organizations: set[str] = set()
        self.scopes: dict[str, Sequence[str]] = {}
        self.sso: dict[str, str] = {}
        self.admins: dict[str, set[str]] = {}
        self.linked: dict[str, str] = {}
        self.pulls: dict[str, list[int]] = {}
        self.branches: dict[str, list[str]] = {}
        self.url = ""
        # Hooks. ``before`` and ``after`` run for one request at a time, so they may count and
        # change the content; ``meanwhile`` runs in parallel, and may block.
        self.meanwhile: Callable[[str, str], None] = lambda _method, _path: None
        self.before: Callable[[str, str], None] = lambda _method, _path: None
        self.after: Callable[[Environ, Answer], None] = lambda _environ, _answer: None
        self._turn = threading.RLock()

    def handle(self, environ: Environ) -> Answer:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        wsgi.drain(environ)
        method = environ["REQUEST_METHOD"]
        # The path is used undecoded: an encoded slash in a name does not separate segments.
        path = urlsplit(str(environ["REQUEST_URI"])).path
        self.meanwhile(method, path)
        with self._turn:
            return self._answer(method, path, environ, length)

    def _answer(self, method: str, path: str, environ: Environ, length: int) -> Answer:
        self.before(method, path)
        answer = self._refused(environ) or self._route(method, path, environ, length)
        answer.headers.setdefault("X-RateLimit-Limit", "5000")
        left = 4999 if self.limits.remaining is None else self.limits.remaining
        answer.headers.setdefault("X-RateLimit-Remaining", str(left))
        answer.headers.setdefault("X-RateLimit-Reset", str(int(self.limits.reset)))
        token = token_of(environ)
        if token.startswith("ghp_") and token in self._authority.accounts.values():
            scopes = self.scopes.get(token, SCOPES)
            answer.headers["X-OAuth-Scopes"] = ", ".join(scopes)
        self.after(environ, answer)
        return answer

    # Before anything else

    def _refused(self, environ: Environ) -> Answer | None:
        limits = self.limits
        if not environ.get("HTTP_USER_AGENT"):
            return as_error(403, "Request forbidden by administrative rules.")
        if limits.errors:
            limits.errors -= 1
            return as_error(500, "Server Error")
        if limits.secondary:
            limits.secondary -= 1
            message = "You have exceeded a secondary rate limit. Please wait a few minutes."
            return as_error(403, message, **{"Retry-After": "1"})
        if limits.remaining is not None:
            if limits.remaining <= 0 and time.time() < limits.reset:
                return as_error(
                    403, "API rate limit exceeded for user ID 1.", **{"X-RateLimit-Remaining": "0"}
                )
            if limits.remaining <= 0:
                limits.remaining = None
            else:
                limits.remaining -= 1
        token = token_of(environ)
        if token and self._login(token) is None:
            return as_error(401, "Bad credentials")
        return None

    def _login(self, token: str) -> str | None:
        return next((u for u, mine in self._authority.accounts.items() if mine == token), None)

    # Routes

    def _route(self, method: str, path: str, environ: Environ, length: int) -> Answer:
        if method in {"POST", "DELETE"} and (length or environ.get("CONTENT_TYPE")):
            return as_error(422, "Invalid request.\n\nFor 'links/0/schema', {} is not a null.")
        for pattern, handlers in self._routes():
            match = re.fullmatch(pattern, path)
            if match and method in handlers:
                return handlers[method](match, environ)
        return as_error(404, "Not Found")

    def _routes(self) -> list[tuple[str, dict[str, Callable[[re.Match[str], Environ], Answer]]]]:
        return [
            (r"/user", {"GET": self._me}),
            (r"/users/([^/]+)", {"GET": self._account}),
            (r"/rate_limit", {"GET": self._rate_limit}),
            (rf"{_REPO}/pulls", {"GET": self._pulls}),
            (rf"{_REPO}/branches", {"GET": self._branches}),
            (_ROOT, {"GET": self._list}),
            (_NAME, {"GET": self._package, "DELETE": self._delete_package}),
            (rf"{_NAME}/restore", {"POST": self._restore_package}),
            (rf"{_NAME}/versions", {"GET": self._versions}),
            (_VERSION, {"GET": self._version, "DELETE": self._delete}),
            (rf"{_VERSION}/restore", {"POST": self._restore}),
        ]

    def _me(self, _: re.Match[str], environ: Environ) -> Answer:
        token = token_of(environ)
        if not token:
            return as_error(401, "Requires authentication")
        if token.startswith("ghs_"):
            return as_error(403, "Resource not accessible by integration")
        return as_json(account(self._login(token) or "", "User", public=False))

    def _account(self, match: re.Match[str], _: Environ) -> Answer:
        login = unquote(match[1])
        known = {*self._authority.accounts, *self.organizations}
        known |= {name.partition("/")[0] for name in self._backend.packages}
        found = next((name for name in known if name.lower() == login.lower()), None)
        if found is None:
            return as_error(404, "Not Found")
        return as_json(account(found, self._kind(found)))

    def _kind(self, login: str) -> str:
        return "Organization" if login in self.organizations else "User"

    def _rate_limit(self, _match: re.Match[str], _environ: Environ) -> Answer:
        left = 4999 if self.limits.remaining is None else self.limits.remaining
        core = {"limit": 5000, "remaining": left, "reset": int(self.limits.reset), "used": 1}
        return as_json({"resources": {"core": core, "search": core}, "rate": core})

    def _pulls(self, match: re.Match[str], environ: Environ) -> Answer:
        name = f"{match['owner']}/{match['repo']}"
        if name not in self.pulls:
            return as_error(404, "Not Found")
        return self._page(self.pulls[name], match, environ, lambda n: pull_request(name, n))

    def _branches(self, match: re.Match[str], environ: Environ) -> Answer:
        name = f"{match['owner']}/{match['repo']}"
        if name not in self.branches:
            return as_error(404, "Not Found")
        return self._page(self.branches[name], match, environ, lambda b: branch(name, b))

    def _list(self, match: re.Match[str], environ: Environ) -> Answer:
        query = wsgi.query_of(environ)
        if query.get("package_type") != ["container"]:
            return as_error(400, "Invalid argument. `package_type` is required")
        page, size = place_of(query)
        if page * size > 10000:
            return as_error(400, "Invalid argument. `page * per_page` must not exceed 10000")
        token = token_of(environ)
        if token.startswith("ghs_"):
            return as_error(403, "Resource not accessible by integration")
        refused = self._allowed(environ, "read:packages")
        owner = self._owner(match, environ)
        if refused or owner is None:
            return refused or as_error(404, "Not Found")
        names = [n for n in self._backend.packages if n.partition("/")[0] == owner.lower()]
        seen = [n for n in sorted(names) if self._sees(n, match, environ)]
        wanted = query.get("visibility")
        found = [self._package_json(owner, n) for n in seen]
        return self._page(
            [p for p in found if not wanted or p["visibility"] == wanted[0]], match, environ
        )

    def _package(self, match: re.Match[str], environ: Environ) -> Answer:
        name, refused = self._find(match, environ, "read:packages")
        if refused:
            return refused
        return as_json(self._package_json(self._owner(match, environ) or "", name))

    def _versions(self, match: re.Match[str], environ: Environ) -> Answer:
        name, refused = self._find(match, environ, "read:packages")
        if refused:
            return refused
        package = self._backend.packages[name]
        if wsgi.query_of(environ).get("state") == ["deleted"]:
            gone = sorted(package.gone.values(), key=lambda r: r.age, reverse=True)
            return self._page(gone, match, environ, self._shown(match, environ))
        # Newest first; a package may have tens of thousands.
        return self._page(Newest(package), match, environ, self._shown(match, environ))

    def _version(self, match: re.Match[str], environ: Environ) -> Answer:
        name, record, refused = self._find_version(match, environ, "read:packages")
        if refused or record is None:
            return refused or as_error(404, "Not Found")
        del name
        return as_json(self._shown(match, environ)(record))

    def _delete(self, match: re.Match[str], environ: Environ) -> Answer:
        name, record, refused = self._find_version(match, environ, "delete:packages")
        if refused or record is None:
            return refused or as_error(404, "Not Found")
        if not self._administers(name, environ):
            return as_error(404, "Package not found.")
        active = self._backend.packages[name].active
        if len(active) == 1 or (
            record.tags and not any(other.tags for other in active if other is not record)
        ):
            return as_error(400, LAST_TAGGED)
        if record.digest in self.limits.popular and name in self._authority.public:
            return as_error(400, POPULAR)
        self._backend.remove(name, record)
        return Answer(204)

    def _restore(self, match: re.Match[str], environ: Environ) -> Answer:
        name, refused = self._find(match, environ, "write:packages")
        if refused:
            return refused
        record = self._backend.packages[name].gone.get(number_of(match["id"]))
        if record is None or record.deleted is None or not self._administers(name, environ):
            return as_error(404, "Package version not found.")
        if self._backend.clock.now - record.deleted > _WINDOW:
            return as_error(404, "Package version not found.")
        self._backend.bring_back(name, record, tags=self.limits.tags_come_back)
        return Answer(204)

    def _delete_package(self, match: re.Match[str], environ: Environ) -> Answer:
        name, refused = self._find(match, environ, "delete:packages")
        if refused:
            return refused
        if not self._administers(name, environ):
            return as_error(404, "Package not found.")
        digests = self._backend.packages[name].by_digest
        if name in self._authority.public and self.limits.popular & digests.keys():
            return as_error(400, POPULAR.replace("package versions", "packages with a version"))
        self._backend.remove_package(name)
        return Answer(204)

    def _restore_package(self, match: re.Match[str], environ: Environ) -> Answer:
        refused = self._allowed(environ, "write:packages")
        owner = self._owner(match, environ)
        if refused or owner is None:
            return refused or as_error(404, "Not Found")
        name = f"{owner.lower()}/{unquote(match['name'])}"
        if name in self._backend.packages:
            return as_error(409, "The namespace of the package has been reused.")
        deleted = self._backend.deleted_packages.get(name)
        if deleted is None or self._backend.clock.now - deleted[1] > _WINDOW:
            return as_error(404, "Package not found.")
        self._backend.bring_package_back(name, tags=self.limits.tags_come_back)
        return Answer(204)

    # Who sees what

    def _allowed(self, environ: Environ, scope: str) -> Answer | None:
        token = token_of(environ)
        if not token:
            return as_error(401, "Requires authentication")
        if token.startswith("github_pat_"):
            return as_error(403, "Resource not accessible by personal access token")
        scopes = self.scopes.get(token, SCOPES)
        if token.startswith("ghp_") and scope not in scopes:
            return as_error(403, f"You need at least {scope} scope to do this.")
        return None

    def _owner(self, match: re.Match[str], environ: Environ) -> str | None:
        """Return the owner in a path, if the path is valid for this owner."""
        if match["me"]:
            return self._login(token_of(environ))
        named = unquote(match["org"] or match["user"])
        known = {*self._authority.accounts, *self.organizations}
        known |= {name.partition("/")[0] for name in self._backend.packages}
        found = next((name for name in known if name.lower() == named.lower()), None)
        is_organization = found in self.organizations
        return found if is_organization == bool(match["org"]) else None

    def _sees(self, name: str, match: re.Match[str], environ: Environ) -> bool:
        if name in self._authority.public:
            return True
        login = self._login(token_of(environ)) or ""
        # Other accounts' public packages are visible to everyone.
        return not match["user"] and self._authority.allows(login, name, "pull")

    def _find(
        self, match: re.Match[str], environ: Environ, scope: str
    ) -> tuple[str, Answer | None]:
        refused = self._allowed(environ, scope)
        if refused:
            return "", refused
        owner = self._owner(match, environ)
        if owner is None:
            return "", as_error(404, "Not Found")
        if owner in self.sso and self._login(token_of(environ)) != owner:
            return "", as_error(
                403,
                "Resource protected by organization SAML enforcement.",
                **{"X-GitHub-SSO": f"required; url={self.sso[owner]}"},
            )
        name = f"{owner.lower()}/{unquote(match['name'])}"
        if name not in self._backend.packages or not self._sees(name, match, environ):
            return "", as_error(404, "Package not found.")
        return name, None

    def _find_version(
        self, match: re.Match[str], environ: Environ, scope: str
    ) -> tuple[str, Record | None, Answer | None]:
        name, refused = self._find(match, environ, scope)
        if refused:
            return name, None, refused
        if not match["id"].isdigit():
            return name, None, as_error(422, "Invalid argument.")
        record = self._backend.packages[name].by_id.get(number_of(match["id"]))
        if record is None:
            return name, None, as_error(404, "Package version not found.")
        return name, record, None

    def _administers(self, name: str, environ: Environ) -> bool:
        login = self._login(token_of(environ)) or ""
        admins = self.admins.get(name)
        return self._authority.allows(login, name, "push") if admins is None else login in admins

    # How it is shown

    def _package_json(self, owner: str, name: str) -> dict[str, Any]:
        package = self._backend.packages[name]
        visibility = "public" if name in self._authority.public else "private"
        repository = self.linked.get(name)
        return package_json(
            package,
            owner=account(owner, self._kind(owner)),
            name=name.partition("/")[2],
            visibility=visibility,
            repository=minimal_repository(repository) if repository else None,
        )

    def _shown(self, match: re.Match[str], environ: Environ) -> Callable[[Record], dict[str, Any]]:
        owner = self._owner(match, environ) or ""
        name = unquote(match["name"])
        return lambda record: version_json(record, owner, name, self._kind(owner))

    def _page(
        self,
        items: Sequence[Any] | Newest,
        match: re.Match[str],
        environ: Environ,
        shown: Callable[[Any], Any] = lambda item: item,
    ) -> Answer:
        return page_of(items, f"{self.url}{match.string}", wsgi.query_of(environ), shown)
