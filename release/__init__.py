"""The tools that build releases: lock, single file, image, SBOM and checksums."""
