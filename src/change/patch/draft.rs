//! One file under a series of patches.
//!
//! A draft holds the lines before and, for each line now, where it comes from. Lines that no text and no hunk has shown
//! yet are unknown; a hunk's context makes them known on both sides at once.

use super::parse::{Hunk, Tag};

#[derive(Clone, Debug)]
enum Line {
    /// A line of the text before, by its place.
    Before(usize),
    New(Vec<u8>),
}

/// A file as far as it is known, before the patch and now.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    before: Vec<Option<Vec<u8>>>,
    now: Vec<Line>,
    /// Whether the text before is known as a whole.
    is_whole: bool,
}

impl Draft {
    /// A draft over a text that is known.
    pub(super) fn over(text: &[u8]) -> Self {
        let before: Vec<_> = text.split_inclusive(|&byte| byte == b'\n').map(|line| Some(line.to_vec())).collect();
        let now = (0..before.len()).map(Line::Before).collect();
        Self { before, now, is_whole: true }
    }

    /// A draft over a text of which nothing is known.
    pub(super) fn unknown() -> Self {
        Self::default()
    }

    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Empties the text as it is now, for a file that is made anew.
    pub(super) fn clear(&mut self) {
        self.now.clear();
    }

    /// Applies hunks where they say they belong; the error is the patch's line of the first that does not fit.
    pub(super) fn apply(&mut self, hunks: &[Hunk]) -> Result<(), usize> {
        for hunk in hunks {
            let mut at = hunk.skip;
            let old = hunk.lines.iter().filter(|(tag, _)| *tag != Tag::Added).count();
            while !self.is_whole && self.now.len() < at + old {
                self.now.push(Line::Before(self.before.len()));
                self.before.push(None);
            }
            if self.now.len() < at + old {
                return Err(hunk.at);
            }
            let mut lines = Vec::with_capacity(hunk.lines.len());
            for (tag, text) in &hunk.lines {
                if *tag == Tag::Added {
                    lines.push(Line::New(text.clone()));
                    continue;
                }
                if !self.fits(at, text) {
                    return Err(hunk.at);
                }
                if *tag == Tag::Context {
                    lines.push(self.now[at].clone());
                }
                at += 1;
            }
            self.now.splice(hunk.skip..at, lines);
        }
        Ok(())
    }

    /// Whether a line has this text; an unknown line takes it on.
    fn fits(&mut self, at: usize, text: &[u8]) -> bool {
        match &self.now[at] {
            Line::New(line) => line == text,
            Line::Before(place) => self.before[*place].get_or_insert_with(|| text.to_vec()) == text,
        }
    }

    /// The text before the patch; unknown lines are empty ones.
    pub(super) fn text_before(&self) -> Vec<u8> {
        self.before.iter().flat_map(|line| line.as_deref().unwrap_or(b"\n")).copied().collect()
    }

    /// The text after the patch; unknown lines are empty ones.
    pub(super) fn text_now(&self) -> Vec<u8> {
        let line = |line: &Line| match line {
            Line::Before(place) => self.before[*place].clone().unwrap_or_else(|| b"\n".to_vec()),
            Line::New(text) => text.clone(),
        };
        self.now.iter().flat_map(line).collect()
    }
}
