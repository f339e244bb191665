//! Sessions that carry connections, against real servers.

use crate::agents::Agent;
use crate::gateway::Gateway;
use crate::leg::{Leg, document};
use muster_session_channel::mux::{Mux, MuxEvent, MuxSide};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Answers each connection with what `talk` makes of it.
async fn server<F>(talk: impl Fn(TcpStream) -> F + Send + 'static) -> u16
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            tokio::spawn(talk(connection));
        }
    });
    port
}

/// Reads all to the end, then answers its length and it.
async fn mirror(mut connection: TcpStream) {
    let mut all = Vec::new();
    if connection.read_to_end(&mut all).await.is_ok() {
        let _ = connection.write_all(format!("{}:", all.len()).as_bytes()).await;
        let _ = connection.write_all(&all).await;
    }
}

fn port_document(port: u16, more: &Value) -> Value {
    let mut properties = json!({"portNumber": port.to_string()});
    for (name, value) in more.as_object().unwrap() {
        properties[name] = value.clone();
    }
    document("Port", &json!({}), &properties)
}

/// A client's multiplexer over a leg.
struct Client {
    leg: Arc<Leg>,
    mux: Mux,
    taken: BTreeMap<u32, (Vec<u8>, bool)>,
}

impl Client {
    fn new(leg: &Arc<Leg>) -> Self {
        Self {
            leg: leg.clone(),
            mux: Mux::new(MuxSide::Client, false, 0),
            taken: BTreeMap::new(),
        }
    }

    async fn flush(&mut self) {
        while let Some(bytes) = self.mux.poll_transmit(0, 16 * 1024).unwrap() {
            self.leg.send(&bytes).await;
        }
    }

    /// Waits for the next output.
    async fn step(&mut self) {
        let bytes = self
            .leg
            .wait("there are frames", |state| {
                (!state.output.is_empty()).then(|| std::mem::take(&mut state.output))
            })
            .await;
        self.mux.receive(&bytes, 0).unwrap();
        while let Some(event) = self.mux.poll_event() {
            match event {
                MuxEvent::Data(id, bytes) => self.taken.entry(id).or_default().0.extend(bytes),
                MuxEvent::Finished(id) => self.taken.entry(id).or_default().1 = true,
                MuxEvent::Opened(_) => panic!("only clients open streams"),
            }
        }
    }

    async fn until_finished(&mut self, id: u32) -> Vec<u8> {
        while !self.taken.get(&id).is_some_and(|(_, finished)| *finished) {
            self.step().await;
        }
        self.taken[&id].0.clone()
    }
}

#[tokio::test]
async fn many_connections_are_carried_at_once_and_half_closed() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let port = server(mirror).await;
    let local = json!({"type": "LocalPortForwarding", "localPortNumber": "0"});
    let leg = gateway.open(&agent.node, "s-1", &port_document(port, &local));
    leg.started().await;
    let mut client = Client::new(&leg);
    let ids: Vec<u32> = (0..40).map(|_| client.mux.open().unwrap()).collect();
    let text = |id: u32| format!("stream {id} ").repeat(500).into_bytes();
    for id in &ids {
        client.mux.send(*id, &text(*id)).unwrap();
        client.mux.finish(*id).unwrap();
        client.flush().await;
    }
    for id in ids {
        let answer = client.until_finished(id).await;
        let expected = [format!("{}:", text(id).len()).into_bytes(), text(id)].concat();
        assert!(answer == expected, "stream {id}: {} bytes", answer.len());
    }
    leg.flag(|client, now| {
        client.terminate(now).unwrap();
    });
    let complete = gateway.completed("s-1").await;
    assert_eq!(
        (complete.final_task_status.as_str(), complete.output.as_str()),
        ("Success", "")
    );
    agent.stop().await;
}

