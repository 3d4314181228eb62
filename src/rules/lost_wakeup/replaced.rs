//! Another signal is put in the place of one that somebody waits for (Python).
//!
//! ~~~text
//! def __init__(self): self._ready = Event()
//! async def use(self): await self._ready.wait()             waits for the one that was there …
//! async def connect(self): self._ready = Event(); …; self._ready.set()      … which nobody sets any more
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::accesses::{Access, Touch};
use crate::catalogue::LockKind;
use crate::flow::{Function, Place, Root, StepKind, ValueIndex, ValueKind, WriteKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::{NAME, signal_call};
use crate::rules::context::RuleContext;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Python || cx.is_set_up(id) {
        return;
    }
    let function = cx.function(id);
    for (block, at, step) in function.steps() {
        let StepKind::Write(place, WriteKind::Assign, Some(value)) = &step.kind else { continue };
        if !makes_a_signal(cx, id, *value) || is_looked_at(&function, place, step.span.start) || starts_any(cx, id) {
            continue;
        }
        let Some((state, name)) = cx.program.state_named(id, place, block, at as u32) else { continue };
        let accesses = cx.program.accesses_of(id.module, &state);
        // Before it is made for the first time nobody waits for it.
        let is_there = accesses.iter().any(|access| match access.touch {
            Touch::Writes(WriteKind::Assign, Some(value), false) => {
                cx.is_set_up(access.function) && makes_a_signal(cx, access.function, value)
            }
            _ => false,
        });
        let on_one_object = matches!(place.root, Root::Variable(_));
        let waits = accesses
            .iter()
            .filter(|access| access.function != id && waits_there(cx, access))
            .find_map(|access| Some((access, cx.program.meets(access.function, id, on_one_object)?)));
        let (true, Some((waits, (meets, what)))) = (is_there, waits) else { continue };
        let waiter = &cx.function(waits.function).name;
        out.push(
            cx.violated(NAME, Confidence::Medium, id, step.span, &format!("`{name}`"))
                .assumes(format!("who waits for `{name}` waits for the one that is signalled"))
                .says(format!(
                    "`{}` puts another one in the place of `{name}`: if `{waiter}` waits for the old one already, nobody \
                     wakes it",
                    function.name
                ))
                .helps("clear the one that is there")
                .evidence(cx.location(waits.function, waits.span), format!("`{waiter}` waits here"))
                .evidence(meets, what),
        );
    }
}

/// Whether a call makes something that is waited for until somebody sets it.
fn makes_a_signal(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    let of = cx.program.value_type(id, value);
    let of = of.instance().filter(|of| of.definition.is_none());
    let entry = of.and_then(|of| cx.program.tables(Language::Python).lock(&of.name));
    cx.function(id).call(value).is_some() && entry.is_some_and(|entry| entry.kind == LockKind::Event)
}

/// Whether a function does anything with a place before it writes it: it sets the old one, or asks for it.
fn is_looked_at(function: &Function, place: &Place, before: u32) -> bool {
    let reads = |kind: &ValueKind| {
        matches!(kind, ValueKind::Place(read)
        if read.root == place.root && read.fields.starts_with(&place.fields))
    };
    function.values.iter().any(|value| value.span.start < before && reads(&value.kind))
}

/// Whether a function starts something, which may be whoever waits.
fn starts_any(cx: &RuleContext, id: FunctionId) -> bool {
    cx.function(id).calls().any(|(call, _)| cx.program.starts(id, call).is_some())
}

/// Whether what is read there is waited for without an end.
fn waits_there(cx: &RuleContext, access: &Access) -> bool {
    let function = cx.function(access.function);
    function.calls().any(|(at, call)| {
        let Some((entry, method, receiver)) = signal_call(cx, access.function, at) else { return false };
        function.value(receiver).span == access.span && entry.is_wait(&method) && call.arguments.is_empty()
    })
}
