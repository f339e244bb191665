//! Connections that come and go: what survives, and what is sent again.

use muster_session_channel::{AgentEvent, ClientChannel, ClientEvent, SessionType};
use serde_json::Value;
use uuid::Uuid;

use crate::script::{
    End, ack, agent, agent_config, agent_events, client_config, client_events, input, output, response,
    running_agent, running_client,
};

#[test]
fn a_client_resumes_with_a_new_token_and_its_old_id() {
    let mut client = running_client();
    let open = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    client.disconnected();
    let first = open(&client.connected("second", Uuid::from_u128(100), 1000));
    client.disconnected();
    let second = open(&client.connected("third", Uuid::from_u128(101), 2000));
    assert_eq!(
        (&first["TokenValue"], &second["TokenValue"]),
        (&"second".into(), &"third".into())
    );
    assert_eq!(first["ClientId"], second["ClientId"]);
    assert_eq!(first["ClientId"], Uuid::from_u128(77).to_string());
    assert_ne!(first["RequestId"], second["RequestId"]);
    assert_eq!(first.as_object().unwrap().len(), 5);
}

#[test]
fn a_client_sends_again_what_was_not_acknowledged_and_shakes_no_hands() {
    let mut client = running_client();
    client.send_input(b"one", 10).unwrap();
    client.send_input(b"two", 10).unwrap();
    let frames = client.frames(10);
    client.handle_frame(&ack(3), 11).unwrap();
    client.disconnected();
    assert_eq!(
        client.next_timeout(),
        None,
        "nothing is to be done without a connection"
    );
    client.send_input(b"three", 500).unwrap();
    assert!(client.frames(900).is_empty());

    let _ = client.connected("again", Uuid::from_u128(100), 1000);
    let again = client.frames(1000);
    assert_eq!(again.len(), 2);
    assert_eq!(again[0], frames[0], "byte for byte");
    client.handle_frame(&ack(2), 1001).unwrap();
    client.handle_frame(&ack(4), 1001).unwrap();
    // The order of what arrives goes on where it was.
    client.handle_frame(&output(1, 1, b"old"), 1002).unwrap();
    client.handle_frame(&output(2, 1, b"new"), 1002).unwrap();
    assert_eq!(client.trace(1002), ["ack 1", "ack 2"]);
    assert_eq!(client_events(&mut client), [ClientEvent::Output(b"new".to_vec())]);
}

#[test]
fn acknowledgements_that_were_not_written_are_written_on_the_next_connection() {
    let mut client = running_client();
    client.handle_frame(&output(2, 1, b"x"), 10).unwrap();
    client.disconnected();
    assert!(client.frames(11).is_empty());
    let _ = client.connected("again", Uuid::from_u128(100), 1000);
    assert_eq!(client.trace(1000), ["ack 2"]);
}

#[test]
fn an_agent_tells_its_state_and_asks_once_only() {
    let mut agent = agent(agent_config(SessionType::StandardStream));
    assert_eq!(agent.trace(0), ["agent_session_state", "out 0 type 5"]);
    agent.disconnected();
    let _ = agent.connected("second", Uuid::from_u128(8), 1000);
    assert_eq!(
        agent.trace(1000),
        ["out 0 type 5"],
        "not acknowledged, so again; the state is not told again"
    );
    agent.handle_frame(&input(0, 6, &response(1, "")), 1001).unwrap();
    agent.handle_frame(&ack(0), 1001).unwrap();
    assert_eq!(agent.trace(1001), ["ack 0", "out 1 type 7"]);
    assert_eq!(
        agent_events(&mut agent),
        [AgentEvent::Started("1.2.677.0".into())]
    );
}

#[test]
fn an_agent_keeps_output_while_it_is_alone() {
    let mut agent = running_agent(agent_config(SessionType::StandardStream));
    agent.disconnected();
    agent.send_output(b"meanwhile", 10).unwrap();
    assert!(agent.trace(20).is_empty());
    let text = agent.connected("second", Uuid::from_u128(8), 1000);
    let open: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&open["TokenValue"], &open["ClientId"]),
        (&"second".into(), &"".into())
    );
    assert_eq!(open["ClientInstanceId"], "mi-0123456789abcdef0");
    assert_eq!(agent.trace(1000), ["out 2 type 1"]);
}

#[test]
fn deadlines_pass_without_a_connection_too() {
    let mut agent = running_agent(agent_config(SessionType::StandardStream));
    agent.send_output(b"x", 10).unwrap();
    agent.disconnected();
    agent.finish(20);
    assert_eq!(agent.next_timeout(), Some(2020));
    assert!(agent.trace(2020).is_empty());
    assert_eq!(agent_events(&mut agent), [AgentEvent::Finished]);
}

#[test]
fn a_client_in_a_new_process_goes_on_where_the_old_one_was_killed() {
    let mut client = running_client();
    let mut agent = running_agent(agent_config(SessionType::StandardStream));
    agent.set_ready(true);
    // Output 0 and 1 were the handshake, input 0 its answer and 1 the size: both ends have had them.
    client.send_input(b"heard", 10).unwrap();
    client.send_input(b"unheard", 10).unwrap();
    let frames = client.frames(10);
    let noted = client.position();
    assert_eq!((noted.output, noted.input, noted.acknowledged), (2, 4, 2));
    agent
        .handle_frame(&input(1, 3, br#"{"cols":80,"rows":24}"#), 11)
        .unwrap();
    agent.handle_frame(&frames[0], 11).unwrap();
    agent.send_output(b"answer", 12).unwrap();
    let answer = agent.frames(12).pop().unwrap();
    let _ = agent_events(&mut agent);

    // Killed here: the second input never left, the first one's acknowledgement never came.
    let mut client = ClientChannel::resumed(client_config(), SessionType::StandardStream, "3.3.0.0", noted);
    let _ = client.connected("again", Uuid::from_u128(100), 1000);
    client.send_input(b"later", 1000).unwrap();
    for frame in client.frames(1000) {
        agent.handle_frame(&frame, 1001).unwrap();
    }
    let size = AgentEvent::Resize(client_config().size);
    assert_eq!(
        agent_events(&mut agent),
        [size, AgentEvent::Input(b"later".to_vec())]
    );
    client.handle_frame(&answer, 1002).unwrap();
    assert_eq!(
        client_events(&mut client),
        [ClientEvent::Output(b"answer".to_vec())]
    );
    assert_eq!(client.position().output, 3);
}
