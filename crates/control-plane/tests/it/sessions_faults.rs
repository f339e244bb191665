//! Sessions and those who should not be in them: tokens, garbage, floods.

use crate::agent::Agent;
use crate::session_ends::{
    Socket, Started, a_shell, agent_socket, client, client_socket, create, join, resume, start, status,
};
use crate::sessions::{asked, complete, world};
use crate::world::{Node, World};
use futures::{SinkExt as _, StreamExt as _};
use muster_session_channel::Message;
use muster_session_channel::body::{Acknowledge, OpenDataChannel};
use muster_store::test_database::on_both;
use serde_json::json;
use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message as Frame;
use uuid::Uuid;

fn as_client(token: &str) -> Frame {
    Frame::text(OpenDataChannel::client(token, Uuid::nil(), Uuid::nil(), "1.2.677.0").to_text())
}

fn as_agent(token: &str, node_id: &str) -> Frame {
    Frame::text(OpenDataChannel::agent(token, Uuid::nil(), node_id).to_text())
}

fn stream(kind: &str, number: i64, payload: Vec<u8>) -> Vec<u8> {
    let mut message = Message::control(
        kind,
        Uuid::from_u128((number as u128).wrapping_add(1)),
        1,
        payload,
    );
    message.sequence = number;
    message.payload_type = 1;
    message.encode().unwrap()
}

/// The next message of this type; nothing when the socket is closed before.
async fn receive(socket: &mut Socket, kind: &str) -> Option<Message> {
    let waiting = async {
        loop {
            match socket.next().await {
                Some(Ok(Frame::Binary(bytes))) => {
                    let message = Message::decode(&bytes).unwrap();
                    if message.message_type == kind {
                        return Some(message);
                    }
                }
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting)
        .await
        .unwrap()
}

/// A session with two bare sockets.
async fn bare(
    world: &World,
    address: SocketAddr,
    node: &Node,
    control: &mut Agent,
) -> (Started, Socket, Socket) {
    let started = start(world, node, json!({})).await;
    asked(control).await;
    let (_, token) = create(world, node, &started.id).await;
    let mut shell = agent_socket(world, node, &started.id, address).await;
    shell.send(as_agent(&token, &node.id)).await.unwrap();
    let mut person = client_socket(&started.id, address).await;
    person.send(as_client(&started.token)).await.unwrap();
    let legs = world.plane.session_load().legs;
    world
        .until("both legs stand", async || {
            world.plane.session_load().legs >= legs.max(2)
        })
        .await;
    (started, shell, person)
}

#[tokio::test]
async fn a_token_opens_one_channel_of_its_own_session_and_soon() {
    on_both(|db| async {
        let (world, address, node, mut control) = world(db).await;
        let other = world.node("other").await;
        let mut of_other = Agent::connect(&world, &other, address, &[]).await;
        let one = start(&world, &node, json!({})).await;
        asked(&mut control).await;
        let two = start(&world, &other, json!({})).await;
        asked(&mut of_other).await;

        // Only the session's own node is given a token for its end.
        let (refused, text) = create(&world, &other, &one.id).await;
        assert!(
            refused == 403 && text.contains("<AccessDeniedException>"),
            "{text}"
        );
        let (refused, text) = create(&world, &node, "nobody-0123456789abcdefg").await;
        assert!(
            refused == 400 && text.contains("Session is already terminated"),
            "{text}"
        );
        let (_, of_agent) = create(&world, &node, &one.id).await;

        let closes = async |mut socket: Socket, first: Frame| {
            socket.send(first).await.unwrap();
            receive(&mut socket, "anything").await.is_none()
        };
        // A socket that says nothing is closed as well, while the others are tried.
        let mut silent = client_socket(&one.id, address).await;
        let silent = tokio::spawn(async move { receive(&mut silent, "anything").await.is_none() });
        for first in [
            Frame::text("no json"),
            Frame::binary(b"\0\0".to_vec()),
            as_client("wrong"),
            as_client(""),
            as_client(&two.token),
        ] {
            assert!(closes(client_socket(&one.id, address).await, first).await);
        }
        // The node's token without the node's signature, and with another's.
        let signed = agent_socket(&world, &other, &one.id, address).await;
        assert!(closes(signed, as_agent(&of_agent, &node.id)).await);
        let (_, of_agent) = create(&world, &node, &one.id).await;
        assert!(
            closes(
                client_socket(&one.id, address).await,
                as_agent(&of_agent, &node.id)
            )
            .await
        );
        let (_, of_agent) = create(&world, &node, &one.id).await;
        let signed = agent_socket(&world, &node, &one.id, address).await;
        assert!(closes(signed, as_agent(&of_agent, &other.id)).await);
        assert_eq!(world.plane.session_load().legs, 0);

        let mut shell = a_shell(&node, &one.id);
        join(&world, &node, &one.id, address, &shell).await;
        let mut person = client();
        person.connect(client_socket(&one.id, address).await, &one.token);
        shell.output(b"x");
        assert_eq!(person.output(1).await, b"x");
        // Used up: whoever has seen it gets nothing, and the session goes on.
        assert!(closes(client_socket(&one.id, address).await, as_client(&one.token)).await);
        let late = resume(&world, &one.id).await;
        world.steady.advance(60_000);
        assert!(closes(client_socket(&one.id, address).await, as_client(&late)).await);
        person.input(b"y");
        assert_eq!(shell.input(1).await, b"y");
        assert!(silent.await.unwrap());
        // The region is part of who a session is.
        let operator = world.plane.operator_credentials();
        let body = json!({"SessionId": one.id}).to_string().into_bytes();
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "AmazonSSM.ResumeSession"),
        ];
        let elsewhere = world.signed(&operator, "ssm", "us-east-1", ("POST", "/", ""), &headers, &body);
        assert_eq!(world.send("POST", "/", elsewhere, body).await.0, 400);
        // What was audited names the session and no token.
        let log = world.audit.0.lock().unwrap();
        let resource = format!("session:{}", one.id);
        assert!(log.iter().any(|(_, intent, _)| intent.resource == resource));
        let text = format!("{log:?}");
        assert!(!text.contains(&one.token) && !text.contains(&late));
    })
    .await;
}

