//! A change that is too large to be read in one go, cut into chunks that can go one after another.
//!
//! ~~~text
//! adds `Session`       to one file, a second file begins to use it     the first before the second
//! removes `login`      from one file, a second file stops using it     the second before the first
//! changes `refund`'s   parameters, a second file's call follows        both together
//! ~~~
//!
//! Files are the units, since a file that is half changed stands for nothing that anybody wrote. What must go together
//! is made one unit (a strongly connected component of the order, by Tarjan's algorithm), the units are put in an order
//! that breaks nothing, and neighbours are filled up to the budget.
//!
//! Uses are found by name and form on changed lines, so an order too many may be kept, and one that shows only in a
//! value's type may be missed.

mod names;

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use crate::change::{Extent, Kind};

use super::contract::{Split, SplitChunk};
use super::diff::Diff;
use super::material::{Material, Options};

use self::names::{How, Names, folder};

/// How many changed lines of source a person reads with care in one go, where the settings do not say: about the ninth
/// decile of the changes that coding agents commit.
const MOST_LINES: u32 = 1000;

/// How many open questions a person answers with care, where the settings do not say: the ninth decile that the
/// checklist keeps to.
const MOST_QUESTIONS: u32 = 15;

/// How many names a chunk is described by.
const MOST_NAMES: usize = 4;

/// The proposal, where the change is over its budget and falls into more than one chunk.
pub(super) fn split(material: &Material<'_>, diff: &Diff<'_>, open_questions: u32) -> Option<Split> {
    let change = material.change;
    // Whole files and the example are not on their way anywhere.
    if matches!(change.description.kind, Kind::Files | Kind::Demo) {
        return None;
    }
    let lines: u32 =
        diff.pieces.iter().filter(|piece| is_source(material, piece.file)).map(|p| p.lines.changed()).sum();
    let why = over(material.options, lines, open_questions)?;
    if change.files.iter().any(|file| file.extent != Extent::Whole) {
        return Some(Split { why, chunks: Vec::new() });
    }
    let names = Names::of(material);
    let order = names.order();
    let units = components(&order);
    let most = material.options.budget_lines.unwrap_or(MOST_LINES);
    let chunks = packed(material, diff, &names, &order, &units, most);
    Some(Split { why, chunks: if chunks.len() > 1 { chunks } else { Vec::new() } })
}

fn over(options: &Options, lines: u32, questions: u32) -> Option<String> {
    let most_lines = options.budget_lines.unwrap_or(MOST_LINES);
    let most_questions = options.budget_questions.unwrap_or(MOST_QUESTIONS);
    if lines > most_lines {
        Some(format!("{lines} changed lines of source; more than {most_lines} are not read with equal care"))
    } else if questions > most_questions {
        Some(format!("{questions} open questions; more than {most_questions} are not answered with equal care"))
    } else {
        None
    }
}

fn is_source(material: &Material<'_>, file: usize) -> bool {
    material.change.files[file].language().is_some()
}

/// The strongly connected components of the order, each after those that it needs (R. Tarjan, "Depth-first search and
/// linear graph algorithms", 1972), without recursion.
fn components(first: &[BTreeSet<usize>]) -> Vec<Vec<usize>> {
    const UNSEEN: usize = usize::MAX;
    let (mut index, mut low) = (vec![UNSEEN; first.len()], vec![0; first.len()]);
    let mut on_stack = vec![false; first.len()];
    let (mut stack, mut found, mut next) = (Vec::new(), Vec::new(), 0);
    for root in 0..first.len() {
        if index[root] != UNSEEN {
            continue;
        }
        let mut work = vec![(root, first[root].iter())];
        index[root] = next;
        low[root] = next;
        next += 1;
        stack.push(root);
        on_stack[root] = true;
        while let Some((node, rest)) = work.last_mut() {
            let node = *node;
            match rest.next() {
                Some(&other) if index[other] == UNSEEN => {
                    index[other] = next;
                    low[other] = next;
                    next += 1;
                    stack.push(other);
                    on_stack[other] = true;
                    work.push((other, first[other].iter()));
                }
                Some(&other) => {
                    if on_stack[other] {
                        low[node] = low[node].min(index[other]);
                    }
                }
                None => {
                    work.pop();
                    if let Some((parent, _)) = work.last() {
                        low[*parent] = low[*parent].min(low[node]);
                    }
                    if low[node] == index[node] {
                        let at = stack.iter().position(|member| *member == node).unwrap_or(0);
                        let mut members = stack.split_off(at);
                        members.iter().for_each(|member| on_stack[*member] = false);
                        members.sort_unstable();
                        found.push(members);
                    }
                }
            }
        }
    }
    found
}

