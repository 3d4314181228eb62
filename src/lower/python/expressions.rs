//! Expressions, in order of evaluation.
//!
//! What leans to the left without brackets (`a + b + …`, `a.b().c()…`, `a or b or …`) is walked in a loop; what nests
//! in any other way is bounded by the nesting scan and by [`DEEPEST`].

use super::{DEEPEST, Lowering, literals};
use crate::flow::{
    Argument, BlockIndex, Call, Callee, Collection, Comparison, Field as PlaceField, Literal, MOST_FIELDS, Next, Place,
    Root, StepKind, Suspension, ValueIndex, ValueKind,
};
use crate::syntax::python::tree::{Cursor, Field, Kind};
use crate::text::Span;

/// An expression that was walked but, if it is a place, not yet read.
pub(super) enum Head {
    /// A place and where it is written.
    Place(Place, Span),
    /// A value.
    Value(ValueIndex),
    /// `super()`.
    Super,
}

impl<'t> Lowering<'t> {
    /// Evaluates an expression.
    pub(super) fn expression(&mut self, node: Cursor<'t>) -> ValueIndex {
        if self.depth >= DEEPEST {
            self.cx().is_damaged = true;
            return self.value(node.span(), ValueKind::Unknown);
        }
        self.depth += 1;
        let value = match node.kind() {
            Kind::Identifier | Kind::Attribute | Kind::Subscript | Kind::Call => {
                let head = self.head(node);
                self.materialise(head)
            }
            Kind::String | Kind::ConcatenatedString => self.string(node),
            Kind::Parenthesized => self.only_child(node),
            Kind::BinaryOperator => self.binary(node),
            Kind::BooleanOperator => self.boolean(node),
            Kind::Await => self.awaiting(node),
            Kind::Conditional => self.conditional(node),
            Kind::Comparison => {
                let value = self.operation(node);
                let asked = self.comparison(node);
                self.body().comparisons.extend(asked.map(|asked| (value, asked)));
                value
            }
            Kind::Not | Kind::UnaryOperator => self.operation(node),
            Kind::NamedExpression => self.walrus(node),
            Kind::Yield => self.yielding(node),
            Kind::Lambda => {
                let kind = self.lambda(node);
                self.value(node.span(), kind)
            }
            Kind::Tuple | Kind::ExpressionList | Kind::PatternList => self.collection(node, Collection::Tuple),
            Kind::List | Kind::ListPattern => self.collection(node, Collection::List),
            Kind::Set => self.collection(node, Collection::Set),
            Kind::Dictionary => self.collection(node, Collection::Mapping),
            Kind::ListComprehension => self.comprehension(node, Collection::List),
            Kind::SetComprehension => self.comprehension(node, Collection::Set),
            Kind::DictionaryComprehension => self.comprehension(node, Collection::Mapping),
            Kind::GeneratorExpression => {
                let kind = self.generator(node);
                self.value(node.span(), kind)
            }
            Kind::ListSplat | Kind::ListSplatPattern | Kind::DictionarySplat => self.operation(node),
            Kind::Slice | Kind::Type | Kind::AsPattern | Kind::Error => self.operation(node),
            Kind::Assignment => self.assignment(node).unwrap_or_else(|| self.value(node.span(), ValueKind::Unknown)),
            _ => {
                let kind = self.literal(node);
                self.value(node.span(), kind)
            }
        };
        self.depth -= 1;
        value
    }

    fn literal(&self, node: Cursor<'t>) -> ValueKind {
        ValueKind::Literal(match node.kind() {
            Kind::None => Literal::None,
            Kind::True => Literal::Bool(true),
            Kind::False => Literal::Bool(false),
            Kind::Integer => literals::integer(self.node_text(node)),
            Kind::Float | Kind::Ellipsis => Literal::Other,
            _ => return ValueKind::Unknown,
        })
    }

