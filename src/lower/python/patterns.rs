//! `match`: which case is taken is not known; what its pattern binds is.

use super::Lowering;
use crate::flow::{Next, ValueIndex, ValueKind};
use crate::syntax::python::tree::{Cursor, Field, Kind};

impl<'t> Lowering<'t> {
    pub(super) fn match_cases(&mut self, node: Cursor<'t>) {
        let mut subjects: Vec<_> = node.all(Field::Subject).map(|subject| self.expression(subject)).collect();
        let subject = match subjects.pop() {
            Some(only) if subjects.is_empty() => only,
            Some(last) => {
                subjects.push(last);
                let items = subjects.into_iter().map(|value| (None, value)).collect();
                self.value(node.span(), ValueKind::Collection(crate::flow::Collection::Tuple, items))
            }
            None => self.value(node.span(), ValueKind::Unknown),
        };
        let join = self.body().block();
        let cases = node.child(Field::Body).into_iter().flat_map(Cursor::children);
        for case in cases.filter(|child| child.kind() == Kind::Case) {
            let patterns: Vec<_> = case.children().filter(|child| child.kind() == Kind::CasePattern).collect();
            let taken = self.body().block();
            let guard = case.child(Field::Guard).and_then(Cursor::first);
            let takes_all = guard.is_none() && matches!(patterns[..], [only] if self.takes_all(only));
            // What comes after a case that takes everything is not reached.
            let other = self.body().block();
            if takes_all {
                self.body().end(Next::Goto(taken));
            } else {
                self.body().end(Next::Branch(None, vec![taken, other]));
            }
            self.body().go_on_in(taken);
            match patterns[..] {
                [only] => self.pattern(only, subject),
                _ => {
                    for (at, pattern) in patterns.iter().enumerate() {
                        let part = self.value(pattern.span(), ValueKind::Component(subject, at as u32));
                        self.pattern(*pattern, part);
                    }
                }
            }
            if let Some(guard) = guard {
                let then = self.body().block();
                self.condition(guard, then, other);
                self.body().go_on_in(then);
            }
            if let Some(body) = case.child(Field::Consequence) {
                self.statements(body);
            }
            self.body().end(Next::Goto(join));
            self.body().go_on_in(other);
        }
        self.body().jump_into(join);
    }

    /// Whether a pattern is `_` or a bare name.
    fn takes_all(&self, pattern: Cursor<'t>) -> bool {
        let text = self.node_text(pattern);
        let is_literal = matches!(text, "None" | "True" | "False");
        !is_literal && !text.is_empty() && text.chars().all(|c| c == '_' || c.is_alphanumeric()) && !starts_digit(text)
    }

    /// Binds what a pattern captures from a value.
    fn pattern(&mut self, node: Cursor<'t>, value: ValueIndex) {
        match node.kind() {
            Kind::CasePattern => {
                if let Some(inner) = node.first() {
                    self.pattern(inner, value);
                }
            }
            Kind::DottedName => {
                let names: Vec<_> = node.children().collect();
                match names[..] {
                    [name] if self.node_text(name) != "_" => self.store_name(name, value),
                    [first, ..] => self.constant(first, &names[1..], node),
                    [] => {}
                }
            }
            Kind::AsPattern => {
                for child in node.children() {
                    if child.kind() == Kind::Identifier {
                        self.store_name(child, value);
                    } else {
                        self.pattern(child, value);
                    }
                }
            }
            Kind::ClassPattern => self.class_pattern(node, value),
            Kind::ListPattern | Kind::TuplePattern => {
                let is_group = node.kind() == Kind::TuplePattern && !self.node_text(node).contains(',');
                let mut is_after_star = false;
                for (at, child) in node.children().enumerate() {
                    let is_star = holds(child, Kind::SplatPattern);
                    is_after_star |= is_star;
                    let part = match (is_group, is_after_star) {
                        (true, _) => value,
                        (false, false) => self.value(child.span(), ValueKind::Component(value, at as u32)),
                        (false, true) => self.value(child.span(), ValueKind::Operation(vec![value])),
                    };
                    self.pattern(child, part);
                }
            }
            Kind::DictPattern => {
                for child in node.children() {
                    if child.field() == Field::Key {
                        continue;
                    }
                    let kind = if holds(child, Kind::SplatPattern) {
                        ValueKind::Operation(vec![value])
                    } else {
                        ValueKind::Index(value)
                    };
                    let part = self.value(child.span(), kind);
                    self.pattern(child, part);
                }
            }
            Kind::SplatPattern => {
                if let Some(name) = node.child_of(Kind::Identifier) {
                    self.store_name(name, value);
                }
            }
            Kind::UnionPattern => {
                for child in node.children() {
                    self.pattern(child, value);
                }
            }
            _ => {}
        }
    }

    /// `case Colour.RED`: the constant is read.
    fn constant(&mut self, first: Cursor<'t>, rest: &[Cursor<'t>], node: Cursor<'t>) {
        let (mut place, _) = self.name_place(self.node_text(first), first.span());
        for name in rest {
            place = place.then(crate::flow::Field::Name(self.node_text(*name).to_owned()));
        }
        if !rest.is_empty() {
            self.materialise(super::expressions::Head::Place(place, node.span()));
        }
    }

    /// `case Point(x, y=0)`.
    fn class_pattern(&mut self, node: Cursor<'t>, value: ValueIndex) {
        let Some(class) = node.child_of(Kind::DottedName) else { return };
        let path: Vec<String> = class.children().map(|name| self.node_text(name).to_owned()).collect();
        let inner = node.children().filter(|child| child.kind() == Kind::CasePattern);
        for (at, pattern) in inner.enumerate() {
            let keyword = pattern.first().filter(|first| first.kind() == Kind::KeywordPattern);
            if let Some(keyword) = keyword {
                let mut parts = keyword.children();
                let name = parts.next().map_or("", |name| self.node_text(name)).to_owned();
                let part = self.value(keyword.span(), ValueKind::Payload(value, path.clone(), name));
                for inner in parts {
                    self.pattern(inner, part);
                }
            } else {
                let part = self.value(pattern.span(), ValueKind::Payload(value, path.clone(), at.to_string()));
                self.pattern(pattern, part);
            }
        }
    }
}

fn starts_digit(text: &str) -> bool {
    text.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

fn holds(node: Cursor<'_>, kind: Kind) -> bool {
    node.kind() == kind || node.kind() == Kind::CasePattern && node.first().is_some_and(|inner| inner.kind() == kind)
}
