"""Commands on local images."""
