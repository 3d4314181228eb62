//! One table: entries by name, and entries for all that is below a name.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::entry::{Argument, Entry};
use super::prefixes;
use super::term::Term;

/// Entries by their canonical names, in order.
#[derive(Clone, Debug)]
pub struct Table<T>(BTreeMap<String, T>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Table<T> {
    /// The entry that stands under exactly this name.
    pub fn exact(&self, name: &str) -> Option<&T> {
        self.0.get(name)
    }

    /// The entry of the longest path above the name that ends in `*`.
    pub fn covering(&self, name: &str, separator: &str) -> Option<&T> {
        let mut key = String::with_capacity(name.len() + 3);
        prefixes(name, separator).skip(1).find_map(|(path, _)| {
            key.clear();
            key.extend([path, separator, "*"]);
            self.0.get(&key)
        })
    }

    /// Whether an entry stands below a path.
    pub(super) fn has_below(&self, path: &str, separator: &str) -> bool {
        let prefix = [path, separator].concat();
        self.0.range(prefix.clone()..).next().is_some_and(|(name, _)| name.starts_with(&prefix))
    }

    /// All entries with their names, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, entry)| (name.as_str(), entry))
    }

    pub(super) fn insert(&mut self, name: String, entry: T) {
        self.0.insert(name, entry);
    }

    /// Takes over the entries of another table; they win.
    pub(super) fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

impl<T: Entry> Table<T> {
    pub(super) fn rename(&mut self, change: &impl Fn(&str) -> Option<String>) {
        self.0.values_mut().flat_map(Entry::terms).for_each(|term: &mut Term| term.rename(change));
    }
}

impl<'de, T: Entry + Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut entries = BTreeMap::<String, T>::deserialize(deserializer)?;
        entries.iter_mut().for_each(|(name, entry)| entry.put_name(name));
        Ok(Self(entries))
    }
}

impl Entry for String {
    fn put_name(&mut self, _: &str) {}
}

impl Entry for Argument {
    fn put_name(&mut self, _: &str) {}
}
