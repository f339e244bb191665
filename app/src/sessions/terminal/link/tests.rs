//! The page's end against a portal that keeps to the protocol, over connections that break anywhere.

use super::*;
use muster_domain::Timestamp;
use muster_domain::sessions::{RecordingState, SessionKind, SessionStatus};

fn session() -> Box<SessionSummary> {
    Box::new(SessionSummary {
        session_id: "s-1".into(),
        ssm_session_id: String::new(),
        kind: SessionKind::Shell,
        status: SessionStatus::Connected,
        node_id: "mi-1".into(),
        node_name: "web-14".into(),
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        document: String::new(),
        document_version: String::new(),
        os_user: "ssm-user".into(),
        owner_id: None,
        owner: "op".into(),
        reason: String::new(),
        is_production: false,
        started_at: Timestamp(0),
        ended_at: None,
        ends_at: None,
        active_at: Timestamp(0),
        bytes_out: 0,
        bytes_in: 0,
        end_reason: None,
        end_message: String::new(),
        ended_by: String::new(),
        recording: RecordingState::Recording,
        watchers: Vec::new(),
        is_own: true,
        request: None,
    })
}

fn attached(from: u64, reset: bool, input: u64) -> String {
    serde_json::to_string(&ServerMessage::Attached {
        session: session(),
        may_type: true,
        from,
        reset,
        cols: 80,
        rows: 24,
        input,
    })
    .unwrap()
}

fn say(message: &ServerMessage) -> String {
    serde_json::to_string(message).unwrap()
}

fn link() -> Link {
    Link::new("page".into(), false, (80, 24))
}

fn write(bytes: &[u8], end: u64) -> Do {
    Do::Write {
        bytes: bytes.to_vec(),
        end,
        is_old: false,
    }
}

fn sent(done: &[Do]) -> Vec<(u64, Vec<u8>)> {
    done.iter()
        .filter_map(|one| match one {
            Do::Bytes(frame) => decode_bytes(frame).map(|(at, bytes)| (at, bytes.to_vec())),
            _ => None,
        })
        .collect()
}

/// A generator of chances: the same for every run of a test.
struct Chance(u64);

