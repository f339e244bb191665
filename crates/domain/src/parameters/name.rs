//! Names of parameters: their rules, and the folders that they make.

/// Levels of a name at most.
const MAX_LEVELS: usize = 15;
/// Characters of a name at most. With the ARN's beginning before it there may be 1,011, which is Systems Manager's to say.
const MAX_NAME: usize = 1_011;

/// What tells parameters apart: the name without its leading slash, as `foo` and `/foo` are one parameter.
#[must_use]
pub fn name_key(name: &str) -> &str {
    let name = name.trim();
    name.strip_prefix('/').unwrap_or(name)
}

/// The name with a slash before it, however it is spelled.
#[must_use]
pub fn with_slash(name: &str) -> String {
    format!("/{}", name_key(name))
}

/// The folder of a parameter, without slashes at its ends; empty for one that is in none.
#[must_use]
pub fn folder_of(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// All folders that a parameter is below, the outermost (empty) first.
pub fn folders_above(key: &str) -> impl Iterator<Item = &str> {
    std::iter::once("").chain(key.match_indices('/').map(|(at, _)| &key[..at]))
}

fn is_part(part: &str) -> bool {
    !part.is_empty()
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
}

/// Whether that can be a folder; empty is the outermost.
#[must_use]
pub fn is_folder(folder: &str) -> bool {
    folder.is_empty() || folder.len() <= MAX_NAME && folder.split('/').all(is_part)
}

/// What is wrong with the name of a new parameter, and what would be right.
#[must_use]
pub fn complaint_about_name(name: &str) -> Option<String> {
    let name = name.trim();
    let key = name_key(name);
    let begins = |prefix: &str| {
        key.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if key.is_empty() {
        return Some("Give it a name, such as /app/production/db-host.".into());
    }
    if name.len() > MAX_NAME {
        return Some("Use at most 1,011 characters.".into());
    }
    if name.contains('/') && !name.starts_with('/') {
        return Some("A name of several levels begins with a slash: /app/db-host.".into());
    }
    if !key.split('/').all(is_part) {
        return Some(
            "Use letters, digits and . - _, with single slashes between the levels and none at the end."
                .into(),
        );
    }
    if begins("aws") || begins("ssm") {
        return Some("Names that begin with aws or ssm are AWS's own: choose another beginning.".into());
    }
    (key.split('/').count() > MAX_LEVELS).then(|| "Use at most 15 levels.".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_one_with_and_without_its_slash() {
        assert_eq!(name_key(" /a/b "), "a/b");
        assert_eq!(with_slash("a"), with_slash("/a"));
        assert_eq!((folder_of("a/b/c"), folder_of("a")), ("a/b", ""));
        assert_eq!(folders_above("a/b/c").collect::<Vec<_>>(), ["", "a", "a/b"]);
        assert_eq!(folders_above("a").collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn names_follow_the_rules_of_parameter_store() {
        for good in [
            "a",
            "/a",
            "/a/b-1/c_2.x",
            "Port",
            &format!("/{}z", "a/".repeat(14)),
        ] {
            assert_eq!(complaint_about_name(good), None, "{good}");
        }
        for bad in [
            "",
            "/",
            "a/b",
            "/a//b",
            "/a/",
            "/a b",
            "/ä",
            "aws-x",
            "/AWS/x",
            "ssmthing",
            "/a:3",
            &format!("/{}z", "a/".repeat(15)),
            &format!("/{}", "x".repeat(1_011)),
        ] {
            assert!(complaint_about_name(bad).is_some(), "{bad}");
        }
        assert!(is_folder("a/b") && is_folder("") && !is_folder("/a") && !is_folder("a//b"));
    }
}
