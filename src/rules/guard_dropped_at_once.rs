//! A guard ends in the very statement that makes it, does not come along into the task that it is for, or a lock is
//! named and not taken.

use crate::analysis::FunctionId;
use crate::analysis::channels::is_in_loop;
use crate::analysis::types::Type;
use crate::analysis::uses::Uses;
use crate::catalogue::{Flavour, LockKind, Runs};
use crate::flow::{
    BlockIndex, Callee, Field, Function, FunctionKind, Goes, Place, StepKind, Stretch, Value, ValueIndex, ValueKind,
    VariableIndex,
};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;
use super::wait_under_lock::waited_for;

const NAME: &str = "guard-dropped-at-once";

/// How many calls and unwrappings may lie between a lock and the value that is thrown away.
const LONGEST: u32 = 8;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if function.is_move && cx.language(id.module) == Language::Rust {
        left_outside(cx, id, out);
    }
    for (block, number, step) in function.steps() {
        let StepKind::Discard(value) = step.kind else { continue };
        if !cx.program.shape(id).is_reachable(block) {
            continue;
        }
        match cx.language(id.module) {
            Language::Rust if goes_on(&function, block, number) => {
                out.extend(thrown_away(cx, id, value, gives_way_next(&function, block, number)));
            }
            Language::Rust => {}
            Language::Python => out.extend(not_called(cx, id, value).or_else(|| not_entered(cx, id, value))),
        }
    }
}

/// A guard that a closure or block names in `let _ = guard` and nowhere else. That reads nothing, so it is not captured
/// and ends where it was made, while the closure or block goes on.
fn left_outside(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if !matches!(function.kind, FunctionKind::Closure | FunctionKind::AsyncBlock) {
        return;
    }
    let package = cx.program.package_of(&cx.program.module(id.module).path);
    if package.is_some_and(|package| !package.captures_parts) || !goes_its_own_way(cx, id) {
        return;
    }
    let uses = Uses::of(&function);
    for (at, variable) in (0..).map(VariableIndex).zip(&function.variables) {
        let [read] = uses.reads(at)[..] else { continue };
        let node = function.value(read);
        let is_bare = matches!(&node.kind, ValueKind::Place(place) if place.as_variable() == Some(at));
        if variable.captures.is_none()
            || !is_bare
            || !uses.is_unused(read)
            || !goes_on(&function, node.block, node.step as usize)
        {
            continue;
        }
        let of = cx.program.value_type(id, read);
        let known = cx.program.guarded(&of).and_then(|of| cx.program.tables(Language::Rust).lock(&of.type_name));
        let is_guard = known.is_some_and(|known| {
            matches!(known.kind, LockKind::Mutex | LockKind::Rwlock | LockKind::Semaphore | LockKind::Span)
        });
        if is_guard {
            let name = &variable.name;
            out.push(
                cx.violated(NAME, Confidence::High, id, node.span, &format!("`{name}`"))
                    .assumes(format!("`{name}` lives as long as what it is named in"))
                    .says(format!("`_` takes nothing, so `{name}` does not come along: it ends outside, at once"))
                    .helps(format!("bind it to a name (`let _{name} = {name};`), or drop it at the end")),
            );
        }
    }
}

/// Whether a closure or block is only handed to somebody who runs it beside the function around it, which does not wait
/// for anything in the same turn: as long as that waits, it has what the closure left.
fn goes_its_own_way(cx: &RuleContext, id: FunctionId) -> bool {
    let Some(parent) = cx.function(id).parent.map(|index| FunctionId { module: id.module, index }) else {
        return false;
    };
    let outer = cx.function(parent);
    let uses = Uses::of(&outer);
    let is_it = |value: &Value| matches!(value.kind, ValueKind::Function(index) if index == id.index);
    let Some(made) = outer.values.iter().position(is_it).map(|at| ValueIndex(at as u32)) else { return false };
    let mut users = uses.parts_of(made);
    let (Some(user), None, true) = (users.next(), users.next(), uses.is_only_part(made)) else { return false };
    if outer.call(user).is_none() {
        return false;
    }
    let resolution = cx.resolution(parent, user);
    let spawned = cx.program.spawn(parent, &resolution).map(|spawn| spawn.runs);
    let runs = spawned.or_else(|| cx.program.offload(parent, &resolution).map(|offload| offload.runs));
    matches!(runs, Some(Runs::Thread | Runs::Task)) && !waits_in_turn(cx, parent, user)
}

