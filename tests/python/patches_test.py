"""Patch Manager through Amazon's own tools: baselines with commands as people write them, and a node that is really
scanned and patched from a repository that the test made (`apt_root.py`).

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       a node that is online and runs what it is sent, on Debian, with the root of apt_root.py
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION     eu-west-1 unless given
    MUSTER_TEST_AWS        the `aws` command; the one on PATH unless given
"""

import json
import os
import time

import boto3
from botocore.config import Config

from checks import check, refused, shell

REGION = os.environ.get("MUSTER_TEST_REGION", "eu-west-1")
NODE = os.environ["MUSTER_TEST_NODE"]
GROUP = "WebServers"
options = {"endpoint_url": os.environ["MUSTER_TEST_ENDPOINT"], "region_name": REGION}
ssm = boto3.client("ssm", **options, config=Config(retries={"max_attempts": 1}))


def guide():
    """The commands of the guide that users start from, as they stand there."""
    made = shell("""aws ssm create-patch-baseline \\
  --name "MyApp-Baseline" \\
  --operating-system "AMAZON_LINUX_2" \\
  --approval-rules '{
    "PatchRules": [
      {
        "PatchFilterGroup": {
          "PatchFilters": [
            {
              "Key": "CLASSIFICATION",
              "Values": ["Security", "Critical"]
            }
          ]
        },
        "ApproveAfterDays": 0,
        "ComplianceLevel": "CRITICAL"
      }
    ]
  }' \\
  --description "Security and critical patches for MyApp servers" """)
    baseline = json.loads(made)["BaselineId"]
    shell(f"""aws ssm register-patch-baseline-for-patch-group \\
  --baseline-id "{baseline}" \\
  --patch-group "{GROUP}" """)
    told = json.loads(shell(f"aws ssm get-patch-baseline --baseline-id {baseline}"))
    rule = told["ApprovalRules"]["PatchRules"][0]
    check("the rule is kept", (rule["ApproveAfterDays"], rule["ComplianceLevel"]) == (0, "CRITICAL"), told)
    check("the group is told", told["PatchGroups"] == [GROUP], told)
    listed = json.loads(shell("aws ssm describe-patch-baselines --filters Key=OWNER,Values=AWS"))
    check("every system has a baseline to begin with", len(listed["BaselineIdentities"]) == 15, listed)


def baseline():
    """A baseline for the node, chosen by its patch group."""
    made = ssm.create_patch_baseline(
        Name="Debian-Web",
        OperatingSystem="DEBIAN",
        ApprovalRules={
            "PatchRules": [
                {
                    "PatchFilterGroup": {"PatchFilters": [{"Key": "PRODUCT", "Values": ["*"]}]},
                    "ComplianceLevel": "CRITICAL",
                }
            ]
        },
        RejectedPatches=["reject-muster"],
        RejectedPatchesAction="BLOCK",
    )["BaselineId"]
    ssm.register_patch_baseline_for_patch_group(BaselineId=made, PatchGroup=GROUP)
    tags = [{"Key": "PatchGroup", "Value": GROUP}]
    ssm.add_tags_to_resource(ResourceType="ManagedInstance", ResourceId=NODE, Tags=tags)
    found = ssm.get_patch_baseline_for_patch_group(PatchGroup=GROUP, OperatingSystem="DEBIAN")
    check("the group's baseline holds", found["BaselineId"] == made, found)
    return made


def run(operation, ends="Success"):
    """Runs the document on the node to its end; gives how the node stands."""
    sent = ssm.send_command(
        DocumentName="AWS-RunPatchBaseline", InstanceIds=[NODE], Parameters={"Operation": [operation]}
    )["Command"]["CommandId"]
    for _ in range(240):
        found = ssm.get_command_invocation(CommandId=sent, InstanceId=NODE)
        if found["Status"] not in ("Pending", "InProgress", "Delayed"):
            break
        time.sleep(0.25)
    text = found["StandardOutputContent"] + found["StandardErrorContent"]
    check(f"{operation} ends with {ends}", found["Status"] == ends, (found["Status"], text))
    state = ssm.describe_instance_patch_states(InstanceIds=[NODE])["InstancePatchStates"][0]
    check("the state is of this run", state["Operation"] == operation and state["SnapshotId"] == sent, state)
    return state


def patches():
    pages = ssm.get_paginator("describe_instance_patches").paginate(InstanceId=NODE, PaginationConfig={"PageSize": 10})
    return {patch["KBId"]: patch for page in pages for patch in page["Patches"]}


