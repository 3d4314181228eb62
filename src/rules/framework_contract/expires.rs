//! An attribute is read after the commit that made it expire.
//!
//! ~~~text
//! user = (await session.execute(query)).scalar_one()     read from the session
//! await session.commit()                                 whatever was read has expired
//! return user.name                                       a query, where no query can be made
//! ~~~

use std::collections::BTreeSet;

use crate::analysis::locks::LockPlace;
use crate::catalogue::Expires;
use crate::flow::{
    BlockIndex, Callee, Field, Goes, Root, Step, StepKind, Suspension, ValueIndex, ValueKind, VariableIndex,
};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Level, Verdict};

use super::{Body, NAME};

/// How many calls lie between the session and the thing that is read from it.
const DEEPEST: u32 = 8;

/// A call after which everything that was read has expired.
struct Expiry<'a> {
    entry: &'a Expires,
    session: LockPlace,
    name: String,
    at: Span,
    block: BlockIndex,
    step: usize,
}

pub(super) fn check(body: &Body, out: &mut Vec<Verdict>) {
    if body.cx.language(body.id.module) != Language::Python {
        return;
    }
    for expiry in expiries(body) {
        let things = things(body, &expiry);
        let Some((variable, field, at)) = first_read(body, &expiry, &things) else { continue };
        if body.cx.program.mentions_anywhere(&expiry.entry.unless) {
            return;
        }
        let function = body.cx.function(body.id);
        let thing = &function.variable(variable).name;
        let renew = expiry.entry.renewed.last().map_or("", String::as_str);
        let verdict = body
            .cx
            .violated(NAME, Confidence::Medium, body.id, at, &format!("`{thing}.{field}`"))
            .assumes(format!("`{thing}` still has its values after `{}.{}`", expiry.name, expiry.entry.by))
            .says(format!(
                "`{thing}.{field}` is read after `{}.{}`, which makes it expire: {}",
                expiry.name, expiry.entry.by, expiry.entry.harm
            ))
            .helps(format!(
                "read it before, await `{}.{renew}({thing})`, or set `{}=False`",
                expiry.name, expiry.entry.unless
            ))
            .evidence(body.cx.location(body.id, expiry.at), format!("`{thing}` expires here"))
            .level(Level::Warning);
        out.push(verdict);
    }
}

fn expiries<'a>(body: &Body<'_, 'a>) -> Vec<Expiry<'a>> {
    let function = body.cx.function(body.id);
    let found = function.steps().filter_map(|(block, step, written)| {
        let StepKind::Suspend(Suspension::Await, Some(call)) = written.kind else { return None };
        let Callee::Method(receiver, method) = &function.call(call)?.callee else { return None };
        let of = body.cx.program.value_type(body.id, *receiver);
        let of = of.instance().filter(|of| of.definition.is_none())?;
        let entry = body.tables().expires(&of.name).filter(|entry| entry.by == *method)?;
        let session = body.cx.program.lock_place(body.id, *receiver);
        let name = body.cx.program.value_text(body.id, *receiver);
        Some(Expiry { entry, session, name, at: written.span, block, step })
    });
    found.collect()
}

/// The variables that hold what was read from the session or put into it.
fn things(body: &Body, expiry: &Expiry) -> BTreeSet<VariableIndex> {
    let function = body.cx.function(body.id);
    let mut found = BTreeSet::new();
    for (_, _, step) in function.steps() {
        if let StepKind::Bind(variable, value) = step.kind
            && is_read_from(body, expiry, value, DEEPEST) == Some(true)
        {
            found.insert(variable);
        }
    }
    for (call, _) in &body.calls {
        found.extend(argument_of(body, expiry, *call, &expiry.entry.added));
    }
    found
}

/// Whether a value comes from the session, and then whether it is a thing that expires; `None` if it does not.
fn is_read_from(body: &Body, expiry: &Expiry, value: ValueIndex, depth: u32) -> Option<bool> {
    let depth = depth.checked_sub(1)?;
    let function = body.cx.function(body.id);
    let read = function.value(value);
    match &read.kind {
        ValueKind::Awaited(of) | ValueKind::Element(of) | ValueKind::Index(of) => {
            is_read_from(body, expiry, *of, depth)
        }
        ValueKind::Call(call) => {
            let Callee::Method(receiver, method) = &call.callee else { return None };
            let gives = expiry.entry.gives.contains(method);
            if body.cx.program.lock_place(body.id, *receiver).is_same(&expiry.session) {
                return Some(gives);
            }
            is_read_from(body, expiry, *receiver, depth).map(|is_thing| is_thing || gives)
        }
        ValueKind::Place(place) => {
            let Root::Variable(variable) = place.root else { return None };
            if place.fields.iter().any(|field| matches!(field, Field::Name(_))) {
                return None;
            }
            let reaching = body.cx.program.reaching(body.id, variable, read.block, read.step);
            match &reaching.values[..] {
                [only] if *only != value => is_read_from(body, expiry, *only, depth),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The variable that one of these methods of the session is given.
fn argument_of(body: &Body, expiry: &Expiry, call: ValueIndex, methods: &[String]) -> Option<VariableIndex> {
    let function = body.cx.function(body.id);
    let written = function.call(call)?;
    let Callee::Method(receiver, method) = &written.callee else { return None };
    if !methods.contains(method) || !body.cx.program.lock_place(body.id, *receiver).is_same(&expiry.session) {
        return None;
    }
    match &function.value(written.arguments.first()?.value).kind {
        ValueKind::Place(place) => place.as_variable(),
        _ => None,
    }
}

/// The first attribute that is read of one of these things after it has expired and before it is renewed.
fn first_read(body: &Body, expiry: &Expiry, things: &BTreeSet<VariableIndex>) -> Option<(VariableIndex, String, Span)> {
    things.iter().filter_map(|thing| read_after(body, expiry, *thing)).min_by_key(|(_, _, at)| at.start)
}

fn read_after(body: &Body, expiry: &Expiry, thing: VariableIndex) -> Option<(VariableIndex, String, Span)> {
    let function = body.cx.function(body.id);
    let mut found: Option<(VariableIndex, String, Span)> = None;
    function.walk_steps((expiry.block, expiry.step + 1), |stretch| {
        for (_, step) in stretch.steps() {
            if is_renewed(body, expiry, thing, step) {
                return Goes::Aside;
            }
            if let StepKind::Read(place) = &step.kind
                && place.root == Root::Variable(thing)
                && let Some(Field::Name(field)) = place.fields.first()
                && !field.starts_with('_')
            {
                if found.as_ref().is_none_or(|(_, _, at)| step.span.start < at.start) {
                    found = Some((thing, field.clone(), step.span));
                }
                return Goes::Aside;
            }
        }
        Goes::<()>::On
    });
    found
}

/// Whether a step gives a thing its values back, or another thing to its variable.
fn is_renewed(body: &Body, expiry: &Expiry, thing: VariableIndex, step: &Step) -> bool {
    match &step.kind {
        StepKind::Bind(variable, _) => *variable == thing,
        StepKind::Call(call) => argument_of(body, expiry, *call, &expiry.entry.renewed) == Some(thing),
        _ => false,
    }
}