/// Whether a function waits for something after a call, before it comes to the next turn of the loop around that.
fn waits_in_turn(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    let function = cx.function(id);
    let node = function.value(call);
    let turns = function.blocks[node.block.at()].in_loop;
    let is_in_turn = |block: BlockIndex| {
        turns.is_none_or(|turns| {
            function.loops[turns.at()].header != block
                && is_in_loop(&function, function.blocks[block.at()].in_loop, turns)
        })
    };
    let waits = |kind: &StepKind| match kind {
        StepKind::Suspend(..) => true,
        StepKind::Call(value) => waited_for(cx, id, *value).is_some(),
        _ => false,
    };
    let visit = |stretch: Stretch| match stretch.first {
        0 if !is_in_turn(stretch.at) => Goes::Aside,
        _ if stretch.steps().any(|(_, step)| waits(&step.kind)) => Goes::Over(()),
        _ => Goes::On,
    };
    function.walk_steps((node.block, node.step as usize + 1), visit).is_some()
}

/// Whether anything happens after a step that could have been meant to run under a guard.
fn goes_on(function: &Function, block: BlockIndex, number: usize) -> bool {
    let happens = |kind: &StepKind| {
        matches!(kind, StepKind::Call(_) | StepKind::Suspend(..) | StepKind::Read(_) | StepKind::Write(..))
    };
    function.comes_to_step((block, number + 1), |_, step| happens(&step.kind))
}

/// Whether the next statement suspends. A blocking guard has no business there: that it ends before is right.
fn gives_way_next(function: &Function, block: BlockIndex, number: usize) -> bool {
    let rest = function.blocks[block.at()].steps.iter().skip(number + 1);
    let statement = rest
        .skip_while(|step| matches!(step.kind, StepKind::Drop(..)))
        .take_while(|step| !matches!(step.kind, StepKind::Discard(_) | StepKind::Bind(..) | StepKind::Drop(..)));
    statement.into_iter().any(|step| matches!(step.kind, StepKind::Suspend(..)))
}

/// A guard, or another value that matters for as long as it lives, that nobody keeps.
fn thrown_away(cx: &RuleContext, id: FunctionId, value: ValueIndex, is_before_await: bool) -> Option<Verdict> {
    let function = cx.function(id);
    let made = maker(&function, value)?;
    let of = cx.program.value_type(id, value);
    let tables = cx.program.tables(Language::Rust);
    let scope = |of: &Type| of.instance().is_some_and(|one| one.definition.is_none() && tables.is_scope(&one.name));
    let span = function.value(value).span;
    if of.alternatives().iter().any(scope) {
        let name = cx.program.value_text(id, made);
        return Some(
            cx.violated(NAME, Confidence::High, id, span, &format!("`{name}`"))
                .assumes(format!("what `{name}` gives lives as long as what it is for"))
                .says(format!("what `{name}` gives is dropped in the same statement, and its end comes at once"))
                .helps("bind it to a name that lives as long as it should (`let _guard = …`): `_` keeps nothing"),
        );
    }
    let type_name = cx.program.guarded(&of)?.type_name;
    let known = tables.lock(&type_name)?;
    let kind = known.kind;
    let (name, is_its_own) = taken(cx, id, value).unwrap_or_else(|| (cx.program.value_text(id, made), false));
    let said = match kind {
        _ if known.flavour == Flavour::Blocking && is_before_await => return None,
        LockKind::Mutex | LockKind::Rwlock => {
            format!("`{name}` is locked and unlocked in one statement: nothing after it runs under the lock")
        }
        // Whoever asks for several at once waits for the others to be done.
        LockKind::Semaphore if has_arguments(&function, value) => return None,
        LockKind::Semaphore => {
            format!("the permit of `{name}` is given back in the statement that takes it: nothing after it is limited")
        }
        LockKind::Span => format!("`{name}` is entered and left in one statement: nothing after it runs inside"),
        // A borrow or an entry is often looked at in passing.
        LockKind::Condition | LockKind::Event | LockKind::Barrier | LockKind::Queue | LockKind::Cell => return None,
        LockKind::MapShard | LockKind::PermitPool | LockKind::Watch | LockKind::Once => return None,
        LockKind::Transaction | LockKind::RateLimit | LockKind::Marked => return None,
    };
    let confidence = if is_its_own { Confidence::High } else { Confidence::Medium };
    Some(
        cx.violated(NAME, confidence, id, span, &format!("`{name}`"))
            .assumes(format!("the guard of `{name}` lives as long as the work that it protects"))
            .says(said)
            .helps("bind the guard to a name (`let _guard = …`): `_` and a bare statement keep nothing"),
    )
}

