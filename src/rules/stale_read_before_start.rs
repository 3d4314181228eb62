//! A check decides whether something is started, and only what was started says so.
//!
//! ~~~text
//! if not self.running:                 nobody has set it yet …
//!     create_task(self.run())          … and nobody does until the task gets its turn
//! async def run(self):
//!     self.running = True
//! ~~~
//!
//! Whoever makes the check before the task, or thread, has got that far starts another one. A lock around the check and
//! the start does not help: it is let go before the flag is set.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::analysis::accesses::{Access, Touch};
use crate::analysis::strands::excludes;
use crate::analysis::{FunctionId, FunctionRef};
use crate::catalogue::{BlockingKind, Runs};
use crate::flow::{BlockIndex, Callee, Field, FunctionKind, Literal, Place, StepKind, ValueIndex, ValueKind, ValueOf};
use crate::text::Language;
use crate::verdict::{Confidence, Stance, Verdict};

use super::context::RuleContext;

const NAME: &str = "stale-read-across-await";

/// How many calls deep the flag is looked for in what is started, and the start in what the check calls.
const DEEPEST: u32 = 3;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Python || cx.program.is_test_code(id) || cx.is_set_up(id) {
        return;
    }
    let function = cx.function(id);
    if matches!(function.kind, FunctionKind::Closure | FunctionKind::GeneratorExpression) {
        return;
    }
    for start in starts(cx, id, &function) {
        let looks = decided_by(cx, id, &function, &start);
        if looks.is_empty() {
            continue;
        }
        let (own, begun) = (reached(cx, id, Some(start.callee)), reached(cx, start.callee, None));
        let found = looks.into_iter().find_map(|(condition, state, name)| {
            let accesses = cx.program.accesses_of(id.module, &state);
            let mut changes = accesses.iter().filter(|access| access.touch.is_change());
            if changes.clone().any(|access| own.contains(&access.function)) {
                return None;
            }
            let set = changes.find(|access| begun.contains(&access.function) && is_at_once(cx, access))?;
            verdict(cx, id, &start, condition, set, &name)
        });
        if let Some(found) = found {
            out.push(found);
            return;
        }
    }
}

/// A call that starts something, at once or further down.
struct Start {
    call: ValueIndex,
    callee: FunctionId,
    /// Whether the callee waits until what it started has got somewhere.
    is_awaited: bool,
}

/// What a function starts, itself or through a method of its own object.
fn starts(cx: &RuleContext, id: FunctionId, function: &FunctionRef) -> Vec<Start> {
    let mut found = Vec::new();
    let mut known = Known::default();
    for (_, _, step) in function.steps() {
        let StepKind::Call(call) = step.kind else { continue };
        if let Some((callee, is_awaited)) = started_by(cx, id, call, DEEPEST, &mut known) {
            found.push(Start { call, callee, is_awaited });
        }
    }
    found
}

/// What functions start before anything is decided in them, by how deep it was looked for. Methods that all call each
/// other would be gone through once for each way that leads to them.
type Known = FxHashMap<(FunctionId, u32), Option<(FunctionId, bool)>>;

fn started_by(
    cx: &RuleContext,
    id: FunctionId,
    call: ValueIndex,
    depth: u32,
    known: &mut Known,
) -> Option<(FunctionId, bool)> {
    let function = cx.function(id);
    let depth = depth.checked_sub(1)?;
    let at = function.value(call).span;
    let handed_over = cx.program.hands_over(id);
    let is_it = |runs: Runs| matches!(runs, Runs::Task | Runs::Thread);
    let direct = handed_over.iter().find(|handed| handed.at.span == at && is_it(handed.runs));
    // Making a thread starts nothing yet.
    let resolution = cx.resolution(id, call);
    let tables = cx.program.tables(Language::Python);
    let is_made_only = resolution.external().is_some_and(|name| tables.waits_to_be_started(name));
    if let Some(handed) = direct.filter(|_| !is_made_only) {
        return Some((handed.callee, cx.program.is_awaited(id, call) || waits_after(cx, id, call)));
    }
    if let Some(callee) = kept_thread(cx, id, call) {
        return Some((callee, waits_after(cx, id, call)));
    }
    // A method of the own object that starts something without a check of its own.
    let [callee] = resolution.functions()[..] else { return None };
    let body = cx.function(callee);
    if callee == id || !cx.program.is_on_own_object(id, call) || body.is_async() && !cx.program.is_awaited(id, call) {
        return None;
    }
    if let Some(known) = known.get(&(callee, depth)) {
        return *known;
    }
    let first = body.blocks.first()?;
    let mut calls = first.steps.iter().filter_map(|step| match step.kind {
        StepKind::Call(call) => Some(call),
        _ => None,
    });
    let found = calls.find_map(|call| started_by(cx, callee, call, depth, known));
    known.insert((callee, depth), found);
    found
}

