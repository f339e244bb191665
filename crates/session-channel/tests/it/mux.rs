//! The multiplexer's two sides against each other, against recorded bytes, and against peers that mean harm.

use muster_session_channel::mux::{
    Command, FrameError, FrameReader, MAX_PAYLOAD, MAX_STREAMS, Mux, MuxError, MuxEvent, MuxRefusal, MuxSide,
    RECEIVE_BUFFER, SEND_BUFFER,
};
use muster_session_channel::{AgentChannel, CHUNK, ClientChannel, SessionType};
use proptest::prelude::*;

use crate::link::{Dice, Net, Weather};
use crate::script::{agent_config, client_config};

fn sides() -> (Mux, Mux) {
    (
        Mux::new(MuxSide::Client, false, 0),
        Mux::new(MuxSide::Agent, false, 0),
    )
}

fn written(mux: &mut Mux) -> Vec<u8> {
    std::iter::from_fn(|| mux.poll_transmit(0, CHUNK).unwrap())
        .flatten()
        .collect()
}

fn pass(from: &mut Mux, to: &mut Mux) -> Vec<MuxEvent> {
    to.receive(&written(from), 0).unwrap();
    events(to)
}

fn events(mux: &mut Mux) -> Vec<MuxEvent> {
    std::iter::from_fn(|| mux.poll_event()).collect()
}

#[test]
fn a_connection_is_written_as_recorded() {
    let (mut client, mut agent) = sides();
    let stream = client.open().unwrap();
    client.send(stream, &[b'x'; 120]).unwrap();
    client.finish(stream).unwrap();
    let bytes = written(&mut client);
    let recorded = format!(
        "0100000003000000{}{}{}",
        "0102780003000000",
        "78".repeat(120),
        "0101000003000000"
    );
    assert_eq!(hex::encode(&bytes), recorded);
    agent.receive(&bytes, 0).unwrap();
    let expected = [
        MuxEvent::Opened(3),
        MuxEvent::Data(3, vec![b'x'; 120]),
        MuxEvent::Finished(3),
    ];
    assert_eq!(events(&mut agent), expected);
}

#[test]
fn clients_number_their_streams_3_5_7() {
    let (mut client, mut agent) = sides();
    assert_eq!(
        [client.open(), client.open(), client.open()],
        [Ok(3), Ok(5), Ok(7)]
    );
    assert_eq!(agent.open(), Err(MuxRefusal::Closed), "agents open none");
}

#[test]
fn an_end_of_one_direction_leaves_the_other_open() {
    let (mut client, mut agent) = sides();
    let stream = client.open().unwrap();
    client.send(stream, b"question").unwrap();
    client.finish(stream).unwrap();
    assert_eq!(client.send(stream, b"more"), Err(MuxRefusal::Closed));
    assert_eq!(client.finish(stream), Err(MuxRefusal::Closed));
    assert_eq!(pass(&mut client, &mut agent).len(), 3);
    agent.send(stream, b"answer").unwrap();
    agent.finish(stream).unwrap();
    let expected = [MuxEvent::Data(3, b"answer".to_vec()), MuxEvent::Finished(3)];
    assert_eq!(pass(&mut agent, &mut client), expected);
    assert_eq!((client.open_streams(), agent.open_streams()), (0, 0));
    assert_eq!(agent.send(stream, b"more"), Err(MuxRefusal::Closed));
}

#[test]
fn what_comes_for_a_stream_that_is_gone_is_dropped() {
    let mut agent = Mux::new(MuxSide::Agent, false, 0);
    agent
        .receive(&hex::decode("010201000900000041").unwrap(), 0)
        .unwrap();
    agent
        .receive(&hex::decode("0101000009000000").unwrap(), 0)
        .unwrap();
    assert_eq!((events(&mut agent), agent.held()), (vec![], 0));
    // Data behind the end of its own direction.
    agent
        .receive(
            &hex::decode("01000000030000000101000003000000010201000300000041").unwrap(),
            0,
        )
        .unwrap();
    assert_eq!(events(&mut agent), [MuxEvent::Opened(3), MuxEvent::Finished(3)]);
    // Opened twice.
    agent
        .receive(&hex::decode("0100000003000000").unwrap(), 0)
        .unwrap();
    assert_eq!(events(&mut agent), []);
}

#[test]
fn big_writes_are_cut_and_bounded() {
    let (mut client, _) = sides();
    let stream = client.open().unwrap();
    assert_eq!(client.send(stream, &vec![0; SEND_BUFFER]), Err(MuxRefusal::Full));
    client.send(stream, &vec![7; MAX_PAYLOAD * 2 + 1]).unwrap();
    let mut reader = FrameReader::new();
    reader.push(&written(&mut client));
    let frames: Vec<_> = std::iter::from_fn(|| reader.take().unwrap()).collect();
    let lengths: Vec<_> = frames.iter().map(|frame| frame.payload.len()).collect();
    assert_eq!(lengths, [0, MAX_PAYLOAD, MAX_PAYLOAD, 1]);
    assert!(
        frames[1..]
            .iter()
            .all(|frame| frame.command == Command::Data && frame.stream == 3)
    );
}

