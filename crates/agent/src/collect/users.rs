//! Accounts of the system, without their secrets.

use super::{Entry, entry};

pub(super) fn all() -> Vec<Entry> {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let groups = std::fs::read_to_string("/etc/group").unwrap_or_default();
    accounts(&users, &groups)
}

fn accounts(users: &str, groups: &str) -> Vec<Entry> {
    let memberships: Vec<(&str, &str, Vec<&str>)> = groups
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, id, members] = fields.as_slice() else {
                return None;
            };
            Some((*name, *id, members.split(',').collect()))
        })
        .collect();
    let mut all = Vec::new();
    for line in users.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, about, home, shell] = fields.as_slice() else {
            continue;
        };
        let of: Vec<&str> = memberships
            .iter()
            .filter(|(_, id, members)| id == gid || members.contains(name))
            .map(|(group, _, _)| *group)
            .collect();
        all.push(entry(&[
            ("Name", name),
            ("Uid", uid),
            ("Gid", gid),
            ("FullName", about.split(',').next().unwrap_or_default()),
            ("Home", home),
            ("Shell", shell),
            ("Groups", &of.join(",")),
        ]));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::accounts;

    #[test]
    fn accounts_have_their_groups() {
        let all = accounts(
            "ada:x:1000:1000:Ada,,,:/home/ada:/bin/sh\nbroken\n",
            "ada:x:1000:\nsudo:x:27:ada,bob\n",
        );
        assert_eq!(all.len(), 1);
        assert_eq!(
            (&all[0]["Groups"], &all[0]["FullName"]),
            (&"ada,sudo".into(), &"Ada".into())
        );
    }
}
