//! Words and counts that the forms for people share.

use crate::review::{
    Assumption, Claim, Evidence, Finding, Hunk, Level, Notice, Outcome, Review, Side, Split, Standing, Status,
};

/// How many files of a chunk are named; JSON has them all.
const CHUNK_FILES: usize = 5;

pub(super) fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

/// "1 file", "2 files".
pub(super) fn count(number: u32, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// The review's outcome: "2 errors, 1 open question".
pub(super) fn outcome(review: &Review) -> String {
    let summary = &review.summary;
    let mut parts = Vec::new();
    for (number, name) in [(summary.errors, "error"), (summary.warnings, "warning"), (summary.notes, "note")] {
        if number > 0 {
            parts.push(count(number, name));
        }
    }
    if summary.open_questions > 0 {
        parts.push(count(summary.open_questions, "open question"));
    }
    for (level, name) in [(Level::Error, "error"), (Level::Warning, "warning"), (Level::Note, "note")] {
        let gates =
            |finding: &&Finding| finding.status == Status::Accepted && finding.gating && finding.severity == level;
        match review.findings.iter().filter(gates).count() as u32 {
            0 => {}
            1 => parts.push(format!("1 accepted {name} gates")),
            number => parts.push(format!("{number} accepted {name}s gate")),
        }
    }
    let found = if parts.is_empty() { "no findings, no open questions".to_owned() } else { parts.join(", ") };
    match summary.verdict {
        Outcome::Clean | Outcome::Findings => found,
        Outcome::Unfinished => format!("{found}; the work is not finished"),
        Outcome::Incomplete => format!("{found}; not every changed file could be read"),
    }
}

/// How much was reviewed: "3 files, 12 hunks, +30 -4 lines".
pub(super) fn extent(review: &Review) -> String {
    let summary = &review.summary;
    format!(
        "{}, {}, +{} -{} lines",
        count(summary.files, "file"),
        count(summary.hunks, "hunk"),
        summary.added_lines,
        summary.removed_lines
    )
}

/// Whether one line says everything.
pub(super) fn is_quiet(review: &Review) -> bool {
    review.findings.is_empty()
        && review.fixed.is_empty()
        && review.assumptions.is_empty()
        && review.claims.iter().all(|claim| claim.standing != Standing::Contradicted)
        && review.summary.highlighted_hunks == 0
        && review.summary.verdict == Outcome::Clean
        && told(review).next().is_none()
}

/// The notices that a reader of any form must see: what the change does to the settings and to what is silenced. The
/// others say how the change was taken, and stand in the report as JSON.
pub(super) fn told(review: &Review) -> impl Iterator<Item = &Notice> {
    const KINDS: [&str; 7] =
        ["settings-", "suppression-", "assumption-", "baseline-", "foreign-", "findings-left-out", "all-left-out"];
    review.notices.iter().filter(|notice| KINDS.iter().any(|kind| notice.kind.starts_with(kind)))
}

/// Where a notice points: "app.py:3".
pub(super) fn pointer(notice: &Notice) -> Option<String> {
    let path = one_line(notice.path.as_ref()?);
    Some(notice.line.map_or_else(|| path.clone(), |line| format!("{path}:{line}")))
}

/// The findings that somebody has accepted and that are listed all the same.
pub(super) fn accepted(review: &Review) -> Vec<&Finding> {
    review.findings.iter().filter(|finding| finding.status == Status::Accepted).collect()
}

/// Why an accepted finding is listed.
pub(super) fn why_accepted(finding: &Finding) -> &'static str {
    if finding.gating { "accepted by the change itself, which does not open the gate for it" } else { "accepted" }
}

/// What is said of a change that is over the review budget: why, then a line for each chunk.
pub(super) fn split(split: &Split) -> (String, Vec<String>) {
    let why = format!("too large for one review: {}", split.why);
    if split.chunks.is_empty() {
        return (format!("{why}; its files depend on each other, so no split is proposed"), Vec::new());
    }
    let chunks = split.chunks.iter().map(|chunk| {
        let (told, rest) = chunk.files.split_at(chunk.files.len().min(CHUNK_FILES));
        let mut files: Vec<String> = told.iter().map(|path| one_line(path)).collect();
        if !rest.is_empty() {
            files.push(format!("{} more", rest.len()));
        }
        let gives = if chunk.gives.is_empty() { String::new() } else { format!("; gives {}", chunk.gives.join(", ")) };
        format!("{}, {} lines: {}{gives}", count(chunk.files.len() as u32, "file"), chunk.lines, files.join(", "))
    });
    (format!("{why}; one after another, these leave nothing dangling"), chunks.collect())
}

