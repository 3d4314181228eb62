//! The ways from a read to the write that rests on it.
//!
//! A way ends without an answer where the same place is tested again after giving way, or written before it: then nothing
//! stale is left.

use std::collections::BTreeSet;

use super::{At, Write, without_index};
use crate::analysis::held::{HeldBy, What};
use crate::analysis::uses::for_each_part;
use crate::analysis::{FunctionId, FunctionRef};
use crate::catalogue::LockKind;
use crate::flow::{
    BlockIndex, Callee, LoopKind, ManagedIndex, Next, Place, StepKind, Suspension, ValueIndex, ValueKind,
};
use crate::rules::context::RuleContext;
use crate::text::Span;

/// The ways through one function.
pub(super) struct Way<'c, 'p, 'a> {
    pub(super) cx: &'c RuleContext<'p, 'a>,
    pub(super) id: FunctionId,
    pub(super) function: FunctionRef,
    /// Suspensions where the task may really give way.
    pub(super) suspends: BTreeSet<At>,
    /// The values that decide branches, with the block that branches.
    pub(super) deciding: Vec<(BlockIndex, ValueIndex)>,
    /// Managed blocks that are open at the start of each block.
    pub(super) open: Vec<Vec<ManagedIndex>>,
}

/// How the write rests on the read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rests {
    /// Its value is made from what was read.
    Value,
    /// The read decides whether it happens.
    Condition,
}

/// A condition that decides on a write.
pub(super) struct Decision {
    /// The read that it is made from.
    pub(super) read: ValueIndex,
    /// Its ways that lead to the write.
    pub(super) ways: Vec<BlockIndex>,
}

/// A read, a suspension and a write that rests on the read.
pub(super) struct Stale {
    pub(super) read: Span,
    pub(super) gives_way: Span,
    pub(super) how: Suspension,
    pub(super) rests: Rests,
    pub(super) guard: Guard,
}

/// What is held from the read to the write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// Nothing.
    None,
    /// A lock, by its name, and where it is taken.
    Lock(String, Span),
    /// A managed block of which it is not known what it does.
    Unknown,
}

impl<'c, 'p, 'a> Way<'c, 'p, 'a> {
    pub(super) fn of(cx: &'c RuleContext<'p, 'a>, id: FunctionId, function: &FunctionRef) -> Self {
        let facts = cx.facts(id);
        let suspends = facts
            .events
            .iter()
            .filter(|event| cx.gives_way(id, event))
            .map(|event| (event.block, event.step))
            .collect();
        let deciding = (0..).zip(&function.blocks).filter_map(|(at, block)| match &block.next {
            Next::Branch(Some(value), _) => Some((BlockIndex(at), *value)),
            _ => None,
        });
        let deciding = deciding.collect();
        let open = open_blocks(function);
        Self { cx, id, function: function.clone(), suspends, deciding, open }
    }

    /// The stale read that a write rests on, if there is one.
    pub(super) fn stale(&self, write: &Write) -> Option<Stale> {
        self.stale_value(write).or_else(|| self.stale_condition(write))
    }

    /// The write's value is made from a read that is older than a suspension.
    fn stale_value(&self, write: &Write) -> Option<Stale> {
        let mut reads = Vec::new();
        for value in write.value.iter().chain(&write.given) {
            self.collect_reads(*value, &write.place, Through::Operations, 8, &mut reads);
        }
        reads.sort_unstable();
        for read in reads {
            let value = self.function.value(read);
            let from = (value.block, value.step + 1);
            if let Some((at, how)) = self.gives_way_between(from, write, Stops::AtWrites) {
                return Some(self.found(value.span, (value.block, value.step), at, how, write, Rests::Value));
            }
        }
        None
    }

    /// The write stands under a condition that is older than a suspension.
    fn stale_condition(&self, write: &Write) -> Option<Stale> {
        for Decision { read, ways } in self.decisions(write) {
            let value = self.function.value(read);
            for target in ways {
                if let Some((at, how)) = self.gives_way_between((target, 0), write, Stops::AtTests) {
                    return Some(self.found(value.span, (value.block, value.step), at, how, write, Rests::Condition));
                }
            }
        }
        None
    }

    /// The conditions over a write's place that decide whether control gets to the write.
    pub(super) fn decisions(&self, write: &Write) -> Vec<Decision> {
        let mut found = Vec::new();
        for &(block, condition) in &self.deciding {
            if self.is_turn(block) {
                continue;
            }
            let Some(read) = self.first_read(condition, &write.place) else { continue };
            let targets = self.function.blocks[block.at()].next.targets().to_vec();
            // It decides only if one of its ways does not lead to the write, at once or with the next part of an `and`.
            let misses = |target: &BlockIndex| !self.function.leads_past(*target, write.at.0, block);
            let is_decisive = targets.iter().any(|target| {
                let next = &self.function.blocks[target.at()].next;
                misses(target) || matches!(next, Next::Branch(Some(_), further) if further.iter().any(misses))
            });
            if !is_decisive || !self.dominates(block, write.at.0) {
                continue;
            }
            let ways = targets.into_iter().filter(|target| !misses(target)).collect();
            found.push(Decision { read, ways });
        }
        found
    }

