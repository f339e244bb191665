"""The agent meets a gateway that shares no code with Muster's own: registration, signatures, control channel, and all
kinds of sessions on data channels that break.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_PROGRAM   the program whose subcommand `agent` is the agent
"""

import asyncio
import hashlib
import os
import random
import subprocess
import sys
import tempfile

from checks import check
from gateway import Gateway
from session_mux import Mux

PROGRAM = os.environ["MUSTER_TEST_PROGRAM"]
MEBIBYTE = 1 << 20
SHELL = {"sessionType": "Standard_Stream", "parameters": {}, "properties": {}, "inputs": {
    "s3BucketName": "", "s3KeyPrefix": "", "s3EncryptionEnabled": False, "cloudWatchLogGroupName": "",
    "cloudWatchStreamingEnabled": False, "cloudWatchEncryptionEnabled": False, "kmsKeyId": "", "runAsEnabled": False,
    "runAsDefaultUser": "", "shellProfile": {"windows": "", "linux": ""}}}
COMMAND = {"sessionType": "NonInteractiveCommands", "parameters": {"code": {"type": "String"}}, "properties": {"linux": {
    "commands": "echo out; echo err >&2; exit {{ code }}", "runAsElevated": True, "separateOutputStream": True}}}


def ended(result, session, gateway):
    """What agent_task_complete has to say."""
    about = (result["TaskId"], result["InstanceId"], result["Topic"], result["SchemaVersion"])
    return about == (session.session_id, gateway.node, "agent_task_complete", 1) and result["FinalTaskStatus"] == "Success"


async def registration(gateway):
    [registered] = gateway.calls["RegisterManagedInstance"]
    names = {"ActivationCode", "ActivationId", "Fingerprint", "PublicKey", "PublicKeyType"}
    check("the registration says what it has to", names <= set(registered), registered)
    asked = gateway.calls["RequestManagedInstanceRoleToken"][0]
    check("keys are asked for with the fingerprint", asked["Fingerprint"] == registered["Fingerprint"], asked)
    told = await gateway.called("UpdateInstanceInformation")
    check("the node tells of itself", told["InstanceId"] == gateway.node and told["PlatformType"] == "Linux", told)
    opening = gateway.control_opening
    names = ("MessageSchemaVersion", "RequestId", "TokenValue", "AgentVersion", "PlatformType")
    check("the control channel is opened as described", all(opening.get(name) for name in names), opening)


async def shell(gateway):
    session = await gateway.start(SHELL, size=(97, 31))
    await session.started()
    check("a shell begins without a handshake", not session.agent_version and session.states == ["Connected"], session.states)
    await session.send(b"stty size\r")
    await session.expect(b"31 97")
    await session.resize(132, 50)
    await session.send(b"stty size; echo gr''\xc3\xbcn\r")
    await session.expect("grün".encode())
    check("sizes arrive", b"50 132" in session.output, bytes(session.output))
    await session.send(b"exit\r")
    check("it ends by itself", ended(await session.completed(), session, gateway), session.result)
    check("and says so before", session.states == ["Connected", "Terminating"], session.states)
    check("all that was said was acknowledged", not session.unacknowledged, session.unacknowledged)


async def command(gateway):
    session = await gateway.start(COMMAND, {"code": "7"})
    check("a command ends by itself", ended(await session.completed(), session, gateway), session.result)
    check("it began with a handshake", session.session_type == "NonInteractiveCommands" and session.agent_version.count(".") == 3)
    seen = (bytes(session.output), bytes(session.errors), session.exit_code)
    check("streams are apart, and the exit code is told", seen == (b"out\n", b"err\n", 7), seen)


async def large(gateway):
    """A mebibyte each way while messages are lost and the connection breaks; the agent comes again by itself."""
    session = await gateway.start(SHELL)
    # As a gateway should: whoever repeats something has missed the acknowledgement.
    session.acknowledges_duplicates = True
    await session.started()
    dice = random.Random(116)
    session.lose = lambda message: dice.random() < 0.02
    lines = b"".join(b"%d\n" % number for number in range(1_000_000, 1_131_072))
    session.output.clear()
    await session.send(b"stty -opost -echo; echo be''gin; seq 1000000 1131071; echo en''d\r")
    for opening, part in enumerate((200_000, 600_000), 1):
        await session.until(f"{part} bytes", lambda: len(session.output) >= part and session.openings == opening, 60)
        session.cut()
    await session.until("the agent has come again", lambda: session.openings == 3)
    await session.expect(b"end\n", 120)
    begin = session.output.index(b"begin\n") + 6
    check("a mebibyte of output is exact", bytes(session.output[begin : session.output.index(b"end\n")]) == lines)
    check("over connections that the agent opened anew", session.openings == 3 and session.states == ["Connected"], session.openings)
    session.lose = lambda message: False
    typed = random.Random(3).randbytes(MEBIBYTE)
    session.output.clear()
    await session.send(b"stty raw -echo; echo re''ady; head -c %d | sha256sum; stty sane\r" % MEBIBYTE)
    await session.expect(b"ready")
    await session.send(typed)
    await session.expect(hashlib.sha256(typed).hexdigest().encode(), 120)
    check("a mebibyte of any bytes is typed exactly", True)
    await session.end()
    check("it ends when the gateway says so", ended(await session.completed(), session, gateway), session.result)


async def ports(gateway):
    async def echo(reader, writer):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = str(server.sockets[0].getsockname()[1])
    document = {"sessionType": "Port", "parameters": {"portNumber": {"type": "String"}}, "properties": {
        "portNumber": "{{ portNumber }}", "localPortNumber": "0", "type": "LocalPortForwarding"}}
    session = await gateway.start(document, {"portNumber": port})
    await session.started()
    check("a port session says which", session.properties == {"portNumber": port, "localPortNumber": "0", "type": "LocalPortForwarding"})
    mux = Mux(session)
    stream, sent = await mux.open(), random.Random(7).randbytes(MEBIBYTE)
    await mux.write(stream, sent)
    await mux.until("the echo", lambda: len(mux.received[stream]) >= MEBIBYTE)
    check("a mebibyte comes back exactly", mux.received[stream] == sent)
    await session.flag(2)
    check("the flag ends it", ended(await session.completed(), session, gateway), session.result)
    server.close()


async def refused(gateway):
    session = await gateway.start({**COMMAND, "schemaVersion": "9"}, {"code": "0"})
    result = await session.completed()
    check("what cannot be run is refused in words", result["FinalTaskStatus"] == "Failed" and "9" in result["Output"], result)


async def main():
    gateway = Gateway()
    await gateway.listen()
    with tempfile.TemporaryDirectory() as state:
        environment = dict(os.environ, MUSTER_ACTIVATION_CODE="x" * 20)
        arguments = ["agent", "register", "--endpoint", gateway.url, "--region", "eu-west-1", "--state-dir", state]
        arguments += ["--activation-id", "00000000-0000-0000-0000-000000000000"]
        register = await asyncio.create_subprocess_exec(PROGRAM, *arguments, env=environment, stdout=subprocess.DEVNULL)
        check("the agent registers", await asyncio.wait_for(register.wait(), 60) == 0)
        agent = await asyncio.create_subprocess_exec(PROGRAM, "agent", "run", "--state-dir", state)
        try:
            await gateway.connected()
            for part in (registration, shell, command, large, ports, refused):
                print(f"-- {part.__name__}", flush=True)
                await part(gateway)
                assert not gateway.faults, gateway.faults
        finally:
            agent.terminate()
            await agent.wait()
    print("all is well")


asyncio.run(main())
sys.exit(0)
