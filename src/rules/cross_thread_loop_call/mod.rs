//! What belongs to an event loop is touched from another thread.
//!
//! A function that is handed to a thread is looked at with all that it calls in place. Where it leads to a call that
//! only the loop's own thread may make, the call in the thread's function is the finding, and the trace leads down.

mod driven;
pub(super) mod handed_back;
mod handed_out;
mod itself;
mod woken;

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::catalogue::Runs;
use crate::flow::{Callee, FunctionKind, ValueIndex, ValueKind};
use crate::text::Language;
use crate::verdict::{Confidence, Evidence, Hop, Location, Verdict};

use super::context::RuleContext;

const NAME: &str = "cross-thread-loop-call";

/// How many calls lie between the thread's function and the touch.
const DEEPEST: u32 = 5;

/// How many functions one thread's function may lead to.
const MOST_FUNCTIONS: usize = 120;

/// A call that another thread than the loop's may not make.
struct Touch<'a> {
    harm: Harm<'a>,
    name: String,
    at: Location,
    hops: Vec<Hop>,
}

/// What comes of such a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Harm<'a> {
    /// It changes what the loop's thread uses; others call this instead.
    Unsafe(&'a str),
    /// It raises, as the thread has no loop.
    NoLoop,
}

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    handed_out::check(cx, id, out);
    itself::check(cx, id, out);
    if cx.language(id.module) != Language::Python || cx.function(id).is_async() {
        return;
    }
    let Some(shown) = shown_in_thread(cx, id) else {
        driven::check(cx, id, out);
        woken::check(cx, id, out);
        return;
    };
    let mut search = Search { cx, path: Vec::new(), entered: 0, has_own_loop: false };
    let mut touches = search.touches(id, DEEPEST);
    // A thread that has a loop of its own, or asks which one it is, touches its own things.
    if search.has_own_loop {
        return;
    }
    let drives = cx.program.summary(id).blocks.iter().any(|blocks| blocks.is_loop_entry());
    // Where no loop is to be had, nothing is done with it.
    let has_none = touches.iter().any(|(_, touch)| touch.harm == Harm::NoLoop && touch.hops.len() == 1);
    touches.retain(|(_, touch)| touch.harm == Harm::NoLoop || !(drives || has_none));
    for (event, touch) in touches {
        out.push(verdict(cx, id, &event, touch, &shown));
    }
}

/// Where it shows that a function runs in a worker thread.
fn shown_in_thread(cx: &RuleContext, id: FunctionId) -> Option<Evidence> {
    let function = cx.function(id);
    let handed = cx.program.handed_over(id);
    if let Some(hand_over) = handed.iter().find(|hand_over| hand_over.runs == Runs::Thread) {
        let note = format!("`{}` is handed to a thread here", hand_over.to);
        return Some(Evidence { at: hand_over.at.clone(), note });
    }
    // A lambda has its context from the function around it, and may be handed on by that.
    let is_declared = !matches!(function.kind, FunctionKind::Closure | FunctionKind::GeneratorExpression)
        && cx.context(id).is_in_thread();
    is_declared.then(|| Evidence {
        at: cx.location(id, function.header),
        note: format!("`{}` runs in a worker thread", function.name),
    })
}

fn verdict(cx: &RuleContext, id: FunctionId, event: &Event, touch: Touch, shown: &Evidence) -> Verdict {
    let function = cx.function(id);
    let by = match touch.hops.last() {
        Some(last) if touch.hops.len() > 1 => format!(" through `{}`", last.function),
        _ => String::new(),
    };
    let (harm, help) = match touch.harm {
        Harm::Unsafe(instead) => (
            "it is not thread-safe, and does not wake the loop",
            format!("use `{instead}`, which hands the call to the loop's thread"),
        ),
        Harm::NoLoop => (
            "the thread has no event loop, and it raises RuntimeError",
            "take the running loop along from asynchronous code, or drive a new one here".to_owned(),
        ),
    };
    let mut verdict = cx
        .violated(NAME, Confidence::High, id, event.span, &format!("`{}`", touch.name))
        .assumes(format!("`{}` leaves what belongs to the event loop to the loop's own thread", function.name))
        .says(format!("`{}` is called from a worker thread{by}: {harm}", touch.name))
        .helps(help);
    verdict.evidence.push(shown.clone());
    if touch.hops.len() > 1 {
        verdict = verdict.evidence(touch.at, format!("`{}` is called here", touch.name)).trace(touch.hops);
    }
    verdict
}

