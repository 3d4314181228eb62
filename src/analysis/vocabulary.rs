//! Which words stand in a file of Rust, and which functions it may define, without parsing it.
//!
//! A method that no known `impl` has may stand in another file of the folder. That is asked for so many methods that
//! the files are not searched for each of them: their words are collected once.

use std::hash::BuildHasher;

use rustc_hash::FxBuildHasher;

use crate::text::is_of_identifier;

/// The words of a text, by their hashes: what two words share makes a file be read in vain, and harms nobody.
#[derive(Debug, Default)]
pub struct Vocabulary {
    /// Sorted.
    words: Vec<u64>,
    /// Those that follow `fn`, sorted.
    functions: Vec<u64>,
}

impl Vocabulary {
    /// The words of a text.
    pub fn of(text: &[u8]) -> Self {
        let mut found = Self::default();
        let mut is_function = false;
        for word in text.split(|byte| !is_of_identifier(*byte)).filter(|word| !word.is_empty()) {
            let hash = hash(word);
            found.words.push(hash);
            if is_function {
                found.functions.push(hash);
            }
            is_function = word == b"fn";
        }
        for hashes in [&mut found.words, &mut found.functions] {
            hashes.sort_unstable();
            hashes.dedup();
            hashes.shrink_to_fit();
        }
        found
    }

    /// Whether a word stands in the text.
    pub fn holds(&self, word: &str) -> bool {
        self.words.binary_search(&hash(word.as_bytes())).is_ok()
    }

    /// Whether a function of this name may be defined in the text.
    pub fn defines(&self, function: &str) -> bool {
        self.functions.binary_search(&hash(function.as_bytes())).is_ok()
    }
}

fn hash(word: &[u8]) -> u64 {
    FxBuildHasher.hash_one(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_whole_and_functions_follow_their_keyword() {
        let found = Vocabulary::of("impl Store { pub(crate) async fn load<T>(&self) {} } // größe".as_bytes());
        for word in ["impl", "Store", "load", "T", "größe"] {
            assert!(found.holds(word), "{word}");
        }
        assert!(!found.holds("Stor") && !found.holds("loa"));
        assert!(found.defines("load") && !found.defines("Store") && !found.defines("self"));
    }
}
