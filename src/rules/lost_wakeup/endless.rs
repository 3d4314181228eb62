//! A wait that ended after a stated time before the change, and ends only when it is answered now.
//!
//! ~~~text
//! await asyncio.wait_for(self._ready.wait(), 5)      await self._ready.wait()
//! thread.join(timeout=2)                             thread.join()
//! async with asyncio.timeout(5): await pull()        await pull()
//! ~~~

use crate::analysis::FunctionId;
use crate::analysis::uses::Uses;
use crate::catalogue::{BlockingKind, ScopeKind};
use crate::flow::{Call, Function, Literal, ManagedIndex, ParameterKind, ValueIndex, ValueKind};
use crate::rules::context::RuleContext;
use crate::rules::manner::{Gone, OnBoth, Whole, bared};
use crate::text::{Language, Span};
use crate::verdict::{Level, Stance};

use super::NAME;

/// A wait, and whether a time ends it.
struct Wait {
    by: FunctionId,
    call: ValueIndex,
    name: String,
    span: Span,
    is_limited: bool,
    /// Whether it is a call of the project that takes no time: what it waits for, it waits for itself.
    takes_no_time: bool,
    /// Whether the call itself is given a time, by name.
    names_a_time: bool,
    /// What that time is, where it is no number that stands there.
    time: Option<String>,
}

pub(in crate::rules) fn check(both: &OnBoth, out: &mut Vec<Gone>) {
    let (then, now) = (waits(&both.was), waits(&both.is));
    let (spoke, speaks) = (speaks_of_time(&both.was), speaks_of_time(&both.is));
    let limits = |of: &[Wait]| of.iter().filter(|wait| wait.is_limited).count();
    // A limit that stands elsewhere in the function now may be the same one.
    if limits(&now) >= limits(&then) || speaks > spoke {
        return;
    }
    let cx = both.is.cx;
    for (first, endless) in bared(&then, &now, |wait| &wait.name, |wait| wait.is_limited) {
        // A time that is given to another call now, or that nobody takes any more, went another way.
        let is_given_elsewhere = || first.names_a_time && speaks >= spoke && goes_another_way(&both.is, first, endless);
        if is_given_elsewhere() || first.names_a_time && endless.takes_no_time {
            continue;
        }
        let (name, by) = (&endless.name, &cx.function(both.is.id).name);
        let verdict = cx
            .verdict(NAME, Stance::Unproven, endless.by, endless.span, &format!("`{name}`"))
            .assumes(format!("what `{by}` waits for with `{name}` always comes"))
            .says(format!("`{by}` waited for `{name}` for a stated time before, and waits without an end now"))
            .asks(format!("what ends the wait for `{name}` in `{by}` if the answer never comes?"))
            .helps("give the wait an end as before, or see to it that it is woken on every way")
            .level(Level::Warning);
        out.push(Gone { had: (first.by, first.span), asked: verdict });
        return;
    }
}

fn waits(whole: &Whole) -> Vec<Wait> {
    let cx = whole.cx;
    let mut found = Vec::new();
    for &by in &whole.parts {
        let function = cx.function(by);
        let shape = cx.program.shape(by);
        let scopes = deadlines(cx, by, &function);
        let tables = cx.program.tables(Language::Python);
        let mut limited: Vec<ValueIndex> = Vec::new();
        let calls = || {
            let all = function.calls().map(|(at, call)| (at, function.value(at), call));
            all.filter(|(_, value, _)| shape.is_reachable(value.block)).map(|(at, value, call)| (at, value.span, call))
        };
        for (at, _, call) in calls() {
            let resolution = cx.resolution(by, at);
            let deadline = resolution.external().and_then(|name| tables.deadline(name));
            limited.extend(deadline.into_iter().flat_map(|argument| cx.program.arguments_meant(call, argument)));
        }
        for (at, span, call) in calls() {
            let is_awaited = cx.program.is_awaited(by, at) || limited.contains(&at);
            if !is_awaited && !waits_for_a_thread(cx, by, at) {
                continue;
            }
            let is_limited = limited.contains(&at)
                || scopes.iter().any(|scope| scope.contains(span))
                || names_a_time(&function, call)
                || !is_awaited && !call.arguments.is_empty();
            let name = cx.program.callee_text(by, at);
            let callees = cx.resolution(by, at).functions();
            let takes_no_time = !callees.is_empty() && !callees.iter().any(|callee| takes_a_time(cx, *callee));
            let names_a_time = names_a_time(&function, call);
            let time = time_text(cx, by, call);
            found.push(Wait { by, call: at, name, span, is_limited, takes_no_time, names_a_time, time });
        }
    }
    found
}

