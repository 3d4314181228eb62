//! Closures and async blocks: functions of their own that see the names around them.

use syn::{Block, Expr, ExprAsync, ExprClosure, Pat};

use super::patterns::is_wildcard;
use super::{Lowerer, spans, types};
use crate::flow::{
    Colour, Function, FunctionIndex, FunctionKind, Owner, Parameter, ParameterKind, Place, StepKind, TypeTerm,
    ValueIndex, ValueKind, Variable,
};
use crate::text::Span;

impl Lowerer<'_> {
    pub(super) fn closure(&mut self, closure: &ExprClosure, expr: &Expr) -> ValueIndex {
        let span = spans::expr(expr);
        let mut function = self.nested(FunctionKind::Closure, "<closure>", span);
        function.header = spans::between(closure.inputs_begin.span, closure.inputs_end.span);
        function.colour = if closure.asyncness.is_some() { Colour::Async } else { Colour::Plain };
        function.is_move = closure.capture.is_some();
        function.returns = types::returned(&closure.output, self.text);
        function.decorators = types::decorators(&closure.attrs, self.text);
        let index = self.begin(function, true);
        self.enter_block();
        for input in &closure.inputs {
            self.parameter(input, None);
        }
        self.function_body(span, |this| Some(this.value(&closure.body)));
        self.finish();
        self.make_owned(span, ValueKind::Function(index))
    }

    pub(super) fn async_block(&mut self, block: &ExprAsync, expr: &Expr) -> ValueIndex {
        let span = spans::expr(expr);
        let header = spans::token(block.async_token.span);
        let index = self.future(&block.block, block.capture.is_some(), Colour::Async, span, header);
        self.make_owned(span, ValueKind::Function(index))
    }

    /// A block that becomes a future or stream.
    pub(super) fn future(
        &mut self,
        block: &Block,
        is_move: bool,
        colour: Colour,
        span: Span,
        header: Span,
    ) -> FunctionIndex {
        let mut function = self.nested(FunctionKind::AsyncBlock, "<async block>", span);
        function.colour = colour;
        function.is_move = is_move;
        function.header = header;
        let index = self.begin(function, true);
        self.enter_block();
        self.function_body(span, |this| this.block(block));
        self.finish();
        index
    }

    fn nested(&self, kind: FunctionKind, name: &str, span: Span) -> Function {
        let around = self.module.function(self.frame.index);
        let mut function = Function::blank(kind, span);
        function.name = name.to_owned();
        function.qualified = match self.frame.index {
            FunctionIndex(0) => self.qualified(name),
            _ => format!("{}::{name}", around.qualified),
        };
        function.parent = Some(self.frame.index);
        function.scope = self.scope();
        function.is_test = around.is_test || self.around.is_test;
        function
    }

    /// A parameter of the function that is being lowered. One with a pattern is nameless and taken apart at once.
    pub(super) fn parameter(&mut self, pattern: &Pat, annotation: Option<TypeTerm>) {
        let (pattern, annotation) = match pattern {
            Pat::Type(typed) => (&*typed.pat, Some(types::term(&typed.ty, self.text))),
            _ => (pattern, annotation),
        };
        let span = spans::node(pattern);
        let name = match pattern {
            Pat::Ident(ident) if ident.by_ref.is_none() && ident.subpat.is_none() => types::name_of(&ident.ident),
            _ => String::new(),
        };
        let variable = self.parameter_named(&name, annotation.clone(), ParameterKind::Positional, span);
        if name.is_empty() && !is_wildcard(pattern) {
            let value = self.make(span, ValueKind::Place(Place::variable(variable)));
            for mut binding in self.take_apart(pattern, Some(value)) {
                binding.annotation = binding.annotation.or(match pattern {
                    Pat::Ident(_) => annotation.clone(),
                    _ => None,
                });
                let bound = self.declare(&binding);
                if let Some(value) = binding.value {
                    self.frame.body.step(binding.span, StepKind::Bind(bound, value));
                }
            }
        }
    }

    pub(super) fn parameter_named(
        &mut self,
        name: &str,
        annotation: Option<TypeTerm>,
        kind: ParameterKind,
        span: Span,
    ) -> crate::flow::VariableIndex {
        let variable = self.frame.body.variable(Variable {
            name: name.to_owned(),
            annotation: annotation.clone(),
            annotated: Vec::new(),
            captures: None,
            span,
        });
        if let Some(scope) = self.frame.scopes.last_mut() {
            scope.names.push((name.to_owned(), variable));
            scope.owners.push((Owner::Variable(variable), crate::flow::Ending::Scope));
        }
        let function = &mut self.module.functions[self.frame.index.at()];
        let (is_conditional, is_exclusive) = (false, false);
        function.parameters.push(Parameter { variable, annotation, kind, default: None, is_conditional, is_exclusive });
        variable
    }
}
