//! A loop that empties a mailbox and waits in it for an answer that comes out of a mailbox like it (Rust).
//!
//! ~~~text
//! while let Some(ask) = self.asks.recv().await { … self.me.balance(id).await … }
//! async fn balance(&self, id) { let (reply, answer) = channel(); self.asks.send(Ask(id, reply)).await; answer.await }
//! ~~~
//!
//! If it is its own, nobody takes the question out while it waits.

use crate::analysis::FunctionId;
use crate::analysis::channels::is_in_loop;
use crate::analysis::held::What;
use crate::analysis::types::Type;
use crate::analysis::uses::Uses;
use crate::flow::{Callee, Suspension, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Stance, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Rust || !function.is_async() || cx.program.is_test_code(id) {
        return;
    }
    for drain in cx.program.drains(id) {
        let Some(message) = message_of(&cx.program.value_type(id, drain.end)) else { continue };
        for event in &cx.facts(id).events {
            let What::Suspend(Suspension::Await, Some(call)) = event.what else { continue };
            let is_inside = is_in_loop(&function, function.blocks[event.block.at()].in_loop, drain.turns);
            if !is_inside || call == drain.receive || function.call(call).is_none() {
                continue;
            }
            let [callee] = cx.resolution(id, call).functions()[..] else { continue };
            let Some((sent, awaited)) = asks_and_waits(cx, callee, &message) else { continue };
            let (name, asked) = (&function.name, cx.program.callee_text(id, call));
            let (mailbox, message) = (cx.program.value_text(id, drain.end), message.name());
            out.push(
                cx.verdict(NAME, Stance::Unproven, id, event.span, &format!("`{mailbox}`, `{asked}`"))
                    .assumes(format!("somebody else than `{name}` answers what `{asked}` asks"))
                    .says(format!(
                        "`{name}` waits for an answer to a `{message}` where nobody empties `{mailbox}`, which such \
                         questions come from"
                    ))
                    .asks(format!("does `{asked}` send to the mailbox that `{name}` empties?"))
                    .helps("do it in place, or wait for the answer in a task of its own")
                    .evidence(cx.location(callee, sent), "the question is sent here")
                    .evidence(cx.location(callee, awaited), "its answer is waited for here"),
            );
            return;
        }
    }
}

/// A type of the project that an end of a channel carries.
fn message_of(end: &Type) -> Option<Message> {
    let instance = end.instance().filter(|instance| instance.definition.is_none())?;
    let carried = instance.arguments.first()?.instance()?;
    Some(Message { definition: carried.definition?, name: carried.name.to_string() })
}

#[derive(PartialEq, Eq)]
struct Message {
    definition: crate::analysis::TypeId,
    name: String,
}

impl Message {
    fn name(&self) -> &str {
        self.name.rsplit("::").next().unwrap_or_default()
    }
}

/// Where a function sends a message with one half of something that it made, and where it awaits the other half.
fn asks_and_waits(cx: &RuleContext, id: FunctionId, message: &Message) -> Option<(Span, Span)> {
    let function = cx.function(id);
    if !function.is_async() {
        return None;
    }
    let tables = cx.program.tables(Language::Rust);
    let uses = Uses::of(&function);
    let half = |made: ValueIndex, number: u32| -> Vec<ValueIndex> {
        let is_it = |value: &ValueIndex| matches!(function.value(*value).kind, ValueKind::Component(of, at) if of == made && at == number);
        (0..function.values.len() as u32).map(ValueIndex).filter(is_it).collect()
    };
    let leads = |made: ValueIndex, number: u32, to: ValueIndex| {
        half(made, number).into_iter().any(|one| cx.program.made_from(id, &uses, one).contains(&to))
    };
    function.calls().find_map(|(send, call)| {
        let Callee::Method(end, _) = &call.callee else { return None };
        let resolution = cx.resolution(id, send);
        if !tables.sends(resolution.external()?)
            || message_of(&cx.program.value_type(id, *end)).as_ref() != Some(message)
        {
            return None;
        }
        let mut calls = function.calls().map(|(made, _)| made).filter(|made| !half(*made, 1).is_empty());
        let made = calls.find(|made| leads(*made, 0, send))?;
        let awaited = cx.facts(id).events.iter().find_map(|event| match event.what {
            What::Suspend(Suspension::Await, Some(of)) => leads(made, 1, of).then_some(event.span),
            _ => None,
        })?;
        Some((function.value(send).span, awaited))
    })
}
