"""Patch Manager on a system of Red Hat's family, through boto3: advisories, their severities, vulnerabilities and dates,
against a root that is really patched by dnf (`rpm_root.py`).

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       a node that is online and runs what it is sent, with the root of rpm_root.py
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION     eu-west-1 unless given
    AWS_ENDPOINT_URL_S3    where the node looks for objects; the script serves them there
"""

import http.server
import json
import os
import threading
import time
import urllib.parse

import boto3
from botocore.config import Config

from checks import check

REGION = os.environ.get("MUSTER_TEST_REGION", "eu-west-1")
NODE = os.environ["MUSTER_TEST_NODE"]
options = {"endpoint_url": os.environ["MUSTER_TEST_ENDPOINT"], "region_name": REGION}
ssm = boto3.client("ssm", **options, config=Config(retries={"max_attempts": 1}))


OBJECTS = {}


class Objects(http.server.BaseHTTPRequestHandler):
    """What is asked for by `s3://`."""

    def do_GET(self):
        body = OBJECTS.get(self.path)
        self.send_response(200 if body else 404)
        self.end_headers()
        self.wfile.write((body or "").encode())

    def log_message(self, *_):
        pass


address = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL_S3"])
server = http.server.ThreadingHTTPServer((address.hostname, address.port), Objects)
threading.Thread(target=server.serve_forever, daemon=True).start()


def run(operation, ends="Success", says="", **more):
    parameters = {"Operation": [operation]} | {name: [value] for name, value in more.items()}
    sent = ssm.send_command(DocumentName="AWS-RunPatchBaseline", InstanceIds=[NODE], Parameters=parameters)
    sent = sent["Command"]["CommandId"]
    for _ in range(240):
        found = ssm.get_command_invocation(CommandId=sent, InstanceId=NODE)
        if found["Status"] not in ("Pending", "InProgress", "Delayed"):
            break
        time.sleep(0.25)
    text = found["StandardOutputContent"] + found["StandardErrorContent"]
    check(f"{operation} ends with {ends}", found["Status"] == ends, (found["Status"], text))
    check(f"it says {says!r}", says in text, text)
    return ssm.describe_instance_patch_states(InstanceIds=[NODE])["InstancePatchStates"][0]


def patches():
    pages = ssm.get_paginator("describe_instance_patches").paginate(InstanceId=NODE, PaginationConfig={"PageSize": 10})
    return {patch["KBId"]: patch for page in pages for patch in page["Patches"]}


def states():
    return {name.removesuffix(".noarch"): (one["State"], one["Title"].split(":", 1)[1]) for name, one in patches().items()}


filters = [{"Key": "InstanceIds", "Values": [NODE]}]
node = ssm.describe_instance_information(Filters=filters)["InstanceInformationList"][0]
check("the node says what it is", (node["PlatformName"], node["PlatformVersion"]) == ("Rocky Linux", "9.3"), node)
default = ssm.get_default_patch_baseline(OperatingSystem="ROCKY_LINUX")["BaselineId"]

# The baseline that comes with the control plane: grave security updates and mends of bugs, after seven days.
state = run("Scan")
check("it is held against its system's baseline", state["BaselineId"] == default, state)
found = states()
wanted = {
    "hello-muster": ("MISSING", "1.1-1"),
    "broken-muster": ("MISSING", "1.1-1"),
    "fixed-muster": ("MISSING", "1.1-1"),
    "plain-muster": ("INSTALLED_OTHER", "1.0-1"),
    "microcode_ctl": ("MISSING", "1.1-1"),
}
check("advisories say what is missing; one of today is waited for", found == wanted, found)
hello = patches()["hello-muster.noarch"]
told = (hello["Classification"], hello["Severity"], hello["CVEIds"])
check("what it mends is told", told == ("Security", "Important", "CVE-2026-0001,CVE-2026-0009"), hello)
available = {f"{one['Name']}-{one['Version']}": one for one in ssm.describe_available_patches()["Patches"]}
newest = available["hello-muster-1.2"]
check("the newest is known", newest["AdvisoryIds"] == ["TSA-2026:0001", "TSA-2026:0004"], newest)
check("and when it was released", time.time() - newest["ReleaseDate"].timestamp() < 3600, newest)
check("an update without advisory is to be had", available["plain-muster-1.1"]["Product"] == "RockyLinux9.3", available)
one = ssm.describe_available_patches(Filters=[{"Key": "CVE_ID", "Values": ["CVE-2026-0004"]}])["Patches"]
check("a vulnerability finds its update", [patch["Version"] for patch in one] == ["1.2"], one)
effective = ssm.describe_effective_patches_for_patch_baseline(BaselineId=default)["EffectivePatches"]
status = {f"{one['Patch']['Name']}-{one['Patch']['Version']}": one["PatchStatus"]["DeploymentStatus"] for one in effective}
check("what waits is told", status["hello-muster-1.2"] == "PENDING_APPROVAL", status)

