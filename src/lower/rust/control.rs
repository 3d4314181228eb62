//! Branches, loops and ways out.

use syn::{BinOp, Block, Expr, ExprForLoop, ExprIf, ExprMatch, ExprWhile, Label, Lifetime, Pat};

use super::temporaries::{Exit, ExitKind};
use super::{Lowerer, patterns, spans};
use crate::flow::{BlockIndex, Ending, Leaving, Literal, LoopIndex, LoopKind, Next, StepKind, ValueIndex, ValueKind};
use crate::lower::Edition;
use crate::text::Span;

impl Lowerer<'_> {
    /// Expressions that steer.
    pub(super) fn control(&mut self, expr: &Expr) -> ValueIndex {
        let span = spans::expr(expr);
        match expr {
            Expr::Block(block) => match &block.label {
                Some(label) => self.left_block(&block.block, Some(label), ExitKind::LabelledBlock, span),
                None => {
                    let value = self.block(&block.block);
                    self.or_unit(value, span)
                }
            },
            Expr::Unsafe(block) => {
                let value = self.block(&block.block);
                self.or_unit(value, span)
            }
            Expr::Const(block) => {
                let value = self.block(&block.block);
                self.or_unit(value, span)
            }
            Expr::TryBlock(block) => self.left_block(&block.block, None, ExitKind::TryBlock, span),
            Expr::If(branch) => self.if_else(branch, span),
            Expr::Match(choice) => self.match_arms(choice, span),
            Expr::While(turns) => self.while_loop(turns, span),
            Expr::ForLoop(turns) => self.for_loop(turns, span),
            Expr::Loop(turns) => self.endless_loop(&turns.body, turns.label.as_ref(), span),
            Expr::Break(way) => self.break_out(way.label.as_ref(), way.expr.as_deref(), span),
            Expr::Continue(way) => self.continue_loop(way.label.as_ref(), span),
            Expr::Return(way) => {
                let value = way.expr.as_ref().map(|value| self.value(value));
                self.return_value(value, span)
            }
            Expr::Try(tried) => {
                let value = self.value(&tried.expr);
                self.consume(value);
                self.try_value(value, span, spans::token(tried.question_token.span))
            }
            _ => self.make(span, ValueKind::Unknown),
        }
    }

    /// A block that can be left before its end: `'a: { … break 'a value … }`, `try { … }`.
    fn left_block(&mut self, block: &Block, label: Option<&Label>, kind: ExitKind, span: Span) -> ValueIndex {
        let after = self.frame.body.block();
        self.open_exit(label, after, None, kind);
        let value = self.block(block);
        let value = self.or_unit(value, span);
        let mut values = self.close_exit();
        self.way_ends(value, &mut values);
        self.frame.body.end(Next::Goto(after));
        self.frame.body.go_on_in(after);
        self.choice(values, span)
    }

    /// Notes the value that a way brings to where ways meet. Until then it belongs to no other way.
    pub(super) fn way_ends(&mut self, value: ValueIndex, values: &mut Vec<ValueIndex>) {
        self.consume(value);
        if !self.frame.body.has_ended() {
            values.push(value);
        }
    }

    /// One of several values, where ways meet.
    pub(super) fn choice(&mut self, mut values: Vec<ValueIndex>, span: Span) -> ValueIndex {
        let is_unit =
            |value: &ValueIndex| matches!(self.frame.body.values[value.at()].kind, ValueKind::Literal(Literal::None));
        if values.iter().all(is_unit) {
            return self.unit(span);
        }
        values.dedup();
        if let [value] = values.as_slice() {
            let value = *value;
            self.register(value);
            return value;
        }
        self.make_owned(span, ValueKind::Choice(values))
    }

    fn if_else(&mut self, branch: &ExprIf, span: Span) -> ValueIndex {
        let extends_to = self.frame.extends_to.take();
        let after = self.frame.body.block();
        let otherwise = self.frame.body.block();
        let depth = self.frame.scopes.len();
        let has_let = has_let(&branch.cond);
        let is_scoped = has_let && self.edition == Edition::From2024;
        if is_scoped {
            self.enter_temporaries(Ending::IfLet);
        }
        if has_let {
            self.enter_block();
        }
        let ending = self.frame.ending;
        if has_let {
            self.frame.ending = Ending::IfLet;
        }
        self.condition(&branch.cond, depth, otherwise);
        self.frame.ending = ending;
        self.frame.extends_to = extends_to;
        let value = self.own_block(&branch.then_branch);
        let value = self.or_unit(value, span);
        let end = spans::token(branch.then_branch.brace_token.span.close());
        if has_let {
            self.leave_with(Some(value), end);
        }
        if is_scoped {
            self.leave_with(Some(value), end);
        }
        let mut values = Vec::new();
        self.way_ends(value, &mut values);
        self.frame.body.end(Next::Goto(after));
        self.frame.body.go_on_in(otherwise);
        let value = match &branch.else_branch {
            Some((_, other)) => {
                self.frame.extends_to = extends_to;
                match &**other {
                    Expr::Block(block) if block.label.is_none() => {
                        let value = self.own_block(&block.block);
                        self.or_unit(value, span)
                    }
                    other => self.own_value(other, Ending::Tail),
                }
            }
            None => self.unit(span),
        };
        self.way_ends(value, &mut values);
        self.frame.body.end(Next::Goto(after));
        self.frame.body.go_on_in(after);
        self.choice(values, span)
    }

    /// Goes on where a condition holds, with what its patterns bind. Where it does not, what the scopes above a depth
    /// own ends and control goes to `otherwise`.
    pub(super) fn condition(&mut self, condition: &Expr, depth: usize, otherwise: BlockIndex) {
        match condition {
            Expr::Paren(inner) if has_let(&inner.expr) => self.condition(&inner.expr, depth, otherwise),
            Expr::Group(inner) => self.condition(&inner.expr, depth, otherwise),
            Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => {
                self.condition(&binary.left, depth, otherwise);
                self.condition(&binary.right, depth, otherwise);
            }
            Expr::Let(condition) => {
                let value = self.value(&condition.expr);
                self.branch_on(value, depth, otherwise, spans::end_of(spans::expr(&condition.expr)));
                self.bind_matched(&condition.pat, value);
            }
            _ => {
                let value = self.test_value(condition);
                self.branch_on(value, depth, otherwise, spans::end_of(spans::expr(condition)));
            }
        }
    }

    fn branch_on(&mut self, value: ValueIndex, depth: usize, otherwise: BlockIndex, span: Span) {
        let holds = self.frame.body.block();
        if self.has_owners_above(depth) {
            let fails = self.frame.body.block();
            self.frame.body.end(Next::Branch(Some(value), vec![holds, fails]));
            self.frame.body.go_on_in(fails);
            self.drop_down_to(depth, None, span);
            self.frame.body.end(Next::Goto(otherwise));
        } else {
            self.frame.body.end(Next::Branch(Some(value), vec![holds, otherwise]));
        }
        self.frame.body.go_on_in(holds);
    }

    /// Binds what a refutable pattern found. The scrutinee stays registered: on other ways it was not taken.
    fn bind_matched(&mut self, pattern: &Pat, value: ValueIndex) {
        for binding in self.take_apart(pattern, Some(value)) {
            let variable = self.declare(&binding);
            if let Some(value) = binding.value {
                self.frame.body.step(binding.span, StepKind::Bind(variable, value));
            }
        }
    }

    fn match_arms(&mut self, choice: &ExprMatch, span: Span) -> ValueIndex {
        let extends_to = self.frame.extends_to.take();
        let ending = std::mem::replace(&mut self.frame.ending, Ending::Match);
        let scrutinee = self.value(&choice.expr);
        self.frame.ending = ending;
        let after = self.frame.body.block();
        let starts: Vec<BlockIndex> = choice.arms.iter().map(|_| self.frame.body.block()).collect();
        self.frame.body.end(branch_to(scrutinee, &starts));
        let mut values = Vec::new();
        for (at, arm) in choice.arms.iter().enumerate() {
            self.frame.body.go_on_in(starts[at]);
            let depth = self.frame.scopes.len();
            // What an `if let` guard looks at lives as long as its arm.
            self.enter_temporaries(Ending::Match);
            self.enter_block();
            match patterns::guard(&arm.pat) {
                Some(guard) => self.guarded(&arm.pat, guard, depth, scrutinee, &starts[at + 1..]),
                None => self.bind_matched(&arm.pat, scrutinee),
            }
            self.frame.extends_to = extends_to;
            let value = self.own_value(&arm.body, Ending::Tail);
            let end = spans::end_of(spans::expr(&arm.body));
            self.leave_with(Some(value), end);
            self.leave_with(Some(value), end);
            self.way_ends(value, &mut values);
            self.frame.body.end(Next::Goto(after));
        }
        self.frame.body.go_on_in(after);
        self.choice(values, span)
    }

    /// An arm with a guard: the guard sees what the pattern finds by reference; it moves only when the guard holds.
    fn guarded(&mut self, pattern: &Pat, guard: &Expr, depth: usize, scrutinee: ValueIndex, rest: &[BlockIndex]) {
        let bindings = self.take_apart(pattern, Some(scrutinee));
        let mut bound = Vec::with_capacity(bindings.len());
        for binding in &bindings {
            let variable = self.declare(binding);
            if let Some(value) = binding.value {
                let seen = self.make(binding.span, ValueKind::Reference(value));
                self.frame.body.step(binding.span, StepKind::Bind(variable, seen));
                bound.push((variable, value, binding.span));
            }
        }
        let fails = self.frame.body.block();
        // Without a `let` nothing is taken and nothing is left to end where the guard fails.
        let depth = if has_let(guard) { depth } else { self.frame.scopes.len() };
        self.condition(guard, depth, fails);
        let holds = self.frame.body.here();
        self.frame.body.go_on_in(fails);
        self.frame.body.end(branch_to(scrutinee, rest));
        self.frame.body.go_on_in(holds);
        for (variable, value, span) in bound {
            self.frame.body.step(span, StepKind::Bind(variable, value));
        }
    }

    fn while_loop(&mut self, turns: &ExprWhile, span: Span) -> ValueIndex {
        let after = self.frame.body.block();
        let (outer, header) = self.frame.body.open_loop(LoopKind::While, None, span);
        self.open_exit(turns.label.as_ref(), after, Some(header), ExitKind::Loop);
        let depth = self.frame.scopes.len();
        let has_let = has_let(&turns.cond);
        if has_let {
            self.enter_temporaries(Ending::WhileLet);
            self.enter_block();
        }
        self.condition(&turns.cond, depth, after);
        self.own_block(&turns.body);
        if has_let {
            let end = spans::token(turns.body.brace_token.span.close());
            self.leave(end);
            self.leave(end);
        }
        self.close_loop(outer, header, after);
        self.unit(span)
    }

    fn for_loop(&mut self, turns: &ExprForLoop, span: Span) -> ValueIndex {
        self.enter_temporaries(Ending::For);
        let over = self.value(&turns.expr);
        self.loop_over(over, turns, LoopKind::For, span);
        self.leave(spans::end_of(span));
        self.unit(span)
    }

    fn loop_over(&mut self, over: ValueIndex, turns: &ExprForLoop, kind: LoopKind, span: Span) {
        let after = self.frame.body.block();
        let (outer, header) = self.frame.body.open_loop(kind, Some(over), span);
        self.open_exit(turns.label.as_ref(), after, Some(header), ExitKind::Loop);
        let turn = self.frame.body.block();
        self.frame.body.end(Next::Branch(Some(over), vec![turn, after]));
        self.frame.body.go_on_in(turn);
        self.enter_block();
        let element = self.make(spans::node(&*turns.pat), ValueKind::Element(over));
        self.bind_pattern(&turns.pat, Some(element));
        self.own_block(&turns.body);
        self.leave(spans::token(turns.body.brace_token.span.close()));
        self.close_loop(outer, header, after);
    }

    fn endless_loop(&mut self, body: &Block, label: Option<&Label>, span: Span) -> ValueIndex {
        let after = self.frame.body.block();
        let (outer, header) = self.frame.body.open_loop(LoopKind::Forever, None, span);
        self.open_exit(label, after, Some(header), ExitKind::Loop);
        self.own_block(body);
        let values = self.close_loop(outer, header, after);
        self.choice(values, span)
    }

    fn close_loop(&mut self, outer: Option<LoopIndex>, header: BlockIndex, after: BlockIndex) -> Vec<ValueIndex> {
        self.frame.body.end(Next::Goto(header));
        self.frame.body.close_loop(outer);
        self.frame.body.go_on_in(after);
        self.close_exit()
    }

    fn open_exit(
        &mut self,
        label: Option<&Label>,
        on_break: BlockIndex,
        on_continue: Option<BlockIndex>,
        kind: ExitKind,
    ) {
        let label = label.map(|label| label.name.ident.to_string());
        let depth = self.frame.scopes.len();
        self.frame.exits.push(Exit { label, depth, on_break, on_continue, kind, values: Vec::new() });
    }

    fn close_exit(&mut self) -> Vec<ValueIndex> {
        self.frame.exits.pop().map_or_else(Vec::new, |exit| exit.values)
    }

    /// The exit that a `break` or `continue` names.
    fn exit(&self, label: Option<&Lifetime>) -> Option<usize> {
        self.frame.exits.iter().rposition(|exit| match label {
            Some(label) => exit.label.as_deref().is_some_and(|known| label.ident == known),
            None => exit.kind == ExitKind::Loop,
        })
    }

    fn break_out(&mut self, label: Option<&Lifetime>, value: Option<&Expr>, span: Span) -> ValueIndex {
        let value = value.map(|value| self.value(value));
        if let Some(value) = value {
            self.consume(value);
        }
        let never = self.make(span, ValueKind::Unknown);
        let Some(at) = self.exit(label) else {
            self.frame.body.end(Next::Unreachable);
            return never;
        };
        if self.frame.body.has_ended() {
            return never;
        }
        let (depth, target) = (self.frame.exits[at].depth, self.frame.exits[at].on_break);
        self.drop_down_to(depth, value, span);
        self.frame.exits[at].values.extend(value);
        self.frame.body.leave(Next::Goto(target), Leaving::Break, span);
        never
    }

    fn continue_loop(&mut self, label: Option<&Lifetime>, span: Span) -> ValueIndex {
        let never = self.make(span, ValueKind::Unknown);
        let target = self.exit(label).map(|at| (self.frame.exits[at].depth, self.frame.exits[at].on_continue));
        if let Some((depth, Some(target))) = target
            && !self.frame.body.has_ended()
        {
            self.drop_down_to(depth, None, span);
            self.frame.body.leave(Next::Goto(target), Leaving::Continue, span);
        }
        self.frame.body.end(Next::Unreachable);
        never
    }

    pub(super) fn return_value(&mut self, value: Option<ValueIndex>, span: Span) -> ValueIndex {
        if let Some(value) = value {
            self.consume(value);
        }
        let never = self.make(span, ValueKind::Unknown);
        if !self.frame.body.has_ended() {
            self.drop_down_to(0, value, span);
            self.frame.body.leave(Next::Return(value), Leaving::Return, span);
        }
        never
    }

    /// `value?`: goes on with what is inside, or leaves the function or `try` block. The value was taken.
    pub(super) fn try_value(&mut self, value: ValueIndex, span: Span, step: Span) -> ValueIndex {
        let goes_on = self.frame.body.block();
        let leaves = self.frame.body.block();
        self.frame.body.end(Next::Branch(Some(value), vec![goes_on, leaves]));
        self.frame.body.go_on_in(leaves);
        let exit = self.frame.exits.iter().rposition(|exit| exit.kind == ExitKind::TryBlock);
        match exit.map(|at| (self.frame.exits[at].depth, self.frame.exits[at].on_break)) {
            Some((depth, target)) => {
                self.drop_down_to(depth, None, step);
                self.frame.body.end(Next::Goto(target));
            }
            None => {
                self.drop_down_to(0, None, step);
                self.frame.body.leave(Next::Return(None), Leaving::Return, step);
            }
        }
        self.frame.body.go_on_in(goes_on);
        self.make_owned(span, ValueKind::Try(value))
    }
}

/// To one of several arms; a `match` without arms goes nowhere.
fn branch_to(value: ValueIndex, targets: &[BlockIndex]) -> Next {
    match targets {
        [] => Next::Unreachable,
        [only] => Next::Goto(*only),
        several => Next::Branch(Some(value), several.to_vec()),
    }
}

/// Whether a condition holds a `let` of its own.
pub(super) fn has_let(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Paren(inner) => has_let(&inner.expr),
        Expr::Group(inner) => has_let(&inner.expr),
        Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => has_let(&binary.left) || has_let(&binary.right),
        _ => false,
    }
}
