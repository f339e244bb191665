//! Puts the parts of the wasm together into packs. Splitting makes a part for each set of features that have something in
//! common: hundreds of small files, of which a page would want most. A browser that asks for hundreds of files waits for
//! hundreds of answers, small files compress badly, and each page would have to name them all. So each feature has one pack of
//! what it needs, and what nearly all need is in a pack of its own, fetched once.
//!
//! A pack: the length of a table (four bytes, little endian), the table (JSON: `holds` says from where to where each part lies,
//! counted behind the table; a feature's `needs` says which parts it wants, and `entry` its own part, which comes last), the parts.

use crate::failure::{Doing, Failure, Outcome};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Leptos reads here which files a feature's pages want.
const MANIFEST: &str = "__wasm_split_manifest.json";
/// The script that fetches parts; Leptos asks for this name when files are not named by their content.
pub(crate) const LINK: &str = "__wasm_split.______________________.js";
/// What many features share.
const SHARED: &str = "pack_shared";
/// Our own way to fetch parts, which takes the place of the one that splitting writes.
const LOADER: &str = include_str!("loader.js");
/// Ids of the sections of a wasm file that make it do or hold something: start, elements, code, data.
const ALIVE: [u8; 4] = [8, 9, 10, 11];

/// Which parts each feature wants, its own last.
type Needs = BTreeMap<String, Vec<String>>;

fn manifest(folder: &Path) -> Outcome<Needs> {
    let file = folder.join(MANIFEST);
    let text = std::fs::read_to_string(&file).doing(|| format!("read {}", file.display()))?;
    serde_json::from_str(&text).doing(|| format!("understand {}", file.display()))
}

fn write_manifest(folder: &Path, needs: &Needs) -> Outcome {
    let text = serde_json::to_string_pretty(needs)
        .doing(|| "write down which feature wants which file".to_owned())?;
    crate::failure::write(&folder.join(MANIFEST), text)
}

fn parts(folder: &Path, needs: &Needs) -> Outcome<BTreeMap<String, Vec<u8>>> {
    let names: BTreeSet<&String> = needs.values().flatten().collect();
    names
        .into_iter()
        .map(|name| {
            let file = folder.join(format!("{name}.wasm"));
            let content = std::fs::read(&file).doing(|| format!("read {}", file.display()))?;
            Ok((name.clone(), content))
        })
        .collect()
}

fn remove(folder: &Path, name: &str) -> Outcome {
    let file = folder.join(format!("{name}.wasm"));
    std::fs::remove_file(&file).doing(|| format!("remove {}", file.display()))
}

/// Removes parts in which nothing is: splitting makes one for each set of features, whether they share code or types alone.
pub(crate) fn drop_the_empty(folder: &Path) -> Outcome {
    let mut needs = manifest(folder)?;
    let mut empty = parts(folder, &needs)?;
    empty.retain(|_, content| !is_alive(content));
    for names in needs.values_mut() {
        names.retain(|name| !empty.contains_key(name));
    }
    for name in empty.keys() {
        remove(folder, name)?;
    }
    write_manifest(folder, &needs)
}

/// Packs the parts in this folder, and writes the script and the manifest anew.
pub(crate) fn pack(folder: &Path) -> Outcome {
    let needs = manifest(folder)?;
    let parts = parts(folder, &needs)?;
    for name in parts.keys() {
        remove(folder, name)?;
    }
    let packed = put_together(&needs, &parts)?;
    for (name, content) in &packed.packs {
        let file = folder.join(format!("{name}.wasm"));
        std::fs::write(&file, content).doing(|| format!("write {}", file.display()))?;
    }
    let link = folder.join(LINK);
    let script = std::fs::read_to_string(&link).doing(|| format!("read {}", link.display()))?;
    crate::failure::write(&link, rewritten(&script, &packed.wanted)?)?;
    write_manifest(folder, &packed.wanted)
}

struct Packed {
    packs: BTreeMap<String, Vec<u8>>,
    /// The packs that each feature wants, its own first.
    wanted: Needs,
}

