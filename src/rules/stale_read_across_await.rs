//! A write rests on a read that is older than a suspension.
//!
//! ~~~text
//! if self.token is None:                    read, and it decides a branch
//!     self.token = await self.login()       gives way, then writes what the branch decided on
//! ~~~
//!
//! The way from the read to the write is walked along the control flow. It ends without an answer where the same place
//! is tested again after giving way, or written before it: then nothing stale is left.

use std::collections::BTreeSet;

use crate::analysis::accesses::Access;
use crate::analysis::held::{HeldBy, What};
use crate::analysis::names::Item;
use crate::analysis::uses::for_each_part;
use crate::analysis::{FunctionId, FunctionRef};
use crate::catalogue::{Change, Flavour, LockKind, Runs};
use crate::flow::{
    BlockIndex, Callee, Collection, Colour, Field, Literal, LoopKind, ManagedIndex, Next, Place, Root, StepKind,
    Suspension, ValueIndex, ValueKind, WriteKind, is_special,
};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Location, Stance, Verdict};

use super::context::RuleContext;
use super::takings::leads_to;

const NAME: &str = "stale-read-across-await";

pub(super) fn check(cx: &RuleContext, id: FunctionId, out: &mut Vec<Verdict>) {
    let function = cx.function(id);
    if cx.language(id.module) == Language::Rust || function.colour != Colour::Async {
        return;
    }
    let writes: Vec<Write> = shared_writes(cx, id, &function);
    if writes.is_empty() {
        return;
    }
    let way = Way::of(cx, id, &function);
    if way.suspends.is_empty() {
        return;
    }
    let mut answered: Vec<Place> = Vec::new();
    for write in &writes {
        let whole = without_index(&write.place);
        if answered.contains(&whole) {
            continue;
        }
        let Some(stale) = way.stale(write) else { continue };
        answered.push(whole);
        out.extend(answer(cx, id, &way, write, &stale));
    }
}

/// Where steps are counted from: a block and a number in it.
type At = (BlockIndex, u32);

/// A write of something that other tasks may see.
struct Write {
    place: Place,
    kind: WriteKind,
    value: Option<ValueIndex>,
    /// What a method that changes a collection is given, where the write is one.
    given: Vec<ValueIndex>,
    at: At,
    span: Span,
    sharing: Sharing,
}

impl Write {
    /// Whether it is a call that changes a collection.
    fn is_call(&self) -> bool {
        !self.given.is_empty()
    }
}

/// Who may see a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    /// Every task: a global, an attribute of a class.
    Everybody,
    /// Whoever has the same object.
    Object,
    /// Whoever runs in the same call of the function around.
    Enclosing,
}

/// How the write rests on the read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rests {
    /// Its value is made from what was read.
    Value,
    /// The read decides whether it happens.
    Condition,
}

/// A read, a suspension and a write that rests on the read.
struct Stale {
    read: Span,
    gives_way: Span,
    how: Suspension,
    rests: Rests,
    guard: Guard,
}

/// What is held from the read to the write.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Guard {
    /// Nothing.
    None,
    /// A lock, by its name, and where it is taken.
    Lock(String, Span),
    /// A managed block of which it is not known what it does.
    Unknown,
}

fn shared_writes(cx: &RuleContext, id: FunctionId, function: &FunctionRef) -> Vec<Write> {
    let shape = cx.program.shape(id);
    let mut writes = Vec::new();
    for (block, number, step) in function.steps() {
        let (place, kind, value, given) = match &step.kind {
            StepKind::Write(place, kind, value) => (place.clone(), *kind, *value, Vec::new()),
            StepKind::Call(value) => match (cx.program.change_of(id, *value), function.call(*value)) {
                (Some((place, Change::Adds)), Some(call)) => {
                    let given = call.arguments.iter().map(|argument| argument.value).collect();
                    (place, WriteKind::Augment, None, given)
                }
                _ => continue,
            },
            _ => continue,
        };
        if place.is_cut || !shape.is_reachable(block) {
            continue;
        }
        let Some(sharing) = sharing(cx, id, function, &place) else { continue };
        writes.push(Write { place, kind, value, given, at: (block, number as u32), span: step.span, sharing });
    }
    writes
}

