//! What an agent must get right against AWS's clients and gateway, one test for each trap.

use muster_session_channel::body::Size;
use muster_session_channel::version::PortMode;
use muster_session_channel::{AgentEvent, Limits, Message, SendError, SessionType, Violation};
use serde_json::{Value, json};

use crate::script::{
    End, START_MS, ack, agent, agent_config, agent_events, control, input, response, running_agent,
};

const SHELL: SessionType = SessionType::StandardStream;

#[test]
fn the_handshake_goes_as_recorded() {
    let mut config = agent_config(SessionType::Port);
    config.customer_message = "hello".into();
    let mut agent = agent(config);
    let messages = agent.messages(0);
    let trace: Vec<_> = messages.iter().map(crate::script::brief).collect();
    assert_eq!(trace, ["agent_session_state", "out 0 type 5"]);
    let [state, request] = messages.as_slice() else {
        panic!()
    };
    assert_eq!((state.flags, state.sequence, state.payload_type), (3, 0, 0));
    assert_eq!(
        state.payload,
        br#"{"SchemaVersion":1,"SessionState":"Connected","SessionId":"operator-0a1b2c"}"#
    );
    assert_eq!(
        (request.flags, request.created_ms),
        (1, START_MS),
        "SYN on the first output only"
    );
    let body: Value = serde_json::from_slice(&request.payload).unwrap();
    let expected = json!({"AgentVersion": "3.3.987.0", "RequestedClientActions": [{"ActionType": "SessionType",
        "ActionParameters": {"SessionType": "Port", "Properties":
            {"portNumber": "80", "localPortNumber": "0", "type": "LocalPortForwarding"}}}]});
    assert_eq!(body, expected);
    assert_eq!(agent.send_output(b"early", 1), Err(SendError::NotStarted));

    agent.handle_frame(&ack(0), 2).unwrap();
    agent.handle_frame(&input(0, 6, &response(1, "")), 2).unwrap();
    let messages = agent.messages(2);
    assert_eq!(
        messages.iter().map(crate::script::brief).collect::<Vec<_>>(),
        ["ack 0", "out 1 type 7"]
    );
    assert_eq!(
        messages[1].payload,
        br#"{"HandshakeTimeToComplete":2000000,"CustomerMessage":"hello"}"#
    );
    assert_eq!(messages[1].flags, 0);
    assert_eq!(
        agent_events(&mut agent),
        [AgentEvent::Started("1.2.677.0".into())]
    );
    assert_eq!(agent.port_mode("1.2.677.0"), PortMode::Mux { keepalive: false });
    assert_eq!(agent.send_output(b"data", 3), Ok(()));
}

#[test]
fn without_a_handshake_output_goes_first() {
    let mut config = agent_config(SHELL);
    config.handshake = false;
    let mut agent = agent(config);
    assert_eq!(agent_events(&mut agent), [AgentEvent::Started(String::new())]);
    agent.send_output(b"$ ", 0).unwrap();
    assert_eq!(agent.trace(0), ["agent_session_state", "out 0 type 1"]);
    let late = agent.handle_frame(&input(0, 6, &response(1, "")), 1);
    assert_eq!(
        late,
        Err(Violation::Unexpected {
            what: "answer of the handshake"
        })
    );
}

#[test]
fn output_that_the_client_was_not_ready_for_is_repeated_on_a_perfect_link() {
    // AWS's client drops what comes right behind HandshakeComplete, without acknowledging it, and stores and
    // acknowledges what comes behind that.
    let mut agent = running_agent(agent_config(SHELL));
    agent.send_output(b"one", 10).unwrap();
    let dropped = agent.frames(10);
    agent.send_output(b"two", 11).unwrap();
    assert_eq!(agent.trace(11), ["out 3 type 1"]);
    agent.handle_frame(&ack(3), 12).unwrap();
    let due = agent.next_timeout().unwrap();
    assert!(due <= 10 + 300, "{due}");
    assert_eq!(agent.frames(due), dropped);
    agent.handle_frame(&ack(2), due + 1).unwrap();
    assert_eq!(agent.next_timeout(), None);
}

