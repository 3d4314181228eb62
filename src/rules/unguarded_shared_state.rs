//! State that is guarded in most places is changed here without its guard.
//!
//! Which lock guards what is nowhere written down; the project's own accesses say it. A lock is taken for the guard of a
//! piece of state where several functions change or read it under that lock, and the one that does not is the odd one:
//!
//! ~~~text
//! def put(…):    with self._lock: self._rows[k] = v; self._count += 1
//! def drop(…):   with self._lock: del self._rows[k]; self._count -= 1
//! def reset(…):  with self._lock: self._rows = {}
//!                self._count = n                                          outside
//! ~~~
//!
//! A single read needs no lock, a look before the lock is taken is made again under it, and a fixed value may be
//! written by anybody; all of them are silent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::analysis::accesses::Touch;
use crate::analysis::held::What;
use crate::analysis::locks::Lock;
use crate::analysis::strands::{excludes, is_alike};
use crate::analysis::{FunctionId, ModuleId};
use crate::catalogue::{Flavour, LockKind, Mode, Runs};
use crate::flow::{Callee, FunctionIndex, StepKind};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Location, Stance, Verdict};

use super::context::RuleContext;
use super::racy_atomic::{How, accesses as atomic_accesses};
use super::stale_read_behind_lock::is_constant;

const NAME: &str = "unguarded-shared-state";

/// From how many functions that hold a lock on a lock is the guard, where nothing else says so.
const ENOUGH: usize = 3;

pub(super) fn check(cx: &RuleContext, module: ModuleId, out: &mut Vec<Verdict>) {
    let by_state = match cx.language(module) {
        Language::Python => python_uses(cx, module),
        Language::Rust => rust_uses(cx, module),
    };
    let mut found: Vec<(Span, Verdict)> = Vec::new();
    for uses in by_state.values() {
        if let Some(guard) = guard_of(uses) {
            found.extend(odd_ones(cx, uses, &guard));
        }
    }
    found.sort_by_key(|(span, _)| *span);
    out.extend(found.into_iter().map(|(_, verdict)| verdict));
}

/// One use of a piece of state.
struct Use {
    function: FunctionId,
    span: Span,
    name: String,
    /// Whether it changes the state, or looks at more of it than one step can.
    is_change: bool,
    /// Whether it does harm without a guard.
    matters: bool,
    guards: Vec<Arc<Lock>>,
}

fn python_uses(cx: &RuleContext, module: ModuleId) -> BTreeMap<String, Vec<Use>> {
    let mut found: BTreeMap<String, Vec<Use>> = BTreeMap::new();
    // Without a lock somewhere there is no guard to be inferred.
    if !cx.program.keeps_others_out(module) {
        return found;
    }
    for (state, all) in cx.program.accesses(module) {
        let is_out_of_play = |id: FunctionId| cx.program.is_test_code(id) || is_before_sharing(cx, id);
        let uses: Vec<Use> = all
            .iter()
            .filter(|access| !is_out_of_play(access.function))
            .map(|access| Use {
                function: access.function,
                span: access.span,
                name: access.name.clone(),
                is_change: access.touch.is_change(),
                matters: match access.touch {
                    Touch::Reads => false,
                    Touch::Changes(..) => true,
                    Touch::Writes(crate::flow::WriteKind::Assign, value, is_element) => {
                        let function = cx.function(access.function);
                        is_element || value.is_some_and(|value| !is_constant(&function, value))
                    }
                    Touch::Writes(..) => true,
                },
                guards: cx.program.guards_at(access),
            })
            .collect();
        if uses.iter().any(|one| !one.guards.is_empty()) {
            found.insert(state.to_string(), uses);
        }
    }
    found
}

