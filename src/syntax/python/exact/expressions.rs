//! Expressions.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{
    ArgOrKeyword, Arguments, Comprehension, Expr, ExprContext, ExprFString, ExprSubscript, ExprTString, FStringPart,
    InterpolatedStringElement, Number, Parameters, UnaryOp,
};
use ruff_text_size::{Ranged, TextRange};

use super::{Builder, DEEPEST, Parentheses, end, span, start};
use crate::syntax::python::tree::{Field, Kind};
use crate::text::Span;

/// Something whose left side comes first: it is finished when that has been read.
pub(super) struct Outer<'a> {
    node: u32,
    expression: &'a Expr,
    around: Parentheses,
}

impl<'a> Builder<'a> {
    /// An expression with the parentheses around it.
    pub(super) fn expression(&mut self, expression: &'a Expr, mut field: Field) {
        if self.depth > DEEPEST {
            self.is_too_deep = true;
            return;
        }
        self.depth += 1;
        // What leans to the left may be long, so it is no recursion.
        let base = self.spine.len();
        let mut inner = expression;
        loop {
            let around = self.parentheses(inner, &mut field);
            let (kind, left, next) = match inner {
                Expr::BinOp(binary) => (Kind::BinaryOperator, &*binary.left, Field::Left),
                Expr::Attribute(attribute) => (Kind::Attribute, &*attribute.value, Field::Object),
                Expr::Call(call) => (Kind::Call, &*call.func, Field::Function),
                Expr::Subscript(subscript) => (Kind::Subscript, &*subscript.value, Field::Value),
                _ => {
                    self.bare(inner, field);
                    self.end_parentheses(around);
                    break;
                }
            };
            let node = self.open(kind, field, start(inner));
            self.spine.push(Outer { node, expression: inner, around });
            (inner, field) = (left, next);
        }
        while self.spine.len() > base {
            let Some(Outer { node, expression, around }) = self.spine.pop() else { break };
            self.right_side(expression);
            self.close(node, end(expression));
            self.end_parentheses(around);
        }
        self.depth -= 1;
    }

    fn right_side(&mut self, expression: &'a Expr) {
        match expression {
            Expr::BinOp(binary) => self.expression(&binary.right, Field::Right),
            Expr::Attribute(attribute) => self.leaf(Kind::Identifier, Field::Attribute, span(attribute.attr.range)),
            Expr::Call(call) => self.arguments(&call.arguments, Field::Arguments),
            Expr::Subscript(subscript) => self.subscripts(subscript),
            _ => {}
        }
    }

