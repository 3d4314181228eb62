//! A task is started and its handle, or what became of it, is thrown away.

mod called_at_once;
mod left_behind;
pub(super) mod let_go;
pub(super) mod no_longer_awaited;
mod outcomes;
mod restarted;

use crate::analysis::FunctionId;
use crate::analysis::makes::Starts;
use crate::analysis::types::Type;
use crate::analysis::uses::{Carries, Loss, Lost, Uses};
use crate::catalogue::Detach;
use crate::flow::{Callee, Field, Function, FunctionKind, Place, StepKind, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Level, Stance, Verdict};

use super::context::RuleContext;

const NAME: &str = "dropped-task";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let shape = cx.program.shape(id);
    let mut uses = None;
    if cx.language(id.module) == Language::Rust {
        owners_thrown_away(cx, id, uses.get_or_insert_with(|| Uses::of(&function)), out);
        left_by_destructor(cx, id, out);
    }
    for (at, value) in function.values.iter().enumerate() {
        let index = ValueIndex(at as u32);
        if !matches!(value.kind, ValueKind::Call(_)) || !shape.is_reachable(value.block) {
            continue;
        }
        let Some(starts) = cx.program.starts(id, index) else { continue };
        let uses = uses.get_or_insert_with(|| Uses::of(&function));
        // What somebody else waits for may be let go, for as long as he is there.
        if starts.spawn.owned {
            out.extend(ends_with_its_owner(cx, id, index, uses));
            continue;
        }
        // What runs on regardless may be let go, unless somebody should hear of its end.
        if starts.spawn.detach == Detach::Normal {
            out.extend(unheard(cx, id, index, &starts, uses));
            continue;
        }
        if let Some(entered) = entered(cx, id, index, &starts) {
            out.push(entered);
            continue;
        }
        let name = cx.program.callee_text(id, index);
        let lost = cx.program.losses(id, uses, index, Carries::Handle).filter(|lost| is_over(cx, id, index, lost));
        let assumption = format!("the task that `{name}` starts is kept, awaited or supervised");
        let subject = format!("`{name}`");
        out.push(match lost {
            Some(lost) => dropped(cx, id, index, &starts, &lost).assumes(assumption),
            None => cx.verdict(NAME, Stance::Upheld, id, value.span, &subject).assumes(assumption),
        });
    }
    if function.is_async() {
        outcomes::check(cx, id, &mut uses, out);
        left_behind::check(cx, id, uses.get_or_insert_with(|| Uses::of(&function)), out);
    }
    never_run(cx, id, out);
    restarted::check(cx, id, out);
    called_at_once::check(cx, id, out);
}

/// A task as a context manager: it cannot be entered, and what fails there is the only one who has its handle.
fn entered(cx: &RuleContext, id: FunctionId, spawn: ValueIndex, starts: &Starts) -> Option<Verdict> {
    let function = cx.function(id);
    let is_managed = function.managed.iter().any(|managed| managed.value == spawn);
    if !is_managed || starts.spawn.detach != Detach::Lost || starts.is_by_convention {
        return None;
    }
    let name = cx.program.callee_text(id, spawn);
    Some(
        cx.violated(NAME, Confidence::High, id, function.value(spawn).span, &format!("`{name}`"))
            .assumes(format!("the task that `{name}` starts is kept, awaited or supervised"))
            .says(format!(
                "`{name}` starts a task that cannot be entered: `with` fails, and the task is left without its handle"
            ))
            .helps("keep the handle and await it, or start the task in a task group"),
    )
}

