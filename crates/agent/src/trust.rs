//! Which certificates the control plane may show: the system's, or those of one file and no others.
//! Where the file comes from is in `register` and `agent`.

use crate::error::AgentError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use std::sync::Arc;
use tokio_tungstenite::Connector;

/// Certificates in one file at most: no organisation has so many roots.
const MOST: usize = 64;

/// Whom to believe.
#[derive(Clone, Default)]
pub(crate) struct Trust {
    /// For websockets; nothing for the system's certificates.
    tls: Option<Arc<rustls::ClientConfig>>,
}

fn wrong(reason: impl Into<String>) -> AgentError {
    AgentError::Setting {
        field: "--ca-file",
        reason: reason.into(),
    }
}

impl Trust {
    /// Only the certificates in this text (PEM), instead of the system's.
    ///
    /// # Errors
    /// [`AgentError::Setting`] when it holds none, or one that cannot be read.
    pub(crate) fn only(pem: &str) -> Result<Self, AgentError> {
        crate::calls::install_crypto();
        let mut roots = rustls::RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()).take(MOST) {
            let certificate =
                certificate.map_err(|error| wrong(format!("holds a damaged certificate: {error}")))?;
            let added = roots.add(certificate);
            added.map_err(|error| wrong(format!("holds a certificate that cannot be used: {error}")))?;
        }
        if roots.is_empty() {
            return Err(wrong(
                "holds no certificate; it must be PEM (-----BEGIN CERTIFICATE-----)",
            ));
        }
        let config = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            tls: Some(Arc::new(config)),
        })
    }

    /// As [`Self::only`] when there is a text, the system's otherwise.
    pub(crate) fn from_pem(pem: Option<&str>) -> Result<Self, AgentError> {
        pem.map_or_else(|| Ok(Self::default()), Self::only)
    }

    /// For calls.
    pub(crate) fn apply(
        &self,
        builder: reqwest::ClientBuilder,
    ) -> Result<reqwest::ClientBuilder, AgentError> {
        Ok(match &self.tls {
            Some(config) => builder.use_preconfigured_tls(config.as_ref().clone()),
            None => builder,
        })
    }

    /// For websockets.
    pub(crate) fn connector(&self) -> Option<Connector> {
        self.tls.clone().map(Connector::Rustls)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_usable_certificate_is_refused_by_its_flag() {
        for text in [
            "",
            "no pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let error = Trust::only(text).err().unwrap().to_string();
            assert!(error.starts_with("--ca-file"), "{error}");
        }
    }
}
