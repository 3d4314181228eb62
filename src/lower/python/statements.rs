//! Statements: straight-line ones, branches and loops.

use super::managed::{Frame, Jump};
use super::{Lowering, is_statement};
use crate::flow::{Leaving, LoopKind, Next, StepKind, Suspension, ValueKind};
use crate::syntax::python::tree::{Cursor, Field, Kind};

impl<'t> Lowering<'t> {
    /// Lowers the statements of a block.
    pub(super) fn statements(&mut self, block: Cursor<'t>) {
        for statement in block.children() {
            self.statement(statement);
        }
    }

    fn statement(&mut self, node: Cursor<'t>) {
        match node.kind() {
            Kind::ExpressionStatement => self.expression_statement(node),
            Kind::Function => self.function(node, None),
            Kind::Class => self.class(node, None),
            Kind::Decorated => self.decorated(node),
            Kind::If => self.branches(node),
            Kind::For => self.for_loop(node),
            Kind::While => self.while_loop(node),
            Kind::Try => self.attempt(node),
            Kind::With => self.with(node),
            Kind::Match => self.match_cases(node),
            Kind::Return => {
                let value = node.first().map(|value| self.expression(value));
                self.jump(Jump::Return(value), node.span());
            }
            Kind::Raise => self.raise(node),
            Kind::Break => self.jump(Jump::Break, node.span()),
            Kind::Continue => self.jump(Jump::Continue, node.span()),
            Kind::Assert => self.assert(node),
            Kind::Delete => self.delete(node),
            Kind::Import => self.import(node),
            Kind::ImportFrom | Kind::FutureImport => self.import_from(node),
            Kind::TypeAlias => self.type_alias(node),
            Kind::Print | Kind::Exec => {
                for child in node.children() {
                    self.expression(child);
                }
            }
            Kind::Pass | Kind::Global | Kind::Nonlocal => {}
            // What stands in a damaged stretch is lowered as far as it makes statements.
            Kind::Error => {
                self.cx().is_damaged = true;
                for child in node.children().filter(|child| is_statement(child.kind())) {
                    self.statement(child);
                }
            }
            Kind::Block => self.statements(node),
            _ => {}
        }
    }

    fn decorated(&mut self, node: Cursor<'t>) {
        match node.child(Field::Definition) {
            Some(inner) if inner.kind() == Kind::Function => self.function(inner, Some(node)),
            Some(inner) if inner.kind() == Kind::Class => self.class(inner, Some(node)),
            Some(_) | None => {}
        }
    }

    fn expression_statement(&mut self, node: Cursor<'t>) {
        let mut children = node.children();
        let Some(first) = children.next() else { return };
        match first.kind() {
            Kind::Assignment => {
                self.assignment(first);
            }
            Kind::AugmentedAssignment => self.augmented(first),
            _ => {
                self.expression_step(first);
                for more in children {
                    self.expression_step(more);
                }
            }
        }
    }

    fn raise(&mut self, node: Cursor<'t>) {
        let mut value = None;
        for child in node.children() {
            let evaluated = self.expression(child);
            if child.field() != Field::Cause {
                value = Some(evaluated);
            }
        }
        if self.body().has_ended() {
            self.body().go_on_unreached();
        }
        self.body().leave(Next::Raise(value), Leaving::Raise, node.span());
    }

    fn assert(&mut self, node: Cursor<'t>) {
        let mut children = node.children();
        let Some(condition) = children.next() else { return };
        let (holds, fails) = (self.body().block(), self.body().block());
        self.condition(condition, holds, fails);
        self.body().go_on_in(fails);
        if let Some(message) = children.next() {
            self.expression(message);
        }
        self.body().end(Next::Raise(None));
        self.body().go_on_in(holds);
    }

