//! A lock for each key, and nobody who takes one out again.
//!
//! ~~~text
//! lock = self._locks.setdefault(key, asyncio.Lock())     one more for every key there ever was
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::accesses::{Access, Touch};
use crate::catalogue::{Change, LockKind};
use crate::flow::{Place, StepKind, ValueIndex, WriteKind};
use crate::text::Language;
use crate::verdict::{Level, Stance, Verdict};

use super::NAME;
use crate::rules::context::RuleContext;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) != Language::Python || cx.program.is_test_code(id) || cx.is_set_up(id) {
        return;
    }
    for (block, number, step) in function.steps() {
        let (place, made): (Place, ValueIndex) = match &step.kind {
            StepKind::Write(place, WriteKind::Assign, Some(value))
                if place.fields.last() == Some(&crate::flow::Field::Index) =>
            {
                (place.clone(), *value)
            }
            StepKind::Call(call) => match cx.program.change_of(id, *call) {
                Some((place, Change::Ensures)) => match function.call(*call).and_then(|call| call.arguments.get(1)) {
                    Some(given) => (place, given.value),
                    None => continue,
                },
                _ => continue,
            },
            _ => continue,
        };
        if !is_lock(cx, id, made) {
            continue;
        }
        let Some((state, name)) = cx.program.state_named(id, &place, block, number as u32) else { continue };
        let accesses = cx.program.accesses_of(id.module, &state);
        if accesses.iter().any(|access| takes_out(cx, access)) {
            continue;
        }
        out.push(
            cx.verdict(NAME, Stance::Unproven, id, step.span, &format!("`{name}`"))
                .assumes(format!("`{name}` holds no more locks than there are keys in use"))
                .says(format!("`{name}` gets a lock for every key, and nobody takes one out again"))
                .asks(format!("Are the keys of `{name}` few enough to keep a lock for each of them for ever?"))
                .helps("take a lock out once nobody needs it, or keep them in a weak mapping")
                .level(Level::Warning),
        );
        return;
    }
}

/// Whether a value is a lock that is made here.
fn is_lock(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> bool {
    let function = cx.function(id);
    let node = function.value(value);
    let made = match &node.kind {
        crate::flow::ValueKind::Place(place) => match place.as_variable() {
            Some(variable) => cx.program.reaching(id, variable, node.block, node.step).values,
            None => return false,
        },
        _ => vec![value],
    };
    made.iter().any(|made| {
        let of = cx.program.value_type(id, *made);
        let name = cx.program.lock_type_name(Language::Python, &of);
        let kind = name.and_then(|name| Some(cx.program.tables(Language::Python).lock(&name)?.kind));
        // Queues and events are known to the tables of locks as well.
        let is_kept_out =
            matches!(kind, Some(LockKind::Mutex | LockKind::Rwlock | LockKind::Semaphore | LockKind::Condition));
        function.call(*made).is_some() && is_kept_out
    })
}

/// Whether an access makes the collection smaller, or another one.
fn takes_out(cx: &RuleContext, access: &Access) -> bool {
    match access.touch {
        Touch::Reads => false,
        Touch::Writes(kind, _, is_element) => {
            kind == WriteKind::Delete || !is_element && !cx.is_set_up(access.function)
        }
        Touch::Changes(change, _) => change == Change::Removes,
    }
}
