"""Maintenance windows through Amazon's own tools: registered with commands as people write them, and really opened.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       a node that is online and runs what it is sent
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION     eu-west-1 unless given
    MUSTER_TEST_AWS        the `aws` command; the one on PATH unless given
"""

import datetime
import json
import os
import time

import boto3
from botocore.config import Config

from checks import check, refused, shell

REGION = os.environ.get("MUSTER_TEST_REGION", "eu-west-1")
NODE = os.environ["MUSTER_TEST_NODE"]
options = {"endpoint_url": os.environ["MUSTER_TEST_ENDPOINT"], "region_name": REGION}
ssm = boto3.client("ssm", **options, config=Config(retries={"max_attempts": 1}))


def until(what, look):
    """Looks again and again until something is there."""
    for _ in range(120):
        found = look()
        if found:
            check(what, True)
            return found
        time.sleep(0.25)
    raise AssertionError(f"{what}: not within 30 seconds")


def guide():
    """The commands of the guide that users start from; `--target-type` and `--target-id` of it are no options of aws."""
    made = shell("""aws ssm create-maintenance-window \\
  --name "WebServer-Maintenance" \\
  --description "Maintenance window for web servers" \\
  --duration 4 \\
  --cutoff 1 \\
  --schedule "cron(0 2 ? * SUN *)" \\
  --allow-unassociated-targets""")
    window = json.loads(made)["WindowId"]
    made = shell(f"""aws ssm register-target-with-maintenance-window \\
  --window-id "{window}" \\
  --targets "Key=tag:PatchGroup,Values=WebServers" \\
  --resource-type "INSTANCE" """)
    target = json.loads(made)["WindowTargetId"]
    shell(f"""aws ssm register-task-with-maintenance-window \\
  --window-id "{window}" \\
  --targets "Key=WindowTargetIds,Values={target}" \\
  --task-arn "AWS-RunShellScript" \\
  --task-type "RUN_COMMAND" \\
  --service-role-arn "arn:aws:iam::123456789012:role/MW-Role" \\
  --task-parameters '{{"commands": {{"Values": ["true"]}}}}'""")
    told = json.loads(shell(f"aws ssm get-maintenance-window --window-id {window}"))
    opens = datetime.datetime.strptime(told["NextExecutionTime"], "%Y-%m-%dT%H:%MZ")
    check("it opens on a Sunday at two", (opens.weekday(), opens.hour) == (6, 2), told)
    ahead = json.loads(shell(f"aws ssm describe-maintenance-window-schedule --window-id {window} --max-items 60"))
    check("a year of openings is told", len(ahead["ScheduledWindowExecutions"]) in (52, 53), ahead)
    shell(f"aws ssm delete-maintenance-window --window-id {window}")


def opens():
    """A window that opens in a moment runs its task on the node, to the output."""
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
    window = ssm.create_maintenance_window(
        Name="in-a-moment",
        Schedule=f"at({at:%Y-%m-%dT%H:%M:%S})",
        Duration=1,
        Cutoff=0,
        AllowUnassociatedTargets=True,
    )["WindowId"]
    ssm.register_task_with_maintenance_window(
        WindowId=window,
        TaskArn="AWS-RunShellScript",
        TaskType="RUN_COMMAND",
        Targets=[{"Key": "InstanceIds", "Values": [NODE]}],
        TaskInvocationParameters={"RunCommand": {"Parameters": {"commands": ["echo opened {{WINDOW_ID}}"]}}},
    )

    def done():
        found = ssm.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"]
        return [one for one in found if one["Status"] not in ("PENDING", "IN_PROGRESS")]

    execution = until("it has opened and ended", done)[0]
    check("it ended well", execution["Status"] == "SUCCESS", execution)
    late = execution["StartTime"] - at.replace(microsecond=0)
    check("it opened at its time", late == datetime.timedelta(0), late)
    id = execution["WindowExecutionId"]
    tasks = ssm.describe_maintenance_window_execution_tasks(WindowExecutionId=id)["WindowExecutionTaskIdentities"]
    parts = ssm.describe_maintenance_window_execution_task_invocations(
        WindowExecutionId=id, TaskId=tasks[0]["TaskExecutionId"]
    )["WindowExecutionTaskInvocationIdentities"]
    output = ssm.get_command_invocation(CommandId=parts[0]["ExecutionId"], InstanceId=NODE)["StandardOutputContent"]
    check("the node has run it", output.strip() == f"opened {window}", output)
    check("once", len(ssm.describe_maintenance_window_executions(WindowId=window)["WindowExecutions"]) == 1)
    ssm.delete_maintenance_window(WindowId=window)
    refused("a window that is gone", "DoesNotExistException", ssm.get_maintenance_window, WindowId=window)


guide()
opens()
