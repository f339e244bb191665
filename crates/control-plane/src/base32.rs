//! Text out of random bytes, in the alphabets that access keys and codes use. No decoding here.

use muster_domain::time::Random;

const UPPER: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const MIXED: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn text<const N: usize>(random: &dyn Random, alphabet: &[u8; N], length: usize) -> String {
    let mut bytes = vec![0_u8; length];
    random.fill(&mut bytes);
    // N divides 256, so every character is equally likely.
    bytes
        .iter()
        .filter_map(|byte| alphabet.get(usize::from(*byte) % N))
        .map(|byte| char::from(*byte))
        .collect()
}

/// `length` characters of `A-Z2-7`: 5 bits each.
pub(crate) fn upper(random: &dyn Random, length: usize) -> String {
    text(random, UPPER, length)
}

/// `length` characters of the base64 alphabet: 6 bits each.
pub(crate) fn mixed(random: &dyn Random, length: usize) -> String {
    text(random, MIXED, length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use muster_domain::system::SeededRandom;

    #[test]
    fn lengths_and_alphabets_hold() {
        let random = SeededRandom::new(1);
        assert_eq!(upper(&random, 16).len(), 16);
        assert!(upper(&random, 999).bytes().all(|b| UPPER.contains(&b)));
        assert!(mixed(&random, 999).bytes().all(|b| MIXED.contains(&b)));
    }
}
