//! Walks along the flow of control.
//!
//! Whether control gets from here to there is asked in many ways: past a block, before a step, by an exception or not.
//! Whoever asks says where a walk goes on from each block, or behind each step; that it comes to each only once is seen
//! to here.

use std::ops::ControlFlow;

use super::{Block, BlockIndex, Function, Next, Step, ValueIndex};

/// A run of steps that a walk comes to: a block, or what is left of the one it begins in.
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'f> {
    /// The block.
    pub at: BlockIndex,
    /// What it holds.
    pub block: &'f Block,
    /// The first of its steps that belongs to the run.
    pub first: usize,
}

impl<'f> Stretch<'f> {
    /// The steps of the run, with their numbers in the block.
    pub fn steps(self) -> impl Iterator<Item = (usize, &'f Step)> {
        self.block.steps.iter().enumerate().skip(self.first)
    }
}

/// What becomes of a walk behind a run of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goes<B> {
    /// It goes on to the blocks that control goes to when nothing is raised.
    On,
    /// It goes on to these as well as to the block that an exception goes to.
    OnAndRaised,
    /// It goes no further on this way.
    Aside,
    /// It is over.
    Over(B),
}

impl Block {
    /// The blocks that control can go to, by an exception as well.
    pub fn successors(&self) -> impl Iterator<Item = BlockIndex> {
        self.next.targets().iter().copied().chain(self.on_raise)
    }
}

impl Function {
    /// Walks from block to block until a visit breaks. `visit` adds the blocks that the walk goes on to.
    pub fn walk<B>(
        &self,
        from: impl IntoIterator<Item = BlockIndex>,
        visit: impl FnMut(BlockIndex, &Block, &mut Vec<BlockIndex>) -> ControlFlow<B>,
    ) -> Option<B> {
        self.walked(from, visit).1.break_value()
    }

    /// Which blocks a walk comes to, by their numbers. `on` adds the blocks that it goes on to.
    pub fn reached(
        &self,
        from: impl IntoIterator<Item = BlockIndex>,
        mut on: impl FnMut(BlockIndex, &Block, &mut Vec<BlockIndex>),
    ) -> Vec<bool> {
        let visit = |at, block: &Block, work: &mut Vec<BlockIndex>| {
            on(at, block, work);
            ControlFlow::<()>::Continue(())
        };
        self.walked(from, visit).0
    }

    fn walked<B>(
        &self,
        from: impl IntoIterator<Item = BlockIndex>,
        mut visit: impl FnMut(BlockIndex, &Block, &mut Vec<BlockIndex>) -> ControlFlow<B>,
    ) -> (Vec<bool>, ControlFlow<B>) {
        let mut seen = vec![false; self.blocks.len()];
        let mut work: Vec<BlockIndex> = from.into_iter().collect();
        while let Some(at) = work.pop() {
            // A function without a body has no entry.
            let Some(block) = self.blocks.get(at.at()) else { continue };
            if std::mem::replace(&mut seen[at.at()], true) {
                continue;
            }
            let goes = visit(at, block, &mut work);
            if goes.is_break() {
                return (seen, goes);
            }
        }
        (seen, ControlFlow::Continue(()))
    }

    /// Walks along the steps from one on, which is the first to be looked at, until a visit ends it. In a loop the walk
    /// comes back to what stands before the first step, and to that step again.
    pub fn walk_steps<'f, B>(
        &'f self,
        (block, step): (BlockIndex, usize),
        mut visit: impl FnMut(Stretch<'f>) -> Goes<B>,
    ) -> Option<B> {
        let mut seen = vec![false; self.blocks.len()];
        let mut work = vec![(block, step)];
        while let Some((at, first)) = work.pop() {
            let Some(block) = self.blocks.get(at.at()) else { continue };
            let raised = match visit(Stretch { at, block, first }) {
                Goes::On => None,
                Goes::OnAndRaised => block.on_raise,
                Goes::Aside => continue,
                Goes::Over(found) => return Some(found),
            };
            let next = block.next.targets().iter().copied().chain(raised);
            work.extend(next.filter(|to| !std::mem::replace(&mut seen[to.at()], true)).map(|to| (to, 0)));
        }
        None
    }

    /// Whether control comes from a step on, that one included, to a step that is meant, without an exception.
    pub fn comes_to_step(
        &self,
        from: (BlockIndex, usize),
        is_meant: impl Fn((BlockIndex, usize), &Step) -> bool,
    ) -> bool {
        let visit = |stretch: Stretch| match stretch.steps().any(|(step, body)| is_meant((stretch.at, step), body)) {
            true => Goes::Over(()),
            false => Goes::On,
        };
        self.walk_steps(from, visit).is_some()
    }

    /// Whether control can get from the start of one block to another without an exception; to itself always.
    pub fn leads_to(&self, from: BlockIndex, to: BlockIndex) -> bool {
        self.leads_past(from, to, None)
    }

    /// Whether it can do so without passing a third.
    pub fn leads_past(&self, from: BlockIndex, to: BlockIndex, without: impl Into<Option<BlockIndex>>) -> bool {
        let without = without.into();
        let visit = |at, block: &Block, on: &mut Vec<BlockIndex>| {
            if at == to {
                return ControlFlow::Break(());
            }
            if Some(at) != without {
                on.extend(block.next.targets());
            }
            ControlFlow::Continue(())
        };
        self.walk([from], visit).is_some()
    }