    fn only_child(&mut self, node: Cursor<'t>) -> ValueIndex {
        match node.first() {
            Some(inner) => self.expression(inner),
            None => self.value(node.span(), ValueKind::Unknown),
        }
    }

    /// Walks names, attributes, elements and calls from the left, without reading the last place.
    pub(super) fn head(&mut self, node: Cursor<'t>) -> Head {
        let mut spine = Vec::new();
        let mut base = node;
        loop {
            let inner = match base.kind() {
                Kind::Attribute => base.child(Field::Object),
                Kind::Subscript => base.child(Field::Value),
                Kind::Call => base.child(Field::Function),
                Kind::Parenthesized if base.first().is_some_and(|inner| is_spine(inner.kind())) => base.first(),
                _ => break,
            };
            if base.kind() != Kind::Parenthesized {
                spine.push(base);
            }
            match inner {
                Some(inner) => base = inner,
                None => return Head::Value(self.value(node.span(), ValueKind::Unknown)),
            }
        }
        let mut head = if base.kind() == Kind::Identifier {
            let (place, _) = self.name_place(self.node_text(base), base.span());
            Head::Place(place, base.span())
        } else {
            Head::Value(self.expression(base))
        };
        while let Some(outer) = spine.pop() {
            head = match outer.kind() {
                Kind::Attribute => {
                    let name = self.child_text(outer, Field::Attribute);
                    match spine.last() {
                        Some(&call) if call.kind() == Kind::Call => {
                            spine.pop();
                            self.method(head, name, call)
                        }
                        Some(_) | None => self.attribute(head, name, outer.span()),
                    }
                }
                Kind::Subscript => self.element(head, outer),
                _ => self.call(head, outer),
            };
        }
        head
    }

    /// The value of what was walked: a place is read now.
    pub(super) fn materialise(&mut self, head: Head) -> ValueIndex {
        match head {
            Head::Value(value) => value,
            Head::Super => self.value(Span::new(0, 0), ValueKind::Unknown),
            Head::Place(place, span) => {
                let read = self.is_shared(&place).then(|| place.clone());
                let value = self.value(span, ValueKind::Place(place));
                if let Some(place) = read {
                    self.step(span, StepKind::Read(place));
                }
                value
            }
        }
    }

    fn attribute(&mut self, head: Head, name: &'t str, span: Span) -> Head {
        match head {
            // What lies deeper than a place reaches keeps its name.
            Head::Place(ref place, _) if place.fields.len() == MOST_FIELDS => {
                let of = self.materialise(head);
                Head::Value(self.value(span, ValueKind::Field(of, name.to_owned())))
            }
            Head::Place(place, _) => Head::Place(place.then(PlaceField::Name(name.to_owned())), span),
            Head::Value(of) => Head::Value(self.value(span, ValueKind::Field(of, name.to_owned()))),
            Head::Super => Head::Value(self.value(span, ValueKind::Unknown)),
        }
    }

    fn element(&mut self, head: Head, node: Cursor<'t>) -> Head {
        for index in node.all(Field::Subscript) {
            self.expression(index);
        }
        match head {
            Head::Place(place, _) => Head::Place(place.then(PlaceField::Index), node.span()),
            Head::Value(of) => Head::Value(self.value(node.span(), ValueKind::Index(of))),
            Head::Super => Head::Value(self.value(node.span(), ValueKind::Unknown)),
        }
    }

    fn call(&mut self, head: Head, node: Cursor<'t>) -> Head {
        let callee = match head {
            Head::Place(place, span) if place.fields.is_empty() && !place.is_cut => match place.root {
                Root::Global(path) => Callee::Path(path),
                Root::Variable(_) => Callee::Value(self.value(span, ValueKind::Place(place))),
            },
            head => Callee::Value(self.materialise(head)),
        };
        let arguments = self.arguments(node);
        if matches!(&callee, Callee::Path(path) if path.len() == 1 && path[0] == "super") {
            return Head::Super;
        }
        Head::Value(self.add_call(node.span(), callee, arguments))
    }

