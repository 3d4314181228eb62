//! What is assigned to: names, attributes, elements, and tuples of them.

use super::expressions::Head;
use super::{Lowering, Named, literals, types};
use crate::flow::{
    Collection, FunctionIndex, Literal, MOST_FIELDS, Place, Static, StepKind, TypeTerm, ValueIndex, ValueKind, ValueOf,
    WriteKind,
};
use crate::syntax::python::tree::{Cursor, Field, Kind};
use crate::text::Span;

impl<'t> Lowering<'t> {
    /// `a = b = value`, `a: T = value`, `a: T`.
    pub(super) fn assignment(&mut self, node: Cursor<'t>) -> Option<ValueIndex> {
        // A chain is nested to the right without brackets: walk down it, then assign from left to right.
        let mut targets = Vec::new();
        let mut last = node;
        let mut right_side = None;
        let value = loop {
            let left = last.child(Field::Left);
            let annotation = last.child(Field::Type);
            targets.extend(left.map(|left| (left, annotation)));
            match last.child(Field::Right) {
                Some(right) if right.kind() == Kind::Assignment => last = right,
                Some(right) if right.kind() == Kind::AugmentedAssignment => {
                    self.augmented(right);
                    break None;
                }
                Some(right) => {
                    right_side = Some(right);
                    break Some(self.expression(right));
                }
                None => break None,
            }
        };
        for (target, annotation) in targets {
            let annotation = annotation.map(|term| types::term(self.node_text(term)));
            if let Some(annotation) = annotation {
                self.annotate(target, annotation, value);
            }
            if let Some(value) = value {
                self.store(target, value);
            }
            if let Some(right) = right_side.filter(|right| self.may_be_type(*right)) {
                self.note_alias(target, right);
            }
        }
        value
    }

    /// Whether a value is written as types with arguments, or several types of which one is meant, are.
    fn may_be_type(&self, value: Cursor<'t>) -> bool {
        match value.kind() {
            Kind::Subscript => true,
            Kind::BinaryOperator => matches!(types::term(self.node_text(value)), TypeTerm::Union(_)),
            _ => false,
        }
    }

    /// `SessionDep = Annotated[Session, Depends(get_session)]` at module level may stand in annotations.
    fn note_alias(&mut self, target: Cursor<'t>, right: Cursor<'t>) {
        let is_global = self.cx().index == FunctionIndex(0) && self.cx().classes.is_empty();
        if is_global && target.kind() == Kind::Identifier {
            let alias = types::term(self.node_text(right));
            self.static_of(self.node_text(target), target.span()).alias = Some(alias);
        }
    }

    /// `target: T` says the type of a variable, global or field.
    fn annotate(&mut self, target: Cursor<'t>, annotation: TypeTerm, value: Option<ValueIndex>) {
        let span = target.span();
        let text = self.node_text(target);
        match target.kind() {
            Kind::Identifier => {
                if let Some(class) = self.cx().classes.last().map(|class| class.class) {
                    self.note_field(class, text, true, (None, Some(annotation)), span);
                    return;
                }
                match self.resolve(text, span) {
                    Named::Local(variable) => {
                        let variable = &mut self.body().variables[variable.at()];
                        variable.annotated.extend(value.map(|value| (value, annotation.clone())));
                        if variable.annotation.is_none() {
                            variable.annotation = Some(annotation);
                        }
                    }
                    Named::Captured(_) => {}
                    Named::Place(_) if self.cx().index == FunctionIndex(0) => {
                        let known = &mut self.static_of(text, span).annotation;
                        if known.is_none() {
                            *known = Some(annotation);
                        }
                    }
                    Named::Place(_) => {}
                }
            }
            Kind::Attribute => self.note_attribute(target, (None, Some(annotation))),
            _ => {}
        }
    }

