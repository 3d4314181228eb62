//! Atomics whose accesses are each one step, and together are not.
//!
//! ~~~text
//! let n = count.load(…); count.store(n + 1, …)     two steps: somebody else may have counted in between
//! if open.load(…) < MOST { open.fetch_add(1, …) }     so may somebody here
//! data.store(42, Relaxed); ready.store(true, Relaxed)     whoever sees `ready` need not see `data`
//! free.compare_exchange_weak(…)                    may fail although it is free, and nobody tries again
//! static mut COUNT …                               no steps at all
//! fn drop(…) { if Arc::strong_count(…) == 1 …      two that end at once both count two
//! ~~~

mod last_owner;
mod looked_at_after;
mod set_once;
pub(super) mod weakened;

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::analysis::locks::{LockPlace, LockRoot};
use crate::analysis::names::Item;
use crate::analysis::strands::excludes;
use crate::analysis::types::Type;
use crate::analysis::uses::Uses;
use crate::catalogue::Atomic;
use crate::flow::{
    BlockIndex, Callee, Function, FunctionKind, LoopKind, Place, Root, StepKind, TypeTerm, ValueIndex, ValueKind,
    WriteKind,
};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Evidence, Stance, Verdict};

use super::context::RuleContext;
use super::relaxed_publication;

pub(super) const NAME: &str = "racy-atomic";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Rust || cx.program.is_test_code(id) {
        return;
    }
    let accesses = accesses(cx, id);
    if !accesses.is_empty() {
        dependent_stores(cx, id, &accesses, out);
        given_up_at_once(cx, id, &accesses, out);
        looked_at_after::check(cx, id, &accesses, out);
        set_once::check(cx, id, &accesses, out);
        relaxed_publication::check(cx, id, &accesses, out);
    }
    mutable_statics(cx, id, out);
    last_owner::check(cx, id, out);
}

/// One access of an atomic.
pub(super) struct Access {
    pub(super) place: LockPlace,
    /// What it is called in the text.
    pub(super) name: String,
    pub(super) how: How,
    pub(super) call: ValueIndex,
    pub(super) block: BlockIndex,
    pub(super) step: u32,
    pub(super) span: Span,
    /// Whether it is an update that adds to a number, or takes away from it.
    pub(super) counts: bool,
    /// Whether it orders nothing else.
    pub(super) is_relaxed: bool,
}

/// What an access does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    Load,
    Store,
    /// A store that fails if somebody was there before.
    Once,
    Update,
    /// An update that may fail for no reason.
    Weak,
}

/// The accesses of atomics in a function.
pub(super) fn accesses(cx: &RuleContext, id: FunctionId) -> Vec<Access> {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Rust);
    let shape = cx.program.shape(id);
    let mut found = Vec::new();
    for (block, at, step) in function.steps() {
        let StepKind::Call(value) = step.kind else { continue };
        let Some(call) = function.call(value).filter(|_| shape.is_reachable(block)) else { continue };
        let Callee::Method(receiver, method) = &call.callee else { continue };
        let resolution = cx.resolution(id, value);
        let Some((type_name, _)) = resolution.external().and_then(|name| name.rsplit_once("::")) else { continue };
        let Some(atomic) = tables.atomic(type_name) else { continue };
        let Some(how) = how(atomic, method) else { continue };
        let is_relaxed = call.arguments.iter().any(|argument| is_relaxed(cx, id, argument.value));
        found.push(Access {
            place: cx.program.lock_place(id, *receiver),
            name: cx.program.value_text(id, *receiver),
            how,
            call: value,
            block,
            step: at as u32,
            span: step.span,
            counts: atomic.counts.contains(method),
            is_relaxed,
        });
    }
    found
}

fn how(atomic: &Atomic, method: &str) -> Option<How> {
    let has = |methods: &[String]| methods.iter().any(|known| known == method);
    if has(&atomic.load) {
        Some(How::Load)
    } else if has(&atomic.store) {
        Some(How::Store)
    } else if has(&atomic.once) {
        Some(How::Once)
    } else if has(&atomic.weak) {
        Some(How::Weak)
    } else {
        has(&atomic.update).then_some(How::Update)
    }
}

fn is_relaxed(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    match &cx.function(id).value(value).kind {
        ValueKind::Path(path, _) => match cx.program.resolve_in(id, path) {
            Item::External(name) => cx.program.tables(Language::Rust).is_relaxed(&name),
            _ => false,
        },
        _ => false,
    }
}

/// Whether others than this call of the function reach a place.
fn is_shared(cx: &RuleContext, id: FunctionId, place: &LockPlace) -> bool {
    place.is_exact
        && match &place.root {
            LockRoot::Parameter(at) => place.class.is_some() || is_lent(cx, id, *at as usize),
            LockRoot::Static(_) => true,
            LockRoot::Local(owner, _) => *owner != id,
            LockRoot::Unknown => false,
        }
}

