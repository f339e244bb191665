"""The multiplexer of port sessions (smux, version 1), written from the description of the wire alone: many connections
as frames within the bytes of one session."""

import asyncio
import struct

HEADER = struct.Struct("<BBHI")
SYN, FIN, PSH, NOP = 0, 1, 2, 3
MAX_FRAME = 32768


class Mux:
    """The client's end over a `SessionClient` whose session is one of ports."""

    def __init__(self, client):
        self.client = client
        self.read_to = 0
        self.next_stream = 1
        self.received = {}
        self.ended = set()

    async def open(self):
        self.next_stream += 2
        self.received[self.next_stream] = bytearray()
        await self._frame(SYN, self.next_stream)
        return self.next_stream

    async def _frame(self, command, stream, data=b""):
        await self.client.send(HEADER.pack(1, command, len(data), stream) + data)

    async def write(self, stream, data):
        for at in range(0, len(data), MAX_FRAME):
            await self._frame(PSH, stream, data[at : at + MAX_FRAME])
            # The other tasks read what comes back meanwhile.
            await asyncio.sleep(0)

    async def finish(self, stream):
        await self._frame(FIN, stream)

    def _take(self):
        """Takes whole frames out of what has come."""
        data = self.client.output
        while len(data) - self.read_to >= HEADER.size:
            version, command, length, stream = HEADER.unpack_from(data, self.read_to)
            assert version == 1 and stream in self.received, (version, command, length, stream)
            begin = self.read_to + HEADER.size
            if len(data) < begin + length:
                break
            if command == PSH:
                self.received[stream] += data[begin : begin + length]
            elif command == FIN:
                self.ended.add(stream)
            else:
                assert command == NOP, command
            self.read_to = begin + length

    async def until(self, what, condition, seconds=60):
        def look():
            self._take()
            return condition()

        await self.client.until(what, look, seconds)