    fn method(&mut self, head: Head, name: &'t str, node: Cursor<'t>) -> Head {
        let callee = match head {
            Head::Super => Callee::Super(name.to_owned()),
            head => Callee::Method(self.materialise(head), name.to_owned()),
        };
        let arguments = self.arguments(node);
        Head::Value(self.add_call(node.span(), callee, arguments))
    }

    pub(super) fn add_call(&mut self, span: Span, callee: Callee, arguments: Vec<Argument>) -> ValueIndex {
        let call = Call { callee, generics: Vec::new(), arguments };
        self.value_with_step(span, ValueKind::Call(Box::new(call)), StepKind::Call)
    }

    fn arguments(&mut self, call: Cursor<'t>) -> Vec<Argument> {
        let Some(list) = call.child(Field::Arguments) else { return Vec::new() };
        if list.kind() == Kind::GeneratorExpression {
            let value = self.comprehension(list, Collection::List);
            return vec![Argument { name: None, value, is_spread: false }];
        }
        let is_only = list.children().nth(1).is_none();
        let mut arguments = Vec::new();
        for node in list.children() {
            let argument = match node.kind() {
                Kind::KeywordArgument => {
                    let name = self.child_text(node, Field::Name).to_owned();
                    let value = match node.child(Field::Value) {
                        Some(value) => self.expression(value),
                        None => self.value(node.span(), ValueKind::Unknown),
                    };
                    Argument { name: Some(name), value, is_spread: false }
                }
                Kind::ListSplat | Kind::ListSplatPattern | Kind::DictionarySplat => {
                    let value = match node.first() {
                        Some(inner) if inner.kind() == Kind::GeneratorExpression => {
                            self.comprehension(inner, Collection::List)
                        }
                        Some(inner) => self.expression(inner),
                        None => self.value(node.span(), ValueKind::Unknown),
                    };
                    Argument { name: None, value, is_spread: true }
                }
                Kind::GeneratorExpression if is_only => {
                    let value = self.comprehension(node, Collection::List);
                    Argument { name: None, value, is_spread: false }
                }
                Kind::Parenthesized if node.first().is_some_and(|inner| inner.kind() == Kind::ListSplat) => {
                    Argument { name: None, value: self.expression(node), is_spread: true }
                }
                _ => Argument { name: None, value: self.expression(node), is_spread: false },
            };
            arguments.push(argument);
        }
        arguments
    }

    /// `a + b * c`: one operation over the left-leaning chain's operands.
    fn binary(&mut self, node: Cursor<'t>) -> ValueIndex {
        let mut rights = Vec::new();
        let mut first = node;
        while first.kind() == Kind::BinaryOperator {
            rights.extend(first.child(Field::Right));
            match first.child(Field::Left) {
                Some(left) => first = left,
                None => break,
            }
        }
        let mut operands = Vec::with_capacity(rights.len() + 1);
        if first.kind() != Kind::BinaryOperator {
            operands.push(self.expression(first));
        }
        for right in rights.into_iter().rev() {
            operands.push(self.expression(right));
        }
        self.value(node.span(), ValueKind::Operation(operands))
    }

    /// An operator over all children.
    fn operation(&mut self, node: Cursor<'t>) -> ValueIndex {
        let mut operands = Vec::new();
        for child in node.children() {
            operands.push(self.expression(child));
        }
        self.value(node.span(), ValueKind::Operation(operands))
    }

