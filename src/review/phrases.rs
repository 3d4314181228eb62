//! The table of claims: in which words an assumption of concurrent code is stated.

use std::sync::LazyLock;

use serde::Deserialize;

static TABLE: LazyLock<ClaimTable> = LazyLock::new(|| {
    let raw: RawTable = toml::from_str(include_str!("../../rules/claims.toml"))
        .expect("the table is part of the program, and a test reads it");
    let claims = raw.claims.into_iter().map(|row| ClaimRow {
        fact: row.fact,
        rules: row.rules,
        phrases: row.phrases.iter().map(|phrase| pattern(phrase)).collect(),
    });
    ClaimTable { claims: claims.collect() }
});

/// Most words that a `*` stands for.
const WIDEST_GAP: usize = 3;

/// How many words before a phrase may take it back.
const DENIAL_REACH: usize = 3;

/// Words that make a sentence no claim when they stand right before its phrase.
const DENIALS: &[&str] = &[
    "not", "never", "no", "isn't", "aren't", "don't", "doesn't", "didn't", "wasn't", "weren't", "can't", "cannot",
    "won't", "if", "whether", "unless", "must", "should", "needs", "need", "todo", "fixme", "test", "tests", "verify",
    "verifies", "hardly",
];

/// Words that begin a sentence with a clause which states nothing by itself.
const CLAUSES: &[&str] = &["what", "which", "who", "whose", "how", "why", "where"];

/// How many words such a clause holds at least.
const CLAUSE_REACH: usize = 3;

/// `rules/claims.toml` as it stands in the program.
#[derive(Debug)]
pub(super) struct ClaimTable {
    claims: Vec<ClaimRow>,
}

/// One assumption, and what speaks for or against it.
#[derive(Debug)]
pub(super) struct ClaimRow {
    /// What the analysis knows of functions that decides it.
    pub(super) fact: Option<Fact>,
    /// The rules whose verdicts speak for or against it.
    pub(super) rules: Vec<String>,
    phrases: Vec<Vec<Part>>,
}

/// What the analysis knows of a function that a claim may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Fact {
    /// It runs on an event loop and in no thread.
    OnLoop,
    /// It does not run on a loop and in a thread as well.
    OneThread,
    /// No two calls of it are under way at once.
    OneAtATime,
    /// Nothing else of its loop runs while it does.
    GivesNoWay,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    #[serde(rename = "claim")]
    claims: Vec<RawRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRow {
    #[allow(dead_code, reason = "for whoever reads the table")]
    name: String,
    fact: Option<Fact>,
    rules: Vec<String>,
    phrases: Vec<String>,
}

/// One part of a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// One of these words.
    Word(Vec<String>),
    /// Any few words.
    Gap,
}

/// The table.
pub(super) fn table() -> &'static ClaimTable {
    &TABLE
}

impl ClaimTable {
    /// The assumptions that a sentence states.
    pub(super) fn stated(&self, sentence: &str) -> Vec<&ClaimRow> {
        let words = words(sentence);
        let is_open = words.first().is_some_and(|first| matches!(first.as_str(), "if" | "unless" | "whether"));
        if is_open || sentence.trim_end().ends_with('?') {
            return Vec::new();
        }
        let states = |row: &&ClaimRow| row.phrases.iter().any(|phrase| holds(&words, phrase));
        self.claims.iter().filter(states).collect()
    }
}

fn pattern(phrase: &str) -> Vec<Part> {
    let part = |word: &str| match word {
        "*" => Part::Gap,
        word => Part::Word(word.split('|').map(str::to_owned).collect()),
    };
    phrase.split_whitespace().map(part).collect()
}

/// The words of a sentence, small, without punctuation; hyphens and slashes part words.
fn words(sentence: &str) -> Vec<String> {
    let sentence = sentence.to_lowercase().replace('\u{2019}', "'");
    let parts = sentence.split(|letter: char| letter.is_whitespace() || matches!(letter, '-' | '/' | '\u{2014}'));
    let bare = |part: &str| part.trim_matches(|letter: char| !letter.is_alphanumeric()).to_owned();
    parts.map(bare).filter(|word| !word.is_empty()).collect()
}

fn holds(words: &[String], phrase: &[Part]) -> bool {
    (0..words.len()).any(|at| fits(&words[at..], phrase) && !is_denied(words, at))
}

fn is_denied(words: &[String], at: usize) -> bool {
    // "What is awaited, by name" names a thing; "What is kept is only touched by the loop" goes on to say something.
    if at <= CLAUSE_REACH && CLAUSES.contains(&words[0].as_str()) {
        return true;
    }
    let is_denial = |word: &String| DENIALS.contains(&word.as_str());
    !is_denial(&words[at]) && words[at.saturating_sub(DENIAL_REACH)..at].iter().any(is_denial)
}

fn fits(words: &[String], phrase: &[Part]) -> bool {
    match phrase.split_first() {
        None => true,
        Some((Part::Gap, rest)) => (0..=WIDEST_GAP.min(words.len())).any(|skipped| fits(&words[skipped..], rest)),
        Some((Part::Word(any), rest)) => {
            words.split_first().is_some_and(|(word, after)| any.contains(word) && fits(after, rest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_claim(sentence: &str) -> bool {
        !table().stated(sentence).is_empty()
    }

    #[test]
    fn the_table_is_sound() {
        for row in &table().claims {
            assert!(!row.phrases.is_empty() && !row.rules.is_empty());
            for rule in &row.rules {
                assert!(crate::rules::info(rule).is_some(), "there is no rule `{rule}`");
            }
            for phrase in &row.phrases {
                let words = phrase.iter().filter(|part| matches!(part, Part::Word(_))).count();
                assert!(words >= 1 && phrase.first() != Some(&Part::Gap) && phrase.last() != Some(&Part::Gap));
            }
        }
    }

    #[test]
    fn assumptions_of_concurrent_code_are_claims() {
        for sentence in [
            "Only called from the main loop.",
            "This is atomic.",
            "The append is atomic under the GIL",
            "This cannot deadlock, since nobody else holds it.",
            "It is thread-safe.",
            "Thread-safe: guarded by `self._lock`",
            "The caller must hold the lock",
            "There is no await between the check and the write, so no other task can get in.",
            "Never blocks the loop.",
            "We release the lock before the await to avoid a deadlock.",
            "Fire-and-forget: the outcome does not matter.",
            "asyncio is single-threaded, so this needs no lock",
            "What is kept here is only touched from the event loop.",
            "Writes are serialised by a lock.",
            "The task is awaited elsewhere.",
        ] {
            assert!(is_claim(sentence), "{sentence}");
        }
    }

    #[test]
    fn denials_questions_demands_and_other_words_are_none() {
        for sentence in [
            "This is not thread-safe.",
            "Is this thread-safe?",
            "If this is atomic, no lock is needed.",
            "The cache must be thread-safe.",
            "Lock the package version.",
            "Returns the block that holds the header.",
            "An atomic unit of work.",
            "Run the main function.",
            "What is awaited, in the user's own words.",
            "Which lock is already held",
            "The calls that are awaited in order of their places.",
            "The payload is serialised by hand.",
            "There is only one instance of the parser.",
            "Called exactly once for each file.",
            "Nothing else can be said of it.",
            "It is safe to drop the column.",
            "Lives in the loop's own file.",
        ] {
            assert!(!is_claim(sentence), "{sentence}");
        }
    }
}
