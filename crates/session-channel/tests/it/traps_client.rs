//! What a client must get right against AWS's agents, one test for each trap.

use muster_session_channel::body::Size;
use muster_session_channel::{ClientChannel, ClientEvent, Limits, SendError, SessionType, Violation};
use serde_json::{Value, json};

use crate::script::{
    COMPLETE, End, ack, client, client_config, client_events, control, output, request, running_client,
    shell_request,
};

#[test]
fn the_handshake_goes_as_recorded() {
    let mut client = client();
    client.handle_frame(&output(0, 5, &shell_request()), 10).unwrap();
    let messages = client.messages(10);
    assert_eq!(
        messages.iter().map(crate::script::brief).collect::<Vec<_>>(),
        ["ack 0", "in 0 type 6"]
    );
    assert_eq!(
        String::from_utf8(messages[1].payload.clone()).unwrap(),
        r#"{"ClientVersion":"1.2.677.0","ProcessedClientActions":[{"ActionType":"SessionType","ActionStatus":1,"ActionResult":null,"Error":""}],"Errors":null}"#
    );
    assert_eq!(client_events(&mut client), []);
    assert_eq!(client.send_input(b"ls", 11), Err(SendError::NotStarted));

    client.handle_frame(&ack(0), 12).unwrap();
    client.handle_frame(&output(1, 7, COMPLETE), 12).unwrap();
    let messages = client.messages(12);
    assert_eq!(
        messages.iter().map(crate::script::brief).collect::<Vec<_>>(),
        ["ack 1", "in 1 type 3"]
    );
    assert_eq!(messages[1].payload, br#"{"cols":120,"rows":40}"#);
    let events = client_events(&mut client);
    let [ClientEvent::Started(started)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(started.session_type, SessionType::StandardStream);
    assert_eq!(started.agent_version, "3.3.0.0");
    assert_eq!(client.send_input(b"ls", 13), Ok(()));
    assert_eq!(client.trace(13), ["in 2 type 1"]);
}

#[test]
fn acknowledgements_are_written_as_recorded() {
    let mut client = client();
    client.handle_frame(&output(0, 1, b"$ "), 10).unwrap();
    let messages = client.messages(10);
    let ack = &messages[0];
    assert_eq!(
        (ack.message_type.as_str(), ack.sequence, ack.flags),
        ("acknowledge", 0, 3)
    );
    assert_eq!((ack.schema_version, ack.payload_type), (1, 0));
    assert_eq!(ack.created_ms, crate::script::START_MS + 10);
    assert_ne!(ack.id, messages[1].id);
    assert_eq!(
        String::from_utf8(ack.payload.clone()).unwrap(),
        r#"{"AcknowledgedMessageType":"output_stream_data","AcknowledgedMessageId":"00000000-0000-0000-0000-0000abcd0000","AcknowledgedMessageSequenceNumber":0,"IsSequentialMessage":true}"#
    );
    assert_eq!(
        (messages[1].flags, messages[1].sequence),
        (0, 0),
        "clients never set SYN"
    );
}

#[test]
fn without_a_handshake_the_first_output_starts_a_shell() {
    let mut client = client();
    assert_eq!(client.send_input(b"x", 0), Err(SendError::NotStarted));
    client.handle_frame(&output(0, 1, b"$ "), 10).unwrap();
    let events = client_events(&mut client);
    let [ClientEvent::Started(started), ClientEvent::Output(bytes)] = events.as_slice() else {
        panic!("{events:?}")
    };
    assert_eq!(started.session_type, SessionType::StandardStream);
    assert_eq!(
        (started.properties.clone(), started.agent_version.as_str()),
        (Value::Null, "")
    );
    assert_eq!(bytes, b"$ ");
    assert_eq!(
        client.trace(10),
        ["ack 0", "in 0 type 3"],
        "the size goes before any key"
    );
}

#[test]
fn duplicates_are_acknowledged_again_and_dropped() {
    let mut client = running_client();
    client.handle_frame(&output(2, 1, b"a"), 10).unwrap();
    assert_eq!(client.trace(10), ["ack 2"]);
    client.handle_frame(&output(2, 1, b"a"), 11).unwrap();
    client.handle_frame(&output(0, 5, &shell_request()), 11).unwrap();
    assert_eq!(client.trace(11), ["ack 2", "ack 0"]);
    assert_eq!(client_events(&mut client), [ClientEvent::Output(b"a".to_vec())]);
}

#[test]
fn early_messages_are_acknowledged_at_once_and_delivered_in_order() {
    let mut client = running_client();
    client.handle_frame(&output(4, 11, b"c"), 10).unwrap();
    client.handle_frame(&output(3, 1, b"b"), 10).unwrap();
    assert_eq!(client.trace(10), ["ack 4", "ack 3"]);
    assert_eq!(client_events(&mut client), []);
    client.handle_frame(&output(2, 1, b"a"), 11).unwrap();
    assert_eq!(client.trace(11), ["ack 2"]);
    let expected = [
        ClientEvent::Output(b"a".to_vec()),
        ClientEvent::Output(b"b".to_vec()),
        ClientEvent::ErrorOutput(b"c".to_vec()),
    ];
    assert_eq!(client_events(&mut client), expected);
}

#[test]
fn a_damaged_message_is_not_acknowledged() {
    let mut client = running_client();
    let mut frame = output(2, 1, b"abc");
    frame[120] ^= 1;
    assert!(matches!(
        client.handle_frame(&frame, 10),
        Err(Violation::Frame(_))
    ));
    assert!(client.trace(10).is_empty());
    client.handle_frame(&output(2, 1, b"abc"), 11).unwrap();
    assert_eq!(client_events(&mut client), [ClientEvent::Output(b"abc".to_vec())]);
}

#[test]
fn what_nobody_fetches_is_not_acknowledged() {
    let mut config = client_config();
    config.setup.limits = Limits {
        events: 3,
        ..Limits::default()
    };
    let mut client = ClientChannel::new(config);
    let _ = client.connected("t", uuid::Uuid::nil(), 0);
    for n in 0..6_u8 {
        client.handle_frame(&output(i64::from(n), 1, &[n]), 10).unwrap();
    }
    // Started, 0, 1; from then on message 2 is missing and those behind it are stored.
    assert_eq!(
        client.trace(10),
        ["ack 0", "ack 1", "ack 3", "ack 4", "ack 5", "in 0 type 3"]
    );
    assert_eq!(client_events(&mut client).len(), 3);
    client.handle_frame(&output(2, 1, &[2]), 11).unwrap();
    let rest: Vec<_> = client_events(&mut client);
    assert_eq!(rest, [2_u8, 3, 4, 5].map(|n| ClientEvent::Output(vec![n])));
}

#[test]
fn unanswered_input_is_repeated_byte_for_byte_until_it_is_acknowledged() {
    let mut client = running_client();
    client.send_input(b"ls\r", 1000).unwrap();
    let first = client.frames(1000);
    assert_eq!(first.len(), 1);
    let mut now = 1000;
    for _ in 0..5 {
        let due = client.next_timeout().unwrap();
        assert!(due > now && due <= now + 1000, "{due} after {now}");
        assert!(client.frames(due - 1).is_empty());
        assert_eq!(client.frames(due), first);
        now = due;
    }
    client.handle_frame(&ack(2), now + 1).unwrap();
    assert_eq!(client.next_timeout(), None);
    assert!(client.frames(now + 5000).is_empty());
}

#[test]
fn an_agent_that_never_acknowledges_is_reported_once() {
    let mut config = client_config();
    config.setup.limits.attempts = Some(300);
    let mut client = ClientChannel::new(config);
    let _ = client.connected("t", uuid::Uuid::nil(), 0);
    client.handle_frame(&output(0, 1, b"$ "), 0).unwrap();
    client_events(&mut client);
    client.frames(0);
    let mut told = Vec::new();
    while told.is_empty() {
        let now = client.next_timeout().unwrap();
        client.frames(now);
        told.extend(client_events(&mut client).into_iter().map(|event| (event, now)));
    }
    let [(ClientEvent::AgentSilent, at)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(
        (290_000..310_000).contains(at),
        "after {at} ms: about five minutes"
    );
    client.frames(at + 60_000);
    assert_eq!(client_events(&mut client), []);
}

#[test]
fn bytes_of_the_person_go_as_they_are() {
    let mut client = running_client();
    client.send_input(b"\n", 10).unwrap();
    client.send_input(b"\x03", 10).unwrap();
    let payloads: Vec<_> = client
        .messages(10)
        .into_iter()
        .map(|message| message.payload)
        .collect();
    assert_eq!(payloads, [b"\n".to_vec(), b"\x03".to_vec()]);
}

#[test]
fn input_is_cut_into_messages_and_empty_input_is_none() {
    let mut client = running_client();
    client.send_input(b"", 10).unwrap();
    assert!(client.frames(10).is_empty());
    client.send_input(&[7; 2049], 10).unwrap();
    let lengths: Vec<_> = client
        .messages(10)
        .iter()
        .map(|message| message.payload.len())
        .collect();
    assert_eq!(lengths, [1024, 1024, 1]);
}

#[test]
fn input_is_taken_whole_or_not_at_all() {
    let mut client = running_client();
    let room = client.room();
    assert!(room > 500_000);
    assert_eq!(client.send_input(&vec![0; room + 1], 10), Err(SendError::Full));
    assert!(client.frames(10).is_empty());
    assert_eq!(client.send_input(&vec![0; room], 10), Ok(()));
    assert!(client.room() < 1024, "{}", client.room());
    assert!(!client.frames(10).is_empty());
}

#[test]
fn the_size_is_sent_on_change_only() {
    let mut client = client();
    client.resize(Size { cols: 90, rows: 30 }, 0).unwrap();
    assert!(client.trace(0).is_empty());
    client.handle_frame(&output(0, 1, b"$ "), 1).unwrap();
    assert_eq!(client.messages(1)[1].payload, br#"{"cols":90,"rows":30}"#);
    client.resize(Size { cols: 90, rows: 30 }, 2).unwrap();
    assert!(client.trace(2).is_empty());
    client.resize(Size { cols: 91, rows: 30 }, 3).unwrap();
    assert_eq!(client.messages(3)[0].payload, br#"{"cols":91,"rows":30}"#);
}

#[test]
fn encryption_is_refused_and_never_taken_up() {
    let mut client = client();
    let actions = json!([
        {"ActionType": "SessionType", "ActionParameters": {"SessionType": "Standard_Stream", "Properties": null}},
        {"ActionType": "KMSEncryption", "ActionParameters": {"KMSKeyId": "arn", "Challenge": "AAAA"}}]);
    client.handle_frame(&output(0, 5, &request(&actions)), 1).unwrap();
    let response: Value = serde_json::from_slice(&client.messages(1)[1].payload).unwrap();
    let kms = &response["ProcessedClientActions"][1];
    assert_eq!(
        (&kms["ActionType"], &kms["ActionStatus"]),
        (&json!("KMSEncryption"), &json!(3))
    );
    assert_eq!(response["Errors"][0], kms["Error"]);
    let events = client_events(&mut client);
    assert!(matches!(events.as_slice(), [ClientEvent::Refused(text)] if text.contains("KMS")));
    let challenge = output(1, 8, br#"{"Challenge":"AAAA"}"#);
    assert!(matches!(
        client.handle_frame(&challenge, 2),
        Err(Violation::Unexpected { .. })
    ));
    let complete = output(2, 7, COMPLETE);
    assert!(matches!(
        client.handle_frame(&complete, 2),
        Err(Violation::Unexpected { .. })
    ));
    assert_eq!(client.send_input(b"x", 3), Err(SendError::NotStarted));
}

#[test]
fn the_handshake_happens_once() {
    let mut client = running_client();
    let again = client.handle_frame(&output(2, 5, &shell_request()), 1);
    assert_eq!(
        again,
        Err(Violation::Unexpected {
            what: "handshake request"
        })
    );
    let again = client.handle_frame(&output(3, 7, COMPLETE), 1);
    assert_eq!(
        again,
        Err(Violation::Unexpected {
            what: "handshake complete"
        })
    );
    client.handle_frame(&output(4, 1, b"on"), 1).unwrap();
    assert_eq!(client_events(&mut client), [ClientEvent::Output(b"on".to_vec())]);
}

#[test]
fn the_agents_word_for_the_person_is_told() {
    let mut client = client();
    client.handle_frame(&output(0, 5, &shell_request()), 0).unwrap();
    let complete = br#"{"HandshakeTimeToComplete":1,"CustomerMessage":"Update your plugin."}"#;
    client.handle_frame(&output(1, 7, complete), 0).unwrap();
    let events = client_events(&mut client);
    assert!(
        matches!(events.as_slice(), [ClientEvent::Notice(text), ClientEvent::Started(_)] if text == "Update your plugin.")
    );
}

#[test]
fn exit_codes_are_read_and_whatever_is_unknown_is_shown() {
    let mut client = running_client();
    client.handle_frame(&output(2, 12, b"EXIT_CODE: 7"), 1).unwrap();
    client
        .handle_frame(&output(3, 12, b"EXIT_CODE: unknown"), 1)
        .unwrap();
    client.handle_frame(&output(4, 99, b"what"), 1).unwrap();
    client.handle_frame(&output(5, 1, b""), 1).unwrap();
    client.handle_frame(&output(6, 10, &[0, 0, 0, 3]), 1).unwrap();
    let expected = [
        ClientEvent::ExitCode(7),
        ClientEvent::Output(b"EXIT_CODE: unknown".to_vec()),
        ClientEvent::Output(b"what".to_vec()),
        ClientEvent::PortUnreachable,
    ];
    assert_eq!(client_events(&mut client), expected);
    assert_eq!(
        client.trace(1),
        ["ack 2", "ack 3", "ack 4", "ack 5", "ack 6"],
        "also the empty one"
    );
}

#[test]
fn foreign_messages_are_ignored() {
    let mut client = running_client();
    for name in [
        "agent_session_state",
        "start_publication",
        "pause_publication",
        "input_stream_data",
        "new",
    ] {
        client.handle_frame(&control(name, &Value::Null), 1).unwrap();
    }
    client.send_input(b"x", 1).unwrap();
    assert_eq!(
        client.trace(1),
        ["in 2 type 1"],
        "no acknowledgement, and no pause"
    );
    assert_eq!(client_events(&mut client), []);
}

#[test]
fn the_gateway_ends_the_session_with_or_without_words() {
    for (body, text) in [
        (
            json!({"SessionId": "s", "SchemaVersion": 1, "Output": "Idle for 20 minutes."}),
            "Idle for 20 minutes.",
        ),
        (json!({"SessionId": "s", "Output": ""}), ""),
        (json!({}), ""),
    ] {
        let mut client = running_client();
        client.handle_frame(&output(2, 1, b"bye"), 1).unwrap();
        client.send_input(b"x", 1).unwrap();
        client.handle_frame(&control("channel_closed", &body), 2).unwrap();
        client.handle_frame(&output(3, 1, b"more"), 3).unwrap();
        client.handle_frame(&control("channel_closed", &body), 3).unwrap();
        let expected = [
            ClientEvent::Output(b"bye".to_vec()),
            ClientEvent::Closed(text.to_owned()),
        ];
        assert_eq!(client_events(&mut client), expected);
        assert!(client.frames(4).is_empty());
        assert_eq!((client.next_timeout(), client.held()), (None, 0));
        assert_eq!(client.send_input(b"x", 4), Err(SendError::Over));
    }
}
