"""A client of Session Manager's data channel, written from the description of the wire alone: it shares no code with
Muster's own ends, so what those two have misunderstood together shows here.

It does what session-manager-plugin does: opens with a token, shakes hands, numbers, acknowledges, repeats and orders,
sends sizes and input, and ends when the gateway says so. Tests make its link bad with `lose` and `cut`.

    client = SessionClient(url, token)
    await client.open()
    await client.started()
    await client.send(b"ls\r")
    await client.expect(b"$ ")
"""

import asyncio
import hashlib
import json
import struct
import time
import uuid

import websockets

HEADER = struct.Struct(">I32sIQqQ8s8s32sI")
OUTPUT, SIZE, HANDSHAKE_REQUEST, HANDSHAKE_RESPONSE, HANDSHAKE_COMPLETE = 1, 3, 5, 6, 7
CHALLENGE, FLAG, STDERR, EXIT_CODE = 8, 10, 11, 12
CHUNK = 1024
REORDER = 10_000


class Message:
    """One message: a header of 116 bytes, the payload's length, the payload."""

    def __init__(self, kind, payload, sequence=0, flags=0, payload_type=0, identifier=None, created=None):
        self.kind = kind
        self.payload = payload
        self.sequence = sequence
        self.flags = flags
        self.payload_type = payload_type
        self.identifier = identifier or uuid.uuid4()
        self.created = created or int(time.time() * 1000)

    def encode(self):
        raw = self.identifier.bytes
        digest = hashlib.sha256(self.payload).digest()
        name = self.kind.encode("ascii").ljust(32)
        head = HEADER.pack(
            116, name, 1, self.created, self.sequence, self.flags, raw[8:], raw[:8], digest, self.payload_type
        )
        return head + struct.pack(">I", len(self.payload)) + self.payload

    @classmethod
    def decode(cls, frame):
        if len(frame) < 120:
            raise ValueError(f"a frame of {len(frame)} bytes")
        length, name, _, created, sequence, flags, low, high, digest, payload_type = HEADER.unpack_from(frame)
        payload = bytes(frame[length + 4 :])
        kind = name.strip(b"\0").strip().decode("ascii")
        if not kind or not created:
            raise ValueError("a message without a type or a date")
        if payload and hashlib.sha256(payload).digest() != digest:
            raise ValueError("the digest does not match")
        if struct.unpack_from(">I", frame, length)[0] != len(payload):
            raise ValueError("the payload's length does not match")
        return cls(kind, payload, sequence, flags, payload_type, uuid.UUID(bytes=high + low), created)


class Closed(Exception):
    """The gateway has ended the session; the text says why."""


