//! The concurrency contract of files that somebody is about to change: locks and what they guard, in which order they
//! are taken, what runs where, who gives way under what, and the assumptions to state before writing.
//!
//! Everything is read from the files as they stand and from what they import. Callers in other files are not searched,
//! so a function that only they hand to a thread is not known to run there.

use std::collections::{BTreeMap, BTreeSet};

use crate::analysis::held::{Held, What};
use crate::analysis::locks::{Lock, LockRoot};
use crate::analysis::strands::{excludes, is_alike};
use crate::analysis::{FunctionId, ModuleId, Program};
use crate::catalogue::{Flavour, LockKind, Runs};
use crate::change::{ChangeSet, ChangeSource};
use crate::config::{self, Settings};
use crate::error::{Error, Result};
use crate::flow::{FunctionKind, Suspension, TypeTerm, print};
use crate::load::Files;
use crate::request::{Request, Subject};
use crate::review::{
    BRIEF_SCHEMA, Brief, BriefAwait, BriefContext, BriefFunction, BriefGuarded, BriefLine, BriefLock, BriefOrder,
    BriefPlace, Family, Stance,
};
use crate::rules;
use crate::text::{Language, LineIndex, Side};
use crate::verdict::{self, Location, Verdict};

/// The contract of the files and folders that a request names.
///
/// # Errors
///
/// Where a path cannot be read, where none of them is a source file, and where the worker threads cannot be started.
pub fn brief(request: &Request) -> Result<Brief> {
    let Subject::Change(source @ ChangeSource::Files(_)) = &request.subject else {
        return Err(Error::Usage {
            what: "a brief is about files as they stand".to_owned(),
            help: "name files or folders: `tenth brief src/store.py`".to_owned(),
        });
    };
    let change = crate::of_request(source, request)?;
    let settings = config::of_change(&change, request)?;
    // The workers have the deep stacks that parsers want.
    let brief = crate::workers(request.threads)?.install(|| of_files(&change, &settings));
    if brief.files.is_empty() {
        return Err(Error::Usage {
            what: "there is no Python or Rust file among what was named".to_owned(),
            help: "name source files or folders that hold some".to_owned(),
        });
    }
    Ok(brief)
}

/// The contract of every source file of a change's after side.
fn of_files(change: &ChangeSet, settings: &Settings) -> Brief {
    let files = Files::new(change.trees.clone());
    let program = Program::new(Side::After, settings.catalogue(), &files);
    let modules: Vec<ModuleId> = crate::changed(change, Side::After, &settings.options.policy)
        .filter_map(|path| program.module_at(&path))
        .collect();
    let page = Page { program: &program, files: &files, functions: functions(&program, &modules), modules: &modules };
    let said = rules::verdicts(&program, &modules).verdicts;
    let family = |verdict: &Verdict| rules::info(verdict.rule).map(|rule| rule.family);
    let is_contract = |verdict: &&Verdict| family(verdict) == Some(Family::Contracts);
    Brief {
        schema: BRIEF_SCHEMA.to_owned(),
        files: modules.iter().map(|&module| program.module(module).path.to_string()).collect(),
        locks: page.locks(),
        order: page.order(),
        contexts: page.contexts(),
        contracts: page.lines(said.iter().filter(is_contract)),
        questions: page.lines(said.iter().filter(|verdict| !is_contract(verdict))),
    }
}

/// The functions whose contract is told: those of tests are nobody's promise.
fn functions(program: &Program, modules: &[ModuleId]) -> Vec<FunctionId> {
    let all = modules.iter().flat_map(|&module| program.functions_of(module));
    all.filter(|&id| !program.is_test_code(id)).collect()
}

struct Page<'p, 'a> {
    program: &'p Program<'a>,
    files: &'p Files,
    modules: &'p [ModuleId],
    functions: Vec<FunctionId>,
}

impl Page<'_, '_> {
    fn locks(&self) -> Vec<BriefLock> {
        let mut found: BTreeMap<String, BriefLock> = BTreeMap::new();
        for &id in &self.functions {
            let name = self.name(id);
            for event in &self.program.facts(id).events {
                let taken = match &event.what {
                    What::Acquire(lock, _) => Some(lock),
                    What::Call(_) | What::Suspend(..) | What::Runs(_) => None,
                };
                for lock in event.held.iter().map(|held| &held.lock).chain(taken) {
                    let Some(key) = key(lock) else { continue };
                    let known = found.entry(key.to_owned()).or_insert_with(|| self.lock(key, lock));
                    if !known.taken_in.contains(&name) {
                        known.taken_in.push(name.clone());
                    }
                }
                let What::Suspend(how, of) = &event.what else { continue };
                if *how == Suspension::Exit || !self.program.may_suspend(id, *how, *of) {
                    continue;
                }
                // A lock is not held while it is being waited for.
                let is_held = |held: &&Held| *how != Suspension::Enter || !event.span.contains(held.taken);
                for held in event.held.iter().filter(is_held) {
                    let Some(known) = key(&held.lock).and_then(|key| found.get_mut(key)) else { continue };
                    let what = of.map_or_else(|| "a suspension".to_owned(), |of| self.program.value_text(id, of));
                    let at = self.place(&self.program.location(id, event.span));
                    let awaits = BriefAwait { function: name.clone(), what, at };
                    if !known.awaits.contains(&awaits) {
                        known.awaits.push(awaits);
                    }
                }
            }
        }
        for (key, lock) in &mut found {
            lock.guards = self.guarded(key, &lock.type_name);
        }
        found.into_values().collect()
    }

