"""The command lines of podman, which builds with buildah's code.

Source: podman-build(1), podman-save(1), podman-rmi(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.engines.build_request import Command, PrivateArgument, common_options
from ghcrctl.engines.buildah_options import buildah_options, check_caching
from ghcrctl.engines.unsupported import check_format

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import BuildFiles, BuildRequest


@dataclass(frozen=True, slots=True)
class Podman:
    """The podman engine; ``program`` is the path of the program."""

    program: str
    name: str = "podman"
    builds_indexes: bool = False

    def check(self, request: BuildRequest) -> None:
        """Check that the engine supports the options of a build."""
        check_format(request)
        check_caching(self.name, request)

    def build(self, request: BuildRequest, files: BuildFiles) -> Command:
        """Return the command that builds the image."""
        return Command(
            self.program,
            "build",
            (
                f"--tag={files.name}",
                f"--iidfile={files.image_id}",
                *common_options(request),
                *buildah_options(request),
                *map(PrivateArgument, request.more),
                request.context,
            ),
        )

    def identify(self, files: BuildFiles) -> Command | None:  # noqa: ARG002 all engines have this signature
        """Return ``None``, since the build writes the image ID."""
        return None

    def save(self, request: BuildRequest, files: BuildFiles, image_id: str) -> Command:
        """Return the command that saves the image.

        The command has the ID, since a name would be written into the archive.
        """
        kind, target = "oci-dir", files.layout
        if request.format == "docker":
            kind, target = "docker-archive", files.archive
        return Command(self.program, "save", (f"--format={kind}", f"--output={target}", image_id))

    def delete(self, request: BuildRequest, files: BuildFiles) -> Command:  # noqa: ARG002 all engines have this signature
        """Return the command that deletes the image from podman's store but keeps the cache."""
        return Command(self.program, "rmi", ("--no-prune", files.name))