    /// An expression whose parentheses have been read, and that does not lean to the left.
    fn bare(&mut self, expression: &'a Expr, field: Field) {
        let whole = span(expression.range());
        match expression {
            Expr::Name(_) => self.leaf(Kind::Identifier, field, whole),
            Expr::NumberLiteral(number) => {
                self.leaf(kind_of_number(&number.value, whole.text(self.text)), field, whole)
            }
            Expr::BooleanLiteral(literal) => {
                self.leaf(if literal.value { Kind::True } else { Kind::False }, field, whole);
            }
            Expr::NoneLiteral(_) => self.leaf(Kind::None, field, whole),
            Expr::EllipsisLiteral(_) => self.leaf(Kind::Ellipsis, field, whole),
            Expr::StringLiteral(string) => {
                self.strings(string.value.iter().map(|part| (part.range, part.content_range())), field, whole);
            }
            Expr::BytesLiteral(bytes) => {
                self.strings(bytes.value.iter().map(|part| (part.range, part.content_range())), field, whole);
            }
            Expr::FString(string) => self.format_string(string, field),
            Expr::TString(string) => self.template(string, field),
            Expr::BoolOp(boolean) => self.boolean(&boolean.values, field, whole.start),
            Expr::Compare(compare) => self.node(Kind::Comparison, field, whole, |this| {
                this.expression(&compare.left, Field::None);
                this.all(&compare.comparators);
            }),
            Expr::UnaryOp(unary) => {
                let kind = if unary.op == UnaryOp::Not { Kind::Not } else { Kind::UnaryOperator };
                self.node(kind, field, whole, |this| this.expression(&unary.operand, Field::Argument));
            }
            Expr::Named(named) => self.node(Kind::NamedExpression, field, whole, |this| {
                this.expression(&named.target, Field::Name);
                this.expression(&named.value, Field::Value);
            }),
            Expr::Lambda(lambda) => self.node(Kind::Lambda, field, whole, |this| {
                if let Some(parameters) = &lambda.parameters {
                    this.lambda_parameters(parameters);
                }
                this.expression(&lambda.body, Field::Body);
            }),
            Expr::If(conditional) => self.node(Kind::Conditional, field, whole, |this| {
                this.expression(&conditional.body, Field::None);
                this.expression(&conditional.test, Field::None);
                this.expression(&conditional.orelse, Field::None);
            }),
            Expr::Await(awaited) => {
                self.node(Kind::Await, field, whole, |this| this.expression(&awaited.value, Field::None));
            }
            Expr::Yield(yielded) => self.node(Kind::Yield, field, whole, |this| {
                if let Some(value) = &yielded.value {
                    this.expression(value, Field::None);
                }
            }),
            Expr::YieldFrom(yielded) => {
                self.node(Kind::Yield, field, whole, |this| this.expression(&yielded.value, Field::None));
            }
            Expr::Starred(starred) => {
                let is_target = starred.ctx == ExprContext::Store;
                let kind = if is_target { Kind::ListSplatPattern } else { Kind::ListSplat };
                self.node(kind, field, whole, |this| this.expression(&starred.value, Field::None));
            }
            Expr::List(list) => {
                let is_target = list.ctx == ExprContext::Store;
                let kind = if is_target { Kind::ListPattern } else { Kind::List };
                self.node(kind, field, whole, |this| this.all(&list.elts));
            }
            Expr::Tuple(tuple) => {
                let kind = match (tuple.ctx == ExprContext::Store, tuple.parenthesized) {
                    (true, true) => Kind::TuplePattern,
                    (true, false) => Kind::PatternList,
                    (false, true) => Kind::Tuple,
                    (false, false) => Kind::ExpressionList,
                };
                let inside = if tuple.parenthesized { whole.start + 1 } else { whole.start };
                self.node(kind, field, whole, |this| {
                    this.floor = inside;
                    this.all(&tuple.elts);
                });
            }
            Expr::Set(set) => self.node(Kind::Set, field, whole, |this| this.all(&set.elts)),
            Expr::Dict(dict) => self.node(Kind::Dictionary, field, whole, |this| {
                for item in &dict.items {
                    this.item(item.key.as_ref(), &item.value, Field::None);
                }
            }),
            Expr::ListComp(list) => self.node(Kind::ListComprehension, field, whole, |this| {
                this.expression(&list.elt, Field::Body);
                this.clauses(&list.generators);
            }),
            Expr::SetComp(set) => self.node(Kind::SetComprehension, field, whole, |this| {
                this.expression(&set.elt, Field::Body);
                this.clauses(&set.generators);
            }),
            Expr::DictComp(dict) => self.node(Kind::DictionaryComprehension, field, whole, |this| {
                this.item(dict.key.as_deref(), &dict.value, Field::Body);
                this.clauses(&dict.generators);
            }),
            Expr::Generator(generator) => self.node(Kind::GeneratorExpression, field, whole, |this| {
                if generator.parenthesized {
                    this.floor = whole.start + 1;
                }
                this.expression(&generator.elt, Field::Body);
                this.clauses(&generator.generators);
            }),
            Expr::Slice(slice) => self.node(Kind::Slice, field, whole, |this| {
                for part in [&slice.lower, &slice.upper, &slice.step].into_iter().flatten() {
                    this.expression(part, Field::None);
                }
            }),
            // Read by the caller, or no part of a module.
            Expr::BinOp(_) | Expr::Attribute(_) | Expr::Call(_) | Expr::Subscript(_) | Expr::IpyEscapeCommand(_) => {
                self.leaf(Kind::Other, field, whole);
            }
        }
    }

