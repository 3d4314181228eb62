//! Who uses which value of a function, from its own steps.

use crate::flow::{Callee, Function, Next, Root, StepKind, ValueIndex, ValueKind, VariableIndex};
use crate::text::Span;

/// Who uses the values of a function.
#[derive(Debug, Default)]
pub struct Uses {
    /// By value; those of one value in the order in which they stand.
    uses: Vec<(ValueIndex, Use)>,
    /// The values that read a variable, by variable and in order.
    readers: Vec<ValueIndex>,
    /// Where in them those of a variable begin, by variable.
    reads: Vec<(VariableIndex, usize)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Use {
    Discarded(Span),
    Bound(VariableIndex, Span),
    Decides(Span),
    Part(ValueIndex),
    /// Stored, returned, awaited, entered: somebody has it.
    Kept,
}

impl Uses {
    /// The uses in a function.
    pub fn of(function: &Function) -> Self {
        let mut uses = Self::default();
        let mut reads: Vec<(VariableIndex, ValueIndex)> = Vec::new();
        for (at, value) in function.values.iter().enumerate() {
            let user = ValueIndex(at as u32);
            if let ValueKind::Place(place) = &value.kind
                && let Root::Variable(variable) = place.root
            {
                reads.push((variable, user));
            }
            for_each_part(&value.kind, |part| uses.add(part, Use::Part(user)));
        }
        for (_, _, step) in function.steps() {
            match &step.kind {
                StepKind::Discard(value) => uses.add(*value, Use::Discarded(step.span)),
                StepKind::Bind(variable, value) => uses.add(*value, Use::Bound(*variable, step.span)),
                StepKind::Write(_, _, Some(value))
                | StepKind::Store(_, _, value)
                | StepKind::Suspend(_, Some(value)) => uses.add(*value, Use::Kept),
                _ => {}
            }
        }
        for managed in &function.managed {
            uses.add(managed.value, Use::Kept);
        }
        for block in &function.blocks {
            match &block.next {
                Next::Branch(Some(value), _) => {
                    let span = function.value(*value).span;
                    uses.add(*value, Use::Decides(span));
                }
                Next::Return(Some(value)) | Next::Raise(Some(value)) => uses.add(*value, Use::Kept),
                _ => {}
            }
        }
        uses.uses.sort_by_key(|(value, _)| *value);
        reads.sort();
        for (variable, reader) in reads {
            if uses.reads.last().is_none_or(|(last, _)| *last != variable) {
                uses.reads.push((variable, uses.readers.len()));
            }
            uses.readers.push(reader);
        }
        uses
    }

    fn add(&mut self, value: ValueIndex, of: Use) {
        self.uses.push((value, of));
    }

    pub(super) fn of_value(&self, value: ValueIndex) -> impl Iterator<Item = &Use> + Clone {
        let start = self.uses.partition_point(|(known, _)| *known < value);
        self.uses[start..].iter().take_while(move |(known, _)| *known == value).map(|(_, of)| of)
    }

    /// The values that read a variable, in order.
    pub fn reads(&self, variable: VariableIndex) -> &[ValueIndex] {
        let Ok(at) = self.reads.binary_search_by_key(&variable, |(known, _)| *known) else { return &[] };
        let end = self.reads.get(at + 1).map_or(self.readers.len(), |(_, start)| *start);
        &self.readers[self.reads[at].1..end]
    }

    /// The values that are made from one.
    pub fn parts_of(&self, value: ValueIndex) -> impl Iterator<Item = ValueIndex> {
        self.of_value(value).filter_map(|of| match of {
            Use::Part(user) => Some(*user),
            _ => None,
        })
    }

    /// Whether a value is only used to make other values from it.
    pub fn is_only_part(&self, value: ValueIndex) -> bool {
        self.of_value(value).all(|of| matches!(of, Use::Part(_)))
    }

    /// Whether a value is only used to make others from it, itself or by the names that it is bound to.
    pub fn is_only_read(&self, value: ValueIndex) -> bool {
        self.of_value(value).all(|of| matches!(of, Use::Part(_) | Use::Bound(..)))
    }

    /// Whether nothing is done with a value, not even throwing it away.
    pub fn is_unused(&self, value: ValueIndex) -> bool {
        self.of_value(value).next().is_none()
    }

    /// Whether a value is thrown away and nothing else.
    pub fn is_only_discarded(&self, value: ValueIndex) -> bool {
        matches!(self.only_use(value), Some(Use::Discarded(_)))
    }

    /// The variables that a value is bound to.
    pub(super) fn bound_to(&self, value: ValueIndex) -> impl Iterator<Item = VariableIndex> {
        self.of_value(value).filter_map(|of| match of {
            Use::Bound(variable, _) => Some(*variable),
            _ => None,
        })
    }

    /// Whether a value has exactly one use, that of being bound, and to which variable.
    pub fn only_bound(&self, value: ValueIndex) -> Option<VariableIndex> {
        match self.only_use(value) {
            Some(Use::Bound(variable, _)) => Some(*variable),
            _ => None,
        }
    }

    fn only_use(&self, value: ValueIndex) -> Option<&Use> {
        let mut uses = self.of_value(value);
        uses.next().filter(|_| uses.next().is_none())
    }
}

/// The values that a value is made from.
pub fn for_each_part(kind: &ValueKind, mut each: impl FnMut(ValueIndex)) {
    match kind {
        ValueKind::Field(of, _)
        | ValueKind::Index(of)
        | ValueKind::Awaited(of)
        | ValueKind::Entered(of)
        | ValueKind::Element(of)
        | ValueKind::Component(of, _)
        | ValueKind::Payload(of, ..)
        | ValueKind::Try(of)
        | ValueKind::Reference(of)
        | ValueKind::Dereference(of)
        | ValueKind::Cast(of, _) => each(*of),
        ValueKind::Call(call) => {
            if let Callee::Method(receiver, _) | Callee::Value(receiver) = &call.callee {
                each(*receiver);
            }
            call.arguments.iter().for_each(|argument| each(argument.value));
        }
        ValueKind::Collection(_, items) => items.iter().for_each(|(_, item)| each(*item)),
        ValueKind::Choice(items) | ValueKind::Operation(items) => items.iter().for_each(|item| each(*item)),
        ValueKind::Unknown
        | ValueKind::Literal(_)
        | ValueKind::Place(_)
        | ValueKind::Path(..)
        | ValueKind::Function(_)
        | ValueKind::Received => {}
    }
}