/// The innermost call that a value comes from, looking through awaits and unwrapping.
fn maker(function: &Function, value: ValueIndex) -> Option<ValueIndex> {
    let mut at = value;
    for _ in 0..LONGEST {
        match &function.value(at).kind {
            ValueKind::Call(_) => return Some(at),
            ValueKind::Awaited(of) | ValueKind::Try(of) => at = *of,
            _ => return None,
        }
    }
    None
}

/// The calls that lead to a value, the last first.
fn chain(function: &Function, value: ValueIndex) -> Vec<ValueIndex> {
    let mut found = Vec::new();
    let mut at = Some(value);
    while let Some(call) = at.and_then(|at| maker(function, at)).filter(|_| found.len() < LONGEST as usize) {
        found.push(call);
        at = match function.call(call).map(|call| &call.callee) {
            Some(Callee::Method(receiver, _)) => Some(*receiver),
            _ => None,
        };
    }
    found
}

/// The lock that a value's guard is of, by the call that takes it, and whether the call is the lock's own.
fn taken(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<(String, bool)> {
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Rust);
    chain(&function, value).into_iter().find_map(|call| {
        let resolution = cx.resolution(id, call);
        let (type_name, method) = resolution.external()?.rsplit_once(Language::Rust.separator())?;
        tables.lock(type_name)?.acquisition(method)?;
        let Callee::Method(receiver, _) = function.call(call)?.callee else { return None };
        Some((cx.program.value_text(id, receiver), true))
    })
}

fn has_arguments(function: &Function, value: ValueIndex) -> bool {
    let calls = chain(function, value);
    calls.last().and_then(|&call| function.call(call)).is_some_and(|call| !call.arguments.is_empty())
}

/// A method that takes or releases a lock, named as a statement without being called.
fn not_called(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<Verdict> {
    let function = cx.function(id);
    let node = function.value(value);
    let (of, method) = match &node.kind {
        ValueKind::Place(place) => {
            let (Field::Name(method), above) = place.fields.split_last()? else { return None };
            let above = Place { root: place.root.clone(), fields: above.to_vec(), is_cut: false };
            (cx.program.place_type(id, &above, node.block, node.step), method)
        }
        ValueKind::Field(of, method) => (cx.program.value_type(id, *of), method),
        _ => return None,
    };
    let type_name = of.alternatives().iter().find_map(|of| cx.program.lock_type_name(Language::Python, of))?;
    let known = cx.program.tables(Language::Python).lock(&type_name)?;
    let does = match known.acquisition(method) {
        Some(_) => "taken",
        None if known.is_release(method) => "let go",
        None => return None,
    };
    let name = cx.program.value_text(id, value);
    Some(
        cx.violated(NAME, Confidence::High, id, node.span, &format!("`{name}`"))
            .assumes(format!("`{name}` is called"))
            .says(format!("`{name}` is named and not called: the lock is not {does}"))
            .helps(format!("call it: `{name}()`")),
    )
}

/// A context manager of the project that would hold a lock, made and not entered.
fn not_entered(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<Verdict> {
    let function = cx.function(id);
    function.call(value)?;
    let [callee] = cx.resolution(id, value).functions()[..] else { return None };
    let body = cx.function(callee);
    let is_manager = matches!(body.colour, crate::flow::Colour::Generator | crate::flow::Colour::AsyncGenerator)
        && !body.decorators.is_empty();
    let facts = cx.facts(callee);
    let lock = facts.yielded.first().filter(|_| is_manager)?;
    let name = cx.program.callee_text(id, value);
    Some(
        cx.violated(NAME, Confidence::High, id, function.value(value).span, &format!("`{name}`"))
            .assumes(format!("what `{name}` makes is entered"))
            .says(format!("`{name}` makes a context manager that nobody enters: `{}` is not taken", lock.name))
            .helps("enter it with `with` around what the lock protects")
            .evidence(cx.location(callee, body.header), format!("`{}` holds `{}` inside", body.name, lock.name)),
    )
}