impl Chance {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

#[test]
fn the_first_word_is_attach_and_a_reload_has_no_cursor() {
    let mut link = link();
    let Do::Text(text) = link.opened(0).remove(0) else {
        panic!("text first")
    };
    assert_eq!(
        text,
        r#"{"type":"attach","client":"page","watch":false,"cursor":null,"cols":80,"rows":24}"#
    );
    let done = link.message(&attached(7, true, 0), 0);
    assert_eq!(done[..2], [Do::Reset, Do::Size(80, 24)]);
    assert!(done.contains(&Do::Tell(Tell::Phase(Phase::Live))));
    assert_eq!(link.bytes(&encode_bytes(7, b"hi"), 1), [write(b"hi", 9)]);
    link.closed(0.0);
    let Do::Text(text) = link.opened(2).remove(0) else {
        panic!("text first")
    };
    assert!(text.contains(r#""cursor":9"#), "{text}");
    let again = link.message(&attached(9, false, 0), 3);
    assert!(!again.contains(&Do::Reset), "the screen stays");
}

#[test]
fn output_that_comes_again_is_cut_and_a_hole_ends_the_connection() {
    let mut link = link();
    link.opened(0);
    assert_eq!(link.bytes(&encode_bytes(0, b"early"), 0), [], "not attached yet");
    link.message(&attached(0, true, 0), 0);
    link.bytes(&encode_bytes(0, b"abc"), 0);
    assert_eq!(link.bytes(&encode_bytes(1, b"bc"), 0), []);
    assert_eq!(link.bytes(&encode_bytes(1, b"bcd"), 0), [write(b"d", 4)]);
    assert_eq!(link.bytes(&encode_bytes(9, b"x"), 0), [Do::Close]);
    assert_eq!(link.bytes(b"short", 0), [Do::Close]);
}

#[test]
fn what_old_output_asks_is_not_answered_again() {
    let mut link = link();
    link.opened(0);
    let mut old = session();
    old.bytes_out = 10;
    let message = ServerMessage::Attached {
        session: old,
        may_type: true,
        from: 0,
        reset: true,
        cols: 80,
        rows: 24,
        input: 0,
    };
    link.message(&say(&message), 0);
    let is_old = |done: Vec<Do>| matches!(done.first(), Some(Do::Write { is_old: true, .. }));
    assert!(is_old(link.bytes(&encode_bytes(0, b"\x1b[c3456789"), 0)));
    assert!(!is_old(link.bytes(&encode_bytes(10, b"\x1b[c"), 0)));
    for answer in [
        "\x1b[?1;2c",
        "\x1b[12;40R",
        "\x1b[0n",
        "\x1b]11;rgb:0/0/0\x1b\\",
        "\x1bP1+r\x1b\\",
        "\x1b[?2004;2$y",
    ] {
        assert!(is_answer(answer), "{answer:?}");
    }
    for typed in ["c", "\x1b", "\x1b[A", "\x1b[3~", "\x1bc", "\x1b[1;5C", "\x1b[I"] {
        assert!(!is_answer(typed), "{typed:?}");
    }
}

#[test]
fn input_keeps_within_its_window_and_frames() {
    let mut link = link();
    link.opened(0);
    link.message(&attached(0, true, 0), 0);
    let much = vec![b'x'; 3 * 32 * 1024];
    let room = link.room();
    assert_eq!(room as u64, INPUT_WINDOW);
    let frames = sent(&link.input(&much[..room]));
    assert!(frames.iter().all(|(_, bytes)| bytes.len() <= INPUT_FRAME));
    assert_eq!(
        frames.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>(),
        INPUT_WINDOW
    );
    assert_eq!(link.room(), 0);
    link.message(&say(&ServerMessage::Taken { input: 5_000 }), 0);
    assert_eq!(link.room(), 5_000);
    let more = sent(&link.input(&much[..5_000]));
    assert_eq!(more[0].0, INPUT_WINDOW);
    assert_eq!(more.len(), 2);
}

#[test]
fn what_has_not_arrived_goes_out_again_and_what_has_does_not() {
    let mut link = link();
    link.opened(0);
    link.message(&attached(0, true, 0), 0);
    link.input(b"abcdef");
    link.closed(0.5);
    assert_eq!(sent(&link.input(b"gh")), [], "kept while there is no connection");
    link.opened(1);
    let done = link.message(&attached(0, false, 4), 1);
    assert_eq!(sent(&done), [(4, b"efgh".to_vec())]);
    assert_eq!(link.under_way(), 4);
}

#[test]
fn a_portal_that_counts_anew_gets_what_is_left_under_its_numbers() {
    let mut link = link();
    link.opened(0);
    link.message(&attached(0, true, 0), 0);
    link.input(b"abcdef");
    link.message(&say(&ServerMessage::Taken { input: 4 }), 0);
    link.closed(0.5);
    link.opened(1);
    assert_eq!(
        sent(&link.message(&attached(0, true, 0), 1)),
        [(0, b"ef".to_vec())]
    );
}

#[test]
fn only_what_has_not_gone_out_is_taken_back() {
    let mut link = link();
    link.opened(0);
    link.input(b"typed before it was live");
    assert_eq!(link.take_back(), 24);
    link.message(&attached(0, true, 0), 0);
    link.input(b"gone");
    assert_eq!(link.take_back(), 0);
    assert_eq!(link.under_way(), 4);
}

#[test]
fn nothing_is_typed_by_those_who_look_on_or_wait() {
    let mut watcher = Link::new("page".into(), true, (80, 24));
    watcher.opened(0);
    let done = watcher.message(&attached(0, true, 0), 0);
    assert!(
        done.iter()
            .any(|one| matches!(one, Do::Tell(Tell::Session(_, false, None))))
    );
    assert_eq!(sent(&watcher.input(b"rm")), []);
    assert_eq!(
        watcher.resize(10, 10),
        [],
        "the terminal has the size of its owner's"
    );

    let mut owner = link();
    owner.opened(0);
    owner.message(&attached(0, true, 0), 0);
    let changed = |may_type| {
        say(&ServerMessage::Changed {
            session: session(),
            may_type,
            waits_for: Some("somebody to look on".into()),
        })
    };
    owner.message(&changed(false), 0);
    assert_eq!(sent(&owner.input(b"ls")), []);
    assert_eq!(sent(&owner.message(&changed(true), 0)), [(0, b"ls".to_vec())]);
}

#[test]
fn output_is_said_to_be_worked_off_in_large_steps_and_at_the_end() {
    let mut link = link();
    link.opened(0);
    link.message(&attached(100, true, 0), 0);
    let step = usize::try_from(SAY_AFTER).unwrap();
    link.bytes(&encode_bytes(100, &vec![0; step]), 0);
    link.bytes(&encode_bytes(100 + SAY_AFTER, &[0; 10]), 0);
    assert_eq!(link.worked_off(101), []);
    let Do::Text(text) = link.worked_off(100 + SAY_AFTER).remove(0) else {
        panic!()
    };
    assert!(text.contains(&format!("{}", 100 + SAY_AFTER)));
    assert_eq!(
        link.worked_off(110 + SAY_AFTER).len(),
        1,
        "all there is, so it is said"
    );
    assert_eq!(link.worked_off(110 + SAY_AFTER), []);
}

#[test]
fn a_connection_that_says_nothing_is_given_up() {
    let mut link = link();
    link.opened(0);
    link.message(&attached(0, true, 0), 0);
    assert_eq!(link.tick(1_000), []);
    let ping = link.tick(PING_EVERY);
    assert_eq!(ping.len(), 1);
    let pong = say(&ServerMessage::Pong {
        token: 1,
        now: Timestamp(0),
    });
    assert_eq!(
        link.message(&pong, PING_EVERY + 42),
        [Do::Tell(Tell::RoundTrip(42))]
    );
    link.tick(2 * PING_EVERY);
    assert_ne!(link.tick(PING_EVERY + SILENT), [Do::Close]);
    assert_eq!(link.tick(PING_EVERY + 43 + SILENT), [Do::Close]);
}

#[test]
fn pauses_grow_spread_out_and_are_cut_short_when_the_network_is_back() {
    let mut link = link();
    let pause = |done: Vec<Do>| match done.first() {
        Some(Do::Connect(pause)) => *pause,
        other => panic!("{other:?}"),
    };
    assert_eq!(pause(link.closed(0.0)), 250);
    assert_eq!(pause(link.closed(1.0)), 1_000);
    for _ in 0..40 {
        link.closed(1.0);
    }
    assert_eq!(pause(link.closed(1.0)), LONGEST_PAUSE);
    assert_eq!(link.hurry(0), [Do::Connect(0)]);
    link.opened(0);
    link.message(&attached(0, true, 0), 0);
    assert_eq!(pause(link.closed(1.0)), 500, "a good connection ends the series");
}

#[test]
fn the_end_is_the_end() {
    let mut link = link();
    link.opened(0);
    link.message(&attached(0, true, 0), 0);
    let done = link.message(&say(&ServerMessage::Ended { session: session() }), 0);
    assert!(done.contains(&Do::Tell(Tell::Phase(Phase::Ended))));
    assert_eq!(done.last(), Some(&Do::Close));
    assert_eq!(link.closed(0.0), []);
    assert_eq!(link.hurry(0), []);
    assert!(link.is_over() && !link.takes_input());
    assert_eq!(
        link.message("{\"type\":\"news\"}", 0),
        [],
        "words of later portals"
    );
}

/// A portal's end: keeps all output, takes input in order, never sends more than its window.
struct Portal {
    output: Vec<u8>,
    typed: Vec<u8>,
    sent: u64,
    worked_off: u64,
}

impl Portal {
    fn attach(&mut self, hello: &str) -> String {
        let ClientMessage::Attach { cursor, .. } = serde_json::from_str(hello).unwrap() else {
            panic!("{hello}")
        };
        let from = cursor.unwrap_or(0);
        self.sent = from;
        self.worked_off = from;
        attached(from, cursor.is_none(), self.typed.len() as u64)
    }

    fn hear(&mut self, done: &[Do]) {
        for one in done {
            match one {
                Do::Bytes(frame) => {
                    let (at, bytes) = decode_bytes(frame).unwrap();
                    let new = beyond(self.typed.len() as u64, at, bytes).expect("no hole in the input");
                    self.typed.extend(new);
                }
                Do::Text(text) => {
                    if let Ok(ClientMessage::Consumed { offset }) = serde_json::from_str(text) {
                        assert!(offset <= self.sent, "nobody works off what was not sent");
                        self.worked_off = self.worked_off.max(offset);
                    }
                }
                _ => {}
            }
        }
    }

    fn frame(&mut self, most: usize) -> Option<Vec<u8>> {
        let from = usize::try_from(self.sent).unwrap();
        let window = usize::try_from(OUTPUT_WINDOW - (self.sent - self.worked_off)).unwrap();
        let until = (from + most.min(window)).min(self.output.len());
        (from < until).then(|| {
            let frame = encode_bytes(self.sent, &self.output[from..until]);
            self.sent = until as u64;
            frame
        })
    }
}

#[test]
fn nothing_is_lost_or_doubled_over_connections_that_break_anywhere() {
    for seed in 0..40 {
        let mut chance = Chance(seed);
        let output: Vec<u8> = (0..200_000_u32).flat_map(u32::to_be_bytes).collect();
        let input: Vec<u8> = (0..20_000_u32).flat_map(u32::to_be_bytes).collect();
        let mut portal = Portal {
            output: output.clone(),
            typed: Vec::new(),
            sent: 0,
            worked_off: 0,
        };
        let mut link = link();
        let (mut shown, mut pending, mut handed) = (Vec::new(), VecDeque::new(), 0);
        let mut connected = false;
        for step in 0.. {
            assert!(step < 200_000, "it comes to an end (seed {seed})");
            if shown.len() == output.len() && portal.typed.len() == input.len() && pending.is_empty() {
                break;
            }
            if !connected {
                let Do::Text(hello) = link.opened(0).remove(0) else {
                    panic!()
                };
                let answer = portal.attach(&hello);
                connected = true;
                // Breaks even between question and answer.
                if chance.next(5) == 0 {
                    link.closed(0.5);
                    connected = false;
                    continue;
                }
                let done = link.message(&answer, 0);
                portal.hear(&done);
            }
            match chance.next(40) {
                0 => {
                    link.closed(0.5);
                    connected = false;
                }
                1..=8 => {
                    let room = link.room().min(input.len() - handed).min(1 + chance.next(9_000));
                    let done = link.input(&input[handed..handed + room]);
                    handed += room;
                    // On a break only some of what was sent arrives.
                    let arrives = if chance.next(6) == 0 {
                        chance.next(done.len() + 1)
                    } else {
                        done.len()
                    };
                    portal.hear(&done[..arrives]);
                    if arrives < done.len() {
                        link.closed(0.5);
                        connected = false;
                    }
                }
                9..=14 => {
                    let taken = say(&ServerMessage::Taken {
                        input: portal.typed.len() as u64,
                    });
                    let done = link.message(&taken, 0);
                    portal.hear(&done);
                }
                15..=20 => {
                    if let Some(end) = pending.pop_front() {
                        let done = link.worked_off(end);
                        portal.hear(&done);
                    }
                }
                _ => {
                    let Some(frame) = portal.frame(1 + chance.next(40_000)) else {
                        while let Some(end) = pending.pop_front() {
                            let done = link.worked_off(end);
                            portal.hear(&done);
                        }
                        continue;
                    };
                    for one in link.bytes(&frame, 0) {
                        let Do::Write { bytes, end, .. } = one else {
                            panic!("{one:?} (seed {seed})")
                        };
                        shown.extend(bytes);
                        pending.push_back(end);
                        assert!(pending.len() < 10_000);
                    }
                }
            }
        }
        assert!(shown == output, "output, seed {seed}");
        assert!(portal.typed == input, "input, seed {seed}");
    }
}
