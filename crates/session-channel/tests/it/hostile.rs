//! Peers that mean harm: memory stays bounded, what they did is named, and the channel stays usable.

use muster_session_channel::message::MAX_FRAME;
use muster_session_channel::{
    AgentChannel, ClientChannel, ClientEvent, Limits, Message, MessageError, SessionType, Violation,
};
use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use crate::link::Dice;
use crate::script::{
    End, START_MS, ack, agent_config, client, client_config, client_events, control, input, output, request,
    running_agent, running_client,
};

/// All that one end may hold at most by its limits, a frame more for each buffer that is asked before the size
/// is known.
fn bound(limits: &Limits) -> usize {
    limits.send_bytes
        + limits.reorder_bytes
        + limits.event_bytes
        + limits.acknowledgements * 24
        + 3 * MAX_FRAME
}

#[test]
fn garbage_is_named_and_changes_nothing() {
    let mut client = running_client();
    let mut dice = Dice::new(4);
    for _ in 0..2000 {
        let length = usize::try_from(dice.below(400)).unwrap();
        let garbage = dice.bytes(length);
        assert!(matches!(
            client.handle_frame(&garbage, 1),
            Err(Violation::Frame(_))
        ));
    }
    assert!(matches!(
        client.handle_frame(b"{\"not\":\"a message\"}", 1),
        Err(Violation::Frame(_))
    ));
    assert_eq!((client.held(), client.frames(1).len()), (0, 0));
    client.handle_frame(&output(2, 1, b"x"), 2).unwrap();
    assert_eq!(client_events(&mut client), [ClientEvent::Output(b"x".to_vec())]);
}

#[test]
fn lengths_are_never_believed() {
    let mut client = running_client();
    for (at, expected) in [(0, true), (116, false)] {
        let mut frame = output(2, 1, b"x");
        frame[at..at + 4].fill(0xff);
        let result = client.handle_frame(&frame, 1);
        // The header's length decides where the payload begins; the payload's own decides nothing.
        assert_eq!(
            matches!(
                result,
                Err(Violation::Frame(MessageError::HeaderLength(u32::MAX)))
            ),
            expected
        );
    }
    assert_eq!(client_events(&mut client), [ClientEvent::Output(b"x".to_vec())]);
    let long = vec![0; MAX_FRAME + 1];
    assert_eq!(
        client.handle_frame(&long, 1),
        Err(Violation::Frame(MessageError::Long(MAX_FRAME + 1)))
    );
}

#[test]
fn leaps_in_the_numbers_are_named() {
    let mut client = running_client();
    for number in [i64::MAX, i64::MIN, -1, 2_000_000] {
        let result = client.handle_frame(&output(number, 1, b"x"), 1);
        assert_eq!(result, Err(Violation::Sequence { number, expected: 2 }));
    }
    assert_eq!((client.held(), client.trace(1).len()), (0, 0));
}

#[test]
fn acknowledgements_of_what_was_never_sent_are_named() {
    let mut client = running_client();
    for number in [2, 100, i64::MAX, -1, i64::MIN] {
        assert_eq!(
            client.handle_frame(&ack(number), 1),
            Err(Violation::AckOfUnsent(number))
        );
    }
    client.handle_frame(&ack(1), 1).unwrap();
    client.send_input(b"x", 2).unwrap();
    assert_eq!(
        client.handle_frame(&ack(2), 2),
        Err(Violation::AckOfUnsent(2)),
        "taken, but not on the wire yet"
    );
    assert_eq!(client.trace(2), ["in 2 type 1"]);
    assert_eq!(client.handle_frame(&ack(2), 2), Ok(()));
    for wrong in [
        json!({}),
        json!({"AcknowledgedMessageSequenceNumber": "1"}),
        json!([]),
        json!(null),
    ] {
        let result = client.handle_frame(&control("acknowledge", &wrong), 3);
        assert_eq!(
            result,
            Err(Violation::Body {
                what: "acknowledgement"
            })
        );
    }
}

