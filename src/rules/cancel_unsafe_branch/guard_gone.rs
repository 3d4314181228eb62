//! A value that cleaned up when its function was dropped half-way, and is not there any more while it waits.
//!
//! ~~~text
//! let guard = Rollback::new(conn);        whoever drops the future here rolls back
//! begin(conn).await?;
//! guard.defuse();
//! ~~~

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::flow::{StepKind, Suspension, ValueIndex, ValueKind};
use crate::text::Language;
use crate::text::Span;
use crate::verdict::{Level, Stance};

use super::NAME;
use crate::rules::manner::{Gone, OnBoth, Whole};

/// A value that does something at its end.
struct Cleaner {
    by: FunctionId,
    /// Its type, by the last name.
    of: String,
    at: Span,
    /// Whether the task waits behind it.
    is_over_a_wait: bool,
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    let (then, now) = (cleaners(&both.was), cleaners(&both.is));
    let over = |all: &[Cleaner], of: &str| all.iter().filter(|one| one.of == of && one.is_over_a_wait).count();
    let mut told: Vec<&str> = Vec::new();
    for one in then.iter().filter(|one| one.is_over_a_wait) {
        if told.contains(&one.of.as_str()) || over(&now, &one.of) >= over(&then, &one.of) {
            continue;
        }
        // Where it is made now, or where the function waits first.
        let made = now.iter().find(|now| now.of == one.of).map(|now| now.by);
        let Some((by, at)) = waits(&both.is, made) else { continue };
        told.push(&one.of);
        let (name, of) = (&cx.function(both.is.id).name, &one.of);
        let verdict = cx
            .verdict(NAME, Stance::Unproven, by, at, &format!("`{of}`"))
            .assumes(format!("nothing is left to clean up when `{name}` is dropped while it waits"))
            .says(format!(
                "a `{of}` cleaned up whenever `{name}` was dropped while it waited here, and none is there now"
            ))
            .asks(format!("what cleans up when `{name}` is dropped while it waits here, as the `{of}` did?"))
            .helps("make what cleans up before the wait, and call it off when all went well")
            .level(Level::Warning);
        out.push(Gone { had: (one.by, one.at), asked: verdict });
    }
}

/// The first wait of a function, of the part that is named first.
fn waits(whole: &Whole, first: Option<FunctionId>) -> Option<(FunctionId, Span)> {
    first.into_iter().chain(whole.parts.iter().copied()).find_map(|part| {
        let function = whole.cx.function(part);
        let mut waits = function.steps().filter_map(|(_, _, step)| match step.kind {
            StepKind::Suspend(Suspension::Await, of) if whole.cx.program.may_suspend(part, Suspension::Await, of) => {
                Some(step.span)
            }
            _ => None,
        });
        waits.next().map(|span| (part, span))
    })
}

fn cleaners(whole: &Whole) -> Vec<Cleaner> {
    let cx = whole.cx;
    let mut found = Vec::new();
    for &by in &whole.parts {
        let function = cx.function(by);
        let suspends: Vec<u32> = function
            .steps()
            .filter_map(|(_, _, step)| match step.kind {
                StepKind::Suspend(Suspension::Await, of) if cx.program.may_suspend(by, Suspension::Await, of) => {
                    Some(step.span.end)
                }
                _ => None,
            })
            .collect();
        let mut bound = BTreeSet::new();
        for (_, _, step) in function.steps() {
            let StepKind::Bind(_, value) = step.kind else { continue };
            bound.insert(value);
            let Some(of) = made_cleaner(cx, by, value) else { continue };
            let at = function.value(value).span;
            let is_over_a_wait = suspends.iter().any(|wait| at.end < *wait);
            found.push(Cleaner { by, of, at, is_over_a_wait });
        }
        for (at, value) in function.values.iter().enumerate() {
            let index = ValueIndex(at as u32);
            if let (false, Some(of)) = (bound.contains(&index), made_cleaner(cx, by, index)) {
                found.push(Cleaner { by, of, at: value.span, is_over_a_wait: false });
            }
        }
    }
    found
}

/// The type of a call's result, if the end of it does something and it is no lock's guard.
fn made_cleaner(cx: &crate::rules::context::RuleContext, by: FunctionId, value: ValueIndex) -> Option<String> {
    let function = cx.function(by);
    let ValueKind::Call(_) = function.value(value).kind else { return None };
    let of = cx.program.value_type(by, value);
    let instance = of.instance()?;
    let does = match instance.definition {
        Some(definition) => cx.program.ends_with_code(definition),
        None => cx.program.tables(Language::Rust).is_scope(&instance.name),
    };
    (does && !cx.program.is_guard(&of)).then(|| instance.name.rsplit("::").next().unwrap_or_default().to_owned())
}