/// The bodies of managed blocks that end after a stated time.
fn deadlines(cx: &RuleContext, id: FunctionId, function: &Function) -> Vec<Span> {
    let tables = cx.program.tables(Language::Python);
    let of_block = |managed: &crate::flow::Managed| {
        let resolution = cx.resolution(id, managed.value);
        let scope = tables.bounds(resolution.external()?)?;
        (scope.kind == ScopeKind::Deadline).then_some(managed.body)
    };
    (0..function.managed.len() as u32).map(ManagedIndex).filter_map(|at| of_block(&function.managed[at.at()])).collect()
}

/// Whether a call waits for another thread or process, or for what one sends.
fn waits_for_a_thread(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    let resolution = cx.resolution(id, call);
    let entry = resolution.external().and_then(|name| cx.program.tables(Language::Python).blocking(name));
    entry.is_some_and(|entry| {
        matches!(entry.kind, BlockingKind::LockWait | BlockingKind::Channel | BlockingKind::Process)
    })
}

/// Whether a function of the project has a parameter for a time.
fn takes_a_time(cx: &RuleContext, id: FunctionId) -> bool {
    let function = cx.function(id);
    function.parameters.iter().any(|parameter| {
        parameter.kind == ParameterKind::RestNamed || function.variable(parameter.variable).name.contains("timeout")
    })
}

/// Whether a call is given a time by name, other than none.
fn names_a_time(function: &Function, call: &Call) -> bool {
    call.arguments.iter().any(|argument| {
        let is_named = argument.name.as_ref().is_some_and(|name| name.contains("timeout"));
        is_named && !matches!(function.value(argument.value).kind, ValueKind::Literal(Literal::None))
    })
}

/// What a call is given as its time by name, other than what stands there.
fn time_text(cx: &RuleContext, id: FunctionId, call: &Call) -> Option<String> {
    let function = cx.function(id);
    let is_time = |name: &Option<String>| name.as_ref().is_some_and(|name| name.contains("timeout"));
    let given = call.arguments.iter().find(|argument| is_time(&argument.name))?.value;
    (!matches!(function.value(given).kind, ValueKind::Literal(_))).then(|| cx.program.value_text(id, given))
}

/// Whether a call that is given a time is given the very one that a wait had, or makes something that the wait works
/// with now.
fn goes_another_way(whole: &Whole, limited: &Wait, endless: &Wait) -> bool {
    let cx = whole.cx;
    whole.parts.iter().any(|&by| {
        let function = cx.function(by);
        let mut timed = function.calls().filter(|(_, call)| names_a_time(&function, call)).peekable();
        if timed.peek().is_none() {
            return false;
        }
        let uses = Uses::of(&function);
        timed.any(|(at, call)| {
            let is_same = limited.time.is_some() && time_text(cx, by, call) == limited.time;
            is_same || by == endless.by && cx.program.made_from(by, &uses, at).contains(&endless.call)
        })
    })
}

/// How many calls of a function are given a time by name, whatever they wait for.
fn speaks_of_time(whole: &Whole) -> usize {
    let of_part = |&by: &FunctionId| {
        let function = whole.cx.function(by);
        function.calls().filter(|(_, call)| names_a_time(&function, call)).count()
    };
    whole.parts.iter().map(of_part).sum()
}
