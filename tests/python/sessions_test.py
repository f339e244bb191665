"""Sessions through Amazon's own tools and through a client that shares no code with Muster.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       id of a connected node that takes sessions
    MUSTER_TEST_SHELL      `echo` for the scripted agent of the control plane's tests: it answers "size CxR" to a size,
                           a mebibyte of numbered lines to "flood\\r", the same while it loses its connections to
                           "flood-drop\\r", ends at "exit\\r", and echoes everything else
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION     eu-west-1 unless given
    MUSTER_TEST_AWS        the `aws` command; the one on PATH unless given
"""

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys

import boto3
from botocore.config import Config

from checks import check, refused
from session_client import SessionClient

ENDPOINT = os.environ["MUSTER_TEST_ENDPOINT"]
NODE = os.environ["MUSTER_TEST_NODE"]
REGION = os.environ.get("MUSTER_TEST_REGION", "eu-west-1")
AWS = os.environ.get("MUSTER_TEST_AWS") or shutil.which("aws")

ssm = boto3.client(
    "ssm", endpoint_url=ENDPOINT, region_name=REGION, config=Config(retries={"max_attempts": 1})
)


def start(**more):
    return ssm.start_session(Target=NODE, **more)


def session(session_id):
    for state in ("Active", "History"):
        filters = [{"key": "SessionId", "value": session_id}]
        found = ssm.describe_sessions(State=state, Filters=filters)["Sessions"]
        if found:
            return found[0]
    raise AssertionError(f"{session_id} is nowhere")


async def has_status(session_id, status):
    for _ in range(200):
        if session(session_id)["Status"] == status:
            return True
        await asyncio.sleep(0.1)
    return False


async def opened(**more):
    started = start(**more)
    client = SessionClient(started["StreamUrl"], started["TokenValue"])
    client.session_id = started["SessionId"]
    await client.open()
    await client.started()
    return client


async def api():
    started = start(Reason="from the test")
    check("the address is of this endpoint", started["StreamUrl"].startswith(ENDPOINT.replace("http", "ws", 1)), started)
    check("the session's id begins with its owner", started["SessionId"].startswith("muster-operator-"))
    found = session(started["SessionId"])
    check("it is listed with its reason", found["Reason"] == "from the test" and found["Target"] == NODE, found)
    again = ssm.resume_session(SessionId=started["SessionId"])
    check("resuming gives another token", again["TokenValue"] != started["TokenValue"])
    check("of the same session", again["SessionId"] == started["SessionId"] and again["StreamUrl"] == started["StreamUrl"])
    ended = ssm.terminate_session(SessionId=started["SessionId"])
    check("it is ended", ended["SessionId"] == started["SessionId"])
    check("and in the history", await has_status(started["SessionId"], "Terminated"))
    refused("resuming it", "DoesNotExistException", ssm.resume_session, SessionId=started["SessionId"])
    message = refused("an unknown node", "TargetNotConnected", ssm.start_session, Target="mi-" + "0" * 17)
    check("with the service's words", message == "mi-" + "0" * 17 + " is not connected.", message)
    refused("a command document", "InvalidDocument", start, DocumentName="AWS-RunShellScript")
    pages = ssm.get_paginator("describe_sessions").paginate(State="History", PaginationConfig={"PageSize": 1})
    ids = [s["SessionId"] for page in pages for s in page["Sessions"]]
    check("pages list every session once", len(ids) == len(set(ids)) and started["SessionId"] in ids, ids)
    names = [d["Name"] for d in ssm.list_documents(Filters=[{"Key": "DocumentType", "Values": ["Session"]}])["DocumentIdentifiers"]]
    check("the session documents are there", "SSM-SessionManagerRunShell" in names and "AWS-StartSSHSession" in names, names)
    content = {
        "schemaVersion": "1.0", "sessionType": "InteractiveCommands",
        "parameters": {"word": {"type": "String", "allowedPattern": "^[a-z]+$"}},
        "properties": {"linux": {"commands": "echo {{ word }}"}},
    }
    made = ssm.create_document(Name="test-words", DocumentType="Session", Content=json.dumps(content))
    check("a document is made", made["DocumentDescription"]["DocumentVersion"] == "1", made)
    refused("a value that does not fit", "InvalidParameters", start, DocumentName="test-words", Parameters={"word": ["a b"]})
    ssm.delete_document(Name="test-words")


async def command_line():
    if not AWS:
        raise AssertionError("the aws command is missing: install it, or name it in MUSTER_TEST_AWS")
    environment = dict(os.environ, AWS_DEFAULT_REGION=REGION, AWS_PAGER="", PATH="/usr/bin:/bin")
    before = {s["SessionId"] for s in ssm.describe_sessions(State="History", MaxResults=200)["Sessions"]}
    command = [
        AWS, "--endpoint-url", ENDPOINT, "ssm", "start-session", "--target", NODE,
        "--document-name", "SSM-SessionManagerRunShell", "--parameters", 'shellProfile=["sudo su - ec2-user"]',
    ]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    check("aws ssm start-session asks for its plugin", b"SessionManagerPlugin" in errors, errors)
    after = ssm.describe_sessions(State="History", MaxResults=200)["Sessions"]
    added = [s for s in after if s["SessionId"] not in before]
    check("and ends the session that it has started", [s["Status"] for s in added] == ["Terminated"], added)