/// Who may see a place; `None` for what only this call can reach, or of which that is not known.
fn sharing(cx: &RuleContext, id: FunctionId, function: &FunctionRef, place: &Place) -> Option<Sharing> {
    match &place.root {
        Root::Variable(variable) => {
            let receiver = function.parameters.first().map(|first| first.variable);
            let is_own = receiver == Some(*variable) && function.owner.is_some();
            if is_own {
                return matches!(place.fields.first(), Some(Field::Name(_))).then_some(Sharing::Object);
            }
            function.variable(*variable).captures.is_some().then_some(Sharing::Enclosing)
        }
        Root::Global(path) => match cx.program.resolve_in(id, path) {
            Item::Static(..) | Item::Type(_) | Item::Field(..) => Some(Sharing::Everybody),
            _ => None,
        },
    }
}

/// A place without what lies at an index: `self.rows` for `self.rows[key]`.
fn without_index(place: &Place) -> Place {
    let mut whole = place.clone();
    while whole.fields.last() == Some(&Field::Index) {
        whole.fields.pop();
    }
    whole
}

/// The ways through one function.
struct Way<'c, 'p, 'a> {
    cx: &'c RuleContext<'p, 'a>,
    id: FunctionId,
    function: FunctionRef,
    /// Suspensions where the task may really give way.
    suspends: BTreeSet<At>,
    /// The values that decide branches, with the block that branches.
    deciding: Vec<(BlockIndex, ValueIndex)>,
    /// Managed blocks that are open at the start of each block.
    open: Vec<Vec<ManagedIndex>>,
}

impl<'c, 'p, 'a> Way<'c, 'p, 'a> {
    fn of(cx: &'c RuleContext<'p, 'a>, id: FunctionId, function: &FunctionRef) -> Self {
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
    fn stale(&self, write: &Write) -> Option<Stale> {
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
        for &(block, condition) in &self.deciding {
            if self.is_turn(block) {
                continue;
            }
            let mut reads = Vec::new();
            self.collect_reads(condition, &write.place, Through::Everything, 8, &mut reads);
            let Some(&read) = reads.iter().min() else { continue };
            let targets = self.function.blocks[block.at()].next.targets().to_vec();
            let leads: Vec<bool> = targets.iter().map(|target| self.leads_to(*target, write.at.0, block)).collect();
            // It decides only if one of its ways does not lead to the write, at once or with the next part of an `and`.
            let misses = |target: &BlockIndex| !self.leads_to(*target, write.at.0, block);
            let is_decisive = targets.iter().any(|target| {
                let next = &self.function.blocks[target.at()].next;
                misses(target) || matches!(next, Next::Branch(Some(_), further) if further.iter().any(misses))
            });
            if !is_decisive || !self.dominates(block, write.at.0) {
                continue;
            }
            let value = self.function.value(read);
            for (target, _) in targets.iter().zip(&leads).filter(|(_, leads)| **leads) {
                if let Some((at, how)) = self.gives_way_between((*target, 0), write, Stops::AtTests) {
                    return Some(self.found(value.span, (value.block, value.step), at, how, write, Rests::Condition));
                }
            }
        }
        None
    }

    fn found(&self, read: Span, read_at: At, at: At, how: Suspension, write: &Write, rests: Rests) -> Stale {
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
                if is_builtin && !matches!(call.callee, Callee::Method(..)) {
                    for argument in &call.arguments {
                        self.collect_reads(argument.value, place, through, depth - 1, found);
                    }
                }
            }
            ValueKind::Awaited(_) => {}
            kind => for_each_part(kind, |part| self.collect_reads(part, place, through, depth - 1, found)),
        }
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

    /// Whether control can get from one block to another without passing a third.
    fn leads_to(&self, from: BlockIndex, to: BlockIndex, without: BlockIndex) -> bool {
        leads_to(&self.function, from, to, without)
    }

