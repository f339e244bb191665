//! What a live session's task shares with everybody else, and the list of all of them. Locks are held for
//! moments, never across a wait.

use crate::sessions::live::backlog::{Backlog, RECORDED, UNRECORDED};
use crate::sessions::queries::SessionRow;
use muster_domain::Timestamp;
use muster_domain::ids::{NodeSessionId, UserId};
use muster_domain::sessions::wire::INPUT_WINDOW;
use muster_domain::sessions::{EndReason, RecordingState};
use muster_session_channel::body::Size;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};

/// Commands that wait for a session's task at most.
const WAITING: usize = 64;
/// Pages whose input is told apart; the oldest is forgotten.
const PAGES: usize = 16;
/// Lines for the person that are kept for pages that attach late.
const NOTICES: usize = 8;

/// An order to end a session.
#[derive(Clone, Debug)]
pub struct EndOrder {
    /// Why.
    pub reason: EndReason,
    /// More about it, in words.
    pub message: String,
    /// Who ordered it; empty for the portal itself.
    pub by: String,
}

/// What a session's task is told.
#[derive(Debug)]
pub enum Command {
    /// Something was typed on a page.
    Input {
        /// The page.
        client: String,
        /// The offset of the first byte among all input of that page.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The terminal of a page has this size.
    Resize(Size),
    /// Somebody came.
    Joined {
        /// The name.
        name: String,
        /// Whether only to look on.
        watcher: bool,
    },
    /// Somebody left.
    Left {
        /// The name.
        name: String,
    },
    /// More time is asked for; answered with the new end, or why not.
    MoreTime(oneshot::Sender<Result<Timestamp, String>>),
    /// It is to end.
    End(EndOrder),
    /// Something that the task waits for may have changed.
    Look,
}

/// A browser that is attached.
#[derive(Clone, Debug)]
pub struct Reader {
    /// The name of its person.
    pub name: String,
    /// Its person.
    pub user: Option<UserId>,
    /// The sign-in through which it came.
    pub sign_in: Option<String>,
    /// Whether only to look on.
    pub watcher: bool,
    /// All output before this was worked off.
    pub consumed: u64,
    /// Whether something was typed since the last look.
    pub typed: bool,
    /// Set when it may not stay, with the reason.
    pub revoked: Option<String>,
}

/// How a live session stands.
#[derive(Debug)]
pub struct LiveState {
    /// As the database has it, but newer.
    pub row: SessionRow,
    /// The newest output.
    pub backlog: Backlog,
    /// The size of the terminal on the node.
    pub size: Size,
    /// Input of each page that has gone to the node, oldest page first.
    pub taken: VecDeque<(String, u64)>,
    /// Who is attached.
    pub readers: BTreeMap<u64, Reader>,
    /// Whether somebody has to look on before anything can be typed.
    pub needs_watcher: bool,
    /// Why nothing can be typed, when nothing can.
    pub waits_for: Option<String>,
    /// Whether its people were told that the node does not answer.
    pub node_is_away: bool,
    /// That it ends soon, and why.
    pub warning: Option<(Timestamp, EndReason)>,
    /// Lines for the person, and how many there were before the first of them.
    pub notices: (u64, VecDeque<String>),
    /// Grows whenever something but output changes.
    pub version: u64,
    next_reader: u64,
}

impl LiveState {
    /// Bytes that the slowest page of the owner is behind; nothing when none is attached.
    #[must_use]
    pub fn behind(&self) -> u64 {
        let owners = self.readers.values().filter(|reader| !reader.watcher);
        let slowest = owners.map(|reader| reader.consumed).min();
        slowest.map_or(0, |at| self.backlog.end().saturating_sub(at))
    }

    /// Whether somebody looks on.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.readers.values().any(|reader| reader.watcher)
    }

    /// Input of a page that has gone to the node.
    #[must_use]
    pub fn taken_of(&self, client: &str) -> u64 {
        self.taken
            .iter()
            .find(|(page, _)| page == client)
            .map_or(0, |(_, taken)| *taken)
    }

    /// Notes that input of a page has gone to the node.
    pub fn take(&mut self, client: &str, upto: u64) {
        if let Some((_, taken)) = self.taken.iter_mut().find(|(page, _)| page == client) {
            *taken = upto;
            return;
        }
        if self.taken.len() >= PAGES {
            self.taken.pop_front();
        }
        self.taken.push_back((client.to_owned(), upto));
    }

