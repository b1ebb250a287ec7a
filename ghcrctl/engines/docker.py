"""The command lines of docker without buildx.

Source: Docker's documentation, "docker buildx build", "docker image save", "docker image rm".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.engines.build_request import (
    Command,
    PrivateArgument,
    common_options,
    private_options,
    switch,
)
from ghcrctl.engines.unsupported import unsupported_option

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import BuildFiles, BuildRequest


_LABEL = "docker without buildx"


@dataclass(frozen=True, slots=True)
class Docker:
    """The docker engine without buildx.

    Args:
        program: path of the docker client.
        has_buildkit: whether the client has BuildKit without buildx, as 20.10 does.
    """

    program: str
    has_buildkit: bool = False
    name: str = "docker"
    builds_indexes: bool = False

    def check(self, request: BuildRequest) -> None:
        """Check that the engine supports the options of a build."""
        others = ("buildx", "buildah", "podman")
        if len(request.platforms) > 1:
            raise unsupported_option(f"{_LABEL} does not support several platforms", *others)
        if request.format == "oci":
            raise unsupported_option(f"{_LABEL} does not support --format oci", *others)
        if request.cache_to:
            raise unsupported_option(f"{_LABEL} does not support --cache-to", "buildx")
        for name, values in (("--secret", request.secrets), ("--ssh", request.ssh)):
            if values and not self.has_buildkit:
                raise unsupported_option(
                    f"docker without BuildKit does not support {name}", *others
                )

    def build(self, request: BuildRequest, files: BuildFiles) -> Command:
        """Return the command that builds the image."""
        return Command(
            self.program,
            "build",
            (
                f"--tag={files.name}",
                *common_options(request),
                *private_options("cache-from", request.cache_from),
                *switch("pull", on=request.pull),
                *map(PrivateArgument, request.more),
                request.context,
            ),
            environ={"DOCKER_BUILDKIT": "1" if self.has_buildkit else "0"},
        )

    def identify(self, files: BuildFiles) -> Command:
        """Return the command that writes the image ID."""
        return identify(self.program, files)

    def save(self, request: BuildRequest, files: BuildFiles, image_id: str) -> Command:  # noqa: ARG002 all engines have this signature
        """Return the command that saves the image."""
        return save(self.program, files, image_id)

    def delete(self, request: BuildRequest, files: BuildFiles) -> Command:  # noqa: ARG002 all engines have this signature
        """Return the command that deletes the image from docker's store but keeps the cache."""
        return delete(self.program, files)


def identify(program: str, files: BuildFiles) -> Command:
    """Return the command that writes the ID of an image in docker's store."""
    arguments = ("--format={{.Id}}", files.name)
    return Command(program, "image inspect", arguments, stdout=files.image_id)


def save(program: str, files: BuildFiles, image_id: str) -> Command:
    """Return the command that saves an image from docker's store.

    A confined client, such as a snap, cannot write to every directory, so the output is a pipe.
    The command has the ID, since a name would be written into the archive.
    """
    return Command(program, "image save", (image_id,), stdout=files.archive)


def delete(program: str, files: BuildFiles) -> Command:
    """Return the command that deletes an image from docker's store but keeps the cache."""
    return Command(program, "image rm", ("--no-prune", files.name))
