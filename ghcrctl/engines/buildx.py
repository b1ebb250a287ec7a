"""The command lines of docker buildx.

Source: Docker's documentation, "docker buildx build", "OCI and Docker exporters", "Build drivers".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.engines import docker
from ghcrctl.engines.build_request import (
    Command,
    PrivateArgument,
    common_options,
    private_options,
    switch,
)
from ghcrctl.engines.unsupported import check_format
from ghcrctl.errors import UnsupportedError

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import BuildFiles, BuildRequest


@dataclass(frozen=True, slots=True)
class Buildx:
    """The buildx engine.

    Args:
        program: path of the docker client.
        has_archives: whether the builder writes archives. The builder inside the docker daemon does
            so only with the containerd image store; otherwise it writes to docker's store.
    """

    program: str
    has_archives: bool = True
    name: str = "buildx"
    builds_indexes: bool = True

    def check(self, request: BuildRequest) -> None:
        """Check that the engine supports the options of a build."""
        check_format(request)
        if not self.has_archives and (request.format == "oci" or len(request.platforms) > 1):
            what = "several platforms" if request.format != "oci" else "--format oci"
            raise UnsupportedError(
                f"the default builder of docker buildx does not support {what}",
                hint="create another builder: docker buildx create --use; or use another engine: "
                "--builder buildah",
            )

    def build(self, request: BuildRequest, files: BuildFiles) -> Command:
        """Return the command that builds the image."""
        output: tuple[str, ...] = ("--load", f"--tag={files.name}")
        if self.has_archives:
            # A confined client, such as a snap, cannot write to every directory, so use a pipe.
            output = (f"--output=type={request.format or 'oci'},dest=-",)
        return Command(
            self.program,
            "buildx build",
            (
                *output,
                *common_options(request),
                *private_options("cache-from", request.cache_from),
                *private_options("cache-to", request.cache_to),
                *switch("pull", on=request.pull),
                *map(PrivateArgument, request.more),
                request.context,
            ),
            stdout=files.archive if self.has_archives else None,
        )

    def identify(self, files: BuildFiles) -> Command | None:
        """Return the command that writes the image ID, if the image is in docker's store."""
        return None if self.has_archives else docker.identify(self.program, files)

    def save(self, request: BuildRequest, files: BuildFiles, image_id: str) -> Command | None:  # noqa: ARG002 all engines have this signature
        """Return the command that saves the image, if the image is in docker's store."""
        return None if self.has_archives else docker.save(self.program, files, image_id)

    def delete(self, request: BuildRequest, files: BuildFiles) -> Command | None:  # noqa: ARG002 all engines have this signature
        """Return the command that deletes the image from docker's store, if it is there."""
        return None if self.has_archives else docker.delete(self.program, files)
