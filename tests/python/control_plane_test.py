"""Amazon's own clients against the embedded Systems Manager endpoint: boto3 and the `aws` command.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       id of a connected node on which commands run
    MUSTER_TEST_SPARE_NODE id of a node that is deregistered here; without it that is left out
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION     eu-west-1 unless given
    MUSTER_TEST_AWS        the `aws` command; the one on PATH unless given
    MUSTER_TEST_REAL_AGENT `yes` where the node really runs what it is sent
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

import boto3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config

from checks import check, refused

ENDPOINT = os.environ["MUSTER_TEST_ENDPOINT"]
NODE = os.environ["MUSTER_TEST_NODE"]
REGION = os.environ.get("MUSTER_TEST_REGION", "eu-west-1")
AWS = os.environ.get("MUSTER_TEST_AWS") or shutil.which("aws")
REAL_AGENT = os.environ.get("MUSTER_TEST_REAL_AGENT") == "yes"
BUCKET = "muster-command-output"

options = {
    "endpoint_url": ENDPOINT,
    "region_name": REGION,
    "config": Config(retries={"max_attempts": 1}),
}
ssm = boto3.client("ssm", **options)


def aws(*arguments, works=True):
    environment = dict(os.environ, AWS_DEFAULT_REGION=REGION, AWS_PAGER="")
    command = [AWS, "--endpoint-url", ENDPOINT, "--output", "json", *arguments]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    check(f"aws {' '.join(arguments[:2])}", (result.returncode == 0) == works, result.stderr)
    return json.loads(result.stdout) if works and result.stdout.strip() else result.stderr


def run(commands, **more):
    request = {"InstanceIds": [NODE], "DocumentName": "AWS-RunShellScript", "Parameters": {"commands": commands}}
    return ssm.send_command(**{**request, **more})["Command"]


def finished(command_id, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = ssm.get_command_invocation(CommandId=command_id, InstanceId=NODE)
        if found["Status"] not in ("Pending", "InProgress", "Delayed", "Cancelling"):
            return found
        time.sleep(0.1)
    raise AssertionError(f"{command_id} did not end: {found}")


def identity():
    sts = boto3.client("sts", **options)
    found = sts.get_caller_identity()
    check("GetCallerIdentity names the account", found["Account"] == "123456789012", found)
    check("and an ARN", found["Arn"].startswith("arn:aws:iam::123456789012:user/"), found)
    stranger = boto3.client("sts", aws_access_key_id="AKIAAAAAAAAAAAAAAAAA", aws_secret_access_key="x", **options)
    refused("a stranger", "UnrecognizedClientException", stranger.get_caller_identity)
    stranger = boto3.client("ssm", aws_access_key_id="AKIAAAAAAAAAAAAAAAAA", aws_secret_access_key="x", **options)
    refused("a stranger's call", "UnrecognizedClientException", stranger.list_commands)
    forger = boto3.client("ssm", aws_secret_access_key="wrong", aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"], **options)
    refused("a wrong secret", "InvalidSignatureException", forger.list_commands)


def activations():
    made = ssm.create_activation(IamRole="muster-node", Description="from the test", RegistrationLimit=3)
    check("the activation code is long enough for agents", len(made["ActivationCode"]) >= 20)
    pages = ssm.get_paginator("describe_activations").paginate(PaginationConfig={"PageSize": 1})
    ids = [a["ActivationId"] for page in pages for a in page["ActivationList"]]
    check("the activation is listed once", ids.count(made["ActivationId"]) == 1, ids)
    only = ssm.describe_activations(Filters=[{"FilterKey": "ActivationIds", "FilterValues": [made["ActivationId"]]}])
    check("a filter finds it", only["ActivationList"][0]["RegistrationLimit"] == 3, only)
    check("it is not expired", only["ActivationList"][0]["Expired"] is False)
    ssm.delete_activation(ActivationId=made["ActivationId"])
    refused("deleting it again", "InvalidActivationId", ssm.delete_activation, ActivationId=made["ActivationId"])
    made = aws("ssm", "create-activation", "--iam-role", "muster-node", "--registration-limit", "2")
    aws("ssm", "delete-activation", "--activation-id", made["ActivationId"])
    only = aws("ssm", "describe-activations", "--filters", f"FilterKey=ActivationIds,FilterValues={made['ActivationId']}")
    check("the command's activation is gone", only["ActivationList"] == [], only)
    error = aws("ssm", "delete-activation", "--activation-id", made["ActivationId"], works=False)
    check("deleting it again says so", "InvalidActivationId" in error, error)


def deregistration():
    spare = os.environ.get("MUSTER_TEST_SPARE_NODE")
    if not spare:
        return

    def listed():
        found = aws("ssm", "describe-instance-information", "--filters", f"Key=InstanceIds,Values={spare},{NODE}")
        return sorted(node["InstanceId"] for node in found["InstanceInformationList"])

    check("the spare node is there", listed() == sorted([spare, NODE]), listed())
    answer = aws("ssm", "deregister-managed-instance", "--instance-id", spare)
    check("deregistering answers with nothing", not answer, answer)
    check("it is gone, and only it", listed() == [NODE], listed())
    error = aws("ssm", "deregister-managed-instance", "--instance-id", spare, works=False)
    check("deregistering it again says so", "InvalidInstanceId" in error, error)
    error = aws("ssm", "send-command", "--document-name", "AWS-RunShellScript", "--instance-ids", spare,
                "--parameters", "commands=id", works=False)
    check("no command goes to it", "InvalidInstanceId" in error, error)


def nodes():
    listed = ssm.get_paginator("describe_instance_information").paginate(PaginationConfig={"PageSize": 5})
    found = {n["InstanceId"]: n for page in listed for n in page["InstanceInformationList"]}
    check("the node is listed and online", found[NODE]["PingStatus"] == "Online", found)
    check("its platform is known", found[NODE]["PlatformType"] == "Linux", found[NODE])
    one = ssm.describe_instance_information(Filters=[{"Key": "InstanceIds", "Values": [NODE]}])
    check("a filter finds it", [n["InstanceId"] for n in one["InstanceInformationList"]] == [NODE], one)
    old = ssm.describe_instance_information(InstanceInformationFilterList=[{"key": "PingStatus", "valueSet": ["Online"]}])
    check("so does the older form", NODE in [n["InstanceId"] for n in old["InstanceInformationList"]], old)
    target = {"ResourceType": "ManagedInstance", "ResourceId": NODE}
    ssm.add_tags_to_resource(Tags=[{"Key": "muster:test", "Value": "yes ä"}], **target)
    check("a tag is kept", {"Key": "muster:test", "Value": "yes ä"} in ssm.list_tags_for_resource(**target)["TagList"])
    tagged = ssm.describe_instance_information(Filters=[{"Key": "tag:muster:test", "Values": ["yes ä"]}])
    check("the node is found by its tag", [n["InstanceId"] for n in tagged["InstanceInformationList"]] == [NODE])
    ssm.remove_tags_from_resource(TagKeys=["muster:test"], **target)
    check("and gone", "muster:test" not in [t["Key"] for t in ssm.list_tags_for_resource(**target)["TagList"]])
    message = refused(
        "an id of another kind", "ValidationException", ssm.add_tags_to_resource,
        ResourceType="ManagedInstance", ResourceId="i-12345678", Tags=[{"Key": "a", "Value": "b"}],
    )
    check("with the service's words", message.startswith("resourceId should be in format mi-"), message)
    state = ssm.get_connection_status(Target=NODE)
    check("the node is connected", state["Status"] == "connected", state)
    refused("an unknown node", "InvalidInstanceId", ssm.deregister_managed_instance, InstanceId="mi-" + "0" * 17)


def documents():
    found = [d["Name"] for page in ssm.get_paginator("list_documents").paginate() for d in page["DocumentIdentifiers"]]
    check("the documents are there", "AWS-RunShellScript" in found and "AWS-RunPowerShellScript" in found, found)
    document = ssm.describe_document(Name="AWS-RunShellScript")["Document"]
    names = [p["Name"] for p in document["Parameters"]]
    check("its parameters are described", names == ["commands", "workingDirectory", "executionTimeout"], names)
    content = json.loads(ssm.get_document(Name="AWS-RunShellScript")["Content"])
    check("its content is readable", content["mainSteps"][0]["action"] == "aws:runShellScript", content)
    refused("an unknown document", "InvalidDocument", ssm.get_document, Name="AWS-Nothing")
    own_documents()


OWN_DOCUMENT = """schemaVersion: '2.2'
description: Several steps, of which some are left out
parameters:
  greeting:
    type: String
    default: hello
