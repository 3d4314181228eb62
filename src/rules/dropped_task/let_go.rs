//! Work that ended with its function before the change and now goes on by itself.

use crate::analysis::FunctionId;
use crate::analysis::makes::Starts;
use crate::analysis::uses::{Carries, Loss, Uses};
use crate::catalogue::{Detach, RiskKind};
use crate::flow::{Callee, Next, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::Stance;

use super::NAME;
use crate::rules::manner::{Done, Gone, Manner, OnBoth, Whole, head};

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    made_a_task(both, out);
    handle_lost(both, out);
    no_longer_stopped(both, out);
    owner_unwrapped(both, out);
}

/// A future that was waited for in its place is started as a task.
fn made_a_task(both: &OnBoth, out: &mut Vec<Gone>) {
    let cx = both.is.cx;
    for (now, then) in both.kept() {
        let Some((Manner::Task, around)) = now.manner.split_first() else { continue };
        let was_in_place = |then: &&Done| match then.manner.split_first() {
            Some((Manner::Beside, rest)) => rest == around,
            _ => then.manner == around,
        };
        let is_work = cx.program.makes(now.by, now.call).is_some();
        if !is_work || !then.iter().all(was_in_place) {
            continue;
        }
        let (name, by) = (cx.program.callee_text(now.by, now.call), cx.function(both.is.id).name.clone());
        let verdict = cx
            .verdict(NAME, Stance::Unproven, now.by, now.span, &format!("`{name}`"))
            .assumes(format!("somebody ends `{name}` when nobody needs it any more"))
            .says(format!("`{name}` ended with whoever waited for it in `{by}`, and is part of a task of its own now"))
            .asks(format!("who ends `{name}` when `{by}` fails or is dropped?"))
            .helps("wait for it in its place as before, or abort it when its handle is dropped");
        out.push(Gone { had: (then[0].by, then[0].span), asked: verdict });
        return;
    }
}

/// The handle of a task that was kept is thrown away.
fn handle_lost(both: &OnBoth, out: &mut Vec<Gone>) {
    let (then, now) = (started(&both.was), started(&both.is));
    let cx = both.is.cx;
    for (name, now) in &now {
        let Some(then) = then.iter().find(|(known, _)| known == name).map(|(_, then)| then) else { continue };
        if then.len() != now.len() {
            continue;
        }
        for (then, now) in then.iter().zip(now) {
            if !now.is_lost || then.is_lost {
                continue;
            }
            let verdict = cx
                .verdict(NAME, Stance::Unproven, now.by, now.span, &format!("`{name}`"))
                .assumes(format!("the task that `{name}` starts ends when nobody needs it any more"))
                .says(format!("the handle of the task that `{name}` starts was kept, and is thrown away now"))
                .asks(format!(
                    "who ends the task that `{name}` starts, or waits for it, now that nobody has its handle?"
                ))
                .helps("keep the handle, and abort or await the task when its owner ends");
            out.push(Gone { had: (then.by, then.span), asked: verdict });
        }
    }
}

/// A task that a function starts.
struct Started {
    by: FunctionId,
    span: Span,
    is_lost: bool,
}

/// The tasks that a function starts and that go on without their handles, by the names of the calls.
fn started(whole: &Whole) -> Vec<(String, Vec<Started>)> {
    let cx = whole.cx;
    let mut found: Vec<(String, Vec<Started>)> = Vec::new();
    for &by in &whole.parts {
        let function = cx.function(by);
        let mut uses = None;
        for (at, value) in function.values.iter().enumerate() {
            let call = ValueIndex(at as u32);
            let ValueKind::Call(_) = &value.kind else { continue };
            let goes_on = |starts: &Starts| {
                starts.spawn.detach == Detach::Normal && !starts.spawn.owned && starts.spawn.handle.is_some()
            };
            if !cx.program.starts(by, call).is_some_and(|starts| goes_on(&starts)) {
                continue;
            }
            let uses = uses.get_or_insert_with(|| Uses::of(&function));
            let lost = cx.program.losses(by, uses, call, Carries::Handle);
            let is_lost =
                lost.is_some_and(|lost| lost.iter().all(|lost| matches!(lost.how, Loss::Discarded | Loss::Unused(_))));
            let name = cx.program.callee_text(by, call);
            let started = Started { by, span: head(value.span, &name), is_lost };
            match found.iter_mut().find(|(known, _)| *known == name) {
                Some((_, all)) => all.push(started),
                None => found.push((name, vec![started])),
            }
        }
    }
    found
}

