//! What is made at import and used by more than one loop.
//!
//! Every `asyncio.run` makes a loop of its own. A plain function that calls it, takes arguments and hands the result
//! back is a helper: it is called again, and its coroutine then meets a module's lock that belongs to a loop long gone.

use crate::analysis::FunctionId;
use crate::analysis::held::What;
use crate::analysis::names::Item;
use crate::catalogue::{BlockingKind, LoopBound};
use crate::flow::{
    Callee, Field, FunctionKind, LoopIndex, Next, ParameterKind, Place, Root, StepKind, ValueIndex, ValueKind,
};
use crate::text::Language;
use crate::verdict::{Confidence, Evidence, Level, Verdict};

use super::super::context::RuleContext;
use super::imported::{self, Made};
use super::{NAME, bound_call};

/// How many calls below the coroutine are looked at.
const DEEPEST: u32 = 3;

/// A module-level place that belongs to one loop, and who uses it.
struct Used<'a> {
    name: String,
    entry: &'a LoopBound,
    evidence: Vec<Evidence>,
}

/// Reports the starts of new loops in a function whose coroutine uses what an older loop may own.
pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if function.is_async() || function.kind == FunctionKind::Module {
        return;
    }
    let tables = cx.program.tables(Language::Python);
    for event in &cx.facts(id).events {
        let What::Call(call) = event.what else { continue };
        let resolution = cx.resolution(id, call);
        let makes_loop = cx.program.blocking_call(id, call, &resolution).is_some_and(|entry| {
            // A method drives the loop that it is called on; a function makes one.
            entry.kind == BlockingKind::LoopEntry
                && resolution.receiver.as_ref().is_none_or(|of| of.instance().is_none())
        });
        let Some(written) = function.call(call).filter(|_| makes_loop) else { continue };
        let around = function.blocks[event.block.at()].in_loop;
        if !may_start_again(cx, id, around) {
            continue;
        }
        let consumer = resolution.external().and_then(|name| tables.consumes_awaitables(name));
        let driven = consumer.map(|argument| cx.program.arguments_meant(written, argument)).unwrap_or_default();
        let callees = driven.into_iter().flat_map(|argument| cx.program.functions_meant(id, argument));
        let Some(used) = callees.into_iter().find_map(|callee| used_in(cx, callee, DEEPEST)) else { continue };
        let name = cx.program.callee_text(id, call);
        let mut verdict = cx
            .violated(NAME, Confidence::Medium, id, event.span, &format!("`{name}`, `{}`", used.name))
            .assumes(format!("`{}` is used by one loop only", used.name))
            .says(format!(
                "each `{name}` in `{}` starts a new loop, and `{}`, made before, stays with the first that uses it",
                function.name, used.name
            ))
            .helps(format!("make `{}` in the coroutine that `{name}` drives", used.name))
            .level(Level::Warning);
        verdict.evidence.extend(used.evidence);
        out.push(verdict);
    }
}

/// Whether a function starts a loop more than once in the life of the process, as far as the text tells.
fn may_start_again(cx: &RuleContext, id: FunctionId, around: Option<LoopIndex>) -> bool {
    let function = cx.function(id);
    if around.is_some() || cx.context(id).concurrent.is_some() {
        return true;
    }
    let hands_back = function.blocks.iter().any(|block| match &block.next {
        Next::Return(Some(value)) => !matches!(function.value(*value).kind, ValueKind::Literal(_)),
        _ => false,
    });
    let takes = function
        .parameters
        .iter()
        .filter(|parameter| !matches!(parameter.kind, ParameterKind::SelfReference | ParameterKind::SelfValue));
    // Who is given something and hands something back is not the program's one entrance.
    hands_back && takes.count() > 0 && function.decorators.is_empty() && !imported::is_started_as_program(cx, id)
}

