//! A call blocks the event loop or the executor's thread.

mod doubles;
mod never_waits;
mod outward;
mod slow_holder;

use crate::analysis::FunctionId;
use crate::analysis::held::What;
use crate::analysis::operators::Waiting;
use crate::analysis::types::Type;
use crate::catalogue::{Blocking, BlockingKind, Stake};
use crate::flow::{Callee, ValueIndex};
use crate::text::Span;
use crate::verdict::{Confidence, Level, Setting, Verdict};

use super::advice;
use super::context::RuleContext;

pub(super) const NAME: &str = "blocking-in-async";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    if !cx.runs_on_loop(id) {
        return;
    }
    let function = cx.function(id);
    let gives_way = cx.context(id).gives_way_at_queries();
    let mut glances = Vec::new();
    for event in &cx.facts(id).events {
        let What::Call(value) = event.what else { continue };
        let resolution = cx.resolution(id, value);
        let Some(entry) = cx.program.blocking_call(id, value, &resolution) else { continue };
        // A loop inside a loop is a rule of its own.
        if entry.kind == BlockingKind::LoopEntry || gives_way && entry.kind == BlockingKind::Database {
            continue;
        }
        if !is_felt(cx, id, entry) {
            continue;
        }
        let name = cx.program.callee_text(id, value);
        let is_repeated = function.blocks[event.block.at()].in_loop.is_some();
        match (entry.stake, entry.kind) {
            (Stake::Micro, BlockingKind::File) => glances.push((entry, name, event.span)),
            // A short lock, a line on the console: nobody's loop suffers, and a reader of such notes does.
            (Stake::Micro, _) => {}
            (Stake::Io | Stake::Unbounded, _) => {
                let whole = whole(cx, id, entry, value);
                out.push(verdict(cx, id, entry, &name, event.span, is_repeated).part_of(whole));
            }
        }
    }
    for Waiting { entry, name, span, is_repeated, .. } in cx.program.waiting_operators(id) {
        if entry.stake != Stake::Micro && is_felt(cx, id, entry) && !(gives_way && entry.kind == BlockingKind::Database)
        {
            let whole = if entry.stake == Stake::Io { short_work(entry) } else { String::new() };
            out.push(verdict(cx, id, entry, &name, span, is_repeated).part_of(whole));
        }
    }
    out.extend(glance(cx, id, &glances));
    out.extend(never_waits::check(cx, id));
    outward::check(cx, id, out);
    slow_holder::check(cx, id, out);
}

fn verdict(cx: &RuleContext, id: FunctionId, entry: &Blocking, name: &str, span: Span, is_repeated: bool) -> Verdict {
    let blocked = what_it_blocks(cx, id);
    let mut verdict = cx
        .violated(NAME, Confidence::High, id, span, &format!("`{name}`"))
        .assumes(format!("nothing in `{}` blocks {blocked}", cx.function(id).name))
        .says(format!("`{name}` {} and blocks {blocked}", waits_for(entry)))
        .helps(instead(entry))
        .stake(entry.stake);
    verdict.evidence.push(cx.loop_evidence(id));
    raised(verdict, entry, is_repeated || cx.is_hot(id))
}

/// What blocks in a test keeps nobody waiting but the test, and short input and output not even that, nor what the test
/// has put a double in the place of.
pub(super) fn is_felt(cx: &RuleContext, id: FunctionId, entry: &Blocking) -> bool {
    !cx.program.is_test_code(id) || entry.stake == Stake::Unbounded && !doubles::has_a_double(cx, id, &entry.name)
}

/// What is mended in one go. Short input and output of one kind adds up in a function, and is handed to one thread. A wait
/// without bound is one fault each time, unless it is one of the same thing; who replaces a connection to a database has
/// mended all that begins with it.
fn whole(cx: &RuleContext, id: FunctionId, entry: &Blocking, call: ValueIndex) -> String {
    match (entry.kind, entry.stake) {
        (BlockingKind::Database, _) => same_thing(cx, id, first_of_chain(cx, id, call)),
        (_, Stake::Io) => short_work(entry),
        _ => same_thing(cx, id, call),
    }
}

