//! A loop in asynchronous code that goes round without ever giving way.
//!
//! Only the turns count that nothing leaves and nothing changes: such a turn is taken again and again, since no other
//! task gets to run that could make the next one differ.
//!
//! ~~~text
//! while True:                  turn without an await: the queue is empty, and stays so
//!     if not queue.empty():
//!         await send(queue)
//! ~~~

pub(super) mod gave_way;
mod set_already;

use std::collections::BTreeSet;

use crate::analysis::FunctionId;
use crate::analysis::held::{Event, What};
use crate::catalogue::BlockingKind;
use crate::flow::{BlockIndex, Function, LoopIndex, LoopKind, Next, StepKind, ValueIndex, ValueKind};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Level, Verdict};

use super::context::RuleContext;

const NAME: &str = "loop-without-yield";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    // What a macro does is not always seen, and a thread of an executor is not the only one.
    if !function.is_async() || function.loops.is_empty() || cx.language(id.module) != Language::Python {
        return;
    }
    let shape = cx.program.shape(id);
    for (at, around) in function.loops.iter().enumerate() {
        if !matches!(around.kind, LoopKind::While | LoopKind::Forever) || !shape.is_reachable(around.header) {
            continue;
        }
        out.extend(set_already::ask(cx, id, LoopIndex(at as u32)));
        let Some(turn) = idle_turn(cx, id, LoopIndex(at as u32)) else {
            out.extend(polls(cx, id, LoopIndex(at as u32)));
            continue;
        };
        // What only waits for somebody else waits for ever; what works comes to an end some time.
        let works = !turn.changes.is_empty();
        let only_looks = !turn.calls && !works;
        let (what, level) = match (around.kind, turn.may_give_way, works) {
            // A way out is no way out for a turn that finds what the one before it found.
            (LoopKind::Forever, _, _) if turn.leaves => match only_looks {
                true => ("may go round without giving way, and nothing that it looks at can change then", Level::Error),
                false => continue,
            },
            (LoopKind::While, _, _) if turn.leaves => continue,
            (LoopKind::Forever, false, _) => ("never gives way: no other task runs again", Level::Error),
            // What a call finds out may change by itself, and a pause is a finding of its own.
            (LoopKind::While, false, false) if only_looks => {
                ("never gives way and changes nothing that it waits for: no other task can", Level::Error)
            }
            (LoopKind::Forever, true, false) => {
                ("may go round without giving way, and then does so for ever", Level::Warning)
            }
            _ => continue,
        };
        let confidence = if turn.may_give_way { Confidence::Medium } else { Confidence::High };
        let mut verdict = cx
            .violated(NAME, confidence, id, Span::new(around.span.start, around.span.start + 5), "the loop")
            .assumes(format!("a loop in `{}` gives way at every turn", function.name))
            .says(format!("this loop of `{}` {what}", function.name))
            .helps("await in every turn: what the loop waits for, or a pause")
            .level(level);
        if let Some(span) = turn.gives_way_at {
            verdict = verdict.evidence(cx.location(id, span), "only here it gives way");
        }
        out.push(verdict);
    }
}

/// A loop that does nothing but pause until somebody else has changed a variable.
fn polls(cx: &RuleContext, id: FunctionId, of: LoopIndex) -> Option<Verdict> {
    let function = cx.function(id);
    let around = &function.loops[of.at()];
    if around.kind != LoopKind::While {
        return None;
    }
    let tables = cx.program.tables(Language::Python);
    let (mut pause, mut looks_at) = (None, None);
    let blocks = function.blocks.iter().enumerate().filter(|(at, _)| is_in(&function, BlockIndex(*at as u32), of));
    for (_, block) in blocks {
        if let Next::Branch(Some(value), _) = block.next {
            looks_at = looks_at.or(Some(value));
        }
        for step in &block.steps {
            match &step.kind {
                StepKind::Call(call) | StepKind::Suspend(_, Some(call)) => {
                    let resolution = cx.resolution(id, *call);
                    pause = Some(resolution.external().filter(|name| tables.pauses(name)).map(|_| step.span)?);
                }
                StepKind::Read(_) | StepKind::Discard(_) => {}
                _ => return None,
            }
        }
    }
    let (pause, looks_at) = (pause?, looks_at?);
    let name = cx.program.value_text(id, looks_at);
    Some(
        cx.violated(NAME, Confidence::High, id, Span::new(around.span.start, around.span.start + 5), "the loop")
            .assumes(format!("`{}` goes on as soon as what it waits for has come", function.name))
            .says(format!("`{}` looks again and again whether others have changed `{name}`", function.name))
            .helps("wait for an event that they set")
            .evidence(cx.location(id, pause), "it only pauses in between")
            .level(Level::Note),
    )
}

/// A turn of a loop that nothing interrupts.
struct Turn {
    /// Whether other turns give way.
    may_give_way: bool,
    /// Where they do.
    gives_way_at: Option<Span>,
    /// Whether other turns leave the loop before they give way.
    leaves: bool,
    /// Whether it calls anything.
    calls: bool,
    /// Steps of the turn that change something, apart from finding out where to go.
    changes: Vec<Span>,
}