/// A generator expression whose every turn would start a task, and whom nobody asks for a turn.
fn never_run(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    for (_, _, step) in function.steps() {
        let StepKind::Discard(thrown_away) = step.kind else { continue };
        let ValueKind::Function(index) = function.value(thrown_away).kind else { continue };
        let inner = FunctionId { module: id.module, index };
        let generator = cx.function(inner);
        if generator.kind != FunctionKind::GeneratorExpression {
            continue;
        }
        let calls = generator.values.iter().enumerate().filter(|(_, value)| matches!(value.kind, ValueKind::Call(_)));
        let mut starting = calls.filter(|(at, _)| cx.program.starts(inner, ValueIndex(*at as u32)).is_some());
        let Some((at, value)) = starting.next() else { continue };
        let name = cx.program.callee_text(inner, ValueIndex(at as u32));
        out.push(
            cx.violated(NAME, Confidence::High, id, step.span, &format!("`{name}` in a generator"))
                .assumes(format!("the tasks of `{name}` are started, and kept, awaited or supervised"))
                .says(format!("nobody runs this generator, so that `{name}` starts nothing"))
                .helps("start the tasks in a loop or a list, and keep their handles")
                .evidence(cx.location(inner, value.span), "each turn would start a task"),
        );
    }
}

/// A task whose owner is a variable that ends before anything could wait for it.
fn ends_with_its_owner(cx: &RuleContext, id: FunctionId, spawn: ValueIndex, uses: &Uses) -> Option<Verdict> {
    let function = cx.function(id);
    let Callee::Method(receiver, _) = &function.call(spawn)?.callee else { return None };
    let ValueKind::Place(place) = &function.value(*receiver).kind else { return None };
    let variable = place.as_variable()?;
    let tables = cx.program.tables(cx.language(id.module));
    let owner_type = cx.program.value_type(id, *receiver);
    let owner = tables.owner(&owner_type.instance()?.name)?;
    let bound: Vec<ValueIndex> = cx.program.shape(id).binds(variable).collect();
    let [made] = bound[..] else { return None };
    let is_made_here = matches!(function.call(made)?.callee, Callee::Path(_));
    let only_fills = uses.reads(variable).iter().all(|read| {
        let users: Vec<ValueIndex> = uses.parts_of(*read).collect();
        users.iter().all(|user| match function.call(*user).map(|call| &call.callee) {
            Some(Callee::Method(of, name)) if of == read => {
                cx.program.starts(id, *user).is_some_and(|starts| starts.spawn.owned) || owner.asks.contains(name)
            }
            _ => false,
        }) && !users.is_empty()
    });
    let block = function.value(spawn).block;
    let waits_later = function.steps().any(|(at, number, step)| {
        let is_later = (at == block && number as u32 > function.value(spawn).step) || function.comes_to(block, at);
        is_later && matches!(step.kind, StepKind::Suspend(..))
    });
    if !is_made_here || !only_fills || waits_later || cx.program.is_captured(id, variable) {
        return None;
    }
    let (name, keeper) = (cx.program.callee_text(id, spawn), &function.variable(variable).name);
    Some(
        cx.violated(NAME, Confidence::High, id, function.value(spawn).span, &format!("`{name}`"))
            .assumes(format!("`{keeper}` is there until the task that `{name}` starts is done"))
            .says(format!("`{name}` starts a task that belongs to `{keeper}`, which ends with `{}`: the task is cancelled at once", function.name))
            .helps(format!("wait for what `{keeper}` owns before it ends, or keep `{keeper}`"))
            .evidence(cx.location(id, function.variable(variable).span), format!("`{keeper}` lives to the end of `{}`", function.name))
            .level(Level::Error),
    )
}

/// A task that runs on by itself although its failure should be heard of.
fn unheard(cx: &RuleContext, id: FunctionId, spawn: ValueIndex, starts: &Starts, uses: &Uses) -> Option<Verdict> {
    let lost = cx.program.losses(id, uses, spawn, Carries::Handle)?;
    lost.iter().find(|lost| matches!(lost.how, Loss::Discarded | Loss::Unused(_)))?;
    let function = cx.function(id);
    let name = cx.program.callee_text(id, spawn);
    let verdict = cx
        .violated(NAME, Confidence::High, id, function.value(spawn).span, &format!("`{name}`"))
        .assumes(format!("somebody hears how the task that `{name}` starts ends"))
        .level(Level::Note);
    let call = function.call(spawn)?;
    let argument = cx.program.arguments_meant(call, &starts.spawn.argument);
    let [started] = cx.program.functions_meant(id, *argument.first()?)[..] else { return None };
    let fails = fails_at(cx, started)?;
    Some(
        verdict
            .says(format!(
                "`{name}` starts a task that may fail, and its result is thrown away: nobody hears of the failure"
            ))
            .helps("handle the failure in the task, or keep the handle and look at what it gives")
            .evidence(cx.location(started, fails), "the task ends with an error from here"),
    )
}