/// Something that was told to stop is only waited for, or looked at.
fn no_longer_stopped(both: &OnBoth, out: &mut Vec<Gone>) {
    let (then, now) = (stopped(&both.was), stopped(&both.is));
    let cx = both.is.cx;
    for (name, by, span) in then {
        if now.iter().any(|(known, ..)| *known == name) {
            continue;
        }
        // What is not even named any more went with its task.
        let named = both.is.parts.iter().find_map(|&part| {
            let function = cx.function(part);
            let awaited = function.values.iter().enumerate().find_map(|(at, value)| match value.kind {
                ValueKind::Awaited(of) if cx.program.value_text(part, of) == name => Some(ValueIndex(at as u32)),
                _ => None,
            })?;
            Some((part, function.value(awaited).span))
        });
        let Some((part, at)) = named else { continue };
        let verdict = cx
            .verdict(NAME, Stance::Unproven, part, at, &format!("`{name}`"))
            .assumes(format!("`{name}` ends by itself"))
            .says(format!("`{name}` was told to stop before, and is waited for without that now"))
            .asks(format!("what ends `{name}`, now that nobody tells it to stop?"))
            .helps("tell it to stop before it is waited for");
        out.push(Gone { had: (by, span), asked: verdict });
    }
}

/// The tasks that a function tells to stop.
fn stopped(whole: &Whole) -> Vec<(String, FunctionId, Span)> {
    let cx = whole.cx;
    let tables = cx.program.tables(Language::Rust);
    let of_part = |&by: &FunctionId| {
        let function = cx.function(by);
        let told = function.values.iter().enumerate().filter_map(|(at, value)| {
            let ValueKind::Call(call) = &value.kind else { return None };
            let Callee::Method(receiver, _) = &call.callee else { return None };
            let resolution = cx.resolution(by, ValueIndex(at as u32));
            let (of, _) = resolution.external()?.rsplit_once("::")?;
            let cancels = tables.risk(resolution.external()?).is_some_and(|risk| risk.kind == RiskKind::Cancellation);
            (cancels && tables.is_handle(of)).then(|| (cx.program.value_text(by, *receiver), by, value.span))
        });
        told.collect::<Vec<_>>()
    };
    whole.parts.iter().flat_map(of_part).collect()
}

/// A function that returned a handle which ended its task when it was dropped returns the bare one.
fn owner_unwrapped(both: &OnBoth, out: &mut Vec<Gone>) {
    let (was, is) = (both.was.cx, both.is.cx);
    let owner = was.program.return_type(both.was.id);
    let Some(definition) = owner.instance().and_then(|owner| owner.definition) else { return };
    let bare = is.program.return_type(both.is.id);
    if !bare.instance().is_some_and(|bare| is.program.tables(Language::Rust).is_handle(&bare.name))
        || !was.program.ends_with_code(definition)
    {
        return;
    }
    let function = is.function(both.is.id);
    let returned = function.blocks.iter().find_map(|block| match block.next {
        Next::Return(Some(value)) => Some(function.value(value).span),
        _ => None,
    });
    let Some(span) = returned else { return };
    let (name, owner) = (&function.name, was.program.type_def(definition).name.clone());
    let verdict = is
        .verdict(NAME, Stance::Unproven, both.is.id, span, &format!("`{name}`"))
        .assumes(format!("whoever calls `{name}` ends the task that it starts"))
        .says(format!("`{name}` gave a `{owner}`, which did something at its end, and gives a bare handle now: dropping that ends nothing"))
        .asks(format!("who ends the task when a caller of `{name}` drops its handle?"))
        .helps("give a handle that aborts its task when it is dropped");
    out.push(Gone { had: (both.was.id, was.function(both.was.id).header), asked: verdict });
}
