//! Annotations by GitHub's workflow commands, one a line on standard output.
//!
//! ~~~text
//! ::error file=app/registry.py,line=21,endLine=21,col=9,endColumn=31,title=tenth%3A lock-reentry::`remove` takes …
//! ~~~
//!
//! A step shows ten annotations of a kind and drops the rest without a word, so the riskiest come first, no more than
//! ten are printed, and the last line counts those that are left out. What stood before and is only touched is counted as
//! well, and not held against the change at its lines. Whatever comes from the change is escaped, so that
//! it can neither end a command nor begin one.

use crate::review::{Level, Review, Sources};

use super::annotation::{self, Annotation};
use super::words;

/// How many annotations of one kind a step shows.
const SHOWN: usize = 10;

pub(super) fn render(review: &Review, sources: &Sources) -> String {
    let mut all = annotation::open(review, sources);
    let open = all.len();
    all.retain(|one| !one.is_reached());
    let reached = (open - all.len()) as u32;
    all.sort_by_key(|one| one.hunk.map_or(u32::MAX, |hunk| hunk.rank));
    let mut out = String::new();
    let mut left_out = Vec::new();
    for (kind, levels) in [
        ("error", &[Some(Level::Error)][..]),
        ("warning", &[Some(Level::Warning)]),
        // A note is about what is known, a question is not; they share the kind.
        ("notice", &[Some(Level::Note), None]),
    ] {
        let of_kind: Vec<&Annotation<'_>> =
            levels.iter().flat_map(|level| all.iter().filter(move |one| one.level() == *level)).collect();
        for one in of_kind.iter().take(SHOWN) {
            out += &command(kind, one);
        }
        let rest = of_kind.len().saturating_sub(SHOWN) as u32;
        if rest > 0 {
            left_out.push(words::count(rest, kind));
        }
    }
    out += &format!("tenth: {} ({})\n", words::outcome(review), words::extent(review));
    if reached > 0 {
        let reached = words::count(reached, "finding");
        out += &format!("tenth: {reached} without an annotation, since the change only touches what stood before\n");
    }
    if !left_out.is_empty() {
        let left_out = left_out.join(", ");
        out += &format!("tenth: {left_out} without an annotation, since GitHub shows {SHOWN} of a kind; ");
        out += "other formats have them all\n";
    }
    out
}

fn command(kind: &str, one: &Annotation<'_>) -> String {
    let place = &one.anchor;
    let mut properties = vec![
        ("file", place.path.clone()),
        ("line", place.start.line.to_string()),
        ("endLine", place.end.line.to_string()),
    ];
    // GitHub takes columns only where the place lies on one line.
    if place.start.line == place.end.line {
        properties.extend([("col", place.start.column.to_string()), ("endColumn", place.end.column.to_string())]);
    }
    let title = match one.level() {
        Some(_) => format!("tenth: {}", one.rule()),
        None => format!("tenth: open question, {}", one.rule()),
    };
    properties.push(("title", title));
    let properties: Vec<String> =
        properties.into_iter().map(|(name, value)| format!("{name}={}", property(&value))).collect();

    let mut text = vec![words::one_line(one.text())];
    for related in one.related() {
        let place = format!("{}:{}", related.place.path, related.place.start.line);
        text.push(words::one_line(&format!("{place}{}: {}", words::side(related.side), related.note)));
    }
    if !one.help().is_empty() {
        text.push(format!("To settle it: {}", words::one_line(one.help())));
    }
    format!("::{kind} {}::{}\n", properties.join(","), data(&text.join("\n")))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::Side;
    use crate::review::tests::Story;

    #[test]
    fn untrusted_text_cannot_start_a_command() {
        let text = "def f():\n    x = 1\n";
        let mut story = Story::new(&[], &[("a,b::c%0A.py", text)]);
        let says = "bad\n::error::spoofed\r\n%0A::add-mask::x";
        let verdict =
            story.violated(Side::After, "lock-reentry", "a,b::c%0A.py", "x =", 0).says(says).helps("::warning::no");
        story.after.push(verdict);
        let review = story.review();
        let out = render(&review, story.sources());
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines.len(), 2, "{out}");
        assert!(lines[0].starts_with("::error file=a%2Cb%3A%3Ac%250A.py,line=1,"), "{out}");
        assert!(lines[0].ends_with("%0ATo settle it: ::warning::no"), "{out}");
        // What ends the properties is the first `::` after the command's name.
        assert_eq!(lines[0][2..].split("::").next().unwrap().matches(',').count(), 5);
        assert!(lines[1].starts_with("tenth: 1 error"));
    }

    #[test]
    fn what_is_only_touched_is_counted() {
        let before = "async def f():\n    time.sleep(1)\n";
        let mut story = Story::new(&[("m.py", before)], &[("m.py", &before.replace('1', "2"))]);
        story.before.push(story.violated(Side::Before, "blocking-in-async", "m.py", "time.sleep", 0));
        story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", "time.sleep", 0));
        let out = render(&story.review(), story.sources());
        assert!(!out.contains("::"), "{out}");
        assert!(out.contains("tenth: 1 finding without an annotation"), "{out}");
    }

    #[test]
    fn ten_of_a_kind_are_shown_the_riskiest_first_and_the_rest_is_counted() {
        let text: String = (0..12).map(|at| format!("async def f{at}():\n    time.sleep({at})\n\n\n")).collect();
        let mut story = Story::new(&[], &[("m.py", &text)]);
        for at in 0..12 {
            let sleep = format!("time.sleep({at})");
            story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", &sleep, 0));
        }
        let review = story.review();
        let out = render(&review, story.sources());
        assert_eq!(out.lines().filter(|line| line.starts_with("::error ")).count(), 10);
        assert!(out.ends_with(
            "tenth: 2 errors without an annotation, since GitHub shows 10 of a kind; other formats have them all\n"
        ));
        let first = review.highlighted()[0].after.start;
        assert!(out.starts_with(&format!("::error file=m.py,line={first},")), "{out}");
    }
}
