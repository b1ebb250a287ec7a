"""Operations on registries: sign-in, tags, digests and referrers."""
