//! Functions with a name: free ones, methods, and those without a body.

use syn::{Attribute, Block, FnArg, Receiver, ReceiverKind, Signature, Type, Visibility};

use super::items::is_for_tests;
use super::{Around, Lowerer, spans, types};
use crate::flow::{Colour, Function, FunctionIndex, FunctionKind, Mark, ParameterKind, TypeTerm};
use crate::lower::prelude;
use crate::text::Span;

impl Lowerer<'_> {
    /// A function with a name. `start` is where its attributes begin.
    pub(super) fn function(
        &mut self,
        vis: &Visibility,
        attrs: &[Attribute],
        sig: &Signature,
        block: Option<&Block>,
        start: u32,
    ) {
        let text = self.text;
        let name = types::name_of(&sig.ident);
        let end = match block {
            Some(block) => spans::token(block.brace_token.span.close()).end,
            None => spans::node(&sig.output).end.max(spans::token(sig.paren_token.span.close()).end),
        };
        let is_member = self.around.in_impl.is_some() || self.around.owner.is_some();
        let kind = match (is_member, sig.receiver()) {
            (true, Some(_)) => FunctionKind::Method,
            (true, None) => FunctionKind::Static,
            (false, _) => FunctionKind::Free,
        };
        let mut function = Function::blank(kind, Span::new(start, end));
        function.qualified = self.qualified(&name);
        function.name = name.clone();
        function.colour = if sig.asyncness.is_some() { Colour::Async } else { Colour::Plain };
        function.owner = self.around.owner;
        function.in_impl = self.around.in_impl;
        function.parent = (self.frame.index.0 > 0).then_some(self.frame.index);
        function.scope = self.scope();
        function.generics = types::generics(&sig.generics, text);
        function.returns = types::returned(&sig.output, text);
        function.decorators = types::decorators(attrs, text);
        function.header = spans::token(sig.ident.span());
        let is_marked = |decorator: &crate::flow::Decorator| {
            decorator.path.last().is_some_and(|name| prelude::is_test_attribute(name))
        };
        function.is_test = self.around.is_test || is_for_tests(attrs) || function.decorators.iter().any(is_marked);
        function.is_bodiless = block.is_none();
        let of_trait = |at: u32| self.module.impls[at as usize].of_trait.is_some();
        let is_of_trait = self.around.owner.is_some() || self.around.in_impl.is_some_and(of_trait);
        function.is_public = is_of_trait || !matches!(vis, Visibility::Inherited);
        let inner = Around {
            module: self.around.module.clone(),
            prefix: self.around.prefix.iter().cloned().chain([name]).collect(),
            is_test: function.is_test,
            in_impl: None,
            owner: None,
        };
        let index = self.begin(function, false);
        match (self.around.in_impl, self.around.owner) {
            (Some(at), _) => self.module.impls[at as usize].functions.push(index),
            (None, Some(owner)) => self.module.types[owner.at()].methods.push(index),
            (None, None) => {}
        }
        let around = std::mem::replace(&mut self.around, inner);
        self.enter_block();
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(receiver) => self.receiver(receiver),
                FnArg::Typed(typed) => {
                    let annotation = types::term(&typed.ty, text);
                    self.parameter(&typed.pat, Some(annotation));
                    let is_conditional = typed.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"));
                    if let Some(parameter) = self.module.functions[self.frame.index.at()].parameters.last_mut() {
                        parameter.is_conditional = is_conditional;
                        parameter.is_exclusive = is_exclusive(&typed.ty);
                    }
                }
            }
        }
        match block {
            Some(block) => {
                self.function_body(Span::new(start, end), |this| this.block(block));
                self.mark_empty(index, block);
            }
            None => self.frame.body.end(crate::flow::Next::Return(None)),
        }
        self.around = around;
        self.finish();
    }

    fn receiver(&mut self, receiver: &Receiver) {
        let text = self.text;
        let self_type = || TypeTerm::Path { segments: vec!["Self".to_owned()], args: Vec::new() };
        let (annotation, kind) = match &receiver.kind {
            ReceiverKind::Value => (self_type(), ParameterKind::SelfValue),
            ReceiverKind::Reference(..) => (TypeTerm::Reference(Box::new(self_type())), ParameterKind::SelfReference),
            ReceiverKind::Typed(_, ty) => match &**ty {
                Type::Reference(_) => (types::term(ty, text), ParameterKind::SelfReference),
                _ => (types::term(ty, text), ParameterKind::SelfValue),
            },
            _ => (self_type(), ParameterKind::SelfValue),
        };
        self.parameter_named("self", Some(annotation), kind, spans::token(receiver.self_token.span));
        if let Some(parameter) = self.module.functions[self.frame.index.at()].parameters.last_mut() {
            parameter.is_exclusive = match &receiver.kind {
                ReceiverKind::Reference(_, _, mutability) => mutability.is_some(),
                ReceiverKind::Typed(_, ty) => is_exclusive(ty),
                _ => false,
            };
        }
    }

    /// A body with nothing but a comment that says so is a placeholder.
    fn mark_empty(&mut self, function: FunctionIndex, block: &Block) {
        if !block.stmts.is_empty() {
            return;
        }
        let span = spans::token(block.brace_token.span.join());
        if !span.text(self.text).contains('/') {
            return;
        }
        let note = self.module.marks.iter().find_map(|mark| match mark {
            Mark::Comment { span: at, text } if span.contains(*at) => {
                let upper = text.to_uppercase();
                ["TODO", "FIXME", "UNIMPLEMENTED"].iter().any(|word| upper.contains(word)).then(|| (*at, text.clone()))
            }
            _ => None,
        });
        if let Some((span, form)) = note {
            self.module.marks.push(Mark::Stub { function, form, span });
        }
    }
}

/// Whether a type is a reference that nobody else has.
fn is_exclusive(of: &Type) -> bool {
    matches!(of, Type::Reference(reference) if reference.mutability.is_some())
}
