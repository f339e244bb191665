"""Clients that others have written against AWS's own service, unchanged, on the real endpoint and the real agent:
pyssm-client (Python) and ssm-session (JavaScript).

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT     http://127.0.0.1:4580
    MUSTER_TEST_NODE         id of a connected node with the real agent, on this machine
    MUSTER_TEST_SSM_SESSION  the folder tests/ssm-session with its packages
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION       eu-west-1 unless given
"""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys

import boto3
from botocore.config import Config

from checks import check
from terminal import Terminal

NODE = os.environ["MUSTER_TEST_NODE"]
ENDPOINT = os.environ["MUSTER_TEST_ENDPOINT"]
REGION = os.environ.get("MUSTER_TEST_REGION", "eu-west-1")
PYSSM = os.path.join(os.path.dirname(sys.executable), "pyssm")
TARGET = ["--target", NODE, "--endpoint-url", ENDPOINT, "--region", REGION]
PROMPT = rb"[#$] $"
MEBIBYTE = 1 << 20
ssm = boto3.client("ssm", endpoint_url=ENDPOINT, region_name=REGION, config=Config(retries={"max_attempts": 1}))


def numbers(first, last):
    return b"".join(b"%d\n" % number for number in range(first, last + 1))


def between(output, begin, end):
    at = output.index(begin) + len(begin)
    return bytes(output[at : output.index(end, at)])


async def status_is(session_id, status):
    """Waits until the service says so of a session."""
    for _ in range(100):
        for state in ("Active", "History"):
            found = ssm.describe_sessions(State=state, Filters=[{"key": "SessionId", "value": session_id}])["Sessions"]
            if found and found[0]["Status"] == status:
                return True
        await asyncio.sleep(0.1)
    return False


async def pyssm_shell():
    terminal = await Terminal((97, 31)).run(PYSSM, "ssh", *TARGET)
    await terminal.expect(PROMPT)
    session_id = re.search(rb"Session started: (\S+)", terminal.output)[1].decode()
    await terminal.command("stty size", rb"31 97")
    await terminal.command("echo gr''üße", "grüße".encode())
    terminal.resize(132, 50)
    # The client tells the size at its leisure: what is typed may come before it.
    await terminal.command("until [ \"$(stty size)\" = '50 132' ]; do sleep 0.05; done; echo resi''zed", rb"resized\r")
    # It speaks when it is in the foreground: only then does the key reach it.
    await terminal.command("sh -c 'echo going $((6*7)); exec sleep 600'", rb"going 42\r")
    terminal.output.clear()
    terminal.type(b"\x03")
    await terminal.expect(PROMPT)
    await terminal.command("stty -opost -echo; echo be''gin; seq 1000000 1131071; echo en''d", rb"end\r?\n", 120)
    shown = terminal.output.replace(b"\r\n", b"\n")
    check("a mebibyte of output is exact", between(shown, b"begin\n", b"end\n") == numbers(1_000_000, 1_131_071))
    terminal.output.clear()
    terminal.type(b"stty sane; exit\n")
    check("pyssm ssh ends with its shell", await terminal.ended() == 0 and session_id.encode() in terminal.output)
    check("and the service knows", await status_is(session_id, "Terminated"))


async def pyssm_terminated():
    terminal = await Terminal((80, 24)).run(PYSSM, "ssh", *TARGET)
    await terminal.expect(PROMPT)
    session_id = re.search(rb"Session started: (\S+)", terminal.output)[1].decode()
    ssm.terminate_session(SessionId=session_id)
    code = await terminal.ended()
    check("pyssm ssh shows who ended it", code == 0 and b"TerminateSession" in terminal.output, bytes(terminal.output))


async def pyssm_exec():
    command = [PYSSM, "exec", *TARGET, "--command", "echo out; echo err >&2; sh -c 'exit 3'"]
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    lines = output.split()
    seen = (process.returncode, b"out" in lines, b"err" in lines)
    check("pyssm exec tells output and exit code", seen == (3, True, True), output)


async def echo(reader, writer):
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def through(port, sent):
    """What an echo behind a port makes of these bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    [back, _] = await asyncio.gather(reader.readexactly(len(sent)), writer.drain())
    writer.close()
    return back


async def pyssm_port_forward():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    remote = str(server.sockets[0].getsockname()[1])
    for more in ([], ["--remote-host", "localhost"]):
        command = [PYSSM, "port-forward", *TARGET, "--remote-port", remote, *more]
        process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        while b"listening on" not in (line := await asyncio.wait_for(process.stdout.readline(), 30)):
            assert line, "pyssm port-forward ended"
        local = int(line.rsplit(b":", 1)[1])
        sent = [random.Random(7).randbytes(MEBIBYTE), b"another" * 100]
        back = await asyncio.wait_for(asyncio.gather(*(through(local, one) for one in sent)), 60)
        check(" ".join(["pyssm port-forward carries a mebibyte each way beside another connection", *more]), back == sent)
        process.send_signal(signal.SIGINT)
        check("and ends when it is told to", await asyncio.wait_for(process.wait(), 30) == 0)
    server.close()


async def ssm_session(*size):
    """A shell through ssm-session, with what it shows so far."""
    started = ssm.start_session(Target=NODE)
    environment = dict(os.environ, STREAM_URL=started["StreamUrl"], TOKEN_VALUE=started["TokenValue"])
    process = await asyncio.create_subprocess_exec(
        "node", "shell.cjs", *map(str, size), cwd=os.environ["MUSTER_TEST_SSM_SESSION"], env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )
    return started["SessionId"], process


async def shown(process, pattern, seconds=30):
    """Reads until the output holds the pattern; gives all of it."""
    output = bytearray()

    async def read():
        while not re.search(pattern, output):
            data = await process.stdout.read(65536)
            assert data, f"it ended before {pattern!r}; shown {bytes(output[-600:])!r}"
            output.extend(data)

    try:
        await asyncio.wait_for(read(), seconds)
    except asyncio.TimeoutError:
        raise AssertionError(f"{pattern!r} not within {seconds} s; shown {bytes(output[-600:])!r}") from None
    return output


async def typed(process, text, pattern):
    process.stdin.write(text.encode() + b"\r")
    return await shown(process, pattern)


async def ssm_session_shell():
    session_id, process = await ssm_session(197, 34)
    # All of it, from the very first output: this client repeats nothing and asks for nothing twice.
    await shown(process, PROMPT)
    await typed(process, "stty size", rb"34 197\r\n")
    await typed(process, "echo gr''üße", "grüße\r\n".encode())
    output = await typed(process, "stty -opost -echo; echo be''gin; seq 1000000 1131071; echo en''d", rb"end\n")
    check("a mebibyte of output is exact", between(output, b"begin\n", b"end\n") == numbers(1_000_000, 1_131_071))
    process.stdin.write(b"exit\r")
    check("ssm-session ends with its shell", await asyncio.wait_for(process.wait(), 30) == 0)
    check("and the service knows", await status_is(session_id, "Terminated"))
    session_id, process = await ssm_session(80, 24)
    await shown(process, PROMPT)
    ssm.terminate_session(SessionId=session_id)
    check("it ends when somebody ends the session", await asyncio.wait_for(process.wait(), 30) == 0)


async def main():
    for part in (pyssm_shell, pyssm_terminated, pyssm_exec, pyssm_port_forward, ssm_session_shell):
        print(f"-- {part.__name__}", flush=True)
        await part()
    print("all is well")


asyncio.run(main())