state = run("Install", ends="Failed", says="its RebootOption is NoReboot", RebootOption="NoReboot")
check("what waits for a reboot is told", states()["microcode_ctl"] == ("INSTALLED_PENDING_REBOOT", "1.1-1"), states())
check("and counted", state["InstalledPendingRebootCount"] == 1, state)
check("and since when", "LastNoRebootInstallOperationTime" in state, state)

state = run("Install", ends="Failed", says="Rebooting this node")
check("after the reboot nothing waits", states()["microcode_ctl"] == ("INSTALLED", "1.1-1"), states())
found = states()
states_of = {name: found[name] for name in ("broken-muster", "fixed-muster")}
wanted = {"broken-muster": ("FAILED", "1.1-1"), "fixed-muster": ("INSTALLED", "1.1-1")}
check("what could be installed was", states_of == wanted, found)
check("failures are counted", (state["FailedCount"], state["MissingCount"]) == (1, 0), state)
entries = ssm.list_inventory_entries(InstanceId=NODE, TypeName="AWS:PatchCompliance")["Entries"]
hello = {entry["Title"]: entry["State"] for entry in entries if entry["KBId"] == "hello-muster.noarch"}
wanted = {"hello-muster.noarch:1.1-1": "INSTALLED", "hello-muster.noarch:1.2-1": "AVAILABLE_SECURITY_UPDATE"}
check("the approved version was installed, the newest still waits", hello == wanted, hello)

# What a list names is installed, whatever the baseline says, and nothing else is tried.
OBJECTS["/lists/install.yaml"] = "patches:\n    -\n        id: 'plain-muster'\n        title: 'plain-muster.noarch:1.1*'\n"
state = run("Install", InstallOverrideList="s3://lists/install.yaml")
check("what the list names is installed", states()["plain-muster"] == ("INSTALLED_OTHER", "1.1-1"), states())
check("the rest is held against the baseline", states()["broken-muster"] == ("MISSING", "1.1-1"), states())
run("Install", ends="Failed", says="InstallOverrideList could not be had", InstallOverrideList="s3://lists/none.yaml")

# Another baseline for one run.
other = {
    "OperatingSystem": "ROCKY_LINUX",
    "BaselineId": "pb-0123456789abcdef0",
    "Name": "once",
    "RejectedPatches": ["hello-muster"],
    "RejectedPatchesAction": "BLOCK",
}
OBJECTS["/lists/baselines.json"] = json.dumps([{"OperatingSystem": "DEBIAN"}, other])
state = run("Scan", BaselineOverride="s3://lists/baselines.json")
check("the other baseline is told", state["BaselineId"] == "pb-0123456789abcdef0", state)
check("and holds", states()["hello-muster"][0] == "INSTALLED_REJECTED", states())

# One by name, one rejected.
made = ssm.create_patch_baseline(
    Name="Rocky-Own",
    OperatingSystem="ROCKY_LINUX",
    ApprovedPatches=["plain-muster", "TSA-2026:0004"],
    ApprovedPatchesComplianceLevel="HIGH",
    RejectedPatches=["broken-muster"],
    RejectedPatchesAction="BLOCK",
)["BaselineId"]
ssm.register_default_patch_baseline(BaselineId=made)
run("Install")
found = states()
wanted = {
    "hello-muster": ("INSTALLED", "1.2-1"),
    "broken-muster": ("INSTALLED_REJECTED", "1.0-1"),
    "fixed-muster": ("INSTALLED_OTHER", "1.1-1"),
    "plain-muster": ("INSTALLED", "1.1-1"),
    "microcode_ctl": ("INSTALLED_OTHER", "1.1-1"),
}
check("packages and advisories are approved by name", found == wanted, found)
ssm.register_default_patch_baseline(BaselineId=default)