/// The call that a chain of calls begins with: `db.query(…)` of `db.query(…).filter(…).first()`.
fn first_of_chain(cx: &RuleContext, id: FunctionId, mut call: ValueIndex) -> ValueIndex {
    let function = cx.function(id);
    while let Some(Callee::Method(receiver, _)) = function.call(call).map(|call| &call.callee)
        && function.call(*receiver).is_some_and(|inner| matches!(inner.callee, Callee::Method(..)))
    {
        call = *receiver;
    }
    call
}

/// What is to be replaced for a call to be mended, and is replaced for all calls of it at once: the object that it is a
/// method of, or else the function.
pub(super) fn same_thing(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> String {
    match cx.function(id).call(call).map(|call| &call.callee) {
        Some(Callee::Method(receiver, _)) if is_object(&cx.program.value_type(id, *receiver)) => {
            cx.program.value_text(id, *receiver)
        }
        _ => cx.program.callee_text(id, call),
    }
}

/// Whether a receiver is an object, rather than a module or class that only qualifies a name.
fn is_object(of: &Type) -> bool {
    !matches!(of, Type::Module(_) | Type::Class(_) | Type::External(_))
}

fn short_work(entry: &Blocking) -> String {
    waits_for(entry).to_owned()
}

/// One note for all the questions of a function that the disk answers in a moment: does it exist, how large is it.
fn glance(cx: &RuleContext, id: FunctionId, glances: &[(&Blocking, String, Span)]) -> Option<Verdict> {
    let ((entry, name, span), more) = glances.split_first()?;
    let blocked = what_it_blocks(cx, id);
    let mut verdict = cx
        .violated(NAME, Confidence::High, id, *span, "questions to the file system")
        .assumes(format!("nothing in `{}` blocks {blocked}", cx.function(id).name))
        .says(format!("`{name}` asks the file system and blocks {blocked} for a moment"))
        .helps(instead(entry))
        .stake(entry.stake);
    verdict.evidence.push(cx.loop_evidence(id));
    for (_, name, span) in more {
        verdict = verdict.evidence(cx.location(id, *span), format!("so does `{name}`"));
    }
    Some(verdict)
}

/// Short input and output adds up where it is done again and again: in a loop, whether it is written here or walks a
/// folder inside the call, and in a handler. In a test nothing is more than a note.
pub(super) fn raised(verdict: Verdict, entry: &Blocking, is_often: bool) -> Verdict {
    let is_many = is_often || entry.kind == BlockingKind::Tree;
    if verdict.setting == Setting::Test {
        return verdict.level(Level::Note);
    }
    if is_many && entry.stake == Stake::Io { verdict.level(Level::Warning) } else { verdict }
}

pub(super) fn what_it_blocks(cx: &RuleContext, id: FunctionId) -> &'static str {
    match cx.language(id.module) {
        crate::text::Language::Python => "the event loop",
        crate::text::Language::Rust => "the executor's thread",
    }
}

pub(super) fn instead(entry: &Blocking) -> String {
    entry.instead.as_deref().map_or_else(String::new, advice::help)
}

pub(super) fn waits_for(entry: &Blocking) -> &'static str {
    match entry.kind {
        BlockingKind::Sleep => "sleeps",
        BlockingKind::Network => "waits for the network",
        BlockingKind::Database => "waits for the database",
        BlockingKind::File => "reads or writes files",
        BlockingKind::Tree => "reads or writes whole folders",
        BlockingKind::Process if entry.stake == Stake::Io => "starts a process or talks to one",
        BlockingKind::Process => "waits for a process",
        BlockingKind::Cpu => "computes for long",
        BlockingKind::LockWait => "waits for another thread",
        BlockingKind::Channel => "waits for a message",
        BlockingKind::Console => "waits for the console",
        BlockingKind::LoopEntry => "drives another event loop to its end",
        BlockingKind::Park => "waits to be unparked",
    }
}