/// Where a hunk stands: "a.py:3-9", or the line after which its lines stood.
pub(super) fn place(hunk: &Hunk) -> String {
    let (start, count) = (hunk.after.start, hunk.after.count);
    match count {
        0 => format!("{}:{} (removed)", hunk.path, start.max(1)),
        1 => format!("{}:{start}", hunk.path),
        _ => format!("{}:{start}-{}", hunk.path, start + count - 1),
    }
}

/// What follows a place that is not on the after side.
pub(super) fn side(side: Side) -> &'static str {
    match side {
        Side::Before => " before the change",
        Side::After => "",
    }
}

/// The places that a question cannot be answered without: where something was read before, where it gives way.
pub(super) fn grounds(line: &Assumption) -> impl Iterator<Item = &Evidence> {
    const SHOWN: usize = 2;
    let is_elsewhere = |piece: &&Evidence| (&piece.path, piece.start.line) != (&line.path, line.start.line);
    line.evidence.iter().filter(is_elsewhere).take(SHOWN)
}

/// How many claims the forms for people spell out; the report as JSON has them all.
pub(super) const CLAIMS: usize = 8;

/// The claims as they are read: contradicted ones first, then open ones.
pub(super) fn claims(review: &Review) -> Vec<&Claim> {
    let mut claims: Vec<&Claim> = review.claims.iter().collect();
    let place = |claim: &Claim| match claim.standing {
        Standing::Contradicted => 0,
        Standing::Unchecked => 1,
        Standing::Confirmed => 2,
    };
    claims.sort_by_key(|claim| (place(claim), claim.found.is_empty()));
    claims
}

/// What the analysis makes of a claim, as the beginning of a line: "contradicted: `f` runs in a thread".
pub(super) fn standing(claim: &Claim) -> String {
    let word = match claim.standing {
        Standing::Contradicted => "contradicted",
        Standing::Unchecked if claim.found.is_empty() => "not checked",
        Standing::Unchecked => "open",
        Standing::Confirmed => "confirmed",
    };
    if claim.found.is_empty() { word.to_owned() } else { format!("{word}: {}", claim.found) }
}

/// Where a claim was made: "a.py:3", or the short id of a commit.
pub(super) fn source(claim: &Claim) -> String {
    const SHORT: usize = 10;
    match (&claim.path, &claim.commit) {
        (Some(path), _) => format!("{path}:{}", claim.line.unwrap_or(1)),
        (None, Some(commit)) => format!("commit {}", commit.get(..SHORT).unwrap_or(commit)),
        (None, None) => String::new(),
    }
}

/// A sentence short enough for a list.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 160;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{} \u{2026}", text[..at].trim_end()),
        None => text.to_owned(),
    }
}

/// A text on one line, without what could steer a terminal or hide what it says.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().map(harmless).collect()
}

/// A text as it stands, without what could steer a terminal. Keeps every byte offset, so that places stay right.
pub(super) fn harmless_text(text: &str) -> String {
    text.chars().map(|letter| if matches!(letter, '\n' | '\t') { letter } else { harmless(letter) }).collect()
}

/// The letter, or one of as many bytes that cannot steer a terminal or turn the direction of writing.
fn harmless(letter: char) -> char {
    match letter {
        '\r' => ' ',
        '\u{0}'..='\u{1f}' | '\u{7f}' => '?',
        '\u{80}'..='\u{9f}' => '\u{bf}',
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
        _ => letter,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn harmless_text_keeps_offsets() {
        let text = "a\u{1b}[31m\u{9b}\u{202e}b\r\n\tc";
        let tame = harmless_text(text);
        assert_eq!(tame.len(), text.len());
        assert!(!tame.chars().any(|letter| letter.is_control() && !matches!(letter, '\n' | '\t')));
    }
}
