"""Snapshots of nodes by EC2's calls, as patch scripts take them before they begin.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       a node that takes snapshots by the command below, and really runs what it is sent
    MUSTER_TEST_SPARE_NODE a node that takes none
    MUSTER_TEST_SNAPSHOTS  the folder where that command leaves a file for each snapshot; one that is named
                           `refuse` makes it fail
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_AWS        the `aws` command; the one on PATH unless given
"""

import json
import os
from datetime import datetime

import boto3
from botocore.config import Config

from checks import check, refused, shell

FOLDER = os.environ["MUSTER_TEST_SNAPSHOTS"]
INSTANCE = os.environ["MUSTER_TEST_NODE"].replace("mi-", "i-", 1)
SPARE = os.environ["MUSTER_TEST_SPARE_NODE"].replace("mi-", "i-", 1)
os.environ.setdefault("AWS_DEFAULT_REGION", os.environ.get("MUSTER_TEST_REGION", "eu-west-1"))
os.environ["AWS_ENDPOINT_URL"] = os.environ["MUSTER_TEST_ENDPOINT"]
ec2 = boto3.client("ec2", config=Config(retries={"max_attempts": 1}))


def create_instance_snapshots(instances):
    """Every volume of these instances, with tags, as a patch script does it."""
    snapshot_ids = []
    for instance_id in instances:
        response = ec2.describe_instances(InstanceIds=[instance_id])
        instance = response["Reservations"][0]["Instances"][0]
        for device in instance.get("BlockDeviceMappings", []):
            if "Ebs" in device:
                volume_id = device["Ebs"]["VolumeId"]
                snapshot = ec2.create_snapshot(
                    VolumeId=volume_id,
                    Description=f"Pre-patch snapshot for {instance_id} - {datetime.now().strftime('%Y-%m-%d %H:%M:%S')}",
                )
                snapshot_ids.append(snapshot["SnapshotId"])
                ec2.create_tags(
                    Resources=[snapshot["SnapshotId"]],
                    Tags=[
                        {"Key": "Name", "Value": f"{instance_id}-pre-patch-{datetime.now().strftime('%Y%m%d')}"},
                        {"Key": "Purpose", "Value": "pre-patch-backup"},
                        {"Key": "InstanceId", "Value": instance_id},
                    ],
                )
    return snapshot_ids


def taken():
    ids = create_instance_snapshots([INSTANCE, SPARE])
    check("one node takes a snapshot, the other has nothing to take one of", len(ids) == 1, ids)
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=ids, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    found = ec2.describe_snapshots(Filters=[{"Name": "tag:Purpose", "Values": ["pre-patch-*"]}])["Snapshots"]
    check("it is found by its tags", [one["SnapshotId"] for one in found] == ids, found)
    one = found[0]
    check("it is complete", one["State"] == "completed" and one["Progress"] == "100%", one)
    check("its tags are told", {"Key": "InstanceId", "Value": INSTANCE} in one["Tags"], one)
    with open(os.path.join(FOLDER, ids[0]), encoding="utf-8") as file:
        told = file.read()
    check("the node's command was told what it is for", told.startswith(f"Pre-patch snapshot for {INSTANCE}"), told)


def failing():
    volume = INSTANCE.replace("i-", "vol-", 1)
    with open(os.path.join(FOLDER, "refuse"), "w", encoding="utf-8"):
        pass
    made = json.loads(
        shell(
            f"aws ec2 create-snapshot --volume-id {volume} --description second "
            "--tag-specifications 'ResourceType=snapshot,Tags=[{Key=team,Value=web}]'"
        )
    )
    check("it is tagged from the beginning", made["Tags"] == [{"Key": "team", "Value": "web"}], made)
    try:
        ec2.get_waiter("snapshot_completed").wait(
            SnapshotIds=[made["SnapshotId"]], WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        raise AssertionError("a snapshot that failed is complete")
    except Exception as error:  # the waiter tells a failure by an exception of its own
        check("the waiter is told", "terminal failure" in str(error), error)
    failed = [{"Name": "status", "Values": ["error"]}, {"Name": "volume-id", "Values": [volume]}]
    found = ec2.describe_snapshots(Filters=failed)["Snapshots"]
    check("it is found by its state", [one["SnapshotId"] for one in found] == [made["SnapshotId"]], found)
    check("why is told", "Failed" in found[0]["StateMessage"], found)
    os.remove(os.path.join(FOLDER, "refuse"))
    told = refused(
        "a snapshot of a node that takes none", "InvalidVolume.NotFound", ec2.create_snapshot,
        VolumeId=SPARE.replace("i-", "vol-", 1),
    )
    check("what it would need is told", "btrfs" in told and "/etc/muster-agent/snapshot" in told, told)
    refused("a volume of nobody", "InvalidVolume.NotFound", ec2.create_snapshot, VolumeId="vol-0123456789abcdef0")
    refused("a snapshot of nobody", "InvalidSnapshot.NotFound", ec2.describe_snapshots, SnapshotIds=["snap-1"])
    refused(
        "tags for something else", "InvalidParameterValue", ec2.create_snapshot, VolumeId=volume,
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "a", "Value": "b"}]}],
    )
    refused("an unknown filter", "InvalidParameterValue", ec2.describe_snapshots, Filters=[{"Name": "x", "Values": ["y"]}])
    pages = ec2.get_paginator("describe_snapshots").paginate(PaginationConfig={"PageSize": 1})
    every = [one["SnapshotId"] for page in pages for one in page["Snapshots"]]
    check("pages go on where they ended", len(every) == 2 and len(set(every)) == 2, every)


taken()
failing()
print("all checks hold")
