//! A ciphertext as clients get it: which key it is under, a data key of its own sealed under that key, and the text
//! sealed under the data key. Both are tied to the encryption context.
//!
//! `1 | key id, 16 | nonce, 12 | data key and tag, 48 | nonce, 12 | text and tag`

use super::Context;
use super::master::{KEY_BYTES, SealingKey};
use crate::errors::{ApiError, ApiResult};
use muster_domain::time::Random;
use uuid::Uuid;

const VERSION: u8 = 1;
const ID_BYTES: usize = 16;
const WRAPPED_BYTES: usize = 12 + KEY_BYTES + 16;

/// A ciphertext taken apart.
pub(crate) struct Parts<'a> {
    /// Which key it is under.
    pub(crate) key_id: String,
    wrapped: &'a [u8],
    sealed: &'a [u8],
}

/// The context as bytes that no other context has.
fn aad(purpose: &str, context: &Context) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut add = |text: &str| {
        bytes.extend_from_slice(&(text.len() as u64).to_be_bytes());
        bytes.extend_from_slice(text.as_bytes());
    };
    add(purpose);
    for (name, value) in context {
        add(name);
        add(value);
    }
    bytes
}

/// Seals `plain` under a fresh data key, and that under `key`.
pub(crate) fn seal(
    key_id: &str,
    key: &SealingKey,
    plain: &[u8],
    context: &Context,
    random: &dyn Random,
) -> ApiResult<Vec<u8>> {
    let id = Uuid::try_parse(key_id).map_err(ApiError::internal)?;
    let mut data_key = [0_u8; KEY_BYTES];
    random.fill(&mut data_key);
    let mut blob = vec![VERSION];
    blob.extend_from_slice(id.as_bytes());
    key.seal(&data_key, &aad("data key", context), random, &mut blob)?;
    SealingKey::of(&data_key)
        .ok_or_else(|| ApiError::internal("a data key has the wrong length"))?
        .seal(plain, &aad("text", context), random, &mut blob)?;
    Ok(blob)
}

/// Takes a ciphertext apart; `None` for what was not made here.
pub(crate) fn parts(blob: &[u8]) -> Option<Parts<'_>> {
    let (version, rest) = blob.split_first()?;
    let (id, rest) = rest.split_at_checked(ID_BYTES)?;
    let (wrapped, sealed) = rest.split_at_checked(WRAPPED_BYTES)?;
    (*version == VERSION).then_some(Parts {
        key_id: Uuid::from_slice(id).ok()?.to_string(),
        wrapped,
        sealed,
    })
}

impl Parts<'_> {
    /// The text, when key and context are those that it was sealed with.
    pub(crate) fn open(&self, key: &SealingKey, context: &Context) -> Option<Vec<u8>> {
        let data_key = key.open(self.wrapped, &aad("data key", context))?;
        SealingKey::of(&data_key)?.open(self.sealed, &aad("text", context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::system::SystemRandom;
    use proptest::prelude::*;

    const ID: &str = "00112233-4455-6677-8899-aabbccddeeff";

    fn context(pairs: &[(&str, &str)]) -> Context {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_ciphertext_opens_only_with_its_own_key_and_context() {
        let (key, other) = (
            SealingKey::of(&[1; 32]).unwrap(),
            SealingKey::of(&[2; 32]).unwrap(),
        );
        let with = context(&[("ab", "c")]);
        let blob = seal(ID, &key, b"text", &with, &SystemRandom).unwrap();
        let parts = parts(&blob).unwrap();
        assert_eq!(parts.key_id, ID);
        assert_eq!(parts.open(&key, &with).as_deref(), Some(&b"text"[..]));
        assert_eq!(parts.open(&other, &with), None);
        for wrong in [
            context(&[]),
            context(&[("a", "bc")]),
            context(&[("ab", "c"), ("d", "")]),
        ] {
            assert_eq!(parts.open(&key, &wrong), None, "{wrong:?}");
        }
        let again = seal(ID, &key, b"text", &with, &SystemRandom).unwrap();
        assert_ne!(blob, again, "the same text is never sealed to the same bytes");
    }

    proptest! {
        #[test]
        fn rubbish_is_refused_and_every_text_comes_back(text: Vec<u8>, rubbish: Vec<u8>, at: usize) {
            let key = SealingKey::of(&[1; 32]).unwrap();
            let mut blob = seal(ID, &key, &text, &Context::new(), &SystemRandom).unwrap();
            prop_assert_eq!(parts(&blob).unwrap().open(&key, &Context::new()), Some(text));
            let at = at % blob.len();
            blob[at] ^= 1;
            // A changed key id is another key's: everything else is noticed here.
            if !(1..=ID_BYTES).contains(&at) {
                prop_assert_eq!(parts(&blob).and_then(|p| p.open(&key, &Context::new())), None);
            }
            prop_assert_eq!(parts(&rubbish).and_then(|p| p.open(&key, &Context::new())), None);
        }
    }
}
