//! What the names of libraries mean: which call blocks, which type is a lock, what starts a task.
//!
//! The facts stand in `rules/catalogue/*.toml`, one a line, and a user adds their own in the same form.
//! Names are canonical and qualified, calls left out: `boto3.client("s3").get_object` is
//! `boto3.client.get_object`, and `boto3.client.*` is every call at any depth below.
//!
//! A name is looked up as it stands, then by its alias, then as a method of its type's bases, then under
//! the longest `*` above it. The analysis asks; nothing here knows what a finding is.

mod blocking;
mod cancel;
mod contract;
mod entry;
mod locks;
mod lookup;
mod risk;
mod running;
mod shape;
mod state;
mod table;
mod term;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Deserialize;

pub use blocking::*;
pub use cancel::*;
use contract::Contracts;
pub use contract::*;
pub use entry::{Argument, Condition, Entry};
pub use locks::*;
use lookup::follow;
pub use risk::*;
pub use running::*;
pub use shape::*;
pub use state::*;
pub use table::Table;
pub use term::Term;
pub use waiting::*;

use crate::text::Language;

static PYTHON: &[&str] = &[
    include_str!("../../rules/catalogue/python-blocking.toml"),
    include_str!("../../rules/catalogue/python-cancellation.toml"),
    include_str!("../../rules/catalogue/python-colours.toml"),
    include_str!("../../rules/catalogue/python-contexts.toml"),
    include_str!("../../rules/catalogue/python-contracts.toml"),
    include_str!("../../rules/catalogue/python-locks.toml"),
    include_str!("../../rules/catalogue/python-names.toml"),
    include_str!("../../rules/catalogue/python-signatures.toml"),
    include_str!("../../rules/catalogue/python-state.toml"),
    include_str!("../../rules/catalogue/python-tasks.toml"),
    include_str!("../../rules/catalogue/python-types.toml"),
    include_str!("../../rules/catalogue/python-waits.toml"),
];

static RUST: &[&str] = &[
    include_str!("../../rules/catalogue/rust-blocking.toml"),
    include_str!("../../rules/catalogue/rust-colours.toml"),
    include_str!("../../rules/catalogue/rust-contexts.toml"),
    include_str!("../../rules/catalogue/rust-contracts.toml"),
    include_str!("../../rules/catalogue/rust-locks.toml"),
    include_str!("../../rules/catalogue/rust-names.toml"),
    include_str!("../../rules/catalogue/rust-signatures.toml"),
    include_str!("../../rules/catalogue/rust-state.toml"),
    include_str!("../../rules/catalogue/rust-tasks.toml"),
    include_str!("../../rules/catalogue/rust-types.toml"),
    include_str!("../../rules/catalogue/rust-waits.toml"),
];

/// All that is known of libraries: the built-in facts and the user's.
#[derive(Debug, Default)]
pub struct Catalogue {
    extra: Extra,
    // A change in one language should not pay for reading the facts of the other.
    python: OnceLock<Tables>,
    rust: OnceLock<Tables>,
}

/// A user's own facts, by language: `[python.blocking]`, `[rust.locks]`, …
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Extra {
    python: Tables,
    rust: Tables,
}

impl Catalogue {
    /// The facts that come with the tool.
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalogue> = OnceLock::new();
        BUILTIN.get_or_init(Self::default)
    }

    /// The facts that come with the tool and those in `extra`, which win over them. The form is that of
    /// the built-in files, each table below the name of its language.
    pub fn with(extra: &str) -> Result<Self, toml::de::Error> {
        Ok(Self { extra: toml::from_str(extra)?, ..Self::default() })
    }

    /// The facts about one language.
    pub fn tables(&self, language: Language) -> &Tables {
        let (cell, files, extra) = match language {
            Language::Python => (&self.python, PYTHON, &self.extra.python),
            Language::Rust => (&self.rust, RUST, &self.extra.rust),
        };
        cell.get_or_init(|| Tables::build(language, files, extra))
    }
}

