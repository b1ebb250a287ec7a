"""The interfaces of content sources and sinks, verified streams and retries."""
