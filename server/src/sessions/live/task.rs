//! The task of one live session: its loop, and the state that only it touches. What it does with output, with
//! input and at the end is in the modules of these names.

use crate::door::Door;
use crate::sessions::live::connect::{Connector, Link, NoWay, Opening};
use crate::sessions::live::end::Over;
use crate::sessions::live::input::Pending;
use crate::sessions::live::shared::EndOrder;
use crate::sessions::live::{Command, Journal, Live, Noted, Shared, limits};
use crate::sessions::policy::SessionPolicy;
use crate::sessions::queries;
use crate::sessions::ssm::Grant;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _};
use muster_domain::audit::AuditTrail;
use muster_domain::sessions::{EndReason, SessionKind, SessionStatus};
use muster_domain::time::{Clock, Random};
use muster_recording::Recorder;
use muster_session_channel::ClientChannel;
use muster_store::Db;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Frames that are read before what they brought is written down and shown.
const BATCH: usize = 256;
/// A way that cannot be found again for so long is given up.
const GIVE_UP: Duration = Duration::from_secs(600);
/// A session whose first way is not there for so long has failed.
const FIRST_WAY: Duration = Duration::from_secs(45);
/// How long before its end a session warns.
const WARN_BEFORE: Duration = Duration::from_secs(120);
/// A tunnel whose client has been away for so long is closed: nobody comes back to it.
const TUNNEL_ALONE: Duration = Duration::from_secs(60);
/// How often the recorder is reminded of the time.
const TICK: Duration = Duration::from_secs(1);

/// What all sessions stand on. Cheap to clone.
#[derive(Clone)]
pub struct LiveGround {
    /// The portal's database.
    pub db: Db,
    /// The one door; ends are recorded through its trail.
    pub door: Door,
    /// Where ends that nobody ordered are recorded.
    pub trail: Arc<dyn AuditTrail>,
    /// Tells time.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub random: Arc<dyn Random>,
    /// Opens ways to nodes.
    pub connector: Connector,
    /// The settings.
    pub policy: Arc<SessionPolicy>,
    /// All live sessions.
    pub live: Live,
    /// The portal stops: sessions stay, their tasks end.
    pub stop: CancellationToken,
}

/// What a task begins with.
pub struct Begin {
    /// What others see of it.
    pub shared: Arc<Shared>,
    /// Where it hears commands.
    pub commands: mpsc::Receiver<Command>,
    /// The client's end of the data channel.
    pub channel: ClientChannel,
    /// The first way to the node.
    pub opening: Opening,
    /// Writes the recording; nothing when there is none.
    pub recorder: Option<Recorder>,
    /// Notes how far the channel has come.
    pub journal: Journal,
    /// Bytes of output that are recorded already and come again.
    pub skip: u64,
}

pub(super) type Connecting = BoxFuture<'static, Result<(Link, Grant), NoWay>>;

/// One live session.
pub struct Task {
    pub(super) ground: LiveGround,
    pub(super) shared: Arc<Shared>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) channel: ClientChannel,
    pub(super) recorder: Option<Recorder>,
    pub(super) journal: Option<Journal>,
    pub(super) skip: u64,
    pub(super) pending: VecDeque<Pending>,
    pub(super) ssm_session_id: String,
    stream_url: String,
    epoch: Instant,
    link: Option<Link>,
    connecting: Option<Connecting>,
    lost_at: Option<Instant>,
    tries: u32,
    pub(super) started: bool,
    pub(super) active: Instant,
    pub(super) ends: Instant,
    idle: Duration,
    pub(super) unanswered: Option<Instant>,
    ticked: Instant,
    attended: Instant,
    told: (u64, u64),
    pub(super) over: Option<Over>,
}