async def shell():
    client = await opened()
    check("a shell begins without a handshake", client.session_type == "Standard_Stream")
    await client.expect(b"size 80x24")
    await client.resize(132, 50)
    await client.expect(b"size 132x50")
    await client.send("grüße\r".encode())
    await client.expect("grüße\r".encode())
    await client.acknowledged()
    check("it is connected", await has_status(client.session_id, "Connected"))
    check("nothing but stream and acknowledgements came", set(client.kinds) <= {"output_stream_data", "acknowledge"}, client.kinds)
    await client.send(b"exit\r")
    check("it ends as it should", await client.closed() == "")
    check("and is in the history", await has_status(client.session_id, "Terminated"))


def numbered():
    return b"".join(b"%07d\n" % number for number in range(131_072))


async def bad_link():
    """Loses a part of what it says, acknowledgements too, and its connection in the middle."""
    client = await opened()
    # Whoever loses acknowledgements before the gateway has them can only say them again.
    client.acknowledges_duplicates = True
    dice = random.Random(4580)
    client.lose = lambda message: dice.random() < (0.02 if message.kind == "acknowledge" else 0.2)
    client.output.clear()
    await client.send(b"flood\r")
    for part in (50_000, 300_000, 700_000):
        await client.until(f"{part} bytes", lambda: len(client.output) >= part, 120)
        client.cut()
        resumed = ssm.resume_session(SessionId=client.session_id)
        await client.open(resumed["TokenValue"])
    whole = numbered()
    await client.until("all of it", lambda: len(client.output) >= len(whole), 180)
    check("a mebibyte came whole over a bad link", bytes(client.output[-len(whole):]) == whole, len(client.output))
    pasted = bytes(dice.randrange(97, 123) for _ in range(50_000))
    client.output.clear()
    await client.send(pasted)
    await client.until("the echo", lambda: len(client.output) >= len(pasted), 180)
    check("and so did 50 kB the other way", bytes(client.output) == pasted, len(client.output))
    counts = (client.repeated_out, client.duplicates_in)
    check("things were lost and repeated both ways", all(counts), counts)
    client.lose = lambda message: False
    ssm.terminate_session(SessionId=client.session_id)
    check("the client is told who ended it", "TerminateSession" in await client.closed())


async def lost_acknowledgements():
    """The node loses its connection again and again, and acknowledgements with it. Like AWS's own, this client says
    each of them once: the gateway has to say the lost ones again."""
    client = await opened()
    client.output.clear()
    await client.send(b"flood-drop\r")
    whole = numbered()
    await client.until("all of it", lambda: len(client.output) >= len(whole), 120)
    check("all came, each part once", bytes(client.output[-len(whole):]) == whole, len(client.output))
    ssm.terminate_session(SessionId=client.session_id)
    await client.closed()


async def handshakes():
    client = await opened(DocumentName="AWS-StartNonInteractiveCommand", Parameters={"command": ["uptime"]})
    check("a command begins with a handshake", client.session_type == "NonInteractiveCommands", client.session_type)
    check("the agent says its version", client.agent_version.count(".") == 3, client.agent_version)
    await client.until("the exit code", lambda: client.exit_code is not None)
    check("streams are apart", (bytes(client.output), bytes(client.errors), client.exit_code) == (b"out uptime\n", b"err\n", 7))
    check("and it ends by itself", await client.closed() == "")
    client = await opened(
        DocumentName="AWS-StartPortForwardingSession", Parameters={"portNumber": ["8080"], "localPortNumber": ["0"]}
    )
    check("a port session says what it forwards", client.session_type == "Port" and client.properties["portNumber"] == "8080")
    await client.send(b"\x00\x01\xff raw")
    await client.expect(b"\x00\x01\xff raw")
    ssm.terminate_session(SessionId=client.session_id)
    await client.closed()


async def many():
    clients = await asyncio.gather(*(opened() for _ in range(20)))
    for number, client in enumerate(clients):
        await client.send(b"<%02d>" % number * 100)
    for number, client in enumerate(clients):
        await client.expect(b"<%02d>" % number * 100)
        others = [other for other in range(20) if other != number and b"<%02d>" % other in client.output]
        assert not others, f"session {number} saw {others}"
        ssm.terminate_session(SessionId=client.session_id)
    check("twenty sessions at once never mix", True)


async def main():
    for part in (api, command_line, shell, bad_link, lost_acknowledgements, handshakes, many):
        print(f"-- {part.__name__}", flush=True)
        await part()
    print("all is well")


asyncio.run(main())
sys.exit(0)
