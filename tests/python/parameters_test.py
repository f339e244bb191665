"""Parameter Store and the key management service through Amazon's own tools: commands as people write them, and boto3.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_REGION     eu-west-1 unless given
    MUSTER_TEST_AWS        the `aws` command; the one on PATH unless given
"""

import base64
import json
import os

import boto3
from botocore.config import Config

from checks import check, refused, shell

ENDPOINT = os.environ["MUSTER_TEST_ENDPOINT"]
REGION = os.environ.get("MUSTER_TEST_REGION", "eu-west-1")
options = {"endpoint_url": ENDPOINT, "region_name": REGION, "config": Config(retries={"max_attempts": 1})}
ssm = boto3.client("ssm", **options)
kms = boto3.client("kms", **options)


def keys():
    key = json.loads(shell("aws kms create-key --description 'for parameters'"))["KeyMetadata"]["KeyId"]
    shell(f"aws kms create-alias --alias-name alias/parameter-store-key --target-key-id {key}")
    listed = json.loads(shell("aws kms list-aliases"))["Aliases"]
    check("the alias is listed", key in [alias.get("TargetKeyId") for alias in listed], listed)
    sealed = kms.encrypt(KeyId="alias/parameter-store-key", Plaintext=b"\x00binary\xff", EncryptionContext={"a": "b"})
    opened = kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext={"a": "b"})
    check("Decrypt gives back what Encrypt took", opened["Plaintext"] == b"\x00binary\xff", opened)
    refused("another context", "InvalidCiphertextException", kms.decrypt, CiphertextBlob=sealed["CiphertextBlob"])
    made = kms.generate_data_key(KeyId=key, KeySpec="AES_256")
    check("a data key opens", kms.decrypt(CiphertextBlob=made["CiphertextBlob"])["Plaintext"] == made["Plaintext"])
    pages = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 1})
    check("keys are paged", key in [found["KeyId"] for page in pages for found in page["Keys"]])


def guide():
    """The commands of the guide that users start from, as they stand there."""
    shell("""aws ssm put-parameter \\
  --name "/myapp/database/username" \\
  --value "dbuser" \\
  --type "String" \\
  --description "Database username for MyApp"
""")
    shell("""aws ssm put-parameter \\
  --name "/myapp/database/password" \\
  --value "supersecret" \\
  --type "SecureString" \\
  --key-id "alias/parameter-store-key" \\
  --description "Database password for MyApp"
""")
    shell("""aws ssm put-parameter \\
  --name "/myapp/api/key" \\
  --value "api-key-value" \\
  --type "SecureString" \\
  --tags Key=Environment,Value=Production Key=Application,Value=MyApp
""")
    found = json.loads(shell('aws ssm get-parameter --name "/myapp/database/username"'))["Parameter"]
    check("the value is there", (found["Value"], found["Version"]) == ("dbuser", 1), found)
    found = json.loads(shell('aws ssm get-parameter --name "/myapp/database/password"'))["Parameter"]
    check("a secret is not told unasked", "supersecret" not in found["Value"], found)
    found = json.loads(shell("""aws ssm get-parameter \\
  --name "/myapp/database/password" \\
  --with-decryption
"""))["Parameter"]
    check("and told when asked", found["Value"] == "supersecret", found)
    found = json.loads(shell("""aws ssm get-parameters \\
  --names "/myapp/database/username" "/myapp/database/password" \\
  --with-decryption
"""))
    check("both are told", [p["Value"] for p in found["Parameters"]] == ["dbuser", "supersecret"], found)
    found = json.loads(shell("""aws ssm get-parameters-by-path \\
  --path "/myapp" \\
  --recursive \\
  --with-decryption
"""))["Parameters"]
    names = [parameter["Name"] for parameter in found]
    check("the path holds three", names == ["/myapp/api/key", "/myapp/database/password", "/myapp/database/username"], names)
    shell("""aws ssm put-parameter \\
  --name "/myapp/database/password" \\
  --value "newsecret" \\
  --type "SecureString" \\
  --overwrite
""")
    query = "aws ssm get-parameter --name /myapp/database/password --with-decryption --query Parameter.Value --output text"
    check("the new value holds", shell(query) == "newsecret\n")
    kept = ssm.describe_parameters(ParameterFilters=[{"Key": "Name", "Values": ["/myapp/database/password"]}])
    check("its key stayed", kept["Parameters"][0]["KeyId"] == "alias/parameter-store-key", kept)
    error = shell('aws ssm delete-parameter --name "/myapp/old-config"', works=False)
    check("what is not there is said so", "(ParameterNotFound)" in error, error)
    error = shell(
        "aws ssm put-parameter --name /myapp/x --value v --type String --overwrite --tags Key=a,Value=b", works=False
    )
    check("tags and overwrite are refused as the service does", "tags and overwrite can't be used together" in error, error)
    # What a deployment's step reads its settings with.
    text = shell(
        "aws ssm get-parameters-by-path --path '/myapp' --recursive --with-decryption"
        " --query 'Parameters[*].[Name,Value]' --output text"
    )
    check("lines of names and values", "/myapp/api/key\tapi-key-value" in text, text)


