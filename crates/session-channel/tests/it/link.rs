//! A bad network in virtual time: two ends, and a link that loses, delays, reorders and doubles frames.
//! No clock and no randomness but a seed; the same seed gives the same run.

use std::collections::BTreeMap;

use muster_session_channel::{AgentChannel, AgentEvent, ClientChannel, ClientEvent, SendError};
use uuid::Uuid;

/// A small generator: good enough to shuffle a network, and always the same.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next().to_le_bytes()[3]).collect()
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub(crate) loss: u64,
    pub(crate) doubling: u64,
    pub(crate) min_delay: u64,
    pub(crate) max_delay: u64,
    /// A connection falls, with all that is on its way, at most so many milliseconds after it stood; it stands
    /// again 300 ms later.
    pub(crate) falls_within: Option<u64>,
}

impl Weather {
    pub(crate) const FAIR: Self = Self {
        loss: 0,
        doubling: 0,
        min_delay: 5,
        max_delay: 5,
        falls_within: None,
    };
}

enum To {
    Client(Vec<u8>),
    Agent(Vec<u8>),
    Fall,
    Reconnect,
}

pub(crate) struct Net {
    pub(crate) client: ClientChannel,
    pub(crate) agent: AgentChannel,
    pub(crate) now: u64,
    pub(crate) sent: u64,
    pub(crate) falls: u64,
    pub(crate) to_client: Vec<u8>,
    pub(crate) to_agent: Vec<u8>,
    pub(crate) client_events: Vec<ClientEvent>,
    pub(crate) agent_events: Vec<AgentEvent>,
    dice: Dice,
    weather: Weather,
    flying: BTreeMap<(u64, u64), To>,
    connections: u64,
}

impl Net {
    pub(crate) fn new(client: ClientChannel, agent: AgentChannel, weather: Weather, seed: u64) -> Self {
        let mut net = Self {
            client,
            agent,
            now: 0,
            sent: 0,
            to_client: Vec::new(),
            to_agent: Vec::new(),
            client_events: Vec::new(),
            agent_events: Vec::new(),
            dice: Dice::new(seed),
            weather,
            flying: BTreeMap::new(),
            connections: 0,
            falls: 0,
        };
        net.connect();
        net
    }

    fn connect(&mut self) {
        self.connections += 1;
        let id = Uuid::from_u128(u128::from(self.connections));
        let _ = self.client.connected("client token", id, self.now);
        let _ = self.agent.connected("agent token", id, self.now);
        if let Some(within) = self.weather.falls_within {
            let at = self.now + 1 + self.dice.below(within);
            self.flying.insert((at, u64::MAX), To::Fall);
        }
    }

    fn fall(&mut self) {
        self.client.disconnected();
        self.agent.disconnected();
        self.flying.clear();
        self.falls += 1;
        self.flying.insert((self.now + 300, u64::MAX), To::Reconnect);
    }

    fn throw(&mut self, make: impl Fn() -> To) {
        self.sent += 1;
        let copies = 1 + u64::from(self.dice.percent(self.weather.doubling));
        for copy in 0..copies {
            if self.dice.percent(self.weather.loss) {
                continue;
            }
            let spread = self.weather.max_delay - self.weather.min_delay + 1;
            let arrival = self.now + self.weather.min_delay + self.dice.below(spread);
            // Within one millisecond the order is random as well, unless the weather is fair.
            let order = if spread == 1 {
                self.sent * 2 + copy
            } else {
                self.dice.next() >> 1
            };
            self.flying.insert((arrival, order), make());
        }
    }

    fn write_all(&mut self) {
        while let Some(frame) = self.client.poll_transmit(self.now) {
            self.throw(|| To::Agent(frame.clone()));
        }
        while let Some(frame) = self.agent.poll_transmit(self.now) {
            self.throw(|| To::Client(frame.clone()));
        }
    }

    fn read_all(&mut self) {
        while let Some(event) = self.client.poll_event() {
            match event {
                ClientEvent::Output(bytes) => self.to_client.extend(bytes),
                other => self.client_events.push(other),
            }
        }
        while let Some(event) = self.agent.poll_event() {
            match event {
                AgentEvent::Input(bytes) => self.to_agent.extend(bytes),
                AgentEvent::Started(version) => {
                    self.agent.set_ready(true);
                    self.agent_events.push(AgentEvent::Started(version));
                }
                other => self.agent_events.push(other),
            }
        }
    }

    /// Writes and reads at this moment, then goes to the next one. False when nothing will ever happen again.
    pub(crate) fn step(&mut self) -> bool {
        loop {
            self.write_all();
            self.read_all();
            let due = self
                .flying
                .first_key_value()
                .filter(|((at, _), _)| *at <= self.now)
                .map(|(key, _)| *key);
            let Some(key) = due else { break };
            match self.flying.remove(&key).unwrap() {
                To::Client(frame) => self.client.handle_frame(&frame, self.now).unwrap(),
                To::Agent(frame) => self.agent.handle_frame(&frame, self.now).unwrap(),
                To::Fall => self.fall(),
                To::Reconnect => self.connect(),
            }
        }
        let timers = [self.client.next_timeout(), self.agent.next_timeout()];
        let arrival = self.flying.first_key_value().map(|((at, _), _)| *at);
        let Some(next) = timers.into_iter().flatten().chain(arrival).min() else {
            return false;
        };
        assert!(
            next > self.now,
            "all that was due at {} has been done, yet {next} is due",
            self.now
        );
        self.now = next;
        true
    }

    /// Sends both texts as fast as they are taken, until all has arrived and been acknowledged.
    pub(crate) fn exchange(&mut self, input: &[u8], output: &[u8], until: u64) {
        let (mut input_at, mut output_at) = (0, 0);
        while self.to_agent.len() < input.len() || self.to_client.len() < output.len() {
            input_at += offer(input, input_at, self.client.room(), |part| {
                self.client.send_input(part, self.now)
            });
            output_at += offer(output, output_at, self.agent.room(), |part| {
                self.agent.send_output(part, self.now)
            });
            assert!(self.step(), "nothing happens any more at {}", self.now);
            assert!(self.now < until, "not done at {}", self.now);
        }
        self.weather.falls_within = None;
        while self.step() {
            assert!(self.now < until, "not acknowledged at {}", self.now);
        }
        assert_eq!((self.client.held(), self.agent.held()), (0, 0));
    }
}

fn offer(all: &[u8], at: usize, room: usize, send: impl FnOnce(&[u8]) -> Result<(), SendError>) -> usize {
    let part = &all[at..all.len().min(at + room.min(20_000))];
    match send(part) {
        Ok(()) => part.len(),
        Err(SendError::NotStarted) => 0,
        Err(error) => panic!("{} bytes fitted and were refused: {error}", part.len()),
    }
}
