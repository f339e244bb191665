//! Mail, to a real mail server on loopback: who gets it, what stands in it, and what cannot be smuggled in.

use super::smtp_sink::SmtpSink;
use super::{START, World, notice, world};
use muster_server::notifications::Notice;
use muster_store::Db;
use muster_store::test_database::on_both;
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;

const TO: &str =
    "group:sre=sre@example.com, user:bob=bob@example.com, user:eve=eve@example.com, *=audit@example.com";

fn mail_world(db: &Db, server: &str) -> World {
    world(
        db,
        &[
            ("notify_smtp_url", server),
            ("notify_mail_from", "Muster <muster@example.com>"),
            ("notify_mail_to", TO),
        ],
    )
}

#[tokio::test]
async fn those_who_are_named_get_a_mail_each() {
    on_both(async |db: Db| {
        let sink = SmtpSink::start(None).await;
        let world = mail_world(&db, &format!("smtp://muster:hunter2@127.0.0.1:{}", sink.port()));
        let said = Notice {
            urgent: true,
            ..notice("CR-1", START)
        };
        world.tell(&said).await;
        while world.deliverer().round().await.unwrap() {}
        let mails = sink.mails();
        let to: Vec<&[String]> = mails.iter().map(|mail| mail.to.as_slice()).collect();
        assert_eq!(
            to,
            [["sre@example.com"], ["bob@example.com"], ["audit@example.com"]]
        );
        let mail = &mails[1];
        assert_eq!(
            (mail.from.as_str(), mail.user.as_str()),
            ("muster@example.com", "|muster|hunter2")
        );
        for line in [
            "From: Muster <muster@example.com>",
            "To: bob@example.com",
            "Subject: [Muster] Urgent: CR-1 waits for you",
            "Auto-Submitted: auto-generated",
            "Importance: high",
        ] {
            assert!(
                mail.head.split("\r\n").any(|head| head == line),
                "{line}: {}",
                mail.head
            );
        }
        assert!(
            !mail.head.contains("sre@example.com"),
            "nobody reads who else was told"
        );
        assert_eq!(
            mail.body.trim_end(),
            "Restart web\r\non 12 nodes\r\n\r\nhttps://muster.example/approvals/CR-1"
        );
        let id = |at: usize| {
            mails[at]
                .head
                .split("\r\n")
                .find(|line| line.starts_with("Message-ID:"))
                .unwrap()
        };
        assert_eq!(id(0), id(1), "one notice has one id");
        assert_eq!(world.states().await, ["delivered"; 3]);

        // Who is not named gets nothing, but for those who get everything.
        let other = Notice {
            to: vec!["role:approver".into()],
            ..notice("CR-2", START)
        };
        world.tell(&other).await;
        while world.deliverer().round().await.unwrap() {}
        let mails = sink.mails();
        assert_eq!(
            (mails.len(), mails[3].to.as_slice()),
            (4, ["audit@example.com".to_owned()].as_slice())
        );
    })
    .await;
}

