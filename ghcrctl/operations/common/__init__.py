"""Parts that operations of multiple folders share."""
