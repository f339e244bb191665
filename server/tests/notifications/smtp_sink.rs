//! A small mail server on loopback that keeps what it is given, after RFC 5321: strict about line ends, with dots
//! unstuffed. It lets one user in, and refuses addresses that a test names.

use base64::Engine as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A mail as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// User and password, where they were given.
    pub(crate) user: String,
    pub(crate) head: String,
    pub(crate) body: String,
}

#[derive(Clone, Default)]
struct Kept {
    mails: Arc<Mutex<Vec<Mail>>>,
    /// All lines that clients said.
    said: Arc<Mutex<Vec<String>>>,
    refused: Arc<Mutex<Vec<String>>>,
}

/// It listens until it is dropped.
pub(crate) struct SmtpSink {
    address: SocketAddr,
    kept: Kept,
    task: JoinHandle<()>,
}

/// A line with the CRLF that ends it; a bare line feed ends none.
async fn line(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n") {
        if stream.read_until(b'\n', &mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    bytes.truncate(bytes.len() - 2);
    String::from_utf8(bytes).ok()
}

async fn data(stream: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut text = String::new();
    loop {
        let line = line(stream).await?;
        if line == "." {
            return Some(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push_str("\r\n");
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, kept: Kept) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let mut mail = Mail::default();
    stream.write_all(b"220 sink.example ESMTP\r\n").await.ok()?;
    loop {
        let line = line(&mut stream).await?;
        kept.said.lock().unwrap().push(line.clone());
        let upper = line.to_ascii_uppercase();
        let answer = if upper.starts_with("EHLO ") {
            "250-sink.example\r\n250-8BITMIME\r\n250 AUTH PLAIN"
        } else if let Some(token) = line.strip_prefix("AUTH PLAIN ") {
            let plain = base64::engine::general_purpose::STANDARD.decode(token).ok()?;
            mail.user = String::from_utf8(plain).ok()?.replace('\0', "|");
            "235 welcome"
        } else if upper.starts_with("MAIL FROM:") {
            mail.from = line.split(['<', '>']).nth(1)?.to_owned();
            "250 ok"
        } else if upper.starts_with("RCPT TO:") {
            let to = line.split(['<', '>']).nth(1)?.to_owned();
            if kept.refused.lock().unwrap().contains(&to) {
                "550 secret of the mail server: no such box"
            } else {
                mail.to.push(to);
                "250 ok"
            }
        } else if upper == "DATA" {
            stream.write_all(b"354 go on\r\n").await.ok()?;
            let text = data(&mut stream).await?;
            let (head, body) = text.split_once("\r\n\r\n")?;
            (mail.head, mail.body) = (head.to_owned(), body.to_owned());
            kept.mails.lock().unwrap().push(std::mem::take(&mut mail));
            "250 kept"
        } else if upper == "QUIT" {
            stream.write_all(b"221 bye\r\n").await.ok()?;
            return Some(());
        } else {
            "500 what"
        };
        stream.write_all(answer.as_bytes()).await.ok()?;
        stream.write_all(b"\r\n").await.ok()?;
    }
}

impl SmtpSink {
    /// With TLS from the first byte where there is an acceptor.
    pub(crate) async fn start(tls: Option<tokio_rustls::TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let kept = Kept::default();
        let given = kept.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, tls) = (given.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, kept).await,
                        Some(tls) => serve(tls.accept(stream).await.ok()?, kept).await,
                    }
                });
            }
        });
        Self { address, kept, task }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn refuse(&self, addresses: &[&str]) {
        *self.kept.refused.lock().unwrap() = addresses.iter().map(|text| (*text).to_owned()).collect();
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.kept.mails.lock().unwrap().clone()
    }

    pub(crate) fn said(&self) -> Vec<String> {
        self.kept.said.lock().unwrap().clone()
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.task.abort();
    }
}
