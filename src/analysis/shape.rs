//! The graph of one function seen from behind: predecessors, definitions, what is awaited.

use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::{FunctionId, Program};
use crate::flow::{BlockIndex, StepKind, Suspension, ValueIndex, ValueKind, VariableIndex};

/// What is asked of a function's graph again and again.
#[derive(Debug, Default)]
pub struct Shape {
    predecessors: Vec<Vec<BlockIndex>>,
    binds: Vec<Vec<ValueIndex>>,
    awaited: FxHashMap<ValueIndex, ValueIndex>,
    discarded: Vec<ValueIndex>,
    reachable: Vec<bool>,
}

impl Shape {
    /// The blocks that control comes from, by exceptions too.
    pub fn predecessors(&self, block: BlockIndex) -> &[BlockIndex] {
        &self.predecessors[block.at()]
    }

    /// The values that a variable is given anywhere.
    pub fn binds(&self, variable: VariableIndex) -> &[ValueIndex] {
        self.binds.get(variable.at()).map_or(&[], Vec::as_slice)
    }

    /// The value that awaiting this one gives, if it is awaited as it stands.
    pub fn awaited(&self, value: ValueIndex) -> Option<ValueIndex> {
        self.awaited.get(&value).copied()
    }

    /// Whether a value is thrown away where it is made.
    pub fn is_discarded(&self, value: ValueIndex) -> bool {
        self.discarded.binary_search(&value).is_ok()
    }

    /// Whether control can get to a block.
    pub fn is_reachable(&self, block: BlockIndex) -> bool {
        self.reachable[block.at()]
    }
}

impl Program<'_> {
    /// The graph of a function seen from behind.
    pub fn shape(&self, id: FunctionId) -> Rc<Shape> {
        if let Some(known) = self.shapes.borrow().get(&id) {
            return known.clone();
        }
        let function = self.function(id);
        let blocks = function.blocks.len();
        let mut shape = Shape {
            predecessors: vec![Vec::new(); blocks],
            binds: vec![Vec::new(); function.variables.len()],
            reachable: vec![false; blocks],
            ..Shape::default()
        };
        for (at, block) in function.blocks.iter().enumerate() {
            for target in block.next.targets().iter().chain(&block.on_raise) {
                shape.predecessors[target.at()].push(BlockIndex(at as u32));
            }
            for step in &block.steps {
                match &step.kind {
                    StepKind::Bind(variable, value) => shape.binds[variable.at()].push(*value),
                    StepKind::Discard(value) => shape.discarded.push(*value),
                    _ => {}
                }
            }
        }
        for (at, value) in function.values.iter().enumerate() {
            if let ValueKind::Awaited(of) = value.kind {
                shape.awaited.insert(of, ValueIndex(at as u32));
            }
        }
        shape.discarded.sort_unstable();
        let mut work = vec![BlockIndex(0)];
        while let Some(block) = work.pop() {
            if shape.reachable.get(block.at()).is_some_and(|seen| !seen) {
                shape.reachable[block.at()] = true;
                let body = &function.blocks[block.at()];
                work.extend(body.next.targets().iter().chain(&body.on_raise));
            }
        }
        let shape = Rc::new(shape);
        self.shapes.borrow_mut().insert(id, shape.clone());
        shape
    }

    /// Whether a value is awaited as it stands.
    pub fn is_awaited(&self, id: FunctionId, value: ValueIndex) -> bool {
        let function = self.function(id);
        self.shape(id).awaited(value).is_some()
            || function
                .steps()
                .any(|(_, _, step)| matches!(step.kind, StepKind::Suspend(Suspension::Await, Some(of)) if of == value))
    }
}
