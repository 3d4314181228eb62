//! `with` where only `async with` works, or the other way round.

use crate::catalogue::Managed;
use crate::text::Language;
use crate::verdict::{Confidence, Verdict};

use super::Body;

pub(super) fn check(body: &Body, out: &mut Vec<Verdict>) {
    if body.cx.language(body.id.module) != Language::Python {
        return;
    }
    let function = body.cx.function(body.id);
    let shape = body.cx.program.shape(body.id);
    for managed in function.managed.iter().filter(|managed| shape.is_reachable(function.value(managed.value).block)) {
        let made_for = match (entered(body, managed.value), managed.is_async) {
            (Some(Managed::AsyncWith), false) => "async with",
            (Some(Managed::With), true) => "with",
            _ => continue,
        };
        let text = body.cx.program.value_text(body.id, managed.value);
        let text = text.trim_end_matches("()");
        let (written, method) = if managed.is_async { ("async with", "__aenter__") } else { ("with", "__enter__") };
        let verdict = body
            .cx
            .violated(super::NAME, Confidence::High, body.id, managed.span, &format!("`{text}`"))
            .assumes(format!("`{text}` can be entered with `{written}`"))
            .says(format!("`{text}` is made for `{made_for}`: `{written}` finds no `{method}` that works, and raises"))
            .helps(format!("write `{made_for} {text}`"));
        out.push(verdict);
    }
}

/// How the thing that a managed block enters wants to be entered.
fn entered(body: &Body, value: crate::flow::ValueIndex) -> Option<Managed> {
    let tables = body.tables();
    let called = body.calls.iter().find(|(call, _)| *call == value);
    if let Some((_, resolution)) = called {
        let of_call = resolution.external().and_then(|name| tables.entered(name));
        if of_call.is_some() {
            return of_call;
        }
    }
    let of = body.cx.program.value_type(body.id, value);
    let of = of.instance().filter(|of| of.definition.is_none())?;
    tables.entered(&of.name).or_else(|| tables.lock(&of.name).and_then(|lock| lock.context))
}
