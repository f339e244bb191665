"""The client that shares no code with Muster meets the real agent through the real endpoint.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       id of a connected node with the real agent, on this machine
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION     eu-west-1 unless given
"""

import asyncio
import hashlib
import json
import os
import random
import re
import socket

import boto3
from botocore.config import Config

from checks import check
from session_client import SessionClient
from session_mux import Mux

NODE = os.environ["MUSTER_TEST_NODE"]
MEBIBYTE = 1 << 20
ssm = boto3.client(
    "ssm",
    endpoint_url=os.environ["MUSTER_TEST_ENDPOINT"],
    region_name=os.environ.get("MUSTER_TEST_REGION", "eu-west-1"),
    config=Config(retries={"max_attempts": 1}),
)


async def opened(version="1.2.677.0", size=(80, 24), **more):
    started = ssm.start_session(Target=NODE, **more)
    client = SessionClient(started["StreamUrl"], started["TokenValue"], size=size, version=version)
    client.session_id = started["SessionId"]
    await client.open()
    await client.started()
    return client


async def command(client, text, answer, seconds=30):
    """Types a line; its answer must not be in the line itself, which the terminal shows as well."""
    client.output.clear()
    await client.send(text.encode() + b"\r")
    await client.expect(answer, seconds)


async def terminated(client):
    ssm.terminate_session(SessionId=client.session_id)
    return await client.closed()


async def shell():
    client = await opened(size=(97, 31))
    check("a shell begins with its own output", client.session_type == "Standard_Stream" and not client.agent_version)
    await command(client, "stty size", b"31 97")
    await command(client, "echo gr''üße", "grüße".encode())
    await client.resize(132, 50)
    await command(client, "stty size", b"50 132")
    # It speaks when it is in the foreground: only then does the key reach it.
    await command(client, "sh -c 'echo $TERM $((6*7)); exec cat'", b"xterm-256color 42")
    client.output.clear()
    await client.send(b"\x03")
    # What is typed before the shell is back may be thrown away by the terminal.
    await client.until("the prompt", lambda: re.search(rb"[#$] $", client.output))
    await command(client, "echo stopped: $?", b"stopped: 130")
    await client.send(b"exit\r")
    check("it ends as it should", await client.closed() == "", client.close_reason)
    check("nothing was repeated for want of an answer", not client.unacknowledged, client.unacknowledged)


async def exit_codes():
    for document, code in (("test-exit-codes", 7), ("test-exit-codes", 0)):
        client = await opened(DocumentName=document, Parameters={"code": [str(code)]})
        check("a command begins with a handshake", client.session_type == "NonInteractiveCommands" and client.agent_version)
        check("it ends by itself", await client.closed() == "", client.close_reason)
        seen = (bytes(client.output), bytes(client.errors), client.exit_code)
        check("streams are apart, and the exit code is told", seen == (b"out\n", b"err\n", code), seen)
    client = await opened(DocumentName="AWS-StartInteractiveCommand", Parameters={"command": ["echo name; read n; echo [$n]"]})
    await client.expect(b"name")
    await client.send(b"bob\r")
    await client.expect(b"[bob]")
    check("a command that asks ends", await client.closed() == "")


async def a_mebibyte_out(client):
    lines = b"".join(b"%d\n" % number for number in range(1_000_000, 1_131_072))
    client.output.clear()
    await client.send(b"stty -opost -echo; echo be''gin; seq 1000000 1131071; echo en''d\r")
    await client.expect(b"end\n", 120)
    begin = client.output.index(b"begin\n") + 6
    check("a mebibyte of output is exact", bytes(client.output[begin : client.output.index(b"end\n")]) == lines)


async def a_mebibyte_in(client):
    typed = random.Random(3).randbytes(MEBIBYTE)
    digest = hashlib.sha256(typed).hexdigest()
    client.output.clear()
    await client.send(b"stty raw -echo; echo re''ady; head -c %d | sha256sum; stty sane\r" % MEBIBYTE)
    await client.expect(b"ready")
    await client.send(typed)
    await client.expect(digest.encode(), 120)
    check("a mebibyte of any bytes is typed exactly", True)