    /// Whether control can get from the end of a block to the start of another, which may be the same.
    pub fn comes_to(&self, from: BlockIndex, to: BlockIndex) -> bool {
        self.blocks[from.at()].next.targets().iter().any(|next| self.leads_to(*next, to))
    }

    /// Whether a block decides if control gets to another: every way there passes it, and it has ways that do not lead
    /// there.
    pub fn decides(&self, at: BlockIndex, to: BlockIndex) -> bool {
        at != to && self.decides_from(BlockIndex(0), at, to)
    }

    /// Whether a block decides if control that has come to a third gets to another.
    pub fn decides_from(&self, from: BlockIndex, at: BlockIndex, to: BlockIndex) -> bool {
        let mut ways = self.blocks[at.at()].next.targets().iter();
        !self.leads_past(from, to, at) && ways.any(|way| !self.leads_past(*way, to, at))
    }

    /// The blocks that end in a condition, each with the value that decides and the ways that it has.
    pub fn conditions(&self) -> impl Iterator<Item = (BlockIndex, ValueIndex, &[BlockIndex])> {
        (0..).map(BlockIndex).zip(&self.blocks).filter_map(|(at, block)| match &block.next {
            Next::Branch(Some(value), ways) => Some((at, *value, &ways[..])),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{FunctionKind, StepKind};
    use crate::text::Span;

    /// A function of blocks, by where control goes from each and where an exception goes; each discards a value.
    fn function(blocks: &[(&[u32], Option<u32>)]) -> Function {
        let mut function = Function::blank(FunctionKind::Free, Span::new(0, 0));
        function.blocks = blocks
            .iter()
            .map(|(next, on_raise)| Block {
                steps: vec![Step { span: Span::new(0, 0), kind: StepKind::Discard(ValueIndex(0)) }],
                next: match *next {
                    [] => Next::Return(None),
                    [next] => Next::Goto(BlockIndex(*next)),
                    ways => Next::Branch(Some(ValueIndex(0)), ways.iter().copied().map(BlockIndex).collect()),
                },
                left_by: None,
                on_raise: on_raise.map(BlockIndex),
                in_loop: None,
            })
            .collect();
        function
    }

    /// `0` asks whether to go by `1`; both ways meet in `2`, a loop whose turns `3` raise to `4`; `5` follows it.
    fn looped() -> Function {
        function(&[(&[1, 2], None), (&[2], None), (&[3, 5], None), (&[2], Some(4)), (&[], None), (&[], None)])
    }

    #[test]
    fn ways_past_a_block_are_told_from_those_through_it() {
        let function = looped();
        let [entry, by, header, turn, handler, end] = [0, 1, 2, 3, 4, 5].map(BlockIndex);
        assert!(function.leads_to(entry, end) && function.leads_past(entry, end, by));
        assert!(!function.leads_past(entry, end, header));
        assert!(function.leads_to(turn, turn) && !function.leads_to(end, entry));
        assert!(function.comes_to(turn, turn) && !function.comes_to(end, end));
        assert!(!function.leads_to(entry, handler), "only an exception goes there");
        assert!(function.reached([entry], |_, block, on| on.extend(block.successors()))[handler.at()]);
    }

    #[test]
    fn a_block_decides_if_it_alone_has_ways_that_miss() {
        let function = looped();
        let [entry, by, header, turn, _, end] = [0, 1, 2, 3, 4, 5].map(BlockIndex);
        assert!(function.decides(entry, by) && function.decides(header, turn));
        assert!(!function.decides(entry, end), "both of its ways lead there");
        assert!(!function.decides(by, end), "there is a way past it");
        assert!(!function.decides(by, by));
        let conditions: Vec<BlockIndex> = function.conditions().map(|(at, ..)| at).collect();
        assert_eq!(conditions, [entry, header]);
    }

    #[test]
    fn steps_are_come_to_once_and_those_before_the_first_by_the_loop() {
        let function = looped();
        let mut seen = Vec::new();
        let all = function.walk_steps((BlockIndex(3), 1), |stretch| {
            seen.push((stretch.at.0, stretch.first, stretch.steps().count()));
            Goes::<()>::OnAndRaised
        });
        assert_eq!(all, None);
        assert_eq!(seen, [(3, 1, 0), (4, 0, 1), (2, 0, 1), (5, 0, 1), (3, 0, 1)]);
        let is_end = |at: (BlockIndex, usize), _: &Step| at.0 == BlockIndex(5);
        assert!(
            function.comes_to_step((BlockIndex(1), 0), is_end) && !function.comes_to_step((BlockIndex(4), 0), is_end)
        );
    }

    #[test]
    fn a_function_without_a_body_leads_nowhere() {
        let function = function(&[]);
        assert!(function.reached([BlockIndex(0)], |_, block, on| on.extend(block.successors())).is_empty());
        assert!(!function.leads_to(BlockIndex(0), BlockIndex(1)));
    }
}
