//! Live streams end with the right to follow them: at sign-out, when an account is disabled, and with the role.

use crate::support;
use futures::StreamExt as _;
use muster_tests::{Client, Portal};
use serde_json::Value;
use std::time::Duration;

const PASSWORD: &str = "somebody who follows along";

async fn create(admin: &Client, name: &str) -> Value {
    let user = [
        ("name", name),
        ("display_name", ""),
        ("password", PASSWORD),
        ("role", "operator"),
        ("scope", "*"),
    ];
    let (status, answer) = admin.call("access/create_user", &user).await.unwrap();
    assert!((200..300).contains(&status), "{status} {answer}");
    let (_, users) = admin.call("access/users", &[]).await.unwrap();
    let user = users.as_array().unwrap().iter().find(|user| user["name"] == name);
    user.unwrap().clone()
}

/// The stream of a path that must be open, from its first piece on.
async fn followed(client: &Client, path: &str) -> impl Future<Output = ()> + use<> {
    let answer = client.open(path).await.unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{path}");
    let mut pieces = answer.bytes_stream();
    pieces.next().await.expect("the stream says something").unwrap();
    async move { while pieces.next().await.is_some_and(|piece| piece.is_ok()) {} }
}

/// Waits for its end, which must not take until somebody looks again by themselves.
async fn ends(stream: impl Future<Output = ()>, why: &str) {
    tokio::time::timeout(Duration::from_secs(10), stream)
        .await
        .unwrap_or_else(|_| panic!("the stream goes on after {why}"));
}

#[tokio::test]
async fn a_stream_ends_when_its_person_may_not_follow_it_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let portal = Portal::start(folder.path(), &[], &[]).unwrap();
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = support::online_node(&admin).await;
    let id = support::run_script(&admin, &node, "echo begun; sleep 600").await;
    let path = format!("/events/commands/{id}?cursor=0");

    let mut kept = Box::pin(followed(&admin, &path).await);
    // Disabled: what one follows ends, and cannot be taken up again.
    let user = create(&admin, "disabled-soon").await;
    let client = Client::sign_in(&portal.base, "disabled-soon", PASSWORD)
        .await
        .unwrap();
    let (command, page) = (
        followed(&client, &path).await,
        followed(&client, "/events/portal").await,
    );
    let id_of = |user: &Value| user["id"].as_str().unwrap().to_owned();
    let (status, _) = admin
        .call("access/disable_user", &[("user_id", &id_of(&user))])
        .await
        .unwrap();
    assert!((200..300).contains(&status));
    ends(command, "the account was disabled").await;
    ends(page, "the account was disabled").await;
    assert_eq!(client.open(&path).await.unwrap().status().as_u16(), 401);

    // Signed out, in another window of the same browser.
    create(&admin, "leaves-soon").await;
    let client = Client::sign_in(&portal.base, "leaves-soon", PASSWORD)
        .await
        .unwrap();
    let command = followed(&client, &path).await;
    client.call("access/sign_out_everywhere", &[]).await.unwrap();
    ends(command, "the sign-out").await;

    // Without the role: the stream ends, and is refused for the role, not for the person.
    let user = create(&admin, "loses-soon").await;
    let client = Client::sign_in(&portal.base, "loses-soon", PASSWORD)
        .await
        .unwrap();
    let command = followed(&client, &path).await;
    let grant = user["grants"][0]["id"].as_str().unwrap();
    admin
        .call("access/revoke_role", &[("grant_id", grant)])
        .await
        .unwrap();
    ends(command, "the role was taken away").await;
    assert_eq!(client.open(&path).await.unwrap().status().as_u16(), 403);

    // By a program's token.
    create(&admin, "by-token").await;
    let client = Client::sign_in(&portal.base, "by-token", PASSWORD).await.unwrap();
    let fields = [("name", "script"), ("days", "1")];
    let (_, token) = client.call("access/create_token", &fields).await.unwrap();
    let http = reqwest::Client::new();
    let open = || {
        let secret = token["secret"].as_str().unwrap_or_else(|| panic!("{token}"));
        http.get(format!("{}{path}", portal.base))
            .bearer_auth(secret)
            .send()
    };
    let mut pieces = open().await.unwrap().bytes_stream();
    pieces.next().await.expect("the stream says something").unwrap();
    let (_, tokens) = client.call("access/tokens", &[]).await.unwrap();
    let id = tokens[0]["id"].as_str().unwrap();
    client
        .call("access/revoke_token", &[("token_id", id)])
        .await
        .unwrap();
    ends(
        async move { while pieces.next().await.is_some_and(|piece| piece.is_ok()) {} },
        "the token was revoked",
    )
    .await;
    assert_eq!(open().await.unwrap().status().as_u16(), 401);

    // Whoever still may, follows on.
    assert!(futures::poll!(&mut kept).is_pending());
}
