"""Topics by boto3 and the `aws` command, with a webhook that really listens; an alert as patch scripts send it.

A plain script: it prints what it checks and ends with a non-zero status at the first thing that is wrong.

    MUSTER_TEST_ENDPOINT   http://127.0.0.1:4580
    MUSTER_TEST_NODE       a node that is online and answers commands
    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY   the operator's key
    MUSTER_TEST_AWS        the `aws` command; the one on PATH unless given
"""

import http.server
import json
import os
import queue
import threading
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from checks import check, refused, shell

ENDPOINT = os.environ["MUSTER_TEST_ENDPOINT"]
NODE = os.environ["MUSTER_TEST_NODE"]
options = {"endpoint_url": ENDPOINT, "config": Config(retries={"max_attempts": 1})}
letters = queue.Queue()


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        letters.put((dict(self.headers), body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def letter(kind):
    headers, body = letters.get(timeout=30)
    found = {name.lower(): value for name, value in headers.items()}
    check(f"a webhook gets a {kind}", found["x-amz-sns-message-type"] == kind, found)
    return json.loads(body)


def webhook():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/hook"


def alerts():
    """What a patch script does when a deployment fails, in the region and account that it names."""
    sns = boto3.client("sns", region_name="us-west-2", **options)
    made = sns.create_topic(Name="patch-alerts")
    arn = "arn:aws:sns:us-west-2:123456789012:patch-alerts"
    check("a topic has its ARN", made["TopicArn"] == arn, made)
    asked = sns.subscribe(TopicArn=arn, Protocol="http", Endpoint=webhook())
    check("a subscription waits", asked["SubscriptionArn"] == "pending confirmation", asked)
    question = letter("SubscriptionConfirmation")
    with urllib.request.urlopen(question["SubscribeURL"], timeout=30) as answer:
        check("the link of the question is answered", answer.status == 200, answer.status)
    listed = sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    check("the subscription is there", listed[0]["SubscriptionArn"].startswith(arn), listed)
    confirmed = sns.confirm_subscription(TopicArn=arn, Token=question["Token"])
    check("confirming twice is the same", confirmed["SubscriptionArn"] == listed[0]["SubscriptionArn"], confirmed)

    message = "Patch deployment failed with status: Failed"
    sent = sns.publish(
        TopicArn="arn:aws:sns:us-west-2:123456789012:patch-alerts", Message=message, Subject="Patch Deployment Alert"
    )
    told = letter("Notification")
    check("the alert arrives", told["Message"] == message and told["MessageId"] == sent["MessageId"], told)
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    check("the topic counts its subscriptions", attributes["SubscriptionsConfirmed"] == "1", attributes)
    refused("a publication to nobody's topic", "InvalidParameter", sns.publish, TopicArn="arn:x", Message="m")
    try:
        sns.publish(TopicArn=arn + "-none", Message="m")
        raise AssertionError("a topic that is not there")
    except sns.exceptions.NotFoundException as error:
        check("a topic that is not there is not found", error.response["ResponseMetadata"]["HTTPStatusCode"] == 404)
    except ClientError as error:
        raise AssertionError(error.response) from error
    sns.unsubscribe(SubscriptionArn=listed[0]["SubscriptionArn"])
    check("nobody is subscribed any more", not sns.list_subscriptions()["Subscriptions"])
    sns.delete_topic(TopicArn=arn)
    check("the topic is gone", not sns.list_topics()["Topics"])


def commands():
    """`send-command` with a notification, by the command line."""
    shell("aws sns create-topic --name commands --attributes DisplayName=Commands")
    arn = "arn:aws:sns:eu-west-1:123456789012:commands"
    shell(f"aws sns subscribe --topic-arn {arn} --protocol http --notification-endpoint {webhook()}")
    token = letter("SubscriptionConfirmation")["Token"]
    shell(f"aws sns confirm-subscription --topic-arn {arn} --token {token}")
    config = f"NotificationArn={arn},NotificationEvents=All,NotificationType=Invocation"
    printed = shell(f"""aws ssm send-command --document-name AWS-RunShellScript --instance-ids {NODE} \\
        --parameters commands='echo told' --service-role-arn arn:aws:iam::123456789012:role/sns \\
        --notification-config {config}""")
    command = json.loads(printed)["Command"]
    check("the wish is shown", command["NotificationConfig"]["NotificationArn"] == arn, command)
    found = [json.loads(letter("Notification")["Message"]) for _ in range(2)]
    statuses = sorted(one["status"] for one in found)
    check("the node's part is told twice", statuses == ["InProgress", "Success"], found)
    check("by its ids", all(one["instanceId"] == NODE for one in found), found)
    shell(f"aws sns delete-topic --topic-arn {arn}")


alerts()
commands()
print("all checks hold")
