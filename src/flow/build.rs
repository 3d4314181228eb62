//! Building one function's graph, the same way for both languages.

use super::{
    Attempt, Block, BlockIndex, Comparison, Leave, Leaving, Loop, LoopIndex, LoopKind, Managed, ManagedIndex, Next,
    Region, Step, StepKind, Value, ValueIndex, ValueKind, Variable, VariableIndex,
};
use crate::text::Span;

/// A function's body while it is built. Steps go to the current block; a block that has ended takes no more steps:
/// what is written after a `return` goes to a fresh block that nothing leads to.
#[derive(Debug, Default)]
pub struct Body {
    /// Variables so far.
    pub variables: Vec<Variable>,
    /// Values so far.
    pub values: Vec<Value>,
    /// What the operations among them ask that are comparisons of two.
    pub comparisons: Vec<(ValueIndex, Comparison)>,
    /// Which of the operations among them are ranges: `0..n` (Rust).
    pub ranges: Vec<ValueIndex>,
    /// Blocks so far.
    pub blocks: Vec<Block>,
    /// Managed blocks so far.
    pub managed: Vec<Managed>,
    /// Loops so far.
    pub loops: Vec<Loop>,
    /// `try` statements so far.
    pub attempts: Vec<Attempt>,
    current: u32,
    has_ended: Vec<bool>,
    on_raise: Option<BlockIndex>,
    in_loop: Option<LoopIndex>,
}

impl Body {
    /// An empty body whose current block is its entry.
    pub fn new() -> Self {
        let mut body = Self::default();
        body.current = body.block().0;
        body
    }

    /// Makes a block in the current loop and under the current handler; it does not become the current one.
    pub fn block(&mut self) -> BlockIndex {
        let index = BlockIndex(self.blocks.len() as u32);
        self.blocks.push(Block {
            steps: Vec::new(),
            next: Next::Unreachable,
            left_by: None,
            on_raise: self.on_raise,
            in_loop: self.in_loop,
        });
        self.has_ended.push(false);
        index
    }

    /// Lets go of the room that growing took in advance: bodies are kept as long as the review takes.
    pub fn settle(&mut self) {
        self.variables.shrink_to_fit();
        self.values.shrink_to_fit();
        self.comparisons.shrink_to_fit();
        self.ranges.shrink_to_fit();
        self.blocks.shrink_to_fit();
        self.blocks.iter_mut().for_each(|block| block.steps.shrink_to_fit());
    }

    /// The current block.
    pub fn here(&self) -> BlockIndex {
        BlockIndex(self.current)
    }

    /// Goes on in another block.
    pub fn go_on_in(&mut self, block: BlockIndex) {
        self.current = block.0;
    }

    /// Ends the current block. A block ends once; later ends are ignored, as they cannot be reached.
    pub fn end(&mut self, next: Next) {
        if !std::mem::replace(&mut self.has_ended[self.current as usize], true) {
            self.blocks[self.current as usize].next = next;
        }
    }

    /// Ends the current block by a statement that says where control goes.
    pub fn leave(&mut self, next: Next, how: Leaving, span: Span) {
        if !self.has_ended() {
            self.blocks[self.current as usize].left_by = Some(Leave { how, span });
        }
        self.end(next);
    }

    /// The blocks from one on: what was made since it was.
    pub fn region(&self, entry: BlockIndex, from: u32, span: Span) -> Region {
        Region { entry, rest: from..self.blocks.len() as u32, span }
    }

    /// Whether the current block has ended, so that what follows is not reached from it.
    pub fn has_ended(&self) -> bool {
        self.has_ended[self.current as usize]
    }

    /// Ends the current block with a jump and goes on in its target.
    pub fn jump_into(&mut self, target: BlockIndex) {
        self.end(Next::Goto(target));
        self.go_on_in(target);
    }

    /// Starts a block that nothing leads to, for code after a `return`.
    pub fn go_on_unreached(&mut self) {
        let block = self.block();
        self.go_on_in(block);
    }

    /// Adds a step.
    pub fn step(&mut self, span: Span, kind: StepKind) {
        if self.has_ended() {
            self.go_on_unreached();
        }
        self.blocks[self.current as usize].steps.push(Step { span, kind });
    }

    /// Adds a value, evaluated here.
    pub fn value(&mut self, span: Span, kind: ValueKind) -> ValueIndex {
        if self.has_ended() {
            self.go_on_unreached();
        }
        let index = ValueIndex(self.values.len() as u32);
        let step = self.blocks[self.current as usize].steps.len() as u32;
        self.values.push(Value { kind, span, block: self.here(), step });
        index
    }

    /// Adds a variable.
    pub fn variable(&mut self, variable: Variable) -> VariableIndex {
        self.variables.push(variable);
        VariableIndex(self.variables.len() as u32 - 1)
    }

    /// Adds a managed block.
    pub fn managed(&mut self, managed: Managed) -> ManagedIndex {
        self.managed.push(managed);
        ManagedIndex(self.managed.len() as u32 - 1)
    }

    /// Opens a loop: makes its header inside it and makes both current. Returns the loop that was current, to be
    /// handed to [`Body::close_loop`].
    pub fn open_loop(
        &mut self,
        kind: LoopKind,
        over: Option<ValueIndex>,
        span: Span,
    ) -> (Option<LoopIndex>, BlockIndex) {
        let outer = self.in_loop;
        let index = LoopIndex(self.loops.len() as u32);
        self.in_loop = Some(index);
        let header = self.block();
        self.loops.push(Loop { kind, parent: outer, header, over, span });
        self.jump_into(header);
        (outer, header)
    }

    /// Leaves a loop: blocks made from here on belong to the outer one.
    pub fn close_loop(&mut self, outer: Option<LoopIndex>) {
        self.in_loop = outer;
    }

    /// Sets where exceptions go in blocks made from here on, and moves into such a block. Returns the former handler.
    pub fn handle_raises(&mut self, handler: Option<BlockIndex>) -> Option<BlockIndex> {
        let former = std::mem::replace(&mut self.on_raise, handler);
        if former != handler {
            let block = self.block();
            if self.has_ended() { self.go_on_in(block) } else { self.jump_into(block) }
        }
        former
    }
}
