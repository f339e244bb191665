//! Topics and webhooks: a receiver that really listens, what it is sent, what is tried again, and what commands tell.

use crate::agent::{Agent, serve};
use crate::world::{REGION, World};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use muster_control_plane::{Access, OPERATIONS, Who};
use muster_store::Sql;
use muster_store::test_database::on_both;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";
const ALERTS: &str = "arn:aws:sns:eu-west-1:123456789012:patch-alerts";

async fn call_as(
    world: &World,
    keys: &muster_agent_protocol::signing::Credentials,
    body: &str,
) -> (u16, String) {
    let body = format!("{body}&Version=2010-03-31");
    let headers = [("content-type", FORM)];
    let signed = world.signed(keys, "sns", REGION, ("POST", "/", ""), &headers, body.as_bytes());
    let (status, _, answer) = world.send("POST", "/", signed, body.into_bytes()).await;
    (status, String::from_utf8(answer).unwrap())
}

async fn ok(world: &World, body: &str) -> String {
    let (status, answer) = call_as(world, &world.plane.operator_credentials(), body).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn refused(world: &World, body: &str, code: &str) -> String {
    let (status, answer) = call_as(world, &world.plane.operator_credentials(), body).await;
    assert_eq!(status, if code == "NotFound" { 404 } else { 400 }, "{answer}");
    assert!(answer.contains(&format!("<Code>{code}</Code>")), "{answer}");
    answer
}

fn element<'a>(answer: &'a str, name: &str) -> &'a str {
    answer
        .split(&format!("<{name}>"))
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .unwrap_or_else(|| panic!("no {name} in {answer}"))
}