    /// Adds a line for the person.
    pub fn notice(&mut self, line: String) {
        if self.notices.1.len() >= NOTICES {
            self.notices.1.pop_front();
            self.notices.0 += 1;
        }
        self.notices.1.push_back(line);
        self.version += 1;
    }

    /// The names of those who look on.
    fn watchers(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .readers
            .values()
            .filter(|reader| reader.watcher)
            .map(|reader| reader.name.clone())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Something but output changed: watchers are counted anew.
    pub fn changed(&mut self) {
        self.row.summary.watchers = self.watchers();
        self.version += 1;
    }
}

/// One live session as everybody but its task sees it.
#[derive(Debug)]
pub struct Shared {
    /// Which.
    pub id: NodeSessionId,
    /// The owner's name.
    pub owner: String,
    state: Mutex<LiveState>,
    pulse: watch::Sender<u64>,
    commands: mpsc::Sender<Command>,
}

impl Shared {
    /// A session that begins, and where its task hears commands.
    #[must_use]
    pub fn new(
        row: SessionRow,
        size: Size,
        output: u64,
        needs_watcher: bool,
    ) -> (Arc<Self>, mpsc::Receiver<Command>) {
        let (commands, receiver) = mpsc::channel(WAITING);
        let kept = match row.summary.recording {
            RecordingState::Recording => RECORDED,
            _ => UNRECORDED,
        };
        let shared = Self {
            id: row.summary.session_id.clone(),
            owner: row.summary.owner.clone(),
            state: Mutex::new(LiveState {
                row,
                backlog: Backlog::at(output, kept),
                size,
                taken: VecDeque::new(),
                readers: BTreeMap::new(),
                needs_watcher,
                waits_for: needs_watcher
                    .then(|| "Somebody has to look on before anything can be typed on this node.".to_owned()),
                node_is_away: false,
                warning: None,
                notices: (0, VecDeque::new()),
                version: 1,
                next_reader: 1,
            }),
            pulse: watch::channel(0).0,
            commands,
        };
        (Arc::new(shared), receiver)
    }

    /// How it stands, for a moment.
    pub fn state(&self) -> MutexGuard<'_, LiveState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes everybody who reads.
    pub fn pulse(&self) {
        self.pulse.send_modify(|beat| *beat = beat.wrapping_add(1));
    }

    /// To be woken when something changes.
    #[must_use]
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.pulse.subscribe()
    }

    /// Tells the task something; waits while it has much to do. Whether the task is still there.
    pub async fn tell(&self, command: Command) -> bool {
        self.commands.send(command).await.is_ok()
    }

    /// Tells the task to look again, unless it has plenty to look at.
    pub fn look(&self) {
        let _ = self.commands.try_send(Command::Look);
    }

    /// Lets somebody in; answers a number to leave with.
    pub fn enter(&self, reader: Reader) -> u64 {
        let mut state = self.state();
        let number = state.next_reader;
        state.next_reader += 1;
        state.readers.insert(number, reader);
        state.changed();
        number
    }

    /// Somebody has left.
    pub fn leave(&self, number: u64) {
        let mut state = self.state();
        state.readers.remove(&number);
        state.changed();
        drop(state);
        self.look();
        self.pulse();
    }

    /// The most input that a page may have under way.
    #[must_use]
    pub const fn input_window() -> u64 {
        INPUT_WINDOW
    }
}

/// All live sessions. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Live {
    sessions: Arc<Mutex<HashMap<NodeSessionId, Arc<Shared>>>>,
}

impl Live {
    fn all_of(&self) -> MutexGuard<'_, HashMap<NodeSessionId, Arc<Shared>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: &NodeSessionId) -> Option<Arc<Shared>> {
        self.all_of().get(id).cloned()
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Shared>> {
        self.all_of().values().cloned().collect()
    }

    /// How many go on, and how many of them are one person's.
    #[must_use]
    pub fn count(&self, owner: &str) -> (usize, usize) {
        let all = self.all_of();
        // What has ended is only waiting to be written down.
        let go_on = all
            .values()
            .filter(|shared| !shared.state().row.summary.status.is_over());
        go_on.fold((0, 0), |(all, own), shared| {
            (all + 1, own + usize::from(shared.owner == owner))
        })
    }

    /// Adds one.
    pub fn add(&self, shared: Arc<Shared>) {
        self.all_of().insert(shared.id.clone(), shared);
    }

    /// Takes one out.
    pub fn remove(&self, id: &NodeSessionId) {
        self.all_of().remove(id);
    }
}