impl Task {
    /// A task that has not begun.
    #[must_use]
    pub fn new(ground: LiveGround, begin: Begin) -> Self {
        let now = Instant::now();
        let (ends, idle, resumes) = {
            let state = begin.shared.state();
            let one = &state.row.summary;
            let left = limits::left(
                one.started_at,
                one.ends_at.unwrap_or_default(),
                ground.clock.now(),
            );
            let idle = match state.row.document_idle_minutes {
                0 => ground.policy.idle_minutes,
                minutes => ground.policy.idle_minutes.min(minutes),
            };
            (
                now + left,
                Duration::from_secs(u64::from(idle) * 60),
                begin.opening.is_resume(),
            )
        };
        let (ssm_session_id, stream_url) = begin.opening.names();
        let connector = ground.connector.clone();
        let opening = begin.opening;
        Self {
            ground,
            shared: begin.shared,
            commands: begin.commands,
            channel: begin.channel,
            recorder: begin.recorder,
            journal: Some(begin.journal),
            skip: begin.skip,
            pending: VecDeque::new(),
            ssm_session_id,
            stream_url,
            epoch: now,
            link: None,
            connecting: Some(async move { connector.open(&opening).await }.boxed()),
            lost_at: Some(now),
            tries: 0,
            started: resumes,
            active: now,
            ends,
            idle,
            unanswered: None,
            ticked: now,
            attended: now,
            told: (0, 0),
            over: None,
        }
    }

