"""A slow line: a proxy that holds each connection to a rate and delays what passes.

As a program (``python -m tests.bench.line HOST:PORT RATE DELAY``) it prints the address that it
listens at. Rate: bytes a second of each connection and direction, 0 for no limit. Delay:
milliseconds for a round trip.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque

_BLOCK = 128 * 1024
# Bytes under way in one direction; more would hide the rate from the sender.
_WINDOW = 4 * 1024 * 1024


class _Direction:
    """One direction of one connection."""

    def __init__(self, rate: float, delay: float) -> None:
        self._rate = rate
        self._delay = delay
        self._held: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._changed = asyncio.Event()
        self._ended = False

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.gather(self._receive(reader), self._send(writer))

    async def _receive(self, reader: asyncio.StreamReader) -> None:
        now = asyncio.get_running_loop().time
        free = now()
        try:
            while data := await reader.read(_BLOCK):
                # A block is through when its last byte is.
                free = max(free, now()) + (len(data) / self._rate if self._rate else 0)
                self._held.append((free + self._delay, data))
                self._size += len(data)
                self._changed.set()
                while self._size > _WINDOW:
                    await asyncio.sleep(0.002)
        except OSError:
            pass
        self._ended = True
        self._changed.set()

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        now = asyncio.get_running_loop().time
        try:
            while True:
                while not self._held:
                    if self._ended:
                        return
                    self._changed.clear()
                    await self._changed.wait()
                due, data = self._held.popleft()
                await asyncio.sleep(max(0.0, due - now()))
                writer.write(data)
                self._size -= len(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()


async def _serve(target: str, rate: float, delay: float) -> None:
    host, _, port = target.partition(":")

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(delay)
        there, back = await asyncio.open_connection(host, int(port), limit=_BLOCK)
        await asyncio.gather(
            _Direction(rate, delay / 2).carry(reader, back),
            _Direction(rate, delay / 2).carry(there, writer),
            return_exceptions=True,
        )

    server = await asyncio.start_server(connect, "127.0.0.1", 0, limit=_BLOCK)
    print(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201 its answer
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(_serve(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]) / 1000))
    except KeyboardInterrupt:
        sys.exit(130)
