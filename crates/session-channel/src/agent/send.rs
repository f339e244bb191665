//! What the agent sends: output, errors, the exit code, flags, and the end.
//! The handshake and everything that is received is in the parent.

use super::{AgentChannel, FINISH_TIMEOUT, Phase};
use crate::body;
use crate::kind::{Flag, PayloadType};
use crate::limits::Millis;
use crate::utf8;
use crate::violation::SendError;

impl AgentChannel {
    fn running(&self) -> Result<(), SendError> {
        match self.phase {
            _ if self.channel.is_over() => Err(SendError::Over),
            // AWS's client takes no output before the handshake's end, and would then never see that end.
            Phase::New | Phase::Asked(_) => Err(SendError::NotStarted),
            Phase::Running => Ok(()),
            Phase::Finishing(_) => Err(SendError::Over),
        }
    }

    /// Sends output, or the bytes of a connection: all of it or nothing. A shell's output is cut between
    /// characters: up to three bytes of a torn one are kept until its rest comes.
    ///
    /// # Errors
    /// [`SendError::Full`] when more is waiting than [`Self::room`] leaves: stop reading until it does not.
    /// [`SendError::NotStarted`] before [`crate::AgentEvent::Started`]. [`SendError::Over`] after the end.
    pub fn send_output(&mut self, data: &[u8], now: Millis) -> Result<(), SendError> {
        self.running()?;
        self.now = now;
        if !self.config.session_type.is_shell() {
            return self
                .channel
                .send_data(PayloadType::Output, data, now, <[u8]>::len);
        }
        let joined = [self.torn.as_slice(), data].concat();
        let (whole, torn) = joined.split_at(utf8::cut(&joined));
        self.channel
            .send_data(PayloadType::Output, whole, now, utf8::cut)?;
        self.torn = torn.to_vec();
        Ok(())
    }

    /// Sends a command's standard error, for documents that separate it.
    ///
    /// # Errors
    /// As [`Self::send_output`].
    pub fn send_error_output(&mut self, data: &[u8], now: Millis) -> Result<(), SendError> {
        self.running()?;
        self.channel.send_data(PayloadType::StdErr, data, now, utf8::cut)
    }

    /// Sends a command's exit code, for documents that separate its streams.
    ///
    /// # Errors
    /// As [`Self::send_output`].
    pub fn send_exit_code(&mut self, code: i32, now: Millis) -> Result<(), SendError> {
        self.running()?;
        self.flush(now)?;
        self.channel
            .send(PayloadType::ExitCode, body::write_exit_code(code), now)
    }

    /// The port could not be reached (session protocol, port sessions).
    ///
    /// # Errors
    /// As [`Self::send_output`].
    pub fn port_unreachable(&mut self, now: Millis) -> Result<(), SendError> {
        self.running()?;
        self.channel
            .send(PayloadType::Flag, Flag::ConnectToPortError.encode(), now)
    }

    // A character that stays torn is sent as it is.
    fn flush(&mut self, now: Millis) -> Result<(), SendError> {
        self.channel
            .send_data(PayloadType::Output, &self.torn, now, <[u8]>::len)?;
        self.torn.clear();
        Ok(())
    }

    /// The shell, command or connection has ended by itself. Waits up to [`FINISH_TIMEOUT`] for the last
    /// acknowledgements; then come the gateway's message, unless for ports, and [`crate::AgentEvent::Finished`].
    pub fn finish(&mut self, now: Millis) {
        if self.channel.is_over() || matches!(self.phase, Phase::Finishing(_)) {
            return;
        }
        self.now = now;
        let torn = std::mem::take(&mut self.torn);
        if !torn.is_empty() {
            let _ = self.channel.send_always(PayloadType::Output, torn, now);
        }
        self.phase = Phase::Finishing(now.saturating_add(FINISH_TIMEOUT));
    }
}
