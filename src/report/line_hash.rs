//! `primaryLocationLineHash`: by what GitHub knows an alert again when lines move.
//!
//! The hash of a line is over the hundred UTF-16 units that begin at its first letter and go on into the lines after it,
//! without blanks and tabs and with every line end as one; behind the text stands one unit 65535 and then zeros. It is a
//! polynomial in 37 modulo 2^64. The number after the colon tells equal hashes of one file apart.
//!
//! GitHub's upload computes the same from the checked-out file, and warns where a report says something else.

use std::collections::BTreeMap;

const WINDOW: usize = 100;
const BASE: u64 = 37;
/// What stands behind the last unit of a file.
const END: u16 = 65535;

/// The hashes of all lines, the first line's first. What follows the last line end is a line as well.
pub(super) fn of_lines(text: &str) -> Vec<String> {
    let (mut units, starts) = units(text);
    units.extend([0; WINDOW]);
    let outgoing = (0..WINDOW).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    // `hash` is that of the window that begins at `at`.
    let mut hash = units[..WINDOW].iter().fold(0_u64, |hash, &unit| step(hash, unit));
    let mut at = 0;
    let mut counts = BTreeMap::<u64, u32>::new();
    let of_start = |start| {
        while at < start {
            hash = step(hash, units[at + WINDOW]).wrapping_sub(outgoing.wrapping_mul(u64::from(units[at])));
            at += 1;
        }
        let count = counts.entry(hash).or_default();
        *count += 1;
        format!("{hash:x}:{count}")
    };
    starts.into_iter().map(of_start).collect()
}

fn step(hash: u64, unit: u16) -> u64 {
    hash.wrapping_mul(BASE).wrapping_add(u64::from(unit))
}

/// The units that count, with the end's, and where lines begin among them.
fn units(text: &str) -> (Vec<u16>, Vec<usize>) {
    const LF: u16 = b'\n' as u16;
    const CR: u16 = b'\r' as u16;
    const BLANKS: [u16; 2] = [b' ' as u16, b'\t' as u16];
    let mut units = Vec::with_capacity(text.len() + WINDOW + 1);
    let mut starts = Vec::new();
    let (mut is_line_start, mut is_after_cr) = (true, false);
    for unit in text.encode_utf16().chain([END]) {
        let is_skipped = BLANKS.contains(&unit) || is_after_cr && unit == LF;
        is_after_cr = unit == CR;
        if is_skipped {
            continue;
        }
        if is_line_start {
            starts.push(units.len());
        }
        let unit = if unit == CR { LF } else { unit };
        is_line_start = unit == LF;
        units.push(unit);
    }
    (units, starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_that_github_computes() {
        assert_eq!(of_lines(""), ["c129715d7a2bc9a3:1"]);
        let python = ["9d37da97a40a9857:1", "c5f1611e19856f97:1", "c129715d7a2bc9a3:1"];
        assert_eq!(of_lines("async def f():\n    await g()\n"), python);
        assert_eq!(of_lines("async def f():\r\n\tawait g()\r\n"), python);
        assert_eq!(of_lines("let s = \"é😀\";\n"), ["1fc89f226bb10b3b:1", "c129715d7a2bc9a3:1"]);
        assert_eq!(
            of_lines("x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n"),
            [
                "e54938cc54b302f1:1",
                "bb609acbe9138d60:1",
                "1131fd5871777f34:1",
                "5c482a0f8b35ea28:1",
                "54517377da7028d2:1",
                "2c644846cb18d53e:1",
                "f1b89f20de0d133:1",
                "c129715d7a2bc9a3:1"
            ]
        );
    }

    #[test]
    fn equal_lines_far_from_the_end_are_told_apart_by_their_number() {
        let line = "x = 1234567890\n";
        let hashes = of_lines(&line.repeat(20));
        let first = hashes[0].trim_end_matches(":1");
        assert_eq!(hashes[..3], [format!("{first}:1"), format!("{first}:2"), format!("{first}:3")]);
    }
}
