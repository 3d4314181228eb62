//! A lock that the change took away, or that covers less than before, while what it protected is still shared.
//!
//! This rule sees one function on both sides:
//!
//! ~~~text
//! before  with self._lock: self._rows[key] = row        every write of `self._rows` stands under `self._lock`
//! after   self._rows[key] = row                         and now one does not
//!         def drain: with self._lock: …self._rows…      while another function still relies on the lock
//! ~~~
//!
//! A lock that moved into a callee, out to the callers, into a decorator, or that gave way to another one, still
//! protects. In code of one event loop only what gives way in between can be disturbed.

mod apart;
mod steps;

use std::cell::LazyCell;
use std::collections::BTreeMap;

use crate::analysis::FunctionId;
use crate::analysis::held::{Held, What};
use crate::analysis::strands::excludes;
use crate::analysis::types::Type;
use crate::catalogue::{Flavour, Mode};
use crate::flow::{
    BlockIndex, Callee, Field, FunctionKind, ParameterKind, Place, Root, StepKind, ValueIndex, ValueKind,
};
use crate::text::{Language, Span};
use crate::verdict::{Confidence, Location, Stance, Verdict};

use super::context::RuleContext;

pub(super) const NAME: &str = "synchronisation-removed";

/// How many functions that touch the same state are looked at.
const MOST_OTHERS: usize = 256;

/// One side of a function.
#[derive(Clone, Copy)]
pub(super) struct Of<'c, 'p, 'a> {
    cx: &'c RuleContext<'p, 'a>,
    id: FunctionId,
}

/// One access to state that others reach.
struct Touch {
    /// What it is, whatever the object: `store.py:Store._rows`.
    state: String,
    /// Its name in the user's own words.
    name: String,
    at: (BlockIndex, u32),
    span: Span,
    is_write: bool,
    /// The locks that keep others out meanwhile.
    under: Vec<Guarding>,
}

/// A lock that is held over an access.
#[derive(Clone)]
struct Guarding {
    class: String,
    name: String,
    /// Where it was taken; `None` where every caller holds it.
    taken: Option<Span>,
    is_async: bool,
}

/// What the before side of a function did under a lock.
struct Protected {
    lock: Guarding,
    state: String,
    name: String,
    /// Whether a read and a later write stood under one taking.
    was_one_step: bool,
}

pub(super) fn check(
    was: &RuleContext,
    then: FunctionId,
    is: &RuleContext,
    now: FunctionId,
    before: &mut Vec<Verdict>,
    after: &mut Vec<Verdict>,
) {
    let (was, is) = (Of { cx: was, id: then }, Of { cx: is, id: now });
    let function = is.cx.function(now);
    let known: Vec<_> = was.cx.function(then).decorators.iter().map(|one| one.path.clone()).collect();
    // What runs around the function now may well take the lock.
    if function.decorators.iter().any(|one| !known.contains(&one.path)) || is.cx.program.is_test_code(now) {
        return;
    }
    steps::check(was, is, before, after);
    // Without any lock there is nothing that one could have protected.
    let held_any = was.cx.facts(then).holds(|_| true) || !was.cx.program.locks_at_entry(then).is_empty();
    let former = if held_any { was.touches() } else { Vec::new() };
    let touches = LazyCell::new(|| is.touches());
    for one in protected(&former) {
        let Some(lost) = lost(is, &one, &touches) else { continue };
        let Some(verdict) = verdict(is, &one, &touches, lost) else { continue };
        let subject = verdict.subject.clone();
        let taken = one.lock.taken.unwrap_or(function.header);
        before.push(
            was.cx
                .verdict(NAME, Stance::Upheld, then, taken, &subject)
                .assumes(format!("`{}` is touched under `{}`", one.name, one.lock.name)),
        );
        after.push(verdict);
    }
    // Where what the lock protected across a wait is in sight, that is what speaks.
    let told: Vec<String> = after.iter().map(|verdict| verdict.subject.clone()).collect();
    let is_seen = |lock: &Guarding, wait: apart::Across| {
        let under = || former.iter().filter(|touch| touch.is_under(lock));
        let spans = |one: &Touch| {
            let Some(at) = wait else { return one.is_write };
            let other = |two: &Touch| two.state == one.state && (one.is_write || two.is_write) && at < two.at;
            one.at < at && under().any(other)
        };
        under().any(spans) || told.iter().any(|subject| subject.starts_with(&format!("`{}`, ", lock.name)))
    };
    if let Some((was_held, asked)) = apart::asked(was, is, &is_seen) {
        before.push(was_held);
        after.push(asked);
    }
}

