//! The review for a pull request: verdict line, risky hunks, findings, the checklist as a task list; never longer than a
//! comment may be.
//!
//! Whatever comes from the change is escaped: code must not notify people, link issues, close a fence or add markup.
//! Each task ends with its assumption's id in a comment, so that a host can keep the ticks when it rewrites the text.

use std::fmt::Write as _;

use crate::review::{
    Assumption, Claim, CoverageState, Finding, Hunk, Level, Notice, Origin, Review, Sources, Stance, Standing, Status,
};

use super::parts::{self, Block, Part, What};
use super::{excerpt, words};

/// By this line a host finds its own comment again.
const MARK: &str = "<!-- tenth:report v1 -->";

/// In bytes. GitHub takes 65,536 characters for a comment, and no host that is known takes less.
const LONGEST: usize = 65_000;

pub(super) fn render(review: &Review, sources: &Sources) -> String {
    let head = format!("{MARK}\n**tenth**: {} ({})\n", words::outcome(review), words::extent(review));
    let parts = [
        listed("Read these first", hunks(review, sources)),
        listed("Findings", findings(review)),
        listed("Only a reviewer can answer", questions(review)),
        listed("What holds", upheld(review)),
        listed("What the change claims", claims(review)),
        listed("Accepted", accepted(review)),
        listed("Settings and suppressions", notices(review)),
        folded("Not wholly analysed", coverage(review)),
        fixed(review),
        split(review),
    ];
    parts::fit(head, &parts, LONGEST)
}

fn block(what: What, text: String) -> Block {
    Block { what, text }
}

fn listed(title: &str, blocks: Vec<Block>) -> Part {
    Part { opening: format!("\n### {title}\n\n"), closing: "", blocks }
}

fn folded(title: &str, blocks: Vec<Block>) -> Part {
    // The empty line after the summary is what lets the host read Markdown inside.
    let opening = format!("\n<details><summary>{title}: {}</summary>\n\n", blocks.len());
    Part { opening, closing: "\n</details>\n", blocks }
}

fn hunks(review: &Review, sources: &Sources) -> Vec<Block> {
    let of_hunk = |hunk: &Hunk| {
        let inside = hunk.function.as_deref().map(|name| format!(" in {}", code(name))).unwrap_or_default();
        let line = format!("- {}{inside}, risk {}{}\n", code(&words::place(hunk)), hunk.risk, why(hunk));
        [block(What::Hunk, line), block(What::Diff, diff(hunk, sources))]
    };
    review.highlighted().into_iter().flat_map(of_hunk).collect()
}

fn diff(hunk: &Hunk, sources: &Sources) -> String {
    let lines = excerpt::lines(hunk, sources);
    let body: String = lines.iter().map(|line| format!("{}{}\n", line.sign, line.text)).collect();
    let fence = fence(&body);
    let body: String = body.lines().map(|line| format!("  {line}\n")).collect();
    format!("  <details><summary>diff</summary>\n\n  {fence}diff\n{body}  {fence}\n\n  </details>\n")
}

fn why(hunk: &Hunk) -> String {
    hunk.reasons.first().map(|reason| format!(": {}", escape(&reason.text))).unwrap_or_default()
}

fn findings(review: &Review) -> Vec<Block> {
    let open = review.findings.iter().filter(|finding| finding.status == Status::Open);
    let what = |finding: &Finding| if finding.severity == Level::Note { What::Note } else { What::Finding };
    open.map(|one| block(what(one), finding(one))).collect()
}

fn finding(finding: &Finding) -> String {
    let origin = match finding.origin {
        Origin::Introduced => "",
        Origin::Reached => " (stood before; the change touches its path)",
        Origin::Existing => " (stood before)",
    };
    let place = format!("{}:{}", finding.path, finding.start.line);
    let level = words::level(finding.severity);
    let (rule, place) = (code(&finding.rule), code(&place));
    let mut out = format!("- **{level}** {rule} at {place}: {}{origin}\n", escape(&finding.message));
    for piece in &finding.evidence {
        let place = format!("{}:{}", piece.path, piece.start.line);
        let _ = writeln!(out, "  - {}{}: {}", code(&place), words::side(piece.side), escape(&piece.note));
    }
    if !finding.help.is_empty() {
        let _ = writeln!(out, "  - To settle it: {}", escape(&finding.help));
    }
    out
}

fn claims(review: &Review) -> Vec<Block> {
    let claims = words::claims(review);
    let line = |claim: &&Claim| {
        let text = escape(&words::shortened(&claim.text));
        let standing = escape(&words::standing(claim));
        let standing = if claim.standing == Standing::Contradicted { format!("**{standing}**") } else { standing };
        format!("- \u{201c}{text}\u{201d} ({}): {standing}\n", code(&words::source(claim)))
    };
    let mut blocks: Vec<Block> = claims.iter().take(words::CLAIMS).map(|one| block(What::Claim, line(one))).collect();
    if claims.len() > words::CLAIMS {
        let rest = claims.len() - words::CLAIMS;
        blocks.push(block(What::Claim, format!("- and {rest} more; `--format json` lists them\n")));
    }
    blocks
}

fn split(review: &Review) -> Part {
    let mut blocks = Vec::new();
    if let Some(split) = &review.split {
        let (why, chunks) = words::split(split);
        blocks.push(block(What::Chunk, format!("{}\n\n", escape(&why))));
        let chunks = (1..).zip(chunks).map(|(number, chunk)| format!("{number}. {}\n", escape(&chunk)));
        blocks.extend(chunks.map(|chunk| block(What::Chunk, chunk)));
    }
    listed("Split this change", blocks)
}

