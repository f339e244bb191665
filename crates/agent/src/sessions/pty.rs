//! A pseudo-terminal, read and written without blocking. What runs in it is in `program`.

use muster_session_channel::body::Size;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use rustix::process::Pid;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcgetpgrp, tcsetwinsize};
use std::io;
use std::os::fd::OwnedFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Before the client has told its size.
const FIRST_SIZE: Size = Size { cols: 80, rows: 24 };

/// The agent's side of a terminal.
pub(super) struct Pty {
    master: AsyncFd<OwnedFd>,
}

impl Pty {
    /// Opens one; the second value is the side of the program.
    pub(super) fn open() -> io::Result<(Self, OwnedFd)> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let master = openpt(flags)?;
        fcntl_setfd(&master, FdFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let program = ioctl_tiocgptpeer(&master, flags | OpenptFlags::CLOEXEC)?;
        let flags = fcntl_getfl(&master)?;
        fcntl_setfl(&master, flags | OFlags::NONBLOCK)?;
        let pty = Self {
            master: watched(master, Interest::READABLE | Interest::WRITABLE)?,
        };
        pty.resize(FIRST_SIZE);
        Ok((pty, program))
    }

    /// Sets the size; what it cannot hold is cut.
    pub(super) fn resize(&self, size: Size) {
        let cut = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
        let size = Winsize {
            ws_col: cut(size.cols),
            ws_row: cut(size.rows),
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        if let Err(error) = tcsetwinsize(self.master.get_ref(), size) {
            tracing::debug!(%error, "a terminal took no size");
        }
    }

    /// The process group in the foreground.
    pub(super) fn foreground(&self) -> Option<Pid> {
        tcgetpgrp(self.master.get_ref()).ok()
    }

    /// Reads what there is; 0 when no program holds the terminal any more.
    pub(super) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut guard = self.master.readable().await?;
            match guard.try_io(|master| Ok(rustix::io::read(master.get_ref(), &mut *buffer)?)) {
                Ok(read) => return ended(read),
                Err(_) => continue,
            }
        }
    }

    /// As [`Self::read`]; nothing when there is nothing now.
    pub(super) fn read_now(&self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        match rustix::io::read(self.master.get_ref(), buffer) {
            Err(Errno::AGAIN) => Ok(None),
            read => ended(read.map_err(io::Error::from)).map(Some),
        }
    }

    /// Writes as much as fits.
    pub(super) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let mut guard = self.master.writable().await?;
            match guard.try_io(|master| Ok(rustix::io::write(master.get_ref(), bytes)?)) {
                Ok(written) => return written,
                Err(_) => continue,
            }
        }
    }
}

/// A descriptor that tells when it is ready.
#[expect(
    deprecated,
    reason = "what took its place is unsafe, for the sake of types that close their descriptor early; this one does not"
)]
pub(super) fn watched(descriptor: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(descriptor, interest)
}

// The system's word for "all programs have closed it" is an error.
fn ended(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => Ok(0),
        other => other,
    }
}
