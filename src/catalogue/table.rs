//! One table: entries by name, and entries for all that is below a name.
//!
//! The analysis asks for nearly every name that it meets, and hardly any is there: most questions end at the first
//! segment, which no entry begins with.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Deserializer};

use super::entry::{Argument, Entry};
use super::lookup::prefixes;
use super::term::Term;

/// Entries by their canonical names, in order.
#[derive(Clone, Debug)]
pub struct Table<T> {
    entries: Vec<(String, T)>,
    /// Places among the entries by name.
    places: FxHashMap<String, u32>,
    /// Places of those that end in `*`, by the path before it.
    covering: FxHashMap<String, u32>,
    /// The first segments of all names, and whether more follows in any of them.
    heads: FxHashMap<String, bool>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self::of(BTreeMap::new())
    }
}

impl<T> Table<T> {
    fn of(entries: BTreeMap<String, T>) -> Self {
        let entries: Vec<(String, T)> = entries.into_iter().collect();
        let places = || entries.iter().zip(0..).map(|((name, _), at)| (name, at));
        let path = |name: &str| {
            let path = name.strip_suffix('*')?;
            Some(path.strip_suffix("::").or_else(|| path.strip_suffix('.'))?.to_owned())
        };
        Self {
            places: places().map(|(name, at)| (name.clone(), at)).collect(),
            covering: places().filter_map(|(name, at)| Some((path(name)?, at))).collect(),
            heads: heads(places().map(|(name, _)| name.as_str())),
            entries,
        }
    }

    /// The entry that stands under exactly this name.
    pub fn exact(&self, name: &str) -> Option<&T> {
        self.places.get(name).map(|at| &self.entries[*at as usize].1)
    }

    /// The entry of the longest path above the name that ends in `*`.
    pub fn covering(&self, name: &str, separator: &str) -> Option<&T> {
        if self.covering.is_empty() {
            return None;
        }
        let at = prefixes(name, separator).skip(1).find_map(|(path, _)| self.covering.get(path))?;
        Some(&self.entries[*at as usize].1)
    }

    /// Whether some name begins with this segment.
    pub(super) fn begins_with(&self, head: &str) -> bool {
        self.heads.contains_key(head)
    }

    /// Whether some name begins with this segment and goes on.
    pub(super) fn goes_on_from(&self, head: &str) -> bool {
        self.heads.get(head).copied().unwrap_or(false)
    }

    /// All entries with their names, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.entries.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    pub(super) fn extend(&mut self, more: impl IntoIterator<Item = (String, T)>) {
        let mut all: BTreeMap<String, T> = std::mem::take(&mut self.entries).into_iter().collect();
        all.extend(more);
        *self = Self::of(all);
    }

    /// Takes over the entries of another table; they win.
    pub(super) fn absorb(&mut self, other: Self) {
        if self.entries.is_empty() {
            *self = other;
        } else if !other.entries.is_empty() {
            self.extend(other.entries);
        }
    }
}

fn heads<'n>(names: impl Iterator<Item = &'n str>) -> FxHashMap<String, bool> {
    let mut heads = FxHashMap::default();
    for name in names {
        let head = head(name);
        *heads.entry(head.to_owned()).or_default() |= head.len() < name.len();
    }
    heads
}

/// The first segment of a name.
pub(super) fn head(name: &str) -> &str {
    name.split(['.', ':']).next().unwrap_or(name)
}

impl<T: Entry> Table<T> {
    pub(super) fn rename(&mut self, change: &impl Fn(&str) -> Option<String>) {
        self.entries.iter_mut().flat_map(|(_, entry)| entry.terms()).for_each(|term: &mut Term| term.rename(change));
    }
}

impl<'de, T: Entry + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut entries = BTreeMap::<String, T>::deserialize(deserializer)?;
        entries.iter_mut().for_each(|(name, entry)| entry.put_name(name));
        Ok(Self::of(entries))
    }
}

impl Entry for String {
    fn put_name(&mut self, _: &str) {}
}

impl Entry for Vec<String> {
    fn put_name(&mut self, _: &str) {}
}

impl Entry for bool {
    fn put_name(&mut self, _: &str) {}
}

impl Entry for Argument {
    fn put_name(&mut self, _: &str) {}
}