/// The facts about one language.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tables {
    blocking: Table<Blocking>,
    /// Names that a `*` in `blocking` would cover although they do not block.
    harmless: Vec<String>,
    /// Words in the last part of a name that speak of the network, where one of `network_places` stands before it.
    network_verbs: Vec<String>,
    /// Words in a name, apart from its last part, that speak of the network.
    network_places: Vec<String>,
    /// Types of open files, whose methods wait for the disk.
    file_types: Vec<String>,
    /// Those of their methods that do not, or for a moment only.
    file_methods_at_once: Vec<String>,
    locks: Table<Lock>,
    /// Arguments by which whoever takes a lock gives up rather than wait without an end.
    giving_up: Vec<Condition>,
    /// Types, other than guards, whose values do something for as long as they live.
    scopes: Vec<String>,
    guards: Table<Guard>,
    /// Attributes by which a type says something of its values' lives.
    markers: Table<Marker>,
    signatures: Table<Signature>,
    types: Table<TypeShape>,
    aliases: Table<String>,
    prelude: Table<String>,
    builtins: Vec<String>,
    offload: Table<Offload>,
    spawns: Table<Spawn>,
    awaitables: Table<Awaitable>,
    consumers: Table<Argument>,
    sinks: Table<Argument>,
    deadlines: Table<Argument>,
    interrupted: Table<Interrupted>,
    /// What methods answer that ask whether there is nothing in their receiver, if there is nothing.
    emptiness: Table<bool>,
    channels: Table<Channel>,
    owners: Table<TaskOwner>,
    /// Traits whose methods mean something whatever they are called on, with the least number of their arguments.
    traits: BTreeMap<String, u8>,
    /// Functions that take something out of their first argument.
    taking_out: Vec<String>,
    /// Calls that ask for what only others bring about, and return at once.
    polling: Vec<String>,
    /// Calls that give way, or stop the processor for a moment, without waiting for anything.
    yielding: Vec<String>,
    decorators: Table<Context>,
    methods: Table<Context>,
    risk: Table<Risk>,
    /// What methods do to collections.
    changes: Table<Change>,
    atomics: Table<Atomic>,
    stores: Table<Store>,
    waits: Table<WaitsFor>,
    /// Orderings under which an access publishes nothing else.
    relaxed: Vec<String>,
    /// Methods that take a result for a good one, and end the thread otherwise.
    insisting: Vec<String>,
    /// Calls that say how many owners a counted pointer has at the moment.
    counting_owners: Vec<String>,
    /// Types of what a task hands on to be woken.
    wakers: Vec<String>,
    /// Types of what a waker is got from.
    wakers_in: Vec<String>,
    /// What says that a task is to be woken later.
    pending: Vec<String>,
    /// Types that tell of what comes after they were made, and of nothing before.
    subscriptions: Vec<String>,
    maps: Table<Argument>,
    collectors: Table<Argument>,
    weakly_kept: Table<Argument>,
    /// Methods that take something, and those that give it back, whoever has them.
    pairs: Table<String>,
    exceptions: Table<Exception>,
    suppressors: Table<Argument>,
    bounds: Table<Scope>,
    /// Calls that wait for nothing but the time.
    pausing: Vec<String>,
    /// Libraries whose scopes, once cancelled, cancel every await in them.
    cancelling_again: Vec<String>,
    gathers: Table<Gather>,
    shields: Table<Argument>,
    /// Methods by their own names, whoever has them.
    verbs: Table<Verb>,
    /// What an attribute or variable of this name is where nothing else says so.
    conventions: Table<String>,
    transparent: Vec<String>,
    /// Decorators and attributes that leave a function what it is.
    keeping: Vec<String>,
    /// Methods that come back at once, by their own names, whoever has them.
    brief: Vec<String>,
    /// Derives and attributes that make no names beside the item they stand on.
    nameless: Vec<String>,
    /// The methods that derives write.
    derived: Table<Vec<String>>,
    /// Libraries that others hand on whole, under their own names.
    handed_on: Vec<String>,
    /// Decorators that keep a function's results by its arguments.
    caching: Vec<String>,
    /// Decorators that call another of several bodies, chosen by what is given.
    choosing: Vec<String>,
    /// Calls that ask whether a loop is running, or that let one be entered again.
    asking: Vec<String>,
    contracts: Contracts,
    /// Functions that run a method of their first argument: `list` runs `__iter__`.
    applying: Table<String>,
    /// Functions that are true of what is of the type that their second argument names.
    narrowing: Vec<String>,
    /// Methods of a stack of managers after which nothing is entered on it any more.
    leaving: Vec<String>,
    /// Builtins of Python 2.
    former: Vec<String>,
    /// Managers in whose blocks something is to fail: `pytest.raises`.
    expecting: Vec<String>,
    /// Calls that ask what a value is, before something is done with it.
    inspecting: Vec<String>,
    /// Calls and decorators that put a double in the place of what a text names, for a test.
    patching: Vec<String>,
    /// Types whose values can be neither awaited nor entered nor looped over asynchronously, nor can those of classes
    /// that only inherit from them.
    unawaitable: Vec<String>,
    /// Methods and attributes that a coroutine or future has before it is awaited.
    of_futures: Vec<String>,
    /// Methods of a result that is there already, which no future has.
    unpacking: Vec<String>,
    /// Names of modules that a build makes, `*` standing for anything before them.
    generated: Vec<String>,
    /// Decorators that make a context manager of a generator function, and for which block.
    managers: Table<Managed>,
    /// Methods that start what was made before.
    starters: Vec<String>,
    /// Methods that start the coroutine they are given, whatever object they are called on.
    spawning: Vec<String>,
    /// Methods by whose name alone a closure that they are given runs on the spot.
    combinators: Vec<String>,
    /// What associated functions are called that keep what they are given in the value that they make.
    constructors: Vec<String>,
    /// What a method gives that shows the collection as it is, and goes on showing it.
    views: Vec<String>,
    /// Functions that loop over their argument only when they are looped over.
    lazy: Vec<String>,
    /// Functions that give a copy of the collection that they are given, and methods that give one of their own.
    copies: Vec<String>,
    /// Types over which a loop goes by position.
    sequences: Vec<String>,
    /// Types that make an element when somebody looks for it, where they are made with a function to call for that.
    filled_by_looking: Vec<String>,
    /// Classes of exceptions that everything is an instance of but a cancellation and its like.
    failures: Vec<String>,
    /// What the user states, which may be of the project's own names.
    #[serde(skip)]
    own: BTreeSet<String>,
    #[serde(skip)]
    separator: &'static str,
}

