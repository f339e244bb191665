//! The endpoint over TLS, with the authority that it makes for itself.

use crate::agent::{Agent, serve};
use crate::session_ends::client;
use crate::world::{HOST, REGION, World};
use axum::serve::ListenerExt as _;
use muster_control_plane::tls::{Authority, listen};
use muster_domain::time::Clock;
use muster_store::test_database::on_both;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{Connector, client_async_tls_with_config};
use tokio_util::sync::CancellationToken;

/// A client's side that trusts this authority, or nobody.
fn trusting(pem: Option<&str>) -> Arc<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore::empty();
    if let Some(pem) = pem {
        roots
            .add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
            .unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

async fn connect(
    address: SocketAddr,
    name: &'static str,
    config: &Arc<rustls::ClientConfig>,
) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name).unwrap();
    TlsConnector::from(Arc::clone(config)).connect(name, stream).await
}

#[tokio::test]
async fn sessions_are_started_and_opened_over_tls() {
    on_both(|db| async {
        let world = World::new(db).await;
        let plain = serve(&world).await;
        let node = world.node("one").await;
        let _control = Agent::connect(&world, &node, plain, &[]).await;
        let authority = Authority::open(world.folder.path(), world.clock.now()).unwrap();
        let trusted = trusting(Some(authority.pem()));
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = tcp.local_addr().unwrap();
        let names = vec!["muster.test".to_owned(), "127.0.0.1".to_owned()];
        let (clock, stop) = (
            Arc::clone(&world.clock) as Arc<dyn Clock>,
            CancellationToken::new(),
        );
        let listener = listen(tcp, authority, names, clock, stop.clone()).unwrap();
        let service = world
            .plane
            .router_over_tls()
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener.tap_io(|_| {}), service).await.unwrap() });

        // Connections that say nothing hold nobody up.
        let mut silent = Vec::new();
        for _ in 0..50 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        assert!(connect(address, "muster.test", &trusting(None)).await.is_err());
        assert!(connect(address, "other.test", &trusted).await.is_err());

        let body = json!({"Target": node.id}).to_string().into_bytes();
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "AmazonSSM.StartSession"),
        ];
        let keys = world.plane.operator_credentials();
        let signed = world.signed(&keys, "ssm", REGION, ("POST", "/", ""), &headers, &body);
        let mut head = format!(
            "POST / HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in &signed {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        head.push_str("\r\n");
        let mut stream = connect(address, "127.0.0.1", &trusted).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body).await.unwrap();
        let mut answer = Vec::new();
        // A server that closes without TLS's goodbye is no fault here.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let (_, answer) = answer.split_once("\r\n\r\n").unwrap();
        let started: Value = serde_json::from_str(answer).unwrap();
        let id = started["SessionId"].as_str().unwrap();
        let path = format!("/v1/data-channel/{id}?role=publish_subscribe");
        assert_eq!(started["StreamUrl"], format!("wss://{HOST}{path}"));

        let stream = TcpStream::connect(address).await.unwrap();
        let url = format!("wss://muster.test:{}{path}", address.port());
        let connector = Some(Connector::Rustls(trusted));
        let (socket, _) = client_async_tls_with_config(url, stream, None, connector)
            .await
            .unwrap();
        let mut person = client();
        person.connect(socket, started["TokenValue"].as_str().unwrap());
        world
            .until("the client's leg stands", async || {
                world.plane.session_load().legs == 1
            })
            .await;
        world.ok("TerminateSession", json!({"SessionId": id})).await;
        assert!(person.closed().await.contains("TerminateSession"));
        stop.cancel();
    })
    .await;
}
