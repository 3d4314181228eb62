//! What runs when a module is imported.
//!
//! Its top-level code and class bodies, the defaults of its functions, its decorators and their bodies, and the plain
//! functions that it calls there. What stands under `if __name__ == "__main__"` runs as a program instead.

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::analysis::names::Item;
use crate::catalogue::LoopBound;
use crate::flow::{BlockIndex, FunctionIndex, Literal, Next, Place, Root, ValueIndex, ValueKind};
use crate::text::Span;
use crate::verdict::Evidence;

use super::super::context::RuleContext;
use super::bound_call;

/// How many calls below the top level are looked at.
const DEEPEST: u32 = 3;

/// Something that belongs to one loop, made at import.
pub(super) struct Made<'a> {
    /// The function that makes it.
    pub(super) function: FunctionId,
    /// The call that makes it.
    pub(super) call: ValueIndex,
    /// The place at the top level of the module.
    pub(super) span: Span,
    /// What the catalogue says of it.
    pub(super) entry: &'a LoopBound,
    /// How it comes that the call is made at import.
    pub(super) evidence: Vec<Evidence>,
}

/// Everything that belongs to a loop and is made when a module is imported.
pub(super) fn made_at_import<'a>(cx: &RuleContext<'_, 'a>, module: FunctionId) -> Vec<Made<'a>> {
    let mut found = Vec::new();
    let main_only = main_only(cx, module);
    for event in &cx.facts(module).events {
        let What::Call(call) = event.what else { continue };
        let block = event.block;
        // An exception there is expected, as where a program asks for a running loop.
        if main_only[block.at()] || cx.function(module).blocks[block.at()].on_raise.is_some() {
            continue;
        }
        if let Some(entry) = bound_call(cx, module, call) {
            found.push(Made { function: module, call, span: event.span, entry, evidence: Vec::new() });
        } else {
            found.extend(made_below(cx, module, event, DEEPEST));
        }
    }
    of_decorators(cx, module, &mut found);
    found
}

/// What a function makes that is called in place.
fn made_below<'a>(cx: &RuleContext<'_, 'a>, id: FunctionId, event: &Event, depth: u32) -> Option<Made<'a>> {
    let depth = depth.checked_sub(1)?;
    cx.program.in_place(id, event).iter().filter(|way| !way.is_awaited).find_map(|way| {
        let &[callee] = &way.candidates[..] else { return None };
        let mut made = cx.program.search("made at import", callee, depth, || made_in(cx, callee, depth))?;
        made.span = event.span;
        Some(made)
    })
}

/// The first thing that a plain function makes whenever it is called.
fn made_in<'a>(cx: &RuleContext<'_, 'a>, id: FunctionId, depth: u32) -> Option<Made<'a>> {
    let function = cx.function(id);
    if function.is_async() || cx.program.asks_for_a_loop(id) {
        return None;
    }
    cx.facts(id).events.iter().find_map(|event| {
        let What::Call(call) = event.what else { return None };
        let is_always = is_unconditional(cx, id, event.block) && function.blocks[event.block.at()].on_raise.is_none();
        if !is_always {
            return None;
        }
        let Some(entry) = bound_call(cx, id, call) else { return made_below(cx, id, event, depth) };
        let name = cx.program.callee_text(id, call);
        let note = format!("`{}` calls `{name}` here", function.name);
        let evidence = vec![Evidence { at: cx.location(id, event.span), note }];
        Some(Made { function: id, call, span: event.span, entry, evidence })
    })
}

/// What the bodies of decorators make: they run where the decorated function is defined.
fn of_decorators<'a>(cx: &RuleContext<'_, 'a>, module: FunctionId, found: &mut Vec<Made<'a>>) {
    let owner = cx.program.module(module.module);
    for (index, function) in owner.functions().filter(|(_, function)| function.parent.is_none()) {
        let id = FunctionId { module: module.module, index };
        for decorator in &function.decorators {
            let Item::Function(made_by) = cx.program.resolve_in(id, &decorator.path) else { continue };
            let Some(mut made) = made_in(cx, made_by, DEEPEST) else { continue };
            let note = format!("`{}` is decorated here, when the module is imported", function.name);
            let decorated = Evidence { at: cx.location(id, decorator.span), note };
            // One decorator is one finding, however many functions it decorates.
            if found.iter().any(|known| known.function == made.function && known.call == made.call) {
                continue;
            }
            if made_by.module == module.module {
                made.evidence = vec![decorated];
            } else {
                made.span = decorator.span;
            }
            found.push(made);
        }
    }
}

/// Whether control passes a block whenever the function runs: the entry, and what follows it without a branch.
fn is_unconditional(cx: &RuleContext, id: FunctionId, block: BlockIndex) -> bool {
    let function = cx.function(id);
    let mut at = BlockIndex(0);
    for _ in 0..function.blocks.len() {
        if at == block {
            return true;
        }
        match function.blocks[at.at()].next {
            Next::Goto(next) => at = next,
            _ => return false,
        }
    }
    false
}

/// The blocks of a module's code that only a program's start gets to.
fn main_only(cx: &RuleContext, module: FunctionId) -> Vec<bool> {
    let function = cx.function(module);
    let is_reached = function.reached([BlockIndex(0)], |_, block, on| {
        match &block.next {
            // The first way is the one that is taken where the condition holds.
            Next::Branch(Some(value), ways) if is_main_guard(cx, module, *value) => on.extend(ways.iter().skip(1)),
            next => on.extend(next.targets()),
        }
        on.extend(block.on_raise);
    });
    is_reached.into_iter().map(|is_reached| !is_reached).collect()
}

/// `__name__ == "__main__"`.
fn is_main_guard(cx: &RuleContext, module: FunctionId, value: ValueIndex) -> bool {
    let function = cx.function(module);
    let ValueKind::Operation(parts) = &function.value(value).kind else { return false };
    let is_name = |place: &Place| matches!(&place.root, Root::Global(path) if path.len() == 1 && path[0] == "__name__");
    parts.iter().any(|part| match &function.value(*part).kind {
        ValueKind::Place(place) => is_name(place),
        _ => false,
    }) && parts.iter().any(|part| match &function.value(*part).kind {
        ValueKind::Literal(Literal::Text(text)) => text == "__main__",
        _ => false,
    })
}

/// The module's own code.
pub(super) fn top_level(id: FunctionId) -> FunctionId {
    FunctionId { module: id.module, index: FunctionIndex(0) }
}

/// Whether the module's code starts the function only as a program.
pub(super) fn is_started_as_program(cx: &RuleContext, id: FunctionId) -> bool {
    let module = top_level(id);
    let main_only = main_only(cx, module);
    let callers = &cx.program.callers_in_file(id).by;
    let is_start = |caller: FunctionId, call: ValueIndex| {
        caller == module && main_only[cx.function(module).value(call).block.at()]
    };
    !callers.is_empty() && callers.iter().all(|(caller, call)| is_start(*caller, *call))
}