    /// A node around what ends with a block, which may end behind its last statement.
    pub(super) fn compound(&mut self, kind: Kind, field: Field, from: u32, inside: impl FnOnce(&mut Self)) {
        let at = self.open(kind, field, from);
        inside(self);
        self.close(at, self.end);
    }

    /// A node around what a function reads.
    pub(super) fn node(&mut self, kind: Kind, field: Field, whole: Span, inside: impl FnOnce(&mut Self)) {
        let at = self.open(kind, field, whole.start);
        inside(self);
        self.close(at, whole.end);
    }

    /// Expressions side by side.
    pub(super) fn all(&mut self, expressions: &'a [Expr]) {
        for expression in expressions {
            self.expression(expression, Field::None);
        }
    }

    /// An expression, or those of a tuple without parentheses, each with the field.
    pub(super) fn each(&mut self, expression: &'a Expr, field: Field) {
        match expression {
            Expr::Tuple(tuple) if !tuple.parenthesized => {
                for inner in &tuple.elts {
                    self.expression(inner, field);
                }
            }
            _ => self.expression(expression, field),
        }
    }

    /// `a or b or c`, which leans to the left as the grammar reads it.
    fn boolean(&mut self, values: &'a [Expr], field: Field, from: u32) {
        let Some((first, others)) = values.split_first() else { return };
        let outermost = self.tree.nodes.len() as u32;
        let count = others.len() as u32;
        for at in 0..count {
            self.open(Kind::BooleanOperator, if at == 0 { field } else { Field::Left }, from);
        }
        self.expression(first, Field::Left);
        for (at, value) in others.iter().enumerate() {
            self.expression(value, Field::Right);
            self.close(outermost + count - 1 - at as u32, self.end);
        }
    }

    fn subscripts(&mut self, subscript: &'a ExprSubscript) {
        self.each(&subscript.slice, Field::Subscript);
    }

    /// `key: value` or `**value`.
    fn item(&mut self, key: Option<&'a Expr>, value: &'a Expr, field: Field) {
        let from = self.outer_start(key.unwrap_or(value));
        let at = match key {
            Some(key) => {
                let at = self.open(Kind::Pair, field, from);
                self.expression(key, Field::Key);
                self.expression(value, Field::Value);
                at
            }
            None => {
                let from = self.keyword_before(from, TokenKind::DoubleStar);
                let at = self.open(Kind::DictionarySplat, field, from);
                self.expression(value, Field::None);
                at
            }
        };
        self.close(at, self.end);
    }

    /// The `for` and `if` clauses of a comprehension.
    fn clauses(&mut self, clauses: &'a [Comprehension]) {
        for clause in clauses {
            let at = self.open(Kind::ForIn, Field::None, start(clause));
            if clause.is_async {
                self.keyword_async(start(clause));
            }
            self.expression(&clause.target, Field::Left);
            self.each(&clause.iter, Field::Right);
            self.close(at, self.end);
            for condition in &clause.ifs {
                let from = self.outer_start(condition);
                let from = self.keyword_before(from, TokenKind::If);
                let at = self.open(Kind::IfClause, Field::None, from);
                self.expression(condition, Field::None);
                self.close(at, self.end);
            }
        }
    }

    pub(super) fn keyword_async(&mut self, at: u32) {
        self.leaf(Kind::Async, Field::None, Span::new(at, at + "async".len() as u32));
    }

