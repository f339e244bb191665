"""What the scripts of this folder share: a check that says what it looked at, and a refusal that has to come."""

import os
import shutil
import subprocess

from botocore.exceptions import ClientError


def check(what, condition, shown=""):
    print(("ok   " if condition else "FAIL ") + what, flush=True)
    assert condition, f"{what}: {shown}"


def refused(what, code, call, **parameters):
    """The call has to be answered with this code and status 400; gives the message."""
    try:
        answer = call(**parameters)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        check(f"{what} is refused with {code}", found == code and status == 400, (found, status))
        return error.response["Error"].get("Message", "")
    raise AssertionError(f"{what} was not refused: {answer}")


def shell(script, works=True):
    """Runs commands as they are written in a guide: only the environment says where they go."""
    aws = os.environ.get("MUSTER_TEST_AWS") or shutil.which("aws")
    environment = dict(
        os.environ,
        AWS_ENDPOINT_URL=os.environ["MUSTER_TEST_ENDPOINT"],
        AWS_DEFAULT_REGION=os.environ.get("MUSTER_TEST_REGION", "eu-west-1"),
        AWS_PAGER="",
    )
    environment["PATH"] = os.path.dirname(aws) + os.pathsep + environment["PATH"]
    command = ["bash", "-euo", "pipefail", "-c", script]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    check(script.strip().splitlines()[0][:70], (result.returncode == 0) == works, result.stdout + result.stderr)
    return result.stdout if works else result.stderr