#[tokio::test]
async fn garbage_closes_its_own_leg_and_nothing_else() {
    on_both(|db| async {
        let (world, address, node, mut control) = world(db).await;
        let (started, mut shell, mut person) = bare(&world, address, &node, &mut control).await;
        let junk = || {
            let mut broken = stream("output_stream_data", 0, b"hello".to_vec());
            // The length of its header; a wrong digest is the other end's business.
            broken[0] ^= 1;
            [
                broken,
                vec![0xff; 10],
                vec![0xff; 500],
                Vec::new(),
                stream("input_stream_data", -1, b"x".to_vec()),
            ]
        };
        // What only a gateway may say, and what nobody knows, is dropped and never passed on.
        for kind in [
            "channel_closed",
            "pause_publication",
            "start_publication",
            "agent_job",
            "something",
        ] {
            shell
                .send(Frame::binary(stream(kind, 0, b"{}".to_vec())))
                .await
                .unwrap();
            person
                .send(Frame::binary(stream(kind, 0, b"{}".to_vec())))
                .await
                .unwrap();
        }
        // Neither direction can be faked by the other end.
        person
            .send(Frame::binary(stream("output_stream_data", 0, b"fake".to_vec())))
            .await
            .unwrap();
        shell
            .send(Frame::binary(stream("input_stream_data", 0, b"fake".to_vec())))
            .await
            .unwrap();
        shell.send(Frame::text("hello")).await.unwrap();
        shell
            .send(Frame::binary(stream("output_stream_data", 0, b"real".to_vec())))
            .await
            .unwrap();
        match person.next().await {
            Some(Ok(Frame::Binary(bytes))) => assert_eq!(Message::decode(&bytes).unwrap().payload, b"real"),
            other => panic!("{other:?}"),
        }
        for frame in junk().iter().cycle().take(150) {
            if shell.send(Frame::binary(frame.clone())).await.is_err() {
                break;
            }
        }
        assert!(receive(&mut shell, "anything").await.is_none());
        world
            .until("one leg is left", async || world.plane.session_load().legs == 1)
            .await;
        assert_eq!(status(&world, &started.id).await, "Connected");
        // The node comes back; the same from the client.
        let (_, token) = create(&world, &node, &started.id).await;
        let mut shell = agent_socket(&world, &node, &started.id, address).await;
        shell.send(as_agent(&token, &node.id)).await.unwrap();
        for frame in junk().iter().cycle().take(150) {
            if person.send(Frame::binary(frame.clone())).await.is_err() {
                break;
            }
        }
        assert!(receive(&mut person, "anything").await.is_none());
        let token = resume(&world, &started.id).await;
        let mut person = client_socket(&started.id, address).await;
        person.send(as_client(&token)).await.unwrap();
        world
            .until("both legs stand", async || world.plane.session_load().legs == 2)
            .await;
        shell
            .send(Frame::binary(stream("output_stream_data", 1, b"more".to_vec())))
            .await
            .unwrap();
        assert_eq!(
            receive(&mut person, "output_stream_data").await.unwrap().payload,
            b"more"
        );
        // A frame that is too large ends the leg before it is held.
        let _ = person.send(Frame::binary(vec![0; 200_000])).await;
        assert!(receive(&mut person, "anything").await.is_none());
    })
    .await;
}

