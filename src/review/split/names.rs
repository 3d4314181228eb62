//! Which names the changed files define otherwise than before, and which of the others use them.
//!
//! Only told names are looked for: every other word of the change is passed over as it is met.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::change::{ChangeSet, ChangedFile};
use crate::review::material::Material;
use crate::text::{Language, Side};

use super::is_source;

/// From how many files on a name that they all define says nothing by itself.
const COMMON: usize = 3;

/// A name that a file gains, loses or changes.
#[derive(Clone, Debug)]
pub(super) struct Told<'a> {
    pub(super) file: usize,
    pub(super) name: &'a str,
    /// The type whose method it is.
    owner: Option<&'a str>,
    /// The folder or module that a file belongs to, where the name is a file's.
    place: Option<&'a str>,
    pub(super) how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Added,
    Removed,
    Changed,
}

/// Where a told name stands.
#[derive(Default)]
struct Word {
    /// How many changed files tell of it.
    spread: usize,
    /// The files that use it on their changed lines of the before and the after side, in order.
    users: [Vec<usize>; 2],
}

/// What the changed files define otherwise than before, and which of those names are used on their changed lines.
pub(super) struct Names<'a> {
    change: &'a ChangeSet,
    pub(super) told: Vec<Told<'a>>,
    words: FxHashMap<&'a str, Word>,
    /// The types whose methods are told.
    owners: FxHashSet<&'a str>,
    /// Which of the owners each file names anywhere, on either side.
    owned: Vec<OnceCell<FxHashSet<&'a str>>>,
    /// The folders and modules whose files each file names without more ado.
    around: Vec<Vec<&'a str>>,
}

/// The signatures by which a file defines a name, with the type whose method it is.
type Defined<'a> = BTreeMap<(Option<&'a str>, &'a str), BTreeSet<&'a str>>;

impl<'a> Names<'a> {
    pub(super) fn of(material: &Material<'a>) -> Self {
        let change = material.change;
        let mut defined: FxHashMap<(Side, &str), Defined<'a>> = FxHashMap::default();
        for row in material.definitions {
            let names = defined.entry((row.side, &row.path)).or_default();
            names.entry((row.owner.as_deref(), &row.name)).or_default().insert(&row.signature);
        }
        let mut told = Vec::new();
        for (at, file) in change.files.iter().enumerate().filter(|(at, _)| is_source(material, *at)) {
            let mut of = |side: Side| defined.remove(&(side, &*file.side(side)?.path));
            let (before, after) = (of(Side::Before).unwrap_or_default(), of(Side::After).unwrap_or_default());
            let mut tell = |(owner, name): (Option<&'a str>, &'a str), how| {
                told.push(Told { file: at, name, owner, place: None, how })
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
                    told.push(Told { file: at, name, owner: None, place: Some(place), how });
                }
            }
        }
        let mut files: FxHashSet<(&str, usize)> = FxHashSet::default();
        let mut words: FxHashMap<&str, Word> = FxHashMap::default();
        for one in told.iter().filter(|one| files.insert((one.name, one.file))) {
            words.entry(one.name).or_default().spread += 1;
        }
        for (at, file) in change.files.iter().enumerate() {
            for (number, side) in [Side::Before, Side::After].into_iter().enumerate() {
                note_users(&mut words, at, file, (number, side));
            }
        }
        let around = change.files.iter().map(|file| {
            let paths = [&file.before, &file.after].into_iter().flatten().map(|text| &*text.path);
            let own = |path: &'a str| path.rsplit_once('.').map_or(path, |(stem, _)| stem);
            paths.flat_map(|path| [folder(path), own(path)]).collect()
        });
        Self {
            change,
            words,
            owners: told.iter().filter_map(|one| one.owner).collect(),
            owned: vec![OnceCell::new(); change.files.len()],
            around: around.collect(),
            told,
        }
    }

    /// For each file those that must go before it.
    pub(super) fn order(&self) -> Vec<BTreeSet<usize>> {
        let mut first = vec![BTreeSet::new(); self.change.files.len()];
        for one in &self.told {
            let [before, after] = self.users(one);
            let (before, after): (&[usize], &[usize]) = match one.how {
                How::Added => (&[], after),
                How::Removed => (before, &[]),
                How::Changed => (before, after),
            };
            for &user in before.iter().chain(after).filter(|user| **user != one.file && self.means(**user, one)) {
                if one.how != How::Removed {
                    first[user].insert(one.file);
                }
                if one.how != How::Added {
                    first[one.file].insert(user);
                }
            }
        }
        first
    }

    /// The files that have the word on their changed lines of the before and the after side.
    pub(super) fn users(&self, one: &Told<'a>) -> [&[usize]; 2] {
        self.words.get(one.name).map_or([&[], &[]], |word| word.users.each_ref().map(Vec::as_slice))
    }

    /// Whether a file that has the word may mean this one of all that bear the name.
    pub(super) fn means(&self, user: usize, one: &Told<'a>) -> bool {
        let is_rare = self.words.get(one.name).is_none_or(|word| word.spread < COMMON);
        // `__init__` and `new` are called by the name of their type.
        is_rare && !one.name.starts_with("__")
            || one.owner.is_some_and(|owner| self.owned(user).contains(owner))
            || one.place.is_some_and(|place| self.around[user].contains(&place))
    }

    fn owned(&self, file: usize) -> &FxHashSet<&'a str> {
        let of = |file: &'a ChangedFile| {
            let texts = [&file.before, &file.after].into_iter().flatten();
            texts.flat_map(|text| words(&text.text)).filter(|word| self.owners.contains(word)).collect()
        };
        self.owned[file].get_or_init(|| of(&self.change.files[file]))
    }
}

/// Notes which of the words a file uses on its changed lines of one side.
fn note_users(words: &mut FxHashMap<&str, Word>, at: usize, file: &ChangedFile, (number, side): (usize, Side)) {
    let Some(text) = file.side(side) else { return };
    let is_changed = |line: u32| match side {
        Side::Before => file.line_map.is_changed_before(line),
        Side::After => file.line_map.is_changed_after(line),
    };
    let language = file.language();
    for (_, line) in (1..).zip(text.text.lines()).filter(|(line, _)| is_changed(*line)) {
        for word in used(line, language) {
            if let Some(word) = words.get_mut(word)
                && word.users[number].last() != Some(&at)
            {
                word.users[number].push(at);
            }
        }
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

pub(super) fn folder(path: &str) -> &str {
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

#[cfg(test)]
mod tests {
    use super::*;

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