/// The state that a function wrote only under one lock, each with that lock.
fn protected(touches: &[Touch]) -> Vec<Protected> {
    let mut by_state: BTreeMap<&str, Vec<&Touch>> = BTreeMap::new();
    for touch in touches {
        by_state.entry(&touch.state).or_default().push(touch);
    }
    let mut found = Vec::new();
    for (state, touches) in by_state {
        let writes: Vec<&&Touch> = touches.iter().filter(|touch| touch.is_write).collect();
        let Some(first) = writes.first() else { continue };
        let lock = first.under.iter().find(|lock| {
            lock.taken.is_some() && writes.iter().all(|write| write.under.iter().any(|other| other.class == lock.class))
        });
        let Some(lock) = lock else { continue };
        let under_one =
            |touch: &Touch| touch.under.iter().find(|other| other.class == lock.class).and_then(|other| other.taken);
        let was_one_step = writes.iter().any(|write| {
            touches.iter().any(|read| {
                !read.is_write && read.at < write.at && under_one(read).is_some() && under_one(read) == under_one(write)
            })
        });
        let (state, name) = (state.to_owned(), first.name.clone());
        found.push(Protected { lock: lock.clone(), state, name, was_one_step });
    }
    found
}

/// How protection was lost.
enum Lost<'t> {
    /// A write that no lock covers.
    Bare(&'t Touch),
    /// A write under a taking of its own, behind a look that stands outside of it.
    Split { look: &'t Touch, write: &'t Touch },
}

fn lost<'t>(is: Of, one: &Protected, touches: &'t [Touch]) -> Option<Lost<'t>> {
    let of_state = || touches.iter().filter(|touch| touch.state == one.state);
    if let Some(bare) = of_state().find(|touch| touch.is_write && touch.under.is_empty()) {
        return Some(Lost::Bare(bare));
    }
    if !one.was_one_step || is.cx.language(is.id.module) != Language::Python {
        return None;
    }
    of_state().filter(|touch| touch.is_write).find_map(|write| {
        let taken = write.under.iter().find(|lock| lock.class == one.lock.class)?.taken?;
        let stands_in = |touch: &Touch| touch.under.iter().any(|lock| lock.taken == Some(taken));
        let looks_again = of_state().any(|touch| !touch.is_write && touch.at < write.at && stands_in(touch));
        let look = of_state().find(|touch| !touch.is_write && touch.at < write.at && touch.under.is_empty())?;
        (!looks_again).then_some(Lost::Split { look, write })
    })
}

fn verdict(is: Of, one: &Protected, touches: &[Touch], lost: Lost) -> Option<Verdict> {
    let cx = is.cx;
    let function = cx.function(is.id);
    let (lock, state, by) = (&one.lock.name, &one.name, &function.name);
    let (touch, look) = match &lost {
        Lost::Bare(write) => (*write, None),
        Lost::Split { look, write } => (*write, Some(*look)),
    };
    let others = others(is, one);
    let is_loop_only = is.is_loop_only(one, &others);
    let own_gap = is.gap(touches, &one.state, |_| true);
    let relies = others.iter().find(|(_, theirs)| theirs.iter().any(|touch| touch.is_under(&one.lock)));
    let disturbed = || {
        others.iter().find(|(of, theirs)| {
            let under = |touch: &Touch| touch.is_under(&one.lock);
            Of { cx, id: *of }.gap(theirs, &one.state, under).is_some()
        })
    };
    // Between two suspensions a task is alone on its loop; and what is stale in one function alone is another rule's.
    if is_loop_only && disturbed().is_none() && (own_gap.is_none() || relies.is_none()) {
        return None;
    }
    let says = match look {
        None => format!("`{by}` no longer holds `{lock}` where it writes `{state}`"),
        Some(_) => format!("`{by}` looks at `{state}` outside of `{lock}` now and writes it under the lock"),
    };
    let subject = format!("`{lock}`, `{state}`");
    let assumption = format!("nobody else touches `{state}` while `{by}` does");
    let help = format!("keep `{lock}` around all that belongs together, or say what protects `{state}` now");
    let start =
        |stance| cx.verdict(NAME, stance, is.id, touch.span, &subject).assumes(assumption.clone()).helps(help.clone());
    let with_look = |verdict: Verdict| match look {
        Some(look) => {
            verdict.evidence(cx.location(is.id, look.span), format!("`{state}` is looked at here, without the lock"))
        }
        None => verdict,
    };
    if let Some((of, theirs)) = disturbed().or(relies) {
        let other = cx.function(*of);
        let place = theirs.iter().find(|touch| touch.is_under(&one.lock))?;
        let verdict = start(Stance::Violated(Confidence::Medium))
            .says(format!("{says}, while `{}` still relies on the lock for it", other.name))
            .evidence(cx.location(*of, place.span), format!("`{}` touches `{state}` under `{lock}` here", other.name));
        return Some(with_look(verdict));
    }
    let met: Option<(Location, String)> = cx.program.met_by_itself(is.id, true);
    if let Some((at, what)) = met {
        let verdict = start(Stance::Violated(Confidence::Medium))
            .says(format!("{says}, and several calls of it may be under way at once"))
            .evidence(at, what);
        return Some(with_look(verdict));
    }
    // A lock that nobody takes any more: the code that had it says that others were there.
    let question = match others.first() {
        Some((of, _)) => format!(
            "what keeps `{}` from touching `{state}` while `{by}` does, now that `{lock}` is gone?",
            cx.function(*of).name
        ),
        None => format!("can two calls of `{by}` be under way at once, now that `{lock}` no longer keeps them apart?"),
    };
    Some(with_look(start(Stance::Unproven).says(says).asks(question)))
}

