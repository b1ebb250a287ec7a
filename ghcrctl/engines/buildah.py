"""The command lines of buildah, which builds without a daemon, even in a container.

Source: buildah-build(1), buildah-push(1), buildah-rmi(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.engines.build_request import Command, PrivateArgument, common_options, switch
from ghcrctl.engines.buildah_options import buildah_options, check_caching
from ghcrctl.engines.unsupported import check_format

if TYPE_CHECKING:
    from ghcrctl.engines.build_request import BuildFiles, BuildRequest


@dataclass(frozen=True, slots=True)
class Buildah:
    """The buildah engine.

    Args:
        program: path of the program.
        keeps_steps: whether buildah caches the layers of build steps.
    """

    program: str
    keeps_steps: bool = False
    name: str = "buildah"
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
                # Deleting the name would delete the cached layers too.
                *(() if self._is_caching(request) else (f"--tag={files.name}",)),
                f"--iidfile={files.image_id}",
                *common_options(request),
                *buildah_options(request),
                *switch("layers", on=bool(request.cache_from or request.cache_to)),
                *map(PrivateArgument, request.more),
                request.context,
            ),
        )

    def identify(self, files: BuildFiles) -> Command | None:  # noqa: ARG002 all engines have this signature
        """Return ``None``, since the build writes the image ID."""
        return None

    def save(self, request: BuildRequest, files: BuildFiles, image_id: str) -> Command:
        """Return the command that saves the image."""
        target = f"oci:{files.layout}"
        if request.format == "docker":
            target = f"docker-archive:{files.archive}"
        return Command(self.program, "push", (image_id, target))

    def delete(self, request: BuildRequest, files: BuildFiles) -> Command | None:
        """Return the command that deletes the image from buildah's store.

        The command has the name and not the ID, since the image may have other names.
        """
        return None if self._is_caching(request) else Command(self.program, "rmi", (files.name,))

    def _is_caching(self, request: BuildRequest) -> bool:
        wanted = self.keeps_steps or bool(request.cache_from or request.cache_to)
        return wanted or bool({"--layers", "--layers=true"} & set(request.more))
