//! Topics: made, subscribed to, confirmed, published to, listed; and the same door as everywhere.

use crate::forms::element;
use crate::forms::encoded;
use crate::webhook::{ALERTS, Receiver, SNS, confirm, subscribe, told, waiting};
use crate::world::World;
use axum::http::HeaderMap;
use muster_control_plane::{Access, OPERATIONS, Who};
use muster_store::test_database::on_both;
use serde_json::{Value, json};

#[tokio::test]
async fn a_webhook_is_asked_first_and_then_told() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let made = SNS.ok(&world, "Action=CreateTopic&Name=patch-alerts").await;
        assert_eq!(element(&made, "TopicArn"), ALERTS);
        assert_eq!(
            SNS.ok(&world, "Action=CreateTopic&Name=patch-alerts")
                .await
                .matches("TopicArn")
                .count(),
            2
        );
        let receiver = Receiver::default();
        let endpoint = receiver.listen().await;
        let answer = subscribe(&world, &endpoint, "").await;
        assert_eq!(element(&answer, "SubscriptionArn"), "pending confirmation");
        // Nobody is told before they want to be.
        let publish = format!("Action=Publish&TopicArn={ALERTS}&Message=early");
        SNS.ok(&world, &publish).await;
        world.plane.deliver().await;
        let asked = receiver.taken();
        assert_eq!(asked.len(), 1);
        let (headers, letter) = &asked[0];
        assert_eq!(headers["x-amz-sns-message-type"], "SubscriptionConfirmation");
        let listed = SNS
            .ok(
                &world,
                &format!("Action=ListSubscriptionsByTopic&TopicArn={ALERTS}"),
            )
            .await;
        assert_eq!(element(&listed, "SubscriptionArn"), "PendingConfirmation");
        assert_eq!(element(&listed, "Endpoint"), endpoint);
        // A link that was changed is worth nothing.
        let forged = letter.replace("Token=", "Token=A");
        let (status, answer) = confirm(&world, &forged).await;
        assert_eq!(status, 400, "{answer}");
        let (status, answer) = confirm(&world, letter).await;
        assert_eq!(status, 200, "{answer}");
        let subscription = element(&answer, "SubscriptionArn").to_owned();
        assert!(subscription.starts_with(&format!("{ALERTS}:")), "{subscription}");
        // Following it twice does no harm.
        assert_eq!(confirm(&world, letter).await.0, 200);

        let message = encoded("Patch deployment failed: <ä> & more");
        let answer = SNS
            .ok(
                &world,
                &format!(
                    "Action=Publish&TopicArn={ALERTS}&Subject=Patch+Deployment+Alert&Message={message}\
                 &MessageAttributes.entry.1.Name=kind&MessageAttributes.entry.1.Value.DataType=String\
                 &MessageAttributes.entry.1.Value.StringValue=alert"
                ),
            )
            .await;
        world.plane.deliver().await;
        let told = receiver.taken();
        assert_eq!(told.len(), 1);
        let (headers, letter) = &told[0];
        assert_eq!(headers["x-amz-sns-message-type"], "Notification");
        assert_eq!(headers["x-amz-sns-topic-arn"], ALERTS);
        assert_eq!(headers["x-amz-sns-subscription-arn"], subscription.as_str());
        let letter: Value = serde_json::from_str(letter).unwrap();
        assert_eq!(letter["Message"], "Patch deployment failed: <ä> & more");
        assert_eq!(letter["Subject"], "Patch Deployment Alert");
        assert_eq!(letter["MessageId"], element(&answer, "MessageId"));
        assert_eq!(
            letter["MessageAttributes"]["kind"],
            json!({"Type": "String", "Value": "alert"})
        );
        assert_eq!(waiting(&world).await, (0, 0));
        let attributes = SNS
            .ok(&world, &format!("Action=GetTopicAttributes&TopicArn={ALERTS}"))
            .await;
        assert!(
            attributes.contains("<entry><key>SubscriptionsConfirmed</key><value>1</value></entry>"),
            "{attributes}"
        );
        SNS.ok(
            &world,
            &format!("Action=Unsubscribe&SubscriptionArn={subscription}"),
        )
        .await;
        SNS.ok(&world, &publish).await;
        world.plane.deliver().await;
        assert!(receiver.taken().is_empty());
        SNS.ok(&world, &format!("Action=DeleteTopic&TopicArn={ALERTS}"))
            .await;
        SNS.refused(&world, &publish, "NotFound").await;
    })
    .await;
}

