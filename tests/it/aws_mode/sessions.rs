//! Terminals at AWS: asked for as the account's documents allow, opened with a signature at the address that the service names,
//! relayed, recorded, resumed and ended; and no token goes anywhere else.

use super::Aws;
use super::channels::DROP;
use muster_domain::sessions::{EndReason, RecordingState, SessionStatus};
use muster_tests::Client;
use muster_tests::terminal::{Terminal, start};

const ACCOUNT: &str = "123456789012";

#[tokio::test]
async fn a_terminal_is_relayed_resumed_recorded_and_ended() {
    let aws = Aws::with_nodes(1).await;
    let portal = aws.portal("portal", &[]);
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = aws.node(&admin).await;
    super::frame_says(&admin, ACCOUNT).await;
    let channels = aws.edge.channels();

    // Nobody has saved session preferences in this account, so there is nothing that would take a user.
    let fields = [
        ("node_id", node.as_str()),
        ("os_user", "root"),
        ("reason", "a test"),
    ];
    let (status, answer) = admin.call("sessions/start", &fields).await.unwrap();
    assert_eq!(status, 422, "{answer}");
    let field = &answer["error"]["Invalid"]["fields"][0];
    assert_eq!(field["field"], "os_user", "{answer}");
    assert!(
        field["message"].as_str().unwrap().contains("runAsDefaultUser"),
        "{answer}"
    );
    assert!(
        channels.asked("StartSession").is_empty(),
        "AWS was not even asked"
    );

    let id = start(&admin, &node).await.unwrap();
    let mut page = Terminal::attach(&admin, &id, "one", None).await.unwrap();
    page.shows("welcome to AWS").await.unwrap();
    let asked = channels.asked("StartSession");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["Reason"], "a test");
    assert!(asked[0].get("DocumentName").is_none() && asked[0].get("Parameters").is_none());
    assert_eq!(page.session.status, SessionStatus::Connected);
    assert_eq!(
        (page.session.account.as_str(), page.session.region.as_str()),
        (ACCOUNT, "eu-west-1")
    );
    let (_, _, html) = admin.get(&format!("/terminals/{id}")).await.unwrap();
    assert!(html.contains("123456789012 · eu-west-1"), "{html}");
    page.type_in("hello\r").await.unwrap();
    page.shows("you said hello\r\n").await.unwrap();

    // The connection breaks without a word: the portal asks for another token, and nothing is lost or comes twice.
    page.type_in(format!("{DROP}\r")).await.unwrap();
    page.type_in("after\r").await.unwrap();
    page.shows("you said after\r\n").await.unwrap();
    assert_eq!(page.text().matches("you said").count(), 2, "{}", page.text());
    assert_eq!(channels.asked("ResumeSession").len(), 1);
    let opened = channels.opened();
    assert_eq!(opened.len(), 2);
    assert!(opened.iter().all(|(service, region, key)| {
        (service.as_str(), region.as_str(), key.as_str())
            == ("ssmmessages", "eu-west-1", "AKIAPORTAL0000000000")
    }));

    page.type_in("exit\r").await.unwrap();
    page.until("the end", |page| page.ended).await.unwrap();
    assert_eq!(page.session.end_reason, Some(EndReason::Exited));
    assert_eq!(page.session.recording, RecordingState::Signed);
    let (status, _, cast) = admin
        .get(&format!("/download/sessions/{id}/recording.cast"))
        .await
        .unwrap();
    assert!(status == 200 && cast.contains("you said hello"), "{cast}");
    let (code, text) = portal.command(&["recording", "verify", &id]).unwrap();
    assert_eq!(code, 0, "{text}");

    // One that is ended here is ended there.
    let id = start(&admin, &node).await.unwrap();
    let mut page = Terminal::attach(&admin, &id, "one", None).await.unwrap();
    page.shows("welcome to AWS").await.unwrap();
    let ssm = page.session.ssm_session_id.clone();
    let (status, answer) = admin.call("sessions/end", &[("session_id", &id)]).await.unwrap();
    assert!(status < 400, "{answer}");
    page.until("the end", |page| page.ended).await.unwrap();
    assert_eq!(channels.asked("TerminateSession").len(), 1);
    assert_eq!(channels.asked("TerminateSession")[0]["SessionId"], ssm);
}

#[tokio::test]
async fn a_token_goes_to_no_other_address() {
    let aws = Aws::with_nodes(1).await;
    let portal = aws.portal("portal", &[]);
    let admin = Client::first_administrator(&portal).await.unwrap();
    let node = aws.node(&admin).await;
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = elsewhere.local_addr().unwrap();
    aws.edge.channels().lead_to(&format!("ws://{address}"));
    let id = start(&admin, &node).await.unwrap();
    let row = admin
        .until("the end", super::PATIENCE, async |client| {
            let (_, detail) = client.call("sessions/get", &[("session_id", &id)]).await?;
            Ok((detail["summary"]["status"] == "Failed").then(|| detail["summary"].clone()))
        })
        .await
        .unwrap();
    assert_eq!(row["end_reason"], "NotStarted");
    assert!(
        row["end_message"]
            .as_str()
            .unwrap()
            .contains("not Session Manager's"),
        "{row}"
    );
    let nobody = futures::FutureExt::now_or_never(elsewhere.accept());
    assert!(nobody.is_none(), "somebody called there");
    assert_eq!(aws.edge.channels().asked("TerminateSession").len(), 1);
}
