"""Scripts as people keep them, run unchanged: a deployment of configuration that asks EC2 for its instances.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       a node that is online and answers commands
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION     eu-west-1 unless given
    MUSTER_TEST_AWS        the `aws` command; the one on PATH unless given
"""

import json
import os

import boto3
from botocore.config import Config

from checks import check, refused, shell

REGION = os.environ.get("MUSTER_TEST_REGION", "eu-west-1")
NODE = os.environ["MUSTER_TEST_NODE"]
INSTANCE = NODE.replace("mi-", "i-", 1)
options = {"endpoint_url": os.environ["MUSTER_TEST_ENDPOINT"], "region_name": REGION}
options["config"] = Config(retries={"max_attempts": 1})
ssm = boto3.client("ssm", **options)
ec2 = boto3.client("ec2", **options)


def restart():
    """Finds the application's instances by their tags and sends them a command, as the deployment script does."""
    shell(f"aws ec2 create-tags --resources {INSTANCE} --tags Key=Application,Value=shop Key=Environment,Value=production")
    printed = shell("""APP_NAME=shop; ENVIRONMENT=production
INSTANCES=$(aws ec2 describe-instances \\
    --filters "Name=tag:Application,Values=${APP_NAME}" "Name=tag:Environment,Values=${ENVIRONMENT}" "Name=instance-state-name,Values=running" \\
    --query 'Reservations[*].Instances[*].InstanceId' \\
    --output text)

if [ ! -z "$INSTANCES" ]; then
    echo "Restarting application on instances: $INSTANCES" >&2

    aws ssm send-command \\
        --instance-ids $INSTANCES \\
        --document-name "AWS-RunShellScript" \\
        --parameters 'commands=["#!/bin/bash","echo restart '${APP_NAME}'","echo status '${APP_NAME}'"]' \\
        --comment "Restart ${APP_NAME} after configuration update"
fi""")
    sent = json.loads(printed)["Command"]
    check("the command went to the node behind the instance", sent["InstanceIds"] == [NODE], sent)
    ssm.get_waiter("command_executed").wait(
        CommandId=sent["CommandId"], InstanceId=INSTANCE, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    tags = ssm.list_tags_for_resource(ResourceType="ManagedInstance", ResourceId=NODE)["TagList"]
    check("the tags are the node's", {"Key": "Application", "Value": "shop"} in tags, tags)


def instances():
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "tag:Application", "Values": ["sh*"]}], PaginationConfig={"PageSize": 5}
    )
    found = [instance for page in pages for one in page["Reservations"] for instance in one["Instances"]]
    check("the instance is found", [one["InstanceId"] for one in found] == [INSTANCE], found)
    one = found[0]
    check("it runs", one["State"] == {"Code": 16, "Name": "running"}, one)
    check("it has a launch time", one["LaunchTime"].tzinfo is not None, one)
    check("it has no volumes", one.get("BlockDeviceMappings", []) == [], one)
    refused("a snapshot of none", "InvalidVolume.NotFound", ec2.create_snapshot, VolumeId="vol-0123456789abcdef0")
    refused("an unknown instance", "InvalidInstanceID.NotFound", ec2.describe_instances, InstanceIds=["i-12345678"])
    refused("an act that is not there", "InvalidAction", ec2.describe_vpcs)
    ec2.delete_tags(Resources=[INSTANCE], Tags=[{"Key": "Application"}, {"Key": "Environment"}])
    found = ec2.describe_instances(Filters=[{"Name": "tag-key", "Values": ["Application"]}])["Reservations"]
    check("tags are taken away", found == [], found)


restart()
instances()
