//! What happens on the way out: `with`, `try`, and the jumps that pass through them.
//!
//! ~~~text
//! while queue:                  break inside: exit m0, run the finally, then go on after the loop
//!     try:
//!         with lock as held:    enter m0 … exit m0 on every way out, exceptions too
//!             break
//!     finally:
//!         done()                lowered once; afterwards a branch to every place it can go on to
//! ~~~

use super::Lowering;
use crate::flow::{
    Attempt, BlockIndex, Handler, Leaving, Managed, ManagedIndex, Next, Region, StepKind, Suspension, ValueIndex,
    ValueKind, VariableIndex,
};
use crate::syntax::python::tree::{Cursor, Field, Kind};
use crate::text::Span;

/// What stands around a statement and takes part in jumps out of it.
pub(super) enum Frame {
    /// A loop.
    Loop {
        /// Where `break` goes.
        after: BlockIndex,
        /// Where `continue` goes.
        header: BlockIndex,
    },
    /// A managed block.
    Managed {
        index: ManagedIndex,
        /// Where exceptions go outside it.
        on_raise: Option<BlockIndex>,
    },
    /// A `try` with a `finally`.
    Finally {
        entry: BlockIndex,
        /// The jumps that pass through it.
        jumps: Vec<(Jump, Span)>,
    },
}

/// A way out of a block other than its end and exceptions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Jump {
    Break,
    Continue,
    Return(Option<ValueIndex>),
}

impl Jump {
    fn how(self) -> Leaving {
        match self {
            Self::Break => Leaving::Break,
            Self::Continue => Leaving::Continue,
            Self::Return(_) => Leaving::Return,
        }
    }
}

impl<'t> Lowering<'t> {
    /// Leaves what is around this place, innermost first, up to where the jump goes.
    pub(super) fn jump(&mut self, jump: Jump, span: Span) {
        let mut at = self.cx().frames.len();
        let mut restore = None;
        while at > 0 {
            at -= 1;
            match &mut self.cx().frames[at] {
                Frame::Loop { after, header } => {
                    let target = match jump {
                        Jump::Break => *after,
                        Jump::Continue => *header,
                        Jump::Return(_) => continue,
                    };
                    self.body().leave(Next::Goto(target), jump.how(), span);
                    break;
                }
                Frame::Managed { index, on_raise } => {
                    let (index, on_raise) = (*index, *on_raise);
                    let inner = self.body().handle_raises(on_raise);
                    restore.get_or_insert(inner);
                    self.exit(index);
                }
                Frame::Finally { entry, jumps } => {
                    if !jumps.iter().any(|(known, _)| *known == jump) {
                        jumps.push((jump, span));
                    }
                    let entry = *entry;
                    self.body().leave(Next::Goto(entry), jump.how(), span);
                    break;
                }
            }
        }
        if !self.body().has_ended() {
            let next = match jump {
                Jump::Return(value) => Next::Return(value),
                Jump::Break | Jump::Continue => Next::Unreachable,
            };
            self.body().leave(next, jump.how(), span);
        }
        if let Some(inner) = restore {
            self.body().handle_raises(inner);
            self.body().end(Next::Unreachable);
        }
    }

    /// Leaves a managed block.
    fn exit(&mut self, index: ManagedIndex) {
        let managed = self.body().managed[index.at()].clone();
        self.step(managed.span, StepKind::Exit(index));
        if managed.is_async {
            self.step(managed.span, StepKind::Suspend(Suspension::Exit, Some(managed.value)));
        }
    }

    /// `with a as b, c as d:`.
    pub(super) fn with(&mut self, node: Cursor<'t>) {
        let is_async = node.child_of(Kind::Async).is_some();
        let mut items = Vec::new();
        for clause in node.children().filter(|child| child.kind() == Kind::WithClause) {
            for item in clause.children().filter(|child| child.kind() == Kind::WithItem) {
                let Some(value) = item.child(Field::Value) else { continue };
                // `with (a as b, c as d):` may come out as one tuple.
                let is_group =
                    value.kind() == Kind::Tuple && value.children().any(|child| child.kind() == Kind::AsPattern);
                if is_group {
                    items.extend(value.children());
                } else {
                    items.push(value);
                }
            }
        }
        self.managed_items(&items, is_async, node.child(Field::Body));
    }