def library():
    value = "zażółć 🦀 " + "x" * 4000
    for n in range(25):
        ssm.put_parameter(Name=f"/many/{n:02}", Value=f"{value}{n}", Type="String")
    pages = list(ssm.get_paginator("get_parameters_by_path").paginate(Path="/many"))
    found = [parameter["Value"] for page in pages for parameter in page["Parameters"]]
    check("every value comes back over the pages", found == [f"{value}{n}" for n in range(25)], len(found))
    check("ten on each page", [len(page["Parameters"]) for page in pages] == [10, 10, 5])
    filters = [{"Key": "tag:Environment", "Values": ["Production"]}]
    pages = ssm.get_paginator("describe_parameters").paginate(ParameterFilters=filters)
    names = [parameter["Name"] for page in pages for parameter in page["Parameters"]]
    check("a tag finds one", names == ["/myapp/api/key"], names)
    ssm.put_parameter(Name="/many/00", Value="second", Overwrite=True)
    ssm.label_parameter_version(Name="/many/00", ParameterVersion=1, Labels=["first"])
    found = ssm.get_parameter(Name="/many/00:first")["Parameter"]
    check("a label finds its version", (found["Version"], found["Selector"]) == (1, ":first"), found)
    history = ssm.get_parameter_history(Name="/many/00")["Parameters"]
    check("the history has both", [(p["Version"], p["Labels"]) for p in history] == [(1, ["first"]), (2, [])], history)
    check("times are times", abs((history[1]["LastModifiedDate"] - history[0]["LastModifiedDate"]).total_seconds()) < 600)
    ssm.unlabel_parameter_version(Name="/many/00", ParameterVersion=1, Labels=["first"])
    refused("the label is gone", "ParameterVersionNotFound", ssm.get_parameter, Name="/many/00:first")
    sealed = ssm.get_parameter(Name="/myapp/api/key")["Parameter"]
    opened = kms.decrypt(
        CiphertextBlob=base64.b64decode(sealed["Value"]), EncryptionContext={"PARAMETER_ARN": sealed["ARN"]}
    )
    check("clients can open a secret themselves", opened["Plaintext"] == b"api-key-value", opened)
    message = refused(
        "an unknown key", "InvalidKeyId", ssm.put_parameter,
        Name="/k", Value="v", Type="SecureString", KeyId="alias/none",
    )
    check("which is named", "alias/none is not found. (Service: AWSKMS;" in message, message)
    deleted = ssm.delete_parameters(Names=[f"/many/{n:02}" for n in range(10)])["DeletedParameters"]
    check("ten are deleted", len(deleted) == 10, deleted)
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId="/many/10", Tags=[{"Key": "a", "Value": "b"}])
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/many/10")["TagList"]
    check("a tag is put on", tags == [{"Key": "a", "Value": "b"}], tags)


for part in (keys, guide, library):
    part()
print("all is well")
