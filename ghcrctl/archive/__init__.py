"""Docker archives, OCI archives, OCI layouts in directories, and the API of docker engines."""
