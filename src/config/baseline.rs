//! The findings that a project lives with: one line each, by a fingerprint that edits elsewhere do not move.
//!
//! ~~~text
//! # What `tenth` found and the project lives with: `tenth baseline write` makes it anew.
//! 0a1b2c3d4e5f6071 lock-across-await app/cache.py app.cache.refresh
//! ~~~
//!
//! Only the fingerprint counts; the rest is for people, and for merges that can be read.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::review::Known;

use super::read::wrong;

const HEAD: &str = "# What `tenth` found and the project lives with: `tenth baseline write` makes it anew.\n";

/// The text of a baseline.
pub fn baseline_text(known: &[Known]) -> String {
    let mut known: Vec<&Known> = known.iter().collect();
    known.sort();
    known.dedup();
    let line = |of: &&Known| {
        // A name with white space in it must not make two of one line.
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join("_");
        let function = if of.function.is_empty() { "-" } else { &of.function };
        format!("{} {} {} {}\n", of.fingerprint, of.rule, plain(&of.path), plain(function))
    };
    std::iter::once(HEAD.to_owned()).chain(known.iter().map(line)).collect()
}

/// The fingerprints in a text.
pub(super) fn read(text: &str, path: &str) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let said = line.trim();
        if !said.is_empty() && !said.starts_with('#') {
            let first = said.split_whitespace().next().unwrap_or_default();
            if first.len() != 16 || !first.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                let help = "write it anew with `tenth baseline write`".to_owned();
                return Err(wrong(text, path, at, "this is no line of a baseline".to_owned(), help));
            }
            found.insert(first.to_ascii_lowercase());
        }
        at += line.len() as u32;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn what_is_written_is_read_again_in_one_order() {
        let known = |path: &str, fingerprint: &str| Known {
            path: path.to_owned(),
            rule: "lock-reentry".to_owned(),
            function: String::new(),
            fingerprint: fingerprint.to_owned(),
        };
        let (one, two) = (known("a b.py", "00000000000000ff"), known("b.py", "0000000000000001"));
        let text = baseline_text(&[two.clone(), one.clone(), two.clone()]);
        assert_eq!(text, baseline_text(&[one, two]));
        assert!(text.ends_with("00000000000000ff lock-reentry a_b.py -\n0000000000000001 lock-reentry b.py -\n"));
        assert_eq!(read(&text, "x").unwrap().len(), 2);
    }

    #[test]
    fn a_conflict_in_it_is_refused_with_its_line() {
        let text = format!("{HEAD}<<<<<<< ours\n");
        assert!(matches!(read(&text, "x"), Err(Error::Settings { line: 2, .. })));
    }
}
