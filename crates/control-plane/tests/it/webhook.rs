//! A webhook that really listens, and a topic that tells it.

use crate::forms::{Service, encoded};
use crate::world::World;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use muster_store::{RowExt as _, Sql};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// The notification service.
pub(crate) const SNS: Service = Service {
    name: "sns",
    version: "2010-03-31",
};
/// The topic of these tests.
pub(crate) const ALERTS: &str = "arn:aws:sns:eu-west-1:123456789012:patch-alerts";

/// A webhook that keeps what it is sent and answers what it is told to.
#[derive(Clone, Default)]
pub(crate) struct Receiver {
    pub(crate) letters: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    pub(crate) answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    /// Starts it; gives its address.
    pub(crate) async fn listen(&self) -> String {
        async fn take(
            State(receiver): State<Receiver>,
            headers: HeaderMap,
            body: String,
        ) -> (StatusCode, &'static str) {
            receiver.letters.lock().unwrap().push((headers, body));
            let status = receiver.answers.lock().unwrap().pop().unwrap_or(200);
            (StatusCode::from_u16(status).unwrap(), "taken")
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
    pub(crate) fn taken(&self) -> Vec<(HeaderMap, String)> {
        std::mem::take(&mut *self.letters.lock().unwrap())
    }
}

/// Subscribes a webhook to the alerts.
pub(crate) async fn subscribe(world: &World, endpoint: &str, more: &str) -> String {
    let body = format!(
        "Action=Subscribe&TopicArn={ALERTS}&Protocol=http&Endpoint={}{more}",
        encoded(endpoint)
    );
    SNS.ok(world, &body).await
}

/// Follows the link that a new subscriber was sent.
pub(crate) async fn confirm(world: &World, letter: &str) -> (u16, String) {
    let letter: Value = serde_json::from_str(letter).unwrap();
    let link = letter["SubscribeURL"].as_str().unwrap();
    let rest = link.strip_prefix("http://cp.test:4580").unwrap();
    let (status, _, answer) = world.send("GET", rest, HeaderMap::new(), Vec::new()).await;
    (status, String::from_utf8(answer).unwrap())
}

/// A topic with a webhook that has confirmed.
pub(crate) async fn told(world: &World) -> Receiver {
    SNS.ok(world, "Action=CreateTopic&Name=patch-alerts").await;
    let receiver = Receiver::default();
    let endpoint = receiver.listen().await;
    subscribe(world, &endpoint, "").await;
    world.plane.deliver().await;
    let asked = receiver.taken();
    assert_eq!(confirm(world, &asked[0].1).await.0, 200);
    receiver
}

/// Deliveries and messages that wait.
pub(crate) async fn waiting(world: &World) -> (i64, i64) {
    let sql = Sql::new(
        "select (select count(*) from sns_deliveries) as d, (select count(*) from sns_messages) as m from schema_version \
         limit 1",
    );
    let row = sql.first(world.db.reader()).await.unwrap().unwrap();
    (row.int("d").unwrap(), row.int("m").unwrap())
}
