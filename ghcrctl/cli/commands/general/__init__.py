"""Commands about ghcrctl itself."""
