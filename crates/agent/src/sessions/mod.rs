//! Sessions on this node: each started once, carried over its own data channel, and its end told until that is heard.

mod account;
mod command;
mod context;
mod driver;
mod kept;
pub(crate) mod launch;
mod plan;
mod port;
mod program;
mod pty;
mod shell;
pub(crate) mod simulated;
mod tell;
mod wire;

use crate::calls::Client;
use crate::config::AgentConfig;
use crate::link::LinkState;
use crate::tokens::Tokens;
use context::{Context, Ending};
use driver::{Driver, Terms};
use kept::{Kept, Note};
use launch::Program;
use muster_agent_protocol::session::{AgentTaskAcknowledge, InteractiveShell, OS_USER};
use muster_domain::ids::NodeId;
use muster_session_channel::Message;
use muster_session_channel::body::ChannelClosed;
use plan::{Plan, Work};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use wire::Wire;

/// Ended sessions that are remembered, so that a request that comes again starts nothing.
const REMEMBERED: usize = 4096;
/// Ends that nobody has acknowledged; beyond it a request is not even refused.
const MOST_UNTOLD: usize = 4096;
/// How long ends are told after the agent was stopped.
const STOP_WITHIN: Duration = Duration::from_secs(5);

/// A session that was asked for.
struct Entry {
    /// Ends it.
    closed: CancellationToken,
    /// Its end was heard.
    heard: CancellationToken,
    runs: bool,
}

#[derive(Default)]
struct Registry {
    entries: HashMap<String, Entry>,
    running: usize,
    past: VecDeque<(String, Ending)>,
}

/// What all sessions of a node share.
struct Shared {
    client: Client,
    tokens: Arc<Tokens>,
    config: AgentConfig,
    node: NodeId,
    link: watch::Receiver<LinkState>,
    stop: CancellationToken,
    /// Whether sessions run nothing.
    is_simulated: bool,
    kept: Kept,
    registry: Mutex<Registry>,
    tasks: TaskTracker,
}

impl Shared {
    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_id(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.config.random.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }
}

/// The sessions of one node.
pub(crate) struct Sessions {
    shared: Arc<Shared>,
}

/// What becomes of a request.
enum Taken {
    Runs(CancellationToken, CancellationToken),
    Ends(Ending, CancellationToken),
    Nothing,
}

impl Sessions {
    /// None runs yet; what is left of an earlier agent is ended. Those of a simulated node run nothing, see [`simulated`].
    pub(crate) fn new(
        config: &AgentConfig,
        client: Client,
        tokens: Arc<Tokens>,
        node: &NodeId,
        link: watch::Receiver<LinkState>,
        stop: &CancellationToken,
        is_simulated: bool,
    ) -> Self {
        let sessions = Self {
            shared: Arc::new(Shared {
                client,
                tokens,
                config: config.clone(),
                node: node.clone(),
                link,
                stop: stop.clone(),
                is_simulated,
                kept: Kept::new((!is_simulated).then_some(config.state_dir.as_path())),
                registry: Mutex::default(),
                tasks: TaskTracker::new(),
            }),
        };
        sessions.end_left_behind();
        sessions
    }

    /// Ends what an agent before this one has left when it was killed, and tells the ends that it could not tell.
    fn end_left_behind(&self) {
        for (id, note) in self.shared.kept.all() {
            let entry = Entry {
                closed: CancellationToken::new(),
                heard: CancellationToken::new(),
                runs: false,
            };
            let heard = entry.heard.clone();
            self.shared.registry().entries.insert(id.clone(), entry);
            let shared = self.shared.clone();
            self.shared.tasks.spawn(async move {
                let ending = note.ending.unwrap_or_else(|| {
                    Ending::failed("The agent on the node ended unexpectedly, and the session with it.")
                });
                if let Some(leader) = note.leader {
                    let end = move || crate::worker::session::end_identified(&leader);
                    let _ = tokio::task::spawn_blocking(end).await;
                }
                tell::tell(&shared, &id, ending, &heard).await;
            });
        }
    }

    /// Waits until the agent stops and all sessions have ended and said so.
    pub(crate) async fn run_until_stopped(&self) {
        self.shared.stop.cancelled().await;
        self.shared.tasks.close();
        if tokio::time::timeout(STOP_WITHIN, self.shared.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some sessions did not end in time");
        }
    }

    /// `interactive_shell`.
    pub(crate) fn start(&self, message: &Message) {
        let request: InteractiveShell = match serde_json::from_slice(&message.payload) {
            Ok(request) => request,
            Err(error) => {
                tracing::warn!(%error, "a request for a session cannot be read");
                return;
            }
        };
        let id = request.task_id.clone();
        if !plan::is_id(&id) {
            tracing::warn!("a request for a session has an id that cannot be one");
            return;
        }
        let plan = plan::read(&request);
        let shared = self.shared.clone();
        match self.take(&id, plan.as_ref().err()) {
            Taken::Nothing => {}
            Taken::Ends(ending, heard) => {
                self.shared.tasks.spawn(async move {
                    tell::tell(&shared, &id, ending, &heard).await;
                });
            }
            Taken::Runs(closed, heard) => {
                let Ok(plan) = plan else { return };
                self.shared.tasks.spawn(async move {
                    let context = Context {
                        shared: shared.clone(),
                        session_id: id.clone(),
                        closed,
                    };
                    shared.kept.save(&id, Note::default()).await;
                    let ending = run(&context, plan).await;
                    let note = Note {
                        leader: None,
                        ending: Some(ending.clone()),
                    };
                    shared.kept.save(&id, note).await;
                    tracing::info!(session = %id, success = ending.is_success, output = %ending.output, "session ended");
                    {
                        let mut registry = shared.registry();
                        registry.running -= 1;
                        if let Some(entry) = registry.entries.get_mut(&id) {
                            entry.runs = false;
                        }
                    }
                    tell::tell(&shared, &id, ending, &heard).await;
                });
            }
        }
    }

