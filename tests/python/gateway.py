"""A control plane for one node, written from the description of the wire alone: it shares no code with Muster's own, so
what Muster's endpoint and agent have misunderstood together shows here. It answers what an agent calls, keeps its
control channel, starts sessions on it, and is itself the client of their data channels.

    gateway = Gateway()
    await gateway.listen()
    ... an agent registers at gateway.url with any activation, and runs ...
    await gateway.connected()
    session = await gateway.start(document)
"""

import asyncio
import datetime
import hashlib
import hmac
import json
import re
import secrets
import time
import uuid

from websockets.frames import Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from session_client import Message, SessionClient

ACCESS_KEY, SECRET_KEY, SESSION_TOKEN = "ASIAGATEWAYTEST00001", secrets.token_hex(20), secrets.token_hex(24)


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Request:
    """One request as far as its signature needs it."""

    def __init__(self, head, body):
        lines = head.decode("latin-1").split("\r\n")
        self.method, target, _ = lines[0].split(" ")
        self.path, _, self.query = target.partition("?")
        self.headers = {}
        for line in lines[1:]:
            if line:
                name, _, value = line.partition(":")
                self.headers[name.strip().lower()] = value.strip()
        self.body = body

    def is_signed(self, service):
        """Whether the temporary keys signed it (Signature Version 4), with the service's name and the headers that count."""
        authorization = self.headers.get("authorization", "")
        parts = dict(part.split("=", 1) for part in authorization.removeprefix("AWS4-HMAC-SHA256 ").split(", ") if "=" in part)
        key_id, date, region, named, terminator = parts.get("Credential", "////").split("/")
        names = parts.get("SignedHeaders", "").split(";")
        if (key_id, named, terminator) != (ACCESS_KEY, service, "aws4_request") or not {"host", "x-amz-date"} <= set(names):
            return False
        if self.headers.get("x-amz-security-token") != SESSION_TOKEN or "x-amz-security-token" not in names:
            return False
        moment = datetime.datetime.strptime(self.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if abs(moment.timestamp() - time.time()) > 300:
            return False
        headers = "".join(f"{name}:{self.headers[name]}\n" for name in names)
        query = "&".join(sorted(self.query.split("&"))) if self.query else ""
        digest = hashlib.sha256(self.body).hexdigest()
        canonical = "\n".join([self.method, self.path, query, headers, ";".join(names), digest])
        scope = f"{date}/{region}/{service}/aws4_request"
        hashed = hashlib.sha256(canonical.encode()).hexdigest()
        to_sign = "\n".join(["AWS4-HMAC-SHA256", self.headers["x-amz-date"], scope, hashed])
        key = b"AWS4" + SECRET_KEY.encode()
        for part in (date, region, service, "aws4_request"):
            key = sign(key, part)
        return hmac.compare_digest(sign(key, to_sign).hex(), parts.get("Signature", ""))


class Socket:
    """A websocket on a connection whose request has been read."""

    def __init__(self, reader, writer, raw):
        self.reader, self.writer = reader, writer
        self.protocol = ServerProtocol(max_size=None)
        self.protocol.receive_data(raw)
        [request] = self.protocol.events_received()
        self.protocol.send_response(self.protocol.accept(request))
        self._flush()

    def _flush(self):
        for data in self.protocol.data_to_send():
            if data:
                self.writer.write(data)

    async def frames(self):
        """Text as str, binary as bytes, until the other side is gone."""
        while True:
            for frame in self.protocol.events_received():
                if frame.opcode == Opcode.TEXT:
                    yield bytes(frame.data).decode()
                elif frame.opcode == Opcode.BINARY:
                    yield bytes(frame.data)
            self._flush()
            try:
                data = await self.reader.read(65536)
            except ConnectionError:
                return
            if not data:
                return
            self.protocol.receive_data(data)

    async def send(self, data):
        if self.protocol.state is not State.OPEN:
            # The other side's closing frame came in one read with what is being answered: the answer is lost, as on a wire.
            return
        self.protocol.send_binary(data)
        self._flush()
        await self.writer.drain()

    def abort(self):
        self.writer.transport.abort()


class GatewaySession(SessionClient):
    """A session whose client is the gateway itself: the agent's frames come in, the client's state machine is that of
    `SessionClient`."""

    def __init__(self, gateway, session_id, size, version):
        super().__init__("", "", size=size, version=version)
        self.gateway, self.session_id = gateway, session_id
        self.states = []
        self.result = None
        self.openings = 0

    async def _write(self, message):
        if self.socket and not self.lose(message):
            await self.socket.send(message.encode())

    async def joined(self, socket):
        self.openings += 1
        if self.socket:
            self.socket.abort()
        self.socket = socket
        for task in self.tasks:
            task.cancel()
        self.tasks = [asyncio.create_task(self._repeat())]
        async with self.news:
            self.news.notify_all()

    async def said(self, frame):
        message = Message.decode(frame)
        if message.kind == "agent_session_state":
            told = json.loads(message.payload)
            assert told["SessionId"] == self.session_id and told["SchemaVersion"] == 1, told
            self.states.append(told["SessionState"])
        await self._handle(message)

    def cut(self):
        self.socket.abort()

    async def end(self):
        """What TerminateSession makes of a session."""
        body = {"MessageType": "channel_closed", "MessageId": str(uuid.uuid4()), "DestinationId": self.gateway.node,
                "SessionId": self.session_id, "SchemaVersion": 1, "CreatedDate": "2026-11-23T06:31:47.110Z"}
        await self._write(Message("channel_closed", json.dumps(body).encode()))

    async def completed(self, seconds=30):
        """Waits for the agent's last word on the control channel, and gives it."""

        async def wait():
            async with self.news:
                await self.news.wait_for(lambda: self.result is not None)

        await asyncio.wait_for(wait(), seconds)
        return self.result


class Gateway:
    """See above."""

    def __init__(self):
        self.node = "mi-" + secrets.token_hex(9)[:17]
        self.tokens = {}
        self.calls = {}
        self.control = None
        self.control_opening = None
        self.sessions = {}
        self.faults = []
        self.news = asyncio.Condition()

    async def listen(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = "http://127.0.0.1:%d" % self.server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        try:
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", raw)
                body = await reader.readexactly(int(length[1])) if length else b""
                request = Request(raw[:-4], body)
                if request.headers.get("upgrade", "").lower() == "websocket":
                    return await self._channel(request, Socket(reader, writer, raw))
                status, kind, answer = self._answer(request)
                head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(answer)}\r\n\r\n"
                writer.write(head.encode() + answer)
                await writer.drain()
                async with self.news:
                    self.news.notify_all()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Exception as error:
            # Told where the test looks: an agent would only try again.
            self.faults.append(repr(error))
            raise
        finally:
            writer.close()

    def _answer(self, request):
        """Calls of an agent, in the order of its start."""
        channel = re.fullmatch(r"/v1/(control|data)-channel/(.+)", request.path)
        if channel:
            if not request.is_signed("ssmmessages"):
                self.faults.append(f"{request.path} is not signed as it should be: {request.headers}")
            body = json.loads(request.body)
            assert body["MessageSchemaVersion"] == "1.0" and uuid.UUID(body["RequestId"]), body
            if channel[1] == "data":
                assert body["ClientId"] == "" and channel[2] in self.sessions, body
            token = secrets.token_hex(16)
            self.tokens[token] = request.path
            # Any root element will do; the description names only the token.
            return "201 Created", "text/xml", f"<Answer><TokenValue>{token}</TokenValue></Answer>".encode()
        operation = request.headers["x-amz-target"].removeprefix("AmazonSSM.")
        self.calls.setdefault(operation, []).append(json.loads(request.body))
        if operation == "RegisterManagedInstance":
            answer = {"InstanceId": self.node}
        elif operation == "RequestManagedInstanceRoleToken":
            answer = {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY, "SessionToken": SESSION_TOKEN,
                      "TokenExpirationDate": int(time.time()) + 3600, "UpdateKeyPair": False}
        else:
            answer = {"Associations": []} if operation == "ListInstanceAssociations" else {}
            if not request.is_signed("ssm"):
                self.faults.append(f"{operation} is not signed as it should be")
        return "200 OK", "application/x-amz-json-1.1", json.dumps(answer).encode()

    async def _channel(self, request, socket):
        if not request.is_signed("ssmmessages"):
            self.faults.append(f"the websocket {request.path} is not signed as it should be")
        frames = socket.frames()
        opening = json.loads(await anext(frames))
        assert self.tokens.pop(opening["TokenValue"]) == request.path, opening
        if "/control-channel/" in request.path:
            assert request.query == "role=subscribe&stream=input", request.query
            return await self._control(opening, socket, frames)
        assert request.query == "role=publish_subscribe" and opening["ClientInstanceId"] == self.node, opening
        session = self.sessions[request.path.rpartition("/")[2]]
        await session.joined(socket)
        async for frame in frames:
            await session.said(frame)

    async def _control(self, opening, socket, frames):
        async with self.news:
            self.control, self.control_opening = socket, opening
            self.news.notify_all()
        async for frame in frames:
            message = Message.decode(frame)
            if message.kind != "agent_task_complete":
                continue
            told = json.loads(message.payload)
            answer = {"SchemaVersion": 1, "MessageId": str(message.identifier), "TaskId": told["TaskId"], "Topic": told["Topic"]}
            await socket.send(Message("agent_task_acknowledge", json.dumps(answer).encode()).encode())
            session = self.sessions[told["TaskId"]]
            async with session.news:
                session.result = told
                session.news.notify_all()

    async def until(self, holds, seconds=30):
        async def wait():
            async with self.news:
                await self.news.wait_for(holds)

        await asyncio.wait_for(wait(), seconds)

    async def connected(self):
        await self.until(lambda: self.control is not None)

    async def called(self, operation):
        """Waits for the agent's first call of an operation, and gives what it said."""
        await self.until(lambda: operation in self.calls)
        return self.calls[operation][0]

    async def start(self, document, parameters=None, size=(80, 24), version="1.2.677.0"):
        """Asks the node for a session (interactive_shell)."""
        session_id = "somebody-" + secrets.token_hex(9)[:17]
        session = self.sessions[session_id] = GatewaySession(self, session_id, size, version)
        content = {
            "DocumentName": "test", "SessionId": session_id, "RunAsUser": "", "SessionOwner": "arn:aws:iam::1:user/somebody",
            "Parameters": parameters or {}, "DocumentContent": {"schemaVersion": "1.0", "description": "", **document},
        }
        task = {"SchemaVersion": 1, "TaskId": session_id, "Topic": "test", "Content": json.dumps(content)}
        await self.control.send(Message("interactive_shell", json.dumps(task).encode()).encode())
        return session
