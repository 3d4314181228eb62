//! State of an object is handed to a thread as it is, while others may change it.
//!
//! ~~~text
//! await to_thread(json.dump, self._rows, file)     the thread goes through the rows …
//! def put(self, key, row):
//!     self._rows[key] = row                        … and the loop goes on changing them
//! ~~~
//!
//! A copy (`dict(self._rows)`) is another collection. What is only replaced as a whole does not change under the thread.

use crate::analysis::FunctionId;
use crate::analysis::accesses::Access;
use crate::analysis::strands::is_alike;
use crate::catalogue::Runs;
use crate::flow::{Call, Field, Place, Root, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Level, Stance, Verdict};

use super::context::RuleContext;

const NAME: &str = "unguarded-shared-state";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Python || cx.program.is_test_code(id) || !cx.runs_on_loop(id) {
        return;
    }
    let function = cx.function(id);
    for (at, value) in function.values.iter().enumerate() {
        let index = ValueIndex(at as u32);
        let ValueKind::Call(call) = &value.kind else { continue };
        let Some((work, Runs::Thread)) = cx.program.given_to_run(id, index) else { continue };
        let mut given: Vec<ValueIndex> = Vec::new();
        given.extend(call.arguments.iter().map(|argument| argument.value).filter(|value| !work.contains(value)));
        // What a wrapper such as `partial` binds goes along with it.
        for bound in work.iter().flat_map(|work| values_of(cx, id, *work)) {
            given.extend(function.call(bound).iter().flat_map(|call: &&Call| &call.arguments).map(|one| one.value));
        }
        let found = given.iter().find_map(|one| Some((*one, changed_meanwhile(cx, id, *one)?)));
        if let Some((shared, change)) = found {
            out.push(question(cx, id, index, shared, &change));
        }
    }
}

/// A value, and what it was bound to if it is a variable.
fn values_of(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Vec<ValueIndex> {
    let function = cx.function(id);
    let node = function.value(value);
    match &node.kind {
        ValueKind::Place(place) => match place.as_variable() {
            Some(variable) => cx.program.reaching(id, variable, node.block, node.step).values,
            None => Vec::new(),
        },
        _ => vec![value],
    }
}

/// A change of the collection that a value is, in another function that holds no lock which is held here.
fn changed_meanwhile(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<Access> {
    let function = cx.function(id);
    let node = function.value(value);
    let ValueKind::Place(place) = &node.kind else { return None };
    if !is_state(place) {
        return None;
    }
    let (state, _) = cx.program.state_named(id, place, node.block, node.step)?;
    let held = cx.facts(id).held_at(node.block, node.step).to_vec();
    let accesses = cx.program.accesses_of(id.module, &state);
    let is_meanwhile = |access: &&Access| {
        let is_inside = access.touch.is_change() && !access.touch.is_write();
        let is_kept_apart = || {
            let theirs = cx.program.guards_at(access);
            theirs.iter().any(|lock| held.iter().any(|held| is_alike(&held.lock, lock)))
        };
        is_inside && access.function != id && !cx.is_set_up(access.function) && !is_kept_apart()
    };
    accesses.iter().find(is_meanwhile).cloned()
}

/// Whether a place is an attribute of an object or a global, as a whole.
fn is_state(place: &Place) -> bool {
    match place.root {
        Root::Variable(_) => matches!(place.fields[..], [Field::Name(_)]),
        Root::Global(_) => place.fields.is_empty(),
    }
}

fn question(cx: &RuleContext, id: FunctionId, call: ValueIndex, shared: ValueIndex, change: &Access) -> Verdict {
    let function = cx.function(id);
    let (name, to) = (cx.program.value_text(id, shared), cx.program.callee_text(id, call));
    let by = &cx.function(change.function).name;
    cx.verdict(NAME, Stance::Unproven, id, function.value(call).span, &format!("`{name}`"))
        .assumes(format!("nobody changes `{name}` while a thread works on it"))
        .says(format!("`{to}` hands `{name}` itself to a thread, and `{by}` changes it"))
        .asks(format!("Can `{by}` run while the thread works on `{name}`?"))
        .helps("hand over a copy, made here")
        .level(Level::Warning)
        .evidence(cx.location(change.function, change.span), format!("`{by}` changes `{name}` here"))
}
