"""Content that commands bring to a node: documents within documents, remote scripts, and associations that are refreshed.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong. The node has
to be one that really runs what it is sent.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       the node, on this machine
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION     eu-west-1 unless given
    MUSTER_TEST_AWS        the `aws` command; the one on PATH unless given
"""

import http.server
import json
import os
import threading

import boto3
from botocore.config import Config
from botocore.exceptions import WaiterError

from checks import check, refused, shell

NODE = os.environ["MUSTER_TEST_NODE"]
options = {"endpoint_url": os.environ["MUSTER_TEST_ENDPOINT"], "config": Config(retries={"max_attempts": 1})}
ssm = boto3.client("ssm", region_name=os.environ.get("MUSTER_TEST_REGION", "eu-west-1"), **options)

GREET = {
    "schemaVersion": "2.2",
    "parameters": {"who": {"type": "String"}},
    "mainSteps": [
        {"action": "aws:runShellScript", "name": "greet", "inputs": {"runCommand": ["echo hello {{ who }}"]}}
    ],
}


class Web(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"#!/bin/sh\necho \"deployed $1\"\n"
        self.send_response(200 if self.path == "/deploy.sh" else 404)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def ended(document, parameters, step=None):
    """Runs a document to its end; gives its status and output."""
    sent = ssm.send_command(DocumentName=document, InstanceIds=[NODE], Parameters=parameters)["Command"]["CommandId"]
    more = {"PluginName": step} if step else {}
    try:
        ssm.get_waiter("command_executed").wait(
            CommandId=sent, InstanceId=NODE, WaiterConfig={"Delay": 1, "MaxAttempts": 60}, **more
        )
    except WaiterError as error:
        # That is how the waiter ends where the command failed.
        print("     " + str(error).splitlines()[0])
    found = ssm.get_command_invocation(CommandId=sent, InstanceId=NODE, **more)
    return found["Status"], found["StandardOutputContent"], found["StandardErrorContent"]


def documents():
    shell("aws ssm create-document --name Greet --document-type Command --content '" + json.dumps(GREET) + "'")
    status, output, _ = ended(
        "AWS-RunDocument",
        {
            "sourceType": ["SSMDocument"],
            "sourceInfo": ['{"name": "Greet"}'],
            "documentParameters": ['{"who": "you"}'],
        },
        "runDocument",
    )
    check("a document is downloaded and run", (status, output) == ("Success", "hello you\n"), (status, output))
    twice = {
        "schemaVersion": "2.2",
        "parameters": {"name": {"type": "String"}},
        "mainSteps": [
            {
                "action": "aws:runDocument",
                "name": "first",
                "inputs": {
                    "documentType": "SSMDocument",
                    "documentPath": "Greet:1",
                    "documentParameters": {"who": "{{ name }}"},
                },
            }
        ],
    }
    ssm.create_document(Name="Twice", DocumentType="Command", Content=json.dumps(twice))
    status, output, _ = ended("Twice", {"name": ["'\"quoted\" & more'"]})
    check("a parameter goes through as it is", (status, output) == ("Success", 'hello "quoted" & more\n'), output)
    twice["mainSteps"][0]["inputs"]["documentPath"] = "Nobody"
    ssm.create_document(Name="Lost", DocumentType="Command", Content=json.dumps(twice))
    told = refused(
        "a document that runs none", "InvalidDocument", ssm.send_command,
        DocumentName="Lost", InstanceIds=[NODE], Parameters={"name": ["x"]},
    )
    check("the step and the document are named", "first" in told and "Nobody" in told, told)
    # One that runs itself has no end.
    twice["mainSteps"][0]["inputs"].update(documentPath="Self", documentParameters={"name": "{{ name }}"})
    ssm.create_document(Name="Self", DocumentType="Command", Content=json.dumps(twice))
    refused(
        "a document that runs itself", "InvalidDocument", ssm.send_command,
        DocumentName="Self", InstanceIds=[NODE], Parameters={"name": ["x"]},
    )


def scripts():
    info = json.dumps({"url": web() + "/deploy.sh", "allowInsecureDownload": True})
    status, output, errors = ended(
        "AWS-RunRemoteScript",
        {"sourceType": ["HTTP"], "sourceInfo": [info], "commandLine": ["deploy.sh v7"]},
        "runShellScript",
    )
    check("a script is downloaded and run", (status, output) == ("Success", "deployed v7\n"), (status, output, errors))
    info = json.dumps({"url": web() + "/none", "allowInsecureDownload": True})
    parameters = {"sourceType": ["HTTP"], "sourceInfo": [info], "commandLine": ["deploy.sh v7"]}
    status, _, errors = ended("AWS-RunRemoteScript", parameters, "downloadContent")
    check("one that is not there is told", status == "Failed" and "404" in errors, (status, errors))


def associations():
    made = ssm.create_association(
        Name="AWS-RunShellScript", Targets=[{"Key": "InstanceIds", "Values": [NODE]}],
        Parameters={"commands": ["echo associated"]},
    )["AssociationDescription"]["AssociationId"]

    def runs():
        return ssm.describe_association_executions(AssociationId=made)["AssociationExecutions"]

    def until(count):
        for _ in range(60):
            found = runs()
            if len(found) == count and all(run["Status"] == "Success" for run in found):
                return
            # A command takes about as long as an association's run, and has a waiter.
            ended("AWS-RunShellScript", {"commands": ["sleep 0.5"]})
        raise AssertionError(runs())

    until(1)
    status, output, _ = ended("AWS-RefreshAssociation", {"associationIds": [made]})
    check("associations are refreshed", status == "Success" and "runs the associations" in output, output)
    until(2)
    check("it ran once more", len(runs()) == 2, runs())
    ssm.delete_association(AssociationId=made)


documents()
scripts()
associations()
print("all checks hold")
