//! What the authors of a change say in words: sentences of added comments, docstrings and commit messages.
//!
//! ~~~text
//! # The queue is bounded. Only called        ->  "Only called from the event loop."   lines 1-2, if one of them is added
//! # from the event loop.
//! ~~~
//!
//! Whether a sentence claims something about concurrency is not decided here.

use std::sync::Arc;

use crate::change::{ChangeSet, ChangedFile, Commit, Extent};
use crate::directive::{self, Verb};
use crate::review::{ClaimSource, Said};
use crate::syntax::comments::{comments, docstrings};
use crate::text::{Language, LineIndex, Side};
use crate::verdict::Setting;

/// More words than this are no sentence but a text without stops, and are cut.
const MOST_WORDS: usize = 120;

/// The sentences of a change, in the order of its files and lines, commits last. Declarations that stood before are
/// among them, since what the change does may contradict them; other sentences are those that it adds.
pub(crate) fn said(change: &ChangeSet) -> Vec<Said> {
    let mut found = Vec::new();
    for file in change.files.iter().filter(|file| file.extent == Extent::Whole) {
        of_file(file, &mut found);
    }
    for commit in &change.commits {
        of_commit(commit, &mut found);
    }
    found
}

fn of_file(file: &ChangedFile, found: &mut Vec<Said>) {
    let (Some(side), Some(language)) = (file.side(Side::After), file.language()) else { return };
    let text = &*side.text;
    // What tests say of themselves is no promise to anybody.
    let is_test = Setting::of_path(&side.path) == Setting::Test;
    let may_add = !is_test && file.hunks.iter().any(|hunk| hunk.after.count > 0);
    if !may_add && !text.contains(directive::MARK) {
        return;
    }
    let lines = LineIndex::new(text);
    let mut blocks: Vec<Block> = Vec::new();
    let mut last_end = None;
    for comment in comments(text, language) {
        let (first, last) = lines.lines(comment.span);
        let start = lines.line_span(first).text(text);
        let column = start.len() - start.trim_start().len();
        let stands_alone = lines.line_span(first).start + column as u32 == comment.span.start;
        let is_doc = language == Language::Rust && is_rust_doc(comment.span.text(text));
        let source = if is_doc { ClaimSource::Docstring } else { ClaimSource::Comment };
        let words = (first..).zip(comment.text.lines()).map(|(line, text)| (line, text.to_owned()));
        // Lines of one column that follow each other are one text.
        let goes_on = stands_alone && first == last && last_end == Some((first.wrapping_sub(1), column, source));
        match blocks.last_mut().filter(|_| goes_on) {
            Some(block) => block.lines.extend(words),
            None => blocks.push(Block { source, lines: words.collect() }),
        }
        last_end = stands_alone.then_some((last, column, source));
    }
    if language == Language::Python {
        for docstring in docstrings(text) {
            let first = lines.lines(docstring.span).0;
            let words = (first..).zip(docstring.text.lines()).map(|(line, text)| (line, text.to_owned()));
            blocks.push(Block { source: ClaimSource::Docstring, lines: words.collect() });
        }
    }
    blocks.sort_by_key(|block| block.lines.first().map(|(line, _)| *line));
    let is_added = |first: u32, last: u32| {
        file.hunks.iter().any(|hunk| hunk.after.count > 0 && hunk.after.first() <= last && first < hunk.after.end())
    };
    for block in &blocks {
        for sentence in sentences(&block.lines) {
            let added = is_added(sentence.first, sentence.last);
            let said = |source, declared| Said {
                source,
                path: Some(side.path.clone()),
                lines: (sentence.first, sentence.last),
                commit: None,
                is_added: added,
                declared,
                text: sentence.text.clone(),
            };
            if sentence.text.starts_with(directive::MARK) {
                let declared = declarations(&sentence.text).into_iter();
                found.extend(declared.map(|declared| said(ClaimSource::Annotation, Some(declared))));
            } else if added && !is_test {
                found.push(said(block.source, None));
            }
        }
    }
}

fn is_rust_doc(comment: &str) -> bool {
    let is_line = comment.starts_with("///") && !comment.starts_with("////") || comment.starts_with("//!");
    is_line || comment.starts_with("/**") && !comment.starts_with("/***") || comment.starts_with("/*!")
}