/// Whether the atomic stands itself in what a parameter lends to this function alone: `&mut self`.
fn is_exclusive(cx: &RuleContext, id: FunctionId, access: &Access) -> bool {
    let LockRoot::Parameter(at) = access.place.root else { return false };
    let function = cx.function(id);
    let Some(Callee::Method(receiver, _)) = function.call(access.call).map(|call| &call.callee) else { return false };
    // What a counted pointer leads to, others may have as well.
    let is_itself = || match cx.program.value_type(id, *receiver) {
        Type::Instance(of) => cx.program.tables(Language::Rust).atomic(&of.name).is_some(),
        _ => false,
    };
    access.place.fields.len() <= 1
        && function.parameters.get(at as usize).is_some_and(|parameter| parameter.is_exclusive)
        && is_itself()
}

/// Whether a parameter is an atomic that somebody else has as well: by reference, or in a counted pointer.
fn is_lent(cx: &RuleContext, id: FunctionId, parameter: usize) -> bool {
    let annotation = cx.function(id).parameters.get(parameter).and_then(|parameter| parameter.annotation.clone());
    match annotation {
        Some(TypeTerm::Reference(_)) => true,
        Some(term) => match cx.program.term_type(id, &term) {
            Type::Instance(of) => cx.program.tables(Language::Rust).atomic(&of.name).is_none(),
            _ => false,
        },
        None => false,
    }
}

/// A store that rests on a load of the same atomic.
fn dependent_stores(cx: &RuleContext, id: FunctionId, accesses: &[Access], out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let uses = Uses::of(&function);
    // Whoever looks at what counting answers may take it back.
    let is_candidate = |access: &&Access| {
        let is_it = access.how == How::Store || access.counts && uses.is_only_discarded(access.call);
        is_it && is_shared(cx, id, &access.place) && !is_exclusive(cx, id, access)
    };
    if !accesses.iter().any(|access| access.how == How::Load) || !accesses.iter().any(|access| is_candidate(&access)) {
        return;
    }
    let mut told: Vec<&str> = Vec::new();
    let mut asked: Option<Verdict> = None;
    for store in accesses.iter().filter(is_candidate) {
        let is_updated = accesses.iter().any(|access| {
            matches!(access.how, How::Update | How::Weak)
                && access.place.is_same(&store.place)
                && access.step_before(store)
        });
        // Whoever won an exchange owns the place until it stores again.
        if told.contains(&store.name.as_str()) || is_updated {
            continue;
        }
        let loads = accesses.iter().filter(|load| load.how == How::Load && load.place.is_same(&store.place));
        let found = loads.filter(|load| load.step_before(store) && !is_guarded(cx, id, load, store)).find_map(|load| {
            let made = cx.program.made_from(id, &uses, load.call);
            let stored = function.call(store.call)?.arguments.first()?.value;
            if made.contains(&stored) {
                // Who takes away what was there leaves what came meanwhile.
                return (!store.counts).then_some((load, true));
            }
            (decides(&function, &made, load, store) && !is_looked_at_again(cx, id, accesses, load, store))
                .then_some((load, false))
        });
        let Some((load, is_value)) = found else { continue };
        if cx.program.is_always_called_under_a_lock(id) {
            continue;
        }
        told.push(&store.name);
        let verdict = not_one_step(cx, id, load, store, is_value);
        match (&mut asked, verdict.stance) {
            // Whether the function runs twice at once is one question, however many atomics rest on it.
            (Some(open), Stance::Unproven) => {
                let (at, place) = (cx.location(id, store.span), &store.name);
                open.subject.push_str(&format!(", `{place}`"));
                open.evidence.push(Evidence { at, note: format!("so does what becomes of `{place}`") });
            }
            (None, Stance::Unproven) => asked = Some(verdict),
            (_, Stance::Violated(_) | Stance::Upheld) => out.push(verdict),
        }
    }
    out.extend(asked);
}

impl Access {
    /// Whether it stands before another, in the order of the text.
    pub(super) fn step_before(&self, other: &Access) -> bool {
        (self.block, self.step) < (other.block, other.step)
    }
}

/// Whether a lock that keeps others out is held from one access to the other.
fn is_guarded(cx: &RuleContext, id: FunctionId, load: &Access, store: &Access) -> bool {
    let facts = cx.facts(id);
    let at_load = facts.held_at(load.block, load.step);
    let at_store = facts.held_at(store.block, store.step);
    at_load.iter().any(|held| excludes(&held.lock) && at_store.contains(held))
}

/// Whether a place is loaded once more under the lock under which it is stored: the first load only saved the lock.
fn is_looked_at_again(cx: &RuleContext, id: FunctionId, accesses: &[Access], load: &Access, store: &Access) -> bool {
    accesses.iter().any(|again| {
        let is_between = load.step_before(again) && again.step_before(store);
        again.how == How::Load && is_between && again.place.is_same(&store.place) && is_guarded(cx, id, again, store)
    })
}

/// Whether what was loaded decides whether the store happens.
fn decides(function: &Function, made: &BTreeSet<ValueIndex>, load: &Access, store: &Access) -> bool {
    let loop_of = |block: BlockIndex| function.blocks[block.at()].in_loop;
    // A loop that goes on until the value is right has waited its turn.
    if loop_of(load.block) != loop_of(store.block) {
        return false;
    }
    function.conditions().any(|(at, value, _)| {
        let is_turn = loop_of(at).is_some_and(|index| {
            let around = &function.loops[index.at()];
            around.kind == LoopKind::While && around.header == at
        });
        made.contains(&value) && !is_turn && function.decides(at, store.block)
    })
}

