//! What the catalogue says of state that several share: collections and what changes them, atomics, stores elsewhere.

use serde::Deserialize;

use super::Tables;
use super::entry::{Argument, Entry, entries};

entries!(Atomic, Store);

/// What a method does to the collection that it is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It puts something in, whatever is there.
    Adds,
    /// It puts something in unless it is there, in one step.
    Ensures,
    /// It takes something out, if it is there.
    Removes,
}

impl Entry for Change {
    fn put_name(&mut self, _: &str) {}
}

/// A type of which every access is one step, and two accesses are two.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Atomic {
    /// The canonical name of the type.
    #[serde(skip)]
    pub name: String,
    /// Methods that read it.
    pub load: Vec<String>,
    /// Methods that write it.
    #[serde(default)]
    pub store: Vec<String>,
    /// Methods that write it if nobody has done so before, and fail otherwise.
    #[serde(default)]
    pub once: Vec<String>,
    /// Methods that read and write it in one step.
    #[serde(default)]
    pub update: Vec<String>,
    /// Those of them that may fail although nobody else was there, and are to be tried again.
    #[serde(default)]
    pub weak: Vec<String>,
    /// Those of them that add to a number or take away from it, and answer what was there before.
    #[serde(default)]
    pub counts: Vec<String>,
}

/// A store of values by key that lies outside of the program and is shared with others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// The canonical name of its client's type.
    #[serde(skip)]
    pub name: String,
    /// Methods that give the value of a key, which is their first argument.
    #[serde(default)]
    pub read: Vec<String>,
    /// Methods that replace it.
    #[serde(default)]
    pub write: Vec<String>,
    /// Methods that do several things in one step, or do them only if nothing changed.
    #[serde(default)]
    pub together: Vec<String>,
}

impl Tables {
    /// What a method does to the collection that it is called on, if it changes it.
    pub fn change(&self, name: &str) -> Option<Change> {
        self.find(&self.changes, name).copied()
    }

    /// Whether a method of this name changes some collection, where nothing is known of what it is called on.
    pub fn changes_by_name(&self, method: &str) -> bool {
        self.changes.iter().any(|(name, _)| name.rsplit_once(self.separator).is_some_and(|(_, last)| last == method))
    }

    /// Whether a call takes something out of its receiver or first argument.
    pub fn takes_out(&self, name: &str) -> bool {
        self.change(name) == Some(Change::Removes) || self.has(&self.taking_out, name)
    }

    /// Whether a method puts its argument into its receiver.
    pub fn puts_in(&self, name: &str) -> bool {
        self.change(name) == Some(Change::Adds)
    }

    /// Which argument the call keeps in such a way that it may be collected all the same.
    pub fn keeps_weakly(&self, name: &str) -> Option<&Argument> {
        self.find(&self.weakly_kept, name)
    }

    /// Which argument the call calls once for each item, to give back what comes out.
    pub fn maps(&self, name: &str) -> Option<&Argument> {
        self.find(&self.maps, name)
    }

    /// Which argument the call gives back, in another collection.
    pub fn collects(&self, name: &str) -> Option<&Argument> {
        self.find(&self.collectors, name)
    }

    /// Whether a method gives a view that goes on showing the collection as it is.
    pub fn is_view(&self, name: &str) -> bool {
        self.has(&self.views, name)
    }

    /// Whether a method of this name gives a view of some collection, where nothing is known of what it is called on.
    pub fn is_view_by_name(&self, method: &str) -> bool {
        self.has_method(&self.views, method)
    }

    /// Whether a function gives a copy of the collection that it is given, or a method one of its own.
    pub fn is_copy(&self, name: &str) -> bool {
        self.has(&self.copies, name)
    }

    /// Whether a method of this name gives a copy of some collection, where nothing is known of what it is called on.
    pub fn is_copy_by_name(&self, method: &str) -> bool {
        self.has_method(&self.copies, method)
    }

    /// Whether one of some names ends in this one.
    fn has_method(&self, names: &[String], method: &str) -> bool {
        names.iter().any(|name| name.rsplit(self.separator).next() == Some(method))
    }

    /// What a method of this name does to some collection, where nothing is known of what it is called on.
    pub fn change_by_name(&self, method: &str) -> Option<Change> {
        let is_it = |name: &str| name.rsplit_once(self.separator).is_some_and(|(_, last)| last == method);
        self.changes.iter().find(|(name, _)| is_it(name)).map(|(_, change)| *change)
    }

    /// Whether looking for an element of a type makes it, where the type is made with a function to call for that.
    pub fn is_filled_by_looking(&self, type_name: &str) -> bool {
        self.has(&self.filled_by_looking, type_name)
    }

    /// Whether a function loops over its argument only when its result is looped over.
    pub fn is_lazy(&self, name: &str) -> bool {
        self.has(&self.lazy, name)
    }

    /// Whether a loop over a type goes by position, and does not notice that it changes.
    pub fn is_sequence(&self, type_name: &str) -> bool {
        self.has(&self.sequences, type_name)
    }

    /// How a type is accessed, each time in one step.
    pub fn atomic(&self, type_name: &str) -> Option<&Atomic> {
        self.find_type(&self.atomics, type_name)
    }

    /// Whether a call says how many owners a counted pointer has at the moment.
    pub fn counts_owners(&self, name: &str) -> bool {
        self.has(&self.counting_owners, name)
    }

    /// Whether an access with this ordering publishes nothing but itself.
    pub fn is_relaxed(&self, ordering: &str) -> bool {
        self.names(&self.relaxed, ordering)
    }

    /// What the methods of a shared store do.
    pub fn store(&self, client: &str) -> Option<&Store> {
        self.find_type(&self.stores, client)
    }
}
