"""ghcrctl: the Docker-like client of the GitHub Container Registry that needs no Docker.

Each command is a function here, and so are the values that it takes and gives: `ghcrctl.pull`,
`ghcrctl.packages.prune`. `Client` has the same calls, over settings of its own and one session.
Nothing is imported before it is used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ghcrctl import errors as errors
    from ghcrctl.api.client import Client
    from ghcrctl.credentials.credential import Credential
    from ghcrctl.engines.order import Order
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
    from ghcrctl.operations.artifact import FileEntry, Made
    from ghcrctl.operations.build import Built
    from ghcrctl.operations.check import CheckResult, Repair
    from ghcrctl.operations.copy import Copied
    from ghcrctl.operations.df import DiskUsage, UsageLine
    from ghcrctl.operations.diff import Difference
    from ghcrctl.operations.files import FileRow
    from ghcrctl.operations.history import HistoryRow
    from ghcrctl.operations.image_tree import ImageTree
    from ghcrctl.operations.images import ImageRow
    from ghcrctl.operations.import_image import ImportResult
    from ghcrctl.operations.indexes import NewImage
    from ghcrctl.operations.load import Loaded
    from ghcrctl.operations.lock import PinChange
    from ghcrctl.operations.lock_check import CheckedPin
    from ghcrctl.operations.lock_file import Pin, PinnedPlatform
    from ghcrctl.operations.login import LoginResult
    from ghcrctl.operations.outdated import Compared
    from ghcrctl.operations.packages.apply import Done
    from ghcrctl.operations.packages.carrying import Carried
    from ghcrctl.operations.packages.check import Finding, Mended
    from ghcrctl.operations.packages.doctor import Sign
    from ghcrctl.operations.packages.listing import PackageView, VersionRow
    from ghcrctl.operations.packages.restore import Restored
    from ghcrctl.operations.platforms import PlatformRow
    from ghcrctl.operations.prune import Pruned
    from ghcrctl.operations.pull import PullResult
    from ghcrctl.operations.push import PushResult
    from ghcrctl.operations.referrers import Node
    from ghcrctl.operations.remove import Removed
    from ghcrctl.operations.remove_platforms import Reduced
    from ghcrctl.operations.several import Attempt
    from ghcrctl.operations.sides import Access
    from ghcrctl.operations.sync import Report
    from ghcrctl.operations.sync_run import FailedJob, SyncedTag
    from ghcrctl.operations.tags import TagRow
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

__version__ = "0.1.0"

__all__ = [
    "Access",
    "Attempt",
    "AuthError",
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
    "Order",
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

# Where values are that are no calls; all other names are calls of a client.
_PLACES = {
    "api.client": "Client",
    "credentials.credential": "Credential",
    "engines.order": "Order",
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
    "operations.artifact": "FileEntry Made",
    "operations.build": "Built",
    "operations.check": "CheckResult Repair",
    "operations.copy": "Copied",
    "operations.df": "DiskUsage UsageLine",
    "operations.diff": "Difference",
    "operations.files": "FileRow",
    "operations.history": "HistoryRow",
    "operations.image_tree": "ImageTree",
    "operations.images": "ImageRow",
    "operations.import_image": "ImportResult",
    "operations.indexes": "NewImage",
    "operations.load": "Loaded",
    "operations.lock": "PinChange",
    "operations.lock_check": "CheckedPin",
    "operations.lock_file": "Pin PinnedPlatform",
    "operations.login": "LoginResult",
    "operations.outdated": "Compared",
    "operations.packages.apply": "Done",
    "operations.packages.carrying": "Carried",
    "operations.packages.check": "Finding Mended",
    "operations.packages.doctor": "Sign",
    "operations.packages.listing": "PackageView VersionRow",
    "operations.packages.restore": "Restored",
    "operations.platforms": "PlatformRow",
    "operations.prune": "Pruned",
    "operations.pull": "PullResult",
    "operations.push": "PushResult",
    "operations.referrers": "Node",
    "operations.remove": "Removed",
    "operations.remove_platforms": "Reduced",
    "operations.several": "Attempt",
    "operations.sides": "Access",
    "operations.sync": "Report",
    "operations.sync_run": "FailedJob SyncedTag",
    "operations.tags": "TagRow",
    "transfer.events": "Event Failed Finished Observer Planned Progressed Retrying Started",
}


# Unseen by type checkers, which would believe that every name is there.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Import what is asked for (PEP 562)."""
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