fn not_one_step(cx: &RuleContext, id: FunctionId, load: &Access, store: &Access, is_value: bool) -> Verdict {
    let (place, function) = (&store.name, cx.function(id));
    let met = cx.program.met_by_itself(id, true);
    // Whether it matters that a count goes a little too far, only its author knows.
    let is_certain = met.is_some() && !store.counts;
    let stance = if is_certain { Stance::Violated(Confidence::Medium) } else { Stance::Unproven };
    let what = match (is_value, store.counts) {
        (true, _) => "stores what it made of an earlier load",
        (false, true) => "counts where an earlier load allowed it, the load",
        (false, false) => "stores what an earlier load decided on",
    };
    let instead = if store.counts {
        "count first, look at what that answers and take it back where it is too much, or use `fetch_update`"
    } else if is_value {
        "use one step: `fetch_add` and its kin, `fetch_update`, or a loop over `compare_exchange`"
    } else {
        "use one step, `compare_exchange` or `swap`, and go on only where it succeeded"
    };
    let mut verdict = cx
        .verdict(NAME, stance, id, store.span, &format!("`{place}`"))
        .assumes(format!("nobody changes `{place}` between the load and the store of `{}`", function.name))
        .says(format!("`{}` {what} of `{place}`: the two are not one step", function.name))
        .asks(format!("Can `{}` run twice at once, or somebody else store to `{place}` in between?", function.name))
        .helps(instead)
        .evidence(cx.location(id, load.span), format!("`{place}` is loaded here"));
    if let Some((at, what)) = met {
        verdict = verdict.evidence(at, what);
    }
    verdict
}

/// An exchange that may fail for no reason, and is tried once.
fn given_up_at_once(cx: &RuleContext, id: FunctionId, accesses: &[Access], out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if function.kind == FunctionKind::Closure {
        return;
    }
    for access in accesses.iter().filter(|access| access.how == How::Weak) {
        if function.blocks[access.block.at()].in_loop.is_some() {
            continue;
        }
        let place = &access.name;
        let method = cx.program.callee_text(id, access.call);
        let method = method.rsplit('.').next().unwrap_or_default();
        out.push(
            cx.violated(NAME, Confidence::Medium, id, access.span, &format!("`{place}`"))
                .assumes(format!("`{method}` on `{place}` fails only if somebody else was there"))
                .says(format!(
                    "`{method}` on `{place}` may fail although nobody else was there, and is not tried again"
                ))
                .helps("use the strong exchange, or try again in a loop"),
        );
    }
}

/// Accesses of a `static mut`, which nothing orders.
fn mutable_statics(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    // Closures run where they are handed to, such as in an initialiser that runs once.
    if function.kind == FunctionKind::Closure || id.index.0 == 0 {
        return;
    }
    let mut told: Vec<&Place> = Vec::new();
    for (block, at, step) in function.steps() {
        let (place, write) = match &step.kind {
            StepKind::Read(place) => (place, None),
            StepKind::Write(place, kind, _) => (place, Some(*kind)),
            _ => continue,
        };
        let Root::Global(path) = &place.root else { continue };
        if told.contains(&place) || !is_mutable_static(cx, id, path) {
            continue;
        }
        let facts = cx.facts(id);
        if facts.held_at(block, at as u32).iter().any(|held| excludes(&held.lock)) {
            continue;
        }
        // A read that belongs to a write is told with it.
        let is_written =
            function.steps().any(|(_, _, step)| matches!(&step.kind, StepKind::Write(other, ..) if other == place));
        if write.is_none() && is_written || cx.program.is_always_called_under_a_lock(id) {
            continue;
        }
        told.push(place);
        let name = cx.program.place_text(id, place);
        let (stance, verb) = match write {
            Some(WriteKind::Augment) => (Stance::Violated(Confidence::Medium), "changes"),
            Some(WriteKind::Assign | WriteKind::Delete) => (Stance::Violated(Confidence::Medium), "writes"),
            None => (Stance::Unproven, "reads"),
        };
        out.push(
            cx.verdict(NAME, stance, id, step.span, &format!("`{name}`"))
                .assumes(format!("no other thread is at `{name}` while `{}` is", function.name))
                .says(format!("`{}` {verb} `{name}`, a `static mut` that nothing guards", function.name))
                .asks(format!(
                    "`{name}` is a `static mut`: can another thread write it while `{}` reads?",
                    function.name
                ))
                .helps("make it an atomic, or put it behind a lock or a `OnceLock`"),
        );
    }
}

fn is_mutable_static(cx: &RuleContext, id: FunctionId, path: &[String]) -> bool {
    let Item::Static(module, at) = cx.program.resolve_in(id, path) else { return false };
    cx.program.module(module).statics.get(at as usize).is_some_and(|place| place.is_mutable)
}