#[test]
fn keeping_alive_speaks_and_listens() {
    let mut mux = Mux::new(MuxSide::Agent, true, 1000);
    assert_eq!(mux.next_timeout(), Some(11_000));
    assert_eq!(mux.poll_transmit(10_999, CHUNK), Ok(None));
    assert_eq!(
        mux.poll_transmit(11_000, CHUNK).unwrap().unwrap(),
        hex::decode("0103000000000000").unwrap()
    );
    assert_eq!(mux.poll_transmit(11_000, CHUNK), Ok(None));
    mux.receive(&hex::decode("0103000000000000").unwrap(), 12_000)
        .unwrap();
    assert!(mux.poll_transmit(21_000, CHUNK).unwrap().is_some());
    assert!(mux.poll_transmit(41_999, CHUNK).unwrap().is_some());
    assert_eq!(mux.next_timeout(), Some(42_000));
    assert_eq!(mux.poll_transmit(42_000, CHUNK), Err(MuxError::Silent));
    assert_eq!(
        (mux.next_timeout(), mux.receive(b"", 42_001)),
        (None, Err(MuxError::Over))
    );

    let mut quiet = Mux::new(MuxSide::Agent, false, 0);
    assert_eq!(
        (quiet.next_timeout(), quiet.poll_transmit(1_000_000, CHUNK)),
        (None, Ok(None))
    );
}

#[test]
fn strange_peers_are_named() {
    let (mut client, mut agent) = sides();
    let open = hex::decode("0100000003000000").unwrap();
    assert_eq!(client.receive(&open, 0), Err(MuxError::Opened(3)));
    assert_eq!(client.open(), Err(MuxRefusal::Closed), "and nothing follows");
    let text = agent.receive(b"GET / HTTP/1.1\r\n", 0);
    assert_eq!(text, Err(MuxError::Frame(FrameError::Version(b'G'))));
    assert_eq!(agent.receive(&open, 0), Err(MuxError::Over));
}

#[test]
fn a_flood_of_streams_is_refused_and_then_named() {
    let mut agent = Mux::new(MuxSide::Agent, false, 0);
    let open = |stream: u32| {
        let mut frame = hex::decode("01000000").unwrap();
        frame.extend(stream.to_le_bytes());
        frame
    };
    let mut result = Ok(());
    let mut opened = 0_u32;
    while result.is_ok() && opened < 100_000 {
        result = agent.receive(&open(opened * 2 + 3), 0);
        opened += 1;
        assert!(agent.held() <= SEND_BUFFER + MAX_STREAMS * 64 + 16);
    }
    assert_eq!(result, Err(MuxError::Flood));
    assert_eq!(agent.open_streams(), MAX_STREAMS);
    let events = events(&mut agent).len();
    assert_eq!(events, MAX_STREAMS);
}

#[test]
fn small_frames_count_with_what_they_cost() {
    let mut agent = Mux::new(MuxSide::Agent, false, 0);
    agent
        .receive(&hex::decode("0100000003000000").unwrap(), 0)
        .unwrap();
    let storm = hex::decode("010201000300000041").unwrap().repeat(100);
    let mut frames = 0;
    while agent.has_room() {
        agent.receive(&storm, 0).unwrap();
        frames += 100;
        assert!(
            frames < 100_000,
            "a byte in a frame of its own counts as more than a byte"
        );
    }
    assert!(agent.held() < RECEIVE_BUFFER + 100 * 65);
    assert_eq!(events(&mut agent).len(), frames + 1);
    assert!(agent.has_room() && agent.held() == 0);
}

#[test]
fn many_connections_pass_a_bad_link() {
    let weather = Weather {
        loss: 15,
        doubling: 5,
        min_delay: 10,
        max_delay: 150,
        falls_within: None,
    };
    let (mut client, mut agent) = sides();
    let mut dice = Dice::new(9);
    let streams: Vec<_> = (0..5).map(|_| client.open().unwrap()).collect();
    let texts: Vec<_> = streams.iter().map(|_| dice.bytes(30_000)).collect();
    for (stream, text) in streams.iter().zip(&texts) {
        client.send(*stream, text).unwrap();
        client.finish(*stream).unwrap();
    }
    let ends = (
        ClientChannel::new(client_config()),
        AgentChannel::new(agent_config(SessionType::Port)),
    );
    let mut net = Net::new(ends.0, ends.1, weather, 9);
    net.exchange(&written(&mut client), b"", 120_000);
    agent.receive(&net.to_agent, 0).unwrap();
    let mut arrived = vec![Vec::new(); streams.len()];
    for event in events(&mut agent) {
        if let MuxEvent::Data(stream, bytes) = event {
            arrived[streams.iter().position(|known| *known == stream).unwrap()].extend(bytes);
        }
    }
    assert!(arrived == texts);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn streams_do_not_mix(
        writes in proptest::collection::vec((0_usize..4, proptest::collection::vec(any::<u8>(), 0..300)), 0..60),
        cut in 1_usize..700,
    ) {
        let (mut client, mut agent) = sides();
        let streams: Vec<_> = (0..4).map(|_| client.open().unwrap()).collect();
        let mut sent = vec![Vec::new(); 4];
        for (index, bytes) in &writes {
            client.send(streams[*index], bytes).unwrap();
            sent[*index].extend_from_slice(bytes);
        }
        for part in written(&mut client).chunks(cut) {
            agent.receive(part, 0).unwrap();
        }
        let mut received = vec![Vec::new(); 4];
        for event in events(&mut agent) {
            if let MuxEvent::Data(stream, bytes) = event {
                received[streams.iter().position(|known| *known == stream).unwrap()].extend(bytes);
            }
        }
        prop_assert_eq!(received, sent);
    }

    #[test]
    fn any_bytes_are_taken_without_panic_and_within_bounds(parts in proptest::collection::vec(
        proptest::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(2), Just(3), any::<u8>()], 0..60), 0..60,
    )) {
        let mut agent = Mux::new(MuxSide::Agent, true, 0);
        let mut bytes = 0;
        for part in parts {
            bytes += part.len();
            let _ = agent.receive(&part, 0);
            // Nothing is made of nothing: eight bytes at least for an event.
            prop_assert!(agent.held() <= bytes * 9 + 64);
        }
    }
}
