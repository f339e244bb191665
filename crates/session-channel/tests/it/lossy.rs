//! Everything arrives once and in order over bad links, in bounded time.

use muster_session_channel::{AgentChannel, AgentEvent, ClientChannel, ClientEvent, Limits, SessionType};

use crate::link::{Dice, Net, Weather};
use crate::script::{agent_config, client_config};

fn net(session_type: SessionType, weather: Weather, seed: u64, limits: Limits) -> Net {
    let mut client = client_config();
    let mut agent = agent_config(session_type);
    client.setup.limits = limits;
    agent.setup.limits = limits;
    Net::new(
        ClientChannel::new(client),
        AgentChannel::new(agent),
        weather,
        seed,
    )
}

fn weather(dice: &mut Dice) -> Weather {
    let min_delay = dice.below(60);
    Weather {
        loss: dice.below(31),
        doubling: dice.below(20),
        min_delay,
        max_delay: min_delay + dice.below(400),
        falls_within: None,
    }
}

fn exchange(net: &mut Net, dice: &mut Dice, bytes: usize, until: u64) {
    let (input, output) = (dice.bytes(bytes), dice.bytes(bytes));
    net.exchange(&input, &output, until);
    assert!(net.to_agent == input, "input differs");
    assert!(net.to_client == output, "output differs");
    assert_eq!(net.agent_events, [AgentEvent::Started("1.2.677.0".into())]);
    assert!(matches!(net.client_events.as_slice(), [ClientEvent::Started(_)]));
}

#[test]
fn everything_arrives_once_and_in_order_over_bad_links() {
    for seed in 0..40 {
        let mut dice = Dice::new(seed);
        let weather = weather(&mut dice);
        let mut net = net(SessionType::Port, weather, seed, Limits::default());
        exchange(&mut net, &mut dice, 300_000, 120_000);
    }
}

#[test]
fn small_buffers_only_make_it_slower() {
    let limits = Limits {
        send_bytes: 16_000,
        window: 8,
        reorder_bytes: 5_000,
        reorder_messages: 6,
        event_bytes: 3_000,
        events: 3,
        acknowledgements: 2,
        ..Limits::default()
    };
    for seed in 100..120 {
        let mut dice = Dice::new(seed);
        let weather = weather(&mut dice);
        let mut net = net(SessionType::Port, weather, seed, limits);
        exchange(&mut net, &mut dice, 50_000, 600_000);
    }
}

#[test]
fn nothing_is_lost_or_doubled_when_connections_fall() {
    let mut falls = 0;
    for seed in 200..230 {
        let mut dice = Dice::new(seed);
        let weather = Weather {
            falls_within: Some(500 + dice.below(5000)),
            ..weather(&mut dice)
        };
        let mut net = net(SessionType::Port, weather, seed, Limits::default());
        exchange(&mut net, &mut dice, 200_000, 600_000);
        falls += net.falls;
    }
    assert!(falls > 60, "only {falls} connections fell");
}

#[test]
fn shell_output_keeps_its_characters_whole_over_bad_links() {
    for seed in 300..310 {
        let mut dice = Dice::new(seed);
        let weather = weather(&mut dice);
        let mut net = net(SessionType::StandardStream, weather, seed, Limits::default());
        let output = "größer als 10 € 😀 ".repeat(4000).into_bytes();
        net.exchange(b"ls\r", &output, 120_000);
        assert!(net.to_client == output);
        assert_eq!(net.to_agent, b"ls\r");
    }
}

#[test]
fn a_fair_link_carries_nothing_twice() {
    let mut net = net(SessionType::Port, Weather::FAIR, 1, Limits::default());
    let output = Dice::new(1).bytes(300 * 1021);
    net.exchange(b"", &output, 60_000);
    let messages = u64::try_from(output.len().div_ceil(1024)).unwrap() + 3;
    // Each message and its acknowledgement, and the agent's word to the gateway.
    assert!(
        net.sent <= 2 * (messages + 20) + 1,
        "{} frames for {messages} messages",
        net.sent
    );
    assert!(net.now < 1000, "took {} ms", net.now);
}

#[test]
fn a_link_slower_than_the_first_timeout_is_found_out() {
    let slow = Weather {
        min_delay: 300,
        max_delay: 300,
        ..Weather::FAIR
    };
    let mut net = net(
        SessionType::Port,
        slow,
        1,
        Limits {
            window: 16,
            ..Limits::default()
        },
    );
    let output = Dice::new(1).bytes(400_000);
    net.exchange(b"", &output, 60_000);
    let messages = 400_000 / 1024 + 4;
    assert!(
        net.sent < messages * 2 + 60,
        "{} frames for {messages} messages",
        net.sent
    );
}