    /// Whether every way to a block passes another.
    fn dominates(&self, block: BlockIndex, other: BlockIndex) -> bool {
        block == other || !self.leads_to(BlockIndex(0), other, block)
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
                HeldBy::Manual | HeldBy::Guard(_) => held.taken.start < read.start,
            };
            if excludes && is_throughout {
                return Guard::Lock(held.lock.name.clone(), held.taken);
            }
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
        for step in &body.steps {
            pass(&step.kind, &mut state);
        }
        for target in body.next.targets() {
            match &mut open[target.at()] {
                Some(known) => {
                    let former = known.len();
                    known.retain(|index| state.contains(index));
                    if known.len() != former {
                        work.push(*target);
                    }
                }
                unseen @ None => {
                    *unseen = Some(state.clone());
                    work.push(*target);
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

fn answer(cx: &RuleContext, id: FunctionId, way: &Way, write: &Write, stale: &Stale) -> Option<Verdict> {
    let function = &way.function;
    let place = cx.program.place_text(id, &without_index(&write.place));
    let subject = format!("`{place}`");
    let rests = match stale.rests {
        Rests::Value => "what was read of",
        Rests::Condition => "what was checked of",
    };
    let assumption = format!("{rests} `{place}` in `{}` still holds where it is written", function.name);
    if let Guard::Lock(lock, taken) = &stale.guard {
        let verdict = cx.verdict(NAME, Stance::Upheld, id, write.span, &subject).assumes(assumption);
        return Some(verdict.evidence(cx.location(id, *taken), format!("`{lock}` is held from the read to the write")));
    }
    if stale.guard == Guard::Unknown {
        return None;
    }
    let read = match stale.rests {
        Rests::Value => format!("`{place}` is read here"),
        Rests::Condition => format!("`{place}` is checked here"),
    };
    let evidence = |verdict: Verdict| {
        verdict
            .evidence(cx.location(id, stale.read), read.clone())
            .evidence(cx.location(id, stale.gives_way), format!("`{}` {} here", function.name, stale.how.told()))
    };
    let help = "hold one asynchronous lock from the read to the write, or look again after the await";
    let clears = stale.rests == Rests::Condition && clears(way, write);
    match runs(cx, id, way, write, stale) {
        Together::Yes(..) if clears => None,
        Together::Yes(at, what) => {
            let verdict = cx
                .violated(NAME, Confidence::Medium, id, write.span, &subject)
                .assumes(assumption)
                .says(format!(
                    "`{place}` is written on the strength of {} that another task may have overtaken: `{}` gives way \
                     in between",
                    if stale.rests == Rests::Value { "a read" } else { "a check" },
                    function.name
                ))
                .helps(help);
            Some(evidence(verdict).evidence(at, what))
        }
        Together::No => Some(cx.verdict(NAME, Stance::Upheld, id, write.span, &subject).assumes(assumption)),
        Together::Unknown => {
            if write.is_call() || clears || is_quiet(cx, id, way, write, stale) {
                return None;
            }
            let verb = if stale.rests == Rests::Value { "read" } else { "check" };
            let verdict = cx
                .verdict(NAME, Stance::Unproven, id, write.span, &subject)
                .assumes(assumption)
                .says(format!("`{place}` is written after `{}` gave way since its {verb}", function.name))
                .asks(format!(
                    "Between the {verb} and the write `{}` gives way and holds nothing: can two tasks run it for the \
                     same `{place}` at once?",
                    function.name
                ))
                .helps(help);
            Some(evidence(verdict))
        }
    }
}

/// Whether the question is not worth a reviewer's time.
fn is_quiet(cx: &RuleContext, id: FunctionId, way: &Way, write: &Write, stale: &Stale) -> bool {
    let function = &way.function;
    // The language calls these by itself, in turn; tests call everything in turn.
    if is_special(&function.name) || cx.program.is_test_code(id) {
        return true;
    }
    if stale.rests == Rests::Value {
        return false;
    }
    write.value.is_none() || write.kind == WriteKind::Delete
}

/// Whether a write clears what was there, as at the end of a life, which comes to the same however often it is done.
fn clears(way: &Way, write: &Write) -> bool {
    match write.value.map(|value| &way.function.value(value).kind) {
        Some(ValueKind::Literal(Literal::None | Literal::Bool(false))) => true,
        Some(ValueKind::Collection(Collection::List | Collection::Mapping | Collection::Set, items)) => {
            items.is_empty()
        }
        _ => false,
    }
}

/// Whether it is for the caller to say if a write happens: two calls of the function may each write something else.
fn is_for_the_caller_to_say(way: &Way, write: &Write) -> bool {
    let function = &way.function;
    let is_parameter = |value: ValueIndex| match &function.value(value).kind {
        ValueKind::Place(place) => function.parameters.iter().any(|one| place.as_variable() == Some(one.variable)),
        _ => false,
    };
    way.deciding.iter().any(|(block, value)| {
        let targets = function.blocks[block.at()].next.targets();
        let is_told = match &function.value(*value).kind {
            ValueKind::Operation(parts) => matches!(parts[..], [only] if is_parameter(only)),
            _ => is_parameter(*value),
        };
        is_told
            && way.dominates(*block, write.at.0)
            && targets.iter().any(|target| !way.leads_to(*target, write.at.0, *block))
    })
}

/// Whether two tasks may be in the function at once, with the same state.
enum Together {
    Yes(Location, String),
    No,
    Unknown,
}

fn runs(cx: &RuleContext, id: FunctionId, way: &Way, write: &Write, stale: &Stale) -> Together {
    let is_test =
        cx.context(id).runs.contains(&Runs::Test) || !cx.function(id).is_async() && cx.program.is_test_code(id);
    if is_test || is_for_the_caller_to_say(way, write) {
        return Together::Unknown;
    }
    let on_one_object = write.sharing == Sharing::Object;
    let shown = cx.program.met_by_itself(id, on_one_object);
    if let Some((at, what)) = shown.or_else(|| changed_elsewhere(cx, id, write, stale)) {
        return Together::Yes(at, what);
    }
    if is_called_in_turn(cx, id, 4) { Together::No } else { Together::Unknown }
}

/// What shows that somebody else changes the same state meanwhile: a task that does, or a lock under which others do.
fn changed_elsewhere(cx: &RuleContext, id: FunctionId, write: &Write, stale: &Stale) -> Option<(Location, String)> {
    let (block, step) = write.at;
    let (state, name) = cx.program.state_named(id, &write.place, block, step)?;
    let accesses = cx.program.accesses_of(id.module, &state);
    let elsewhere =
        |access: &&Access| access.function != id && access.touch.is_change() && !cx.is_set_up(access.function);
    accesses.iter().filter(elsewhere).find_map(|access| {
        let other = &cx.function(access.function).name;
        if let Some(lock) = cx.program.guards_at(access).iter().find(|lock| lock.flavour == Flavour::Async) {
            let at = cx.location(access.function, access.span);
            return Some((at, format!("`{other}` changes `{name}` under `{}` here", lock.name)));
        }
        if stale.rests != Rests::Value {
            return None;
        }
        let (at, what) = cx.program.meets(id, access.function, write.sharing == Sharing::Object)?;
        Some((at, format!("{what}, and changes `{name}` in `{other}`")))
    })
}

/// Whether a function has one caller in its file, which awaits it, and no other file can mean it.
fn is_called_in_turn(cx: &RuleContext, id: FunctionId, depth: u32) -> bool {
    let function = cx.function(id);
    let is_private = function.name.starts_with('_') && !function.name.starts_with("__");
    if depth == 0 || (!is_private && depth == 4) || function.owner.is_some() {
        return false;
    }
    let calls = cx.program.callers_in_file(id);
    let [(caller, call)] = calls.by[..] else { return false };
    if calls.is_named {
        return false;
    }
    if caller.index.0 == 0 {
        return true;
    }
    cx.program.is_awaited(caller, call) && is_called_in_turn(cx, caller, depth - 1)
}
