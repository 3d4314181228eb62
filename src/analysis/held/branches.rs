//! What a branch knows of the locks that are held.

use super::state::{Entry, State};
use super::walk::Walk;
use super::{HeldBy, Waits};
use crate::flow::{BlockIndex, Callee, Next, Owner, StepKind, ValueIndex, ValueKind};
use crate::text::Language;

impl Walk<'_, '_> {
    /// The state on a branch that knows more: the first target is where the answer is yes. Where a lock was not got, or
    /// a pattern did not find what holds one, nothing is held.
    pub(super) fn answered(&self, next: &Next, branch: usize, state: &State) -> Option<State> {
        let Next::Branch(Some(on), targets) = next else { return None };
        if state.is_empty() {
            return None;
        }
        let call = self.call_behind(*on);
        let is_asked = |entry: &Entry| entry.asked.is_some() && entry.asked == call;
        let found_empty = self.found_empty(*on, branch == 0);
        let is_asked_whether = found_empty.is_some();
        let gone = found_empty.unwrap_or_else(|| if branch == 1 { self.not_found(*on, targets) } else { Vec::new() });
        // An error may carry the guard all the same; that of an attempt says most often that there is none.
        let is_empty_then = is_asked_whether || !gone.is_empty() && self.has_empty_variant(*on);
        let is_gone = |entry: &Entry| {
            let is_of_it = matches!(entry.by, HeldBy::Guard(owner) if gone.contains(&owner));
            is_of_it && (is_empty_then || self.acquisitions[entry.acquisition].waits == Waits::No)
        };
        state.iter().any(|entry| is_asked(entry) || is_gone(entry)).then(|| {
            let mut state = state.clone();
            state.retain_mut(|entry| {
                let is_it = is_asked(entry);
                if is_it && branch == 0 {
                    (entry.asked, entry.is_certain) = (None, true);
                }
                (!is_it || branch == 0) && !is_gone(entry)
            });
            state
        })
    }

    /// The owners of what a method has just answered to be empty: `found.is_none()`.
    fn found_empty(&self, value: ValueIndex, answer: bool) -> Option<Vec<Owner>> {
        let function = self.program.function(self.id);
        let Callee::Method(receiver, _) = &function.call(value)?.callee else { return None };
        let resolution = self.program.resolution(self.id, value);
        let empty = self.program.tables(self.language).says_empty(resolution.external()?)?;
        (empty == answer).then(|| self.carriers(*receiver))
    }

    /// The owners of what a pattern did not find: on the first of two ways something of the value is bound, on the
    /// second nothing is.
    fn not_found(&self, value: ValueIndex, targets: &[BlockIndex]) -> Vec<Owner> {
        match targets {
            &[found, other] if self.language == Language::Rust => {
                let is_it = self.binds_part_of(found, value) && !self.binds_part_of(other, value);
                if is_it { self.carriers(value) } else { Vec::new() }
            }
            _ => Vec::new(),
        }
    }

    /// Whether a block binds what a pattern found in a value.
    fn binds_part_of(&self, block: BlockIndex, value: ValueIndex) -> bool {
        let function = self.program.function(self.id);
        let is_part = |mut bound: ValueIndex| loop {
            match function.value(bound).kind {
                _ if bound == value => return true,
                ValueKind::Payload(of, ..)
                | ValueKind::Component(of, _)
                | ValueKind::Element(of)
                | ValueKind::Reference(of) => bound = of,
                _ => return false,
            }
        };
        let mut steps = function.blocks[block.at()].steps.iter();
        steps.any(|step| matches!(step.kind, StepKind::Bind(_, bound) if is_part(bound)))
    }

    /// Whether a value is of a type one of whose variants has nothing in it, or runs out: an option, an iterator.
    fn has_empty_variant(&self, value: ValueIndex) -> bool {
        let of = self.program.value_type(self.id, value);
        let shape = of.instance().and_then(|of| self.program.tables(self.language).type_shape(&of.name));
        shape.is_some_and(|shape| shape.item.is_some() && shape.params.len() == 1)
    }

    /// The call whose result a value is, as it stands, awaited, or through a variable.
    fn call_behind(&self, value: ValueIndex) -> Option<ValueIndex> {
        let function = self.program.function(self.id);
        match &function.value(value).kind {
            ValueKind::Call(_) => Some(value),
            ValueKind::Awaited(of) => self.call_behind(*of),
            ValueKind::Place(place) => {
                let at = function.value(value);
                let reaching = self.program.reaching(self.id, place.as_variable()?, at.block, at.step);
                match (&reaching.values[..], reaching.from_entry) {
                    ([only], false) => self.call_behind(*only),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}