fn put_together(needs: &Needs, parts: &BTreeMap<String, Vec<u8>>) -> Outcome<Packed> {
    let mut used: BTreeMap<&String, usize> = BTreeMap::new();
    for name in needs.values().flatten() {
        *used.entry(name).or_default() += 1;
    }
    // Four in five: then hardly anybody fetches what they do not want, and hardly anything is fetched twice.
    let many = (needs.len() * 4).div_ceil(5).max(2);
    let shared: Vec<&String> = used
        .iter()
        .filter(|(_, count)| **count >= many)
        .map(|(name, _)| *name)
        .collect();
    let mut packed = Packed {
        packs: BTreeMap::new(),
        wanted: Needs::new(),
    };
    let mut common = Vec::new();
    if !shared.is_empty() {
        let pack = one_pack(shared.iter().copied(), parts, json!({}))?;
        packed.packs.insert(SHARED.to_owned(), pack);
        common.push(SHARED.to_owned());
    }
    for (feature, names) in needs {
        let Some((entry, others)) = names.split_last() else {
            return Err(Failure::new(format!("{feature} has no part of its own")));
        };
        let table = json!({"needs": others, "entry": entry});
        let mine = names.iter().filter(|name| !shared.contains(name));
        let name = format!("pack_{feature}");
        packed.packs.insert(name.clone(), one_pack(mine, parts, table)?);
        let wanted = std::iter::once(name).chain(common.clone()).collect();
        packed.wanted.insert(feature.clone(), wanted);
    }
    Ok(packed)
}

fn one_pack<'a>(
    names: impl Iterator<Item = &'a String>,
    parts: &BTreeMap<String, Vec<u8>>,
    mut table: serde_json::Value,
) -> Outcome<Vec<u8>> {
    let mut holds = serde_json::Map::new();
    let mut body = Vec::new();
    for name in names {
        let from = body.len();
        body.extend(parts.get(name).into_iter().flatten());
        holds.insert(name.clone(), json!([from, body.len()]));
    }
    table["holds"] = holds.into();
    let table = table.to_string();
    let length = u32::try_from(table.len()).doing(|| "write down what a pack holds".to_owned())?;
    Ok([&length.to_le_bytes(), table.as_bytes(), &body].concat())
}

/// Whether a wasm file does or holds anything; one that cannot be read counts as alive, and its reader will complain.
fn is_alive(content: &[u8]) -> bool {
    let mut at = 8;
    while let Some(id) = content.get(at) {
        let Some((size, next)) = number(content, at + 1) else {
            return true;
        };
        if ALIVE.contains(id) {
            return true;
        }
        at = next.saturating_add(size);
    }
    false
}

/// An unsigned LEB128 number, and where it ends.
fn number(content: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let (mut value, mut shift) = (0_usize, 0_u32);
    loop {
        let byte = *content.get(at)?;
        at += 1;
        value |= usize::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some((value, at));
        }
    }
}