    /// The operands of `a and b and c`, and whether it is `and`.
    fn operands(&self, node: Cursor<'t>) -> (Vec<Cursor<'t>>, bool) {
        let is_and = |node: Cursor<'t>| {
            let (left, right) = (node.child(Field::Left), node.child(Field::Right));
            let (Some(left), Some(right)) = (left, right) else { return false };
            Span::new(left.span().end, right.span().start).text(self.text).contains("and")
        };
        let wanted = is_and(node);
        let mut operands = Vec::new();
        let mut first = node;
        while first.kind() == Kind::BooleanOperator && is_and(first) == wanted {
            operands.extend(first.child(Field::Right));
            match first.child(Field::Left) {
                Some(left) => first = left,
                None => break,
            }
        }
        operands.push(first);
        operands.reverse();
        (operands, wanted)
    }

    /// `a or b` as a value: the operands after the first are evaluated only if it comes to them.
    fn boolean(&mut self, node: Cursor<'t>) -> ValueIndex {
        let (operands, is_and) = self.operands(node);
        let join = self.body().block();
        let last = operands.len() - 1;
        let mut values = Vec::with_capacity(operands.len());
        for (at, operand) in operands.into_iter().enumerate() {
            let value = self.expression(operand);
            values.push(value);
            if at == last {
                self.body().jump_into(join);
            } else {
                let more = self.body().block();
                let next = if is_and { vec![more, join] } else { vec![join, more] };
                self.body().end(Next::Branch(Some(value), next));
                self.body().go_on_in(more);
            }
        }
        self.value(node.span(), ValueKind::Choice(values))
    }

    /// Evaluates a condition and goes to one of two blocks.
    pub(super) fn condition(&mut self, node: Cursor<'t>, then: BlockIndex, otherwise: BlockIndex) {
        if self.depth >= DEEPEST {
            let value = self.expression(node);
            self.body().end(Next::Branch(Some(value), vec![then, otherwise]));
            return;
        }
        self.depth += 1;
        match (node.kind(), node.first()) {
            (Kind::Parenthesized, Some(inner)) => self.condition(inner, then, otherwise),
            (Kind::Not, Some(inner)) => self.condition(inner, otherwise, then),
            (Kind::Comparison, _) => {
                let value = self.operation(node);
                // What is denied is `==`, `is` or `in`, the other way round.
                let (asked, targets) = match self.comparison(node) {
                    Some(Comparison::Unequal) => (Some(Comparison::Equal), [otherwise, then]),
                    Some(Comparison::Without) => (Some(Comparison::Within), [otherwise, then]),
                    asked => (asked, [then, otherwise]),
                };
                self.body().comparisons.extend(asked.map(|asked| (value, asked)));
                self.body().end(Next::Branch(Some(value), targets.to_vec()));
            }
            (Kind::BooleanOperator, _) => {
                let (operands, is_and) = self.operands(node);
                let last = operands.len() - 1;
                for (at, operand) in operands.into_iter().enumerate() {
                    if at == last {
                        self.condition(operand, then, otherwise);
                        break;
                    }
                    let more = self.body().block();
                    if is_and {
                        self.condition(operand, more, otherwise);
                    } else {
                        self.condition(operand, then, more);
                    }
                    self.body().go_on_in(more);
                }
            }
            _ => {
                let value = self.expression(node);
                self.body().end(Next::Branch(Some(value), vec![then, otherwise]));
            }
        }
        self.depth -= 1;
    }

    /// What a comparison of two asks, if that is not which is the greater.
    fn comparison(&self, node: Cursor<'t>) -> Option<Comparison> {
        let mut parts = node.children();
        let (Some(first), Some(second), None) = (parts.next(), parts.next(), parts.next()) else { return None };
        let between = Span::new(first.span().end, second.span().start).text(self.text);
        let code = between.lines().map(|line| line.split_once('#').map_or(line, |(code, _)| code));
        let words = code.flat_map(|line| line.split(|at: char| at.is_whitespace() || matches!(at, '(' | ')' | '\\')));
        match words.filter(|word| !word.is_empty()).collect::<Vec<_>>()[..] {
            ["==" | "is"] => Some(Comparison::Equal),
            ["!="] | ["is", "not"] => Some(Comparison::Unequal),
            ["in"] => Some(Comparison::Within),
            ["not", "in"] => Some(Comparison::Without),
            _ => None,
        }
    }

    /// `a if condition else b`.
    fn conditional(&mut self, node: Cursor<'t>) -> ValueIndex {
        let mut parts = node.children();
        let (Some(yes), Some(condition), Some(no)) = (parts.next(), parts.next(), parts.next()) else {
            return self.operation(node);
        };
        let (then, otherwise, join) = (self.body().block(), self.body().block(), self.body().block());
        self.condition(condition, then, otherwise);
        self.body().go_on_in(then);
        let yes = self.expression(yes);
        self.body().end(Next::Goto(join));
        self.body().go_on_in(otherwise);
        let no = self.expression(no);
        self.body().jump_into(join);
        self.value(node.span(), ValueKind::Choice(vec![yes, no]))
    }

    fn awaiting(&mut self, node: Cursor<'t>) -> ValueIndex {
        let value = self.only_child(node);
        self.cx().awaits = true;
        self.step(node.span(), StepKind::Suspend(Suspension::Await, Some(value)));
        self.value(node.span(), ValueKind::Awaited(value))
    }

    fn yielding(&mut self, node: Cursor<'t>) -> ValueIndex {
        let value = node.first().map(|inner| self.expression(inner));
        self.cx().yields = true;
        self.step(node.span(), StepKind::Suspend(Suspension::Yield, value));
        self.value(node.span(), ValueKind::Received)
    }

    fn walrus(&mut self, node: Cursor<'t>) -> ValueIndex {
        let (Some(name), Some(value)) = (node.child(Field::Name), node.child(Field::Value)) else {
            return self.operation(node);
        };
        let value = self.expression(value);
        // It binds in the function around a comprehension, whose own variables it cannot be.
        let overlays = std::mem::take(&mut self.cx().overlays);
        self.store_name(name, value);
        self.cx().overlays = overlays;
        value
    }

    fn collection(&mut self, node: Cursor<'t>, collection: Collection) -> ValueIndex {
        let mut items = Vec::new();
        for child in node.children() {
            let value = match child.kind() {
                Kind::Pair => {
                    if let Some(key) = child.child(Field::Key) {
                        self.expression(key);
                    }
                    child.child(Field::Value).map(|value| self.expression(value))
                }
                Kind::Error if child.first().is_none() => None,
                _ => Some(self.expression(child)),
            };
            items.extend(value.map(|value| (None, value)));
        }
        self.value(node.span(), ValueKind::Collection(collection, items))
    }

    /// A string; a format string evaluates what stands in its braces.
    fn string(&mut self, node: Cursor<'t>) -> ValueIndex {
        let mut values = Vec::new();
        let mut is_format = false;
        let strings = if node.kind() == Kind::String { vec![node] } else { node.children().collect() };
        for part in strings.into_iter().flat_map(Cursor::children) {
            if matches!(part.kind(), Kind::Interpolation | Kind::FormatExpression) {
                is_format = true;
                self.interpolation(part, &mut values);
            }
        }
        let kind = if is_format {
            ValueKind::Operation(values)
        } else {
            ValueKind::Literal(literals::string(node, self.text))
        };
        self.value(node.span(), kind)
    }

    fn interpolation(&mut self, node: Cursor<'t>, values: &mut Vec<ValueIndex>) {
        for child in node.children() {
            match child.kind() {
                Kind::FormatSpecifier => {
                    for inner in child.children().filter(|inner| inner.kind() == Kind::FormatExpression) {
                        self.interpolation(inner, values);
                    }
                }
                Kind::Other | Kind::Error => {}
                _ => values.push(self.expression(child)),
            }
        }
    }
}

fn is_spine(kind: Kind) -> bool {
    matches!(kind, Kind::Identifier | Kind::Attribute | Kind::Subscript | Kind::Call | Kind::Parenthesized)
}