/// The other functions that touch the same state, constructors and tests left out.
fn others(is: Of, one: &Protected) -> Vec<(FunctionId, Vec<Touch>)> {
    let cx = is.cx;
    let mut found = Vec::new();
    for module in cx.program.loaded() {
        if cx.language(module) != cx.language(is.id.module) {
            continue;
        }
        for id in cx.program.functions_of(module) {
            let function = cx.function(id);
            let is_constructor = function.name.starts_with("__") && function.name != "__call__";
            if id == is.id
                || id.index.0 == 0
                || is_constructor
                || cx.program.is_test_code(id)
                || found.len() == MOST_OTHERS
            {
                continue;
            }
            let of = Of { cx, id };
            if !of.may_touch(one) {
                continue;
            }
            let mut touches = of.touches();
            touches.retain(|touch| touch.state == one.state);
            if !touches.is_empty() {
                found.push((id, touches));
            }
        }
    }
    found
}

impl Touch {
    fn is_under(&self, lock: &Guarding) -> bool {
        self.under.iter().any(|other| other.class == lock.class)
    }
}

impl Of<'_, '_, '_> {
    /// Every access to state that others reach, in block order, with the locks that cover it.
    fn touches(self) -> Vec<Touch> {
        let Self { cx, id } = self;
        let function = cx.function(id);
        let facts = cx.facts(id);
        let at_entry = cx.program.locks_at_entry(id);
        let mut found: Vec<Touch> = Vec::new();
        for (block, number, step) in function.steps() {
            let at = (block, number as u32);
            let touched = match &step.kind {
                StepKind::Read(place) => self.state(place, at).map(|(state, name)| (state, name, false)),
                StepKind::Write(place, ..) => self.state(place, at).map(|(state, name)| (state, name, true)),
                StepKind::Call(value) => self.changed_by(*value).map(|(state, name)| (state, name, true)),
                _ => None,
            };
            let Some((state, name, is_write)) = touched else { continue };
            let held = facts.held_at(block, at.1);
            let mut under: Vec<Guarding> = held.iter().filter(|held| held.is_certain).filter_map(guarding).collect();
            under.extend(at_entry.iter().filter_map(|lock| {
                let class = lock.place.class.clone()?;
                let is_async = lock.flavour == Flavour::Async;
                Some(Guarding { class, name: lock.name.clone(), taken: None, is_async })
            }));
            found.push(Touch { state, name, at, span: step.span, is_write, under });
        }
        self.add_locked_state(&mut found);
        found.sort_by_key(|touch| touch.at);
        found
    }

    /// What lies behind a lock of its own is touched where that lock is taken (Rust).
    fn add_locked_state(self, found: &mut Vec<Touch>) {
        let Self { cx, id } = self;
        if cx.language(id.module) != Language::Rust {
            return;
        }
        for event in &cx.facts(id).events {
            let What::Acquire(lock, _) = &event.what else { continue };
            let Some(state) = lock.place.class.clone().filter(|_| lock.place.is_exact) else { continue };
            let is_write = lock.mode != Mode::Shared;
            let under = event.held.iter().filter(|held| held.is_certain).filter_map(guarding).collect();
            let (name, at, span) = (lock.name.clone(), (event.block, event.step), event.span);
            found.push(Touch { state, name, at, span, is_write, under });
        }
    }

    /// The state that a place belongs to: a global, or a field of the function's own object.
    fn state(self, place: &Place, at: (BlockIndex, u32)) -> Option<(String, String)> {
        let Self { cx, id } = self;
        let function = cx.function(id);
        let fields = match (&place.root, &place.fields[..]) {
            (Root::Global(_), _) => Vec::new(),
            (Root::Variable(variable), [first @ Field::Name(_), ..]) => {
                let first_parameter = function.parameters.first()?;
                let is_receiver = matches!(first_parameter.kind, ParameterKind::SelfReference);
                if !is_receiver || first_parameter.variable != *variable {
                    return None;
                }
                vec![first.clone()]
            }
            (Root::Variable(_), _) => return None,
        };
        let whole = Place { root: place.root.clone(), fields, is_cut: false };
        let of = cx.program.place_type(id, &whole, at.0, at.1);
        let is_data = match &of {
            Type::Function(_) | Type::Class(_) | Type::Module(_) => false,
            Type::External(_) | Type::Future(_) | Type::Callable(_) => false,
            Type::Unknown | Type::None | Type::Instance(_) | Type::Tuple(_) | Type::Union(_) => true,
        };
        let is_lock = || of.alternatives().iter().any(|of| self.is_lock(of));
        if !is_data || is_lock() {
            return None;
        }
        let class = cx.program.canonical_place(id, &whole, at.0, at.1).class?;
        Some((class, cx.program.place_text(id, &whole)))
    }

    fn is_lock(self, of: &Type) -> bool {
        let Self { cx, id } = self;
        let language = cx.language(id.module);
        match language {
            Language::Python => cx.program.lock_type_name(language, of).is_some(),
            Language::Rust => {
                cx.program.pointees(of).iter().any(|of| cx.program.lock_type_name(language, of).is_some())
            }
        }
    }

    /// The state that a call changes by a method: `self._rows.append(row)`.
    fn changed_by(self, value: ValueIndex) -> Option<(String, String)> {
        let Self { cx, id } = self;
        let function = cx.function(id);
        let Callee::Method(receiver, _) = function.call(value)?.callee else { return None };
        let resolution = cx.resolution(id, value);
        cx.program.tables(cx.language(id.module)).change(resolution.external()?)?;
        let node = function.value(receiver);
        match &node.kind {
            ValueKind::Place(place) => self.state(place, (node.block, node.step)),
            _ => None,
        }
    }

    /// A quick look whether a function names the state at all.
    fn may_touch(self, one: &Protected) -> bool {
        let name = one.state.rsplit(['.', ':']).next().unwrap_or_default();
        let function = self.cx.function(self.id);
        let names = |place: &Place| {
            place.fields.first().is_some_and(|field| matches!(field, Field::Name(field) if field == name))
                || matches!(&place.root, Root::Global(path) if path.last().is_some_and(|last| last == name))
        };
        function.values.iter().any(|value| matches!(&value.kind, ValueKind::Place(place) if names(place)))
            || function.steps().any(|(_, _, step)| match &step.kind {
                StepKind::Read(place) | StepKind::Write(place, ..) => names(place),
                _ => false,
            })
    }

    /// Two touches of a state that belong together, with a suspension or (behind locks of their own) a release between.
    fn gap(self, touches: &[Touch], state: &str, counts: impl Fn(&Touch) -> bool) -> Option<Span> {
        let Self { cx, id } = self;
        let of_state: Vec<&Touch> = touches.iter().filter(|touch| touch.state == state && counts(touch)).collect();
        let facts = cx.facts(id);
        let is_rust = cx.language(id.module) == Language::Rust;
        for (at, first) in of_state.iter().enumerate() {
            for second in &of_state[at + 1..] {
                if !first.is_write && !second.is_write {
                    continue;
                }
                if is_rust {
                    return Some(second.span);
                }
                let between = facts.events.iter().find(|event| {
                    let here = (event.block, event.step);
                    first.at < here && here < second.at && cx.gives_way(id, event)
                });
                if let Some(event) = between {
                    return Some(event.span);
                }
            }
        }
        None
    }

    /// Whether everybody who touches the state runs on one event loop, where only a suspension lets others in.
    fn is_loop_only(self, one: &Protected, others: &[(FunctionId, Vec<Touch>)]) -> bool {
        let Self { cx, id } = self;
        if cx.language(id.module) == Language::Rust {
            return true;
        }
        let is_on_loop = |id: FunctionId| {
            let function = cx.function(id);
            let mut around = function.parent.filter(|_| function.kind == FunctionKind::Closure);
            let mut is_async = function.is_async();
            while let (false, Some(parent)) = (is_async, around) {
                let outer = cx.function(FunctionId { module: id.module, index: parent });
                is_async = outer.is_async();
                around = outer.parent.filter(|_| outer.kind == FunctionKind::Closure);
            }
            is_async || cx.context(id).is_on_loop()
        };
        one.lock.is_async || is_on_loop(id) && others.iter().all(|(of, _)| is_on_loop(*of))
    }
}

fn guarding(held: &Held) -> Option<Guarding> {
    let lock = &held.lock;
    let class = lock.place.class.clone().filter(|_| excludes(lock) && lock.place.is_exact)?;
    Some(Guarding { class, name: lock.name.clone(), taken: Some(held.taken), is_async: lock.flavour == Flavour::Async })
}