/// The target of a thread that was made elsewhere, kept in a field, and is started here: `self._thread.start()`.
pub(super) fn kept_thread(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> Option<FunctionId> {
    let function = cx.function(id);
    let Callee::Method(receiver, _) = &function.call(call)?.callee else { return None };
    let resolution = cx.resolution(id, call);
    if !cx.program.tables(Language::Python).is_starter(resolution.external()?) {
        return None;
    }
    let value = function.value(*receiver);
    let ValueKind::Place(place) = &value.kind else { return None };
    let made: Vec<ValueOf> = match (place.as_variable(), &place.fields[..]) {
        (Some(variable), _) => {
            let reaching = cx.program.reaching(id, variable, value.block, value.step);
            reaching.values.into_iter().map(|value| ValueOf { function: id.index, value }).collect()
        }
        (None, [Field::Name(name)]) => {
            let head = Place { fields: Vec::new(), ..place.clone() };
            let of = cx.program.place_type(id, &head, value.block, value.step);
            let owner = of.instance()?.definition.filter(|owner| owner.module == id.module)?;
            let fields = &cx.program.type_def(owner).fields;
            fields.iter().find(|field| field.name == *name)?.values.clone()
        }
        _ => return None,
    };
    made.iter().find_map(|made| {
        let by = FunctionId { module: id.module, index: made.function };
        let span = cx.function(by).value(made.value).span;
        cx.program.hands_over(by).iter().find(|handed| handed.at.span == span).map(|handed| handed.callee)
    })
}

/// Whether a function waits for another thread, or gives way, after a call: until what it started has got somewhere.
fn waits_after(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    let value = cx.function(id);
    let value = value.value(call);
    cx.facts(id).events.iter().any(|event| {
        let is_after = (event.block, event.step) > (value.block, value.step);
        let waits = match event.what {
            crate::analysis::held::What::Call(call) => {
                let entry = cx.program.blocking_call(id, call, &cx.resolution(id, call));
                entry.is_some_and(|entry| matches!(entry.kind, BlockingKind::LockWait | BlockingKind::Channel))
            }
            _ => cx.gives_way(id, event),
        };
        is_after && waits
    })
}

/// The checks that decide a start: each with its value, the state that it looks at, and what that is called.
fn decided_by(
    cx: &RuleContext,
    id: FunctionId,
    function: &FunctionRef,
    start: &Start,
) -> Vec<(ValueIndex, String, String)> {
    let target = function.value(start.call).block;
    let mut found = Vec::new();
    for (_, condition, _) in function.conditions().filter(|(at, ..)| function.decides(*at, target)) {
        found.extend(cx.program.reads_behind(id, condition).into_iter().filter_map(|read| {
            let node = function.value(read);
            let ValueKind::Place(place) = &node.kind else { return None };
            let (state, name) = cx.program.state_named(id, place, node.block, node.step)?;
            Some((condition, state, name))
        }));
    }
    found
}

/// The functions that run when one does, through calls of its own object and of plain functions of the file.
fn reached(cx: &RuleContext, id: FunctionId, without: Option<FunctionId>) -> BTreeSet<FunctionId> {
    let mut found = BTreeSet::from([id]);
    let mut level = vec![id];
    for _ in 0..DEEPEST {
        let mut next = Vec::new();
        for id in level {
            let function = cx.function(id);
            for (_, _, step) in function.steps() {
                let StepKind::Call(call) = step.kind else { continue };
                for callee in cx.resolution(id, call).functions() {
                    if callee.module == id.module && Some(callee) != without && found.insert(callee) {
                        next.push(callee);
                    }
                }
            }
        }
        level = next;
    }
    found
}

/// Whether a flag is set before the function that sets it first gives way, to something that is not what it is at first.
fn is_at_once(cx: &RuleContext, access: &Access) -> bool {
    let function = cx.function(access.function);
    let Touch::Writes(_, Some(value), false) = access.touch else { return false };
    let is_off = matches!(
        function.value(value).kind,
        ValueKind::Literal(Literal::None | Literal::Bool(false) | Literal::Int(0))
    );
    let comes_first = |block: BlockIndex, step: usize| match block == access.block {
        true => (step as u32) < access.step,
        false => function.leads_to(block, access.block),
    };
    let gives_way = |step: &StepKind| matches!(step, StepKind::Suspend(..));
    !is_off && !function.steps().any(|(block, at, step)| gives_way(&step.kind) && comes_first(block, at))
}

fn verdict(
    cx: &RuleContext,
    id: FunctionId,
    start: &Start,
    condition: ValueIndex,
    set: &Access,
    name: &str,
) -> Option<Verdict> {
    let function = cx.function(id);
    let value = function.value(start.call);
    let facts = cx.facts(id);
    let guard = facts.held_at(value.block, value.step).iter().find(|held| excludes(&held.lock));
    if guard.is_some() && start.is_awaited {
        return None;
    }
    let met = cx.program.met_by_itself(id, true);
    let guarded = guard.map(|held| {
        let lock = &held.lock.name;
        (cx.location(id, held.taken), format!("`{lock}` is let go before `{name}` is set"))
    });
    let (stance, shown) = match guarded.or(met) {
        // Who waits for the start on the loop lets nobody else check meanwhile.
        Some(_) if start.is_awaited && cx.runs_on_loop(id) => return None,
        Some(shown) => (Stance::Violated(Confidence::Medium), Some(shown)),
        None if start.is_awaited && cx.runs_on_loop(id) => return None,
        None => (Stance::Unproven, None),
    };
    let (caller, callee) = (&function.name, &cx.function(start.callee).name);
    let mut verdict = cx
        .verdict(NAME, stance, id, value.span, &format!("`{name}`"))
        .assumes(format!("`{name}` is set before `{caller}` checks it again"))
        .says(format!("`{caller}` starts `{callee}` because `{name}` is not set, and only `{callee}` sets it, later"))
        .asks(format!("Can `{caller}` run again before `{callee}` has set `{name}`?"))
        .helps(format!("set `{name}` here, before the start"))
        .evidence(cx.location(id, function.value(condition).span), format!("`{name}` is checked here"))
        .evidence(cx.location(set.function, set.span), format!("`{name}` is set here"));
    if let Some((at, what)) = shown {
        verdict = verdict.evidence(at, what);
    }
    Some(verdict)
}