/// Where the code of a task gives up with an error that it returns.
fn fails_at(cx: &RuleContext, id: FunctionId) -> Option<Span> {
    let function = cx.function(id);
    if !function.is_async() || cx.language(id.module) != Language::Rust {
        return None;
    }
    let tables = cx.program.tables(Language::Rust);
    // `?` on what has no error part ends the task without one.
    let has_error = |of: ValueIndex| match cx.program.value_type(id, of).instance() {
        Some(tried) => tables.type_shape(&tried.name).is_some_and(|shape| shape.params.len() == 2),
        None => false,
    };
    let fails = |value: &&crate::flow::Value| matches!(value.kind, ValueKind::Try(of) if has_error(of));
    function.values.iter().find(fails).map(|value| value.span)
}

/// A destructor that cleans up and leaves the tasks alone whose handles the value keeps: dropping those ends nothing.
fn left_by_destructor(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if function.name.starts_with('<') || !cx.program.is_destructor(id) {
        return;
    }
    let Some(owner) = cx.program.self_type(id) else { return };
    let definition = cx.program.type_def(owner);
    let module = cx.program.module(id.module);
    let inside = |other: &Function| other.span.start >= function.span.start && other.span.end <= function.span.end;
    let is_mentioned = |name: &str| {
        let fields =
            |place: &Place| place.fields.iter().any(|field| matches!(field, Field::Name(known) if known == name));
        module.functions.iter().filter(|other| inside(other)).flat_map(|other| &other.values).any(|value| match &value
            .kind
        {
            ValueKind::Place(place) => fields(place),
            ValueKind::Field(_, known) => known == name,
            _ => false,
        })
    };
    let kept = definition.fields.iter().enumerate().filter(|(at, field)| {
        holds_handle(cx, &cx.program.field_type(owner, *at as u32), 3) && !is_mentioned(&field.name)
    });
    let kept: Vec<String> = kept.map(|(_, field)| format!("`{}`", field.name)).collect();
    let Some(first) = kept.first() else { return };
    let fields = kept.join(", ");
    out.push(
        cx.verdict(NAME, Stance::Unproven, id, function.header, first)
            .assumes(format!("the tasks in {fields} end with their `{}`", definition.name))
            .says(format!(
                "`{}` cleans up when it ends and leaves the tasks in {fields} alone: a dropped handle ends nothing",
                definition.name
            ))
            .asks(format!("do the tasks in {fields} end by themselves when their `{}` does?", definition.name))
            .helps("abort them there, or tell them to end and let somebody wait for them")
            .evidence(
                cx.program.location(FunctionId { module: owner.module, ..id }, definition.header),
                "the handles are kept here",
            ),
    );
}

/// Whether a type is a handle whose task runs on without it, or a collection of such.
fn holds_handle(cx: &RuleContext, of: &Type, depth: u32) -> bool {
    let Some(instance) = of.instance().filter(|instance| instance.definition.is_none() && depth > 0) else {
        return false;
    };
    cx.program.tables(Language::Rust).is_handle(&instance.name)
        || instance.arguments.iter().any(|argument| holds_handle(cx, argument, depth - 1))
}

