"""What the scripts of this folder share: a check that says what it looked at, and a refusal that has to come."""

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
