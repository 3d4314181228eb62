//! The same change written otherwise: what a review says must not hang on it.

use std::collections::BTreeSet;

use tenth::syntax::comments::comments;
use tenth::text::Language;

use super::{Case, Files};

/// Every word that means something in the catalogue: names that a fixture may not lose.
pub(crate) fn words_of_the_catalogue() -> BTreeSet<String> {
    let texts = super::files(&super::root().join("rules/catalogue"));
    let words = |text: &String| words(text).map(|(_, word)| word.to_owned()).collect::<Vec<_>>();
    texts.values().flat_map(words).collect()
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut at = 0;
    text.split_inclusive(move |c| !is_word(c)).map(move |piece| {
        let start = at;
        at += piece.len();
        (start, piece.trim_end_matches(|c| !is_word(c)))
    })
}

/// The case with another name for each function that only the case itself knows.
pub(crate) fn renamed(case: &Case, known: &BTreeSet<String>) -> Case {
    let texts = || case.before.values().chain(case.after.values());
    let mut mine = BTreeSet::new();
    for text in texts() {
        let mut before = "";
        for (_, word) in words(text) {
            if matches!(before, "def" | "fn") && !known.contains(word) && !word.starts_with("__") && word != "main" {
                mine.insert(word);
            }
            before = word;
        }
    }
    // The name of a file is not renamed with what it holds.
    mine.retain(|name| !case.after.keys().any(|path| path.contains(&format!("{name}."))));
    let rename = |files: &Files| -> Files {
        let text = |text: &String| {
            let mut out = String::new();
            let mut rest = 0;
            for (at, word) in words(text).filter(|(_, word)| mine.contains(word)) {
                out.push_str(&text[rest..at]);
                out.push_str(&format!("{word}_anew"));
                rest = at + word.len();
            }
            out + &text[rest..]
        };
        files.iter().map(|(path, old)| (path.clone(), text(old))).collect()
    };
    Case { name: case.name.clone(), before: rename(&case.before), after: rename(&case.after) }
}

/// The case with every comment rewritten. Where it stands stays, and so do the lines.
pub(crate) fn with_comments(case: &Case, rewrite: impl Fn(&str, &str) -> String) -> Case {
    let side = |files: &Files| -> Files {
        let text = |path: &String, text: &String| {
            let Some(language) = Language::of_path(path) else { return text.clone() };
            let marker = if language == Language::Python { "#" } else { "//" };
            let (mut out, mut rest) = (String::new(), 0);
            for comment in comments(text, language) {
                let (start, end) = (comment.span.start as usize, comment.span.end as usize);
                // Documentation is part of the interface, and a block may stand within a line.
                let old = &text[start..end];
                if old.starts_with("///") || old.starts_with("//!") || old.starts_with("/*") || old.contains('\n') {
                    continue;
                }
                out.push_str(&text[rest..start]);
                out.push_str(&rewrite(old, marker));
                rest = end;
            }
            out + &text[rest..]
        };
        files.iter().map(|(path, old)| (path.clone(), text(path, old))).collect()
    };
    Case { name: case.name.clone(), before: side(&case.before), after: side(&case.after) }
}

/// A line of a text before which a blank line means nothing: a statement begins there, and none is open.
pub(crate) fn is_statement_start(lines: &[&str], at: usize) -> bool {
    let is_open = |text: &str| {
        let count = |letter| text.matches(letter).count();
        count('(') != count(')') || count('[') != count(']') || text.matches("\"\"\"").count() % 2 == 1
    };
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (Some(before), Some(line)) = (lines.get(at.wrapping_sub(1)), lines.get(at)) else { return false };
    let begins = line.trim_start().starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
    begins
        && indent(before) == indent(line)
        && before.ends_with([')', ';', '1', '}', ']'])
        && !is_open(&lines[..at].join("\n"))
}
