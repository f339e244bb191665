//! Page tokens: where to go on, sealed so that a caller can neither read meaning into them nor make one.

use crate::errors::{ApiError, ApiResult};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

const TAG_BYTES: usize = 16;

/// Makes and reads tokens with a key of this control plane.
pub(crate) struct PageTokens(hmac::Key);

impl PageTokens {
    pub(crate) fn new(master: &[u8]) -> Self {
        let key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, master), b"page tokens");
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()))
    }

    /// A token for going on after `position`. `scope` ties it to one operation, region and question.
    pub(crate) fn seal(&self, scope: &str, position: &[String]) -> String {
        let body = serde_json::to_vec(position).unwrap_or_default();
        let mut sealed = self.tag(scope, &body);
        sealed.extend_from_slice(&body);
        URL_SAFE_NO_PAD.encode(sealed)
    }

    /// The position inside a token that was made for the same question.
    pub(crate) fn open(&self, scope: &str, token: &str) -> ApiResult<Vec<String>> {
        let bad = || ApiError::new("InvalidNextToken", "The specified token is not valid.");
        let sealed = URL_SAFE_NO_PAD.decode(token).map_err(|_| bad())?;
        let (tag, body) = sealed.split_at_checked(TAG_BYTES).ok_or_else(bad)?;
        if !bool::from(subtle::ConstantTimeEq::ct_eq(
            tag,
            self.tag(scope, body).as_slice(),
        )) {
            return Err(bad());
        }
        serde_json::from_slice(body).map_err(|_| bad())
    }

    /// What a list that is ordered by one text goes on after; nothing for its first page.
    pub(crate) fn after(&self, scope: &str, token: Option<&str>) -> ApiResult<String> {
        match token {
            None | Some("") => Ok(String::new()),
            Some(token) => Ok(self.open(scope, token)?.into_iter().next().unwrap_or_default()),
        }
    }

    fn tag(&self, scope: &str, body: &[u8]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&(scope.len() as u64).to_be_bytes());
        context.update(scope.as_bytes());
        context.update(body);
        let tag = context.sign();
        tag.as_ref().get(..TAG_BYTES).unwrap_or_default().to_vec()
    }
}

/// Cuts a fetched list of at most `limit + 1` rows to a page, and gives the token of the next one.
pub(crate) fn page<T>(
    tokens: &PageTokens,
    scope: &str,
    mut rows: Vec<T>,
    limit: usize,
    position: impl Fn(&T) -> Vec<String>,
) -> (Vec<T>, Option<String>) {
    if rows.len() <= limit {
        return (rows, None);
    }
    rows.truncate(limit);
    let next = rows.last().map(|row| tokens.seal(scope, &position(row)));
    (rows, next)
}

/// Things, each with the id that orders them.
pub(crate) type ById<T> = Vec<(String, T)>;

/// One page of a list that is short enough to be had whole, in the order of its ids.
pub(crate) fn page_of_whole<T>(
    tokens: &PageTokens,
    scope: &str,
    token: Option<&str>,
    rows: ById<T>,
    limit: usize,
) -> ApiResult<(ById<T>, Option<String>)> {
    let after = match token {
        None | Some("") => None,
        Some(token) => tokens.open(scope, token)?.into_iter().next(),
    };
    let rest = rows
        .into_iter()
        .filter(|(id, _)| after.as_ref().is_none_or(|after| id > after))
        .take(limit.saturating_add(1))
        .collect();
    Ok(page(tokens, scope, rest, limit, |(id, _)| vec![id.clone()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_only_for_its_own_question() {
        let tokens = PageTokens::new(b"k");
        let position = vec!["7".to_owned(), "mi-1".to_owned()];
        let token = tokens.seal("List|eu", &position);
        assert_eq!(tokens.open("List|eu", &token), Ok(position));
        assert_eq!(
            tokens.open("List|us", &token).unwrap_err().code,
            "InvalidNextToken"
        );
        assert!(PageTokens::new(b"other").open("List|eu", &token).is_err());
        for rubbish in ["", "x", "AAAA", &token[1..], "zażółć", &"A".repeat(100_000)] {
            assert_eq!(
                tokens.open("List|eu", rubbish).unwrap_err().code,
                "InvalidNextToken"
            );
        }
    }

    #[test]
    fn tokens_differ_from_page_to_page() {
        let tokens = PageTokens::new(b"k");
        let cut = |rows: Vec<i32>| page(&tokens, "s", rows, 2, |n| vec![n.to_string()]);
        let (rows, next) = cut(vec![1, 2, 3]);
        assert_eq!(rows, [1, 2]);
        assert_ne!(next, cut(vec![3, 4, 5]).1);
        assert_eq!(cut(vec![1]).1, None);
    }
}
