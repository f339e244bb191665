//! The certificate authority in the data directory. Its certificate is what nodes trust, so it lasts; the
//! server's certificate is made from it at every start and renewed while the server runs, and never kept.

use muster_domain::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use time::{Duration, OffsetDateTime};

/// The folder inside the data directory.
const FOLDER: &str = "ssm-ca";
const KEY: &str = "ca-key.pem";
const CERTIFICATE: &str = "ca.pem";
/// How long the authority holds: as long as a fleet. Every node has to be told of a new one.
const AUTHORITY_DAYS: i64 = 20 * 365;
/// How long the server's certificate holds.
const SERVER_DAYS: i64 = 90;
/// How long before its end it is renewed.
const RENEWED_BEFORE_MS: i64 = 30 * 86_400_000;
/// Certificates hold a day earlier than they were made: a node's clock may be behind.
const SLOW_CLOCK: Duration = Duration::days(1);

/// Why there is no authority or no certificate.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file.
    #[error("the certificate authority's file {path} cannot be used: {cause}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The key's file is not one.
    #[error("{path} holds no private key that can be read: restore it from the backup of the data directory")]
    Key {
        /// Which.
        path: PathBuf,
    },
    /// A certificate cannot be made.
    #[error("a certificate cannot be made: {0}")]
    Make(String),
}

fn make_error(error: impl std::fmt::Display) -> AuthorityError {
    AuthorityError::Make(error.to_string())
}

/// The authority.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    pem_path: PathBuf,
}

/// A server's certificate and when it is time for another one.
pub struct ServerCertificate {
    /// Chain and key.
    pub key: Arc<CertifiedKey>,
    /// From when on it should be replaced.
    pub renew_at: Timestamp,
}

impl Authority {
    /// Reads the authority in that data directory, or makes it the first time.
    ///
    /// # Errors
    /// When its files cannot be used; says which.
    pub fn open(data_dir: &Path, now: Timestamp) -> Result<Self, AuthorityError> {
        let folder = data_dir.join(FOLDER);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|cause| AuthorityError::File {
                path: folder.clone(),
                cause,
            })?;
        let key = read_or_make(&folder.join(KEY), 0o600, || {
            KeyPair::generate()
                .map(|key| key.serialize_pem())
                .map_err(make_error)
        })?;
        let key = KeyPair::from_pem(&key).map_err(|_| AuthorityError::Key {
            path: folder.join(KEY),
        })?;
        let params = authority_params(&key, now)?;
        let pem_path = folder.join(CERTIFICATE);
        // Should only this file be lost, the same key under the same name is the same authority.
        let pem = read_or_make(&pem_path, 0o644, || {
            params
                .self_signed(&key)
                .map(|made| made.pem())
                .map_err(make_error)
        })?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            pem,
            pem_path,
        })
    }

    /// The certificate that nodes have to trust, in PEM.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Where that is.
    #[must_use]
    pub fn pem_path(&self) -> &Path {
        &self.pem_path
    }

    /// Makes a certificate for a server of these names and addresses.
    ///
    /// # Errors
    /// When a name cannot stand in a certificate.
    pub fn server_certificate(
        &self,
        names: &[String],
        now: Timestamp,
    ) -> Result<ServerCertificate, AuthorityError> {
        let key = KeyPair::generate().map_err(make_error)?;
        let mut params = CertificateParams::new(names).map_err(make_error)?;
        let title = names.first().map_or("muster", String::as_str);
        // A common name has 64 characters at most; nobody reads it, all look at the alternative names.
        params
            .distinguished_name
            .push(DnType::CommonName, title.chars().take(64).collect::<String>());
        let at = date(now)?;
        params.not_before = at - SLOW_CLOCK;
        params.not_after = at + Duration::days(SERVER_DAYS);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let made = params.signed_by(&key, &self.issuer).map_err(make_error)?;
        let chain: Vec<CertificateDer<'static>> = vec![made.der().clone()];
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let signing = rustls::crypto::ring::sign::any_supported_type(&der).map_err(make_error)?;
        let renew_at = now.plus_ms(SERVER_DAYS * 86_400_000 - RENEWED_BEFORE_MS);
        Ok(ServerCertificate {
            key: Arc::new(CertifiedKey::new(chain, signing)),
            renew_at,
        })
    }
}

fn date(at: Timestamp) -> Result<OffsetDateTime, AuthorityError> {
    OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1_000)).map_err(make_error)
}

/// What the authority's certificate says. Its name comes from its key, so that it is the same whenever this
/// is asked; the dates matter only when it is made.
fn authority_params(key: &KeyPair, now: Timestamp) -> Result<CertificateParams, AuthorityError> {
    let digest = ring::digest::digest(&ring::digest::SHA256, key.public_key_raw());
    let number: String = digest
        .as_ref()
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut params = CertificateParams::new(Vec::<String>::new()).map_err(make_error)?;
    params
        .distinguished_name
        .push(DnType::CommonName, format!("Muster CA {number}"));
    let at = date(now)?;
    params.not_before = at - SLOW_CLOCK;
    params.not_after = at + Duration::days(AUTHORITY_DAYS);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// The file's text. Where there is none, what `make` gives is put beside and linked into place: of two
/// programs that do this at once, both get what the first one made.
fn read_or_make(
    path: &Path,
    mode: u32,
    make: impl FnOnce() -> Result<String, AuthorityError>,
) -> Result<String, AuthorityError> {
    let failed = |cause| AuthorityError::File {
        path: path.to_owned(),
        cause,
    };
    match std::fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        other => return other.map_err(failed),
    }
    let text = make()?;
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let _ = std::fs::remove_file(&beside);
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
    let linked = written.and_then(|()| match std::fs::hard_link(&beside, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let _ = std::fs::remove_file(&beside);
    linked.map_err(failed)?;
    std::fs::read_to_string(path).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    const NOW: Timestamp = Timestamp(1_795_600_000_000);

    #[test]
    fn an_authority_is_made_once_and_only_its_owner_reads_the_key() {
        let folder = tempfile::tempdir().unwrap();
        let made = Authority::open(folder.path(), NOW).unwrap();
        let read = Authority::open(folder.path(), NOW.plus_ms(86_400_000)).unwrap();
        assert_eq!(made.pem(), read.pem());
        assert!(made.pem().starts_with("-----BEGIN CERTIFICATE-----"));
        let mode = |name: &str| {
            let file = folder.path().join(FOLDER).join(name);
            std::fs::metadata(file).unwrap().permissions().mode() & 0o777
        };
        assert_eq!((mode(KEY), mode(".")), (0o600, 0o700));
        let left = std::fs::read_dir(folder.path().join(FOLDER)).unwrap().count();
        assert_eq!(left, 2);
        std::fs::write(folder.path().join(FOLDER).join(KEY), "rubbish").unwrap();
        let error = Authority::open(folder.path(), NOW).err().unwrap().to_string();
        assert!(error.contains(KEY) && !error.contains("rubbish"), "{error}");
    }

    #[test]
    fn a_servers_certificate_is_renewed_a_month_before_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open(folder.path(), NOW).unwrap();
        let names = ["muster.test".to_owned(), "10.0.0.5".to_owned(), "::1".to_owned()];
        let made = authority.server_certificate(&names, NOW).unwrap();
        assert_eq!(made.renew_at.since_ms(NOW), 60 * 86_400_000);
        assert_eq!(made.key.cert.len(), 1);
        assert!(authority.server_certificate(&["ü".to_owned()], NOW).is_err());
    }
}