class SessionClient:
    """The client's end of one session, over all its connections."""

    def __init__(self, url, token, size=(80, 24), version="1.2.677.0"):
        self.url = url
        self.token = token
        self.size = size
        self.version = version
        self.client_id = str(uuid.uuid4())
        self.socket = None
        self.tasks = []
        # Out.
        self.next_out = 0
        self.unacknowledged = {}
        self.rtt, self.variation, self.timeout = 0.1, 0.0, 0.2
        # In.
        self.expected = 0
        self.early = {}
        # What was seen.
        self.output = bytearray()
        self.errors = bytearray()
        self.exit_code = None
        self.flags = []
        self.notices = []
        self.session_type = None
        self.properties = None
        self.agent_version = ""
        self.is_started = False
        self.close_reason = None
        self.kinds = {}
        self.repeated_out = 0
        self.duplicates_in = 0
        self.news = asyncio.Condition()
        # AWS's client never acknowledges a duplicate; with False this one does the same.
        self.acknowledges_duplicates = False
        # Called with each message of ours; True loses it.
        self.lose = lambda message: False

    async def open(self, token=None):
        """Opens the first connection, or a later one with the token of ResumeSession."""
        self.token = token or self.token
        self.socket = await websockets.connect(
            self.url, compression=None, ping_interval=None, max_size=None, open_timeout=20
        )
        opening = {
            "MessageSchemaVersion": "1.0",
            "RequestId": str(uuid.uuid4()),
            "TokenValue": self.token,
            "ClientId": self.client_id,
            "ClientVersion": self.version,
        }
        await self.socket.send(json.dumps(opening))
        await self.socket.ping(b"keepalive")
        self.tasks = [asyncio.create_task(self._read(self.socket)), asyncio.create_task(self._repeat())]

    def cut(self):
        """Drops the connection as both ends of AWS do: without a word."""
        for task in self.tasks:
            task.cancel()
        if self.socket:
            self.socket.transport.abort()
        self.socket = None

    async def _read(self, socket):
        try:
            async for frame in socket:
                data = frame.encode() if isinstance(frame, str) else frame
                await self._handle(Message.decode(data))
        except websockets.ConnectionClosed:
            pass
        async with self.news:
            if socket is self.socket:
                self.socket = None
            self.news.notify_all()

    async def _repeat(self):
        while True:
            await asyncio.sleep(0.1)
            for sequence in sorted(self.unacknowledged)[:1]:
                frame, sent = self.unacknowledged[sequence]
                if time.monotonic() - sent > self.timeout:
                    self.unacknowledged[sequence] = (frame, time.monotonic())
                    self.repeated_out += 1
                    await self._write(frame)

    async def _write(self, message):
        if self.socket and not self.lose(message):
            try:
                await self.socket.send(message.encode())
            except websockets.ConnectionClosed:
                pass

    async def _stream(self, payload_type, payload):
        message = Message("input_stream_data", payload, sequence=self.next_out, payload_type=payload_type)
        self.next_out += 1
        self.unacknowledged[message.sequence] = (message, time.monotonic())
        await self._write(message)

    async def _acknowledge(self, message):
        body = {
            "AcknowledgedMessageType": message.kind,
            "AcknowledgedMessageId": str(message.identifier),
            "AcknowledgedMessageSequenceNumber": message.sequence,
            "IsSequentialMessage": True,
        }
        await self._write(Message("acknowledge", json.dumps(body).encode(), flags=3))

    async def _handle(self, message):
        self.kinds[message.kind] = self.kinds.get(message.kind, 0) + 1
        if message.kind == "acknowledge":
            self._acknowledged(json.loads(message.payload)["AcknowledgedMessageSequenceNumber"])
        elif message.kind == "channel_closed":
            self.close_reason = json.loads(message.payload).get("Output", "")
        elif message.kind == "output_stream_data":
            await self._arrived(message)
        async with self.news:
            self.news.notify_all()

    def _acknowledged(self, sequence):
        assert sequence < self.next_out, f"{sequence} was acknowledged and never sent"
        if sequence in self.unacknowledged:
            _, sent = self.unacknowledged.pop(sequence)
            sample = time.monotonic() - sent
            self.variation = 0.75 * self.variation + 0.25 * abs(self.rtt - sample)
            self.rtt = 0.875 * self.rtt + 0.125 * sample
            self.timeout = min(1.0, self.rtt + max(0.01, 4 * self.variation))

    async def _arrived(self, message):
        if message.sequence < self.expected:
            self.duplicates_in += 1
            if self.acknowledges_duplicates:
                await self._acknowledge(message)
            return
        if message.sequence > self.expected:
            if len(self.early) < REORDER:
                self.early[message.sequence] = message
                await self._acknowledge(message)
            return
        await self._acknowledge(message)
        await self._process(message)
        while self.expected in self.early:
            await self._process(self.early.pop(self.expected))

    async def _process(self, message):
        self.expected += 1
        kind, payload = message.payload_type, message.payload
        if kind == HANDSHAKE_REQUEST:
            await self._shake(json.loads(payload))
        elif kind == HANDSHAKE_COMPLETE:
            notice = json.loads(payload).get("CustomerMessage")
            if notice:
                self.notices.append(notice)
            await self._start()
        elif kind == CHALLENGE:
            raise ValueError("an encryption challenge without encryption")
        elif kind == FLAG:
            self.flags.append(struct.unpack(">I", payload)[0])
        else:
            # Plain shells begin without a handshake: the first output says so.
            if not self.is_started:
                self.session_type = "Standard_Stream"
                await self._start()
            if kind == STDERR:
                self.errors += payload
            elif kind == EXIT_CODE:
                self.exit_code = int(payload.decode("ascii").removeprefix("EXIT_CODE: "))
            else:
                self.output += payload

    async def _shake(self, request):
        self.agent_version = request["AgentVersion"]
        processed = []
        for action in request["RequestedClientActions"]:
            answer = {"ActionType": action["ActionType"], "ActionStatus": 1, "ActionResult": None, "Error": ""}
            if action["ActionType"] == "SessionType":
                self.session_type = action["ActionParameters"]["SessionType"]
                self.properties = action["ActionParameters"]["Properties"]
            else:
                answer["ActionStatus"] = 3
                answer["Error"] = f"{action['ActionType']} is not known here"
            processed.append(answer)
        response = {"ClientVersion": self.version, "ProcessedClientActions": processed, "Errors": None}
        await self._stream(HANDSHAKE_RESPONSE, json.dumps(response).encode())

    async def _start(self):
        self.is_started = True
        if self.session_type != "Port":
            await self.resize(*self.size)

    async def resize(self, columns, rows):
        self.size = (columns, rows)
        await self._stream(SIZE, json.dumps({"cols": columns, "rows": rows}).encode())

    async def flag(self, number):
        """What port sessions say beside the bytes: 1 the connection is gone, 2 end the session."""
        await self._stream(FLAG, struct.pack(">I", number))

    async def send(self, data):
        """Sends input. Before the start it would be lost, though acknowledged."""
        assert self.is_started, "input before the session has started"
        for at in range(0, len(data), CHUNK):
            await self._stream(OUTPUT, data[at : at + CHUNK])

    async def until(self, what, condition, seconds=30):
        """Waits until `condition()` holds."""

        async def wait():
            async with self.news:
                await self.news.wait_for(lambda: condition() or self.close_reason is not None)

        try:
            await asyncio.wait_for(wait(), seconds)
        except asyncio.TimeoutError:
            raise AssertionError(f"{what}: not within {seconds} s; seen {bytes(self.output[-200:])!r}") from None
        if not condition():
            raise Closed(self.close_reason)

    async def started(self):
        await self.until("the session starts", lambda: self.is_started)

    async def expect(self, text, seconds=30):
        """Waits until the output holds `text`."""
        await self.until(f"output {text!r}", lambda: text in self.output, seconds)

    async def closed(self, seconds=30):
        """Waits until the gateway has ended the session; gives the reason."""
        await self.until("the end", lambda: self.close_reason is not None, seconds)
        return self.close_reason

    async def acknowledged(self, seconds=30):
        """Waits until all input has been acknowledged."""
        await self.until("acknowledgements", lambda: not self.unacknowledged, seconds)