#[tokio::test]
async fn no_title_text_or_name_makes_a_header_a_recipient_or_another_mail() {
    on_both(async |db: Db| {
        let sink = SmtpSink::start(None).await;
        let world = mail_world(&db, &format!("smtp://127.0.0.1:{}", sink.port()));
        let bad = "x\r\nBcc: mal@example.com\r\n\r\nbody\r\n.\r\nMAIL FROM:<mal@example.com>\r\nRCPT TO:<mal@example.com>\r\n\
                   DATA\r\nhi\n.\nhi\r.\r\r\n.\r\nQUIT";
        let said = Notice {
            kind: bad.into(),
            about: bad.into(),
            title: format!("{bad} Größe\u{2028}Bcc: mal@example.com"),
            text: format!("{bad}\r\n..two dots"),
            href: format!("/{bad}"),
            at: START,
            to: vec![bad.into(), "user:bob".into(), "user:eve\r\n".into()],
            urgent: false,
        };
        world.tell(&said).await;
        while world.deliverer().round().await.unwrap() {}
        let mails = sink.mails();
        // A name is trimmed like any other text, and is then Eve's own.
        let to: Vec<&[String]> = mails.iter().map(|mail| mail.to.as_slice()).collect();
        assert_eq!(to, [["bob@example.com"], ["eve@example.com"], ["audit@example.com"]]);
        for mail in &mails {
            let mut names: Vec<&str> = mail
                .head
                .split("\r\n")
                .filter(|line| !line.starts_with([' ', '\t']))
                .map(|line| line.split_once(':').unwrap().0)
                .collect();
            names.sort_unstable();
            assert_eq!(
                names,
                [
                    "Auto-Submitted",
                    "Content-Transfer-Encoding",
                    "Content-Type",
                    "Date",
                    "From",
                    "MIME-Version",
                    "Message-ID",
                    "Subject",
                    "To"
                ],
                "{}",
                mail.head
            );
            assert!(mail.body.contains("\r\n.\r\nMAIL FROM:<mal@example.com>\r\n"), "{}", mail.body);
            assert!(mail.body.contains("\r\n..two dots\r\n"), "{}", mail.body);
        }
        let said = sink.said();
        let senders = said.iter().filter(|line| line.starts_with("MAIL FROM:"));
        assert_eq!(senders.count(), 3);
        assert!(!said.iter().any(|line| line.contains("mal@example.com")), "{said:?}");
    })
    .await;
}

#[tokio::test]
async fn an_address_that_does_not_work_keeps_nothing_from_the_others() {
    on_both(async |db: Db| {
        let sink = SmtpSink::start(None).await;
        let world = mail_world(&db, &format!("smtp://127.0.0.1:{}", sink.port()));
        sink.refuse(&["sre@example.com"]);
        world.tell(&notice("CR-1", START)).await;
        let deliverer = world.deliverer();
        for wait_ms in [0, 1_000, 5_000] {
            world.clock.advance(wait_ms);
            deliverer.round().await.unwrap();
        }
        assert_eq!(world.states().await, ["waiting", "delivered", "delivered"]);
        assert_eq!(sink.mails().len(), 2, "and each of them once");
        assert_eq!(world.fates().await[0].error, "the mail server answered 550");
        sink.refuse(&[]);
        world.clock.advance(3_600_000);
        deliverer.round().await.unwrap();
        assert_eq!(world.states().await, ["delivered"; 3]);
    })
    .await;
}

#[tokio::test]
async fn a_password_is_not_given_to_who_cannot_prove_its_name() {
    on_both(async |db: Db| {
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = own.signing_key.serialize_der();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key.try_into().unwrap())
            .unwrap();
        let sink = SmtpSink::start(Some(TlsAcceptor::from(Arc::new(config)))).await;
        let world = mail_world(&db, &format!("smtps://muster:hunter2@localhost:{}", sink.port()));
        world.tell(&notice("CR-1", START)).await;
        world.deliverer().round().await.unwrap();
        let fate = world.fates().await.remove(0);
        assert_eq!(
            (fate.state.as_str(), fate.error.as_str()),
            (
                "waiting",
                "the mail server cannot be reached: its certificate is not accepted"
            )
        );
        assert!(sink.said().is_empty());

        // Nor to one that should go over to TLS and does not offer it.
        let plain = SmtpSink::start(None).await;
        let server = format!("smtp://muster:hunter2@localhost:{}?tls=required", plain.port());
        let world = mail_world(&db, &server);
        world.clock.advance(1_000);
        world.deliverer().round().await.unwrap();
        assert_eq!(
            world.fates().await[0].error,
            "the mail server cannot do what is needed"
        );
        assert!(
            !plain.said().iter().any(|line| line.starts_with("AUTH")),
            "{:?}",
            plain.said()
        );
    })
    .await;
}
