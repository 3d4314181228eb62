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

use std::collections::{BTreeMap, BTreeSet};

use crate::change::{Extent, Kind};
use crate::text::{Language, Side};

use super::contract::{Split, SplitChunk};
use super::diff::Diff;
use super::material::{Material, Options};

/// How many changed lines of source a person reads with care in one go, where the settings do not say: about the ninth
/// decile of the changes that coding agents commit.
const MOST_LINES: u32 = 1000;

/// How many open questions a person answers with care, where the settings do not say: the ninth decile that the
/// checklist keeps to.
const MOST_QUESTIONS: u32 = 15;

/// From how many files on a name that they all define says nothing by itself.
const COMMON: usize = 3;

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

/// A name that a file gains, loses or changes.
#[derive(Clone, Debug)]
struct Told {
    file: usize,
    name: String,
    /// The type whose method it is.
    owner: Option<String>,
    /// The folder or module that a file belongs to, where the name is a file's.
    place: Option<String>,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Added,
    Removed,
    Changed,
}

/// What the changed files define otherwise than before, and which names are used on their changed lines.
struct Names {
    told: Vec<Told>,
    /// How many changed files tell of a name.
    spread: BTreeMap<String, usize>,
    /// By file and side.
    words: Vec<[BTreeSet<String>; 2]>,
    /// All words of the file, both sides.
    whole: Vec<BTreeSet<String>>,
    /// The folders and modules whose files each file names without more ado.
    around: Vec<BTreeSet<String>>,
}

impl Names {
    fn of(material: &Material<'_>) -> Self {
        let change = material.change;
        let mut told = Vec::new();
        for (at, file) in change.files.iter().enumerate().filter(|(at, _)| is_source(material, *at)) {
            let of = |side: Side| {
                let path = file.side(side).map(|text| text.path.clone());
                let rows = material.definitions.iter();
                let rows = rows.filter(|row| row.side == side && Some(&row.path) == path.as_ref());
                let mut found: BTreeMap<(&Option<String>, &String), BTreeSet<&String>> = BTreeMap::new();
                for row in rows {
                    found.entry((&row.owner, &row.name)).or_default().insert(&row.signature);
                }
                found
            };
            let (before, after) = (of(Side::Before), of(Side::After));
            let mut tell = |(owner, name): (&Option<String>, &String), how| {
                told.push(Told { file: at, name: name.clone(), owner: owner.clone(), place: None, how });
            };
            for (key, signatures) in &after {
                match before.get(key) {
                    None => tell(*key, How::Added),
                    Some(known) if known != signatures => tell(*key, How::Changed),
                    Some(_) => {}
                }
            }
            for key in before.keys().filter(|key| !after.contains_key(*key)) {
                tell(*key, How::Removed);
            }
            // The file itself is what an import or a `mod` names.
            if file.before.as_ref().map(|text| &text.path) != file.after.as_ref().map(|text| &text.path) {
                for (side, how) in [(Side::After, How::Added), (Side::Before, How::Removed)] {
                    let Some(text) = file.side(side) else { continue };
                    let (place, name) = module(&text.path);
                    let (place, name) = (Some(place.to_owned()), name.to_owned());
                    told.push(Told { file: at, name, owner: None, place, how });
                }
            }
        }
        let mut files: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for one in &told {
            files.entry(one.name.clone()).or_default().insert(one.file);
        }
        let spread = files.into_iter().map(|(name, files)| (name, files.len())).collect();
        let words = change.files.iter().map(|file| {
            [Side::Before, Side::After].map(|side| {
                let Some(text) = file.side(side) else { return BTreeSet::new() };
                let is_changed = |line: u32| match side {
                    Side::Before => file.line_map.is_changed_before(line),
                    Side::After => file.line_map.is_changed_after(line),
                };
                let lines = (1..).zip(text.text.lines()).filter(|(line, _)| is_changed(*line));
                let language = file.language();
                lines.flat_map(|(_, line)| used(line, language)).map(str::to_owned).collect()
            })
        });
        let whole = change.files.iter().map(|file| {
            let texts = [&file.before, &file.after].into_iter().flatten();
            texts.flat_map(|text| self::words(&text.text)).map(str::to_owned).collect()
        });
        let around = change.files.iter().map(|file| {
            let paths = [&file.before, &file.after].into_iter().flatten().map(|text| &*text.path);
            let own = |path: &str| path.rsplit_once('.').map_or(path, |(stem, _)| stem).to_owned();
            paths.flat_map(|path| [folder(path).to_owned(), own(path)]).collect()
        });
        Self { told, spread, words: words.collect(), whole: whole.collect(), around: around.collect() }
    }

