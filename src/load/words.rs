//! Words in bytes: all of them in one pass, nothing decoded.

use aho_corasick::{AhoCorasick, MatchKind};

use crate::text::is_of_identifier;

/// Identifiers to look for. `load` is found in `x.load()`, not in `reload` or `load_flags`.
pub struct Words {
    automaton: AhoCorasick,
}

impl Words {
    /// A matcher for these identifiers; `None` if there are none, or too many for a matcher.
    pub fn new(words: &[String]) -> Option<Self> {
        if words.is_empty() {
            return None;
        }
        // The longest match that starts first: a word that stands between no letters starts where its identifier does,
        // so no match of another word can hide it.
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(words).ok()?;
        Some(Self { automaton })
    }

    /// Whether one of them stands in a text.
    pub fn is_in(&self, text: &[u8]) -> bool {
        self.all(text).next().is_some()
    }

    /// Where they stand: the number of the word, and the byte.
    pub fn all<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = (usize, u32)> + 't {
        self.automaton.find_iter(text).filter_map(|found| {
            let is_bounded = !text[..found.start()].last().copied().is_some_and(is_of_identifier)
                && !text[found.end()..].first().copied().is_some_and(is_of_identifier);
            is_bounded.then(|| (found.pattern().as_usize(), found.start() as u32))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[&str], text: &str) -> Vec<(usize, u32)> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Words::new(&words).expect("there are words").all(text.as_bytes()).collect()
    }

    #[test]
    fn a_word_is_a_whole_identifier() {
        assert_eq!(found(&["load"], "load reload load_flags x.load() ßload load"), [(0, 0), (0, 25), (0, 39)]);
    }

    #[test]
    fn no_word_hides_another() {
        assert_eq!(found(&["load", "load_flags", "flags"], "load_flags load flags"), [(1, 0), (0, 11), (2, 16)]);
        assert_eq!(found(&["a_b", "b"], "xa_b a_b b"), [(0, 5), (1, 9)]);
    }

    #[test]
    fn nothing_is_looked_for_without_words() {
        assert!(Words::new(&[]).is_none());
    }
}