    fn take(&self, id: &str, refusal: Option<&String>) -> Taken {
        let mut registry = self.shared.registry();
        if registry.entries.contains_key(id) || self.shared.stop.is_cancelled() {
            return Taken::Nothing;
        }
        if registry.entries.len() >= registry.running + MOST_UNTOLD {
            tracing::warn!(session = %id, "too many ends of sessions are not acknowledged: a request is ignored");
            return Taken::Nothing;
        }
        let most = self.shared.config.max_sessions;
        let past = registry.past.iter().find(|(past, _)| past == id);
        let ending = match (past, refusal) {
            // Whoever asks again has missed the end.
            (Some((_, ending)), _) => Some(ending.clone()),
            (None, Some(reason)) => Some(Ending::failed(reason.clone())),
            (None, None) if registry.running >= most => Some(Ending::failed(format!(
                "The node has {most} open sessions, which is its limit. End one of them and try again."
            ))),
            (None, None) => None,
        };
        let entry = Entry {
            closed: CancellationToken::new(),
            heard: CancellationToken::new(),
            runs: ending.is_none(),
        };
        let (closed, heard) = (entry.closed.clone(), entry.heard.clone());
        registry.entries.insert(id.to_owned(), entry);
        match ending {
            Some(ending) => Taken::Ends(ending, heard),
            None => {
                registry.running += 1;
                Taken::Runs(closed, heard)
            }
        }
    }

    /// `channel_closed` on the control channel.
    pub(crate) fn close(&self, message: &Message) {
        if let Ok(closed) = serde_json::from_slice::<ChannelClosed>(&message.payload) {
            let registry = self.shared.registry();
            if let Some(entry) = registry.entries.get(&closed.session_id) {
                entry.closed.cancel();
            }
        }
    }

    /// `agent_task_acknowledge`.
    pub(crate) fn heard(&self, message: &Message) {
        if let Ok(ack) = serde_json::from_slice::<AgentTaskAcknowledge>(&message.payload) {
            let registry = self.shared.registry();
            if let Some(entry) = registry.entries.get(&ack.task_id).filter(|entry| !entry.runs) {
                entry.heard.cancel();
            }
        }
    }
}

async fn run(context: &Context, plan: Plan) -> Ending {
    let shared = &context.shared;
    let program = |command| async {
        let wish = plan.wish.clone();
        let found = tokio::task::spawn_blocking(move || account::resolve(&wish)).await;
        let account = found.unwrap_or_else(|error| Err(error.to_string()))?;
        Ok::<_, String>(Program {
            account,
            command,
            session_id: context.session_id.clone(),
            terminal: !matches!(plan.work, Work::NonInteractive { .. }),
        })
    };
    // Before the channel: what is refused needs none.
    let program = match &plan.work {
        _ if shared.is_simulated => Ok(None),
        Work::Shell { .. } => program(None).await.map(Some),
        Work::Interactive { command } | Work::NonInteractive { command, .. } => {
            program(Some(command.clone())).await.map(Some)
        }
        Work::Port(_) => Ok(None),
    };
    let program = match program {
        Ok(program) => program,
        Err(reason) => return Ending::failed(reason),
    };
    let properties = match (&plan.work, &program) {
        (Work::Port(port), _) => port.properties.clone(),
        // AWS's agent sends null here and its clients read nothing: ours may say who one is.
        (_, Some(program)) => serde_json::json!({ OS_USER: program.account.name }),
        _ => serde_json::Value::Null,
    };
    let session_type = plan.session_type();
    let driver = Driver::start(
        Terms {
            session_type,
            // As AWS's agent does it: some clients of shells know no handshake. The shell of a simulated node says
            // nothing by itself, by which such clients would know that it is there.
            handshake: plan.handshake || session_type.needs_handshake() || shared.is_simulated,
            node_id: shared.node.as_str(),
            properties,
            now_unix_ms: shared.config.clock.now().0,
        },
        Wire {
            client: shared.client.clone(),
            tokens: shared.tokens.clone(),
            random: shared.config.random.clone(),
            session_id: context.session_id.clone(),
        },
    );
    if shared.is_simulated {
        return simulated::run(context, driver).await;
    }
    match (plan.work, program) {
        (Work::Shell { profile }, Some(program)) => shell::run(context, driver, program, &profile).await,
        (Work::Interactive { .. }, Some(program)) => shell::run(context, driver, program, "").await,
        (Work::NonInteractive { separate, .. }, Some(program)) => {
            command::run(context, driver, program, separate.as_ref()).await
        }
        (Work::Port(plan), _) => port::run(context, driver, plan).await,
        // A program was made for everything but ports.
        (_, None) => {
            driver.close().await;
            Ending::failed("The session has nothing to run.")
        }
    }
}