    /// The first read of a place that a condition is made from.
    pub(super) fn first_read(&self, condition: ValueIndex, place: &Place) -> Option<ValueIndex> {
        let mut reads = Vec::new();
        self.collect_reads(condition, place, Through::Everything, 8, &mut reads);
        reads.into_iter().min()
    }

    pub(super) fn found(&self, read: Span, read_at: At, at: At, how: Suspension, write: &Write, rests: Rests) -> Stale {
        let gives_way = self.function.blocks[at.0.at()].steps[at.1 as usize].span;
        let guard = self.guard(read, read_at, at, write);
        Stale { read, gives_way, how, rests, guard }
    }

    /// Whether a block decides on another turn of a loop: a loop's own state is looked at again every time.
    fn is_turn(&self, block: BlockIndex) -> bool {
        let inside = self.function.blocks[block.at()].in_loop;
        inside.is_some_and(|index| {
            let around = &self.function.loops[index.at()];
            around.kind == LoopKind::While && around.header == block
        })
    }

    /// The reads of a place that a value is made from.
    fn collect_reads(
        &self,
        value: ValueIndex,
        place: &Place,
        through: Through,
        depth: u32,
        found: &mut Vec<ValueIndex>,
    ) {
        if depth == 0 {
            return;
        }
        let node = self.function.value(value);
        match &node.kind {
            ValueKind::Place(read) => {
                if is_same_state(read, place) {
                    if !found.contains(&value) {
                        found.push(value);
                    }
                } else if let Some(variable) = read.as_variable() {
                    let reaching = self.cx.program.reaching(self.id, variable, node.block, node.step);
                    for bound in reaching.values {
                        self.collect_reads(bound, place, through, depth - 1, found);
                    }
                }
            }
            ValueKind::Call(call) if through == Through::Operations => {
                // What an arbitrary call makes of its arguments is not known; `max(old, new)` and its kin are.
                let resolution = self.cx.resolution(self.id, value);
                let is_builtin = resolution.external().is_some_and(|name| name.starts_with("builtins."));
                match &call.callee {
                    // So is what a collection answers that is only asked: `counts.get(key, 0)`.
                    Callee::Method(receiver, _)
                        if is_builtin && self.cx.program.change_of(self.id, value).is_none() =>
                    {
                        self.collect_reads(*receiver, place, through, depth - 1, found);
                    }
                    Callee::Method(..) => {}
                    _ if is_builtin => {
                        for argument in &call.arguments {
                            self.collect_reads(argument.value, place, through, depth - 1, found);
                        }
                    }
                    _ => {}
                }
            }
            ValueKind::Awaited(_) => {}
            kind => for_each_part(kind, |part| self.collect_reads(part, place, through, depth - 1, found)),
        }
    }

    /// Whether the function gives way before it gets to a write.
    pub(super) fn gives_way_before(&self, write: &Write) -> bool {
        self.gives_way_between((BlockIndex(0), 0), write, Stops::AtWrites).is_some()
    }

    /// The first suspension on a way from a step to a write.
    fn gives_way_between(&self, from: At, write: &Write, stops: Stops) -> Option<(At, Suspension)> {
        let blocks = self.function.blocks.len();
        // Every block is entered at most twice: before and after giving way.
        let mut seen = vec![[false; 2]; blocks];
        let mut work: Vec<(At, Option<(At, Suspension)>)> = vec![(from, None)];
        while let Some(((block, first), mut gave_way)) = work.pop() {
            let body = &self.function.blocks[block.at()];
            let mut goes_on = true;
            for (number, step) in body.steps.iter().enumerate().skip(first as usize) {
                let at = (block, number as u32);
                if at == write.at {
                    if gave_way.is_some() {
                        return gave_way;
                    }
                    goes_on = false;
                    break;
                }
                match &step.kind {
                    StepKind::Suspend(how, _) if gave_way.is_none() && self.suspends.contains(&at) => {
                        gave_way = Some((at, *how));
                    }
                    StepKind::Write(place, ..) if is_same_state(place, &write.place) => {
                        goes_on = false;
                        break;
                    }
                    StepKind::Read(place)
                        if stops == Stops::AtTests
                            && gave_way.is_some()
                            && is_same_state(place, &write.place)
                            && self.is_tested(at) =>
                    {
                        goes_on = false;
                        break;
                    }
                    _ => {}
                }
            }
            if !goes_on {
                continue;
            }
            for &target in body.next.targets() {
                let known = &mut seen[target.at()][usize::from(gave_way.is_some())];
                if !std::mem::replace(known, true) {
                    work.push(((target, 0), gave_way));
                }
            }
        }
        None
    }

