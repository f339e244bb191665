"""Inventory through Amazon's own tools, really collected on a node by an association, and what it is then found by.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       a node that is online and runs what it is sent
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION     eu-west-1 unless given
"""

import json
import os
import platform
import pwd
import time

import boto3
from botocore.config import Config

from checks import check

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


def entries(type_name, **filters):
    asked = [{"Key": key, "Values": [value], "Type": "Equal"} for key, value in filters.items()]
    more = {"Filters": asked} if asked else {}
    found, token = [], None
    while True:
        page = ssm.list_inventory_entries(
            InstanceId=NODE, TypeName=type_name, **more, **({"NextToken": token} if token else {})
        )
        found += page["Entries"]
        token = page.get("NextToken")
        if not token:
            return found


def associated():
    made = ssm.create_association(
        Name="AWS-GatherSoftwareInventory",
        AssociationName="inventory",
        Targets=[{"Key": "InstanceIds", "Values": ["*"]}],
        ScheduleExpression="rate(1 day)",
        Parameters={
            "users": ["Enabled"],
            "files": [json.dumps([{"Path": "/etc", "Pattern": ["os-release", "passwd"], "Recursive": False}])],
        },
        ComplianceSeverity="MEDIUM",
    )["AssociationDescription"]["AssociationId"]

    def collected():
        mine = ssm.describe_instance_associations_status(InstanceId=NODE)["InstanceAssociationStatusInfos"]
        return [one for one in mine if one["AssociationId"] == made and one["Status"] != "Pending"]

    status = until("the association has run on the node", collected)[0]
    check("it holds there", status["Status"] == "Success", status)
    items = ssm.list_compliance_items(ResourceIds=[NODE], ResourceTypes=["ManagedInstance"])["ComplianceItems"]
    mine = [one for one in items if one["Id"] == made]
    check("it is compliant", [one["Status"] for one in mine] == ["COMPLIANT"], items)
    return made


def what_is_there():
    found = entries("AWS:Application", Name="dpkg")
    check("packages are really collected", len(found) == 1 and found[0]["Version"], found)
    users = {one["Name"]: one for one in entries("Custom:User")}
    check("accounts are", users["root"]["Home"] == pwd.getpwnam("root").pw_dir, users.get("root"))
    files = sorted(one["Name"] for one in entries("AWS:File"))
    check("files by rule are", "passwd" in files, files)
    about = entries("AWS:InstanceDetailedInformation")[0]
    check("the machine is", about["KernelVersion"] == platform.release(), about)
    network = entries("AWS:Network")
    check("interfaces have names", all(one["Name"] for one in network), network)


def found_by_it():
    entities = ssm.get_inventory(
        Filters=[{"Key": "AWS:Application.Name", "Values": ["dpkg"], "Type": "Equal"}],
        ResultAttributes=[{"TypeName": "AWS:Application"}],
    )["Entities"]
    check("the node is found by a package", [one["Id"] for one in entities] == [NODE], [one["Id"] for one in entities])
    counted = ssm.get_inventory(Aggregators=[{"Expression": "AWS:InstanceInformation.PlatformType"}])["Entities"][0]
    content = counted["Data"]["AWS:InstanceInformation"]["Content"]
    linux = [int(one["Count"]) for one in content if one["PlatformType"] == "Linux"]
    check("nodes are counted", len(linux) == 1 and linux[0] >= 1, content)
    schema = ssm.get_inventory_schema(TypeName="AWS:Application")["Schemas"][0]
    check("the type is described", "PackageId" in [one["Name"] for one in schema["Attributes"]], schema)


made = associated()
what_is_there()
found_by_it()
ssm.delete_association(AssociationId=made)