def counts(state, **wanted):
    found = {name: state[f"{name}Count"] for name in wanted}
    check(f"counts are {wanted}", found == wanted, state)


def patching(id):
    state = run("Scan")
    counts(state, Installed=0, InstalledOther=1, InstalledRejected=1, Missing=2, Failed=0, CriticalNonCompliant=2)
    check("it is held against the group's baseline", (state["BaselineId"], state["PatchGroup"]) == (id, GROUP), state)
    found = patches()
    check("what is missing is named", found["hello-muster.all"]["Title"] == "hello-muster.all:1.1-1", found)
    states = {name: patch["State"] for name, patch in found.items()}
    check(
        "each package has its state",
        states
        == {
            "hello-muster.all": "MISSING",
            "broken-muster.all": "MISSING",
            "tool-muster.all": "INSTALLED_OTHER",
            "reject-muster.all": "INSTALLED_REJECTED",
        },
        states,
    )
    group = ssm.describe_patch_group_state(PatchGroup=GROUP)
    numbers = (group["Instances"], group["InstancesWithMissingPatches"], group["InstancesWithFailedPatches"])
    check("the group counts nodes", numbers == (1, 1, 0), group)
    available = ssm.describe_available_patches()["Patches"]
    names = sorted(patch["Name"] for patch in available)
    check("what is to be had is told", names == ["broken-muster", "hello-muster", "tool-muster"], available)
    effective = ssm.describe_effective_patches_for_patch_baseline(BaselineId=id)["EffectivePatches"]
    approved = sorted(one["Patch"]["Name"] for one in effective if one["PatchStatus"]["DeploymentStatus"] == "APPROVED")
    check("the baseline approves what is about security", approved == ["broken-muster", "hello-muster"], effective)

    state = run("Install", ends="Failed")
    counts(state, Installed=1, InstalledOther=1, InstalledRejected=1, Missing=0, Failed=1)
    found = patches()
    hello = found["hello-muster.all"]
    told = (hello["State"], hello["Classification"], hello["Severity"], hello.get("CVEIds"))
    check("what was installed tells what it mends", told == ("INSTALLED", "Security", "High", "CVE-2026-0001"), hello)
    check("and when", time.time() - hello["InstalledTime"].timestamp() < 300, hello)
    check("what could not be is failed", found["broken-muster.all"]["State"] == "FAILED", found)

    ssm.update_patch_baseline(
        BaselineId=id, RejectedPatches=["broken-muster"], ApprovedPatches=["tool-muster"], RejectedPatchesAction="BLOCK"
    )
    state = run("Install")
    counts(state, Installed=2, InstalledRejected=1, Missing=0, Failed=0, CriticalNonCompliant=0)
    states = {name: patch["State"] for name, patch in patches().items()}
    check("what is approved by name is installed", states["tool-muster.all"] == "INSTALLED", states)
    entries = ssm.list_inventory_entries(InstanceId=NODE, TypeName="AWS:PatchSummary")["Entries"]
    check("the summary is in the inventory", entries[0]["OperationType"] == "Install", entries)


def limits(id):
    refused("a baseline in use", "ResourceInUseException", ssm.delete_patch_baseline, BaselineId=id)
    refused(
        "a second baseline for the group",
        "AlreadyExistsException",
        ssm.register_patch_baseline_for_patch_group,
        BaselineId=ssm.get_default_patch_baseline(OperatingSystem="DEBIAN")["BaselineId"],
        PatchGroup=GROUP,
    )
    ssm.deregister_patch_baseline_for_patch_group(BaselineId=id, PatchGroup=GROUP)
    ssm.register_default_patch_baseline(BaselineId=id)
    default = ssm.get_default_patch_baseline(OperatingSystem="DEBIAN")["BaselineId"]
    check("another default holds", default == id, default)
    refused("a default", "ResourceInUseException", ssm.delete_patch_baseline, BaselineId=id)
    own = ssm.describe_patch_baselines(Filters=[{"Key": "OWNER", "Values": ["AWS"]}])["BaselineIdentities"]
    given = [one["BaselineId"] for one in own if one["OperatingSystem"] == "DEBIAN"]
    ssm.register_default_patch_baseline(BaselineId=given[0])
    ssm.delete_patch_baseline(BaselineId=id)
    refused("a baseline that is gone", "DoesNotExistException", ssm.get_patch_baseline, BaselineId=id)


guide()
made = baseline()
patching(made)
limits(made)
