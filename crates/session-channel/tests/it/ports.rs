//! Port sessions: modes, flags and ends, of both ends.

use muster_session_channel::version::PortMode;
use muster_session_channel::{
    AgentEvent, ClientChannel, ClientEvent, Flag, Message, SessionType, Termination,
};
use serde_json::json;

use crate::script::{
    COMPLETE, End, agent_config, agent_events, client, client_events, input, output, running_agent,
    running_client,
};

fn port_client(agent_version: &str) -> (ClientChannel, PortMode) {
    let mut client = client();
    let text = json!({"AgentVersion": agent_version, "RequestedClientActions": [{"ActionType": "SessionType",
        "ActionParameters": {"SessionType": "Port", "Properties": {"portNumber": "80", "type": "LocalPortForwarding"}}}]});
    client
        .handle_frame(&output(0, 5, text.to_string().as_bytes()), 0)
        .unwrap();
    client.handle_frame(&output(1, 7, COMPLETE), 0).unwrap();
    assert_eq!(
        client.trace(0),
        ["ack 0", "ack 1", "in 0 type 6"],
        "no size for a port"
    );
    let events = client_events(&mut client);
    let [ClientEvent::Started(started)] = events.as_slice() else {
        panic!("{events:?}")
    };
    let mode = started.port_mode();
    (client, mode)
}

#[test]
fn ports_are_carried_and_ended_as_the_agents_version_allows() {
    let (mut client, mode) = port_client("3.3.987.0");
    assert_eq!(mode, PortMode::Mux { keepalive: false });
    assert_eq!(client.terminate(1), Ok(Termination::Flagged));
    client.disconnect_port(1).unwrap();
    let flags: Vec<Message> = client.messages(1);
    assert_eq!(
        flags.iter().map(|flag| flag.payload.clone()).collect::<Vec<_>>(),
        [[0, 0, 0, 2], [0, 0, 0, 1]]
    );
    assert!(flags.iter().all(|flag| flag.payload_type == 10));

    let (mut client, mode) = port_client("2.3.722.0");
    assert_eq!(mode, PortMode::Basic);
    assert_eq!(client.terminate(1), Ok(Termination::CallApi));
    assert!(client.frames(1).is_empty());
    assert_eq!(
        running_client().terminate(1),
        Ok(Termination::CallApi),
        "shells are ended through the API"
    );
}

#[test]
fn bytes_of_a_connection_are_sent_at_once_whatever_they_are() {
    let mut agent = running_agent(agent_config(SessionType::Port));
    agent.send_output(&[0xe2, 0x82], 10).unwrap();
    assert_eq!(agent.messages(10)[0].payload, [0xe2, 0x82]);
    agent.port_unreachable(10).unwrap();
    let flag = &agent.messages(10)[0];
    assert_eq!(
        (flag.payload_type, flag.payload.as_slice()),
        (10, &[0, 0, 0, 3][..])
    );
    agent.handle_frame(&input(1, 10, &[0, 0, 0, 1]), 11).unwrap();
    agent.handle_frame(&input(2, 10, &[0, 0, 0, 9]), 11).unwrap();
    agent.handle_frame(&input(3, 10, &[0, 0, 0, 2]), 11).unwrap();
    let expected = [
        AgentEvent::Flag(Flag::DisconnectToPort),
        AgentEvent::Flag(Flag::TerminateSession),
    ];
    assert_eq!(agent_events(&mut agent), expected);
}

#[test]
fn ports_end_without_a_word_to_the_gateway() {
    let mut agent = running_agent(agent_config(SessionType::Port));
    agent.finish(11);
    assert!(agent.messages(11).is_empty());
    assert_eq!(agent_events(&mut agent), [AgentEvent::Finished]);
}
