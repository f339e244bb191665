//! The limit that terminals are measured against: a shell's pseudo-terminal copied to a websocket and back, by the
//! same libraries, with nothing in between. No sign-in, no recording, no second machine, nothing that survives.

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use futures::{SinkExt as _, StreamExt as _};
use muster_tests::portal::Fallible;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Serves until it is killed; prints its address first.
///
/// # Errors
/// When it cannot listen.
pub(crate) async fn serve() -> Fallible<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let upgrade = |upgrade: WebSocketUpgrade| async move {
        upgrade.on_upgrade(|socket| async move {
            let _ = shell(socket).await;
        })
    };
    let listener = listener.tap_io(|socket| {
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, Router::new().route("/", get(upgrade))).await?;
    Ok(())
}

async fn shell(socket: WebSocket) -> Fallible<()> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags)?;
    grantpt(&master)?;
    unlockpt(&master)?;
    let terminal = ioctl_tiocgptpeer(&master, flags)?;
    let mut program = Command::new("setsid")
        .args(["--ctty", "bash", "--norc"])
        // Whoever measures waits for it, and may have none.
        .env("PS1", "# ")
        .stdin(Stdio::from(terminal.try_clone()?))
        .stdout(Stdio::from(terminal.try_clone()?))
        .stderr(Stdio::from(terminal))
        .spawn()?;
    let (mut to, mut from) = socket.split();
    let (read, write) = (master.try_clone()?, master);
    let (sender, mut output) = tokio::sync::mpsc::channel::<Vec<u8>>(16);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 16 * 1024];
        while let Ok(length @ 1..) = rustix::io::read(&read, &mut *buffer) {
            if sender.blocking_send(buffer[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    let typed = tokio::spawn(async move {
        while let Some(Ok(Message::Binary(bytes))) = from.next().await {
            let _ = rustix::io::write(&write, &bytes);
        }
    });
    while let Some(bytes) = output.recv().await {
        to.send(Message::Binary(bytes.into())).await?;
    }
    typed.abort();
    program.wait()?;
    Ok(())
}

/// The server in a process of its own, as Muster is; ended when dropped.
pub(crate) struct Plain {
    child: std::process::Child,
    address: String,
}

impl Plain {
    /// Starts it.
    ///
    /// # Errors
    /// When it does not come up.
    pub(crate) fn start() -> Fallible<Self> {
        use std::io::BufRead as _;
        let mut child = Command::new(std::env::current_exe()?)
            .arg("plain-server")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        std::io::BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let address = format!("ws://{}/", line.trim());
        Ok(Self { child, address })
    }

    /// Opens a shell.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn open(&self) -> Fallible<PlainTerminal> {
        let (socket, _) = tokio_tungstenite::connect_async_with_config(&self.address, None, true).await?;
        Ok(PlainTerminal { socket, output: 0 })
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One shell of it.
pub(crate) struct PlainTerminal {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Bytes that came.
    pub(crate) output: usize,
}

impl PlainTerminal {
    /// Types.
    ///
    /// # Errors
    /// When the socket is gone.
    pub(crate) async fn type_in(&mut self, bytes: &[u8]) -> Fallible<()> {
        Ok(self.socket.send(Frame::Binary(bytes.to_vec().into())).await?)
    }

    /// Reads until so many bytes came in all.
    ///
    /// # Errors
    /// When they do not come.
    pub(crate) async fn until(&mut self, bytes: usize) -> Fallible<()> {
        while self.output < bytes {
            let frame = tokio::time::timeout(Duration::from_secs(60), self.socket.next()).await?;
            if let Frame::Binary(bytes) = frame.ok_or("the socket closed")?? {
                self.output += bytes.len();
            }
        }
        Ok(())
    }
}
