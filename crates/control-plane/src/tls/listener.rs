//! A listener with TLS. Handshakes happen beside each other and have a time limit, so that somebody who
//! connects and says nothing holds nobody up.

use super::authority::{Authority, AuthorityError, ServerCertificate};
use axum::serve::Listener;
use muster_domain::time::Clock;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes that happen at once at most.
const HANDSHAKES: usize = 512;
/// How often it is looked whether the certificate is due.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// The certificate that is shown at this moment.
struct Shown(Mutex<Arc<CertifiedKey>>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shown")
    }
}

impl Shown {
    fn replace(&self, key: Arc<CertifiedKey>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = key;
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Connections whose handshake is done.
pub struct TlsListener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    addr: SocketAddr,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The listener was stopped; so is whoever waits here.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.addr)
    }
}

/// Listens on `tcp` with certificates of that authority for these names, until `stop`.
///
/// # Errors
/// When no certificate can be made, or TLS cannot be set up.
pub fn listen(
    tcp: TcpListener,
    authority: Authority,
    names: Vec<String>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
) -> Result<TlsListener, AuthorityError> {
    let failed = |error: &dyn fmt::Display| AuthorityError::Make(error.to_string());
    let ServerCertificate { key, renew_at } = authority.server_certificate(&names, clock.now())?;
    let shown = Arc::new(Shown(Mutex::new(key)));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let addr = tcp.local_addr().map_err(|error| failed(&error))?;
    let (sender, ready) = mpsc::channel(64);
    tokio::spawn(accept(
        tcp,
        TlsAcceptor::from(Arc::new(config)),
        sender,
        stop.clone(),
    ));
    tokio::spawn(async move {
        let mut renew_at = renew_at;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if clock.now() < renew_at {
                continue;
            }
            match authority.server_certificate(&names, clock.now()) {
                Ok(new) => {
                    shown.replace(new.key);
                    renew_at = new.renew_at;
                    tracing::info!("the embedded endpoint's certificate was renewed");
                }
                Err(error) => tracing::error!(%error, "the embedded endpoint's certificate is not renewed"),
            }
        }
    });
    Ok(TlsListener { ready, addr })
}

async fn accept(
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    ready: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    let mut tcp = tcp;
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        // axum's own way of accepting: it waits a moment when the process has no file left.
        let (stream, addr) = tokio::select! {
            () = stop.cancelled() => return,
            accepted = Listener::accept(&mut tcp) => accepted,
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection cannot be told to send at once");
        }
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        tokio::spawn(async move {
            match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let _ = ready.send((stream, addr)).await;
                }
                Ok(Err(error)) => tracing::debug!(%addr, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%addr, "a TLS handshake took too long"),
            }
            drop(place);
        });
    }
}
