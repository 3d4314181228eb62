//! Lines cut to what a screen can show.
//!
//! A generated line may be a megabyte long. Of such a line only a window is shown, around the places that a report speaks
//! of; what is left out is marked:
//!
//! ~~~text
//! …"xxxxxxxxxxxxxxxxxxxx"); time.sleep(1)
//!                           ^^^^^^^^^^^^^
//! ~~~

use crate::review::SourceText;
use crate::text::Span;

use super::words;

/// How many letters of a line are shown at most.
const WIDEST: usize = 300;

/// How many of them stand before a place that does not fit with the line's other places.
const LEAD: usize = 60;

/// Stands for what is left out.
const MARK: char = '\u{2026}';

/// A text that can be shown, and where the places of the whole text are in it.
#[derive(Debug)]
pub(super) struct Narrow {
    pub(super) text: String,
    /// In order.
    cuts: Vec<Cut>,
}

/// A line of which only a window is left.
#[derive(Debug)]
struct Cut {
    /// The line in the whole text, without its end.
    line: Span,
    /// Its window in the whole text.
    kept: Span,
    /// Where the window begins in what is shown.
    at: usize,
    /// Where the line ends in what is shown.
    end: usize,
}

impl Narrow {
    /// A text around some places, the first of which matters most.
    pub(super) fn around(source: &SourceText, places: &[Span]) -> Self {
        let text = words::harmless_text(&source.text);
        let mut narrow = Self { text: String::with_capacity(text.len()), cuts: Vec::new() };
        let mut done = 0;
        for number in 1..=source.lines.count() {
            let span = source.lines.line_span(number);
            let line = Span::new(span.start, span.start + source.line(number).len() as u32);
            let Some(kept) = window(line.text(&text), line.start, places) else { continue };
            narrow.text.push_str(&text[done..line.start as usize]);
            narrow.text.extend((kept.start > line.start).then_some(MARK));
            let at = narrow.text.len();
            narrow.text.push_str(kept.text(&text));
            narrow.text.extend((kept.end < line.end).then_some(MARK));
            narrow.cuts.push(Cut { line, kept, at, end: narrow.text.len() });
            done = line.end as usize;
        }
        narrow.text.push_str(&text[done..]);
        narrow
    }

    /// Where a byte of the whole text is; at the border of the window where it is left out.
    pub(super) fn offset(&self, whole: u32) -> usize {
        let before = self.cuts.partition_point(|cut| cut.line.start <= whole);
        match self.cuts[..before].last() {
            None => whole as usize,
            Some(cut) if whole > cut.line.end => cut.end + (whole - cut.line.end) as usize,
            Some(cut) => cut.at + (whole.clamp(cut.kept.start, cut.kept.end) - cut.kept.start) as usize,
        }
    }
}

/// What is shown of a line that begins at `start`; `None` where all of it is.
fn window(line: &str, start: u32, places: &[Span]) -> Option<Span> {
    if line.len() <= WIDEST || line.chars().count() <= WIDEST {
        return None;
    }
    let column = |offset: u32| Span::new(0, offset.saturating_sub(start)).text(line).chars().count();
    let end = start + line.len() as u32;
    let here: Vec<&Span> = places.iter().filter(|place| place.start <= end && start <= place.end).collect();
    let first = match (here.first(), here.iter().map(|place| place.start).min()) {
        (Some(main), Some(least)) => {
            let least = column(least.max(start));
            let last = here.iter().map(|place| column(place.end.min(end))).max().unwrap_or(least);
            match last - least.min(last) {
                wide if wide <= WIDEST => least.saturating_sub((WIDEST - wide) / 2),
                _ => column(main.start.max(start)).saturating_sub(LEAD),
            }
        }
        (None, _) | (_, None) => 0,
    };
    let byte = |column: usize| line.char_indices().nth(column).map_or(line.len(), |(at, _)| at) as u32;
    Some(Span::new(start + byte(first), start + byte(first + WIDEST)))
}

/// The beginning of a line.
pub(super) fn beginning(line: &str) -> String {
    match line.char_indices().nth(WIDEST) {
        Some((at, _)) => format!("{}{MARK}", &line[..at]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::text::LineIndex;

    fn source(text: &str) -> SourceText {
        SourceText { text: Arc::from(text), lines: LineIndex::new(text) }
    }

    fn place(text: &str, part: &str) -> Span {
        let at = text.find(part).expect("the part is there");
        Span::of(at..at + part.len())
    }

    #[test]
    fn short_lines_stay_as_they_are() {
        let text = format!("a = 1\n{}\nb = 2\n", "\u{fc}".repeat(WIDEST));
        let narrow = Narrow::around(&source(&text), &[]);
        assert_eq!(narrow.text, text);
        assert_eq!(narrow.offset(text.len() as u32), text.len());
    }

    #[test]
    fn places_of_a_long_line_are_kept_with_what_is_around_them() {
        let long = "\u{fc}".repeat(70_000);
        let text = format!("first()\nx = '{long}'; sleep(1); y = '{long}'\nlast()\n{long}\nend()\n");
        let places = [place(&text, "sleep(1)"), place(&text, "first()"), place(&text, "last()"), place(&text, "end()")];
        let narrow = Narrow::around(&source(&text), &places);
        assert!(narrow.text.lines().all(|line| line.chars().count() <= WIDEST + 2));
        for place in places {
            let shown = narrow.offset(place.start)..narrow.offset(place.end);
            assert_eq!(&narrow.text[shown], place.text(&text));
        }
        assert!(narrow.text.lines().nth(1).is_some_and(|line| line.starts_with(MARK) && line.ends_with(MARK)));
    }

    #[test]
    fn a_place_that_is_too_wide_is_cut_with_its_line() {
        let text = format!("x = ({}); y\n", "a, ".repeat(70_000));
        let whole = Span::of(0..text.len() - 1);
        let narrow = Narrow::around(&source(&text), &[whole, place(&text, "y")]);
        assert_eq!(narrow.offset(whole.start), 0);
        let end = narrow.offset(whole.end);
        assert_eq!(&narrow.text[end..], format!("{MARK}\n"));
        assert_eq!(narrow.offset(place(&text, "y").start), end);
    }
}
