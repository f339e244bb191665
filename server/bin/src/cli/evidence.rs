//! `evidence`: check a bundle that the portal exported, without the portal.

use super::{Failure, say};
use clap::{Args, Subcommand};
use muster_server::approvals::evidence;
use std::path::PathBuf;
use std::process::ExitCode;

/// `muster evidence`.
#[derive(Args)]
pub(crate) struct EvidenceArgs {
    #[command(subcommand)]
    command: EvidenceCommand,
}

#[derive(Subcommand)]
enum EvidenceCommand {
    /// Check the evidence of a request; ends with 1 and says what is wrong when something is
    ///
    /// Checks the signature, that the plan is the one that was approved, that nobody decided on their own request, that
    /// as many approved as the policies asked for, and that each row of the audit log in it is what its hash says. No
    /// server and no database are needed.
    #[command(after_help = "Examples:
  muster evidence verify CR-1042-evidence.json
  muster evidence verify --public-key 4f1c… CR-1042-evidence.json   with the key from a safe place; else the one in the file")]
    Verify {
        /// The file, as /export/requests/CR-… gave it
        file: PathBuf,
        /// The public half of the portal's signing key, hexadecimal (<data dir>/audit/signing-key.pub)
        #[arg(long)]
        public_key: Option<String>,
    },
}

impl EvidenceArgs {
    pub(crate) fn run(self) -> Result<ExitCode, Failure> {
        let EvidenceCommand::Verify { file, public_key } = self.command;
        let text = std::fs::read_to_string(&file)
            .map_err(|error| format!("the file {} cannot be read: {error}", file.display()))?;
        let bundle = serde_json::from_str(&text)
            .map_err(|error| format!("the file {} is no JSON: {error}", file.display()))?;
        let report = evidence::verify(&bundle, public_key.as_deref());
        for finding in &report.findings {
            say(finding);
        }
        if report.findings.is_empty() {
            say(&format!(
                "intact: {} ({}), {} rows of the audit log{}",
                report.request,
                report.state,
                report.audit_rows,
                if public_key.is_some() {
                    ""
                } else {
                    "; signed with the key in the file itself: give --public-key to know whose it is"
                }
            ));
            return Ok(ExitCode::SUCCESS);
        }
        say(&format!("NOT intact: {} findings", report.findings.len()));
        Ok(ExitCode::FAILURE)
    }
}