/// The first module-level place of those that a function uses which belongs to one loop.
fn used_in<'a>(cx: &RuleContext<'_, 'a>, id: FunctionId, depth: u32) -> Option<Used<'a>> {
    let function = cx.function(id);
    let depth = depth.checked_sub(1)?;
    let read = function.values.iter().find_map(|value| match &value.kind {
        ValueKind::Place(place) => {
            let (name, entry, made) = bound_static(cx, id, place).or_else(|| bound_field(cx, id, place))?;
            let note = format!("`{name}` is used here");
            let used = Evidence { at: cx.location(id, value.span), note };
            Some(Used { name, entry, evidence: vec![made, used] })
        }
        _ => None,
    });
    read.or_else(|| {
        cx.facts(id).events.iter().find_map(|event| {
            let ways = cx.program.in_place(id, event);
            ways.iter().find_map(|way| match &way.candidates[..] {
                [callee] => cx.program.search("used in loops", *callee, depth, || used_in(cx, *callee, depth)),
                _ => None,
            })
        })
    })
    .filter(|used| !used.entry.running)
}

/// The module-level place that a place begins with, if it is given something that belongs to one loop, and only that.
fn bound_static<'a>(
    cx: &RuleContext<'_, 'a>,
    id: FunctionId,
    place: &Place,
) -> Option<(String, &'a LoopBound, Evidence)> {
    let Root::Global(path) = &place.root else { return None };
    let Item::Static(module, at) = cx.program.resolve_in(id, path) else { return None };
    let owner = cx.program.module(module);
    let known = owner.statics.get(at as usize)?;
    let [given] = &known.values[..] else { return None };
    let maker = FunctionId { module, index: given.function };
    if cx.function(maker).kind != FunctionKind::Module {
        return None;
    }
    let entry = bound_call(cx, maker, given.value)?;
    let note = format!("`{}` is made here, when the module is imported", known.name);
    let span = cx.function(maker).value(given.value).span;
    Some((known.name.clone(), entry, Evidence { at: cx.location(maker, span), note }))
}

/// The attribute of the method's own object that a place begins with, if plain code alone gives it something that
/// belongs to one loop: it outlives every loop that a method of the object starts.
fn bound_field<'a>(
    cx: &RuleContext<'_, 'a>,
    id: FunctionId,
    place: &Place,
) -> Option<(String, &'a LoopBound, Evidence)> {
    let function = cx.function(id);
    let own = function.parameters.first().filter(|parameter| parameter.kind == ParameterKind::SelfReference)?;
    let (Root::Variable(root), Some(Field::Name(field))) = (&place.root, place.fields.first()) else { return None };
    if *root != own.variable {
        return None;
    }
    let of = cx.program.owner_type(id).instance()?.definition?;
    let definition = cx.program.type_def(of);
    let known = definition.fields.iter().find(|known| known.name == *field)?;
    let [given] = &known.values[..] else { return None };
    let maker = FunctionId { module: of.module, index: given.function };
    if cx.function(maker).is_async() {
        return None;
    }
    let entry = bound_call(cx, maker, given.value)?;
    let name = format!("{}.{field}", function.variable(own.variable).name);
    let note = format!("`{name}` is made here, once for all loops");
    let span = cx.function(maker).value(given.value).span;
    Some((name, entry, Evidence { at: cx.location(maker, span), note }))
}

/// Whether the loop that is taken at import is driven by somebody in the same file, or handed to somebody who may.
pub(super) fn drives_its_own(cx: &RuleContext, module: FunctionId, made: &Made) -> bool {
    let kept = cx.function(made.function).steps().find_map(|(_, _, step)| match &step.kind {
        StepKind::Write(place, _, Some(value)) if *value == made.call => Some(place.clone()),
        _ => None,
    });
    // What is not kept is only asked: `get_event_loop().set_debug(True)`.
    let Some(kept) = kept.filter(|_| made.function == module) else { return true };
    let owner = cx.program.module(module.module);
    owner.functions().any(|(index, function)| {
        let id = FunctionId { module: module.module, index };
        let is_kept =
            |value: &ValueIndex| matches!(&function.value(*value).kind, ValueKind::Place(place) if *place == kept);
        function.values.iter().enumerate().any(|(at, value)| {
            let ValueKind::Call(call) = &value.kind else { return false };
            let call_index = ValueIndex(at as u32);
            let is_driven = matches!(&call.callee, Callee::Method(receiver, _) if is_kept(receiver))
                && cx
                    .program
                    .blocking_call(id, call_index, &cx.resolution(id, call_index))
                    .is_some_and(|entry| entry.kind == BlockingKind::LoopEntry);
            is_driven || call.arguments.iter().any(|argument| is_kept(&argument.value))
        })
    })
}