#[test]
fn early_input_is_acknowledged_and_lost_so_that_the_answer_gets_through() {
    let mut agent = agent(agent_config(SHELL));
    agent.frames(0);
    agent.handle_frame(&input(0, 1, b"rude"), 1).unwrap();
    agent.handle_frame(&input(2, 1, b"early"), 1).unwrap();
    agent.handle_frame(&input(1, 6, &response(1, "")), 1).unwrap();
    assert_eq!(agent.trace(1), ["ack 0", "ack 2", "ack 1", "out 1 type 7"]);
    agent.set_ready(true);
    let expected = [
        AgentEvent::Started("1.2.677.0".into()),
        AgentEvent::Input(b"early".to_vec()),
    ];
    assert_eq!(
        agent_events(&mut agent),
        expected,
        "what came behind the answer is not lost"
    );
}

#[test]
fn nothing_is_taken_before_the_terminal_is_up() {
    let mut agent = running_agent(agent_config(SHELL));
    agent.set_ready(false);
    agent
        .handle_frame(&input(1, 3, br#"{"cols":300,"rows":100}"#), 5)
        .unwrap();
    agent.handle_frame(&input(2, 1, b"ls\r"), 5).unwrap();
    assert_eq!(
        agent.trace(5),
        ["ack 2"],
        "the size is not acknowledged, what is behind it is stored"
    );
    assert_eq!(agent_events(&mut agent), []);
    agent.set_ready(true);
    let expected = [
        AgentEvent::Resize(Size::WITHOUT_TERMINAL),
        AgentEvent::Input(b"ls\r".to_vec()),
    ];
    assert_eq!(agent_events(&mut agent), expected, "said once is enough");
    agent
        .handle_frame(&input(1, 3, br#"{"cols":300,"rows":100}"#), 6)
        .unwrap();
    assert_eq!(
        (agent_events(&mut agent), agent.trace(6)),
        (vec![], vec!["ack 1".to_owned()])
    );
}

#[test]
fn input_that_nobody_fetches_for_a_while_is_not_lost_though_it_comes_once() {
    let mut config = agent_config(SHELL);
    config.setup.limits.event_bytes = 2_000;
    let mut agent = running_agent(config);
    let mut typed = Vec::new();
    for number in 1..=100_i64 {
        let key = u8::try_from(number).unwrap();
        agent.handle_frame(&input(number, 1, &[key; 100]), 5).unwrap();
        typed.extend([key; 100]);
    }
    let mut fetched = Vec::new();
    while let Some(AgentEvent::Input(bytes)) = agent.poll_event() {
        fetched.extend(bytes);
    }
    assert_eq!(fetched, typed);
}

#[test]
fn duplicates_are_acknowledged_again_and_dropped() {
    let mut agent = running_agent(agent_config(SHELL));
    for now in 5..8 {
        agent.handle_frame(&input(1, 1, b"x"), now).unwrap();
        assert_eq!(agent.trace(now), ["ack 1"]);
    }
    assert_eq!(agent_events(&mut agent), [AgentEvent::Input(b"x".to_vec())]);
}

#[test]
fn a_client_that_does_not_answer_in_time_fails_the_session() {
    let mut agent = agent(agent_config(SHELL));
    let mut now = 0;
    let mut asked = 0;
    let mut events = Vec::new();
    while events.is_empty() {
        asked += agent
            .trace(now)
            .iter()
            .filter(|line| *line == "out 0 type 5")
            .count();
        events = agent_events(&mut agent);
        if events.is_empty() {
            now = agent.next_timeout().unwrap();
        }
    }
    assert!(matches!(events.as_slice(), [AgentEvent::Failed(text)] if text.contains("15 seconds")));
    assert_eq!(now, 15_000);
    assert!(asked > 10, "asked only {asked} times while nobody was there");
    assert_eq!(agent.send_output(b"x", now), Err(SendError::Over));
    assert_eq!((agent.next_timeout(), agent.held()), (None, 0));
}

#[test]
fn any_status_but_success_fails_the_session() {
    for status in [0, 2, 3, 4, -1] {
        let mut agent = agent(agent_config(SHELL));
        agent
            .handle_frame(&input(0, 6, &response(status, "No such thing.")), 1)
            .unwrap();
        let events = agent_events(&mut agent);
        assert!(
            matches!(events.as_slice(), [AgentEvent::Failed(text)] if text.contains("No such thing.")),
            "{status}: {events:?}"
        );
    }
    let mut agent = agent(agent_config(SHELL));
    agent
        .handle_frame(&input(0, 6, br#"{"ProcessedClientActions":null}"#), 1)
        .unwrap();
    assert!(matches!(
        agent_events(&mut agent).as_slice(),
        [AgentEvent::Failed(_)]
    ));
}

#[test]
fn answers_that_nobody_asked_for_are_violations_and_do_not_stop_the_rest() {
    let mut agent = running_agent(agent_config(SHELL));
    for (sequence, kind) in [(1, 6), (2, 9)] {
        let result = agent.handle_frame(&input(sequence, kind, &response(1, "")), 1);
        assert!(matches!(result, Err(Violation::Unexpected { .. })));
    }
    let result = agent.handle_frame(&input(3, 3, b"{\"cols\":-1}"), 1);
    assert_eq!(result, Err(Violation::Body { what: "size" }));
    agent.handle_frame(&input(4, 1, b"x"), 1).unwrap();
    assert_eq!(agent_events(&mut agent), [AgentEvent::Input(b"x".to_vec())]);
    assert_eq!(agent.trace(1), ["ack 1", "ack 2", "ack 3", "ack 4"]);
}

#[test]
fn a_pause_holds_back_output_and_repetition_but_not_acknowledgements() {
    let mut agent = running_agent(agent_config(SHELL));
    agent.send_output(b"under way", 10).unwrap();
    assert_eq!(agent.trace(10), ["out 2 type 1"]);
    // As some gateways may write it: no date, no body.
    let mut pause = control("pause_publication", &Value::Null);
    pause[40..48].fill(0);
    agent.handle_frame(&pause, 11).unwrap();
    assert!(agent.is_paused());
    agent.send_output(b"kept", 12).unwrap();
    assert_eq!((agent.next_timeout(), agent.trace(5000)), (None, vec![]));

    let mut start = control("start_publication", &json!({"any": "thing"}));
    start[80..112].fill(0);
    agent.handle_frame(&start, 5001).unwrap();
    assert!(!agent.is_paused());
    assert_eq!(agent.trace(5001), ["out 2 type 1", "out 3 type 1"]);
}

#[test]
fn input_acknowledgements_and_new_connections_end_a_pause() {
    let pause = control("pause_publication", &Value::Null);
    let mut agent = running_agent(agent_config(SHELL));
    agent.send_output(b"a", 10).unwrap();
    agent.frames(10);
    agent.handle_frame(&pause, 11).unwrap();
    agent.handle_frame(&ack(2), 12).unwrap();
    assert!(!agent.is_paused());
    agent.handle_frame(&pause, 13).unwrap();
    agent.handle_frame(&input(1, 1, b"x"), 14).unwrap();
    assert!(!agent.is_paused());
    agent.handle_frame(&pause, 15).unwrap();
    agent.handle_frame(&input(1, 1, b"x"), 16).unwrap();
    assert!(!agent.is_paused(), "also a duplicate");
    agent.handle_frame(&pause, 17).unwrap();
    agent.disconnected();
    let _ = agent.connected("t", uuid::Uuid::nil(), 18);
    assert!(!agent.is_paused());
}

#[test]
fn a_pause_fills_the_buffer_and_no_more() {
    let mut config = agent_config(SHELL);
    config.setup.limits = Limits {
        send_bytes: 10_000,
        ..Limits::default()
    };
    let mut agent = running_agent(config);
    agent
        .handle_frame(&control("pause_publication", &Value::Null), 1)
        .unwrap();
    let taken = (0..100)
        .take_while(|_| agent.send_output(&[b'x'; 500], 2).is_ok())
        .count();
    assert!((10..=16).contains(&taken), "{taken}");
    assert_eq!(agent.send_output(&[b'x'; 500], 2), Err(SendError::Full));
    assert!(agent.held() <= 10_000);
}

#[test]
fn an_acknowledgement_lost_with_its_connection_stops_nothing_although_the_client_never_repeats_it() {
    let mut agent = running_agent(agent_config(SHELL));
    agent.send_output(b"arrived", 10).unwrap();
    assert_eq!(agent.trace(10), ["out 2 type 1"]);
    agent.disconnected();
    let _ = agent.connected("t", uuid::Uuid::nil(), 11);
    // It comes again, and AWS's client says nothing to a duplicate.
    assert_eq!(agent.trace(11), ["out 2 type 1"]);
    for number in 3..11_000_i64 {
        agent.send_output(b"more", 12).unwrap();
        assert_eq!(agent.frames(12).len(), 1, "message {number} was held back");
        agent.handle_frame(&ack(number), 12).unwrap();
    }
    assert_eq!(
        (agent.next_timeout(), agent.held()),
        (None, 0),
        "and in the end it is known to have arrived"
    );
}

#[test]
fn characters_are_not_torn_and_torn_ones_are_not_lost() {
    let mut agent = running_agent(agent_config(SHELL));
    let text = "ä".repeat(1000);
    let (first, second) = text.as_bytes().split_at(1023);
    agent.send_output(first, 10).unwrap();
    agent.send_output(second, 10).unwrap();
    agent.send_output(&"€".as_bytes()[..2], 10).unwrap();
    let messages = agent.messages(10);
    assert!(
        messages
            .iter()
            .all(|message| std::str::from_utf8(&message.payload).is_ok())
    );
    assert!(messages.iter().all(|message| message.payload.len() <= 1024));
    let sent: Vec<_> = messages.into_iter().flat_map(|message| message.payload).collect();
    assert_eq!(sent, text.as_bytes());
    agent.finish(11);
    assert_eq!(
        agent.messages(11)[0].payload,
        &"€".as_bytes()[..2],
        "better torn than lost"
    );
}

#[test]
fn separate_streams_end_with_the_exit_code() {
    let mut agent = running_agent(agent_config(SessionType::NonInteractiveCommands));
    agent.send_output(b"out", 10).unwrap();
    agent.send_error_output(b"err", 10).unwrap();
    agent.send_exit_code(7, 10).unwrap();
    let sent: Vec<_> = agent
        .messages(10)
        .into_iter()
        .map(|message| (message.payload_type, message.payload))
        .collect();
    assert_eq!(
        sent,
        [
            (1, b"out".to_vec()),
            (11, b"err".to_vec()),
            (12, b"EXIT_CODE: 7".to_vec())
        ]
    );
}

fn states(messages: &[Message]) -> Vec<String> {
    messages
        .iter()
        .filter(|message| message.message_type == "agent_session_state")
        .map(|message| String::from_utf8(message.payload.clone()).unwrap())
        .collect()
}

#[test]
fn the_end_is_told_when_all_is_acknowledged() {
    let mut agent = running_agent(agent_config(SHELL));
    agent.send_output(b"bye", 10).unwrap();
    agent.frames(10);
    agent.finish(11);
    assert_eq!(agent.send_output(b"more", 11), Err(SendError::Over));
    assert!(states(&agent.messages(100)).is_empty());
    agent.handle_frame(&ack(2), 101).unwrap();
    let told = states(&agent.messages(101));
    assert_eq!(
        told,
        [r#"{"SchemaVersion":1,"SessionState":"Terminating","SessionId":"operator-0a1b2c"}"#]
    );
    assert_eq!(agent_events(&mut agent), [AgentEvent::Finished]);
    assert!(agent.messages(5000).is_empty());
}

#[test]
fn the_end_is_told_after_two_seconds_whatever_is_acknowledged() {
    let mut agent = running_agent(agent_config(SHELL));
    agent.send_output(b"bye", 10).unwrap();
    agent.frames(10);
    agent.finish(11);
    let mut now = 11;
    while agent_events(&mut agent).is_empty() {
        now = agent.next_timeout().unwrap();
        let told = states(&agent.messages(now));
        assert_eq!(told.len(), usize::from(now == 2011), "at {now}");
    }
    assert_eq!(now, 2011);
}

#[test]
fn the_gateway_ends_the_session() {
    let mut agent = running_agent(agent_config(SHELL));
    agent.send_output(b"x", 10).unwrap();
    agent
        .handle_frame(
            &control("channel_closed", &json!({"SessionId": "s", "SchemaVersion": 1})),
            11,
        )
        .unwrap();
    assert_eq!(agent_events(&mut agent), [AgentEvent::Closed]);
    assert!(
        agent.messages(12).is_empty(),
        "a cancelled session tells no state"
    );
    agent.finish(13);
    assert!(agent.messages(14).is_empty() && agent_events(&mut agent).is_empty());
}
