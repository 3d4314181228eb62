//! What the names of libraries mean: which call blocks, which type is a lock, what starts a task.
//!
//! The facts stand in `rules/catalogue/*.toml`, one a line, and a user adds their own in the same form.
//! Names are canonical and qualified, calls left out: `boto3.client("s3").get_object` is
//! `boto3.client.get_object`, and `boto3.client.*` is every call at any depth below.
//!
//! A name is looked up as it stands, then by its alias, then as a method of its type's bases, then under
//! the longest `*` above it. The analysis asks; nothing here knows what a finding is.

mod cancel;
mod contract;
mod entry;
mod table;
mod term;
mod waiting;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use serde::Deserialize;

pub use cancel::*;
use contract::Contracts;
pub use contract::*;
pub use entry::*;
pub use table::Table;
pub use term::Term;
pub use waiting::{Channel, Interrupted, Loses, TaskOwner};

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
    /// Decorators that keep a function's results by its arguments.
    caching: Vec<String>,
    /// Calls that ask whether a loop is running, or that let one be entered again.
    asking: Vec<String>,
    contracts: Contracts,
    /// Functions that run a method of their first argument: `list` runs `__iter__`.
    applying: Table<String>,
    /// Functions that are true of what is of the type that their second argument names.
    narrowing: Vec<String>,
    /// Types whose values can be neither awaited nor entered nor looped over asynchronously, nor can those of classes
    /// Calls that ask what a value is, before something is done with it.
    inspecting: Vec<String>,
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
    /// What a method gives that shows the collection as it is, and goes on showing it.
    views: Vec<String>,
    /// Functions that loop over their argument only when they are looped over.
    lazy: Vec<String>,
    /// Types over which a loop goes by position.
    sequences: Vec<String>,
    /// What the user states, which may be of the project's own names.
    #[serde(skip)]
    own: BTreeSet<String>,
    #[serde(skip)]
    separator: &'static str,
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
        self.blocking.absorb(more.blocking);
        self.harmless.extend(more.harmless);
        self.network_verbs.extend(more.network_verbs);
        self.network_places.extend(more.network_places);
        self.file_types.extend(more.file_types);
        self.file_methods_at_once.extend(more.file_methods_at_once);
        self.locks.absorb(more.locks);
        self.giving_up.extend(more.giving_up);
        self.scopes.extend(more.scopes);
        self.guards.absorb(more.guards);
        self.markers.absorb(more.markers);
        self.signatures.absorb(more.signatures);
        self.types.absorb(more.types);
        self.aliases.absorb(more.aliases);
        self.prelude.absorb(more.prelude);
        self.builtins.extend(more.builtins);
        self.offload.absorb(more.offload);
        self.spawns.absorb(more.spawns);
        self.awaitables.absorb(more.awaitables);
        self.consumers.absorb(more.consumers);
        self.sinks.absorb(more.sinks);
        self.deadlines.absorb(more.deadlines);
        self.interrupted.absorb(more.interrupted);
        self.channels.absorb(more.channels);
        self.owners.absorb(more.owners);
        self.traits.extend(more.traits);
        self.taking_out.extend(more.taking_out);
        self.polling.extend(more.polling);
        self.yielding.extend(more.yielding);
        self.decorators.absorb(more.decorators);
        self.methods.absorb(more.methods);
        self.risk.absorb(more.risk);
        self.changes.absorb(more.changes);
        self.atomics.absorb(more.atomics);
        self.stores.absorb(more.stores);
        self.waits.absorb(more.waits);
        self.relaxed.extend(more.relaxed);
        self.insisting.extend(more.insisting);
        self.wakers.extend(more.wakers);
        self.wakers_in.extend(more.wakers_in);
        self.pending.extend(more.pending);
        self.subscriptions.extend(more.subscriptions);
        self.transparent.extend(more.transparent);
        self.keeping.extend(more.keeping);
        self.brief.extend(more.brief);
        self.nameless.extend(more.nameless);
        self.caching.extend(more.caching);
        self.asking.extend(more.asking);
        self.contracts.absorb(more.contracts);
        self.applying.absorb(more.applying);
        self.narrowing.extend(more.narrowing);
        self.inspecting.extend(more.inspecting);
        self.unawaitable.extend(more.unawaitable);
        self.of_futures.extend(more.of_futures);
        self.unpacking.extend(more.unpacking);
        self.generated.extend(more.generated);
        self.managers.absorb(more.managers);
        self.starters.extend(more.starters);
        self.spawning.extend(more.spawning);
        self.views.extend(more.views);
        self.lazy.extend(more.lazy);
        self.sequences.extend(more.sequences);
        self.maps.absorb(more.maps);
        self.collectors.absorb(more.collectors);
        self.weakly_kept.absorb(more.weakly_kept);
        self.pairs.absorb(more.pairs);
        self.exceptions.absorb(more.exceptions);
        self.suppressors.absorb(more.suppressors);
        self.bounds.absorb(more.bounds);
        self.pausing.extend(more.pausing);
        self.cancelling_again.extend(more.cancelling_again);
        self.gathers.absorb(more.gathers);
        self.shields.absorb(more.shields);
        self.verbs.absorb(more.verbs);
        self.conventions.absorb(more.conventions);
    }

    /// Whether any pattern of names is listed.
    pub fn has_blocking_patterns(&self) -> bool {
        self.blocking.iter().next().is_some_and(|(name, _)| name.starts_with('*'))
    }

    /// How a call blocks whose name fits a pattern, `*.drain`: the text of a call of which nothing else is known. The `*` at
    /// the head stands for one part or more, any other for one.
    pub fn blocking_by_pattern(&self, text: &str) -> Option<&Blocking> {
        self.blocking.iter().take_while(|(name, _)| name.starts_with('*')).find_map(|(pattern, entry)| {
            let parts: Vec<&str> = text.split(self.separator).collect();
            let tail: Vec<&str> = pattern.split(self.separator).skip(1).collect();
            let at = parts.len().checked_sub(tail.len()).filter(|at| *at > 0)?;
            let fits = tail.iter().zip(&parts[at..]).all(|(wanted, part)| *wanted == "*" || wanted == part);
            fits.then_some(entry)
        })
    }

    /// How a call blocks, if it does.
    pub fn blocking(&self, name: &str) -> Option<&Blocking> {
        self.blocking_within(name, BASES)
    }

    /// How a call of a function of the project blocks, where the user says so. What its body shows does not count then.
    pub fn own_blocking(&self, name: &str) -> Option<&Blocking> {
        self.own.contains(name).then(|| self.blocking.exact(name)).flatten()
    }

    /// Where a function of the project runs what it is handed, where the user says so.
    pub fn own_offload(&self, name: &str) -> Option<&Offload> {
        self.own.contains(name).then(|| self.offload.exact(name)).flatten()
    }

    /// What sort of lock a type of the project is, where the user says so.
    pub fn own_lock(&self, type_name: &str) -> Option<&Lock> {
        self.own.contains(type_name).then(|| self.locks.exact(type_name)).flatten()
    }

    /// Whether the user states anything.
    pub fn has_own(&self) -> bool {
        !self.own.is_empty()
    }

    fn blocking_within(&self, name: &str, depth: u8) -> Option<&Blocking> {
        if let Some(found) = self.find(&self.blocking, name) {
            let covered = found.name.ends_with('*');
            let harmless = covered && self.harmless.iter().any(|harmless| *harmless == *self.canonical(name));
            return (!harmless).then_some(found);
        }
        // What covers everything below a type covers it below the types that derive from it.
        let deeper = depth.checked_sub(1)?;
        let name = self.canonical(name);
        if !self.types.begins_with(table::head(&name)) {
            return None;
        }
        prefixes(&name, self.separator).skip(1).find_map(|(owner, rest)| {
            let bases = &self.types.exact(owner)?.bases;
            bases.iter().find_map(|base| self.blocking_within(&[base, rest].concat(), deeper))
        })
    }

    /// What sort of lock a type is, if it is one.
    pub fn lock(&self, type_name: &str) -> Option<&Lock> {
        self.find_type(&self.locks, type_name)
    }

    /// Arguments by which whoever takes a lock gives up rather than wait without an end.
    pub fn giving_up(&self) -> &[Condition] {
        &self.giving_up
    }

    /// Whether a value of this type does something for as long as it lives, without being a lock's guard.
    pub fn is_scope(&self, type_name: &str) -> bool {
        let canonical = self.canonical(type_name);
        self.scopes.iter().any(|known| *known == *canonical)
    }

    /// What a value of this type holds, if it is a guard.
    pub fn guard(&self, type_name: &str) -> Option<&Guard> {
        self.find_type(&self.guards, type_name)
    }

    /// What an attribute of a type says of its values' lives, if it says anything.
    pub fn marker(&self, attribute: &str) -> Option<Marker> {
        self.markers.exact(attribute).copied()
    }

    /// What a function or method returns and does with its receiver.
    pub fn signature(&self, name: &str) -> Option<&Signature> {
        self.find(&self.signatures, name)
    }

    /// A type's parameters, target and bases.
    pub fn type_shape(&self, name: &str) -> Option<&TypeShape> {
        self.types.exact(name).or_else(|| self.types.exact(&self.alias(name)?))
    }

    /// The canonical name of something that is known by another, whole or by the path before it;
    /// `None` when the name is canonical already.
    pub fn alias(&self, name: &str) -> Option<String> {
        follow(&self.aliases, self.separator, name)
    }

    /// The canonical name, which may be the name itself.
    pub fn canonical<'a>(&self, name: &'a str) -> Cow<'a, str> {
        match self.alias(name) {
            Some(canonical) => Cow::Owned(canonical),
            None => Cow::Borrowed(name),
        }
    }

    /// The canonical name of what the language lets everybody use without an import.
    pub fn prelude(&self, bare: &str) -> Option<&str> {
        self.prelude.exact(bare).map(String::as_str)
    }

    /// Whether a call of this name means something here, so that looking through a dereference would lose it.
    pub fn knows(&self, name: &str) -> bool {
        self.find(&self.signatures, name).is_some()
            || self.blocking(name).is_some()
            || self.offload(name).is_some()
            || self.spawn(name).is_some()
            || self.awaitable(name).is_some()
    }

    /// Whether a thing of this name is described: a type, a lock, a guard or a call.
    pub fn describes(&self, name: &str) -> bool {
        self.lock(name).is_some() || self.guard(name).is_some() || self.type_shape(name).is_some() || self.knows(name)
    }

    /// Whether anything is known of a library, given the first segment of its names.
    pub fn has_root(&self, root: &str) -> bool {
        let separator = self.separator;
        self.blocking.has_below(root, separator)
            || self.locks.has_below(root, separator)
            || self.signatures.has_below(root, separator)
            || self.types.has_below(root, separator)
            || self.aliases.has_below(root, separator)
            || self.spawns.has_below(root, separator)
            || self.offload.has_below(root, separator)
    }

    /// Where the callable handed to this call (or decorated with it) runs.
    pub fn offload(&self, name: &str) -> Option<&Offload> {
        self.find(&self.offload, name)
    }

    /// What the call starts.
    pub fn spawn(&self, name: &str) -> Option<&Spawn> {
        self.find(&self.spawns, name)
    }

    /// What the call gives to await.
    pub fn awaitable(&self, name: &str) -> Option<&Awaitable> {
        self.find(&self.awaitables, name).filter(|found| found.kind != AwaitableKind::Plain)
    }

    /// Which argument of the call may be a coroutine that the call takes care of.
    pub fn consumes_awaitables(&self, name: &str) -> Option<&Argument> {
        self.find(&self.consumers, name)
    }

    /// Which argument of the call is thrown away unawaited if it is a coroutine.
    pub fn swallows_awaitables(&self, name: &str) -> Option<&Argument> {
        self.find(&self.sinks, name)
    }

    /// Which argument of the call is a future that it drops when its time is up.
    pub fn deadline(&self, name: &str) -> Option<&Argument> {
        self.find(&self.deadlines, name)
    }

    /// What the future of the call loses when it is dropped before its end.
    pub fn interrupted(&self, name: &str) -> Option<&Interrupted> {
        self.find(&self.interrupted, name)
    }

    /// The channel whose ends the call makes.
    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.find(&self.channels, name)
    }

    /// The channel that the method receives from, waiting, until every sender is gone.
    pub fn receives(&self, method: &str) -> Option<&Channel> {
        let method = self.canonical(method);
        self.channels.iter().map(|(_, channel)| channel).find(|channel| channel.receives.iter().any(|m| *m == *method))
    }

    /// Whether the method sends to a channel.
    pub fn sends(&self, method: &str) -> bool {
        let method = self.canonical(method);
        self.channels.iter().any(|(_, channel)| channel.sends.iter().any(|known| *known == *method))
    }

    /// The blocking method of this name that an imported trait brings, given what was imported: the trait, or the
    /// module that is opened.
    pub fn method_of_import(&self, imported: &str, is_opened: bool, method: &str, arguments: usize) -> Option<String> {
        let canonical = self.canonical(imported);
        let is_meant = |name: &str| match is_opened {
            true => name.rsplit_once(self.separator).is_some_and(|(module, _)| module == canonical),
            false => name == canonical,
        };
        let fitting = self.traits.iter().filter(|(name, least)| is_meant(name) && arguments >= usize::from(**least));
        let mut methods = fitting.map(|(name, _)| [name, method].join(self.separator));
        methods.find(|name| self.blocking.exact(name).is_some())
    }

    /// Whether a call takes something out of its receiver or first argument.
    pub fn takes_out(&self, name: &str) -> bool {
        self.change(name) == Some(Change::Removes) || self.lists(&self.taking_out, name)
    }

    /// Whether a method puts its argument into its receiver.
    pub fn puts_in(&self, name: &str) -> bool {
        self.change(name) == Some(Change::Adds)
    }

    /// Whether a call asks for what only others bring about, and returns at once.
    pub fn polls(&self, name: &str) -> bool {
        self.lists(&self.polling, name)
    }

    /// Whether a call gives way, or stops the processor for a moment, without waiting for anything.
    pub fn yields(&self, name: &str) -> bool {
        self.lists(&self.yielding, name)
    }

    /// Whether a type is that of a handle whose task runs on without it.
    pub fn is_handle(&self, type_name: &str) -> bool {
        let is_it = |spawn: &Spawn| {
            spawn.detach == Detach::Normal && spawn.runs == Runs::Task && spawn.handle.as_deref() == Some(type_name)
        };
        self.spawns.iter().any(|(_, spawn)| is_it(spawn))
    }

    fn lists(&self, list: &[String], name: &str) -> bool {
        let canonical = self.canonical(name);
        list.iter().any(|known| known == name || *known == *canonical)
    }

    /// What a type ends with it when its value is dropped.
    pub fn owner(&self, type_name: &str) -> Option<&TaskOwner> {
        self.find_type(&self.owners, type_name)
    }

    /// Which argument the call calls once for each item, to give back what comes out.
    pub fn maps(&self, name: &str) -> Option<&Argument> {
        self.find(&self.maps, name)
    }

    /// Which argument the call gives back, in another collection.
    pub fn collects(&self, name: &str) -> Option<&Argument> {
        self.find(&self.collectors, name)
    }

    /// Methods that take something, each with the one that gives it back, whoever has them.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(take, give)| (take, give.as_str()))
    }

    /// Which argument the call keeps in such a way that it may be collected all the same.
    pub fn keeps_weakly(&self, name: &str) -> Option<&Argument> {
        self.find(&self.weakly_kept, name)
    }

    /// What makes a call worth a look, if anything does.
    pub fn risk(&self, name: &str) -> Option<&Risk> {
        self.find(&self.risk, name)
    }

    /// What a method does to the collection that it is called on, if it changes it.
    pub fn change(&self, name: &str) -> Option<Change> {
        self.find(&self.changes, name).copied()
    }

    /// Whether a method of this name changes some collection, where nothing is known of what it is called on.
    pub fn changes_by_name(&self, method: &str) -> bool {
        self.changes.iter().any(|(name, _)| name.rsplit_once(self.separator).is_some_and(|(_, last)| last == method))
    }

    /// For whom a call waits without an end when it is awaited, needing no lock for itself.
    pub fn waits(&self, name: &str) -> Option<WaitsFor> {
        self.find(&self.waits, name).copied()
    }

    /// How a type is accessed, each time in one step.
    pub fn atomic(&self, type_name: &str) -> Option<&Atomic> {
        self.find_type(&self.atomics, type_name)
    }

    /// What the methods of a shared store do.
    pub fn store(&self, client: &str) -> Option<&Store> {
        self.find_type(&self.stores, client)
    }

    /// Whether an access with this ordering publishes nothing but itself.
    pub fn is_relaxed(&self, ordering: &str) -> bool {
        let canonical = self.canonical(ordering);
        self.relaxed.iter().any(|known| *known == *canonical)
    }

    /// Whether a method takes a result for a good one, and ends the thread otherwise.
    pub fn insists(&self, method: &str) -> bool {
        self.names(&self.insisting, method)
    }

    /// Whether a type is what a task hands on to be woken, or what that is got from.
    pub fn wakes_tasks(&self, type_name: &str) -> bool {
        self.names(&self.wakers, type_name) || self.gives_wakers(type_name)
    }

    /// Whether a type is what a waker is got from.
    pub fn gives_wakers(&self, type_name: &str) -> bool {
        self.names(&self.wakers_in, type_name)
    }

    /// Whether the language's tasks hand on what wakes them.
    pub fn knows_wakers(&self) -> bool {
        !self.wakers_in.is_empty()
    }

    /// Whether a value says that the task is to be woken later.
    pub fn is_pending(&self, value: &str) -> bool {
        self.names(&self.pending, value)
    }

    /// Whether a type tells of what comes after it was made, and of nothing before.
    pub fn is_subscription(&self, type_name: &str) -> bool {
        self.names(&self.subscriptions, type_name)
    }

    fn names(&self, known: &[String], name: &str) -> bool {
        let canonical = self.canonical(name);
        known.iter().any(|known| *known == *canonical)
    }

    /// What a handler for this class takes, if it takes cancellations.
    pub fn exception(&self, class: &str) -> Option<&Exception> {
        self.find(&self.exceptions, class)
    }

    /// Which arguments of a managed block's call are the classes that the block takes.
    pub fn suppresses(&self, name: &str) -> Option<&Argument> {
        self.find(&self.suppressors, name)
    }

    /// How a managed block bounds what stands in it.
    pub fn bounds(&self, name: &str) -> Option<&Scope> {
        self.find(&self.bounds, name)
    }

    /// Whether a call waits for nothing but the time.
    pub fn pauses(&self, name: &str) -> bool {
        self.lists(&self.pausing, name)
    }

    /// Whether the scopes of a library, once cancelled, cancel every await in them.
    pub fn cancels_again(&self, library: &str) -> bool {
        self.cancelling_again.iter().any(|known| known == library)
    }

    /// How a call gives back what became of tasks.
    pub fn gather(&self, name: &str) -> Option<&Gather> {
        self.find(&self.gathers, name)
    }

    /// Which argument a call keeps from being cancelled with its caller.
    pub fn shields(&self, name: &str) -> Option<&Argument> {
        self.find(&self.shields, name)
    }

    /// What a method of this name does, whoever has it.
    pub fn verb(&self, method: &str) -> Option<Does> {
        self.verbs.exact(method).map(|verb| verb.does)
    }

    /// The type of an attribute or variable of this name, where nothing but the name, or its ending after an
    /// underscore, says so.
    pub fn convention(&self, name: &str) -> Option<&str> {
        let by_ending = || {
            let (_, ending) = name.rsplit_once('_').filter(|(head, _)| !head.is_empty())?;
            self.conventions.exact(&format!("*_{ending}"))
        };
        self.conventions.exact(name).or_else(by_ending).map(String::as_str)
    }

    /// Whether a call of which nothing else is known speaks of the network by its name: `tubes.request.get`.
    pub fn speaks_of_network(&self, name: &str) -> bool {
        let mut parts = name.rsplit(self.separator);
        let last = parts.next().unwrap_or_default();
        self.network_verbs.iter().any(|verb| verb == last)
            && parts.any(|part| {
                let words = part.to_lowercase();
                self.network_places.iter().any(|place| words.ends_with(place.as_str()))
            })
    }

    /// Whether a call is one of a method of an open file of which nothing else is known.
    pub fn is_unknown_of_a_file(&self, name: &str) -> bool {
        let Some((of, method)) = name.rsplit_once(self.separator) else { return false };
        let is_known = method.starts_with("__") || self.file_methods_at_once.iter().any(|known| known == method);
        self.file_types.iter().any(|known| known == of) && !is_known && self.blocking(name).is_none()
    }

    /// Where a function with this decorator or attribute runs.
    pub fn context_of_decorator(&self, name: &str) -> Option<&Context> {
        self.find(&self.decorators, name)
    }

    /// Where a method that overrides or implements `method` of a base class or trait runs.
    pub fn context_of_method(&self, base_or_trait: &str, method: &str) -> Option<&Context> {
        self.find(&self.methods, &[base_or_trait, method].join(self.separator))
    }

    /// Whether a type in an annotation only wraps the one that matters: `Annotated[Lock, …]`.
    pub fn is_transparent(&self, type_name: &str) -> bool {
        let canonical = self.canonical(type_name);
        self.transparent.iter().any(|known| *known == *canonical)
    }

    /// Whether a function is called as it stands in spite of this decorator or attribute: `staticmethod`, `inline`.
    pub fn keeps_kind(&self, decorator: &str) -> bool {
        let canonical = self.canonical(decorator);
        self.keeping.iter().any(|known| known == decorator || *known == *canonical)
    }

    /// Whether a method of this name comes back at once, whoever has it.
    pub fn is_brief(&self, method: &str) -> bool {
        self.brief.iter().any(|known| known == method)
    }

    /// Whether a derive or attribute makes no names beside the item that it stands on.
    pub fn makes_no_names(&self, attribute: &str) -> bool {
        self.has(&self.nameless, attribute)
            || self.keeps_kind(attribute)
            || self.context_of_decorator(attribute).is_some()
    }

    /// Whether a function with this decorator is run once for the same arguments.
    pub fn keeps_results(&self, decorator: &str) -> bool {
        let canonical = self.canonical(decorator);
        self.caching.iter().any(|known| *known == *canonical)
    }

    /// Whether a method starts what was made before.
    pub fn is_starter(&self, name: &str) -> bool {
        self.has(&self.starters, name)
    }

    /// Whether a method of an object that nobody knows starts the coroutine it is given.
    pub fn is_spawning(&self, method: &str) -> bool {
        self.spawning.iter().any(|known| known == method)
    }

    /// Whether what a call makes runs only when one of its methods is called.
    pub fn waits_to_be_started(&self, name: &str) -> bool {
        let below = [name, self.separator].concat();
        self.starters.iter().any(|starter| starter.starts_with(&below))
    }

    /// Whether a method gives a view that goes on showing the collection as it is.
    pub fn is_view(&self, name: &str) -> bool {
        self.has(&self.views, name)
    }

    /// Whether a function loops over its argument only when its result is looped over.
    pub fn is_lazy(&self, name: &str) -> bool {
        self.has(&self.lazy, name)
    }

    /// Whether a loop over a type goes by position, and does not notice that it changes.
    pub fn is_sequence(&self, type_name: &str) -> bool {
        self.has(&self.sequences, type_name)
    }

    fn has(&self, list: &[String], name: &str) -> bool {
        let canonical = self.canonical(name);
        list.iter().any(|known| known == name || *known == *canonical)
    }

    /// Whether a call asks whether a loop is running, or lets one be entered again.
    pub fn asks_for_loop(&self, name: &str) -> bool {
        let canonical = self.canonical(name);
        self.asking.iter().any(|known| known == name || *known == *canonical)
    }

    /// The method of its first argument that a function runs.
    pub fn applies(&self, function: &str) -> Option<&str> {
        self.applying.exact(function).map(String::as_str)
    }

    /// Whether a function is true of its first argument only if that is of the type which the second names.
    pub fn narrows(&self, function: &str) -> bool {
        self.narrowing.iter().any(|known| known == function)
    }

    /// Whether a canonical name is that of something which the language itself gives everybody.
    pub fn is_builtin(&self, canonical: &str) -> bool {
        let bare = canonical.rsplit(self.separator).next().unwrap_or(canonical);
        self.prelude(bare) == Some(canonical)
    }

    /// Whether a call asks what a value is.
    pub fn inspects(&self, name: &str) -> bool {
        self.has(&self.inspecting, name)
    }

    /// Whether a value of this type is certainly no awaitable, no asynchronous context manager and no asynchronous
    /// iterable.
    pub fn is_unawaitable(&self, type_name: &str) -> bool {
        let canonical = self.canonical(type_name);
        self.unawaitable.iter().any(|known| *known == *canonical)
    }

    /// Whether a coroutine or future has a method or attribute of this name by itself.
    pub fn is_of_futures(&self, name: &str) -> bool {
        self.of_futures.iter().any(|known| known == name)
    }

    /// Whether a method takes a result apart that is there already, as no future's does.
    pub fn is_unpacking(&self, method: &str) -> bool {
        self.unpacking.iter().any(|known| known == method)
    }

    /// Whether a module of this name is likely made by a build, so that no repository has it.
    pub fn is_generated_module(&self, name: &str) -> bool {
        self.generated.iter().any(|known| match known.strip_prefix('*') {
            Some(ending) => name.ends_with(ending),
            None => name == known,
        })
    }

    /// What sort of context manager a decorator makes of a generator function.
    pub fn manager(&self, decorator: &str) -> Option<Managed> {
        self.find_type(&self.managers, decorator).copied()
    }

    fn find<'t, T>(&'t self, table: &'t Table<T>, name: &str) -> Option<&'t T> {
        if let Some(found) = table.exact(name) {
            return Some(found);
        }
        let head = table::head(name);
        let is_known = table.begins_with(head) || self.types.begins_with(head);
        if !is_known && !self.aliases.begins_with(head) && !self.prelude.begins_with(head) {
            return None;
        }
        let name = match self.prelude.exact(name) {
            Some(canonical) => Cow::Borrowed(canonical.as_str()),
            None => self.canonical(name),
        };
        self.inherited(table, &name, BASES).or_else(|| table.covering(&name, self.separator))
    }

    fn find_type<'t, T>(&'t self, table: &'t Table<T>, name: &str) -> Option<&'t T> {
        table.exact(name).or_else(|| table.exact(&self.alias(name)?))
    }

    fn inherited<'t, T>(&'t self, table: &'t Table<T>, name: &str, depth: u8) -> Option<&'t T> {
        if let Some(found) = table.exact(name) {
            return Some(found);
        }
        let (owner, method) = name.rsplit_once(self.separator)?;
        let bases = &self.types.exact(owner)?.bases;
        let deeper = depth.checked_sub(1)?;
        bases.iter().find_map(|base| self.inherited(table, &[base, method].join(self.separator), deeper))
    }
}

/// How many bases up a method is looked for; a cycle in a user's table must end.
const BASES: u8 = 4;

/// Replaces the longest known path at the start of a name, as often as that helps.
fn follow(aliases: &Table<String>, separator: &str, name: &str) -> Option<String> {
    let mut current: Option<String> = None;
    for _ in 0..BASES {
        let name = current.as_deref().unwrap_or(name);
        if !aliases.begins_with(table::head(name)) {
            break;
        }
        let Some((known, rest)) = prefixes(name, separator).find_map(|(head, rest)| Some((aliases.exact(head)?, rest)))
        else {
            break;
        };
        current = Some(format!("{known}{rest}"));
    }
    current
}

/// A name's leading paths, the longest first, each with what follows it.
fn prefixes<'n>(name: &'n str, separator: &str) -> impl Iterator<Item = (&'n str, &'n str)> {
    let mut next = Some(name.len());
    std::iter::from_fn(move || {
        let at = next?;
        next = name[..at].rfind(separator);
        Some(name.split_at(at))
    })
}

#[cfg(test)]
mod tests;
