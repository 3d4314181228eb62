//! Who owns what, and where owners end.
//!
//! A function's body is a stack of scopes. Blocks hold variables (and temporaries that `let` extends); statements,
//! conditions, scrutinees and tails hold temporaries:
//!
//! ~~~text
//! { let n = *state.lock(); … }     [block: n] [statement: state.lock()]
//! ~~~
//!
//! Every value that owns something is registered as a temporary where it is made, and taken off where it moves into a
//! variable, an argument or another value. What is left ends with its scope, in reverse order, on every way out.
//! Deliberately absent: what is a guard, and whether a method takes its receiver by value.

use crate::flow::build::Body;
use crate::flow::{BlockIndex, Ending, FunctionIndex, Owner, StepKind, Value, ValueIndex, ValueKind, VariableIndex};
use crate::lower::rust::Lowerer;
use crate::text::Span;

/// What a scope holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Variables, and temporaries that live as long.
    Variables,
    /// Temporaries.
    Temporaries,
}

/// One scope of a function's body.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) holds: Holds,
    /// Names that are visible in it, later ones first found.
    pub(super) names: Vec<(String, VariableIndex)>,
    /// What ends with it, in order of creation.
    pub(super) owners: Vec<(Owner, Ending)>,
    /// The ending of temporaries outside, restored when the scope is left.
    outer_ending: Ending,
}

/// Where `break`, `continue` and, in `try` blocks, `?` go.
#[derive(Debug)]
pub(super) struct Exit {
    pub(super) label: Option<String>,
    /// How many scopes stay.
    pub(super) depth: usize,
    pub(super) on_break: BlockIndex,
    pub(super) on_continue: Option<BlockIndex>,
    pub(super) kind: ExitKind,
    /// What `break` brings.
    pub(super) values: Vec<ValueIndex>,
}

/// What can be left by an exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExitKind {
    Loop,
    LabelledBlock,
    TryBlock,
}

/// A function while it is lowered.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) index: FunctionIndex,
    pub(super) body: Body,
    pub(super) scopes: Vec<Scope>,
    pub(super) exits: Vec<Exit>,
    /// Variables of enclosing functions that it uses, by name.
    pub(super) captured: Vec<(String, VariableIndex)>,
    /// Whether names of the enclosing function are visible: closures and async blocks.
    pub(super) may_capture: bool,
    /// Why temporaries end that are made now.
    pub(super) ending: Ending,
    /// The scope to which a `let` extends temporaries, while its initialiser's own value is lowered.
    pub(super) extends_to: Option<usize>,
}

impl Frame {
    pub(super) fn new(index: FunctionIndex, may_capture: bool) -> Self {
        Self {
            index,
            body: Body::new(),
            scopes: Vec::new(),
            exits: Vec::new(),
            captured: Vec::new(),
            may_capture,
            ending: Ending::Statement,
            extends_to: None,
        }
    }

    /// The variable that a name stands for here.
    pub(super) fn find(&self, name: &str) -> Option<VariableIndex> {
        let in_scopes = self.scopes.iter().rev().flat_map(|scope| scope.names.iter().rev());
        in_scopes.chain(self.captured.iter().rev()).find(|(known, _)| known == name).map(|(_, variable)| *variable)
    }
}

