//! Where the server keeps forms for browsers without script, for a short time, in memory only: an answer may
//! hold a secret that is shown once, and must not lie on a disk for that.

use super::{KEPT, KeptForm};
use crate::url::Query;
use http::request::Parts;
use leptos::prelude::use_context;
use muster_domain::{Actor, Timestamp, ids::UserId};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// How long a form waits to be shown again, in milliseconds.
pub const KEPT_MS: i64 = 600_000;
/// Forms kept at most, the oldest go first …
pub const MOST: usize = 128;
/// … and of one person.
pub const MOST_OF_ONE: usize = 4;
/// Larger forms and answers are not kept.
pub const LARGEST: usize = 256 * 1024;

/// Parts of the names of fields that are never kept.
const SECRET: [&str; 4] = ["password", "secret", "token", "code"];

#[derive(Debug)]
struct Kept {
    user: UserId,
    at: Timestamp,
    form: KeptForm,
}

/// The forms.
#[derive(Clone, Debug, Default)]
pub struct KeptForms(Arc<Mutex<VecDeque<Kept>>>);

impl KeptForms {
    /// Keeps the form that `user` sent to `path`, under the name `id`. Whether it is kept.
    pub fn keep(
        &self,
        id: String,
        user: &UserId,
        path: &str,
        body: &[u8],
        answer: Option<&[u8]>,
        now: Timestamp,
    ) -> bool {
        let answer = match answer.map(|answer| std::str::from_utf8(answer)) {
            Some(Err(_)) => return false,
            Some(Ok(text)) => Some(text.to_owned()),
            None => None,
        };
        let Ok(body) = std::str::from_utf8(body) else {
            return false;
        };
        if body.len() + answer.as_ref().map_or(0, String::len) > LARGEST {
            return false;
        }
        // What was taken need not be typed again.
        let fields = if answer.is_some() {
            Vec::new()
        } else {
            Query::parse(body)
                .into_pairs()
                .filter(|(name, _)| {
                    let name = name.to_ascii_lowercase();
                    !SECRET.iter().any(|secret| name.contains(secret))
                })
                .collect()
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| (0..KEPT_MS).contains(&now.since_ms(one.at)));
        if kept.iter().filter(|one| one.user == *user).count() >= MOST_OF_ONE
            && let Some(oldest) = kept.iter().position(|one| one.user == *user)
        {
            kept.remove(oldest);
        }
        while kept.len() >= MOST {
            kept.pop_front();
        }
        kept.push_back(Kept {
            user: user.clone(),
            at: now,
            form: KeptForm {
                id,
                path: path.to_owned(),
                fields,
                answer,
            },
        });
        true
    }

    /// The form of that name, if it is `user`'s. An answer is given once.
    fn take(&self, id: &str, user: &UserId) -> Option<KeptForm> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept
            .iter()
            .position(|one| one.form.id == id && one.user == *user)?;
        if kept.get(place)?.form.answer.is_some() {
            return kept.remove(place).map(|one| one.form);
        }
        kept.get(place).map(|one| one.form.clone())
    }
}

/// `address` without what an earlier form left in it.
#[must_use]
pub fn plain_address(address: &str) -> String {
    let Some((path, query)) = address.split_once('?') else {
        return address.to_owned();
    };
    let left: Vec<&str> = query
        .split('&')
        .filter(|pair| pair.split('=').next() != Some(KEPT))
        .collect();
    if left.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", left.join("&"))
    }
}

/// `address` naming the kept form `id`.
#[must_use]
pub fn address_with(address: &str, id: &str) -> String {
    let plain = plain_address(address);
    let glue = if plain.contains('?') { '&' } else { '?' };
    format!("{plain}{glue}{KEPT}={id}")
}

/// The form that the page being rendered is about.
pub(super) fn taken() -> Option<KeptForm> {
    let parts = use_context::<Parts>()?;
    let query = Query::parse(parts.uri.query()?);
    let user = parts.extensions.get::<Actor>()?.user_id.clone()?;
    use_context::<KeptForms>()?.take(query.get(KEPT)?, &user)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> UserId {
        UserId::new(name)
    }

    #[test]
    fn what_was_typed_comes_back_without_secrets_and_to_nobody_else() {
        let forms = KeptForms::default();
        let body = b"comment=a+b%21&parameters%5Bcommands%5D=echo&new_password=hunter2";
        assert!(forms.keep("1".into(), &user("op"), "/api/x", body, None, Timestamp(0)));
        assert_eq!(forms.take("1", &user("eve")), None);
        let form = forms.take("1", &user("op")).unwrap();
        let fields = [("comment", "a b!"), ("parameters[commands]", "echo")];
        assert_eq!(
            form.fields,
            fields.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert!(forms.take("1", &user("op")).is_some(), "a reload shows it again");
    }

    #[test]
    fn an_answer_is_given_once() {
        let forms = KeptForms::default();
        assert!(forms.keep(
            "1".into(),
            &user("op"),
            "/api/x",
            b"a=1",
            Some(b"{}"),
            Timestamp(0)
        ));
        let form = forms.take("1", &user("op")).unwrap();
        assert_eq!((form.answer.as_deref(), form.fields.len()), (Some("{}"), 0));
        assert_eq!(forms.take("1", &user("op")), None);
    }

    #[test]
    fn memory_is_bounded() {
        let forms = KeptForms::default();
        for number in 0..MOST_OF_ONE + 3 {
            forms.keep(number.to_string(), &user("op"), "/", b"", None, Timestamp(0));
        }
        assert_eq!(forms.0.lock().unwrap().len(), MOST_OF_ONE);
        for number in 0..MOST * 2 {
            forms.keep(
                "x".into(),
                &user(&number.to_string()),
                "/",
                b"",
                None,
                Timestamp(1),
            );
        }
        assert_eq!(forms.0.lock().unwrap().len(), MOST);
        let large = vec![b'a'; LARGEST + 1];
        assert!(!forms.keep("x".into(), &user("op"), "/", &large, None, Timestamp(2)));
        forms.keep("last".into(), &user("op"), "/", b"", None, Timestamp(KEPT_MS + 2));
        assert_eq!(forms.0.lock().unwrap().len(), 1, "the old ones are gone");
    }

    #[test]
    fn addresses_are_marked_once() {
        assert_eq!(address_with("/a?b=1&__kept=7", "8"), "/a?b=1&__kept=8");
        assert_eq!(address_with("/a?__kept=7", "8"), "/a?__kept=8");
        assert_eq!(plain_address("/a"), "/a");
    }
}