struct Search<'c, 'p, 'a> {
    cx: &'c RuleContext<'p, 'a>,
    path: Vec<FunctionId>,
    entered: usize,
    has_own_loop: bool,
}

impl<'a> Search<'_, '_, 'a> {
    /// The calls of a function that touch a loop, themselves or further down.
    fn touches(&mut self, id: FunctionId, depth: u32) -> Vec<(Event, Touch<'a>)> {
        let mut found = Vec::new();
        self.entered += 1;
        if self.path.contains(&id) || self.entered > MOST_FUNCTIONS {
            return found;
        }
        self.path.push(id);
        let is_asking = self.cx.program.asks_for_a_loop(id);
        for event in &self.cx.facts(id).events {
            let What::Call(call) = event.what else { continue };
            let touch = self.touch(id, call).or_else(|| self.touch_below(id, event, depth));
            found.extend(touch.filter(|_| !is_asking).map(|touch| (event.clone(), touch)));
        }
        self.path.pop();
        found
    }

    /// What a call touches itself.
    fn touch(&mut self, id: FunctionId, call: ValueIndex) -> Option<Touch<'a>> {
        let resolution = self.cx.resolution(id, call);
        let name = resolution.external()?;
        let tables = self.cx.program.tables(Language::Python);
        self.has_own_loop |= tables.has_own_loop(name);
        let function = self.cx.function(id);
        let block = function.value(call).block;
        let harm = match tables.affine(name) {
            Some(_) if is_own(self.cx, id, call) => return None,
            Some(entry) => Harm::Unsafe(&entry.instead),
            // Who catches the exception has thought of it.
            None if tables.wants_current_loop(name) && function.blocks[block.at()].on_raise.is_none() => Harm::NoLoop,
            None => return None,
        };
        let span = function.value(call).span;
        let name = self.cx.program.callee_text(id, call);
        let hops = vec![self.cx.program.hop(id, span, format!("calls `{name}`"))];
        Some(Touch { harm, name, at: self.cx.location(id, span), hops })
    }

    /// What every function that a call may run touches.
    fn touch_below(&mut self, id: FunctionId, event: &Event, depth: u32) -> Option<Touch<'a>> {
        let depth = depth.checked_sub(1)?;
        let ways = self.cx.program.in_place(id, event);
        ways.iter().filter(|way| !way.is_awaited).find_map(|way| {
            let mut first = None;
            for callee in &way.candidates {
                let below = self.touches(*callee, depth).into_iter().next();
                first = first.or(Some(below?.1));
            }
            let mut touch = first?;
            touch.hops.insert(0, self.cx.program.hop(id, event.span, way.what(self.cx.program, id)));
            Some(touch)
        })
    }
}

/// Whether what is touched was made by the very function, so that no loop knows it yet.
fn is_own(cx: &RuleContext, id: FunctionId, call: ValueIndex) -> bool {
    let function = cx.function(id);
    let Some(Callee::Method(receiver, _)) = function.call(call).map(|call| &call.callee) else { return false };
    let read = function.value(*receiver);
    let ValueKind::Place(place) = &read.kind else { return false };
    let Some(variable) = place.as_variable() else { return false };
    let reaching = cx.program.reaching(id, variable, read.block, read.step);
    let of = cx.program.value_type(id, *receiver);
    let makes = |value: &ValueIndex| {
        let resolution = cx.resolution(id, *value);
        function.call(*value).is_some() && resolution.external() == of.instance().map(|of| of.name.as_str())
    };
    !reaching.from_entry && !reaching.values.is_empty() && reaching.values.iter().all(makes)
}