impl Lowerer<'_> {
    /// Adds a value that owns nothing of its own.
    pub(super) fn make(&mut self, span: Span, kind: ValueKind) -> ValueIndex {
        let body = &mut self.frame.body;
        if !body.has_ended() {
            return body.value(span, kind);
        }
        // The value of a diverging expression: it is never used, and no block should be made for it.
        let block = body.here();
        let step = body.blocks[block.at()].steps.len() as u32;
        body.values.push(Value { kind, span, block, step });
        ValueIndex(body.values.len() as u32 - 1)
    }

    /// Adds a value that may own something: it ends with the scope of temporaries unless it moves on.
    pub(super) fn make_owned(&mut self, span: Span, kind: ValueKind) -> ValueIndex {
        let value = self.make(span, kind);
        self.register(value);
        value
    }

    /// Registers a value as a temporary if it may own something.
    pub(super) fn register(&mut self, value: ValueIndex) {
        if self.may_own(value) && !self.frame.body.has_ended() {
            let ending = self.frame.ending;
            let scope = self.frame.scopes.iter_mut().rev().find(|scope| scope.holds == Holds::Temporaries);
            if let Some(scope) = scope {
                scope.owners.push((Owner::Temporary(value), ending));
            }
        }
    }

    /// Takes a temporary off because it moves on. Says whether it was one.
    pub(super) fn consume(&mut self, value: ValueIndex) -> bool {
        if !self.may_own(value) {
            return false;
        }
        for scope in self.frame.scopes.iter_mut().rev() {
            if let Some(at) = scope.owners.iter().rposition(|(owner, _)| *owner == Owner::Temporary(value)) {
                scope.owners.remove(at);
                return true;
            }
        }
        false
    }

    /// Makes a temporary live as long as the variables of a scope.
    pub(super) fn extend(&mut self, value: ValueIndex, scope: usize) {
        if self.consume(value)
            && let Some(scope) = self.frame.scopes.get_mut(scope)
        {
            scope.owners.push((Owner::Temporary(value), Ending::Scope));
        }
    }

    fn may_own(&self, value: ValueIndex) -> bool {
        match &self.frame.body.values[value.at()].kind {
            ValueKind::Call(_) | ValueKind::Awaited(_) | ValueKind::Try(_) | ValueKind::Function(_) => true,
            ValueKind::Collection(_, items) => items.iter().any(|(_, item)| self.may_carry(*item)),
            ValueKind::Choice(values) => values.iter().any(|value| self.may_carry(*value)),
            _ => false,
        }
    }

    fn may_carry(&self, value: ValueIndex) -> bool {
        match &self.frame.body.values[value.at()].kind {
            ValueKind::Place(place) => place.as_variable().is_some(),
            _ => self.may_own(value),
        }
    }

    /// Variables that move away with a value.
    fn carried(&self, value: ValueIndex, into: &mut Vec<Owner>) {
        match &self.frame.body.values[value.at()].kind {
            ValueKind::Place(place) => into.extend(place.as_variable().map(Owner::Variable)),
            ValueKind::Collection(_, items) => items.iter().for_each(|(_, item)| self.carried(*item, into)),
            ValueKind::Choice(values) => values.iter().for_each(|value| self.carried(*value, into)),
            _ => {}
        }
    }

    /// Opens a scope of variables.
    pub(super) fn enter_block(&mut self) {
        self.enter(Holds::Variables, self.frame.ending);
    }

    /// Opens a scope of temporaries, with the reason why they will end.
    pub(super) fn enter_temporaries(&mut self, ending: Ending) {
        self.enter(Holds::Temporaries, ending);
    }

    fn enter(&mut self, holds: Holds, ending: Ending) {
        let outer_ending = std::mem::replace(&mut self.frame.ending, ending);
        self.frame.scopes.push(Scope { holds, names: Vec::new(), owners: Vec::new(), outer_ending });
    }

    /// Leaves the innermost scope: what it owns ends here.
    pub(super) fn leave(&mut self, span: Span) {
        self.leave_with(None, span);
    }

    /// Leaves the innermost scope with a value that moves out of it.
    pub(super) fn leave_with(&mut self, value: Option<ValueIndex>, span: Span) {
        let moves = value.is_some_and(|value| self.consume(value));
        if let Some(scope) = self.frame.scopes.pop() {
            self.frame.ending = scope.outer_ending;
            if !self.frame.body.has_ended() {
                let mut moved = Vec::new();
                if let Some(value) = value {
                    self.carried(value, &mut moved);
                }
                self.drop_all(&scope.owners, &moved, span);
            }
        }
        if let (true, Some(value)) = (moves, value) {
            self.register(value);
        }
    }

    /// On a way out: ends what the scopes above a depth own, and leaves the scopes as they are for the other ways.
    pub(super) fn drop_down_to(&mut self, depth: usize, value: Option<ValueIndex>, span: Span) {
        let mut moved = Vec::new();
        if let Some(value) = value {
            self.carried(value, &mut moved);
        }
        for at in (depth..self.frame.scopes.len()).rev() {
            let owners = std::mem::take(&mut self.frame.scopes[at].owners);
            self.drop_all(&owners, &moved, span);
            self.frame.scopes[at].owners = owners;
        }
    }

    /// Whether a way out to a depth ends anything.
    pub(super) fn has_owners_above(&self, depth: usize) -> bool {
        self.frame.scopes[depth..].iter().any(|scope| !scope.owners.is_empty())
    }

    /// One step for each run of owners that end for the same reason, the last made first.
    fn drop_all(&mut self, owners: &[(Owner, Ending)], moved: &[Owner], span: Span) {
        let mut run: Vec<Owner> = Vec::new();
        let mut reason = Ending::Scope;
        for (owner, ending) in owners.iter().rev().filter(|(owner, _)| !moved.contains(owner)) {
            if *ending != reason && !run.is_empty() {
                let run = std::mem::take(&mut run);
                self.frame.body.step(span, StepKind::Drop(run, reason));
            }
            reason = *ending;
            run.push(*owner);
        }
        if !run.is_empty() {
            self.frame.body.step(span, StepKind::Drop(run, reason));
        }
    }

    /// The innermost scope of variables.
    pub(super) fn block_scope(&self) -> Option<usize> {
        self.frame.scopes.iter().rposition(|scope| scope.holds == Holds::Variables)
    }

    /// What a `let` extends of its initialiser's value: operands of `&`, also inside tuples, struct literals,
    /// tuple-struct constructors, casts.
    pub(super) fn extend_operands(&mut self, value: ValueIndex, scope: usize) {
        match self.frame.body.values[value.at()].kind.clone() {
            ValueKind::Reference(operand) => self.extend_base(operand, scope),
            ValueKind::Cast(inner, _) => self.extend_operands(inner, scope),
            ValueKind::Collection(_, items) => items.iter().for_each(|(_, item)| self.extend_operands(*item, scope)),
            ValueKind::Choice(values) => values.iter().for_each(|value| self.extend_operands(*value, scope)),
            _ => {}
        }
    }

    /// Extends the value at the bottom of a place expression: `lock()` in `&(*lock()).field`.
    pub(super) fn extend_base(&mut self, value: ValueIndex, scope: usize) {
        match self.frame.body.values[value.at()].kind.clone() {
            ValueKind::Field(base, _) | ValueKind::Index(base) | ValueKind::Dereference(base) => {
                self.extend_base(base, scope);
            }
            ValueKind::Reference(_) | ValueKind::Cast(..) => self.extend_operands(value, scope),
            _ => self.extend(value, scope),
        }
    }
}