fn of_commit(commit: &Commit, found: &mut Vec<Said>) {
    let said = |source, declared, text| Said {
        source,
        path: None,
        lines: (0, 0),
        commit: Some(Arc::from(commit.id.as_str())),
        is_added: true,
        declared,
        text,
    };
    let mut body: Vec<(u32, String)> = vec![(0, commit.subject.clone()), (0, String::new())];
    for line in commit.body.lines() {
        match trailer(line) {
            Some((rule, subject, text)) => {
                found.push(said(ClaimSource::Trailer, Some((rule, subject)), text));
            }
            None => body.push((0, line.to_owned())),
        }
    }
    let sentences = sentences(&body).into_iter();
    found.extend(sentences.map(|sentence| said(ClaimSource::Commit, None, sentence.text)));
}

/// `Assumes: rule(subject) - text`: the rule, the subject (empty where there is none) and the text.
fn trailer(line: &str) -> Option<(String, String, String)> {
    const KEY: &str = "assumes:";
    let line = line.trim();
    if !line.get(..KEY.len())?.eq_ignore_ascii_case(KEY) {
        return None;
    }
    let line = line[KEY.len()..].trim();
    let (head, text) = ["--", " - ", "\u{2014}", "\u{2013}"]
        .iter()
        .find_map(|dash| line.split_once(dash))
        .map_or((line, ""), |(head, text)| (head.trim(), text.trim()));
    let (rule, subject) = rule_and_subject(head)?;
    let text = if text.is_empty() { head } else { text };
    Some((rule, subject, text.to_owned()))
}

/// What a comment declares: `tenth: assume[rule] -- reason`, or `assume[rule(subject)]`, or of several rules.
fn declarations(comment: &str) -> Vec<(String, String)> {
    let Some(Ok(directive)) =
        directive::read(comment).filter(|said| matches!(said, Ok(said) if said.verb == Verb::Assume))
    else {
        return Vec::new();
    };
    directive.rules.iter().filter_map(|rule| rule_and_subject(rule)).collect()
}

fn rule_and_subject(head: &str) -> Option<(String, String)> {
    let (rule, subject) = match head.trim().split_once('(') {
        Some((rule, rest)) => (rule, rest.strip_suffix(')')?),
        None => (head, ""),
    };
    let rule = rule.trim();
    let is_name = !rule.is_empty() && rule.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
    is_name.then(|| (rule.to_owned(), subject.trim().to_owned()))
}

/// Lines that belong together.
struct Block {
    source: ClaimSource,
    lines: Vec<(u32, String)>,
}

/// A sentence and the lines it stands on.
struct Sentence {
    first: u32,
    last: u32,
    text: String,
}

/// The sentences of numbered lines. An empty line ends one, a bullet or an annotation begins one; headings are none.
fn sentences(lines: &[(u32, String)]) -> Vec<Sentence> {
    let mut found: Vec<Sentence> = Vec::new();
    let mut open: Option<(Sentence, usize)> = None;
    for (number, line) in lines {
        let line = line.trim();
        let bullet = line.strip_prefix(['-', '*', '\u{2022}']).filter(|rest| rest.starts_with(' '));
        let is_heading = line.starts_with('#');
        if line.is_empty() || bullet.is_some() || is_heading || line.starts_with(directive::MARK) {
            found.extend(open.take().map(|(sentence, _)| sentence));
        }
        if is_heading {
            continue;
        }
        let is_annotation = line.starts_with(directive::MARK);
        for word in bullet.unwrap_or(line).split_whitespace() {
            let (mut sentence, count) =
                open.take().unwrap_or_else(|| (Sentence { first: *number, last: *number, text: String::new() }, 0));
            if count > 0 {
                sentence.text.push(' ');
            }
            sentence.text.push_str(word);
            sentence.last = *number;
            if ends_sentence(word) && !is_annotation || count + 1 == MOST_WORDS {
                found.push(sentence);
            } else {
                open = Some((sentence, count + 1));
            }
        }
        if is_annotation {
            found.extend(open.take().map(|(sentence, _)| sentence));
        }
    }
    found.extend(open.map(|(sentence, _)| sentence));
    found
}

