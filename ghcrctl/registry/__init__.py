"""HTTP access to registries: transport, authentication and the distribution spec's endpoints."""