/// The turns of a loop that never give way and come round, if there is one.
fn idle_turn(cx: &RuleContext, id: FunctionId, of: LoopIndex) -> Option<Turn> {
    let function = cx.function(id);
    let header = function.loops[of.at()].header;
    let is_inside = |block: BlockIndex| is_in(&function, block, of);
    let gives_way = |block: BlockIndex| {
        function.blocks[block.at()].steps.iter().find_map(|step| match step.kind {
            StepKind::Suspend(how, what) if cx.program.may_suspend(id, how, what) => Some(step.span),
            _ => None,
        })
    };
    let mut comes_back_from = Vec::new();
    let mut leaves_from = BTreeSet::new();
    let mut deciding = Vec::new();
    let mut seen = BTreeSet::new();
    function.reached([header], |at, block, work| {
        if gives_way(at).is_some() {
            return;
        }
        seen.insert(at);
        match &block.next {
            Next::Return(_) | Next::Raise(_) if block.on_raise.is_none_or(|handler| !is_inside(handler)) => {
                leaves_from.insert(at);
            }
            Next::Branch(Some(value), _) => deciding.push(*value),
            _ => {}
        }
        for &target in block.next.targets() {
            match (target == header, is_inside(target)) {
                (true, _) => comes_back_from.push(at),
                (false, true) => work.push(target),
                (false, false) => {
                    leaves_from.insert(at);
                }
            }
        }
        // An exception that a handler in the loop takes goes on inside it.
        if !block.steps.is_empty() || matches!(block.next, Next::Raise(_)) {
            work.extend(block.on_raise.filter(|handler| is_inside(*handler)));
        }
    });
    let own_condition = function.loops[of.at()].kind == LoopKind::While;
    let conditions = condition_blocks(&function, of);
    let leaves = leaves_from.iter().any(|block| !(own_condition && conditions[block.at()]));
    if comes_back_from.is_empty() {
        return None;
    }
    // Where some turns leave, only those count that do not.
    if leaves {
        seen = coming_to(&function, &seen, comes_back_from);
    }
    let gives_way_at =
        (0..function.blocks.len() as u32).map(BlockIndex).filter(|block| is_inside(*block)).find_map(gives_way);
    let changes = seen.iter().flat_map(|block| changes(cx, id, *block, &deciding)).collect();
    // A property is a call that does not look like one.
    let runs_property = |block: BlockIndex| {
        let runs = |event: &Event| event.block == block && matches!(event.what, What::Runs(_));
        cx.facts(id).events.iter().any(runs)
    };
    let calls = seen.iter().any(|block| {
        let steps = &function.blocks[block.at()].steps;
        steps.iter().any(|step| matches!(step.kind, StepKind::Call(_))) || runs_property(*block)
    });
    Some(Turn { may_give_way: gives_way_at.is_some(), gives_way_at, leaves, calls, changes })
}

/// The blocks among some from which control may come to one of the last.
fn coming_to(function: &Function, among: &BTreeSet<BlockIndex>, last: Vec<BlockIndex>) -> BTreeSet<BlockIndex> {
    let mut found = BTreeSet::new();
    let mut work = last;
    while let Some(at) = work.pop() {
        if !found.insert(at) {
            continue;
        }
        let goes_there = |from: &&BlockIndex| {
            let block = &function.blocks[from.at()];
            block.next.targets().contains(&at) || block.on_raise == Some(at)
        };
        work.extend(among.iter().filter(goes_there));
    }
    found
}

/// The blocks in which the loop's own condition is evaluated: from its header to where the text of its body begins.
fn condition_blocks(function: &Function, of: LoopIndex) -> Vec<bool> {
    function.reached([function.loops[of.at()].header], |_, block, on| {
        // A condition of several parts: its blocks hold nothing but the reads and calls of the next part.
        let decides = |target: &BlockIndex| matches!(function.blocks[target.at()].next, Next::Branch(Some(_), _));
        let targets = block.next.targets().iter().copied();
        on.extend(targets.filter(|target| decides(target) && is_in(function, *target, of)));
    })
}

/// The steps of a block that may change what the loop waits for.
fn changes(cx: &RuleContext, id: FunctionId, block: BlockIndex, deciding: &[ValueIndex]) -> Vec<Span> {
    let function = cx.function(id);
    let decides = |value: ValueIndex| {
        let mut work = deciding.to_vec();
        let mut left = 256;
        while let Some(one) = work.pop() {
            if one == value {
                return true;
            }
            left -= 1;
            if left == 0 {
                return false;
            }
            crate::analysis::uses::for_each_part(&function.value(one).kind, |part| work.push(part));
        }
        false
    };
    let pauses = |value: ValueIndex| {
        let resolution = cx.resolution(id, value);
        cx.program.blocking_call(id, value, &resolution).is_some_and(|found| found.kind == BlockingKind::Sleep)
    };
    let steps = function.blocks[block.at()].steps.iter();
    let changing = steps.filter(|step| match &step.kind {
        StepKind::Call(value) => !decides(*value) && !pauses(*value),
        StepKind::Bind(..) | StepKind::Write(..) | StepKind::Store(..) | StepKind::Enter(_) => true,
        StepKind::Discard(value) => {
            !matches!(function.value(*value).kind, ValueKind::Call(_) | ValueKind::Literal(_) | ValueKind::Unknown)
        }
        StepKind::Suspend(..) | StepKind::Exit(_) | StepKind::Read(_) | StepKind::Drop(..) => false,
    });
    changing.map(|step| step.span).collect()
}

pub(super) fn is_in(function: &Function, block: BlockIndex, of: LoopIndex) -> bool {
    let mut around = function.blocks[block.at()].in_loop;
    while let Some(one) = around {
        if one == of {
            return true;
        }
        around = function.loops[one.at()].parent;
    }
    false
}
