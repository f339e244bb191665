//! What is due about a session, and its tokens and legs, in a time that the tests make.

use super::super::due::{Due, GONE_MS, LAST_WORD_MS};
use super::super::route::Route;
use super::*;
use axum::extract::ws::Message as Frame;
use bytes::Bytes;
use muster_session_channel::Message;
use muster_session_channel::body::Acknowledge;
use muster_session_channel::kind::{ACKNOWLEDGE, INPUT_STREAM_DATA, OUTPUT_STREAM_DATA};
use uuid::Uuid;

const T: fn(i64) -> Timestamp = Timestamp;

fn live(status: Status) -> Live {
    let about = About {
        session_id: "s-1".into(),
        region: "eu-west-1".into(),
        node_id: "mi-1".into(),
        idle_ms: 300_000,
        max: Some((3_600_000, T(3_600_000))),
    };
    let written = Written {
        status,
        version: 1,
        input_bytes: 0,
        output_bytes: 0,
    };
    Live::new(about, written, T(0))
}

fn output_of(due: Option<Due>) -> String {
    match due {
        Some(Due::End(ending)) => format!("{}: {}", ending.status.name(), ending.output),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_opens_one_channel_of_its_role_and_soon() {
    let live = live(Status::Connecting);
    live.add_token(Role::Client, "c", T(0));
    live.add_token(Role::Agent, "a", T(0));
    assert_eq!(live.take_token("x", T(1)), None);
    assert_eq!(live.take_token("c", T(1)), Some(Role::Client));
    assert_eq!(live.take_token("c", T(1)), None);
    assert_eq!(live.take_token("a", T(TOKEN_MS)), None);
    for at in 0..100 {
        live.add_token(Role::Client, &at.to_string(), T(0));
    }
    assert_eq!(live.take_token("95", T(1)), None);
    assert_eq!(live.take_token("96", T(1)), Some(Role::Client));
}

#[test]
fn a_node_that_never_comes_fails_the_session() {
    let live = live(Status::Connecting);
    assert_eq!(live.due(T(19_999), 20_000), None);
    let output = output_of(live.due(T(20_000), 20_000));
    assert!(
        output.starts_with("Failed: The node mi-1 did not open a data channel within 20"),
        "{output}"
    );
}

#[test]
fn the_status_follows_the_client() {
    let live = live(Status::Connecting);
    let agent = live.attach(Role::Agent, T(100)).unwrap();
    assert!(agent.changed);
    assert_eq!(live.written().status, Status::Connected);
    assert_eq!(live.due(T(GONE_MS), 20_000), Some(Due::Changed));
    assert_eq!(live.written().status, Status::Disconnected);
    let client = live.attach(Role::Client, T(6_000)).unwrap();
    assert!(client.changed && live.written().status == Status::Connected);
    live.detach(Role::Client, client.generation, T(7_000));
    assert_eq!(live.due(T(7_000 + GONE_MS - 1), 20_000), None);
    assert_eq!(live.due(T(7_000 + GONE_MS), 20_000), Some(Due::Changed));
    assert!(live.written().version > 3);
}

#[test]
fn a_newer_leg_takes_the_place_of_the_older() {
    let live = live(Status::Connecting);
    let older = live.attach(Role::Client, T(0)).unwrap();
    let newer = live.attach(Role::Client, T(1)).unwrap();
    assert!(older.stop.is_cancelled() && !newer.stop.is_cancelled());
    live.detach(Role::Client, older.generation, T(2));
    assert!(live.outbox(Role::Client).is_some());
    live.detach(Role::Client, newer.generation, T(3));
    assert!(live.outbox(Role::Client).is_none());
}

#[test]
fn idleness_and_duration_go_by_the_steady_clock() {
    let about = || {
        let live = live(Status::Connecting);
        let agent = live.attach(Role::Agent, T(0)).unwrap();
        let client = live.attach(Role::Client, T(1_000)).unwrap();
        (live, agent, client)
    };
    let (live, _agent, _client) = about();
    assert_eq!(live.due(T(300_999), 20_000), None);
    let output = output_of(live.due(T(301_000), 20_000));
    assert_eq!(
        output,
        "Terminated: The session was ended: nothing was typed and nothing shown for 5 minutes."
    );
    let (live, _agent, _client) = about();
    live.state().last_traffic = T(3_599_000);
    assert_eq!(live.due(T(3_599_999), 20_000), None);
    let output = output_of(live.due(T(3_600_000), 20_000));
    assert!(output.ends_with("maximum duration of 60 minutes."), "{output}");
}

#[test]
fn the_first_ending_holds_and_is_kept_before_it_is_forgotten() {
    let live = live(Status::Connected);
    live.add_token(Role::Client, "c", T(0));
    let ending = |output: &str| Ending {
        status: Status::Terminated,
        output: output.into(),
        details: String::new(),
        node_knows: false,
    };
    assert!(live.end(ending("first"), T(10)) && !live.end(ending("second"), T(11)));
    assert_eq!(live.due(T(10_000_000), 20_000), Some(Due::Keep));
    live.kept();
    assert_eq!(live.due(T(10 + TOKEN_MS), 20_000), None);
    // Who comes late with a good token is told why there is nothing.
    assert_eq!(live.take_token("c", T(20)), Some(Role::Client));
    assert_eq!(live.attach(Role::Client, T(20)).err().as_deref(), Some("first"));
    assert_eq!(live.due(T(11 + TOKEN_MS), 20_000), Some(Due::Forget));
}

#[test]
fn a_node_that_says_it_ends_has_a_while_for_its_last_word() {
    let live = live(Status::Connected);
    let _client = live.attach(Role::Client, T(0)).unwrap();
    assert!(live.terminating(T(100)) && !live.terminating(T(200)));
    assert_eq!(live.written().status, Status::Terminating);
    assert_eq!(live.due(T(100 + LAST_WORD_MS - 1), 20_000), None);
    assert_eq!(output_of(live.due(T(100 + LAST_WORD_MS), 20_000)), "Terminated: ");
}

#[tokio::test]
async fn what_a_client_says_before_the_node_is_there_waits_for_it_once() {
    let live = live(Status::Connecting);
    let _client = live.attach(Role::Client, T(0)).unwrap();
    let say = |number: i64, payload: &[u8]| {
        let mut message = Message::control(INPUT_STREAM_DATA, Uuid::from_u128(1), 1, payload.to_vec());
        message.sequence = number;
        let frame = Bytes::from(message.encode().unwrap());
        live.route(Role::Client, &message, &frame, T(1));
    };
    // The second time is a repetition, and what is behind a gap would come too early.
    for (number, payload) in [(0, "size"), (0, "size"), (1, "key"), (3, "lost")] {
        say(number, payload.as_bytes());
    }
    assert_eq!(live.written().input_bytes, 7);
    let mut agent = live.attach(Role::Agent, T(2)).unwrap();
    for expected in ["size", "key"] {
        let Frame::Binary(bytes) = agent.items.recv().await.unwrap().into_parts().0 else {
            panic!()
        };
        assert_eq!(Message::decode(&bytes).unwrap().payload, expected.as_bytes());
    }
    assert!(agent.items.try_recv().is_err());
    // Later the node is only away for a while, and both ends repeat what they have sent.
    live.detach(Role::Agent, agent.generation, T(3));
    say(2, b"later");
    let mut again = live.attach(Role::Agent, T(4)).unwrap();
    assert!(again.items.try_recv().is_err());
}

#[test]
fn an_acknowledgement_of_nothing_reaches_nobody() {
    let live = live(Status::Connecting);
    let _agent = live.attach(Role::Agent, T(0)).unwrap();
    let _client = live.attach(Role::Client, T(0)).unwrap();
    let says = |from: Role, kind: &str, payload: Vec<u8>| {
        let message = Message::control(kind, Uuid::from_u128(1), 1, payload);
        let frame = Bytes::from(message.encode().unwrap());
        live.route(from, &message, &frame, T(1))
    };
    let acknowledges = || {
        let body = Acknowledge::of(OUTPUT_STREAM_DATA, Uuid::from_u128(1), 0);
        says(Role::Client, ACKNOWLEDGE, serde_json::to_vec(&body).unwrap())
    };
    assert!(matches!(acknowledges(), Route::Drop));
    let output = says(Role::Agent, OUTPUT_STREAM_DATA, b"$ ".to_vec());
    assert!(matches!(output, Route::Relay(Some(_))));
    assert!(matches!(acknowledges(), Route::Relay(Some(_))));
}
