//! A method of what belongs to a loop is itself what a thread is given to run: `Timer(1, event.set)`.

use crate::analysis::FunctionId;
use crate::flow::{Field, Place, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::super::context::RuleContext;
use super::NAME;

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if cx.language(id.module) != Language::Python {
        return;
    }
    let function = cx.function(id);
    let tables = cx.program.tables(Language::Python);
    for (at, value) in function.values.iter().enumerate() {
        if !matches!(value.kind, ValueKind::Call(_)) {
            continue;
        }
        let index = ValueIndex(at as u32);
        for given in cx.program.given_to_a_thread(id, index) {
            let Some(entry) = method_of(cx, id, given).and_then(|name| tables.affine(&name)) else { continue };
            let (text, to) = (cx.program.value_text(id, given), cx.program.callee_text(id, index));
            out.push(
                cx.violated(NAME, Confidence::High, id, function.value(given).span, &format!("`{text}`"))
                    .assumes(format!("`{to}` is given nothing that belongs to the event loop's own thread"))
                    .says(format!(
                        "`{text}` is given to `{to}`, which runs it in a worker thread: it is not thread-safe, and does \
                         not wake the loop"
                    ))
                    .helps(format!("give it a function that calls `{}` with `{text}`", entry.instead)),
            );
        }
    }
}

/// The canonical name of the library's method that a value is: `event.set`, not called.
fn method_of(cx: &RuleContext, id: FunctionId, value: ValueIndex) -> Option<String> {
    let function = cx.function(id);
    let read = function.value(value);
    let (of, method) = match &read.kind {
        ValueKind::Field(of, method) => (cx.program.value_type(id, *of), method.clone()),
        ValueKind::Place(place) => {
            let (Field::Name(method), around) = place.fields.split_last()? else { return None };
            let owner = Place { root: place.root.clone(), fields: around.to_vec(), is_cut: place.is_cut };
            (cx.program.place_type(id, &owner, read.block, read.step), method.clone())
        }
        _ => return None,
    };
    let of = of.instance().filter(|of| of.definition.is_none())?;
    Some(format!("{}.{method}", of.name))
}
