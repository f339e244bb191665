//! The embedded Systems Manager endpoint, listening, and its nudges on their way to the portal.

use crate::start::StartError;
use axum::Router;
use axum::serve::ListenerExt as _;
use muster_control_plane::tls::{self, Authority};
use muster_control_plane::{Change, ControlPlane};
use muster_domain::time::Clock;
use muster_server::config::Config;
use muster_server::sync::commands::Nudge;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Listens on `addr`, and says which address it was when the port was left open.
///
/// # Errors
/// When the address is taken or not ours; says which.
pub async fn listen(addr: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(addr)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {addr}: {error}")))?;
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

/// Serves `router` until `stop`, then lets what is under way end.
pub fn serve(listener: TcpListener, router: Router, stop: CancellationToken) -> JoinHandle<()> {
    tokio::spawn(async move {
        // Small messages in both directions: waiting to fill packets would cost 40 ms each time.
        let listener = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "a connection cannot be told to send at once");
            }
        });
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let served = axum::serve(listener, service)
            .with_graceful_shutdown(stop.cancelled_owned())
            .await;
        if let Err(error) = served {
            tracing::error!(%error, "a listener ended");
        }
    })
}

/// Listens with TLS where the settings say so, and serves the control plane there until `stop`; gives the
/// address.
///
/// # Errors
/// When the address is taken, or no certificate can be made.
pub async fn serve_over_tls(
    config: &Config,
    plane: &Arc<ControlPlane>,
    clock: Arc<dyn Clock>,
    stop: &CancellationToken,
) -> Result<Option<(SocketAddr, JoinHandle<()>)>, StartError> {
    let Some(addr) = config.ssm_tls_addr else {
        return Ok(None);
    };
    let authority = Authority::open(&config.data_dir, clock.now())?;
    let (tcp, addr) = listen(addr).await?;
    let mut names = config.ssm_tls_names.clone();
    if !addr.ip().is_unspecified() && !names.contains(&addr.ip().to_string()) {
        names.push(addr.ip().to_string());
    }
    let listener = tls::listen(tcp, authority, names, clock, stop.clone())?;
    // It tells each connection's address, as a plain listener does; there is nothing to tap.
    let service = plane
        .router_over_tls()
        .into_make_service_with_connect_info::<SocketAddr>();
    let served =
        axum::serve(listener.tap_io(|_| {}), service).with_graceful_shutdown(stop.clone().cancelled_owned());
    let task = tokio::spawn(async move {
        if let Err(error) = served.await {
            tracing::error!(%error, "a listener ended");
        }
    });
    Ok(Some((addr, task)))
}

/// What the endpoint says has news.
#[derive(Debug)]
pub struct Nudges {
    /// Commands, each with the node that has news.
    pub commands: mpsc::Receiver<Nudge>,
    /// Automation executions.
    pub executions: mpsc::Receiver<String>,
}

/// Passes the endpoint's nudges on. A nudge that finds no place is left out: the portal looks by the
/// clock as well.
pub fn pass_on(plane: &Arc<ControlPlane>, stop: CancellationToken) -> Nudges {
    let mut changes = plane.changes();
    let (to_commands, commands) = mpsc::channel(4_096);
    let (to_executions, executions) = mpsc::channel(4_096);
    tokio::spawn(async move {
        loop {
            let change = tokio::select! {
                () = stop.cancelled() => return,
                change = changes.recv() => change,
            };
            match change {
                Ok(Change::Command { command_id, node_id }) => {
                    let _ = to_commands.try_send((command_id, node_id.unwrap_or_default()));
                }
                Ok(Change::Execution { execution_id }) => {
                    let _ = to_executions.try_send(execution_id);
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    });
    Nudges { commands, executions }
}

/// Nobody nudges where the endpoint is not ours.
pub fn no_nudges(stop: &CancellationToken) -> Nudges {
    let (to_commands, commands) = mpsc::channel(1);
    let (to_executions, executions) = mpsc::channel(1);
    let stop = stop.clone();
    tokio::spawn(async move {
        stop.cancelled().await;
        drop((to_commands, to_executions));
    });
    Nudges { commands, executions }
}