    /// Whether the read at a step is part of a condition.
    fn is_tested(&self, at: At) -> bool {
        let StepKind::Read(place) = &self.function.blocks[at.0.at()].steps[at.1 as usize].kind else { return false };
        self.deciding.iter().any(|(_, condition)| {
            let mut reads = Vec::new();
            self.collect_reads(*condition, place, Through::Everything, 8, &mut reads);
            reads.iter().any(|read| {
                let value = self.function.value(*read);
                value.block == at.0 && value.step == at.1
            })
        })
    }

    /// Whether every way to a block passes another.
    pub(super) fn dominates(&self, block: BlockIndex, other: BlockIndex) -> bool {
        block == other || !self.function.leads_past(BlockIndex(0), other, block)
    }

    /// What is held from the read to the write.
    fn guard(&self, read: Span, read_at: At, suspension: At, write: &Write) -> Guard {
        let facts = self.cx.facts(self.id);
        let at_suspension = facts
            .events
            .iter()
            .find(|event| (event.block, event.step) == suspension && matches!(event.what, What::Suspend(..)));
        let open_at_write = self.open_at(write.at);
        let open: Vec<ManagedIndex> =
            self.open_at(read_at).into_iter().filter(|index| open_at_write.contains(index)).collect();
        for held in at_suspension.iter().flat_map(|event| event.held.iter()) {
            let excludes = !matches!(
                held.lock.kind,
                LockKind::Semaphore | LockKind::PermitPool | LockKind::RateLimit | LockKind::Marked
            );
            let is_throughout = match held.by {
                HeldBy::Block(index) => open.contains(&index),
                HeldBy::Decorator => true,
                HeldBy::Manual | HeldBy::Guard(_) | HeldBy::Loop(_) => held.taken.start < read.start,
            };
            if excludes && is_throughout {
                return Guard::Lock(held.lock.name.clone(), held.taken);
            }
        }
        // What every caller holds is held throughout.
        if let Some(lock) = self.cx.program.locks_at_entry(self.id).first() {
            return Guard::Lock(lock.name.clone(), self.function.header);
        }
        // A managed block of unknown kind may be a lock.
        let is_unknown = |index: &ManagedIndex| {
            let managed = &self.function.managed[index.at()];
            self.cx.program.value_type(self.id, managed.value).is_unknown()
        };
        if open.iter().any(is_unknown) { Guard::Unknown } else { Guard::None }
    }

    fn open_at(&self, (block, step): At) -> Vec<ManagedIndex> {
        let mut open = self.open[block.at()].clone();
        for step in self.function.blocks[block.at()].steps.iter().take(step as usize) {
            pass(&step.kind, &mut open);
        }
        open
    }
}

/// Through what reads are followed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Through {
    /// Operators, names and built-in functions: the result is made of what was read.
    Operations,
    /// Whatever uses it, for conditions.
    Everything,
}

/// Where the walk to a write ends early.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stops {
    /// Where the place is written.
    AtWrites,
    /// There, and where it is tested again after giving way.
    AtTests,
}

/// Whether a read sees what a write changes: the same place, or a collection and its element.
fn is_same_state(read: &Place, written: &Place) -> bool {
    read.root == written.root && !read.is_cut && {
        let (read, written) = (without_index(read), without_index(written));
        read.fields == written.fields
    }
}

/// The managed blocks that are open on every way to the start of each block.
fn open_blocks(function: &FunctionRef) -> Vec<Vec<ManagedIndex>> {
    let mut open: Vec<Option<Vec<ManagedIndex>>> = vec![None; function.blocks.len()];
    open[0] = Some(Vec::new());
    let mut work = vec![BlockIndex(0)];
    while let Some(block) = work.pop() {
        let Some(mut state) = open[block.at()].clone() else { continue };
        let body = &function.blocks[block.at()];
        // An exception may come from any step: what is entered in the block may not be open yet, what is left in it not
        // any more.
        let mut raised = state.clone();
        for step in &body.steps {
            pass(&step.kind, &mut state);
            raised.retain(|index| state.contains(index));
        }
        let targets = body.next.targets().iter().map(|target| (*target, &state));
        for (target, state) in targets.chain(body.on_raise.map(|target| (target, &raised))) {
            match &mut open[target.at()] {
                Some(known) => {
                    let former = known.len();
                    known.retain(|index| state.contains(index));
                    if known.len() != former {
                        work.push(target);
                    }
                }
                unseen @ None => {
                    *unseen = Some(state.clone());
                    work.push(target);
                }
            }
        }
    }
    open.into_iter().map(Option::unwrap_or_default).collect()
}

fn pass(step: &StepKind, open: &mut Vec<ManagedIndex>) {
    match step {
        StepKind::Enter(index) => open.push(*index),
        StepKind::Exit(index) => open.retain(|known| known != index),
        _ => {}
    }
}
