//! TLS of the embedded endpoint: a certificate authority that this program makes for itself, the server's
//! certificate, and the listener. What is answered behind it is not its business.

mod authority;
mod listener;

pub use authority::{Authority, AuthorityError, ServerCertificate};
pub use listener::{TlsListener, listen};