    /// `(a, b=c, *d, **e)`; a generator without parentheses of its own takes those of the call.
    pub(super) fn arguments(&mut self, arguments: &'a Arguments, field: Field) {
        let whole = span(arguments.range);
        self.floor = whole.start + 1;
        if let ([Expr::Generator(generator)], []) = (&*arguments.args, &*arguments.keywords)
            && !generator.parenthesized
        {
            self.node(Kind::GeneratorExpression, field, whole, |this| {
                this.expression(&generator.elt, Field::Body);
                this.clauses(&generator.generators);
            });
        } else {
            self.node(Kind::ArgumentList, field, whole, |this| {
                for argument in arguments.iter_source_order() {
                    match argument {
                        ArgOrKeyword::Arg(value) => this.expression(value, Field::None),
                        ArgOrKeyword::Keyword(keyword) => {
                            let whole = span(keyword.range);
                            match &keyword.arg {
                                Some(name) => this.node(Kind::KeywordArgument, Field::None, whole, |this| {
                                    this.leaf(Kind::Identifier, Field::Name, span(name.range));
                                    this.expression(&keyword.value, Field::Value);
                                }),
                                None => this.node(Kind::DictionarySplat, Field::None, whole, |this| {
                                    this.expression(&keyword.value, Field::None);
                                }),
                            }
                        }
                    }
                }
            });
        }
        self.floor = whole.end;
    }

    fn lambda_parameters(&mut self, parameters: &'a Parameters) {
        let whole = span(parameters.range);
        self.node(Kind::LambdaParameters, Field::Parameters, whole, |this| this.parameters_within(parameters));
    }

    /// String literals: one, or several side by side.
    fn strings(&mut self, parts: impl ExactSizeIterator<Item = (TextRange, TextRange)>, field: Field, whole: Span) {
        if parts.len() > 1 {
            self.node(Kind::ConcatenatedString, field, whole, |this| {
                for (part, content) in parts {
                    this.string(span(part), span(content), Field::None);
                }
            });
        } else {
            for (part, content) in parts {
                self.string(span(part), span(content), field);
            }
        }
    }

    fn string(&mut self, whole: Span, content: Span, field: Field) {
        self.node(Kind::String, field, whole, |this| {
            if content.start < content.end {
                this.leaf(Kind::StringContent, Field::None, content);
            }
        });
    }

    fn format_string(&mut self, string: &'a ExprFString, field: Field) {
        let parts = string.value.as_slice();
        let one = |this: &mut Self, part: &'a FStringPart, field| match part {
            FStringPart::Literal(literal) => this.string(span(literal.range), span(literal.content_range()), field),
            FStringPart::FString(part) => this.interpolated(span(part.range), &part.elements, field),
        };
        match parts {
            [only] => one(self, only, field),
            _ => self.node(Kind::ConcatenatedString, field, span(string.range), |this| {
                for part in parts {
                    one(this, part, Field::None);
                }
            }),
        }
    }

    fn template(&mut self, string: &'a ExprTString, field: Field) {
        match string.value.as_slice() {
            [only] => self.interpolated(span(only.range), &only.elements, field),
            parts => self.node(Kind::ConcatenatedString, field, span(string.range), |this| {
                for part in parts {
                    this.interpolated(span(part.range), &part.elements, Field::None);
                }
            }),
        }
    }

    fn interpolated(&mut self, whole: Span, elements: &'a [InterpolatedStringElement], field: Field) {
        self.node(Kind::String, field, whole, |this| {
            for element in elements {
                match element {
                    InterpolatedStringElement::Literal(text) => {
                        this.leaf(Kind::StringContent, Field::None, span(text.range));
                    }
                    InterpolatedStringElement::Interpolation(_) => this.interpolation(element, Kind::Interpolation),
                }
            }
        });
    }

    /// `{value:specifier}`.
    fn interpolation(&mut self, element: &'a InterpolatedStringElement, kind: Kind) {
        let InterpolatedStringElement::Interpolation(element) = element else { return };
        self.node(kind, Field::None, span(element.range), |this| {
            this.floor = start(element);
            this.expression(&element.expression, Field::None);
            if let Some(specifier) = &element.format_spec {
                this.node(Kind::FormatSpecifier, Field::None, span(specifier.range), |this| {
                    for element in &specifier.elements {
                        this.interpolation(element, Kind::FormatExpression);
                    }
                });
            }
        });
    }
}

fn kind_of_number(number: &Number, text: &str) -> Kind {
    match number {
        Number::Int(_) => Kind::Integer,
        Number::Float(_) => Kind::Float,
        Number::Complex { .. } if text.contains(['.', 'e', 'E']) => Kind::Float,
        Number::Complex { .. } => Kind::Integer,
    }
}