#[test]
fn a_flood_of_early_messages_is_bounded_and_named() {
    let limits = Limits {
        reorder_bytes: 100_000,
        reorder_messages: 500,
        ..Limits::default()
    };
    let mut config = client_config();
    config.setup.limits = limits;
    let mut client = ClientChannel::new(config);
    let _ = client.connected("t", Uuid::nil(), 0);
    let payload = vec![0; 900];
    let frames: Vec<_> = (1..2000).map(|n| output(n, 1, &payload)).collect();
    let mut violation = None;
    'flood: for _ in 0..200 {
        for frame in &frames {
            if let Err(found) = client.handle_frame(frame, 1) {
                violation = Some(found);
                break 'flood;
            }
            assert!(client.held() <= 100_000 + limits.acknowledgements * 24);
        }
        client.frames(1);
    }
    assert_eq!(violation, Some(Violation::Flood { expected: 0 }));
    client.frames(1);
    client.handle_frame(&output(0, 1, b"late"), 2).unwrap();
    assert!(
        client_events(&mut client).len() > 90,
        "what was stored is delivered after all"
    );
}

#[test]
fn a_flood_of_acknowledged_messages_that_nobody_answers_is_bounded() {
    let limits = Limits {
        acknowledgements: 10,
        ..Limits::default()
    };
    let mut config = client_config();
    config.setup.limits = limits;
    let mut client = ClientChannel::new(config);
    let _ = client.connected("t", Uuid::nil(), 0);
    for n in 0..100 {
        client.handle_frame(&output(n, 1, b"x"), 1).unwrap();
        client.handle_frame(&output(0, 1, b"x"), 1).unwrap();
    }
    let events = client_events(&mut client);
    let trace = client.trace(1);
    let acks = trace.iter().filter(|line| line.starts_with("ack")).count();
    let delivered = events
        .iter()
        .filter(|event| matches!(event, ClientEvent::Output(_)))
        .count();
    assert_eq!(
        (acks, delivered),
        (10, 5),
        "what could not be acknowledged was not taken"
    );
}

