//! Comprehensions: loops where they stand, with variables of their own.

use super::Lowering;
use crate::flow::{Collection, LoopKind, Next, StepKind, Suspension, ValueIndex, ValueKind};
use crate::syntax::python::tree::{Cursor, Field, Kind};

impl<'t> Lowering<'t> {
    /// A comprehension that is run where it stands.
    pub(super) fn comprehension(&mut self, node: Cursor<'t>, collection: Collection) -> ValueIndex {
        let item = self.clauses(node, None, false);
        let items = item.map(|item| (None, item)).into_iter().collect();
        self.value(node.span(), ValueKind::Collection(collection, items))
    }

    /// What a `for … in …` clause goes over.
    pub(super) fn iterable(&mut self, clause: Cursor<'t>) -> ValueIndex {
        let mut values: Vec<_> = clause.all(Field::Right).map(|right| self.expression(right)).collect();
        match values.pop() {
            Some(value) if values.is_empty() => value,
            Some(last) => {
                values.push(last);
                let items = values.into_iter().map(|value| (None, value)).collect();
                self.value(clause.span(), ValueKind::Collection(Collection::Tuple, items))
            }
            None => self.value(clause.span(), ValueKind::Unknown),
        }
    }

    /// Loops and conditions of a comprehension around its item, which is returned. The first iterable may be given.
    pub(super) fn clauses(&mut self, node: Cursor<'t>, first: Option<ValueIndex>, yields: bool) -> Option<ValueIndex> {
        let overlays = self.cx().overlays.len();
        let mut loops = Vec::new();
        let mut first = first;
        for clause in node.children() {
            match clause.kind() {
                Kind::ForIn => {
                    let over = match first.take() {
                        Some(over) => over,
                        None => self.iterable(clause),
                    };
                    let is_async = clause.child_of(Kind::Async).is_some();
                    let after = self.body().block();
                    let kind = if is_async { LoopKind::AsyncFor } else { LoopKind::For };
                    let (outer, header) = self.body().open_loop(kind, Some(over), clause.span());
                    if is_async {
                        self.cx().awaits = true;
                        self.step(clause.span(), StepKind::Suspend(Suspension::Next, Some(over)));
                    }
                    let turn = self.body().block();
                    self.body().end(Next::Branch(None, vec![turn, after]));
                    self.body().go_on_in(turn);
                    loops.push((outer, header, after));
                    if let Some(target) = clause.child(Field::Left) {
                        self.fresh_names(target);
                        let element = self.value(target.span(), ValueKind::Element(over));
                        self.store(target, element);
                    }
                }
                Kind::IfClause => {
                    let Some(&(_, header, _)) = loops.last() else { continue };
                    let Some(condition) = clause.first() else { continue };
                    let then = self.body().block();
                    self.condition(condition, then, header);
                    self.body().go_on_in(then);
                }
                _ => {}
            }
        }
        let item = node.child(Field::Body).and_then(|body| self.item(body));
        if yields {
            self.step(node.span(), StepKind::Suspend(Suspension::Yield, item));
        }
        for (outer, header, after) in loops.into_iter().rev() {
            self.body().end(Next::Goto(header));
            self.body().close_loop(outer);
            self.body().go_on_in(after);
        }
        self.cx().overlays.truncate(overlays);
        item
    }

    fn item(&mut self, body: Cursor<'t>) -> Option<ValueIndex> {
        if body.kind() != Kind::Pair {
            return Some(self.expression(body));
        }
        if let Some(key) = body.child(Field::Key) {
            self.expression(key);
        }
        body.child(Field::Value).map(|value| self.expression(value))
    }

    /// Gives the names of a target variables of their own, seen from here on.
    fn fresh_names(&mut self, target: Cursor<'t>) {
        let mut open = vec![target];
        while let Some(node) = open.pop() {
            match node.kind() {
                Kind::Identifier => {
                    let name = self.node_text(node);
                    let variable = self.fresh_variable(name, node.span());
                    self.cx().overlays.push((name, variable));
                }
                Kind::Attribute | Kind::Subscript => {}
                _ => {
                    let from = open.len();
                    open.extend(node.children());
                    open[from..].reverse();
                }
            }
        }
    }
}