/// A value in a form.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A webhook that keeps what it is sent and answers what it is told to.
#[derive(Clone, Default)]
struct Receiver {
    letters: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    /// Starts it; gives its address.
    async fn listen(&self) -> String {
        async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> StatusCode {
            receiver.letters.lock().unwrap().push((headers, body));
            let status = receiver.answers.lock().unwrap().pop().unwrap_or(200);
            StatusCode::from_u16(status).unwrap()
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = axum::Router::new()
            .route("/hook", post(take))
            .with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        format!("http://{address}/hook")
    }

    /// What came since the last look.
    fn taken(&self) -> Vec<(HeaderMap, String)> {
        std::mem::take(&mut *self.letters.lock().unwrap())
    }
}

async fn subscribe(world: &World, endpoint: &str, more: &str) -> String {
    let body = format!(
        "Action=Subscribe&TopicArn={ALERTS}&Protocol=http&Endpoint={}{more}",
        encoded(endpoint)
    );
    ok(world, &body).await
}

/// Follows the link that a new subscriber was sent.
async fn confirm(world: &World, letter: &str) -> (u16, String) {
    let letter: Value = serde_json::from_str(letter).unwrap();
    let link = letter["SubscribeURL"].as_str().unwrap();
    let rest = link.strip_prefix("http://cp.test:4580").unwrap();
    let (status, _, answer) = world.send("GET", rest, HeaderMap::new(), Vec::new()).await;
    (status, String::from_utf8(answer).unwrap())
}

/// A topic with a webhook that has confirmed.
async fn told(world: &World) -> Receiver {
    ok(world, "Action=CreateTopic&Name=patch-alerts").await;
    let receiver = Receiver::default();
    let endpoint = receiver.listen().await;
    subscribe(world, &endpoint, "").await;
    world.plane.deliver().await;
    let asked = receiver.taken();
    assert_eq!(confirm(world, &asked[0].1).await.0, 200);
    receiver
}

async fn waiting(world: &World) -> (i64, i64) {
    use muster_store::RowExt as _;
    let sql = Sql::new(
        "select (select count(*) from sns_deliveries) as d, (select count(*) from sns_messages) as m from schema_version \
         limit 1",
    );
    let row = sql.first(world.db.reader()).await.unwrap().unwrap();
    (row.int("d").unwrap(), row.int("m").unwrap())
}

#[tokio::test]
async fn a_webhook_is_asked_first_and_then_told() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let made = ok(&world, "Action=CreateTopic&Name=patch-alerts").await;
        assert_eq!(element(&made, "TopicArn"), ALERTS);
        assert_eq!(
            ok(&world, "Action=CreateTopic&Name=patch-alerts")
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
        ok(&world, &publish).await;
        world.plane.deliver().await;
        let asked = receiver.taken();
        assert_eq!(asked.len(), 1);
        let (headers, letter) = &asked[0];
        assert_eq!(headers["x-amz-sns-message-type"], "SubscriptionConfirmation");
        let listed = ok(
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
        let answer = ok(
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
        let attributes = ok(&world, &format!("Action=GetTopicAttributes&TopicArn={ALERTS}")).await;
        assert!(
            attributes.contains("<entry><key>SubscriptionsConfirmed</key><value>1</value></entry>"),
            "{attributes}"
        );
        ok(
            &world,
            &format!("Action=Unsubscribe&SubscriptionArn={subscription}"),
        )
        .await;
        ok(&world, &publish).await;
        world.plane.deliver().await;
        assert!(receiver.taken().is_empty());
        ok(&world, &format!("Action=DeleteTopic&TopicArn={ALERTS}")).await;
        refused(&world, &publish, "NotFound").await;
    })
    .await;
}

#[tokio::test]
async fn a_message_alone_may_be_wanted() {
    on_both(|db| async move {
        let world = World::new(db).await;
        ok(&world, "Action=CreateTopic&Name=patch-alerts&Attributes.entry.1.key=DisplayName&Attributes.entry.1.value=A").await;
        let receiver = Receiver::default();
        let endpoint = receiver.listen().await;
        let raw = "&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true&ReturnSubscriptionArn=true";
        let answer = subscribe(&world, &endpoint, raw).await;
        assert!(element(&answer, "SubscriptionArn").starts_with(ALERTS));
        world.plane.deliver().await;
        assert_eq!(confirm(&world, &receiver.taken()[0].1).await.0, 200);
        let texts = encoded(r#"{"default": "d", "http": "{\"text\": \"h\"}"}"#);
        ok(&world, &format!("Action=Publish&TargetArn={ALERTS}&MessageStructure=json&Message={texts}")).await;
        world.plane.deliver().await;
        let told = receiver.taken();
        assert_eq!(told[0].1, r#"{"text": "h"}"#);
        assert_eq!(told[0].0["x-amz-sns-rawdelivery"], "true");
    })
    .await;
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_the_rest_is_given_up() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let receiver = told(&world).await;
        let publish = format!("Action=Publish&TopicArn={ALERTS}&Message=m");
        *receiver.answers.lock().unwrap() = vec![200, 429, 503];
        ok(&world, &publish).await;
        world.plane.deliver().await;
        world.plane.deliver().await;
        assert_eq!(receiver.taken().len(), 1, "it waits before it tries again");
        world.clock.advance(1_000);
        world.plane.deliver().await;
        assert_eq!(receiver.taken().len(), 1);
        world.clock.advance(1_000);
        // A restart forgets nothing.
        let world = world.restarted().await;
        world.plane.deliver().await;
        assert!(receiver.taken().is_empty());
        world.clock.advance(4_000);
        world.plane.deliver().await;
        assert_eq!(receiver.taken().len(), 1);
        assert_eq!(waiting(&world).await, (0, 0));

        *receiver.answers.lock().unwrap() = vec![404];
        ok(&world, &publish).await;
        world.plane.deliver().await;
        assert_eq!(receiver.taken().len(), 1);
        assert_eq!(waiting(&world).await, (0, 0));

        // Nobody answers for a day: then it is over, also for what waits behind the first one.
        *receiver.answers.lock().unwrap() = vec![500; 1_000];
        ok(&world, &publish).await;
        world.plane.deliver().await;
        ok(&world, &publish).await;
        world.plane.deliver().await;
        assert_eq!(
            receiver.taken().len(),
            1,
            "a new message waits with the first one"
        );
        for _ in 0..23 {
            world.clock.advance(3_600_000);
            world.plane.deliver().await;
        }
        assert_eq!(waiting(&world).await, (2, 2));
        assert!(receiver.taken().len() >= 20);
        world.clock.advance(3_600_001);
        world.plane.deliver().await;
        assert_eq!(waiting(&world).await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn many_are_told_and_one_that_does_not_answer_holds_up_nobody() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let dead = told(&world).await;
        let mut others = Vec::new();
        for _ in 0..9 {
            let receiver = Receiver::default();
            let endpoint = receiver.listen().await;
            subscribe(&world, &endpoint, "").await;
            world.plane.deliver().await;
            assert_eq!(confirm(&world, &receiver.taken()[0].1).await.0, 200);
            others.push(receiver);
        }
        *dead.answers.lock().unwrap() = vec![503; 100];
        for at in 0..12 {
            ok(&world, &format!("Action=Publish&TopicArn={ALERTS}&Message=m{at}")).await;
        }
        world.plane.deliver().await;
        for receiver in &others {
            let told = receiver.taken();
            let texts: Vec<Value> = told
                .iter()
                .map(|(_, letter)| serde_json::from_str(letter).unwrap())
                .collect();
            assert_eq!(texts.len(), 12);
        }
        // It is tried with one message, not with each of them, and nothing is forgotten.
        assert_eq!(dead.taken().len(), 1);
        assert_eq!(waiting(&world).await, (12, 12));
        dead.answers.lock().unwrap().clear();
        world.clock.advance(1_000);
        world.plane.deliver().await;
        assert_eq!(dead.taken().len(), 12);
        assert_eq!(waiting(&world).await, (0, 0));
    })
    .await;
}

#[tokio::test]
async fn who_does_not_confirm_is_forgotten() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let told = told(&world).await;
        let receiver = Receiver::default();
        let endpoint = receiver.listen().await;
        subscribe(&world, &endpoint, "").await;
        world.plane.deliver().await;
        let letter = receiver.taken().remove(0).1;
        world.clock.advance(3 * 86_400_000 + 1);
        let (status, answer) = confirm(&world, &letter).await;
        assert_eq!(status, 400, "{answer}");
        ok(&world, &format!("Action=Publish&TopicArn={ALERTS}&Message=m")).await;
        world.plane.deliver().await;
        assert_eq!(told.taken().len(), 1);
        let listed = ok(&world, "Action=ListSubscriptions").await;
        assert_eq!(listed.matches("<member>").count(), 1, "{listed}");
        // Somebody may ask for it anew, also when the last time was long ago and nothing has happened since.
        subscribe(&world, &endpoint, "").await;
        world.plane.deliver().await;
        receiver.taken();
        world.clock.advance(4 * 86_400_000);
        subscribe(&world, &endpoint, "").await;
        world.plane.deliver().await;
        assert_eq!(confirm(&world, &receiver.taken()[0].1).await.0, 200);
        // Deleting the topic takes what is on its way with it.
        *receiver.answers.lock().unwrap() = vec![500];
        ok(&world, &format!("Action=Publish&TopicArn={ALERTS}&Message=m")).await;
        ok(&world, &format!("Action=DeleteTopic&TopicArn={ALERTS}")).await;
        assert_eq!(waiting(&world).await, (0, 0));
        assert!(!ok(&world, "Action=ListSubscriptions").await.contains("<member>"));
    })
    .await;
}