/// What a file's Rust functions do to fields that need no lock of their own: atomics, sharded maps.
fn rust_uses(cx: &RuleContext, module: ModuleId) -> BTreeMap<String, Vec<Use>> {
    let mut found: BTreeMap<String, Vec<Use>> = BTreeMap::new();
    let _file = cx.program.module(module);
    let tables = cx.program.tables(Language::Rust);
    for id in cx.program.functions_of(module) {
        if cx.program.is_test_code(id) {
            continue;
        }
        let facts = cx.facts(id);
        let mut add =
            |class: Option<String>, own: bool, name: String, span: Span, held: &[crate::analysis::held::Held]| {
                let Some(class) = class.filter(|_| own) else { return };
                let guards = held.iter().filter(|held| held.is_certain && guards_others(&held.lock, &class));
                let mut guards: Vec<Arc<Lock>> = guards.map(|held| held.lock.clone()).collect();
                guards.extend(cx.program.locks_at_entry(id));
                let one = Use { function: id, span, name, is_change: true, matters: true, guards };
                found.entry(class).or_default().push(one);
            };
        for access in atomic_accesses(cx, id) {
            if matches!(access.how, How::Store | How::Update | How::Weak) {
                let held = facts.held_at(access.block, access.step);
                add(access.place.class.clone(), access.place.is_exact, access.name, access.span, held);
            }
        }
        let function = cx.function(id);
        for (block, at, step) in function.steps() {
            let StepKind::Call(call) = step.kind else { continue };
            let Some(Callee::Method(receiver, _)) = function.call(call).map(|call| &call.callee) else { continue };
            let resolution = cx.resolution(id, call);
            let Some(name) = resolution.external().filter(|name| tables.change(name).is_some()) else { continue };
            let is_map = name.rsplit_once("::").and_then(|(of, _)| tables.lock(of));
            if is_map.is_some_and(|lock| lock.kind == LockKind::MapShard) {
                let place = cx.program.lock_place(id, *receiver);
                let text = cx.program.value_text(id, *receiver);
                add(place.class.clone(), place.is_exact, text, step.span, facts.held_at(block, at as u32));
            }
        }
    }
    found.retain(|_, uses| uses.iter().any(|one| !one.guards.is_empty()));
    found
}

/// Whether a held lock keeps others out, and is not the state's own.
fn guards_others(lock: &Lock, state: &String) -> bool {
    let is_shard = lock.kind == LockKind::MapShard && lock.mode == Mode::Exclusive;
    (excludes(lock) || is_shard) && lock.place.class.as_ref() != Some(state)
}

/// The lock that guards a piece of state, by those who hold it.
struct Guard {
    lock: Arc<Lock>,
    /// The functions that hold it at a use of the state.
    holders: BTreeSet<FunctionId>,
}

fn guard_of(uses: &[Use]) -> Option<Guard> {
    let mut guards: Vec<Guard> = Vec::new();
    for one in uses {
        for lock in &one.guards {
            let known = guards.iter_mut().find(|known| is_alike(&known.lock, lock));
            match known {
                Some(known) => {
                    known.holders.insert(one.function);
                    // One that a worker thread takes for a task is the same lock.
                    if lock.flavour == Flavour::Blocking {
                        known.lock = lock.clone();
                    }
                }
                None if lock.place.class.is_some() => {
                    guards.push(Guard { lock: lock.clone(), holders: BTreeSet::from([one.function]) });
                }
                None => {}
            }
        }
    }
    let most = guards.into_iter().rev().max_by_key(|guard| guard.holders.len())?;
    // On the loop an access without a suspension inside is no race: asynchronous locks are another rule's matter.
    let is_changed = uses.iter().any(|one| one.is_change && one.guards.iter().any(|lock| is_alike(lock, &most.lock)));
    (most.holders.len() > 1 && is_changed && most.lock.flavour == Flavour::Blocking).then_some(most)
}

