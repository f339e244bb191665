//! Calls in the Query protocol: forms in, XML out.

use crate::world::{REGION, World};
use muster_agent_protocol::signing::Credentials;

/// A service that speaks it.
#[derive(Clone, Copy)]
pub(crate) struct Service {
    /// What calls are signed for.
    pub(crate) name: &'static str,
    /// The version of its model.
    pub(crate) version: &'static str,
}

impl Service {
    /// A call with these keys; status and body.
    pub(crate) async fn call_as(self, world: &World, keys: &Credentials, body: &str) -> (u16, String) {
        let body = format!("{body}&Version={}", self.version);
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let signed = world.signed(
            keys,
            self.name,
            REGION,
            ("POST", "/", ""),
            &headers,
            body.as_bytes(),
        );
        let (status, _, answer) = world.send("POST", "/", signed, body.into_bytes()).await;
        (status, String::from_utf8(answer).unwrap())
    }

    /// A call that must succeed.
    pub(crate) async fn ok(self, world: &World, body: &str) -> String {
        let (status, answer) = self
            .call_as(world, &world.plane.operator_credentials(), body)
            .await;
        assert_eq!(status, 200, "{answer}");
        answer
    }

    /// A call that must be refused with this code.
    pub(crate) async fn refused(self, world: &World, body: &str, code: &str) -> String {
        let (status, answer) = self
            .call_as(world, &world.plane.operator_credentials(), body)
            .await;
        assert_eq!(status, if code == "NotFound" { 404 } else { 400 }, "{answer}");
        assert!(answer.contains(&format!("<Code>{code}</Code>")), "{answer}");
        answer
    }
}

/// The text of the first element of that name.
pub(crate) fn element<'a>(answer: &'a str, name: &str) -> &'a str {
    answer
        .split(&format!("<{name}>"))
        .nth(1)
        .and_then(|rest| rest.split('<').next())
        .unwrap_or_else(|| panic!("no {name} in {answer}"))
}

/// A value in a form.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