#[tokio::test]
async fn commands_tell_how_they_stand() {
    on_both(|db| async move {
        let world = World::new(db).await;
        let receiver = told(&world).await;
        let address = serve(&world).await;
        let node = world.node("one").await;
        let mut agent = Agent::connect(&world, &node, address, &[]).await;
        let wish = |kind: &str, events: Value| {
            json!({"NotificationConfig": {"NotificationArn": ALERTS, "NotificationEvents": events,
                "NotificationType": kind}, "ServiceRoleArn": "arn:aws:iam::123456789012:role/sns"})
        };
        let statuses = |told: Vec<(HeaderMap, String)>| {
            let mut found: Vec<(String, Value)> = told
                .into_iter()
                .map(|(_, letter)| {
                    let letter: Value = serde_json::from_str(&letter).unwrap();
                    assert_eq!(letter["Subject"], "EC2 Run Command Notification eu-west-1");
                    let text: Value = serde_json::from_str(letter["Message"].as_str().unwrap()).unwrap();
                    (text["status"].as_str().unwrap().to_owned(), text)
                })
                .collect();
            found.sort_by(|one, two| one.0.cmp(&two.0));
            found
        };
        for (kind, events, expected) in [
            ("Command", json!(["All"]), vec!["Failed", "InProgress"]),
            ("Invocation", json!(["All"]), vec!["Failed", "InProgress"]),
            ("Command", json!(["Success", "TimedOut"]), vec![]),
            ("Command", json!(["Failed"]), vec!["Failed"]),
        ] {
            let command = world.run(&[&node], wish(kind, events)).await;
            world.plane.tick().await;
            let message = agent.receive_long("agent_job").await;
            let job: Value = serde_json::from_slice(&message.payload).unwrap();
            agent.ack(&message, job["JobId"].as_str().unwrap(), "200").await;
            world
                .until("the node has it", || async {
                    world.detail(&command, &node).await == "InProgress"
                })
                .await;
            agent.end(&command, "Failed", 1, "", "").await;
            world
                .until("the command has ended", || async {
                    world.details(&command).await == "Failed"
                })
                .await;
            world.plane.deliver().await;
            let told = statuses(receiver.taken());
            let found: Vec<&str> = told.iter().map(|(status, _)| status.as_str()).collect();
            assert_eq!(found, expected, "{kind}");
            for (_, text) in told {
                assert_eq!(text["commandId"], command.as_str());
                assert_eq!(text["documentName"], "AWS-RunShellScript");
                if kind == "Invocation" {
                    assert_eq!(text["instanceId"], node.id.as_str());
                } else {
                    assert_eq!(text["instanceIds"], json!([node.id]));
                }
            }
        }
        // A command that nobody gets, and one that is cancelled.
        let away = world.node("away").await;
        let command = world.run(&[&away], wish("Command", json!(["All"]))).await;
        world.ok("CancelCommand", json!({"CommandId": command})).await;
        world.plane.deliver().await;
        assert_eq!(statuses(receiver.taken())[0].0, "Cancelled");
        for arn in [
            "arn:aws:sns:eu-west-1:123456789012:none",
            "arn:aws:sns:us-east-1:123456789012:patch-alerts",
            "x",
        ] {
            let mut input = json!({"DocumentName": "AWS-RunShellScript", "InstanceIds": [node.id],
                "Parameters": {"commands": ["id"]}});
            input["NotificationConfig"] = json!({"NotificationArn": arn, "NotificationEvents": ["All"]});
            world
                .refused("SendCommand", input, "InvalidNotificationConfig")
                .await;
        }
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
            let (_, answer) = call_as(&world, &node.credentials, &body).await;
            assert!(answer.contains("<Code>AccessDeniedException</Code>"), "{answer}");
            let mut forged = world.plane.operator_credentials();
            forged.secret_access_key.push('x');
            let (_, answer) = call_as(&world, &forged, &body).await;
            assert!(answer.contains("<Code>InvalidSignatureException</Code>"), "{answer}");
            let before = world.audit.0.lock().unwrap().len();
            let (status, answer) = call_as(&world, &world.plane.operator_credentials(), &body).await;
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
            refused(&world, body, code).await;
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
            ok(&world, &format!("Action=CreateTopic&Name=t{at:03}")).await;
        }
        let first = ok(&world, "Action=ListTopics").await;
        assert_eq!(first.matches("<member>").count(), 100);
        let token = element(&first, "NextToken").to_owned();
        let rest = ok(&world, &format!("Action=ListTopics&NextToken={token}")).await;
        assert_eq!(rest.matches("<member>").count(), 1);
        assert!(rest.contains(":t100<") && !rest.contains("NextToken"), "{rest}");
    })
    .await;
}
