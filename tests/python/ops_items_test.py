"""OpsItems as scripts of on-call teams use them, by the `aws` command and boto3.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION     eu-west-1 unless given
    MUSTER_TEST_AWS        the `aws` command; the one on PATH unless given
"""

import datetime
import json
import os

import boto3
from botocore.config import Config

from checks import check, refused, shell

options = {
    "endpoint_url": os.environ["MUSTER_TEST_ENDPOINT"],
    "region_name": os.environ.get("MUSTER_TEST_REGION", "eu-west-1"),
    "config": Config(retries={"max_attempts": 1}),
}
ssm = boto3.client("ssm", **options)

made = shell("""aws ssm create-ops-item \\
    --title "Disk is filling" --description "91 % used" --source "Monitor" --priority 2 --severity 2 \\
    --category Availability --tags Key=team,Value=web \\
    --operational-data '{"/aws/dedup":{"Value":"{\\"dedupString\\":\\"disk-7\\"}","Type":"SearchableString"},"disk":{"Value":"91","Type":"SearchableString"}}'""")
item = json.loads(made)["OpsItemId"]
told = shell(
    """aws ssm create-ops-item --title again --description d --source Monitor \\
    --operational-data '{"/aws/dedup":{"Value":"{\\"dedupString\\":\\"disk-7\\"}","Type":"SearchableString"}}'""",
    works=False,
)
check("it is told that it is open already", "OpsItemAlreadyExistsException" in told and item in told, told)
found = shell("""aws ssm describe-ops-items --ops-item-filters Key=Status,Values=Open,Operator=Equal \\
    Key=Title,Values=disk,Operator=Contains --query 'OpsItemSummaries[*].OpsItemId' --output text""")
check("it is found", found.split() == [item], found)
got = ssm.get_ops_item(OpsItemId=item)["OpsItem"]
check("times are times", isinstance(got["CreatedTime"], datetime.datetime), got)
check("its data is there", got["OperationalData"]["disk"] == {"Value": "91", "Type": "SearchableString"}, got)
ssm.associate_ops_item_related_item(
    OpsItemId=item, AssociationType="RelatesTo", ResourceType="AWS::SSM::ManagedInstance", ResourceUri="arn:x"
)
related = list(ssm.get_paginator("list_ops_item_related_items").paginate(OpsItemId=item))
check("what it is about is listed", [one["ResourceUri"] for one in related[0]["Summaries"]] == ["arn:x"], related)
shell(f"aws ssm update-ops-item --ops-item-id {item} --status Resolved --operational-data-to-delete disk")
got = ssm.get_ops_item(OpsItemId=item)["OpsItem"]
check("it is resolved", got["Status"] == "Resolved" and "disk" not in got["OperationalData"], got)
pages = ssm.get_paginator("list_ops_item_events").paginate(
    Filters=[{"Key": "OpsItemId", "Values": [item], "Operator": "Equal"}], PaginationConfig={"PageSize": 1}
)
events = [one["DetailType"] for page in pages for one in page["Summaries"]]
check("its story is told", events == ["OpsItem Update", "OpsItem Create"], events)
summed = shell(
    "aws ssm get-ops-summary --aggregators AggregatorType=count,TypeName=AWS:OpsItem,AttributeName=Status "
    f"--filters Key=AWS:OpsItem.OpsItemId,Values={item},Type=Equal"
)
counts = json.loads(summed)["Entities"][0]["Data"]["AWS:OpsItem"]["Content"]
check("items are counted", counts == [{"Count": "1", "Status": "Resolved"}], counts)
pages = ssm.get_paginator("get_ops_summary").paginate(PaginationConfig={"PageSize": 1})
check("and summed up", any(entity["Id"] == item for page in pages for entity in page["Entities"]))
shell(f"aws ssm delete-ops-item --ops-item-id {item}")
refused("one that is gone", "OpsItemNotFoundException", ssm.get_ops_item, OpsItemId=item)
