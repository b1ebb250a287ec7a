"""Parts that operations of several folders share."""
