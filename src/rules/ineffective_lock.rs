//! A lock that excludes nobody: whoever takes it has just made it, and nobody else can reach it.

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::analysis::locks::{Lock, LockRoot};
use crate::analysis::uses::Uses;
use crate::catalogue::{LockKind, Owner};
use crate::flow::{
    BlockIndex, Callee, Function, FunctionIndex, StepKind, ValueIndex, ValueKind, VariableIndex, WriteKind,
};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Verdict};

use super::context::RuleContext;

const NAME: &str = "ineffective-lock";

/// How many pointers may lie around a lock.
const MOST_POINTERS: usize = 4;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    for managed in &function.managed {
        let is_taken = cx.facts(id).events.iter().any(|event| is_taking(event) && event.span == managed.span);
        if is_taken && is_made(cx, id, managed.value) {
            out.push(verdict(cx, id, managed.span, managed.span, &cx.program.value_text(id, managed.value)));
        }
    }
    let mut named = Vec::new();
    for event in cx.facts(id).events.iter().filter(|event| is_taking(event)) {
        let What::Acquire(lock, _) = &event.what else { continue };
        if named.contains(&lock.place) {
            continue;
        }
        let made = match lock.place.root {
            LockRoot::Local(owner, variable) if owner == id && lock.place.fields.is_empty() => {
                kept_to_itself(cx, id, variable).filter(|_| !is_in_macro(cx, id, variable))
            }
            LockRoot::Local(owner, variable) if lock.place.fields.is_empty() => moved_into(cx, owner, variable, id),
            LockRoot::Parameter(_) | LockRoot::Static(_) => made_anew(cx, id, event, lock),
            LockRoot::Local(..) | LockRoot::Unknown => None,
        };
        if let Some((owner, at)) = made {
            named.push(lock.place.clone());
            let mut found = verdict(cx, id, event.span, event.span, &lock.name);
            found.evidence = Vec::new();
            out.push(found.evidence(cx.location(owner, at), format!("`{}` is made here, by nobody else", lock.name)));
        }
    }
}

fn is_taking(event: &Event) -> bool {
    matches!(event.what, What::Acquire(..))
}

fn verdict(cx: &RuleContext, id: FunctionId, at: Span, made: Span, name: &str) -> Verdict {
    let function = cx.function(id);
    cx.violated(NAME, Confidence::High, id, at, &format!("`{name}`"))
        .assumes(format!("`{name}` is shared by those it should keep apart"))
        .says(format!(
            "`{name}` is made anew each time `{}` runs, and nobody else has it: it keeps nobody out",
            function.name
        ))
        .helps("make the lock once, beside the state that it protects")
        .evidence(cx.location(id, made), format!("`{name}` is made here"))
}

/// Whether a value is a lock that the expression makes, in pointers or not. What stands for something outside the
/// program, a file or a lease, is shared by its name.
fn is_made(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    let function = cx.function(id);
    let language = cx.language(id.module);
    let tables = cx.program.tables(language);
    let mut at = value;
    for _ in 0..MOST_POINTERS {
        let Some(call) = function.call(at) else { return false };
        let resolution = cx.resolution(id, at);
        let Some(name) = resolution.external() else { return false };
        let made = match language {
            Language::Python => tables.lock(name),
            Language::Rust => name.rsplit_once(language.separator()).and_then(|(of, function)| {
                let known = tables.lock(of)?;
                (known.acquisition(function).is_none() && !known.is_wait(function)).then_some(known)
            }),
        };
        if let Some(known) = made {
            let is_by_path = language == Language::Python || matches!(call.callee, Callee::Path(_));
            let is_ours = !matches!(known.owner, Some(Owner::Process | Owner::Instance | Owner::Lease));
            let keeps_out = matches!(
                known.kind,
                LockKind::Mutex | LockKind::Rwlock | LockKind::Semaphore | LockKind::Condition | LockKind::RateLimit
            );
            return is_by_path && is_ours && keeps_out && is_lock(cx, id, value);
        }
        match (language, &call.callee, &call.arguments[..]) {
            (Language::Rust, Callee::Path(_), [only]) => at = only.value,
            _ => return false,
        }
    }
    false
}

/// Whether a value is a lock, through pointers too.
fn is_lock(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    let of = cx.program.value_type(id, value);
    let language = cx.language(id.module);
    cx.program.pointees(&of).iter().any(|of| cx.program.lock_type_name(language, of).is_some())
}

/// Where a variable's only value is made, if that is a lock.
fn only_made(cx: &RuleContext, id: FunctionId, variable: VariableIndex) -> Option<Span> {
    let function = cx.function(id);
    if function.parameters.iter().any(|parameter| parameter.variable == variable)
        || function.variable(variable).captures.is_some()
    {
        return None;
    }
    let mut made = cx.program.shape(id).binds(variable).collect::<Vec<_>>().into_iter();
    let (only, None) = (made.next()?, made.next()) else { return None };
    is_made(cx, id, only).then(|| function.value(only).span)
}

