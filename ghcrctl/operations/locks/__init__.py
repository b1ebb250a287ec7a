"""Operations on lock files, which pin image names to digests."""
