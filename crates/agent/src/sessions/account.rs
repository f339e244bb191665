//! As whom a session runs: the rules of run-as, and what the system knows of that user.

use nix::unistd::{Gid, User, getgrouplist};
use serde::{Deserialize, Serialize};
use std::ffi::CString;
use std::path::PathBuf;

/// The account that sessions run as when an agent that is root is told nothing else, if it exists.
const SESSION_USER: &str = "ssm-user";

/// Who is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// That user.
    Named(String),
    /// `ssm-user` or root when the agent is root, else the agent's own user.
    Default,
    /// The agent's own user.
    Agent,
}

/// A user of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// All groups, when the process has to change its user.
    pub(crate) groups: Option<Vec<u32>>,
    pub(crate) home: PathBuf,
    pub(crate) shell: PathBuf,
}

impl Account {
    fn of(user: User, changes: bool) -> Result<Self, String> {
        let groups = changes.then(|| groups(&user)).transpose()?;
        Ok(Self {
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
            groups,
            home: if user.dir.is_absolute() {
                user.dir
            } else {
                PathBuf::from("/")
            },
            // An empty field means this shell (passwd(5)).
            shell: if user.shell.is_absolute() {
                user.shell
            } else {
                PathBuf::from("/bin/sh")
            },
            name: user.name,
        })
    }
}

fn groups(user: &User) -> Result<Vec<u32>, String> {
    let failed = |reason: String| format!("The groups of the user {} cannot be read: {reason}.", user.name);
    let name = CString::new(user.name.as_bytes()).map_err(|error| failed(error.to_string()))?;
    let groups = getgrouplist(&name, user.gid).map_err(|error| failed(error.to_string()))?;
    Ok(groups.into_iter().map(Gid::as_raw).collect())
}

fn find(name: &str) -> Result<Option<User>, String> {
    User::from_name(name).map_err(|error| format!("The user {name} cannot be looked up: {error}."))
}

/// Finds the user; blocks on the system's directories of users.
///
/// # Errors
/// A sentence for whoever asked for the session.
pub(crate) fn resolve(wish: &Wish) -> Result<Account, String> {
    let own = nix::unistd::geteuid();
    let own_account = || {
        let user =
            User::from_uid(own).map_err(|error| format!("The agent's user cannot be looked up: {error}."))?;
        let user =
            user.ok_or_else(|| format!("The agent runs as user id {own}, which has no name on this node."))?;
        let mut account = Account::of(user, false)?;
        // As itself the agent stays where it was started to be at home, as its command documents do.
        let home = std::env::var_os("HOME").map(PathBuf::from);
        if let Some(home) = home.filter(|home| home.is_absolute()) {
            account.home = home;
        }
        Ok(account)
    };
    match wish {
        Wish::Named(name) => {
            let user = find(name)?.ok_or_else(|| {
                format!("The user {name} does not exist on this node, so no session can run as it.")
            })?;
            let changes = user.uid != own;
            if changes && !own.is_root() {
                return Err(format!(
                    "The agent on this node does not run as root, so it cannot start a session as {name}."
                ));
            }
            Account::of(user, changes)
        }
        Wish::Default if own.is_root() => match find(SESSION_USER)? {
            Some(user) => Account::of(user, true),
            None => own_account(),
        },
        Wish::Default | Wish::Agent => own_account(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_that_does_not_exist_is_named() {
        let error = resolve(&Wish::Named("no-such-user".into())).unwrap_err();
        assert!(error.contains("no-such-user does not exist"), "{error}");
    }

    #[test]
    fn another_user_needs_root() {
        let found = resolve(&Wish::Named("nobody".into()));
        if nix::unistd::geteuid().is_root() {
            let nobody = found.unwrap();
            assert!(nobody.groups.unwrap().contains(&nobody.gid));
        } else {
            assert!(found.unwrap_err().contains("does not run as root"));
        }
        let own = resolve(&Wish::Agent).unwrap();
        assert_eq!((own.uid, own.groups), (nix::unistd::geteuid().as_raw(), None));
    }
}