#[test]
fn big_bodies_and_endless_requests_are_named() {
    let mut client = client();
    let deep = "[".repeat(100_000);
    let text = format!(r#"{{"RequestedClientActions":{deep}"#);
    let result = client.handle_frame(&output(0, 5, text.as_bytes()), 1);
    assert!(matches!(
        result,
        Err(Violation::BodyTooLong {
            what: "handshake request",
            ..
        })
    ));
    let deep = "[".repeat(30_000);
    let result = client.handle_frame(&output(1, 5, deep.as_bytes()), 1);
    assert_eq!(
        result,
        Err(Violation::Body {
            what: "handshake request"
        })
    );
    let actions: Vec<_> = (0..500).map(|_| json!({"ActionType": "x"})).collect();
    let result = client.handle_frame(&output(2, 5, &request(&json!(actions))), 1);
    assert_eq!(
        result,
        Err(Violation::Body {
            what: "handshake request"
        })
    );
    assert_eq!(
        client.trace(1),
        ["ack 0", "ack 1", "ack 2"],
        "no answer to any of it"
    );
}

#[test]
fn a_storm_of_sizes_leaves_the_last_one() {
    let mut agent = running_agent(agent_config(SessionType::StandardStream));
    for n in 1..5000_i64 {
        let size = format!(r#"{{"cols":{n},"rows":1}}"#);
        agent.handle_frame(&input(n, 3, size.as_bytes()), 1).unwrap();
        agent.frames(1);
    }
    let events: Vec<_> = std::iter::from_fn(|| agent.poll_event()).collect();
    assert_eq!(events.len(), 1);
    assert!(format!("{events:?}").contains("4999"));
}

#[derive(Clone, Debug)]
enum Act {
    Frame {
        kind: u8,
        sequence: i64,
        payload_type: u32,
        payload: Vec<u8>,
    },
    Raw(Vec<u8>),
    Ack(i64),
    Send(usize),
    Write,
    Read,
    Reconnect,
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    let payload = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        Just(br#"{"cols":1,"rows":1}"#.to_vec()),
        Just(crate::script::shell_request()),
        Just(crate::script::response(1, "")),
        Just(crate::script::COMPLETE.to_vec()),
        Just(br#"{"Output":"x"}"#.to_vec()),
    ];
    prop_oneof![
        8 => (0_u8..7, -2_i64..12, 0_u32..14, payload).prop_map(|(kind, sequence, payload_type, payload)| {
            Act::Frame { kind, sequence, payload_type, payload }
        }),
        1 => proptest::collection::vec(any::<u8>(), 0..200).prop_map(Act::Raw),
        3 => (-2_i64..12).prop_map(Act::Ack),
        2 => (0_usize..3000).prop_map(Act::Send),
        3 => Just(Act::Write),
        3 => Just(Act::Read),
        1 => Just(Act::Reconnect),
        2 => (0_u64..3000).prop_map(Act::Wait),
    ]
}

fn frame(kind: u8, sequence: i64, payload_type: u32, payload: Vec<u8>) -> Vec<u8> {
    let names = [
        "output_stream_data",
        "input_stream_data",
        "output_stream_data",
        "input_stream_data",
        "channel_closed",
        "pause_publication",
        "start_publication",
    ];
    // Closing ends the story: seldom.
    let name = if kind == 4 && sequence != 0 {
        names[0]
    } else {
        names[usize::from(kind)]
    };
    let mut message = Message::control(name, Uuid::from_u128(3), START_MS, payload);
    message.sequence = sequence;
    message.payload_type = payload_type;
    message.encode().unwrap()
}

macro_rules! play {
    ($end:ident, $acts:expr, $limits:expr, $send:ident) => {{
        let mut now = 0;
        for act in $acts {
            match act {
                Act::Frame {
                    kind,
                    sequence,
                    payload_type,
                    payload,
                } => {
                    let _ = $end.handle_frame(&frame(kind, sequence, payload_type, payload), now);
                }
                Act::Raw(bytes) => drop($end.handle_frame(&bytes, now)),
                Act::Ack(number) => drop($end.handle_frame(&ack(number), now)),
                Act::Send(length) => drop($end.$send(&vec![b'x'; length], now)),
                Act::Write => {
                    for frame in $end.frames(now) {
                        prop_assert!(
                            Message::decode(&frame).is_ok_and(|message| !message.payload.is_empty())
                        );
                    }
                    prop_assert!($end.next_timeout().is_none_or(|due| due > now));
                }
                Act::Read => while $end.poll_event().is_some() {},
                Act::Reconnect => {
                    $end.disconnected();
                    prop_assert!($end.poll_transmit(now).is_none());
                    let _ = $end.connected("t", Uuid::nil(), now);
                }
                Act::Wait(time) => now += time,
            }
            prop_assert!($end.held() <= bound(&$limits));
            prop_assert!($end.room() <= $limits.send_bytes);
        }
    }};
}

fn tight() -> Limits {
    Limits {
        send_bytes: 4000,
        send_messages: 6,
        window: 3,
        reorder_bytes: 500,
        reorder_messages: 4,
        event_bytes: 100,
        events: 4,
        acknowledgements: 3,
        attempts: Some(4),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_story_upsets_a_client(acts in proptest::collection::vec(act(), 0..80)) {
        let mut config = client_config();
        config.setup.limits = tight();
        let mut client = ClientChannel::new(config);
        let _ = client.connected("t", Uuid::nil(), 0);
        play!(client, acts, tight(), send_input);
    }

    #[test]
    fn no_story_upsets_an_agent(acts in proptest::collection::vec(act(), 0..80), handshake: bool, ready: bool) {
        let mut config = agent_config(SessionType::StandardStream);
        config.setup.limits = tight();
        config.handshake = handshake;
        let mut agent = AgentChannel::new(config);
        let _ = agent.connected("t", Uuid::nil(), 0);
        agent.set_ready(ready);
        play!(agent, acts, tight(), send_output);
    }
}