/// Those who change the state without its guard, where they are few.
fn odd_ones(cx: &RuleContext, uses: &[Use], guard: &Guard) -> Vec<(Span, Verdict)> {
    let bare: Vec<&Use> = uses.iter().filter(|one| one.matters && one.guards.is_empty()).collect();
    let functions: BTreeSet<FunctionId> = bare.iter().map(|one| one.function).collect();
    let holders = guard.holders.len();
    let mut found = Vec::new();
    for function in &functions {
        let takes = taken_in(cx, *function, &guard.lock).is_some();
        let others = guard.holders.iter().filter(|holder| *holder != function).count();
        let is_odd = others >= ENOUGH * functions.len() || takes && others > 1 && functions.len() == 1;
        let is_asked = functions.len() == 1 && holders > 1 && others > 1;
        if !is_odd && !is_asked {
            continue;
        }
        let Some(first) = bare.iter().find(|one| one.function == *function) else { continue };
        let stance = if is_odd { Stance::Violated(Confidence::Medium) } else { Stance::Unproven };
        found.push((first.span, verdict(cx, uses, guard, first, stance, others)));
    }
    found
}

/// Where a function takes a lock, if it does.
fn taken_in(cx: &RuleContext, id: FunctionId, lock: &Lock) -> Option<Span> {
    let facts = cx.facts(id);
    let is_it = |what: &What| matches!(what, What::Acquire(taken, _) if is_alike(taken, lock));
    facts.events.iter().find(|event| is_it(&event.what)).map(|event| event.span)
}

/// Whether a function runs before anybody else has the state: when an object is made, or only on behalf of what makes
/// it, or to start the threads that share it.
fn is_before_sharing(cx: &RuleContext, id: FunctionId) -> bool {
    if cx.is_set_up(id) {
        return true;
    }
    if cx.program.hands_over(id).iter().any(|handed| handed.runs == Runs::Thread) {
        return true;
    }
    let calls = cx.program.callers_in_file(id);
    let callers = &calls.by;
    let is_hidden = cx.program.is_private(id) && !calls.is_named;
    is_hidden && !callers.is_empty() && callers.iter().all(|(caller, _)| cx.is_set_up(*caller))
}

fn verdict(cx: &RuleContext, uses: &[Use], guard: &Guard, odd: &Use, stance: Stance, others: usize) -> Verdict {
    let (state, lock) = (&odd.name, &guard.lock.name);
    let name = &cx.function(odd.function).name;
    let mut verdict = cx
        .verdict(NAME, stance, odd.function, odd.span, &format!("`{state}`"))
        .assumes(format!("`{state}` is changed under `{lock}`, as it is elsewhere"))
        .says(format!(
            "`{name}` changes `{state}` without `{lock}`, which {others} other functions hold where they use it"
        ))
        .asks(format!("Can `{name}` run while somebody who holds `{lock}` is at `{state}`?"))
        .helps(format!("hold `{lock}` here as well"));
    if let Some(span) = taken_in(cx, odd.function, &guard.lock) {
        verdict = verdict.evidence(cx.location(odd.function, span), format!("`{name}` takes `{lock}` here, for less"));
    }
    let mut told: Vec<FunctionId> = vec![odd.function];
    for one in uses.iter().filter(|one| one.guards.iter().any(|held| is_alike(held, &guard.lock))) {
        if told.len() > 3 || told.contains(&one.function) {
            continue;
        }
        told.push(one.function);
        let holder = &cx.function(one.function).name;
        verdict = verdict.evidence(cx.location(one.function, one.span), format!("`{holder}` holds `{lock}` here"));
    }
    match made_at(cx, odd.function, &guard.lock) {
        Some(at) => verdict.evidence(at, format!("`{lock}` is made here")),
        None => verdict,
    }
}

/// Where the lock that an object keeps is put there.
fn made_at(cx: &RuleContext, id: FunctionId, lock: &Lock) -> Option<Location> {
    let owner = cx.program.self_type(id)?;
    let name = lock.place.fields.last()?;
    let definition = cx.program.type_def(owner);
    let field = definition.fields.iter().find(|field| field.name == *name)?;
    Some(cx.location(FunctionId { module: owner.module, index: FunctionIndex(0) }, field.span))
}