fn accepted(review: &Review) -> Vec<Block> {
    let line = |finding: &Finding| {
        let place = code(&format!("{}:{}", finding.path, finding.start.line));
        let (level, rule) = (words::level(finding.severity), code(&finding.rule));
        let (message, why) = (escape(&finding.message), words::why_accepted(finding));
        block(What::Accepted, format!("- **{level}** {rule} at {place}: {message} ({why})\n"))
    };
    words::accepted(review).into_iter().map(line).collect()
}

/// What the change does to the settings and to what is silenced.
fn notices(review: &Review) -> Vec<Block> {
    let line = |notice: &Notice| {
        let place = words::pointer(notice).map(|place| format!("{}: ", code(&place))).unwrap_or_default();
        format!("- {place}{}\n", escape(&notice.text))
    };
    words::told(review).map(|notice| block(What::Notice, line(notice))).collect()
}

fn questions(review: &Review) -> Vec<Block> {
    let of_line = |line: &Assumption| {
        let question = if line.question.is_empty() { &line.text } else { &line.question };
        let mut text = task(' ', question, line);
        for piece in words::grounds(line) {
            let place = format!("{}:{}", piece.path, piece.start.line);
            let _ = writeln!(text, "  - {}: {}", code(&place), escape(&piece.note));
        }
        block(What::Question, text)
    };
    review.questions().map(of_line).collect()
}

fn upheld(review: &Review) -> Vec<Block> {
    let upheld = review.assumptions.iter().filter(|line| line.stance == Stance::Upheld);
    upheld.map(|line| block(What::Upheld, task('x', &line.text, line))).collect()
}

fn task(tick: char, text: &str, line: &Assumption) -> String {
    let place = format!("{}:{}", line.path, line.start.line);
    format!("- [{tick}] {} ({}) <!-- {} -->\n", escape(text), code(&place), line.id)
}

fn coverage(review: &Review) -> Vec<Block> {
    let rows = review.coverage.iter().filter(|row| row.state != CoverageState::Analysed);
    rows.map(|row| {
        let function = row.function.as_deref().map(|name| format!(" in {}", code(name))).unwrap_or_default();
        block(What::Coverage, format!("- {}{function}: {}\n", code(&row.path), escape(&row.why)))
    })
    .collect()
}

fn fixed(review: &Review) -> Part {
    let number = review.fixed.len() as u32;
    let text = format!("\nThe change does away with {}.\n", words::count(number, "finding"));
    let blocks = if number == 0 { Vec::new() } else { vec![block(What::Finding, text)] };
    Part { opening: String::new(), closing: "", blocks }
}

/// A text for people as it stands, in which nothing means anything to Markdown.
pub(super) fn fenced(text: &str) -> String {
    let fence = fence(text);
    format!("{fence}text\n{text}{fence}\n")
}

/// A text of headings and lists, whose words mean nothing else to Markdown.
pub(super) fn lines(text: &str) -> String {
    let line = |line: &str| match line.strip_prefix("- ") {
        Some(item) => format!("- {}\n", escape(item)),
        None => format!("{}\n", escape(line)),
    };
    text.lines().map(line).collect()
}

/// What opens and closes a block of code that holds this text.
fn fence(text: &str) -> String {
    "`".repeat(longest_run(text, '`').max(2) + 1)
}

/// A name or a place as a code span, whatever back-ticks it holds.
fn code(text: &str) -> String {
    let text = words::one_line(text);
    let ticks = "`".repeat(longest_run(&text, '`') + 1);
    if text.starts_with('`') || text.ends_with('`') || text.is_empty() {
        format!("{ticks} {text} {ticks}")
    } else {
        format!("{ticks}{text}{ticks}")
    }
}

/// A sentence: names in back-ticks stay code, all else loses its meaning to Markdown.
fn escape(text: &str) -> String {
    let text = words::one_line(text);
    let parts: Vec<&str> = text.split('`').collect();
    // An odd number of back-ticks leaves one open, and what follows it is prose.
    let closed = if parts.len() % 2 == 1 { parts.len() } else { parts.len() - 1 };
    let mut out = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at % 2 == 1 && at < closed {
            out += &if part.is_empty() { "\\`\\`".to_owned() } else { code(part) };
        } else {
            if at == closed {
                out += "\\`";
            }
            out += &escape_prose(part);
        }
    }
    out
}

fn escape_prose(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '&' => out += "&amp;",
            // A comment between the sign and the name keeps the host from seeing a mention or an issue.
            '@' | '#' => {
                out.push(letter);
                out += "<!-- -->";
            }
            '\\' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    // Bare addresses become links without any markup.
    out.replace("://", ":<!-- -->//").replace("www.", "www<!-- -->.")
}

fn longest_run(text: &str, letter: char) -> usize {
    text.split(|other| other != letter).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_the_change_stays_text() {
        assert_eq!(escape("`self._lock` is held by @you <b>"), "`self._lock` is held by @<!-- -->you &lt;b&gt;");
        assert_eq!(escape("see #12, http://x"), "see #<!-- -->12, http:<!-- -->//x");
        assert_eq!(escape("one ` tick"), "one \\` tick");
        assert_eq!(escape("`a` and ` tick"), "`a` and \\` tick");
        assert_eq!(escape("two\nlines"), "two lines");
        assert_eq!(code("a`b"), "``a`b``");
    }
}