/// A lock that lives in the function that takes it, and in no other.
pub(super) fn kept_to_itself(cx: &RuleContext, id: FunctionId, variable: VariableIndex) -> Option<(FunctionId, Span)> {
    let function = cx.function(id);
    let at = only_made(cx, id, variable)?;
    if id.index == FunctionIndex(0) || cx.program.is_captured(id, variable) {
        return None;
    }
    let uses = Uses::of(&function);
    let stays = uses.reads(variable).iter().all(|&read| {
        if function.managed.iter().any(|managed| managed.value == read) {
            return true;
        }
        uses.is_only_part(read) && uses.parts_of(read).all(|user| is_taken_by(cx, id, &function, read, user))
    });
    stays.then_some((id, at))
}

/// Whether a variable stands in a macro that is not one of the language's own: when the code in it runs, and whether as
/// a closure that keeps the variable, only the macro knows.
fn is_in_macro(cx: &RuleContext, id: FunctionId, variable: VariableIndex) -> bool {
    let function = cx.function(id);
    let tables = cx.program.tables(cx.language(id.module));
    let uses = Uses::of(&function);
    let reads = uses.reads(variable);
    function.values.iter().enumerate().any(|(at, value)| {
        let at = ValueIndex(at as u32);
        matches!(function.call(at).map(|call| &call.callee), Some(Callee::Macro(_)))
            && reads.iter().any(|read| value.span.contains(function.value(*read).span))
            && !cx.resolution(id, at).external().is_some_and(|name| tables.is_builtin(name))
    })
}

/// Whether a value only takes a lock or lets it go.
fn is_taken_by(cx: &RuleContext, id: FunctionId, function: &Function, read: ValueIndex, user: ValueIndex) -> bool {
    let Some(Callee::Method(receiver, _)) = function.call(user).map(|call| &call.callee) else { return false };
    let resolution = cx.resolution(id, user);
    let language = cx.language(id.module);
    let parts = resolution.external().and_then(|name| name.rsplit_once(language.separator()));
    *receiver == read
        && parts.is_some_and(|(type_name, method)| {
            let known = cx.program.tables(language).lock(type_name);
            known.is_some_and(|lock| lock.acquisition(method).is_some() || lock.is_release(method))
        })
}

/// A lock that is made for one thread or task and moves into it.
fn moved_into(
    cx: &RuleContext,
    owner: FunctionId,
    variable: VariableIndex,
    into: FunctionId,
) -> Option<(FunctionId, Span)> {
    let inner = cx.function(into);
    if cx.language(owner.module) != Language::Rust || !inner.is_move || inner.parent != Some(owner.index) {
        return None;
    }
    let at = only_made(cx, owner, variable)?;
    let function = cx.function(owner);
    let module = cx.program.module(owner.module);
    let mut holders = module.functions().filter(|(_, inner)| {
        inner.parent == Some(owner.index) && inner.variables.iter().any(|known| known.captures == Some(variable))
    });
    let is_alone = holders.next().is_some_and(|(index, _)| index == into.index) && holders.next().is_none();
    let has_inner = module.functions().any(|(_, inner)| inner.parent == Some(into.index));
    let is_spawned = || {
        function.values.iter().enumerate().any(|(at, value)| {
            let ValueKind::Call(call) = &value.kind else { return false };
            let resolution = cx.resolution(owner, ValueIndex(at as u32));
            cx.program.spawn(owner, &resolution).is_some_and(|spawn| {
                let started = cx.program.arguments_meant(call, &spawn.argument);
                started
                    .iter()
                    .any(|&one| matches!(function.value(one).kind, ValueKind::Function(of) if of == into.index))
            })
        })
    };
    let is_read = !Uses::of(&function).reads(variable).is_empty();
    (is_alone && !has_inner && !is_read && is_spawned()).then_some((owner, at))
}

/// A lock that the function puts anew into its place before it takes it, where no one else takes it or where several
/// calls may be under way at once.
fn made_anew(cx: &RuleContext, id: FunctionId, event: &Event, lock: &Lock) -> Option<(FunctionId, Span)> {
    let function = cx.function(id);
    let class = lock.place.class.as_deref().filter(|_| lock.place.is_exact)?;
    if cx.language(id.module) != Language::Python || function.name.starts_with("__") || id.index == FunctionIndex(0) {
        return None;
    }
    let at = function.steps().find_map(|(block, number, step)| {
        let StepKind::Write(place, WriteKind::Assign, Some(value)) = &step.kind else { return None };
        let comes_first = dominates(&function, (block, number), (event.block, event.step as usize));
        let is_it = comes_first
            && cx.program.canonical_place(id, place, block, number as u32).is_same(&lock.place)
            && is_made(cx, id, *value);
        is_it.then_some(step.span)
    })?;
    let is_shared = || {
        cx.program.functions_of(id.module).any(|other| {
            let takes = |event: &Event| matches!(&event.what, What::Acquire(lock, _) if lock.place.class.as_deref() == Some(class));
            other != id && cx.facts(other).events.iter().any(takes)
        })
    };
    (cx.context(id).concurrent.is_some() || !is_shared()).then_some((id, at))
}

/// Whether every way to the second step leads through the first.
fn dominates(function: &Function, first: (BlockIndex, usize), second: (BlockIndex, usize)) -> bool {
    if first.0 == second.0 {
        return first.1 < second.1;
    }
    let past = function.reached([BlockIndex(0)], |at, block, on| {
        if at != first.0 {
            on.extend(block.successors());
        }
    });
    !past[second.0.at()]
}
