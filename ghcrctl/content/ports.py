"""Re-exports the protocols of sources and sinks."""

from __future__ import annotations

from ghcrctl.content.sinks import Mounter, Resumer, Sink
from ghcrctl.content.sources import FallbackSource, Lister, Source, Stream

__all__ = ["FallbackSource", "Lister", "Mounter", "Resumer", "Sink", "Source", "Stream"]
