"""Runbooks through Amazon's own tools, as the guide starts with them: made, started, watched to their end, with commands that a
node really runs.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       a node that is online and really runs what it is sent
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION     eu-west-1 unless given
    MUSTER_TEST_AWS        the `aws` command; the one on PATH unless given
"""

import json
import os
import tempfile
import time

import boto3
from botocore.config import Config

from checks import check, refused, shell

REGION = os.environ.get("MUSTER_TEST_REGION", "eu-west-1")
NODE = os.environ["MUSTER_TEST_NODE"]
INSTANCE = NODE.replace("mi-", "i-", 1)
options = {"endpoint_url": os.environ["MUSTER_TEST_ENDPOINT"], "region_name": REGION}
ssm = boto3.client("ssm", **options, config=Config(retries={"max_attempts": 1}))


def ended(execution):
    for _ in range(240):
        found = ssm.get_automation_execution(AutomationExecutionId=execution)["AutomationExecution"]
        if found["AutomationExecutionStatus"] in ("Success", "Failed", "TimedOut", "Cancelled"):
            return found
        time.sleep(0.25)
    raise AssertionError(f"it did not end: {found}")


with tempfile.TemporaryDirectory() as folder:
    log = os.path.join(folder, "service.log")
    # The service of the guide, without a system that starts it: what is asked of it is written down.
    content = {
        "schemaVersion": "0.3",
        "description": "Restart application services",
        "parameters": {
            "InstanceIds": {"type": "StringList", "description": "Instance IDs to restart services on"},
            "ServiceName": {"type": "String", "description": "Name of service to restart", "default": "httpd"},
        },
        "mainSteps": [
            {
                "name": "StopService",
                "action": "aws:runCommand",
                "inputs": {
                    "DocumentName": "AWS-RunShellScript",
                    "InstanceIds": "{{ InstanceIds }}",
                    "Parameters": {"commands": [f"echo stop {{{{ ServiceName }}}} >> {log}", "printf stopped"]},
                },
            },
            {"name": "WaitForStop", "action": "aws:sleep", "inputs": {"Duration": "PT1S"}},
            {
                "name": "StartService",
                "action": "aws:runCommand",
                "inputs": {
                    "DocumentName": "AWS-RunShellScript",
                    "InstanceIds": "{{ InstanceIds }}",
                    "Parameters": {
                        "commands": [
                            f"echo start {{{{ ServiceName }}}} >> {log}",
                            f"echo enable {{{{ ServiceName }}}} after {{{{ StopService.Output }}}} >> {log}",
                        ]
                    },
                },
            },
        ],
        "outputs": ["StopService.Output"],
    }
    path = os.path.join(folder, "restart-services.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file)
    shell(f"""aws ssm create-document \\
  --content file://{path} \\
  --name "RestartApplicationServices" \\
  --document-type "Automation" \\
  --document-format "JSON" """)
    execution = shell(f"""aws ssm start-automation-execution \\
  --document-name "RestartApplicationServices" \\
  --parameters 'InstanceIds=["{INSTANCE}"],ServiceName=["nginx"]' \\
  --query 'AutomationExecutionId' --output text""").strip()
    found = ended(execution)
    check("the runbook ends well", found["AutomationExecutionStatus"] == "Success", found)
    with open(log, encoding="utf-8") as file:
        lines = file.read().split("\n")
    check("the node did it in order", lines[:2] == ["stop nginx", "start nginx"], lines)
    check("a step told the next", lines[2] == "enable nginx after stopped", lines)
    check("and the whole", found["Outputs"]["StopService.Output"] == ["stopped"], found["Outputs"])
    steps = [(step["StepName"], step["StepStatus"]) for step in found["StepExecutions"]]
    check("each step is told", steps == [(name, "Success") for name in ("StopService", "WaitForStop", "StartService")], steps)
    listed = json.loads(shell("aws ssm describe-automation-executions --filters Key=DocumentNamePrefix,Values=RestartApplication"))
    ids = [one["AutomationExecutionId"] for one in listed["AutomationExecutionMetadataList"]]
    check("it is listed", ids == [execution], listed)
    steps = ssm.get_paginator("describe_automation_step_executions").paginate(
        AutomationExecutionId=execution, PaginationConfig={"PageSize": 1}
    )
    check("its steps are listed", [len(page["StepExecutions"]) for page in steps] == [1, 1, 1])

with tempfile.TemporaryDirectory() as folder:
    # A service of the node, looked after by a program of its own, restarted by the runbook that comes with the control plane.
    log = os.path.join(folder, "service.log")
    program = os.path.join(folder, "services")
    with open(program, "w", encoding="utf-8") as file:
        file.write(f'#!/bin/sh\necho "$1 $2" >> {log}\n')
    os.chmod(program, 0o755)
    execution = ssm.start_automation_execution(
        DocumentName="Muster-RestartServices",
        Parameters={"InstanceIds": [INSTANCE], "ServiceNames": ["web", "worker"], "WaitSeconds": ["0"], "ServiceCommand": [program]},
    )["AutomationExecutionId"]
    found = ended(execution)
    check("services are restarted", found["AutomationExecutionStatus"] == "Success", found)
    with open(log, encoding="utf-8") as file:
        lines = file.read().split("\n")
    asked = [f"{what} {name}" for name in ("web", "worker") for what in ("stop", "start", "status")]
    check("one after the other", lines[:-1] == asked, lines)
    details = [step["ParentStepDetails"] for step in found["StepExecutions"] if step["StepName"] == "CheckService"]
    check("each says in which iteration it was", [one["Iteration"] for one in details] == [1, 2], details)
    check("and of what", [one["IteratorValue"] for one in details] == ["web", "worker"], details)

script = """
import math


def handler(events, context):
    print("it is worked out")
    return {"root": math.isqrt(events["square"])}
"""
content = {
    "schemaVersion": "0.3",
    "parameters": {"Square": {"type": "Integer", "default": 0}},
    "mainSteps": [
        {
            "name": "Work",
            "action": "aws:executeScript",
            "inputs": {
                "Runtime": "python3.8",
                "Handler": "handler",
                "Script": script,
                "InputPayload": {"square": "{{ Square }}"},
            },
            "outputs": [{"Name": "Root", "Selector": "$.Payload.root", "Type": "Integer"}],
        }
    ],
    "outputs": ["Work.Root"],
}
ssm.create_document(Name="Works", DocumentType="Automation", Content=json.dumps(content))
execution = ssm.start_automation_execution(DocumentName="Works", Parameters={"Square": ["1764"]})["AutomationExecutionId"]
found = ended(execution)
if found["AutomationExecutionStatus"] == "Success":
    check("a script works it out", found["Outputs"]["Work.Root"] == ["42"], found)
else:
    check("without a sandbox nothing runs", "does not permit its sandbox" in found["FailureMessage"], found)

preview = ssm.start_execution_preview(
    DocumentName="RestartApplicationServices",
    ExecutionInputs={
        "Automation": {
            "TargetParameterName": "InstanceIds",
            "Targets": [{"Key": "ParameterValues", "Values": [NODE, "mi-0123456789abcdef0"]}],
        }
    },
)["ExecutionPreviewId"]
told = ssm.get_execution_preview(ExecutionPreviewId=preview)
check("a preview is ready", told["Status"] == "Success", told)
told = told["ExecutionPreview"]["Automation"]
check("it counts steps", told["StepPreviews"] == {"NonMutating": 1, "Undetermined": 2}, told)
check("and targets", [one["Count"] for one in told["TargetPreviews"]] == [2], told)

content = {
    "schemaVersion": "0.3",
    "parameters": {"Name": {"type": "String"}},
    "mainSteps": [
        {
            "name": "Put",
            "action": "aws:executeAwsApi",
            "inputs": {"Service": "ssm", "Api": "PutParameter", "Name": "/of/{{ Name }}", "Value": "{{ Name }}", "Type": "String"},
        }
    ],
}
ssm.create_document(Name="Puts", DocumentType="Automation", Content=json.dumps(content))
execution = shell("""aws ssm start-automation-execution \\
  --document-name Puts --target-parameter-name Name \\
  --targets Key=ParameterValues,Values=a,b,c --max-concurrency 2 --max-errors 0 --tags Key=team,Value=ops \\
  --query AutomationExecutionId --output text""").strip()
found = ended(execution)
check("each target has its turn", found["AutomationExecutionStatus"] == "Success", found)
check("targets are told", found["ResolvedTargets"]["ParameterValues"] == ["a", "b", "c"], found)
children = ssm.describe_automation_executions(Filters=[{"Key": "ParentExecutionId", "Values": [execution]}])
targets = sorted(child["Target"] for child in children["AutomationExecutionMetadataList"])
check("each is an execution of its own", targets == ["a", "b", "c"], children)
values = ssm.get_parameters_by_path(Path="/of")["Parameters"]
check("each did its work", sorted(one["Value"] for one in values) == ["a", "b", "c"], values)
tagged = ssm.describe_automation_executions(Filters=[{"Key": "TagKey", "Values": ["team"]}])
check("tags find it", [one["AutomationExecutionId"] for one in tagged["AutomationExecutionMetadataList"]] == [execution], tagged)

execution = ssm.start_automation_execution(DocumentName="Puts", Parameters={"Name": ["d"]}, Mode="Interactive")["AutomationExecutionId"]
for _ in range(80):
    found = ssm.get_automation_execution(AutomationExecutionId=execution)["AutomationExecution"]
    if found["AutomationExecutionStatus"] == "Waiting":
        break
    time.sleep(0.25)
check("step by step it waits", found["CurrentStepName"] == "Put", found)
ssm.send_automation_signal(AutomationExecutionId=execution, SignalType="StartStep", Payload={"StepName": ["Put"]})
check("until it is told", ended(execution)["AutomationExecutionStatus"] == "Success")

yaml = """schemaVersion: '0.3'
parameters:
  Value: {type: String}
mainSteps:
  - name: Ask
    action: aws:approve
    inputs: {Approvers: ['arn:aws:iam::123456789012:user/operator'], Message: Go on?}
  - name: Put
    action: aws:executeAwsApi
    inputs: {Service: ssm, Api: PutParameter, Name: /automation/test, Value: '{{ Value }}', Type: String, Overwrite: true}
    outputs: [{Name: Version, Selector: $.Version, Type: Integer}]
"""
ssm.create_document(Name="Asks", DocumentType="Automation", DocumentFormat="YAML", Content=yaml)
execution = ssm.start_automation_execution(DocumentName="Asks", Parameters={"Value": ["42"]})["AutomationExecutionId"]
for _ in range(80):
    if ssm.get_automation_execution(AutomationExecutionId=execution)["AutomationExecution"]["AutomationExecutionStatus"] == "Waiting":
        break
    time.sleep(0.25)
ssm.send_automation_signal(AutomationExecutionId=execution, SignalType="Approve", Payload={"Comment": ["fine"]})
found = ended(execution)
check("what was approved was done", found["StepExecutions"][1]["Outputs"]["Version"] == ["1"], found)
check("the parameter is there", ssm.get_parameter(Name="/automation/test")["Parameter"]["Value"] == "42")
refused(
    "a parameter that is missing",
    "InvalidAutomationExecutionParametersException",
    ssm.start_automation_execution,
    DocumentName="Asks",
)
refused(
    "stopping what has ended",
    "InvalidAutomationStatusUpdateException",
    ssm.stop_automation_execution,
    AutomationExecutionId=execution,
)