    fn managed_items(&mut self, items: &[Cursor<'t>], is_async: bool, body: Option<Cursor<'t>>) {
        let mut left = Vec::with_capacity(items.len());
        let within = body.map_or(Span::new(0, 0), Cursor::span);
        for item in items {
            let mut expression = *item;
            if expression.kind() == Kind::Parenthesized
                && let Some(inner) = expression.first().filter(|inner| inner.kind() == Kind::AsPattern)
            {
                expression = inner;
            }
            let target = match expression.kind() {
                Kind::AsPattern => expression.child(Field::Alias),
                _ => None,
            };
            let managed = match (expression.kind(), expression.first()) {
                (Kind::AsPattern, Some(managed)) => managed,
                _ => expression,
            };
            let value = self.expression(managed);
            let span = managed.span();
            let index = self.body().managed(Managed { value, is_async, span, body: within });
            self.step(span, StepKind::Enter(index));
            if is_async {
                self.cx().awaits = true;
                self.step(span, StepKind::Suspend(Suspension::Enter, Some(value)));
            }
            let raised = self.body().block();
            let outer = self.body().handle_raises(Some(raised));
            self.cx().frames.push(Frame::Managed { index, on_raise: outer });
            left.push((index, raised, outer));
            if let Some(target) = target {
                let entered = self.value(target.span(), ValueKind::Entered(value));
                self.store(target, entered);
            }
        }
        if let Some(body) = body {
            self.statements(body);
        }
        for (index, raised, outer) in left.into_iter().rev() {
            self.cx().frames.pop();
            let falls_through = !self.body().has_ended();
            self.body().handle_raises(outer);
            if falls_through {
                self.exit(index);
            }
            let after = self.body().here();
            self.body().go_on_in(raised);
            self.exit(index);
            self.body().end(Next::Raise(None));
            self.body().go_on_in(after);
            if !falls_through {
                self.body().end(Next::Unreachable);
            }
        }
    }

    /// `try` with handlers, `else` and `finally`.
    pub(super) fn attempt(&mut self, node: Cursor<'t>) {
        let handlers: Vec<_> = node.children().filter(|child| child.kind() == Kind::Except).collect();
        let finally = node.child_of(Kind::Finally).and_then(|clause| clause.child_of(Kind::Block));
        let after = self.body().block();
        let entry = finally.map(|_| self.body().block());
        let outer = entry.map(|entry| {
            let outer = self.body().handle_raises(Some(entry));
            self.cx().frames.push(Frame::Finally { entry, jumps: Vec::new() });
            outer
        });
        let number = self.body().attempts.len();
        let comes_through = self.guarded(node, &handlers, entry.unwrap_or(after));
        if let (Some(body), Some(entry), Some(outer)) = (finally, entry, outer) {
            let jumps = match self.cx().frames.pop() {
                Some(Frame::Finally { jumps, .. }) => jumps,
                Some(_) | None => Vec::new(),
            };
            // The entry was made before the handler was set, so it stands under the outer one.
            self.body().handle_raises(outer);
            self.body().go_on_in(entry);
            let rest = self.next_block();
            self.statements(body);
            let is_open = !self.body().has_ended();
            let from = self.body().here();
            let region = self.body().region(entry, rest, body.span());
            if let Some(attempt) = self.body().attempts.get_mut(number) {
                attempt.cleanup = Some(region);
            }
            let propagates = self.body().block();
            let mut next = if comes_through { vec![after, propagates] } else { vec![propagates] };
            self.body().go_on_in(propagates);
            self.body().end(Next::Raise(None));
            for (jump, span) in jumps {
                let block = self.body().block();
                next.push(block);
                if is_open {
                    self.body().go_on_in(block);
                    self.jump(jump, span);
                }
            }
            self.body().go_on_in(from);
            self.body().end(Next::Branch(None, next));
        }
        self.body().go_on_in(after);
    }

    /// The body, the handlers and the `else`; each goes on in `join`. Says whether any of them comes to its end.
    fn guarded(&mut self, node: Cursor<'t>, handlers: &[Cursor<'t>], join: BlockIndex) -> bool {
        let dispatch = (!handlers.is_empty()).then(|| self.body().block());
        let outer = dispatch.map(|dispatch| self.body().handle_raises(Some(dispatch)));
        let number = self.body().attempts.len();
        let (entry, rest) = (self.body().here(), self.next_block());
        let body = node.child(Field::Body);
        let span = body.unwrap_or(node).span();
        self.body().attempts.push(Attempt {
            body: Region { entry, rest: 0..0, span },
            handlers: Vec::new(),
            cleanup: None,
            span: node.span(),
        });
        if let Some(body) = body {
            self.statements(body);
        }
        self.body().attempts[number].body = self.body().region(entry, rest, span);
        if let Some(outer) = outer {
            self.body().handle_raises(outer);
        }
        let alternative = node.child_of(Kind::Else).and_then(|clause| clause.child(Field::Body));
        if let Some(alternative) = alternative {
            self.statements(alternative);
        }
        let mut comes_through = !self.body().has_ended();
        self.body().end(Next::Goto(join));
        let Some(dispatch) = dispatch else { return comes_through };
        let mut starts = Vec::with_capacity(handlers.len() + 1);
        let mut catches_all = false;
        for handler in handlers {
            let start = self.body().block();
            starts.push(start);
            self.body().go_on_in(start);
            let handler = self.handler(*handler, start);
            catches_all |= self.takes_whatever_comes(&handler);
            self.body().attempts[number].handlers.push(handler);
            comes_through |= !self.body().has_ended();
            self.body().end(Next::Goto(join));
        }
        if !catches_all {
            let propagates = self.body().block();
            starts.push(propagates);
            self.body().go_on_in(propagates);
            self.body().end(Next::Raise(None));
        }
        self.body().go_on_in(dispatch);
        self.body().end(Next::Branch(None, starts));
        comes_through
    }