    /// `target op= value`: the target is read before the value is evaluated.
    pub(super) fn augmented(&mut self, node: Cursor<'t>) {
        let (Some(left), Some(right)) = (node.child(Field::Left), node.child(Field::Right)) else { return };
        let head = self.head(left);
        let place = self.place_of(&head);
        let old = self.materialise(head);
        let new = self.added(left, right);
        let value = self.value(node.span(), ValueKind::Operation(vec![old, new]));
        if let Some(place) = place {
            self.write(left, place, WriteKind::Augment, Some(value));
        }
    }

    /// The place that a target is, cut where it lies deeper than a place reaches.
    fn place_of(&mut self, head: &Head) -> Option<Place> {
        let mut at = match head {
            Head::Place(place, _) => return Some(place.clone()),
            Head::Value(value) => *value,
            Head::Super => return None,
        };
        let values = &self.body().values;
        while let ValueKind::Field(of, _) | ValueKind::Index(of) = values[at.at()].kind {
            at = of;
        }
        match &values[at.at()].kind {
            ValueKind::Place(place) if place.fields.len() == MOST_FIELDS => {
                Some(Place { is_cut: true, ..place.clone() })
            }
            _ => None,
        }
    }

    /// What an augmented assignment adds or else does: `x -= 1` adds -1.
    fn added(&mut self, left: Cursor<'t>, right: Cursor<'t>) -> ValueIndex {
        let operator = Span::new(left.span().end, right.span().start).text(self.text);
        match literals::integer(self.node_text(right)) {
            Literal::Int(by) if right.kind() == Kind::Integer && operator.trim() == "-=" => {
                self.value(right.span(), ValueKind::Literal(Literal::Int(-by)))
            }
            _ => self.expression(right),
        }
    }

    /// Gives a value to a target.
    pub(super) fn store(&mut self, target: Cursor<'t>, value: ValueIndex) {
        match target.kind() {
            Kind::Identifier => self.store_name(target, value),
            Kind::Attribute | Kind::Subscript => {
                let head = self.head(target);
                if let Some(place) = self.place_of(&head) {
                    self.write(target, place, WriteKind::Assign, Some(value));
                }
            }
            Kind::PatternList
            | Kind::TuplePattern
            | Kind::ListPattern
            | Kind::Tuple
            | Kind::List
            | Kind::ExpressionList => self.unpack(target, value),
            Kind::ListSplatPattern
            | Kind::ListSplat
            | Kind::AsPatternTarget
            | Kind::Parenthesized
            | Kind::AsPattern => {
                if let Some(inner) = target.first() {
                    self.store(inner, value);
                }
            }
            _ => {
                self.expression(target);
            }
        }
    }

    /// `a, *b, c = value`. Where the value is written as a tuple of as many items, each target gets its own.
    fn unpack(&mut self, target: Cursor<'t>, value: ValueIndex) {
        let targets: Vec<_> = target.children().collect();
        let is_star = |node: &Cursor<'t>| matches!(node.kind(), Kind::ListSplatPattern | Kind::ListSplat);
        let star = targets.iter().position(is_star);
        let items = match &self.body().values[value.at()].kind {
            ValueKind::Collection(Collection::Tuple | Collection::List, items)
                if items.len() == targets.len() && star.is_none() =>
            {
                Some(items.iter().map(|(_, item)| *item).collect::<Vec<_>>())
            }
            _ => None,
        };
        for (at, inner) in targets.into_iter().enumerate() {
            let part = match &items {
                Some(items) => items[at],
                None if star.is_some_and(|star| star <= at) => {
                    self.value(inner.span(), ValueKind::Operation(vec![value]))
                }
                None => self.value(inner.span(), ValueKind::Component(value, at as u32)),
            };
            self.store(inner, part);
        }
    }

    /// Gives a value to a name.
    pub(super) fn store_name(&mut self, node: Cursor<'t>, value: ValueIndex) {
        self.store_named(self.node_text(node), node.span(), value);
    }