fn ends_sentence(word: &str) -> bool {
    let word = word.trim_end_matches([')', '"', '\'', '`', '*']);
    let is_short = ["e.g.", "i.e.", "etc.", "vs.", "cf."].iter().any(|short| word.eq_ignore_ascii_case(short));
    word.ends_with(['.', '!', '?', ';']) && !is_short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Description, Kind, Person};

    fn of(path: &str, before: &str, after: &str) -> Vec<(ClaimSource, (u32, u32), String)> {
        let files = |text: &str| [(path.to_owned(), text.to_owned())].into();
        let description = Description { kind: Kind::Range, before: None, after: None, how: String::new() };
        let change = ChangeSet::in_memory(description, files(before), files(after));
        said(&change).into_iter().map(|said| (said.source, said.lines, said.text)).collect()
    }

    #[test]
    fn sentences_span_lines_and_end_at_stops() {
        let text = "x = 1  # One, e.g. two.\n# It is bounded. Only called\n# from the loop\n#\n# - a bullet\n# ## A heading\ny = '# no'\n";
        let found = of("m.py", "", text);
        let texts: Vec<(&str, (u32, u32))> = found.iter().map(|(_, lines, text)| (text.as_str(), *lines)).collect();
        assert_eq!(
            texts,
            [
                ("One, e.g. two.", (1, 1)),
                ("It is bounded.", (2, 2)),
                ("Only called from the loop", (2, 3)),
                ("a bullet", (5, 5))
            ]
        );
    }

    #[test]
    fn only_what_the_change_adds_is_said() {
        let before = "# Old words.\ndef f():\n    \"\"\"Old words too.\"\"\"\n";
        let after = "# Old words.\ndef f():\n    \"\"\"Old words too.\n\n    New words.\n    \"\"\"\n";
        let found = of("m.py", before, after);
        assert_eq!(found.last().unwrap(), &(ClaimSource::Docstring, (5, 5), "New words.".to_owned()));
        assert!(!found.iter().any(|(_, _, text)| text == "Old words."));
    }

    #[test]
    fn strings_that_are_used_are_no_docstrings() {
        let found = of("m.py", "", "x = \"\"\"Used.\"\"\"\nf(\n    \"argued\"\n)\n");
        assert_eq!(found, []);
    }

    #[test]
    fn doc_comments_are_docstrings() {
        let found = of("m.rs", "", "//! Head.\n/// Doc.\nfn f() {} // Plain.\n");
        let sources: Vec<ClaimSource> = found.iter().map(|(source, ..)| *source).collect();
        assert_eq!(sources, [ClaimSource::Docstring, ClaimSource::Docstring, ClaimSource::Comment]);
    }

    #[test]
    fn declarations_name_a_rule_and_perhaps_a_subject() {
        let both = ("lock-reentry".to_owned(), "self._lock".to_owned());
        assert_eq!(declarations("tenth: assume[lock-reentry(self._lock)] -- why. Because."), [both]);
        let names = |comment| declarations(comment).into_iter().map(|(rule, _)| rule).collect::<Vec<_>>();
        assert_eq!(names("tenth: assume[lock-reentry, dropped-task]"), ["lock-reentry", "dropped-task"]);
        assert!(names("tenth: ignore[lock-reentry]").is_empty());
        let full = trailer("Assumes: lock-reentry(self._lock) - the lock is re-entrant - always").unwrap();
        assert_eq!(full, ("lock-reentry".into(), "self._lock".into(), "the lock is re-entrant - always".into()));
        assert_eq!(trailer("It assumes: nothing"), None);
        assert_eq!(trailer("Assumes: that callers wait"), None);
    }

    #[test]
    fn trailers_stand_apart_from_the_message() {
        let who = Person { name: String::new(), email: String::new() };
        let commit = Commit {
            id: "c1".to_owned(),
            subject: "Move the cache".to_owned(),
            body: "It cannot deadlock.\n\nAssumes: lock-reentry(lock) - nobody holds it".to_owned(),
            author: who.clone(),
            committer: who,
        };
        let mut found = Vec::new();
        of_commit(&commit, &mut found);
        let texts: Vec<(ClaimSource, &str)> = found.iter().map(|said| (said.source, said.text.as_str())).collect();
        assert_eq!(
            texts,
            [
                (ClaimSource::Trailer, "nobody holds it"),
                (ClaimSource::Commit, "Move the cache"),
                (ClaimSource::Commit, "It cannot deadlock.")
            ]
        );
    }
}
