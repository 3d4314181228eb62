//! The rules: each is about one assumption that concurrent code rests on.
//!
//! What a rule is called, how loud it is and what it means stands in its document, `rules/<rule>.md`, which is part of
//! the binary; README, `tenth rules`, `tenth explain` and the reports take it from here.

mod info;

use std::sync::OnceLock;

pub use info::{Family, RuleInfo, Status};

macro_rules! documents {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../rules/", $name, ".md")))),*]
    };
}

/// The one list of rules, by family and then in the order in which a reader should meet them.
static DOCUMENTS: &[(&str, &str)] = documents![
    "blocking-in-async",
    "blocking-through-call",
    "lock-across-await",
    "lock-reentry",
    "stale-read-across-await",
    "unawaited-call",
    "dropped-task",
    "broken-syntax",
];

/// Every rule, by family.
pub fn all() -> &'static [RuleInfo] {
    static RULES: OnceLock<Vec<RuleInfo>> = OnceLock::new();
    RULES.get_or_init(|| {
        let read = |&(name, text): &(&'static str, &'static str)| info::read(name, text);
        // The documents are part of the binary, and a test reads each of them.
        DOCUMENTS.iter().map(read).collect::<Result<_, _>>().expect("the embedded documents have sound heads")
    })
}

/// A rule by its name.
pub fn info(name: &str) -> Option<&'static RuleInfo> {
    all().iter().find(|rule| rule.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_is_read_and_found_by_its_name() {
        assert_eq!(all().len(), DOCUMENTS.len());
        for rule in all() {
            assert_eq!(info(rule.name), Some(rule));
        }
    }

    #[test]
    fn rules_stand_by_family() {
        assert!(all().is_sorted_by_key(|rule| rule.family));
    }
}