    pub(super) fn store_named(&mut self, name: &'t str, span: Span, value: ValueIndex) {
        match self.resolve(name, span) {
            Named::Local(variable) => self.step(span, StepKind::Bind(variable, value)),
            Named::Captured(variable) => {
                self.step(span, StepKind::Write(Place::variable(variable), WriteKind::Assign, Some(value)));
            }
            Named::Place(place) => self.write_named(name, place, WriteKind::Assign, Some(value), span),
        }
    }

    /// Writes a place that a target names.
    fn write(&mut self, target: Cursor<'t>, place: Place, kind: WriteKind, value: Option<ValueIndex>) {
        let span = target.span();
        match target.kind() {
            Kind::Identifier => {
                let name = self.node_text(target);
                match (place.as_variable(), value) {
                    (Some(variable), Some(value)) if !self.is_shared(&place) => {
                        self.step(span, StepKind::Bind(variable, value));
                    }
                    (Some(_), _) => self.step(span, StepKind::Write(place, kind, value)),
                    (None, _) => self.write_named(name, place, kind, value, span),
                }
            }
            Kind::Attribute => {
                if let Some(value) = value {
                    self.note_attribute(target, (Some(value), None));
                }
                self.step(span, StepKind::Write(place, kind, value));
            }
            _ => self.step(span, StepKind::Write(place, kind, value)),
        }
    }

    /// Writes a global or an attribute of the class whose body this is.
    fn write_named(&mut self, name: &'t str, place: Place, kind: WriteKind, value: Option<ValueIndex>, span: Span) {
        if place.fields.is_empty() {
            let function = self.cx().index;
            let known = self.static_of(name, span);
            known.is_mutable |= !known.values.is_empty() || kind != WriteKind::Assign || function != FunctionIndex(0);
            known.values.extend(value.map(|value| ValueOf { function, value }));
        } else if let Some(class) = self.cx().classes.last().map(|class| class.class) {
            self.note_field(class, name, true, (value, None), span);
        }
        self.step(span, StepKind::Write(place, kind, value));
    }

    /// The module-level place of a name, made at its first mention.
    fn static_of(&mut self, name: &'t str, span: Span) -> &mut Static {
        let statics = &mut self.module.statics;
        let at = *self.statics.entry(name).or_insert_with(|| {
            statics.push(Static {
                name: name.to_owned(),
                scope: crate::flow::Scope::default(),
                annotation: None,
                alias: None,
                values: Vec::new(),
                is_mutable: false,
                span,
            });
            statics.len() - 1
        });
        &mut statics[at]
    }

    /// `self.x = …` in a method tells a field of its class.
    fn note_attribute(&mut self, target: Cursor<'t>, given: (Option<ValueIndex>, Option<TypeTerm>)) {
        let (Some(object), Some(name)) = (target.child(Field::Object), target.child(Field::Attribute)) else { return };
        let Some(receiver) = self.cx().receiver else { return };
        if object.kind() != Kind::Identifier {
            return;
        }
        if let Named::Local(variable) = self.resolve(self.node_text(object), object.span())
            && variable == receiver.variable
        {
            self.note_field(receiver.class, self.node_text(name), receiver.is_class, given, target.span());
        }
    }

    /// `del a, b.c, d[e]`.
    pub(super) fn delete(&mut self, node: Cursor<'t>) {
        let mut open: Vec<_> = node.children().collect();
        open.reverse();
        while let Some(target) = open.pop() {
            match target.kind() {
                Kind::ExpressionList | Kind::Tuple | Kind::List | Kind::Parenthesized => {
                    let from = open.len();
                    open.extend(target.children());
                    open[from..].reverse();
                }
                Kind::Identifier => {
                    let name = self.node_text(target);
                    let (place, _) = self.name_place(name, target.span());
                    if place.as_variable().is_some() {
                        self.step(target.span(), StepKind::Write(place, WriteKind::Delete, None));
                    } else {
                        self.write_named(name, place, WriteKind::Delete, None, target.span());
                    }
                }
                _ => {
                    let head = self.head(target);
                    if let Some(place) = self.place_of(&head) {
                        self.write(target, place, WriteKind::Delete, None);
                    }
                }
            }
        }
    }
}