/// What takes in more of its kind, as [`Table`] does.
trait Absorb {
    fn absorb(&mut self, more: Self);
}

impl<T> Absorb for Vec<T> {
    fn absorb(&mut self, more: Self) {
        self.extend(more);
    }
}

impl Absorb for BTreeMap<String, u8> {
    fn absorb(&mut self, more: Self) {
        self.extend(more);
    }
}

/// Takes in each of the tables of others. One that is forgotten does not compile.
macro_rules! absorb_each {
    ($into:ident, $more:ident: $($table:ident)*) => {
        let Tables { own: _, separator: _, $($table,)* } = $more;
        $($into.$table.absorb($table);)*
    };
}

impl Tables {
    fn build(language: Language, files: &[&str], extra: &Tables) -> Self {
        let mut all = Self { separator: language.separator(), ..Self::default() };
        for file in files {
            all.absorb(toml::from_str(file).expect("the embedded catalogue is read by this module's tests"));
        }
        all.absorb(extra.clone());
        let blocking = extra.blocking.iter().map(|(name, _)| name);
        let offload = extra.offload.iter().map(|(name, _)| name);
        all.own = blocking.chain(offload).chain(extra.locks.iter().map(|(name, _)| name)).map(str::to_owned).collect();
        let builtins = std::mem::take(&mut all.builtins).into_iter();
        all.prelude.extend(builtins.map(|name| (name.clone(), format!("builtins.{name}"))));
        // Terms are written with the short names of the prelude, and compared by canonical ones.
        let (aliases, prelude) = (std::mem::take(&mut all.aliases), std::mem::take(&mut all.prelude));
        let canonical = |name: &str| prelude.exact(name).cloned().or_else(|| follow(&aliases, all.separator, name));
        all.signatures.rename(&canonical);
        all.types.rename(&canonical);
        (all.aliases, all.prelude) = (aliases, prelude);
        all
    }

    fn absorb(&mut self, more: Tables) {
        absorb_each! {
            self, more:
            emptiness blocking harmless network_verbs network_places file_types file_methods_at_once locks
            giving_up scopes guards markers signatures types aliases prelude builtins offload spawns
            awaitables consumers sinks deadlines interrupted channels owners traits taking_out polling
            yielding decorators methods risk changes atomics stores waits relaxed insisting
            counting_owners wakers wakers_in pending subscriptions maps collectors weakly_kept pairs
            exceptions suppressors bounds pausing cancelling_again gathers shields verbs conventions transparent keeping brief
            nameless derived handed_on caching choosing asking contracts applying narrowing leaving former expecting inspecting
            patching unawaitable of_futures unpacking generated managers starters spawning combinators
            constructors views lazy copies sequences filled_by_looking failures
        }
    }
}

#[cfg(test)]
mod tests;