    /// `if`, its `elif`s and `else`.
    fn branches(&mut self, node: Cursor<'t>) {
        let join = self.body().block();
        let mut clause = Some(node);
        let mut alternatives = node.all(Field::Alternative);
        while let Some(branch) = clause {
            clause = alternatives.next();
            if branch.kind() == Kind::Else {
                if let Some(body) = branch.child(Field::Body) {
                    self.statements(body);
                }
                break;
            }
            let then = self.body().block();
            let otherwise = if clause.is_some() { self.body().block() } else { join };
            match branch.child(Field::Condition) {
                Some(condition) => self.condition(condition, then, otherwise),
                None => self.body().end(Next::Branch(None, vec![then, otherwise])),
            }
            self.body().go_on_in(then);
            if let Some(body) = branch.child(Field::Consequence) {
                self.statements(body);
            }
            self.body().end(Next::Goto(join));
            self.body().go_on_in(otherwise);
        }
        if self.body().here() != join {
            self.body().jump_into(join);
        }
    }

    /// The `else` of a loop.
    fn alternative(node: Cursor<'t>) -> Option<Cursor<'t>> {
        node.all(Field::Alternative).chain(node.children()).find(|child| child.kind() == Kind::Else)
    }

    fn while_loop(&mut self, node: Cursor<'t>) {
        let condition = node.child(Field::Condition);
        let is_forever = condition.is_some_and(|condition| self.is_always(condition));
        let after = self.body().block();
        let alternative = Self::alternative(node);
        let otherwise = if alternative.is_some() { self.body().block() } else { after };
        let kind = if is_forever { LoopKind::Forever } else { LoopKind::While };
        let (outer, header) = self.body().open_loop(kind, None, node.span());
        if let (Some(condition), false) = (condition, is_forever) {
            let turn = self.body().block();
            self.condition(condition, turn, otherwise);
            self.body().go_on_in(turn);
        }
        self.cx().frames.push(Frame::Loop { after, header });
        if let Some(body) = node.child(Field::Body) {
            self.statements(body);
        }
        self.cx().frames.pop();
        self.body().end(Next::Goto(header));
        self.body().close_loop(outer);
        self.loop_end(alternative, otherwise, after);
    }

    fn loop_end(
        &mut self,
        alternative: Option<Cursor<'t>>,
        otherwise: crate::flow::BlockIndex,
        after: crate::flow::BlockIndex,
    ) {
        if let Some(body) = alternative.and_then(|alternative| alternative.child(Field::Body)) {
            self.body().go_on_in(otherwise);
            self.statements(body);
            self.body().jump_into(after);
        } else {
            self.body().go_on_in(after);
        }
    }

    /// Whether a condition is written to hold always: `True`, `1`.
    fn is_always(&self, condition: Cursor<'t>) -> bool {
        match condition.kind() {
            Kind::True => true,
            Kind::Integer => self.node_text(condition) != "0",
            Kind::Parenthesized => condition.first().is_some_and(|inner| inner.kind() == Kind::True),
            _ => false,
        }
    }

    fn for_loop(&mut self, node: Cursor<'t>) {
        let over = match node.child(Field::Right) {
            Some(right) => self.expression(right),
            None => self.value(node.span(), ValueKind::Unknown),
        };
        let is_async = node.child_of(Kind::Async).is_some();
        let after = self.body().block();
        let alternative = Self::alternative(node);
        let otherwise = if alternative.is_some() { self.body().block() } else { after };
        let kind = if is_async { LoopKind::AsyncFor } else { LoopKind::For };
        let (outer, header) = self.body().open_loop(kind, Some(over), node.span());
        if is_async {
            self.cx().awaits = true;
            let span = node.child(Field::Right).unwrap_or(node).span();
            self.step(span, StepKind::Suspend(Suspension::Next, Some(over)));
        }
        let turn = self.body().block();
        self.body().end(Next::Branch(None, vec![turn, otherwise]));
        self.body().go_on_in(turn);
        self.cx().frames.push(Frame::Loop { after, header });
        if let Some(target) = node.child(Field::Left) {
            let element = self.value(target.span(), ValueKind::Element(over));
            self.store(target, element);
        }
        if let Some(body) = node.child(Field::Body) {
            self.statements(body);
        }
        self.cx().frames.pop();
        self.body().end(Next::Goto(header));
        self.body().close_loop(outer);
        self.loop_end(alternative, otherwise, after);
    }
}
