"""Resource groups through Amazon's own tools, and commands that are sent to them.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       a node that is online and runs what it is sent
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
options = {"endpoint_url": os.environ["MUSTER_TEST_ENDPOINT"], "region_name": REGION}
options["config"] = Config(retries={"max_attempts": 1})
ssm = boto3.client("ssm", **options)
groups = boto3.client("resource-groups", **options)

tags = [{"Key": "Fleet", "Value": "groups-test"}]
ssm.add_tags_to_resource(ResourceType="ManagedInstance", ResourceId=NODE, Tags=tags)
query = {"ResourceTypeFilters": ["AWS::AllSupported"], "TagFilters": [{"Key": "Fleet", "Values": ["groups-test"]}]}
query = json.dumps(query)
shell(f"""aws resource-groups create-group --name fleet-test --tags Team=ops \\
  --resource-query '{{"Type":"TAG_FILTERS_1_0","Query":{json.dumps(query)}}}'""")
found = json.loads(shell("aws resource-groups list-group-resources --group fleet-test"))
check("the node is in it", found["ResourceIdentifiers"][0]["ResourceArn"].endswith(NODE), found)
arn = groups.get_group(Group="fleet-test")["Group"]["GroupArn"]
check("tags are told", groups.get_tags(Arn=arn)["Tags"] == {"Team": "ops"})
groups.tag(Arn=arn, Tags={"Stage": "test"})
groups.untag(Arn=arn, Keys=["Team"])
check("tags change", groups.get_tags(Arn=arn)["Tags"] == {"Stage": "test"})
pages = groups.get_paginator("list_groups").paginate(PaginationConfig={"PageSize": 1})
check("groups are listed", [one["GroupName"] for page in pages for one in page["GroupIdentifiers"]] == ["fleet-test"])
sent = shell("""aws ssm send-command --document-name AWS-RunShellScript --parameters commands=true \\
  --targets Key=resource-groups:Name,Values=fleet-test""")
command = json.loads(sent)["Command"]["CommandId"]
ssm.get_waiter("command_executed").wait(CommandId=command, InstanceId=NODE, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
done = ssm.get_command_invocation(CommandId=command, InstanceId=NODE)
check("the group's node ran it", done["Status"] == "Success", done)
groups.delete_group(Group="fleet-test")
try:
    groups.get_group(Group="fleet-test")
    raise AssertionError("the group is still there")
except groups.exceptions.NotFoundException as error:
    check("a group that is gone is not found", "fleet-test" in str(error), error)
refused("a bad query", "BadRequestException", groups.create_group, Name="x", ResourceQuery={"Type": "TAG_FILTERS_1_0", "Query": "{"})