    /// For each file those that must go before it.
    fn order(&self) -> Vec<BTreeSet<usize>> {
        let mut first = vec![BTreeSet::new(); self.words.len()];
        for one in &self.told {
            for user in (0..self.words.len()).filter(|user| *user != one.file) {
                let uses = |side: usize| self.words[user][side].contains(&one.name) && self.means(user, one);
                match one.how {
                    How::Added if uses(1) => {
                        first[user].insert(one.file);
                    }
                    How::Removed if uses(0) => {
                        first[one.file].insert(user);
                    }
                    How::Changed if uses(0) || uses(1) => {
                        first[one.file].insert(user);
                        first[user].insert(one.file);
                    }
                    How::Added | How::Removed | How::Changed => {}
                }
            }
        }
        first
    }

    /// Whether a file that has the word may mean this one of all that bear the name.
    fn means(&self, user: usize, one: &Told) -> bool {
        let is_rare = self.spread.get(&one.name).is_none_or(|files| *files < COMMON);
        // `__init__` and `new` are called by the name of their type.
        is_rare && !one.name.starts_with("__")
            || one.owner.as_ref().is_some_and(|owner| self.whole[user].contains(owner))
            || one.place.as_ref().is_some_and(|place| self.around[user].contains(place))
    }
}

/// The words of a text that may be names.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    parts.filter(|part| part.chars().next().is_some_and(|letter| letter.is_alphabetic() || letter == '_'))
}

