"""A Docker-style CLI for GitHub Container Registry and any OCI registry, as a Python package.

Each command is a function, such as `ghcrctl.pull` and `ghcrctl.packages.prune`. `Client` has the
same calls with shared settings and one session. Modules are imported on first use.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ghcrctl import errors as errors
    from ghcrctl.api.client import Client
    from ghcrctl.credentials.credential import Credential
    from ghcrctl.engines.build_request import BuildRequest
    from ghcrctl.errors import (
        AuthError,
        ExitStatus,
        GhcrctlError,
        IntegrityError,
        InterruptedByUserError,
        NetworkError,
        NotFoundError,
        RateLimitedError,
        RefusedError,
        StoreError,
        UnsupportedError,
        UsageError,
    )
    from ghcrctl.github.plan import Plan, Step
    from ghcrctl.github.records import Package, Version
    from ghcrctl.layers.members import Member
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.manifest import Index, Manifest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.archives.load import Loaded
    from ghcrctl.operations.common.batch import Attempt
    from ghcrctl.operations.common.registry_access import Access
    from ghcrctl.operations.images.image_row import ImageRow
    from ghcrctl.operations.images.platforms import PlatformRow
    from ghcrctl.operations.images.remove import Removed
    from ghcrctl.operations.images.remove_platforms import Reduced
    from ghcrctl.operations.images.tree import ImageTree
    from ghcrctl.operations.inside.diff import Difference
    from ghcrctl.operations.inside.files import FileRow
    from ghcrctl.operations.inside.history import HistoryRow
    from ghcrctl.operations.locks.check import CheckedPin
    from ghcrctl.operations.locks.lock import PinChange
    from ghcrctl.operations.locks.lock_file import Pin, PinnedPlatform
    from ghcrctl.operations.making.artifact import FileEntry, Made
    from ghcrctl.operations.making.build import Built
    from ghcrctl.operations.making.import_image import ImportResult
    from ghcrctl.operations.making.indexes import NewImage
    from ghcrctl.operations.moving.copy import Copied
    from ghcrctl.operations.moving.pull import PullResult
    from ghcrctl.operations.moving.push import PushResult
    from ghcrctl.operations.packages.apply_plan import Done
    from ghcrctl.operations.packages.apply_plans import Carried
    from ghcrctl.operations.packages.check import Finding, Mended
    from ghcrctl.operations.packages.doctor import Sign
    from ghcrctl.operations.packages.list import PackageView, VersionRow
    from ghcrctl.operations.packages.restore import Restored
    from ghcrctl.operations.registries.login import LoginResult
    from ghcrctl.operations.registries.outdated import Compared
    from ghcrctl.operations.registries.referrers import Node
    from ghcrctl.operations.registries.tags import TagRow
    from ghcrctl.operations.store.df import DiskUsage, UsageLine
    from ghcrctl.operations.store.fsck import CheckResult, Repair
    from ghcrctl.operations.store.prune import Pruned
    from ghcrctl.operations.sync.plan import Report
    from ghcrctl.operations.sync.run import FailedJob, SyncedTag
    from ghcrctl.transfer.events import (
        Event,
        Failed,
        Finished,
        Observer,
        Planned,
        Progressed,
        Retrying,
        Started,
    )

    _client = Client()
    append = _client.append
    artifact = _client.artifact
    attach = _client.attach
    build = _client.build
    cat = _client.cat
    cat_into = _client.cat_into
    convert = _client.convert
    copy = _client.copy
    copy_several = _client.copy_several
    df = _client.df
    diff = _client.diff
    digest = _client.digest
    exists = _client.exists
    export = _client.export
    export_directory = _client.export_directory
    flatten = _client.flatten
    fsck = _client.fsck
    history = _client.history
    image_trees = _client.image_trees
    images = _client.images
    import_image = _client.import_image
    inspect = _client.inspect
    load = _client.load
    lock = _client.lock
    logged_in = _client.logged_in
    login = _client.login
    logout = _client.logout
    ls = _client.ls
    manifest = _client.manifest
    mutate = _client.mutate
    outdated = _client.outdated
    packages = _client.packages
    platforms = _client.platforms
    prune = _client.prune
    pull = _client.pull
    pull_several = _client.pull_several
    push = _client.push
    push_several = _client.push_several
    rebase = _client.rebase
    referrers = _client.referrers
    rmi = _client.rmi
    rmi_platforms = _client.rmi_platforms
    save = _client.save
    sync = _client.sync
    sync_file = _client.sync_file
    tag = _client.tag
    tags = _client.tags

__version__ = "0.2.0"

__all__ = [
    "Access",
    "Attempt",
    "AuthError",
    "BuildRequest",
    "Built",
    "Carried",
    "CheckResult",
    "CheckedPin",
    "Client",
    "Compared",
    "Copied",
    "Credential",
    "Descriptor",
    "Difference",
    "Digest",
    "DiskUsage",
    "Done",
    "Event",
    "ExitStatus",
    "Failed",
    "FailedJob",
    "FileEntry",
    "FileRow",
    "Finding",
    "Finished",
    "GhcrctlError",
    "HistoryRow",
    "ImageRow",
    "ImageTree",
    "ImportResult",
    "Index",
    "IntegrityError",
    "InterruptedByUserError",
    "Loaded",
    "LoginResult",
    "Made",
    "Manifest",
    "Member",
    "Mended",
    "NetworkError",
    "NewImage",
    "Node",
    "NotFoundError",
    "Observer",
    "Package",
    "PackageView",
    "Pin",
    "PinChange",
    "PinnedPlatform",
    "Plan",
    "Planned",
    "Platform",
    "PlatformRow",
    "Progressed",
    "Pruned",
    "PullResult",
    "PushResult",
    "RateLimitedError",
    "Reduced",
    "Reference",
    "RefusedError",
    "Removed",
    "Repair",
    "Report",
    "Restored",
    "Retrying",
    "Sign",
    "Started",
    "Step",
    "StoreError",
    "SyncedTag",
    "TagRow",
    "UnsupportedError",
    "UsageError",
    "UsageLine",
    "Version",
    "VersionRow",
    "append",
    "artifact",
    "attach",
    "build",
    "cat",
    "cat_into",
    "convert",
    "copy",
    "copy_several",
    "df",
    "diff",
    "digest",
    "errors",
    "exists",
    "export",
    "export_directory",
    "flatten",
    "fsck",
    "history",
    "image_trees",
    "images",
    "import_image",
    "inspect",
    "load",
    "lock",
    "logged_in",
    "login",
    "logout",
    "ls",
    "manifest",
    "mutate",
    "outdated",
    "packages",
    "platforms",
    "prune",
    "pull",
    "pull_several",
    "push",
    "push_several",
    "rebase",
    "referrers",
    "rmi",
    "rmi_platforms",
    "save",
    "sync",
    "sync_file",
    "tag",
    "tags",
]

# The modules of public names that are not calls of `Client`.
_PLACES = {
    "api.client": "Client",
    "credentials.credential": "Credential",
    "engines.build_request": "BuildRequest",
    "errors": "AuthError ExitStatus GhcrctlError IntegrityError InterruptedByUserError "
    "NetworkError NotFoundError RateLimitedError RefusedError StoreError UnsupportedError "
    "UsageError",
    "github.plan": "Plan Step",
    "github.records": "Package Version",
    "layers.members": "Member",
    "oci.descriptor": "Descriptor",
    "oci.digest": "Digest",
    "oci.manifest": "Index Manifest",
    "oci.platform": "Platform",
    "oci.reference": "Reference",
    "operations.making.artifact": "FileEntry Made",
    "operations.making.build": "Built",
    "operations.store.fsck": "CheckResult Repair",
    "operations.moving.copy": "Copied",
    "operations.store.df": "DiskUsage UsageLine",
    "operations.inside.diff": "Difference",
    "operations.inside.files": "FileRow",
    "operations.inside.history": "HistoryRow",
    "operations.images.tree": "ImageTree",
    "operations.images.image_row": "ImageRow",
    "operations.making.import_image": "ImportResult",
    "operations.making.indexes": "NewImage",
    "operations.archives.load": "Loaded",
    "operations.locks.lock": "PinChange",
    "operations.locks.check": "CheckedPin",
    "operations.locks.lock_file": "Pin PinnedPlatform",
    "operations.registries.login": "LoginResult",
    "operations.registries.outdated": "Compared",
    "operations.packages.apply_plan": "Done",
    "operations.packages.apply_plans": "Carried",
    "operations.packages.check": "Finding Mended",
    "operations.packages.doctor": "Sign",
    "operations.packages.list": "PackageView VersionRow",
    "operations.packages.restore": "Restored",
    "operations.images.platforms": "PlatformRow",
    "operations.store.prune": "Pruned",
    "operations.moving.pull": "PullResult",
    "operations.moving.push": "PushResult",
    "operations.registries.referrers": "Node",
    "operations.images.remove": "Removed",
    "operations.images.remove_platforms": "Reduced",
    "operations.common.batch": "Attempt",
    "operations.common.registry_access": "Access",
    "operations.sync.plan": "Report",
    "operations.sync.run": "FailedJob SyncedTag",
    "operations.registries.tags": "TagRow",
    "transfer.events": "Event Failed Finished Observer Planned Progressed Retrying Started",
}


# Hidden from type checkers, which would accept any name.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Import a public name on first use (PEP 562)."""
        from importlib import import_module

        if name not in __all__:
            raise AttributeError(f"module 'ghcrctl' has no attribute '{name}'")
        if name == "errors":
            return import_module("ghcrctl.errors")
        place = next((module for module, names in _PLACES.items() if name in names.split()), None)
        if place:
            found = getattr(import_module(f"ghcrctl.{place}"), name)
        else:
            found = getattr(import_module("ghcrctl.api.client").Client(), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
