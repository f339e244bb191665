//! Reads full output from where the API says it is: a bucket, AWS's or the embedded endpoint's own.

use crate::aws::Ssm;
use aws_credential_types::provider::ProvideCredentials;
use muster_agent_protocol::signing::{Credentials, SignedRequest, sign};
use muster_domain::Timestamp;
use std::time::Duration;

/// A piece of an object.
#[derive(Debug)]
pub struct Piece {
    /// The bytes from the offset that was asked for.
    pub bytes: Vec<u8>,
    /// The object's whole length.
    pub total: u64,
}

/// Bytes fetched at once at most.
pub const PIECE_BYTES: u64 = 1024 * 1024;

/// Fetches objects by URL, signed like any S3 request.
#[derive(Clone, Debug)]
pub struct OutputReader {
    http: reqwest::Client,
    ssm: Ssm,
}

impl OutputReader {
    /// A reader with the connection's keys.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new(ssm: Ssm) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(3))
            .timeout(Duration::from_secs(20))
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, ssm })
    }

    /// The bytes of the object at `url` from `offset`, at most [`PIECE_BYTES`]; `None` while it does not exist.
    ///
    /// # Errors
    /// A sentence for the log when it cannot be read.
    pub async fn read(&self, url: &str, offset: u64, now: Timestamp) -> Result<Option<Piece>, String> {
        self.part(url, offset, PIECE_BYTES, now).await
    }

    /// How many bytes the object at `url` has; `None` while it does not exist.
    ///
    /// # Errors
    /// A sentence for the log when it cannot be read.
    pub async fn length(&self, url: &str, now: Timestamp) -> Result<Option<u64>, String> {
        Ok(self.part(url, 0, 1, now).await?.map(|piece| piece.total))
    }

    async fn part(&self, url: &str, offset: u64, most: u64, now: Timestamp) -> Result<Option<Piece>, String> {
        let mut parsed: reqwest::Url = url
            .parse()
            .map_err(|_| "the output's address cannot be read".to_owned())?;
        if self.ssm.connection.embedded {
            // The keys must go nowhere but to the endpoint that they are for.
            let endpoint = self.ssm.connection.endpoint.as_deref().unwrap_or_default();
            let expected: Option<reqwest::Url> = endpoint.parse().ok();
            if expected.map(|e| e.origin()) != Some(parsed.origin()) {
                return Err("the output's address is not at the endpoint".into());
            }
        } else if parsed.scheme() != "https"
            || !parsed.host_str().unwrap_or_default().ends_with(".amazonaws.com")
        {
            return Err("the output's address is not at S3".into());
        } else if let Some(endpoint) = &self.ssm.connection.s3_endpoint {
            parsed = at_endpoint(&parsed, endpoint).ok_or("the output's address names no bucket and key")?;
        }
        let keys = self
            .ssm
            .credentials
            .provide_credentials()
            .await
            .map_err(|error| error.to_string())?;
        let keys = Credentials {
            access_key_id: keys.access_key_id().to_owned(),
            secret_access_key: keys.secret_access_key().to_owned(),
            session_token: keys.session_token().map(str::to_owned),
        };
        let host = parsed.host_str().unwrap_or_default();
        let host = parsed
            .port()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let mut headers = http::HeaderMap::new();
        let header = |text: &str| http::HeaderValue::from_str(text).map_err(|error| error.to_string());
        headers.insert("host", header(&host)?);
        headers.insert("x-amz-content-sha256", header("UNSIGNED-PAYLOAD")?);
        let request = SignedRequest {
            method: "GET",
            path: parsed.path(),
            query: parsed.query().unwrap_or_default(),
            headers: &headers,
            body_hash: "UNSIGNED-PAYLOAD",
        };
        let stamp: String = now
            .rfc3339()
            .chars()
            .filter(|c| !matches!(c, '-' | ':'))
            .collect();
        let stamp = format!("{}Z", stamp.split('.').next().unwrap_or_default());
        for (name, value) in sign(&request, &keys, &self.ssm.connection.region, "s3", &stamp) {
            headers.insert(name, header(&value)?);
        }
        let range = format!("bytes={offset}-{}", offset + most - 1);
        let answer = self
            .http
            .get(parsed)
            .headers(headers)
            .header("range", range)
            .send()
            .await
            .map_err(|error| error.without_url().to_string())?;
        match answer.status().as_u16() {
            200 | 206 => {}
            404 => return Ok(None),
            416 => {
                return Ok(Some(Piece {
                    bytes: Vec::new(),
                    total: offset,
                }));
            }
            status => return Err(format!("the output's store answered {status}")),
        }
        let total = answer
            .headers()
            .get("content-range")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.rsplit_once('/'))
            .and_then(|(_, total)| total.parse().ok());
        let whole = answer.status().as_u16() == 200;
        let bytes = answer
            .bytes()
            .await
            .map_err(|error| error.without_url().to_string())?;
        let bytes = if whole {
            bytes
                .get(usize::try_from(offset).unwrap_or(usize::MAX)..)
                .unwrap_or_default()
                .to_vec()
        } else {
            bytes.to_vec()
        };
        let total = total.unwrap_or(offset + bytes.len() as u64);
        Ok(Some(Piece { bytes, total }))
    }
}

/// The object of an address at S3 as `endpoint/bucket/key`. S3 writes addresses in two ways: the bucket first in
/// the path (`s3.REGION.amazonaws.com/BUCKET/KEY`), or first in the host (`BUCKET.s3.REGION.amazonaws.com/KEY`).
fn at_endpoint(url: &reqwest::Url, endpoint: &str) -> Option<reqwest::Url> {
    let host = url.host_str()?;
    let path = url.path().trim_start_matches('/');
    let object = match host.split_once(".s3") {
        Some((bucket, _)) => format!("{bucket}/{path}"),
        None if host.starts_with("s3.") || host.starts_with("s3-") => path.to_owned(),
        None => return None,
    };
    let (bucket, key) = object.split_once('/')?;
    if bucket.is_empty() || key.is_empty() {
        return None;
    }
    format!("{}/{object}", endpoint.trim_end_matches('/'))
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::at_endpoint;

    #[test]
    fn both_ways_of_writing_an_address_name_the_same_object() {
        let at =
            |url: &str| at_endpoint(&url.parse().unwrap(), "http://store:9000/").map(|url| url.to_string());
        let object = Some("http://store:9000/outputs/muster/1/stdout".to_owned());
        assert_eq!(
            at("https://s3.eu-west-1.amazonaws.com/outputs/muster/1/stdout"),
            object
        );
        assert_eq!(
            at("https://s3-eu-west-1.amazonaws.com/outputs/muster/1/stdout"),
            object
        );
        assert_eq!(
            at("https://outputs.s3.eu-west-1.amazonaws.com/muster/1/stdout"),
            object
        );
        assert_eq!(at("https://elsewhere.amazonaws.com/outputs/key"), None);
        assert_eq!(at("https://s3.eu-west-1.amazonaws.com/outputs"), None);
    }
}