    /// Milliseconds of the channel's clock.
    pub(super) fn millis(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Runs the session to its end, or until the portal stops.
    pub async fn run(mut self) {
        let stop = self.ground.stop.clone();
        while self.over.is_none() {
            self.take_events().await;
            self.send_input();
            if self.over.is_none() {
                self.transmit();
                self.check_limits().await;
            }
            if self.over.is_some() {
                break;
            }
            tokio::select! {
                () = stop.cancelled() => {
                    self.leave().await;
                    return;
                }
                () = self.step() => {}
            }
        }
        self.finish().await;
    }

    /// Waits for whatever happens next, and takes it in.
    async fn step(&mut self) {
        // A browser that does not keep up slows the node down: nothing more is read from it.
        let reads = self.shared.state().behind() < super::BEHIND;
        let wake = self.next_wake();
        tokio::select! {
            biased;
            command = self.commands.recv() => {
                if let Some(command) = command {
                    self.command(command).await;
                }
                // Keystrokes come in bursts; commands are few enough to be worked off at once.
                while let Ok(command) = self.commands.try_recv() {
                    self.command(command).await;
                }
            }
            frame = next_frame(&mut self.link), if reads && self.link.is_some() => self.frames(frame),
            opened = until_open(&mut self.connecting), if self.connecting.is_some() => self.opened(opened),
            () = tokio::time::sleep_until(wake) => {}
        }
    }

    /// Takes in a frame, and all that are there already.
    fn frames(&mut self, first: Option<Frame>) {
        let mut next = first;
        for _ in 0..BATCH {
            let Some(frame) = next else {
                self.lost("the connection broke");
                return;
            };
            let bytes = match frame {
                Frame::Binary(bytes) => bytes,
                Frame::Text(text) => text.into(),
                Frame::Close(_) => {
                    self.lost("the connection was closed");
                    return;
                }
                _ => bytes::Bytes::new(),
            };
            if !bytes.is_empty()
                && let Err(violation) = self.channel.handle_frame(&bytes, self.millis())
            {
                tracing::warn!(session.id = %self.shared.id, %violation, "a node's message was refused");
            }
            let Some(link) = &mut self.link else { return };
            match link.frames.next().now_or_never() {
                Some(frame) => next = frame.and_then(Result::ok),
                None => return,
            }
        }
    }

    fn opened(&mut self, opened: Result<(Link, Grant), NoWay>) {
        self.connecting = None;
        match opened {
            Ok((link, grant)) => {
                let id = Uuid::parse_str(&self.ground.random.uuid()).unwrap_or_default();
                let first = self.channel.connected(&grant.token, id, self.millis());
                self.stream_url = grant.stream_url;
                // The queue is new and empty.
                let _ = link.sender.try_send(Frame::text(first));
                self.link = Some(link);
                self.lost_at = None;
                self.tries = 0;
                if self.started {
                    self.stands(SessionStatus::Connected);
                }
            }
            Err(NoWay::Over) => {
                self.end_now(EndReason::EndedThere, "The session was over on the node's side.")
            }
            Err(NoWay::Never(why)) => {
                tracing::error!(session.id = %self.shared.id, why, "no way to the node is opened");
                let reason = if self.started {
                    EndReason::NodeLost
                } else {
                    EndReason::NotStarted
                };
                self.end_now(reason, &format!("No way to the node was opened: {why}."));
            }
            Err(NoWay::Later(reason)) => {
                tracing::info!(session.id = %self.shared.id, reason, "no way to the node yet");
                self.try_again();
            }
        }
    }

    fn try_again(&mut self) {
        let lost = *self.lost_at.get_or_insert_with(Instant::now);
        let patience = if self.started { GIVE_UP } else { FIRST_WAY };
        if lost.elapsed() >= patience {
            let (reason, text) = if self.started {
                (EndReason::NodeLost, "The node could not be reached any more.")
            } else {
                (EndReason::NotStarted, "The node did not answer.")
            };
            self.end_now(reason, text);
            return;
        }
        self.tries += 1;
        let wait = Duration::from_millis(200 << self.tries.min(5)).min(Duration::from_secs(5));
        let connector = self.ground.connector.clone();
        let opening = Opening::Resume {
            ssm_session_id: self.ssm_session_id.clone(),
            stream_url: self.stream_url.clone(),
        };
        let open = async move {
            tokio::time::sleep(wait).await;
            connector.open(&opening).await
        };
        self.connecting = Some(open.boxed());
    }

    fn lost(&mut self, why: &str) {
        tracing::info!(session.id = %self.shared.id, why, "the way to a node was lost");
        self.channel.disconnected();
        self.link = None;
        if self.over.is_none() {
            self.stands(SessionStatus::Reconnecting);
            self.try_again();
        }
    }

    /// How the session stands is shown everywhere.
    pub(super) fn stands(&self, status: SessionStatus) {
        let mut state = self.shared.state();
        if state.row.summary.status == status {
            return;
        }
        state.row.summary.status = status;
        state.changed();
        drop(state);
        self.shared.pulse();
        self.keep_row();
    }

    /// Writes the row in the background: how it stands is not worth a wait.
    pub(super) fn keep_row(&self) {
        let (db, row) = (self.ground.db.clone(), self.shared.state().row.clone());
        tokio::spawn(async move {
            if let Err(error) = queries::update(&db, &row).await {
                tracing::warn!(session.id = %row.summary.session_id, %error, "a session's state was not kept");
            }
        });
    }

    /// Notes how far it has come, then sends what is due. In this order: what is acknowledged is never forgotten.
    fn transmit(&mut self) {
        let now = self.millis();
        let (end, size) = {
            let state = self.shared.state();
            (state.backlog.end(), state.size)
        };
        let noted = Noted {
            position: self.channel.position(),
            output_bytes: end,
            size,
        };
        if let Some(journal) = &mut self.journal
            && let Err(error) = journal.note(noted)
        {
            tracing::error!(session.id = %self.shared.id, %error, "a session's position cannot be written");
            let text =
                "The portal's disk cannot be written, so the session was ended rather than go on unrecorded.";
            self.end_now(EndReason::RecorderFailed, text);
            return;
        }
        let Some(link) = &self.link else { return };
        // A permit first: a frame that is taken from the channel must not be lost.
        while let Ok(permit) = link.sender.try_reserve() {
            let Some(frame) = self.channel.poll_transmit(now) else {
                return;
            };
            permit.send(Frame::Binary(frame.into()));
        }
        if link.sender.is_closed() {
            self.lost("nothing can be sent any more");
        }
    }

    fn next_wake(&self) -> Instant {
        let mut wake = self.ticked + TICK;
        if let Some(due) = self.channel.next_timeout().filter(|_| self.link.is_some()) {
            // Never at once for ever: when the writer is slow, what is due stays due.
            let due = self.epoch + Duration::from_millis(due);
            wake = wake.min(due.max(Instant::now() + Duration::from_millis(1)));
        }
        wake.min(self.ends)
    }

    /// Looks at the clock: idle, the end, the recorder.
    async fn check_limits(&mut self) {
        let now = Instant::now();
        if now < self.ticked + TICK && now < self.ends {
            return;
        }
        self.ticked = now;
        if let Some(recorder) = &mut self.recorder
            && let Err(error) = recorder.tick().await
        {
            self.recorder_failed(&error);
        }
        self.tell_counts();
        self.look_for_answers(now);
        let idle_ends = self.active + self.idle;
        if now >= self.ends {
            return self.end_now(EndReason::TimeUp, "The time that it was opened for is over.");
        }
        if now >= idle_ends {
            return self.end_now(EndReason::IdleTimeout, "Nothing was typed or shown for too long.");
        }
        let is_alone = {
            let state = self.shared.state();
            state.row.summary.kind == SessionKind::Port && state.readers.is_empty()
        };
        if !is_alone {
            self.attended = now;
        } else if now >= self.attended + TUNNEL_ALONE {
            return self.end_now(EndReason::EndedByOwner, "The client of the tunnel has gone.");
        }
        let (next, reason) = if idle_ends < self.ends {
            (idle_ends, EndReason::IdleTimeout)
        } else {
            (self.ends, EndReason::TimeUp)
        };
        let left = next - now;
        let warning = (left <= WARN_BEFORE).then(|| {
            let ms = i64::try_from(left.as_millis()).unwrap_or_default();
            (self.ground.clock.now().plus_ms(ms), reason)
        });
        let mut state = self.shared.state();
        if state.warning.map(|(_, reason)| reason) != warning.map(|(_, reason)| reason) {
            state.warning = warning;
            state.version += 1;
            drop(state);
            self.shared.pulse();
        }
    }

    /// Pages show what went through, at most once a second.
    fn tell_counts(&mut self) {
        let mut state = self.shared.state();
        let counts = (state.row.summary.bytes_in, state.row.summary.bytes_out);
        if counts != self.told {
            self.told = counts;
            state.version += 1;
            drop(state);
            self.shared.pulse();
        }
    }

    async fn command(&mut self, command: Command) {
        match command {
            Command::Input {
                client,
                offset,
                bytes,
            } => self.input(client, offset, bytes).await,
            Command::Resize(size) => self.resize(size).await,
            Command::Joined { name, watcher } => self.joined(name, watcher).await,
            Command::Left { name } => self.left(name).await,
            Command::MoreTime(answer) => {
                let _ = answer.send(self.more_time());
            }
            Command::End(EndOrder { reason, message, by }) => {
                self.over = Some(Over {
                    reason,
                    message,
                    by,
                    remote: false,
                });
            }
            Command::Look => {}
        }
    }

    /// The portal stops: the session stays on the node, and whoever starts next goes on with it.
    async fn leave(&mut self) {
        self.take_events().await;
        self.transmit();
        // Everything is written; whoever resumes it finds the end.
        drop(self.recorder.take());
        let row = self.shared.state().row.clone();
        if let Err(error) = queries::update(&self.ground.db, &row).await {
            tracing::warn!(session.id = %self.shared.id, %error, "a session's state was not kept");
        }
        self.ground.live.remove(&self.shared.id);
    }
}

async fn next_frame(link: &mut Option<Link>) -> Option<Frame> {
    match link {
        Some(link) => link.frames.next().await.and_then(Result::ok),
        None => std::future::pending().await,
    }
}

async fn until_open(connecting: &mut Option<Connecting>) -> Result<(Link, Grant), NoWay> {
    match connecting {
        Some(connecting) => connecting.await,
        None => std::future::pending().await,
    }
}