    fn lock(&self, key: &str, lock: &Lock) -> BriefLock {
        BriefLock {
            name: short(key).to_owned(),
            type_name: lock.type_name.clone(),
            is_async: lock.flavour == Flavour::Async,
            declared: self.declared(key).map(|(at, _)| self.place(&at)),
            guards: Vec::new(),
            taken_in: Vec::new(),
            awaits: Vec::new(),
        }
    }

    /// Where the field or global with this name is declared, if in one of the files, and its type as written.
    fn declared(&self, key: &str) -> Option<(Location, Option<TypeTerm>)> {
        self.modules.iter().find_map(|&id| {
            let module = self.program.module(id);
            let rest = key.strip_prefix(&*module.path)?.strip_prefix(':')?;
            let of_type = module.types.iter().find_map(|of| {
                let field = rest.strip_prefix(of.qualified.as_str())?.strip_prefix('.')?;
                let field = of.fields.iter().find(|known| known.name == field)?;
                Some((field.span, field.annotation.clone()))
            });
            let of_module = || {
                let global = module.statics.iter().find(|global| global.name == rest)?;
                Some((global.span, global.annotation.clone()))
            };
            let (span, annotation) = of_type.or_else(of_module)?;
            Some((Location { path: module.path.clone(), span }, annotation))
        })
    }

    /// What a lock guards: in Rust what its type holds, in Python what is changed under it more often than not.
    fn guarded(&self, key: &str, type_name: &str) -> Vec<BriefGuarded> {
        if let Some((at, term)) = self.declared(key)
            && Language::of_path(&at.path) == Some(Language::Rust)
        {
            let own = type_name.rsplit("::").next().unwrap_or(type_name);
            let inside = term.and_then(|term| content(&term, own)).map(|term| print::type_term(&term, Language::Rust));
            let names = inside.into_iter().filter(|name| name != "()");
            return names.map(|name| BriefGuarded { name, changes_under: None, changes: None }).collect();
        }
        let mut found = Vec::new();
        for &module in self.modules {
            for all in self.program.accesses(module).into_values() {
                let is_set_up = |id: FunctionId| {
                    id.index.0 == 0 || self.program.function(id).name == "__init__" || self.program.is_test_code(id)
                };
                let changes: Vec<_> =
                    all.iter().filter(|access| access.touch.is_change() && !is_set_up(access.function)).collect();
                let is_under = |guards: &[std::sync::Arc<Lock>]| {
                    guards.iter().any(|lock| excludes(lock) && self::key(lock) == Some(key))
                };
                let under = changes.iter().filter(|access| is_under(&self.program.guards_at(access))).count();
                let Some(first) = changes.first().filter(|_| under * 2 > changes.len()) else { continue };
                found.push(BriefGuarded {
                    name: first.name.clone(),
                    changes_under: Some(under as u32),
                    changes: Some(changes.len() as u32),
                });
            }
        }
        found
    }

    fn order(&self) -> Vec<BriefOrder> {
        let mut found: BTreeMap<(String, String), BriefOrder> = BTreeMap::new();
        for &id in &self.functions {
            for pair in &self.program.summary(id).pairs {
                let (Some(first), Some(then)) = (key(&pair.held), key(&pair.taken)) else { continue };
                if first == then || is_alike(&pair.held, &pair.taken) {
                    continue;
                }
                let name = self.name(id);
                let known = found.entry((first.to_owned(), then.to_owned())).or_insert_with(|| BriefOrder {
                    first: short(first).to_owned(),
                    then: short(then).to_owned(),
                    functions: Vec::new(),
                    at: self.place(pair.hops.get(1).map_or(&pair.at, |hop| &hop.at)),
                });
                if !known.functions.contains(&name) {
                    known.functions.push(name);
                }
            }
        }
        found.into_values().collect()
    }