mainSteps:
  - action: aws:runShellScript
    name: first
    inputs:
      runCommand: ["echo {{ greeting }}"]
  - action: aws:runPowerShellScript
    name: windows
    precondition:
      StringEquals: [platformType, Windows]
    inputs:
      runCommand: ["Write-Host never"]
  - action: aws:runShellScript
    name: fails
    inputs:
      onFailure: exit
      runCommand: ["exit 3"]
  - action: aws:runShellScript
    name: never
    inputs:
      runCommand: ["echo never"]
  - action: aws:runShellScript
    name: always
    inputs:
      finallyStep: true
      runCommand: ["echo cleaned up"]
"""


def own_documents():
    ssm.create_document(Name="Several-Steps", Content=OWN_DOCUMENT, DocumentFormat="YAML", DocumentType="Command")
    content = json.loads(ssm.get_document(Name="Several-Steps")["Content"])
    check("YAML is told as JSON", len(content["mainSteps"]) == 5, content)
    ssm.put_parameter(Name="/test/greeting", Value="good day", Type="String", Overwrite=True)
    if not REAL_AGENT:
        return
    command = run([], DocumentName="Several-Steps", Parameters={"greeting": ["{{ssm:/test/greeting}}"]})["CommandId"]
    until = time.monotonic() + 30
    while time.monotonic() < until:
        listed = ssm.list_command_invocations(CommandId=command, Details=True)["CommandInvocations"][0]
        if listed["Status"] not in ("Pending", "InProgress", "Delayed"):
            break
        time.sleep(0.1)
    plugins = {plugin["Name"]: plugin for plugin in listed["CommandPlugins"]}
    check("the command failed", listed["Status"] == "Failed", listed)
    check("its parameter came from the store", plugins["first"]["Output"] == "good day\n", plugins)
    check("what is for others is skipped", plugins["windows"]["ResponseCode"] == 0, plugins)
    check("the step that failed says so", plugins["fails"]["ResponseCode"] == 3, plugins)
    check("nothing ran after it", "an earlier step ended the document" in plugins["never"]["Output"], plugins)
    check("but the last one, which always does", plugins["always"]["Output"] == "cleaned up\n", plugins)


def commands():
    command = run(["echo hello"], Comment="from the test")
    check("a command is accepted as pending", command["Status"] == "Pending" and command["TargetCount"] == 1, command)
    ssm.get_waiter("command_executed").wait(
        CommandId=command["CommandId"], InstanceId=NODE, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    found = ssm.get_command_invocation(CommandId=command["CommandId"], InstanceId=NODE)
    check("its output is answered", found["StandardOutputContent"] == "hello\n", found)
    check("with its exit status", found["ResponseCode"] == 0 and found["Status"] == "Success", found)
    listed = ssm.list_commands(CommandId=command["CommandId"])["Commands"][0]
    check("the command is done", (listed["Status"], listed["CompletedCount"]) == ("Success", 1), listed)
    details = ssm.list_command_invocations(CommandId=command["CommandId"], Details=True)["CommandInvocations"][0]
    check("details hold the plugin", details["CommandPlugins"][0]["Output"] == "hello\n", details)
    failed = finished(run(["exit 3"])["CommandId"])
    check("a failure is told", (failed["Status"], failed["ResponseCode"]) == ("Failed", 3), failed)
    running = run(["sleep 60"])["CommandId"]
    ssm.cancel_command(CommandId=running)
    check("a command can be cancelled", finished(running)["Status"] == "Cancelled")
    pages = ssm.get_paginator("list_commands").paginate(PaginationConfig={"PageSize": 1})
    ids = [c["CommandId"] for page in pages for c in page["Commands"]]
    check("paging lists every command once", len(ids) == len(set(ids)) and command["CommandId"] in ids, ids)
    refused("an unknown node", "InvalidInstanceId", run, commands=["id"], InstanceIds=["mi-" + "0" * 17])
    refused("PowerShell on Linux", "UnsupportedPlatformType", run, commands=["id"], DocumentName="AWS-RunPowerShellScript")
    refused("an undeclared parameter", "InvalidParameters", run, commands=["id"], Parameters={"commands": ["id"], "x": ["y"]})
    message = refused("a bad rate", "ValidationException", run, commands=["id"], MaxConcurrency="0", MaxErrors="200%")
    check("both violations are told", message.startswith("2 validation errors detected: Value '0' at 'maxConcurrency'"), message)
    refused(
        "an unknown command", "InvocationDoesNotExist", ssm.get_command_invocation,
        CommandId=str(uuid.uuid4()), InstanceId=NODE,
    )
    refused("a made-up page", "InvalidNextToken", ssm.list_commands, NextToken="made-up")
    none = ssm.send_command(
        Targets=[{"Key": "tag:muster:none", "Values": ["x"]}],
        DocumentName="AWS-RunShellScript", Parameters={"commands": ["id"]},
    )["Command"]["CommandId"]
    time.sleep(2)
    listed = ssm.list_commands(CommandId=none)["Commands"][0]
    check("no node has that tag", listed["StatusDetails"] == "NoInstancesInTag", listed)
    refused("an operation of later", "UnknownOperationException", ssm.list_nodes)


def output():
    command = run(["seq 1 200000"], OutputS3BucketName=BUCKET, OutputS3KeyPrefix="from/the test")
    found = finished(command["CommandId"], 60)
    whole = "".join(f"{n}\n" for n in range(1, 200_001))
    check("the API's output is cut", len(found["StandardOutputContent"]) == 24_000, len(found["StandardOutputContent"]))
    check("and marked", found["StandardOutputContent"].endswith("---Output truncated---"))
    url = found["StandardOutputUrl"]
    check("the whole is at a URL of this endpoint", url.startswith(f"{ENDPOINT}/{BUCKET}/from/the%20test/"), url)
    check("all of it is there", fetch(url)[1].decode() == whole)
    status, part = fetch(url, {"Range": "bytes=100-199"})
    check("a part of it too", (status, part.decode()) == (206, whole[100:200]), status)
    status, _ = fetch(url, signed=False)
    check("but for nobody without a key", status == 403, status)


def fetch(url, headers=None, signed=True):
    request = AWSRequest(method="GET", url=url, headers=headers or {})
    if signed:
        credentials = boto3.Session().get_credentials().get_frozen_credentials()
        S3SigV4Auth(credentials, "s3", REGION).add_auth(request)
    prepared = request.prepare()
    try:
        with urllib.request.urlopen(urllib.request.Request(prepared.url, headers=dict(prepared.headers))) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def command_line():
    if not AWS:
        raise AssertionError("the aws command is missing: install it, or name it in MUSTER_TEST_AWS")
    found = aws("sts", "get-caller-identity")
    check("the account is named", found["Account"] == "123456789012", found)
    nodes = aws("ssm", "describe-instance-information")
    check("the node is listed", NODE in [n["InstanceId"] for n in nodes["InstanceInformationList"]], nodes)
    sent = aws(
        "ssm", "send-command", "--document-name", "AWS-RunShellScript", "--instance-ids", NODE,
        "--parameters", "commands=echo hello",
    )
    command = sent["Command"]["CommandId"]
    finished(command)
    found = aws("ssm", "get-command-invocation", "--command-id", command, "--instance-id", NODE)
    check("the output is printed", found["StandardOutputContent"] == "hello\n", found)
    aws("ssm", "list-command-invocations", "--command-id", command, "--details")
    aws("ssm", "list-commands", "--max-items", "2", "--page-size", "1")
    aws("ssm", "list-documents", "--filters", "Key=Owner,Values=Amazon")
    error = aws("ssm", "get-calendar-state", "--calendar-names", "x", works=False)
    check("an operation of later is refused", "UnknownOperationException" in error, error)


for part in (identity, activations, nodes, documents, commands, output, command_line, deregistration):
    part()
print("all is well")
sys.exit(0)
