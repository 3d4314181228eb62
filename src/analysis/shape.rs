//! The graph of one function seen from behind: predecessors, definitions, what is awaited.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::{FunctionId, Program};
use crate::flow::{BlockIndex, Callee, FunctionIndex, StepKind, Suspension, ValueIndex, ValueKind, VariableIndex};

/// What is asked of a function's graph again and again.
#[derive(Debug, Default)]
pub struct Shape {
    predecessors: Vec<Vec<BlockIndex>>,
    binds: Vec<Vec<Bind>>,
    awaited: FxHashMap<ValueIndex, ValueIndex>,
    /// Values that an await takes as they stand, sorted.
    suspended_on: Vec<ValueIndex>,
    discarded: Vec<ValueIndex>,
    handed: FxHashMap<FunctionIndex, (ValueIndex, usize)>,
    /// Calls of what has no name of its own, in source order.
    called: Vec<ValueIndex>,
    /// Calls of methods of whole variables that are given something, by variable, in source order.
    given: Vec<(VariableIndex, ValueIndex)>,
    reachable: Vec<bool>,
}

/// Where a variable is given a value.
#[derive(Clone, Copy, Debug)]
struct Bind {
    block: BlockIndex,
    step: u32,
    value: ValueIndex,
}

impl Shape {
    /// How many blocks there are.
    pub fn blocks(&self) -> usize {
        self.predecessors.len()
    }

    /// Whether a variable is given a value anywhere.
    pub fn is_bound(&self, variable: VariableIndex) -> bool {
        self.binds.get(variable.at()).is_some_and(|binds| !binds.is_empty())
    }

    /// The value that a variable is given last in a block, before a step of it.
    pub fn last_bind(&self, variable: VariableIndex, block: BlockIndex, before: u32) -> Option<ValueIndex> {
        let binds = self.binds.get(variable.at())?;
        let end = binds.partition_point(|bind| (bind.block, bind.step) < (block, before));
        binds[..end].last().filter(|bind| bind.block == block).map(|bind| bind.value)
    }

    /// The blocks that control comes from, by exceptions too.
    pub fn predecessors(&self, block: BlockIndex) -> &[BlockIndex] {
        &self.predecessors[block.at()]
    }

    /// The values that a variable is given anywhere.
    pub fn binds(&self, variable: VariableIndex) -> impl Iterator<Item = ValueIndex> {
        self.binds.get(variable.at()).into_iter().flatten().map(|bind| bind.value)
    }

    /// The value that awaiting this one gives, if it is awaited as it stands.
    pub fn awaited(&self, value: ValueIndex) -> Option<ValueIndex> {
        self.awaited.get(&value).copied()
    }

    /// Whether a value is thrown away where it is made.
    pub fn is_discarded(&self, value: ValueIndex) -> bool {
        self.discarded.binary_search(&value).is_ok()
    }

    /// The call that a closure is an argument of as it stands, and which one.
    pub fn handed_to(&self, closure: FunctionIndex) -> Option<(ValueIndex, usize)> {
        self.handed.get(&closure).copied()
    }

    /// The calls of values: of a parameter, of what another call gave.
    pub fn calls_of_values(&self) -> &[ValueIndex] {
        &self.called
    }

    /// The calls of methods of a variable, as it stands, that are given something.
    pub fn given_to(&self, variable: VariableIndex) -> impl Iterator<Item = ValueIndex> {
        let start = self.given.partition_point(|(known, _)| *known < variable);
        self.given[start..].iter().take_while(move |(known, _)| *known == variable).map(|(_, call)| *call)
    }

    /// Whether control can get to a block.
    pub fn is_reachable(&self, block: BlockIndex) -> bool {
        self.reachable[block.at()]
    }
}

impl Program<'_> {
    /// The graph of a function seen from behind.
    pub fn shape(&self, id: FunctionId) -> Arc<Shape> {
        if let Some(known) = self.shapes.borrow().get(&id) {
            return known.clone();
        }
        let function = self.function(id);
        let blocks = function.blocks.len();
        let mut shape = Shape {
            predecessors: vec![Vec::new(); blocks],
            binds: vec![Vec::new(); function.variables.len()],
            reachable: function.reached([BlockIndex(0)], |_, block, on| on.extend(block.successors())),
            ..Shape::default()
        };
        for (at, block) in function.blocks.iter().enumerate() {
            for target in block.successors() {
                shape.predecessors[target.at()].push(BlockIndex(at as u32));
            }
            for (number, step) in block.steps.iter().enumerate() {
                match &step.kind {
                    StepKind::Bind(variable, value) => {
                        let bind = Bind { block: BlockIndex(at as u32), step: number as u32, value: *value };
                        shape.binds[variable.at()].push(bind);
                    }
                    StepKind::Discard(value) => shape.discarded.push(*value),
                    StepKind::Suspend(Suspension::Await, Some(of)) => shape.suspended_on.push(*of),
                    _ => {}
                }
            }
        }
        for (at, value) in function.values.iter().enumerate() {
            match &value.kind {
                ValueKind::Awaited(of) => {
                    shape.awaited.insert(*of, ValueIndex(at as u32));
                }
                ValueKind::Call(call) => {
                    match &call.callee {
                        Callee::Value(_) => shape.called.push(ValueIndex(at as u32)),
                        Callee::Method(receiver, _) if !call.arguments.is_empty() => {
                            if let ValueKind::Place(place) = &function.value(*receiver).kind
                                && let Some(variable) = place.as_variable()
                            {
                                shape.given.push((variable, ValueIndex(at as u32)));
                            }
                        }
                        _ => {}
                    }
                    for (position, argument) in call.arguments.iter().enumerate() {
                        if let ValueKind::Function(closure) = function.value(argument.value).kind {
                            shape.handed.insert(closure, (ValueIndex(at as u32), position));
                        }
                    }
                }
                _ => {}
            }
        }
        shape.discarded.sort_unstable();
        shape.suspended_on.sort_unstable();
        shape.given.sort_unstable();
        let shape = Arc::new(shape);
        self.shapes.borrow_mut().insert(id, shape.clone());
        shape
    }

    /// Whether a value is awaited as it stands.
    pub fn is_awaited(&self, id: FunctionId, value: ValueIndex) -> bool {
        let shape = self.shape(id);
        shape.awaited(value).is_some() || shape.suspended_on.binary_search(&value).is_ok()
    }
}