/// A value that ends what it owns, thrown away where it is made.
fn owners_thrown_away(cx: &RuleContext, id: FunctionId, uses: &Uses, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    let tables = cx.program.tables(cx.language(id.module));
    for (at, value) in function.values.iter().enumerate() {
        let index = ValueIndex(at as u32);
        if !matches!(value.kind, ValueKind::Call(_)) || !uses.is_only_discarded(index) {
            continue;
        }
        let made = cx.program.value_type(id, index);
        // What only comes by (a clone of a set, a set that is handed on) ends nothing that somebody started.
        let Some(owner) =
            made.instance().and_then(|made| tables.owner(&made.name)).filter(|owner| owner.asks.is_empty())
        else {
            continue;
        };
        let (name, kind) = (cx.program.callee_text(id, index), owner.name.rsplit("::").next().unwrap_or_default());
        out.push(
            cx.violated(NAME, Confidence::High, id, value.span, &format!("`{name}`"))
                .assumes(format!("what `{name}` gives is kept for as long as what it guards should go on"))
                .says(format!("`{name}` gives a `{kind}` that is thrown away: what it guards is cancelled at once"))
                .helps("bind it to a name that lives as long as what it guards")
                .level(Level::Error),
        );
    }
}

/// Whether the handle really ends: a variable lives as long as its function, which may wait at length itself.
fn is_over(cx: &RuleContext, id: FunctionId, index: ValueIndex, lost: &[Lost]) -> bool {
    let is_bound = lost.iter().any(|lost| matches!(lost.how, Loss::Unused(_) | Loss::Callback(_) | Loss::Weak(_)));
    !is_bound || !cx.program.stays_after(id, cx.function(id).value(index).block)
}

fn dropped(cx: &RuleContext, id: FunctionId, index: ValueIndex, starts: &Starts, lost: &[Lost]) -> Verdict {
    let function = cx.function(id);
    let name = cx.program.callee_text(id, index);
    let callback = lost.iter().find(|lost| matches!(lost.how, Loss::Callback(_)));
    let unused = lost.iter().find_map(|lost| match lost.how {
        Loss::Unused(variable) => Some(function.variable(variable).name.clone()),
        _ => None,
    });
    let weak = lost.iter().find_map(|lost| match lost.how {
        Loss::Weak(call) => Some((cx.program.callee_text(id, call), lost.at)),
        _ => None,
    });
    let is_guessed = callback.is_some() || starts.is_by_convention;
    let confidence = if is_guessed { Confidence::Medium } else { Confidence::High };
    let gone = match (&unused, &weak, callback) {
        (Some(variable), ..) => format!("`{variable}` is not used after this"),
        (None, Some((keeper, _)), _) => format!("`{keeper}` keeps its handle only as long as somebody else does"),
        (None, None, Some(_)) => "its handle is only given a callback".to_owned(),
        (None, None, None) => "its handle is thrown away".to_owned(),
    };
    let harm = match starts.spawn.detach {
        Detach::Cancels => "the task is cancelled at once",
        Detach::Lost | Detach::Normal => "the loop keeps only a weak reference, so the task may be collected half-way",
    };
    // Kept in a variable it lives at least as long as the function, which is not the same as not at all.
    let subject = unused.as_ref().map_or_else(|| format!("`{name}`"), |variable| format!("`{name}` in `{variable}`"));
    let mut verdict = cx
        .violated(NAME, confidence, id, function.value(index).span, &subject)
        .says(format!("`{name}` starts a task and {gone}: {harm}"))
        .helps("keep the handle for as long as the task may run, await it, or start it in a task group");
    if let Some((_, at)) = weak {
        verdict = verdict.evidence(cx.location(id, at), "a weak collection does not keep the task");
    }
    if let Some(callback) = callback {
        verdict = verdict.evidence(cx.location(id, callback.at), "a callback does not keep the task");
    }
    if let Some(through) = starts.through {
        let callee = cx.function(through);
        let note = format!("`{}` returns the handle", callee.name);
        let starts =
            (0..).map(ValueIndex).zip(&callee.values).find(|(at, _)| cx.program.starts(through, *at).is_some());
        verdict = verdict.evidence(cx.location(through, callee.header), note);
        if let Some((_, starts)) = starts {
            verdict = verdict.evidence(cx.location(through, starts.span), "the task is started here");
        }
    }
    verdict
}
