//! A text that has to fit: what matters least is left out, and the last line says how much of it.
//!
//! Hosts refuse a comment that is too long, or cut it wherever it happens to end. A text is made of parts with blocks in
//! reading order; each block says what it is, and whole blocks go, those first that a reviewer misses least.

use super::words;

/// A part of the text: what stands around its blocks, and they. Without blocks there is nothing to see of it.
pub(super) struct Part {
    pub(super) opening: String,
    pub(super) closing: &'static str,
    pub(super) blocks: Vec<Block>,
}

/// A piece of text that is there as a whole or not at all.
pub(super) struct Block {
    pub(super) what: What,
    pub(super) text: String,
}

/// What a block is, from what a reviewer would miss most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    Finding,
    Accepted,
    Notice,
    Question,
    Hunk,
    Note,
    Claim,
    Chunk,
    Diff,
    Upheld,
    Coverage,
}

impl What {
    const ALL: [Self; 11] = [
        Self::Finding,
        Self::Accepted,
        Self::Notice,
        Self::Question,
        Self::Hunk,
        Self::Note,
        Self::Claim,
        Self::Chunk,
        Self::Diff,
        Self::Upheld,
        Self::Coverage,
    ];

    fn count(self, number: u32) -> String {
        match self {
            Self::Finding => words::count(number, "finding"),
            Self::Accepted => words::count(number, "accepted finding"),
            Self::Notice => words::count(number, "notice"),
            Self::Question => words::count(number, "question"),
            Self::Hunk => words::count(number, "hunk"),
            Self::Note => words::count(number, "note"),
            Self::Claim => words::count(number, "claim"),
            Self::Chunk => words::count(number, "chunk"),
            Self::Diff => words::count(number, "diff"),
            Self::Upheld => words::count(number, "upheld assumption"),
            Self::Coverage => words::count(number, "coverage row"),
        }
    }
}

/// Puts a text together from its head and its parts, in at most `longest` bytes; the head is there in any case.
pub(super) fn fit(head: String, parts: &[Part], longest: usize) -> String {
    /// What the line about the rest takes, with any figures.
    const REST: usize = 400;
    let around: usize = parts.iter().map(|part| part.opening.len() + part.closing.len()).sum();
    let all: usize = parts.iter().flat_map(|part| &part.blocks).map(|block| block.text.len()).sum();
    let mut room = longest.saturating_sub(head.len() + around);
    if all > room {
        room = room.saturating_sub(REST);
    }
    let mut is_kept: Vec<Vec<bool>> = parts.iter().map(|part| vec![false; part.blocks.len()]).collect();
    let mut cut = Vec::new();
    for what in What::ALL {
        let mut left_out = 0;
        for (part, kept) in parts.iter().zip(&mut is_kept) {
            for (block, kept) in part.blocks.iter().zip(kept).filter(|(block, _)| block.what == what) {
                if cut.is_empty() && block.text.len() <= room {
                    room -= block.text.len();
                    *kept = true;
                } else {
                    left_out += 1;
                }
            }
        }
        // From here on everything matters less, and a diff must not stand without its hunk.
        if left_out > 0 {
            cut.push(what.count(left_out));
        }
    }
    let mut out = head;
    for (part, kept) in parts.iter().zip(is_kept) {
        if kept.contains(&true) {
            out += &part.opening;
            out.extend(part.blocks.iter().zip(kept).filter(|(_, kept)| *kept).map(|(block, _)| block.text.as_str()));
            out += part.closing;
        }
    }
    if !cut.is_empty() {
        out +=
            &format!("\nLeft out, since a comment may not be longer: {}. Other formats have it all.\n", cut.join(", "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(opening: &str, blocks: &[(What, &str)]) -> Part {
        let blocks = blocks.iter().map(|&(what, text)| Block { what, text: text.to_owned() }).collect();
        Part { opening: opening.to_owned(), closing: "", blocks }
    }

    #[test]
    fn what_fits_stands_as_it_is() {
        let parts = [part("A\n", &[(What::Hunk, "1\n"), (What::Diff, "2\n")]), part("B\n", &[])];
        assert_eq!(fit("head\n".to_owned(), &parts, 1000), "head\nA\n1\n2\n");
    }

    #[test]
    fn what_is_missed_least_goes_first_and_is_counted() {
        let long = "x".repeat(300) + "\n";
        let parts = [
            part("Hunks\n", &[(What::Hunk, "1\n"), (What::Diff, &long), (What::Hunk, "2\n"), (What::Diff, "short\n")]),
            part("Findings\n", &[(What::Finding, "f\n")]),
            part("Coverage\n", &[(What::Coverage, &long)]),
        ];
        let text = fit("head\n".to_owned(), &parts, 600);
        assert!(text.starts_with("head\nHunks\n1\n2\nshort\nFindings\nf\n\nLeft out"), "{text}");
        assert!(text.contains(": 1 diff, 1 coverage row. "), "{text}");
        assert!(text.len() <= 600);
    }
}
