//! Ids that survive edits elsewhere: short hashes of names and texts, never of lines.
//!
//! FNV-1a, written out here, since an id must not change with a compiler, a platform or a hashing crate.

/// Hashes the parts, each apart from the next, behind a letter that says what the id is of.
pub(super) fn id(letter: char, parts: &[&str]) -> String {
    format!("{letter}{:012x}", hash(parts) & 0xffff_ffff_ffff)
}

/// All 64 bits, for baselines and hosts.
pub(super) fn fingerprint(parts: &[&str]) -> String {
    format!("{:016x}", hash(parts))
}

fn hash(parts: &[&str]) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    // The zero byte keeps ("ab", "c") and ("a", "bc") apart.
    for byte in parts.iter().flat_map(|part| part.bytes().chain(std::iter::once(0))) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    // FNV leaves the low bits of short inputs close together, and the short ids keep only low bits.
    state ^ (state >> 29)
}
