"""What ghcrctl is shipped in besides its wheel: an image and a single file."""