/// The script with our way to fetch in place of the one for single files. How the first file's memory and table are found, and
/// how the wasm is told, stays as splitting wrote it.
fn rewritten(script: &str, wanted: &Needs) -> Outcome<String> {
    let strange = || Failure::new("the script that splitting writes is not as it was: look at site/packs.rs");
    let (head, rest) = script.split_once("function makeLoad(").ok_or_else(strange)?;
    let mut text = format!("{head}{LOADER}");
    for (feature, packs) in wanted {
        let loader = format!("__wasm_split_load_{feature}");
        let (true, Some((own, shared))) = (
            rest.contains(&format!("export const {loader} =")),
            packs.split_first(),
        ) else {
            return Err(strange());
        };
        let line = format!(
            "export const {loader} = wrapAsyncCb(feature({}, {}));\n",
            json!(own),
            json!(shared)
        );
        text.push_str(&line);
    }
    if !head.contains("function wrapAsyncCb(") || !head.contains("function getSharedImports(") {
        return Err(strange());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A wasm file of one section.
    fn wasm(section: u8, content: &[u8]) -> Vec<u8> {
        [
            b"\0asm\x01\0\0\0",
            [section, u8::try_from(content.len()).unwrap()].as_slice(),
            content,
        ]
        .concat()
    }

    fn table(pack: &[u8]) -> (serde_json::Value, &[u8]) {
        let length = usize::try_from(u32::from_le_bytes(pack[..4].try_into().unwrap())).unwrap();
        (
            serde_json::from_slice(&pack[4..4 + length]).unwrap(),
            &pack[4 + length..],
        )
    }

    fn needs(all: &[(&str, &[&str])]) -> Needs {
        all.iter()
            .map(|(feature, names)| {
                (
                    (*feature).to_owned(),
                    names.iter().map(|&name| name.to_owned()).collect(),
                )
            })
            .collect()
    }

    #[test]
    fn each_part_lies_where_the_table_says_and_empty_ones_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let needs = needs(&[("a", &["both", "empty", "own_a"]), ("b", &["both", "own_b"])]);
        let parts = [
            ("both", wasm(10, b"code")),
            ("empty", wasm(1, b"types")),
            ("own_a", wasm(11, b"data")),
            ("own_b", wasm(9, b"elements")),
        ];
        for (name, content) in &parts {
            std::fs::write(path(&format!("{name}.wasm")), content).unwrap();
        }
        write_manifest(folder.path(), &needs).unwrap();
        let script = "function getSharedImports() {}\nfunction wrapAsyncCb(callee) {}\nfunction makeLoad(a, b) {}\n\
            export const __wasm_split_load_a = x;\nexport const __wasm_split_load_b = x;\n";
        std::fs::write(path(LINK), script).unwrap();

        drop_the_empty(folder.path()).unwrap();
        pack(folder.path()).unwrap();

        let mut left: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(
            left,
            [LINK, MANIFEST, "pack_a.wasm", "pack_b.wasm", "pack_shared.wasm"]
        );
        assert_eq!(manifest(folder.path()).unwrap()["a"], ["pack_a", SHARED]);
        let shared = std::fs::read(path("pack_shared.wasm")).unwrap();
        let (head, body) = table(&shared);
        assert_eq!(head["holds"], json!({"both": [0, body.len()]}));
        assert_eq!(body, parts[0].1);
        let own = std::fs::read(path("pack_a.wasm")).unwrap();
        let (head, body) = table(&own);
        let holds = json!({"own_a": [0, body.len()]});
        assert_eq!(head, json!({"needs": ["both"], "entry": "own_a", "holds": holds}));
        assert_eq!(body, parts[2].1);
    }

    #[test]
    fn a_part_of_few_is_in_the_pack_of_each() {
        let needs = needs(&[
            ("a", &["some", "own_a"]),
            ("b", &["some", "own_b"]),
            ("c", &["own_c"]),
        ]);
        let parts: BTreeMap<String, Vec<u8>> = ["some", "own_a", "own_b", "own_c"]
            .map(|name| (name.to_owned(), wasm(10, name.as_bytes())))
            .into();
        let packed = put_together(&needs, &parts).unwrap();
        assert_eq!(packed.wanted["c"], ["pack_c"]);
        for (feature, holds) in [("a", true), ("b", true), ("c", false)] {
            let (own, _) = table(&packed.packs[&format!("pack_{feature}")]);
            assert_eq!(own["holds"].get("some").is_some(), holds, "{feature}");
        }
    }

    #[test]
    fn the_script_keeps_what_it_knows_and_fetches_our_way() {
        let script = "import x;\nfunction getSharedImports() {}\nfunction wrapAsyncCb(callee) {}\nfunction makeLoad(a, b) {}\n\
            export const __wasm_split_load_a = wrapAsyncCb(makeLoad(() => 1, []));\n";
        let wanted = needs(&[("a", &["pack_a", SHARED])]);
        let text = rewritten(script, &wanted).unwrap();
        assert!(
            text.starts_with("import x;\nfunction getSharedImports() {}\nfunction wrapAsyncCb(callee) {}\n")
        );
        assert!(text.ends_with(
            "export const __wasm_split_load_a = wrapAsyncCb(feature(\"pack_a\", [\"pack_shared\"]));\n"
        ));
        let other = needs(&[("b", &["pack_b"])]);
        assert!(rewritten(script, &other).is_err());
        assert!(rewritten("nothing known", &wanted).is_err());
    }

    #[test]
    fn what_cannot_be_read_is_kept() {
        assert!(is_alive(b"\0asm\x01\0\0\0\x01\xff"));
        assert!(!is_alive(&wasm(1, b"")));
    }
}
