//! The review for a pull request: verdict line, risky hunks, findings, the checklist as a task list.
//!
//! Whatever comes from the change is escaped: code must not notify people, link issues, close a fence or add markup.
//! Each task ends with its assumption's id in a comment, so that a host can keep the ticks when it rewrites the text.

use std::fmt::Write as _;

use crate::review::{Assumption, CoverageState, Finding, Hunk, Origin, Review, Sources, Stance, Standing, Status};

use super::{excerpt, words};

/// By this line a host finds its own comment again.
const MARK: &str = "<!-- tenth:report v1 -->";

pub(super) fn render(review: &Review, sources: &Sources) -> String {
    let mut out = format!("{MARK}\n**tenth**: {} ({})\n", words::outcome(review), words::extent(review));
    hunks(&mut out, review, sources);
    findings(&mut out, review);
    checklist(&mut out, review);
    claims(&mut out, review);
    remarks(&mut out, review);
    split(&mut out, review);
    out
}

fn split(out: &mut String, review: &Review) {
    let Some(split) = &review.split else { return };
    let (why, chunks) = words::split(split);
    let _ = writeln!(out, "\n### Split this change\n\n{}\n", escape(&why));
    for (number, chunk) in (1..).zip(chunks) {
        let _ = writeln!(out, "{number}. {}", escape(&chunk));
    }
}

fn hunks(out: &mut String, review: &Review, sources: &Sources) {
    let highlighted = review.highlighted();
    if highlighted.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### Read these first\n");
    for hunk in highlighted {
        let inside = hunk.function.as_deref().map(|name| format!(" in {}", code(name))).unwrap_or_default();
        let _ = writeln!(out, "- {}{inside}, risk {}{}", code(&words::place(hunk)), hunk.risk, why(hunk));
        let lines = excerpt::lines(hunk, sources);
        let body: String = lines.iter().map(|line| format!("{}{}\n", line.sign, line.text)).collect();
        let fence = "`".repeat(longest_run(&body, '`').max(2) + 1);
        let body: String = body.lines().map(|line| format!("  {line}\n")).collect();
        let _ = writeln!(out, "  <details><summary>diff</summary>\n\n  {fence}diff\n{body}  {fence}\n\n  </details>");
    }
}

fn why(hunk: &Hunk) -> String {
    hunk.reasons.first().map(|reason| format!(": {}", escape(&reason.text))).unwrap_or_default()
}

fn findings(out: &mut String, review: &Review) {
    let open: Vec<&Finding> = review.findings.iter().filter(|finding| finding.status == Status::Open).collect();
    if open.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### Findings\n");
    for finding in open {
        let origin = match finding.origin {
            Origin::Introduced => "",
            Origin::Reached => " (stood before; the change touches its path)",
            Origin::Existing => " (stood before)",
        };
        let place = format!("{}:{}", finding.path, finding.start.line);
        let _ = writeln!(
            out,
            "- **{}** {} at {}: {}{origin}",
            words::level(finding.severity),
            code(&finding.rule),
            code(&place),
            escape(&finding.message)
        );
        for piece in &finding.evidence {
            let side = words::side(piece.side);
            let place = format!("{}:{}", piece.path, piece.start.line);
            let _ = writeln!(out, "  - {}{side}: {}", code(&place), escape(&piece.note));
        }
        if !finding.help.is_empty() {
            let _ = writeln!(out, "  - To settle it: {}", escape(&finding.help));
        }
    }
}

fn checklist(out: &mut String, review: &Review) {
    let questions: Vec<&Assumption> = review.questions().collect();
    if !questions.is_empty() {
        let _ = writeln!(out, "\n### Only a reviewer can answer\n");
        for line in questions {
            let question = if line.question.is_empty() { &line.text } else { &line.question };
            let place = format!("{}:{}", line.path, line.start.line);
            let _ = writeln!(out, "- [ ] {} ({}) <!-- {} -->", escape(question), code(&place), line.id);
            for piece in words::grounds(line) {
                let place = format!("{}:{}", piece.path, piece.start.line);
                let _ = writeln!(out, "  - {}: {}", code(&place), escape(&piece.note));
            }
        }
    }
    let upheld: Vec<&Assumption> = review.assumptions.iter().filter(|line| line.stance == Stance::Upheld).collect();
    if !upheld.is_empty() {
        let _ = writeln!(out, "\n### What holds\n");
        for line in upheld {
            let place = format!("{}:{}", line.path, line.start.line);
            let _ = writeln!(out, "- [x] {} ({}) <!-- {} -->", escape(&line.text), code(&place), line.id);
        }
    }
}

fn claims(out: &mut String, review: &Review) {
    let claims = words::claims(review);
    if claims.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n### What the change claims\n");
    for claim in claims.iter().take(words::CLAIMS) {
        let text = escape(&words::shortened(&claim.text));
        let standing = escape(&words::standing(claim));
        let standing = if claim.standing == Standing::Contradicted { format!("**{standing}**") } else { standing };
        let _ = writeln!(out, "- \u{201c}{text}\u{201d} ({}): {standing}", code(&words::source(claim)));
    }
    if claims.len() > words::CLAIMS {
        let _ = writeln!(out, "- and {} more; `--format json` lists them", claims.len() - words::CLAIMS);
    }
}

fn remarks(out: &mut String, review: &Review) {
    let accepted = words::accepted(review);
    if !accepted.is_empty() {
        let _ = writeln!(out, "\n### Accepted\n");
        for finding in accepted {
            let place = code(&format!("{}:{}", finding.path, finding.start.line));
            let (level, rule) = (words::level(finding.severity), code(&finding.rule));
            let (message, why) = (escape(&finding.message), words::why_accepted(finding));
            let _ = writeln!(out, "- **{level}** {rule} at {place}: {message} ({why})");
        }
    }
    let mut told = words::told(review).peekable();
    if told.peek().is_some() {
        let _ = writeln!(out, "\n### Settings and suppressions\n");
        for notice in told {
            let _ = writeln!(out, "- {}{}", escape(&words::pointer(notice)), escape(&notice.text));
        }
    }
    let rows: Vec<_> = review.coverage.iter().filter(|row| row.state != CoverageState::Analysed).collect();
    if !rows.is_empty() {
        let _ = writeln!(out, "\n<details><summary>Not wholly analysed: {}</summary>\n", rows.len());
        for row in rows {
            let function = row.function.as_deref().map(|name| format!(" in {}", code(name))).unwrap_or_default();
            let _ = writeln!(out, "- {}{function}: {}", code(&row.path), escape(&row.why));
        }
        let _ = writeln!(out, "\n</details>");
    }
    if !review.fixed.is_empty() {
        let _ = writeln!(out, "\nThe change does away with {}.", words::count(review.fixed.len() as u32, "finding"));
    }
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
