from tests.registry_double.fixtures import ghcr, plain_registry

__all__ = ["ghcr", "plain_registry"]