    fn contexts(&self) -> Vec<BriefContext> {
        let mut found: BTreeMap<u8, (&'static str, Vec<BriefFunction>)> = BTreeMap::new();
        for &id in &self.functions {
            let function = self.program.function(id);
            // Closures are told of only where somebody runs them elsewhere than where they stand.
            let is_part = matches!(
                function.kind,
                FunctionKind::Module | FunctionKind::AsyncBlock | FunctionKind::GeneratorExpression
            );
            let context = self.program.context(id);
            let is_told = function.kind != FunctionKind::Closure || context.shown.is_some() && !context.runs.is_empty();
            if is_part || !is_told || function.is_bodiless {
                continue;
            }
            let mut add = |group: (u8, &'static str), shown: Option<&(Location, String)>| {
                let why = shown.map_or_else(String::new, |(at, why)| {
                    let at = self.place(at);
                    format!("{why} ({}:{})", at.path, at.line)
                });
                let at = self.place(&self.program.location(id, function.header));
                let entry = found.entry(group.0).or_insert_with(|| (group.1, Vec::new()));
                entry.1.push(BriefFunction { name: function.qualified.clone(), why, at });
            };
            let groups: BTreeSet<(u8, &'static str)> = context.runs.iter().filter_map(|runs| group(*runs)).collect();
            for one in groups {
                let is_own_colour = one.0 == ON_LOOP.0 && function.is_async();
                add(one, context.shown.as_ref().filter(|_| !is_own_colour));
            }
            if let Some(concurrent) = &context.concurrent {
                add(SEVERAL, Some(concurrent));
            }
        }
        found.into_values().map(|(runs, functions)| BriefContext { runs: runs.to_owned(), functions }).collect()
    }

    /// Verdicts as lines, those that say the same made one.
    fn lines<'v>(&self, said: impl Iterator<Item = &'v Verdict>) -> Vec<BriefLine> {
        let mut found: Vec<BriefLine> = Vec::new();
        for verdict in said.filter(|verdict| verdict.setting == verdict::Setting::Ordinary) {
            let (stance, text) = match verdict.stance {
                verdict::Stance::Violated(_) => (Stance::Violated, &verdict.message),
                verdict::Stance::Unproven => (Stance::Unproven, &verdict.question),
                verdict::Stance::Upheld => (Stance::Upheld, &verdict.assumption),
            };
            if text.is_empty() {
                continue;
            }
            if let Some(known) = found.iter_mut().find(|known| known.rule == verdict.rule && known.text == *text) {
                known.more += 1;
                continue;
            }
            found.push(BriefLine {
                rule: verdict.rule.to_owned(),
                stance,
                text: text.clone(),
                more: 0,
                at: self.place(&verdict.at),
            });
        }
        found.sort_by_key(|line| match line.stance {
            Stance::Violated => 0,
            Stance::Unproven => 1,
            Stance::Accepted | Stance::Upheld => 2,
        });
        found
    }

    fn name(&self, id: FunctionId) -> String {
        let function = self.program.function(id);
        if function.qualified.is_empty() { "the module's own code".to_owned() } else { function.qualified.clone() }
    }

    fn place(&self, at: &Location) -> BriefPlace {
        let line = self.files.text(Side::After, &at.path).map_or(1, |text| LineIndex::new(&text).lines(at.span).0);
        BriefPlace { path: at.path.to_string(), line }
    }
}

/// Where a function runs, in words, and the order in which the groups are told.
const ON_LOOP: (u8, &str) = (0, "on the event loop or an executor");
const SEVERAL: (u8, &str) = (1, "several calls at once");

fn group(runs: Runs) -> Option<(u8, &'static str)> {
    match runs {
        Runs::Loop | Runs::Greenlet | Runs::Task => Some(ON_LOOP),
        Runs::Thread => Some((2, "in a worker thread")),
        Runs::Process => Some((3, "in another process")),
        Runs::Signal => Some((4, "in a signal handler")),
        Runs::Main => Some((5, "in the main thread, without a running loop")),
        Runs::Same | Runs::Colour | Runs::Test => None,
    }
}

/// What a lock is called across functions, where it is one that tasks or threads share.
fn key(lock: &Lock) -> Option<&str> {
    let is_lock = matches!(lock.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::Semaphore | LockKind::Condition)
        && matches!(lock.flavour, Flavour::Blocking | Flavour::Async);
    let class = lock.place.class.as_deref().or(match &lock.place.root {
        LockRoot::Static(name) => Some(name.as_str()),
        LockRoot::Parameter(_) | LockRoot::Local(..) | LockRoot::Unknown => None,
    });
    class.filter(|_| is_lock)
}

/// A lock's name without the file that declares it.
fn short(key: &str) -> &str {
    [".py:", ".rs:", ".pyi:"].iter().find_map(|ending| key.split_once(ending)).map_or(key, |(_, name)| name)
}

/// What a lock's type holds: `T` of `Arc<Mutex<T>>`, by the last name of the lock's own type.
fn content(term: &TypeTerm, own: &str) -> Option<TypeTerm> {
    match term {
        TypeTerm::Path { segments, args } => {
            let [inner] = args.as_slice() else { return None };
            let is_lock = segments.last().is_some_and(|name| name == own);
            if is_lock { Some(inner.clone()) } else { content(inner, own) }
        }
        TypeTerm::Reference(inner) => content(inner, own),
        _ => None,
    }
}