#[tokio::test]
async fn a_message_alone_may_be_wanted() {
    on_both(|db| async move {
        let world = World::new(db).await;
        SNS.ok(&world, "Action=CreateTopic&Name=patch-alerts&Attributes.entry.1.key=DisplayName&Attributes.entry.1.value=A").await;
        let receiver = Receiver::default();
        let endpoint = receiver.listen().await;
        let raw = "&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true&ReturnSubscriptionArn=true";
        let answer = subscribe(&world, &endpoint, raw).await;
        assert!(element(&answer, "SubscriptionArn").starts_with(ALERTS));
        world.plane.deliver().await;
        assert_eq!(confirm(&world, &receiver.taken()[0].1).await.0, 200);
        let texts = encoded(r#"{"default": "d", "http": "{\"text\": \"h\"}"}"#);
        SNS.ok(&world, &format!("Action=Publish&TargetArn={ALERTS}&MessageStructure=json&Message={texts}")).await;
        world.plane.deliver().await;
        let told = receiver.taken();
        assert_eq!(told[0].1, r#"{"text": "h"}"#);
        assert_eq!(told[0].0["x-amz-sns-rawdelivery"], "true");
    })
    .await;
}

#[tokio::test]
async fn it_is_the_same_door() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let node = world.node("one").await;
        for operation in OPERATIONS.iter().filter(|o| o.service == "sns" && o.who == Who::Operator) {
            let body = format!("Action={}", operation.name);
            let (_, answer) = SNS.call_as(&world, &node.credentials, &body).await;
            assert!(answer.contains("<Code>AccessDeniedException</Code>"), "{answer}");
            let mut forged = world.plane.operator_credentials();
            forged.secret_access_key.push('x');
            let (_, answer) = SNS.call_as(&world, &forged, &body).await;
            assert!(answer.contains("<Code>InvalidSignatureException</Code>"), "{answer}");
            let before = world.audit.0.lock().unwrap().len();
            let (status, answer) = SNS.call_as(&world, &world.plane.operator_credentials(), &body).await;
            assert!(status == 200 || status == 400, "{answer}");
            let added = world.audit.0.lock().unwrap().len() - before;
            let expected = usize::from(operation.access == Access::Write) * 2;
            assert_eq!(added, expected, "{}", operation.name);
        }
        // What is said by the address of a webhook, and by a token, stays out of the log.
        told(&world).await;
        let log = format!("{:?}", world.audit.0.lock().unwrap());
        assert!(log.contains("sns.Subscribe") && log.contains("sns.ConfirmSubscription"), "{log}");
        assert!(!log.contains("/hook") && !log.contains("Token"), "{log}");
        for (body, code) in [
            ("Action=CreateTopic", "ValidationException"),
            ("Action=CreateTopic&Name=a.fifo", "InvalidParameter"),
            ("Action=CreateTopic&Name=a&Attributes.entry.1.key=FifoTopic&Attributes.entry.1.value=true", "InvalidParameter"),
            ("Action=CreateTopic&Name=a&Tags.member.1.Key=k&Tags.member.1.Value=v", "InvalidParameter"),
            ("Action=Publish&Message=m", "InvalidParameter"),
            ("Action=Publish&PhoneNumber=%2B49&Message=m", "InvalidParameter"),
            ("Action=Publish&TopicArn=arn:aws:sns:us-west-2:123456789012:patch-alerts&Message=m", "InvalidParameter"),
            ("Action=Publish&TopicArn=arn:aws:sns:eu-west-1:123456789012:none&Message=m", "NotFound"),
            ("Action=Subscribe&Protocol=email&Endpoint=a%40b&TopicArn=arn:aws:sns:eu-west-1:123456789012:patch-alerts", "InvalidParameter"),
            ("Action=Unsubscribe&SubscriptionArn=x", "InvalidParameter"),
            ("Action=ListTopics&NextToken=x", "InvalidNextToken"),
            ("Action=TagResource", "InvalidAction"),
        ] {
            SNS.refused(&world, body, code).await;
        }
        let (status, _, answer) = world.send("GET", "/?Action=DeleteTopic", HeaderMap::new(), Vec::new()).await;
        assert_eq!(status, 400, "{}", String::from_utf8_lossy(&answer));
    })
    .await;
}

#[tokio::test]
async fn topics_are_listed_in_pages() {
    on_both(|db| async move {
        let world = World::new(db).await;
        for at in 0..101 {
            SNS.ok(&world, &format!("Action=CreateTopic&Name=t{at:03}")).await;
        }
        let first = SNS.ok(&world, "Action=ListTopics").await;
        assert_eq!(first.matches("<member>").count(), 100);
        let token = element(&first, "NextToken").to_owned();
        let rest = SNS
            .ok(&world, &format!("Action=ListTopics&NextToken={token}"))
            .await;
        assert_eq!(rest.matches("<member>").count(), 1);
        assert!(rest.contains(":t100<") && !rest.contains("NextToken"), "{rest}");
    })
    .await;
}
