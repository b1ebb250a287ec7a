"""The OCI data model as plain values, without files or network."""
