//! A control plane behind TLS with a certificate of its owner's own authority.

use crate::agents::{Agent, PROGRAM, config, registration};
use crate::gateway::Gateway;
use crate::leg::document;
use muster_agent::Registration;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// Puts TLS in front of a gateway; answers the address and the authority's certificate.
async fn in_front_of(gateway: &Gateway) -> (String, String) {
    let mut parameters = CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()])
        .unwrap()
        .signed_by(&key, &authority)
        .unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let behind = gateway.endpoint().trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let (acceptor, behind) = (acceptor.clone(), behind.clone());
            tokio::spawn(async move {
                // Those who do not trust us hang up here.
                if let Ok(mut connection) = acceptor.accept(connection).await {
                    let mut behind = TcpStream::connect(behind).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut connection, &mut behind).await;
                }
            });
        }
    });
    (address, authority.pem())
}

#[tokio::test]
async fn only_the_authority_in_the_file_is_believed_and_it_is_kept() {
    let gateway = Gateway::start().await;
    let (endpoint, pem) = in_front_of(&gateway).await;
    let (_, another) = in_front_of(&gateway).await;
    let files = tempfile::tempdir().unwrap();
    let (file, wrong) = (files.path().join("ca.pem"), files.path().join("other.pem"));
    std::fs::write(&file, pem).unwrap();
    std::fs::write(&wrong, another).unwrap();
    let mut agent = Agent::registered(&gateway).await;
    let forced = Registration {
        endpoint,
        force: true,
        ..registration(&gateway)
    };
    let mut untrusting = config(agent.state.path());
    for ca in [None, Some(wrong)] {
        untrusting.ca_file = ca;
        let error = muster_agent::register(&untrusting, &forced).await.unwrap_err();
        assert!(error.to_string().contains("cannot be reached"), "{error}");
    }
    let output = tokio::process::Command::new(PROGRAM)
        .args([
            "register",
            "--force",
            "--endpoint",
            &forced.endpoint,
            "--region",
            &forced.region,
        ])
        .args(["--activation-id", &forced.activation_id, "--state-dir"])
        .arg(agent.state.path())
        .arg("--ca-file")
        .arg(&file)
        .env("MUSTER_ACTIVATION_CODE", &forced.activation_code)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    agent.node = said
        .split_whitespace()
        .nth(2)
        .unwrap()
        .trim_end_matches('.')
        .to_owned();
    // Kept: the file is not needed any more.
    std::fs::remove_file(&file).unwrap();
    agent.run(|_| {});
    gateway.connected(&agent.node).await;
    let shell = gateway.shell(&agent.node, "s-1").await;
    shell.send(b"exit\n").await;
    gateway.completed("s-1").await;
    gateway.open(
        &agent.node,
        "s-2",
        &document("Standard_Stream", &json!({}), &json!({})),
    );
    gateway
        .wait("it has its channel", |seen| {
            seen.legs["s-2"].with(|leg| leg.is_connected).then_some(())
        })
        .await;
    agent.stop().await;
}
