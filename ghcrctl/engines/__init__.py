"""Build engines: the installed programs that execute a Dockerfile."""
