//! Places: what they are, what is read of them and what is put into them.

use syn::{BinOp, Expr, ExprPath, UnOp};

use super::patterns::member;
use super::{Lowerer, spans, types};
use crate::flow::{Ending, Field, Owner, Place, Root, StepKind, TypeTerm, ValueIndex, ValueKind, WriteKind};
use crate::text::Span;

/// What a place expression comes to.
#[derive(Clone, Debug)]
pub(super) enum Spot {
    /// A place, and whether the expression dereferences it as a whole.
    Place(Place, bool),
    /// Something below a value that is no place.
    Value(ValueIndex),
}

impl Lowerer<'_> {
    /// Evaluates a place expression as far as its place.
    pub(super) fn spot(&mut self, expr: &Expr) -> Spot {
        match expr {
            Expr::Paren(inner) => self.spot(&inner.expr),
            Expr::Group(inner) => self.spot(&inner.expr),
            Expr::Path(path) => self.path_spot(path),
            Expr::Field(field) => {
                let name = member(&field.member);
                match self.spot(&field.base) {
                    Spot::Place(place, _) => Spot::Place(place.then(Field::Name(name)), false),
                    Spot::Value(base) => Spot::Value(self.make(spans::expr(expr), ValueKind::Field(base, name))),
                }
            }
            Expr::Index(index) => {
                let base = self.spot(&index.expr);
                self.value(&index.index);
                match base {
                    Spot::Place(place, _) => Spot::Place(place.then(Field::Index), false),
                    Spot::Value(base) => Spot::Value(self.make(spans::expr(expr), ValueKind::Index(base))),
                }
            }
            Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => match self.spot(&unary.expr) {
                Spot::Place(place, false) => Spot::Place(place, true),
                Spot::Place(place, true) => {
                    let inner = self.value_at(Spot::Place(place, true), spans::expr(&unary.expr));
                    Spot::Value(self.make(spans::expr(expr), ValueKind::Dereference(inner)))
                }
                Spot::Value(base) => Spot::Value(self.make(spans::expr(expr), ValueKind::Dereference(base))),
            },
            _ => Spot::Value(self.value(expr)),
        }
    }

    fn path_spot(&mut self, path: &ExprPath) -> Spot {
        let span = spans::path(&path.path);
        if path.qself.is_none()
            && let Some(name) = path.path.get_ident()
            && let Some(variable) = self.variable_named(&types::name_of(name))
        {
            return Spot::Place(Place::variable(variable), false);
        }
        let segments = self.path_segments(path);
        if path.qself.is_none() && self.is_global(&segments) {
            return Spot::Place(Place { root: Root::Global(segments), fields: Vec::new(), is_cut: false }, false);
        }
        let generics = types::arguments(&path.path, self.text);
        Spot::Value(self.make(span, ValueKind::Path(segments, generics)))
    }

    /// A path's segments; `<T>::f` gives those of `T` first.
    pub(super) fn path_segments(&self, path: &ExprPath) -> Vec<String> {
        let segments = types::segments(&path.path);
        match path.qself.as_ref().filter(|qself| qself.position == 0).map(|qself| types::term(&qself.ty, self.text)) {
            Some(TypeTerm::Path { segments: mut all, .. }) => {
                all.extend(segments);
                all
            }
            _ => segments,
        }
    }

    /// Whether a path names a static or constant: one of this file, or written like one.
    fn is_global(&self, path: &[String]) -> bool {
        let Some((last, before)) = path.split_last() else { return false };
        let in_module = before.last().is_none_or(|parent| parent.starts_with(|c: char| c.is_lowercase() || c == '_'));
        let is_known = self.known.statics.contains(last) || self.known.constants.contains(last);
        let is_shouted = last.len() > 1
            && last.chars().all(|c| c.is_uppercase() || c.is_ascii_digit() || c == '_')
            && last.starts_with(char::is_uppercase);
        in_module && (is_known || is_shouted)
    }

    /// The value at a place: reads it if others can see it.
    pub(super) fn value_at(&mut self, spot: Spot, span: Span) -> ValueIndex {
        match spot {
            Spot::Value(value) => value,
            Spot::Place(place, is_dereferenced) => {
                if self.is_shared(&place) {
                    self.frame.body.step(span, StepKind::Read(place.clone()));
                }
                let value = self.make(span, ValueKind::Place(place));
                match is_dereferenced {
                    true => self.make(span, ValueKind::Dereference(value)),
                    false => value,
                }
            }
        }
    }

    /// Whether reads and writes of a place are steps: fields, statics, captured variables.
    fn is_shared(&self, place: &Place) -> bool {
        match &place.root {
            Root::Variable(variable) => {
                !place.fields.is_empty() || place.is_cut || self.frame.body.variables[variable.at()].captures.is_some()
            }
            Root::Global(path) => !path.last().is_some_and(|name| self.known.constants.contains(name)),
        }
    }

    /// `left = right`: the right side is evaluated first, then the place on the left.
    pub(super) fn assign(&mut self, left: &Expr, right: &Expr, span: Span) -> ValueIndex {
        let value = self.value(right);
        self.assign_value(left, value, span);
        self.unit(span)
    }

    fn assign_value(&mut self, left: &Expr, value: ValueIndex, span: Span) {
        match left {
            Expr::Paren(inner) => self.assign_value(&inner.expr, value, span),
            Expr::Infer(_) => self.discard(value, span),
            Expr::Tuple(tuple) => self.assign_components(tuple.elems.iter(), value, span),
            Expr::Array(array) => self.assign_components(array.elems.iter(), value, span),
            Expr::Call(call) => {
                let path = match &*call.func {
                    Expr::Path(path) => types::segments(&path.path),
                    _ => Vec::new(),
                };
                for (at, element) in call.args.iter().enumerate() {
                    let payload = ValueKind::Payload(value, path.clone(), at.to_string());
                    let payload = self.make(spans::expr(element), payload);
                    self.assign_value(element, payload, span);
                }
            }
            Expr::Struct(literal) => {
                let path = types::segments(&literal.path);
                for field in &literal.fields {
                    let payload = ValueKind::Payload(value, path.clone(), member(&field.member));
                    let payload = self.make(spans::expr(&field.expr), payload);
                    self.assign_value(&field.expr, payload, span);
                }
            }
            _ => {
                let spot = self.spot(left);
                self.write(spot, WriteKind::Assign, value, span);
            }
        }
    }

    fn assign_components<'e>(&mut self, elements: impl Iterator<Item = &'e Expr>, value: ValueIndex, span: Span) {
        for (at, element) in elements.enumerate() {
            if matches!(element, Expr::Range(range) if range.start.is_none() && range.end.is_none()) {
                // What follows `..` counts from the end of something of unknown length.
                return;
            }
            let component = self.make(spans::expr(element), ValueKind::Component(value, at as u32));
            self.assign_value(element, component, span);
        }
    }

    /// Puts a value into a place. The old value of a variable ends after the new one was made.
    fn write(&mut self, spot: Spot, kind: WriteKind, value: ValueIndex, span: Span) {
        self.consume(value);
        let (place, is_dereferenced) = match spot {
            Spot::Place(place, is_dereferenced) => (place, is_dereferenced),
            Spot::Value(target) => {
                self.frame.body.step(span, StepKind::Store(target, kind, value));
                return;
            }
        };
        if let (Some(variable), false) = (place.as_variable(), is_dereferenced) {
            if kind == WriteKind::Assign {
                self.frame.body.step(span, StepKind::Drop(vec![Owner::Variable(variable)], Ending::Reassigned));
            }
            self.frame.body.step(span, StepKind::Bind(variable, value));
        }
        if self.is_shared(&place) {
            self.frame.body.step(span, StepKind::Write(place, kind, Some(value)));
        } else if is_dereferenced {
            // What the variable refers to may be shared although the variable is not.
            let target = self.value_at(Spot::Place(place, true), span);
            self.frame.body.step(span, StepKind::Store(target, kind, value));
        }
    }

    /// `left += right`: on numbers, and that is nearly all there is, the right side is evaluated first.
    pub(super) fn assign_with(&mut self, left: &Expr, right: &Expr, span: Span) -> ValueIndex {
        let right = self.value(right);
        let spot = self.spot(left);
        let old = self.value_at(spot.clone(), spans::expr(left));
        let new = self.make(span, ValueKind::Operation(vec![old, right]));
        self.write(spot, WriteKind::Augment, new, span);
        self.unit(span)
    }
}

/// Whether an operator puts what it makes into its left operand: `+=`.
pub(super) fn is_compound(op: &BinOp) -> bool {
    matches!(
        op,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::BitXorAssign(_)
            | BinOp::BitAndAssign(_)
            | BinOp::BitOrAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}
