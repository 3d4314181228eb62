//! A callback that touches a loop is handed to a library of which nobody knows in which thread it calls back.
//!
//! ~~~text
//! client.subscribe(topic, self._received)      a library of which nothing is known
//! def _received(self, message):
//!     self._arrived.set()                      an `asyncio.Event`, for the loop's own thread only
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::types::Type;
use crate::flow::{Callee, Field, Place, StepKind, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Stance, Verdict};

use super::{DEEPEST, Harm, NAME, Search, shown_in_thread};
use crate::rules::context::RuleContext;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Python || cx.program.is_test_code(id) {
        return;
    }
    let function = cx.function(id);
    let is_named =
        |value: &ValueIndex| matches!(function.value(*value).kind, ValueKind::Place(_) | ValueKind::Function(_));
    let mut asked: Vec<FunctionId> = Vec::new();
    let mut ask = |at: ValueIndex, callback: ValueIndex, to: &dyn Fn() -> String| {
        for callee in cx.program.functions_meant(id, callback) {
            if !asked.contains(&callee) {
                asked.push(callee);
                out.extend(question(cx, id, at, callee, &to()));
            }
        }
    };
    for (at, value) in function.values.iter().enumerate() {
        let ValueKind::Call(call) = &value.kind else { continue };
        let named: Vec<ValueIndex> = call.arguments.iter().map(|argument| argument.value).filter(is_named).collect();
        // What a call gives is called with a function as a decorator is: `app.command("start")(start)`.
        if named.is_empty() || matches!(call.callee, Callee::Value(of) if function.call(of).is_some()) {
            continue;
        }
        let index = ValueIndex(at as u32);
        if cx.resolution(id, index).external().is_some_and(|name| is_unknown(cx, name)) {
            named.into_iter().for_each(|callback| ask(index, callback, &|| cx.program.callee_text(id, index)));
        }
    }
    for (block, number, step) in function.steps() {
        let StepKind::Write(place, _, Some(value)) = &step.kind else { continue };
        let Some(Field::Name(_)) = place.fields.last().filter(|_| is_named(value)) else { continue };
        let owner = Place { fields: place.fields[..place.fields.len() - 1].to_vec(), ..place.clone() };
        let of = cx.program.place_type(id, &owner, block, number as u32);
        let is_of_library = match &of {
            Type::Instance(of) => of.definition.is_none() && is_unknown(cx, &of.name),
            _ => false,
        };
        if is_of_library {
            ask(*value, *value, &|| cx.program.place_text(id, place));
        }
    }
}

/// Whether nothing is known of the library that a name is of.
fn is_unknown(cx: &RuleContext, name: &str) -> bool {
    let tables = cx.program.tables(Language::Python);
    name.split_once('.').is_some_and(|(root, _)| !tables.has_root(root)) && !tables.is_builtin(name)
}

fn question(cx: &RuleContext, id: FunctionId, at: ValueIndex, callee: FunctionId, to: &str) -> Option<Verdict> {
    let called = cx.function(callee);
    if called.is_async() || cx.context(callee).is_on_loop() || shown_in_thread(cx, callee).is_some() {
        return None;
    }
    let mut search = Search { cx, path: Vec::new(), entered: 0, has_own_loop: false };
    let touches = search.touches(callee, DEEPEST);
    let (_, touch) =
        touches.into_iter().find(|(_, touch)| touch.harm != Harm::NoLoop).filter(|_| !search.has_own_loop)?;
    let Harm::Unsafe(instead) = touch.harm else { return None };
    let name = &called.name;
    let verdict = cx
        .verdict(NAME, Stance::Unproven, id, cx.function(id).value(at).span, &format!("`{name}`"))
        .assumes(format!("`{to}` calls `{name}` in the loop's own thread"))
        .says(format!("`{name}` calls `{}`, which only the loop's own thread may, and is handed to `{to}`", touch.name))
        .asks(format!("Does `{to}` call `{name}` in the thread of the event loop?"))
        .helps(format!("use `{instead}`, which hands the call to the loop's thread"))
        .evidence(touch.at, format!("`{}` is called here", touch.name));
    Some(if touch.hops.len() > 1 { verdict.trace(touch.hops) } else { verdict })
}