async def large():
    client = await opened()
    await a_mebibyte_out(client)
    await a_mebibyte_in(client)
    check("the client is told who ended it", "TerminateSession" in await terminated(client), client.close_reason)


async def bad_link():
    client = await opened()
    # Whoever loses acknowledgements before the gateway has them can only say them again.
    client.acknowledges_duplicates = True
    await command(client, "stty -opost -echo; echo qui''et", b"quiet")
    dice = random.Random(80)
    client.lose = lambda message: dice.random() < (0.02 if message.kind == "acknowledge" else 0.2)
    client.output.clear()
    await client.send(b"seq 1000000 1040000; echo en''d\r")
    lines = b"".join(b"%d\n" % number for number in range(1_000_000, 1_040_001))
    for part in (50_000, 200_000):
        await client.until(f"{part} bytes", lambda: len(client.output) >= part, 60)
        client.cut()
        await client.open(ssm.resume_session(SessionId=client.session_id)["TokenValue"])
    await client.expect(b"end\n", 120)
    check("nothing is lost or doubled over a bad link that breaks twice", lines in client.output, len(client.output))
    client.lose = lambda message: False
    await terminated(client)


async def echo(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


def forwarding(port):
    return {"DocumentName": "AWS-StartPortForwardingSession", "Parameters": {"portNumber": [str(port)]}}


async def ports():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = await opened(**forwarding(port))
    check("a port session says which", client.session_type == "Port" and client.properties["portNumber"] == str(port))
    mux = Mux(client)
    one, two = await mux.open(), await mux.open()
    sent = random.Random(7).randbytes(MEBIBYTE)
    await asyncio.gather(mux.write(one, sent), mux.write(two, b"two" * 1000))
    whole = lambda: len(mux.received[one]) >= len(sent) and len(mux.received[two]) >= 3000
    await mux.until("both echoes", whole)
    check("a mebibyte comes back exactly beside another connection", mux.received[one] == sent and mux.received[two] == b"two" * 1000)
    await mux.finish(two)
    await mux.until("the end of one connection", lambda: two in mux.ended)
    check("the other goes on", one not in mux.ended)
    await client.flag(2)
    await client.closed()
    check("the client's flag ends the session", True)

    client = await opened(version="1.1.60.0", **forwarding(port))
    await client.send(b"\x00\xff plain")
    await client.expect(b"\x00\xff plain")
    check("an old client gets the bytes of one connection", bytes(client.output) == b"\x00\xff plain")
    await terminated(client)

    parameters = {"portNumber": [str(port)]}
    client = await opened(DocumentName="AWS-StartSSHSession", Parameters=parameters)
    await client.send(b"SSH-2.0-x\r\n")
    await client.expect(b"SSH-2.0-x\r\n")
    check("so does ssh", bytes(client.output) == b"SSH-2.0-x\r\n")
    await terminated(client)
    server.close()

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        client = await opened(**forwarding(free.getsockname()[1]))
        mux = Mux(client)
        stream = await mux.open()
        await mux.until("the end of a connection to nobody", lambda: stream in mux.ended)
        check("a port where nobody listens is told", client.flags == [3], client.flags)
        await terminated(client)


async def main():
    content = {
        "schemaVersion": "1.0", "sessionType": "NonInteractiveCommands",
        "parameters": {"code": {"type": "String", "allowedPattern": "^[0-9]+$"}},
        "properties": {"linux": {"commands": "echo out; echo err >&2; exit {{ code }}", "separateOutputStream": True}},
    }
    ssm.create_document(Name="test-exit-codes", DocumentType="Session", Content=json.dumps(content))
    for part in (shell, exit_codes, large, bad_link, ports):
        print(f"-- {part.__name__}", flush=True)
        await part()
    print("all is well")


asyncio.run(main())