#[tokio::test]
async fn a_large_download_arrives_whole_and_another_stream_beside_it() {
    const SIZE: usize = 8 << 20;
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let port = server(|mut connection| async move {
        let mut ask = [0; 1];
        let _ = connection.read_exact(&mut ask).await;
        let size = if ask == *b"L" { SIZE } else { 10 };
        let bytes: Vec<u8> = (0..size).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let _ = connection.write_all(&bytes).await;
    })
    .await;
    let local = json!({"type": "LocalPortForwarding", "host": "localhost"});
    let leg = gateway.open(&agent.node, "s-1", &port_document(port, &local));
    leg.started().await;
    let mut client = Client::new(&leg);
    let (large, small) = (client.mux.open().unwrap(), client.mux.open().unwrap());
    client.mux.send(large, b"L").unwrap();
    client.mux.send(small, b"s").unwrap();
    client.flush().await;
    assert_eq!(client.until_finished(small).await.len(), 10);
    let answer = client.until_finished(large).await;
    assert_eq!(answer.len(), SIZE);
    assert!(
        answer
            .iter()
            .enumerate()
            .all(|(n, byte)| usize::from(*byte) == n % 251)
    );
    agent.stop().await;
    assert_eq!(
        gateway.completed("s-1").await.output,
        "The agent on the node stopped."
    );
}

#[tokio::test]
async fn a_port_that_nobody_listens_on_and_an_address_that_is_denied_are_told() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for (session, host) in [
        ("s-1", "localhost"),
        ("s-2", "169.254.169.254"),
        ("s-3", "::ffff:169.254.169.254"),
    ] {
        let local = json!({"type": "LocalPortForwarding", "host": host});
        let leg = gateway.open(&agent.node, session, &port_document(free, &local));
        leg.started().await;
        let mut client = Client::new(&leg);
        let id = client.mux.open().unwrap();
        client.flush().await;
        assert_eq!(client.until_finished(id).await, b"");
        leg.wait("it is told", |state| (state.unreachable == 1).then_some(()))
            .await;
    }
    // As for SSH: there is nothing else to wait for.
    gateway.open(
        &agent.node,
        "s-4",
        &port_document(80, &json!({"host": "169.254.169.254"})),
    );
    let complete = gateway.completed("s-4").await;
    assert!(complete.output.contains("not allowed"), "{}", complete.output);
    gateway.open(&agent.node, "s-5", &port_document(free, &json!({})));
    let complete = gateway.completed("s-5").await;
    assert_eq!(complete.final_task_status, "Failed");
    assert!(
        complete.output.contains(&format!("port {free}")),
        "{}",
        complete.output
    );
    agent.stop().await;
}

#[tokio::test]
async fn the_server_may_speak_first_and_ends_an_ssh_session() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let port = server(|mut connection| async move {
        let _ = connection.write_all(b"SSH-2.0-here\r\n").await;
        let mut line = [0; 5];
        let _ = connection.read_exact(&mut line).await;
        let _ = connection.write_all(&line).await;
    })
    .await;
    let leg = gateway.open(&agent.node, "s-1", &port_document(port, &json!({})));
    leg.expect("SSH-2.0-here\r\n").await;
    leg.send(b"hello").await;
    leg.expect("hello").await;
    assert_eq!(gateway.completed("s-1").await.final_task_status, "Success");
    agent.stop().await;
}

#[tokio::test]
async fn an_old_client_gets_one_connection_after_the_other() {
    let gateway = Gateway::start().await;
    let mut agent = Agent::start(&gateway).await;
    let port = server(|mut connection| async move {
        let mut byte = [0; 1];
        while connection.read_exact(&mut byte).await.is_ok() {
            let _ = connection.write_all(&[byte[0].to_ascii_uppercase()]).await;
            if byte == *b"q" {
                return;
            }
        }
    })
    .await;
    let local = json!({"type": "LocalPortForwarding"});
    let leg = gateway.open_as(&agent.node, "s-1", &port_document(port, &local), "1.1.61.0");
    leg.send(b"abc").await;
    leg.expect("ABC").await;
    leg.flag(|client, now| client.disconnect_port(now).unwrap());
    leg.send(b"next").await;
    leg.expect("NEXT").await;
    // The server's end is none of the session.
    leg.send(b"q").await;
    leg.expect("Q").await;
    leg.send(b"again").await;
    leg.expect("AGAIN").await;
    leg.close();
    gateway.completed("s-1").await;
    agent.stop().await;
}