/// Chunks of neighbouring units, in an order in which each finds what it needs.
fn packed(
    material: &Material<'_>,
    diff: &Diff<'_>,
    names: &Names<'_>,
    first: &[BTreeSet<usize>],
    units: &[Vec<usize>],
    most: u32,
) -> Vec<SplitChunk> {
    let files = &material.change.files;
    let chunks = {
        let mut lines = vec![0; files.len()];
        for piece in diff.pieces.iter().filter(|piece| is_source(material, piece.file)) {
            lines[piece.file] += piece.lines.changed();
        }
        let folders: Vec<&str> = files.iter().map(|file| folder(file.path())).collect();
        filled(first, units, &lines, &folders, most)
    };
    // Every file is in one chunk.
    let mut chunk_of = vec![0; files.len()];
    for (number, chunk) in chunks.iter().enumerate() {
        chunk.iter().for_each(|&file| chunk_of[file] = number);
    }
    let mut given: Vec<Vec<&str>> = vec![Vec::new(); chunks.len()];
    for one in names.told.iter().filter(|one| one.how != How::Removed) {
        let number = chunk_of[one.file];
        let [_, users] = names.users(one);
        if users.iter().any(|&user| chunk_of[user] > number && names.means(user, one)) {
            given[number].push(one.name);
        }
    }
    let described = chunks.into_iter().zip(given).enumerate().map(|(number, (mut chunk, mut given))| {
        chunk.sort_unstable();
        given.dedup();
        let rest = given.len().saturating_sub(MOST_NAMES);
        let mut what: Vec<String> = given.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
        if rest > 0 {
            what.push(format!("{rest} more names"));
        }
        let hunks = || diff.pieces.iter().filter(|piece| chunk_of[piece.file] == number);
        SplitChunk {
            files: chunk.iter().map(|&file| files[file].path().to_string()).collect(),
            removed: chunk
                .iter()
                .filter_map(|&file| {
                    let before = files[file].before.as_ref()?;
                    (files[file].after.as_ref().is_none_or(|after| after.path != before.path))
                        .then(|| before.path.to_string())
                })
                .collect(),
            hunks: hunks().map(|piece| piece.id.clone()).collect(),
            lines: hunks().map(|piece| piece.lines.changed()).sum(),
            gives: what,
        }
    });
    described.collect()
}

/// Fills chunks with units in an order in which each finds what it needs; files with their changed `lines` of source.
fn filled(
    first: &[BTreeSet<usize>],
    units: &[Vec<usize>],
    lines: &[u32],
    folders: &[&str],
    most: u32,
) -> Vec<Vec<usize>> {
    let weights: Vec<u32> = units.iter().map(|unit| unit.iter().map(|&file| lines[file]).sum()).collect();
    let mut open: BTreeSet<usize> = (0..units.len()).collect();
    let mut is_done = vec![false; first.len()];
    let mut chunks = Vec::new();
    let (mut chunk, mut weight, mut beside) = (Vec::<usize>::new(), 0, FxHashSet::default());
    let mut is_in_chunk = vec![false; first.len()];
    while !open.is_empty() {
        let is_ready = |unit: &&usize| {
            let unit = &units[**unit];
            unit.iter().flat_map(|&file| &first[file]).all(|file| is_done[*file] || unit.contains(file))
        };
        // What follows from the chunk at hand, then what lies beside it, then the order of the change.
        let kinship = |unit: &usize| {
            let follows = units[*unit].iter().any(|&file| first[file].iter().any(|&need| is_in_chunk[need]));
            let is_beside = units[*unit].iter().any(|&file| beside.contains(folders[file]));
            (!follows, !is_beside, *unit)
        };
        let ready: Vec<usize> = open.iter().filter(is_ready).copied().collect();
        let fits = |unit: &&usize| weight + weights[**unit] <= most;
        let best = ready.iter().filter(fits).min_by_key(|unit| kinship(unit));
        let Some(unit) = best.or_else(|| ready.iter().min_by_key(|unit| kinship(unit))).copied() else { break };
        if !chunk.is_empty() && weight + weights[unit] > most {
            chunk.iter().for_each(|&file| is_in_chunk[file] = false);
            chunks.push(std::mem::take(&mut chunk));
            (weight, beside) = (0, FxHashSet::default());
        }
        open.remove(&unit);
        weight += weights[unit];
        for &file in &units[unit] {
            (is_done[file], is_in_chunk[file]) = (true, true);
            beside.insert(folders[file]);
            chunk.push(file);
        }
    }
    chunks.push(chunk);
    chunks.retain(|chunk| !chunk.is_empty());
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(rows: &[&[usize]]) -> Vec<BTreeSet<usize>> {
        rows.iter().map(|row| row.iter().copied().collect()).collect()
    }

    #[test]
    fn what_is_needed_comes_first_and_rings_stay_together() {
        // 0 needs 2; 1 and 3 need each other, and 0.
        let units = components(&needs(&[&[2], &[3, 0], &[], &[1]]));
        assert_eq!(units, [vec![2], vec![0], vec![1, 3]]);
    }
}