#[tokio::test]
async fn what_was_acknowledged_is_acknowledged_again_by_the_gateway() {
    on_both(|db| async {
        let (world, address, node, mut control) = world(db).await;
        let (_, mut shell, mut person) = bare(&world, address, &node, &mut control).await;
        let frame = stream("output_stream_data", 0, b"hello".to_vec());
        shell.send(Frame::binary(frame.clone())).await.unwrap();
        let message = receive(&mut person, "output_stream_data").await.unwrap();
        // Passed on untouched.
        assert_eq!(message.encode().unwrap(), frame);
        let ack = Acknowledge::of("output_stream_data", message.id, 0);
        let body = serde_json::to_vec(&ack).unwrap();
        let ack_frame = Message::control("acknowledge", Uuid::from_u128(9), 1, body)
            .encode()
            .unwrap();
        person.send(Frame::binary(ack_frame.clone())).await.unwrap();
        let relayed = receive(&mut shell, "acknowledge").await.unwrap();
        assert_eq!(relayed.encode().unwrap(), ack_frame);
        // As if that acknowledgement had been lost: the client of AWS would keep silent.
        shell.send(Frame::binary(frame)).await.unwrap();
        let again = receive(&mut shell, "acknowledge").await.unwrap();
        let again: Acknowledge = serde_json::from_slice(&again.payload).unwrap();
        assert_eq!(again, ack);
        shell
            .send(Frame::binary(stream("output_stream_data", 1, b"next".to_vec())))
            .await
            .unwrap();
        assert_eq!(
            receive(&mut person, "output_stream_data").await.unwrap().sequence,
            1
        );
    })
    .await;
}

#[tokio::test]
async fn a_node_that_floods_is_stopped_by_a_client_that_does_not_read() {
    on_both(|db| async {
        let (world, address, node, mut control) = world(db).await;
        let (started, shell, mut person) = bare(&world, address, &node, &mut control).await;
        let written = Arc::new(AtomicUsize::new(0));
        let (mut sink, mut source) = shell.split();
        let count = Arc::clone(&written);
        let flood = tokio::spawn(async move {
            for number in 0.. {
                let frame = stream("output_stream_data", number, vec![b'x'; 1_024]);
                count.fetch_add(frame.len(), Ordering::SeqCst);
                if sink.send(Frame::binary(frame)).await.is_err() {
                    break;
                }
            }
        });
        const LIMIT: usize = 256 * 1024;
        let is_full = async || world.plane.session_load().queued_bytes > LIMIT - 2_048;
        world.until("the queue is full", is_full).await;
        // Then nothing moves any more, whatever the node would like to send.
        let (last, same) = (Cell::new(0), Cell::new(0));
        let stands = async || {
            assert!(world.plane.session_load().queued_bytes <= LIMIT);
            let before = last.replace(written.load(Ordering::SeqCst));
            same.set(if before == last.get() { same.get() + 1 } else { 0 });
            same.get() >= 10
        };
        world.until("the node is stopped", stands).await;
        // The sockets' own buffers are all there is besides the queue.
        let held = written.load(Ordering::SeqCst);
        assert!(held < 64 << 20, "{held}");
        // Another session is not held up by this one.
        let second = start(&world, &node, json!({})).await;
        asked(&mut control).await;
        let second_shell = a_shell(&node, &second.id);
        join(&world, &node, &second.id, address, &second_shell).await;
        let mut second_person = client();
        second_person.connect(client_socket(&second.id, address).await, &second.token);
        second_shell.output(b"quick");
        assert_eq!(second_person.output(5).await, b"quick");
        // As soon as the client reads, all of it comes, in order.
        for number in 0..20_000 {
            assert_eq!(
                receive(&mut person, "output_stream_data").await.unwrap().sequence,
                number
            );
        }
        world
            .ok("TerminateSession", json!({"SessionId": started.id}))
            .await;
        let closed = tokio::spawn(async move { while let Some(Ok(_)) = source.next().await {} });
        while person.next().await.is_some_and(|frame| frame.is_ok()) {}
        closed.await.unwrap();
        flood.await.unwrap();
        complete(&mut control, &node, &started.id, "Success", "").await;
        world
            .until("nothing is held", async || {
                world.plane.session_load().queued_bytes == 0
            })
            .await;
    })
    .await;
}