    /// One `except` clause.
    fn handler(&mut self, node: Cursor<'t>, entry: BlockIndex) -> Handler {
        let rest = self.next_block();
        let mut catches = Vec::new();
        let mut received = None;
        let mut header = node.span();
        for caught in node.all(Field::Value) {
            // Before 3.14's grammar `except A as e` may come as a pattern.
            let (term, alias) = match caught.kind() {
                Kind::AsPattern => (caught.first().unwrap_or(caught), caught.child(Field::Alias)),
                _ => (caught, None),
            };
            header.end = caught.span().end;
            let classes = self.expression(term);
            match &self.body().values[classes.at()].kind {
                ValueKind::Collection(_, items) => catches.extend(items.iter().map(|(_, item)| *item)),
                _ => catches.push(classes),
            }
            if let Some(alias) = alias {
                received = self.receive(alias);
            }
        }
        if let Some(alias) = node.child(Field::Alias) {
            header.end = alias.span().end;
            received = self.receive(alias);
        }
        if catches.is_empty() {
            header.end = header.start + "except".len() as u32;
        }
        if let Some(body) = node.child_of(Kind::Block) {
            self.statements(body);
        }
        let region = self.body().region(entry, rest, node.span());
        Handler { catches, received, region, header }
    }

    /// Whether a handler is written to take whatever comes.
    fn takes_whatever_comes(&mut self, handler: &Handler) -> bool {
        let [caught] = handler.catches[..] else { return handler.catches.is_empty() };
        let span = self.body().values[caught.at()].span;
        matches!(span.text(self.text), "BaseException" | "builtins.BaseException")
    }

    fn receive(&mut self, alias: Cursor<'t>) -> Option<VariableIndex> {
        let value = self.value(alias.span(), ValueKind::Received);
        self.store(alias, value);
        let here = self.body().here();
        match self.body().blocks[here.at()].steps.last()?.kind {
            StepKind::Bind(variable, _) => Some(variable),
            _ => None,
        }
    }

    /// The number of the block that will be made next.
    fn next_block(&mut self) -> u32 {
        self.body().blocks.len() as u32
    }
}
