//! Values and calls.

use syn::{BinOp, Expr, ExprCall, ExprMethodCall, ExprStruct, Lit, UnOp};

use super::body;
use super::patterns::member;
use super::places::is_compound;
use super::{Lowerer, spans, types};
use crate::flow::{
    Argument, Call, Callee, Collection, Comparison, Ending, Literal, Next, Owner, StepKind, Suspension, TypeTerm,
    ValueIndex, ValueKind,
};
use crate::lower::prelude;
use crate::text::Span;

/// How much of a string literal is kept.
const MOST_TEXT: usize = 80;

impl Lowerer<'_> {
    /// Evaluates an expression.
    pub(super) fn value(&mut self, expr: &Expr) -> ValueIndex {
        let extends_to = self.frame.extends_to.take();
        match expr {
            Expr::Paren(inner) => {
                self.frame.extends_to = extends_to;
                self.value(&inner.expr)
            }
            Expr::Group(inner) => {
                self.frame.extends_to = extends_to;
                self.value(&inner.expr)
            }
            Expr::Block(_) | Expr::Unsafe(_) | Expr::Const(_) | Expr::If(_) | Expr::Match(_) => {
                self.frame.extends_to = extends_to;
                self.control(expr)
            }
            Expr::While(_) | Expr::Loop(_) | Expr::ForLoop(_) | Expr::Break(_) | Expr::Continue(_) => {
                self.control(expr)
            }
            Expr::Return(_) | Expr::Try(_) | Expr::TryBlock(_) => self.control(expr),
            Expr::Path(_) | Expr::Field(_) | Expr::Index(_) | Expr::Unary(_) => self.simple(expr),
            Expr::Call(call) => self.call(call, expr),
            Expr::MethodCall(call) => self.method_call(call, expr),
            Expr::Await(_) | Expr::Yield(_) => self.suspending(expr),
            Expr::Macro(inner) => self.macro_value(&inner.mac),
            Expr::Closure(closure) => self.closure(closure, expr),
            Expr::Async(block) => self.async_block(block, expr),
            Expr::Assign(assign) => self.assign(&assign.left, &assign.right, spans::expr(expr)),
            Expr::Binary(binary) => match binary.op {
                BinOp::And(_) | BinOp::Or(_) => self.short_circuit(binary),
                _ if is_compound(&binary.op) => self.assign_with(&binary.left, &binary.right, spans::expr(expr)),
                _ => self.simple(expr),
            },
            _ => self.simple(expr),
        }
    }

    /// Expressions without control flow of their own.
    fn simple(&mut self, expr: &Expr) -> ValueIndex {
        let span = spans::expr(expr);
        match expr {
            Expr::Lit(literal) => self.make(span, ValueKind::Literal(literal_of(&literal.lit))),
            Expr::Path(_) | Expr::Field(_) | Expr::Index(_) => {
                let spot = self.spot(expr);
                self.value_at(spot, span)
            }
            Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => {
                let spot = self.spot(expr);
                self.value_at(spot, span)
            }
            Expr::Unary(unary) => {
                let operand = self.value(&unary.expr);
                self.make(span, ValueKind::Operation(vec![operand]))
            }
            Expr::Binary(binary) => {
                let left = self.value(&binary.left);
                let right = self.value(&binary.right);
                let made = self.make(span, ValueKind::Operation(vec![left, right]));
                let asked = match binary.op {
                    BinOp::Eq(_) => Some(Comparison::Equal),
                    BinOp::Ne(_) => Some(Comparison::Unequal),
                    _ => None,
                };
                self.frame.body.comparisons.extend(asked.map(|asked| (made, asked)));
                made
            }
            Expr::Range(range) => {
                let ends = [&range.start, &range.end].into_iter().flatten();
                let ends = ends.map(|end| self.value(end)).collect();
                let made = self.make(span, ValueKind::Operation(ends));
                self.frame.body.ranges.push(made);
                made
            }
            Expr::Cast(cast) => {
                let operand = self.value(&cast.expr);
                self.make(span, ValueKind::Cast(operand, types::term(&cast.ty, self.text)))
            }
            Expr::Reference(reference) => {
                let operand = self.value(&reference.expr);
                self.make(span, ValueKind::Reference(operand))
            }
            Expr::RawAddr(reference) => {
                let operand = self.value(&reference.expr);
                self.make(span, ValueKind::Reference(operand))
            }
            Expr::Tuple(tuple) if tuple.elems.is_empty() => self.unit(span),
            Expr::Tuple(tuple) => self.collection(span, Collection::Tuple, tuple.elems.iter()),
            Expr::Array(array) => self.collection(span, Collection::List, array.elems.iter()),
            Expr::Repeat(repeat) => self.collection(span, Collection::List, [&*repeat.expr].into_iter()),
            Expr::Struct(literal) => self.struct_literal(literal, span),
            Expr::Let(condition) => {
                // Only conditions may hold a `let`; elsewhere the file does not compile.
                let value = self.value(&condition.expr);
                self.make(span, ValueKind::Operation(vec![value]))
            }
            _ => self.make(span, ValueKind::Unknown),
        }
    }

    /// A tuple or list: its elements move into it.
    pub(super) fn collection<'e>(
        &mut self,
        span: Span,
        kind: Collection,
        elements: impl Iterator<Item = &'e Expr>,
    ) -> ValueIndex {
        let items: Vec<ValueIndex> = elements.map(|element| self.value(element)).collect();
        self.gather(span, kind, items.into_iter().map(|item| (None, item)).collect())
    }

    /// A collection of values that move into it.
    pub(super) fn gather(
        &mut self,
        span: Span,
        kind: Collection,
        items: Vec<(Option<String>, ValueIndex)>,
    ) -> ValueIndex {
        for (_, item) in &items {
            self.consume(*item);
        }
        self.make_owned(span, ValueKind::Collection(kind, items))
    }

    fn struct_literal(&mut self, literal: &ExprStruct, span: Span) -> ValueIndex {
        let mut items: Vec<(Option<String>, ValueIndex)> = Vec::with_capacity(literal.fields.len());
        for field in &literal.fields {
            let value = self.value(&field.expr);
            items.push((Some(member(&field.member)), value));
        }
        if let Some(rest) = &literal.rest {
            let value = self.value(rest);
            items.push((Some("..".to_owned()), value));
        }
        self.gather(span, Collection::Struct(types::segments(&literal.path)), items)
    }

    fn call(&mut self, call: &ExprCall, expr: &Expr) -> ValueIndex {
        let span = spans::expr(expr);
        let Expr::Path(path) = &*call.func else {
            let callee = self.value(&call.func);
            return self.call_with(span, Callee::Value(callee), Vec::new(), call.args.iter());
        };
        let segments = self.path_segments(path);
        if let Some(name) = path.path.get_ident()
            && path.qself.is_none()
            && self.variable_named(&types::name_of(name)).is_some()
        {
            let callee = self.value(&call.func);
            return self.call_with(span, Callee::Value(callee), Vec::new(), call.args.iter());
        }
        if path.qself.is_none() && self.is_constructor(&segments) {
            let items: Vec<ValueIndex> = call.args.iter().map(|argument| self.value(argument)).collect();
            let items = items.into_iter().enumerate().map(|(at, item)| (Some(at.to_string()), item)).collect();
            return self.gather(span, Collection::Struct(segments), items);
        }
        if let (Some(argument), 1) = (call.args.first(), call.args.len())
            && self.ends_argument(&segments)
            && let Some(variable) = self.variable_of(argument)
        {
            self.frame.body.step(span, StepKind::Drop(vec![Owner::Variable(variable)], Ending::Explicit));
            return self.unit(span);
        }
        let generics = types::arguments(&path.path, self.text);
        self.call_with(span, Callee::Path(segments), generics, call.args.iter())
    }

    /// Whether a called path is a tuple struct or variant: it is written like one and no function of the file.
    fn is_constructor(&self, path: &[String]) -> bool {
        path.last().is_some_and(|last| last.starts_with(char::is_uppercase) && !self.known.functions.contains(last))
    }

    fn ends_argument(&self, path: &[String]) -> bool {
        prelude::is_drop(path) && (path.len() > 1 || !self.known.functions.contains("drop"))
    }

    /// The variable that an expression is, as a whole.
    fn variable_of(&mut self, expr: &Expr) -> Option<crate::flow::VariableIndex> {
        match expr {
            Expr::Paren(inner) => self.variable_of(&inner.expr),
            Expr::Path(path) if path.qself.is_none() => self.variable_named(&types::name_of(path.path.get_ident()?)),
            _ => None,
        }
    }

    fn method_call(&mut self, call: &ExprMethodCall, expr: &Expr) -> ValueIndex {
        let receiver = self.value(&call.receiver);
        let generics =
            call.turbofish.as_ref().map_or_else(Vec::new, |found| types::generic_arguments(&found.args, self.text));
        let step = spans::between(call.method.span(), call.paren_token.span.close());
        let callee = Callee::Method(receiver, types::name_of(&call.method));
        let arguments = self.arguments(call.args.iter());
        self.emit_call(spans::expr(expr), step, Call { callee, generics, arguments })
    }

    fn call_with<'e>(
        &mut self,
        span: Span,
        callee: Callee,
        generics: Vec<TypeTerm>,
        arguments: impl Iterator<Item = &'e Expr>,
    ) -> ValueIndex {
        let arguments = self.arguments(arguments);
        self.emit_call(span, span, Call { callee, generics, arguments })
    }

    /// Evaluates arguments. They stay temporaries until the call takes them.
    fn arguments<'e>(&mut self, arguments: impl Iterator<Item = &'e Expr>) -> Vec<Argument> {
        let argument = |argument| {
            let is_spread = body::is_conditional(argument);
            Argument { name: None, value: self.value(argument), is_spread }
        };
        arguments.map(argument).collect()
    }

    /// The step of a call, which takes its arguments, and its value.
    pub(super) fn emit_call(&mut self, span: Span, step: Span, call: Call) -> ValueIndex {
        for argument in &call.arguments {
            self.consume(argument.value);
        }
        if self.frame.body.has_ended() {
            self.frame.body.go_on_unreached();
        }
        let value = self.make(span, ValueKind::Call(Box::new(call)));
        self.frame.body.step(step, StepKind::Call(value));
        self.register(value);
        value
    }

    fn suspending(&mut self, expr: &Expr) -> ValueIndex {
        let span = spans::expr(expr);
        match expr {
            Expr::Await(awaited) => {
                let future = self.value(&awaited.base);
                self.consume(future);
                self.await_value(future, span, spans::token(awaited.await_token.span))
            }
            Expr::Yield(yielded) => {
                let value = yielded.expr.as_ref().map(|value| self.value(value));
                if let Some(value) = value {
                    self.consume(value);
                }
                self.frame.body.step(span, StepKind::Suspend(Suspension::Yield, value));
                self.make(span, ValueKind::Received)
            }
            _ => self.make(span, ValueKind::Unknown),
        }
    }

    /// Suspends on a future that was taken, and gives what comes of it.
    pub(super) fn await_value(&mut self, future: ValueIndex, span: Span, step: Span) -> ValueIndex {
        self.frame.body.step(step, StepKind::Suspend(Suspension::Await, Some(future)));
        self.make_owned(span, ValueKind::Awaited(future))
    }

    /// `&&` and `||`: the right side runs only sometimes, and the temporaries of each side end with it.
    fn short_circuit(&mut self, binary: &syn::ExprBinary) -> ValueIndex {
        let span = Span::new(spans::expr(&binary.left).start, spans::expr(&binary.right).end);
        let left = self.test_value(&binary.left);
        let right_side = self.frame.body.block();
        let join = self.frame.body.block();
        let targets = match binary.op {
            BinOp::And(_) => vec![right_side, join],
            _ => vec![join, right_side],
        };
        self.frame.body.end(Next::Branch(Some(left), targets));
        self.frame.body.go_on_in(right_side);
        let right = self.test_value(&binary.right);
        self.frame.body.end(Next::Goto(join));
        self.frame.body.go_on_in(join);
        self.make(span, ValueKind::Choice(vec![left, right]))
    }
}

/// A literal, as far as it matters.
pub(super) fn literal_of(literal: &Lit) -> Literal {
    match literal {
        Lit::Bool(value) => Literal::Bool(value.value),
        Lit::Int(value) => value.base10_parse().map_or(Literal::Other, Literal::Int),
        Lit::Str(value) => {
            let mut text = value.value();
            let mut end = text.len().min(MOST_TEXT);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.truncate(end);
            Literal::Text(text)
        }
        _ => Literal::Other,
    }
}