/// The names on a line that may be of another file: types and constants, what is called, parts of paths, what is
/// imported. A name that stands alone is a variable, and one behind a dot that is not called is a field in Rust; what
/// either is of another file was imported by its name.
fn used(line: &str, language: Option<Language>) -> Vec<&str> {
    let line = line.trim();
    if line.starts_with("//") || line.starts_with('#') && !line.starts_with("#[") {
        return Vec::new();
    }
    let is_list = |letter: char| letter.is_alphanumeric() || "_ ,{}():*\\".contains(letter);
    let is_import =
        ["use ", "pub use ", "mod ", "pub mod ", "from ", "import "].iter().any(|head| line.starts_with(head));
    let is_import = is_import || line.ends_with(',') && line.chars().all(is_list);
    // In Rust modules are left by `::`, and what stands before a dot is a variable.
    let has_dots = language != Some(Language::Rust);
    let is_used = |word: &&str| {
        let at = word.as_ptr() as usize - line.as_ptr() as usize;
        let (before, after) = (line[..at].trim_end(), line[at + word.len()..].trim_start());
        word.starts_with(char::is_uppercase)
            || before.ends_with("::")
            || ["(", "::", "!("].iter().any(|next| after.starts_with(next))
            || has_dots && (before.ends_with('.') || after.starts_with('.'))
    };
    words(line).filter(|word| is_import || is_used(word)).collect()
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder or module that a file belongs to, and what imports call it: its own name, or its folder's.
fn module(path: &str) -> (&str, &str) {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.split('.').next().unwrap_or(file);
    let is_of_folder = matches!(stem, "__init__" | "mod" | "lib" | "main") && !folder(path).is_empty();
    if is_of_folder {
        let of = folder(path);
        (folder(of), of.rsplit('/').next().unwrap_or(of))
    } else {
        (folder(path), stem)
    }
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
    names: &Names,
    first: &[BTreeSet<usize>],
    units: &[Vec<usize>],
    most: u32,
) -> Vec<SplitChunk> {
    let files = &material.change.files;
    let mut lines = vec![0; files.len()];
    for piece in diff.pieces.iter().filter(|piece| is_source(material, piece.file)) {
        lines[piece.file] += piece.lines.changed();
    }
    let weight = |unit: &[usize]| unit.iter().map(|&file| lines[file]).sum::<u32>();
    let folder = |file: usize| folder(files[file].path());
    let mut done = BTreeSet::new();
    let mut open: BTreeSet<usize> = (0..units.len()).collect();
    let (mut chunks, mut chunk) = (Vec::new(), Vec::<usize>::new());
    while !open.is_empty() {
        let is_ready = |unit: &&usize| {
            let needs = units[**unit].iter().flat_map(|&file| &first[file]);
            needs.into_iter().all(|file| done.contains(file) || units[**unit].contains(file))
        };
        // What follows from the chunk at hand, then what lies beside it, then the order of the change.
        let kinship = |unit: &usize| {
            let follows = units[*unit].iter().any(|&file| first[file].iter().any(|need| chunk.contains(need)));
            let beside = units[*unit].iter().any(|&file| chunk.iter().any(|&other| folder(other) == folder(file)));
            (!follows, !beside, *unit)
        };
        let ready: Vec<usize> = open.iter().filter(is_ready).copied().collect();
        let fits = |unit: &&usize| weight(&chunk) + weight(&units[**unit]) <= most;
        let best = ready.iter().filter(fits).min_by_key(|unit| kinship(unit));
        let Some(unit) = best.or_else(|| ready.iter().min_by_key(|unit| kinship(unit))).copied() else { break };
        if !chunk.is_empty() && weight(&chunk) + weight(&units[unit]) > most {
            chunks.push(std::mem::take(&mut chunk));
        }
        open.remove(&unit);
        done.extend(units[unit].iter().copied());
        chunk.extend(&units[unit]);
    }
    chunks.push(chunk);
    chunks.retain(|chunk| !chunk.is_empty());
    let described = chunks.iter().enumerate().map(|(number, chunk)| {
        let mut chunk = chunk.clone();
        chunk.sort_unstable();
        let later: BTreeSet<usize> = chunks[number + 1..].iter().flatten().copied().collect();
        let gives = names.told.iter().filter(|one| one.how != How::Removed && chunk.contains(&one.file));
        let is_used =
            |one: &&Told| later.iter().any(|&user| names.words[user][1].contains(&one.name) && names.means(user, one));
        let mut given: Vec<&str> = gives.filter(is_used).map(|one| one.name.as_str()).collect();
        given.dedup();
        let rest = given.len().saturating_sub(MOST_NAMES);
        let mut what: Vec<String> = given.iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
        if rest > 0 {
            what.push(format!("{rest} more names"));
        }
        let hunks: Vec<&super::diff::Piece> = diff.pieces.iter().filter(|piece| chunk.contains(&piece.file)).collect();
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
            hunks: hunks.iter().map(|piece| piece.id.clone()).collect(),
            lines: hunks.iter().map(|piece| piece.lines.changed()).sum(),
            gives: what,
        }
    });
    described.collect()
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

    #[test]
    fn variables_fields_and_comments_use_nothing() {
        let rust = |line| used(line, Some(Language::Rust));
        assert_eq!(rust("let lines = piece.lines + count;"), Vec::<&str>::new());
        assert_eq!(rust("let lines = text.lines().map(cut::piece);"), ["lines", "map", "cut", "piece"]);
        assert_eq!(rust("/// What `Store::load` does."), Vec::<&str>::new());
        assert_eq!(rust("pub mod server;"), ["pub", "mod", "server"]);
        assert_eq!(used("    await to_thread(self.seen)", Some(Language::Python)), ["to_thread", "self", "seen"]);
        assert_eq!(used("    amount,", Some(Language::Python)), ["amount"]);
    }

    #[test]
    fn a_package_is_called_like_its_folder() {
        assert_eq!(module("src/auth/__init__.py"), ("src", "auth"));
        assert_eq!(module("src/auth/mod.rs"), ("src", "auth"));
        assert_eq!(module("shop/rates.py"), ("shop", "rates"));
        assert_eq!(module("main.rs"), ("", "main"));
    }
}
