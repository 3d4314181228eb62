//! Functions, classes, their parameters and types.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{
    Decorator, Parameter, ParameterWithDefault, Parameters, StmtClassDef, StmtFunctionDef, StmtTypeAlias, TypeParams,
};
use ruff_text_size::Ranged;

use super::{Builder, end, span, start};
use crate::syntax::python::tree::{Field, Kind};
use crate::text::Span;

impl<'a> Builder<'a> {
    pub(super) fn function(&mut self, function: &'a StmtFunctionDef) {
        self.definition(&function.decorator_list, Kind::Function, start(function), |this, from| {
            if function.is_async {
                this.keyword_async(from);
            }
            this.leaf(Kind::Identifier, Field::Name, span(function.name.range));
            this.type_parameters(function.type_params.as_deref());
            let whole = span(function.parameters.range);
            this.floor = whole.start + 1;
            this.node(Kind::Parameters, Field::Parameters, whole, |this| this.parameters_within(&function.parameters));
            if let Some(returns) = &function.returns {
                this.annotation(returns, Field::ReturnType);
            }
            this.block(&function.body, Field::Body);
        });
    }

    pub(super) fn class(&mut self, class: &'a StmtClassDef) {
        self.definition(&class.decorator_list, Kind::Class, start(class), |this, _| {
            this.leaf(Kind::Identifier, Field::Name, span(class.name.range));
            this.type_parameters(class.type_params.as_deref());
            if let Some(arguments) = &class.arguments {
                this.arguments(arguments, Field::Superclasses);
            }
            this.block(&class.body, Field::Body);
        });
    }

    /// A definition with its decorators; `inside` is told where it begins without them.
    fn definition(&mut self, decorators: &'a [Decorator], kind: Kind, from: u32, inside: impl FnOnce(&mut Self, u32)) {
        let Some(last) = decorators.last() else {
            self.compound(kind, Field::None, from, |this| inside(this, from));
            return;
        };
        self.compound(Kind::Decorated, Field::None, from, |this| {
            for decorator in decorators {
                this.node(Kind::Decorator, Field::None, span(decorator.range), |this| {
                    this.expression(&decorator.expression, Field::None);
                });
            }
            let at = this.token(end(last));
            let keyword = this.tokens[at..].iter().find(|token| {
                !matches!(token.kind(), TokenKind::Newline | TokenKind::NonLogicalNewline | TokenKind::Comment)
            });
            let from = keyword.map_or(end(last), start);
            this.compound(kind, Field::Definition, from, |this| inside(this, from));
        });
    }

    /// `[T: Bound, *Ts]`, each by its text.
    fn type_parameters(&mut self, parameters: Option<&'a TypeParams>) {
        let Some(parameters) = parameters else { return };
        self.node(Kind::TypeParameter, Field::TypeParameters, span(parameters.range), |this| {
            for parameter in &parameters.type_params {
                this.leaf(Kind::Type, Field::None, span(parameter.range()));
            }
        });
    }

    /// Parameters, without what is around them.
    pub(super) fn parameters_within(&mut self, parameters: &'a Parameters) {
        for parameter in &parameters.posonlyargs {
            self.parameter(parameter);
        }
        if !parameters.posonlyargs.is_empty() {
            self.leaf(Kind::PositionalSeparator, Field::None, Span::new(self.end, self.end));
        }
        for parameter in &parameters.args {
            self.parameter(parameter);
        }
        match &parameters.vararg {
            Some(rest) => self.rest(rest, Kind::ListSplatPattern),
            None if parameters.kwonlyargs.is_empty() => {}
            None => self.leaf(Kind::KeywordSeparator, Field::None, Span::new(self.end, self.end)),
        }
        for parameter in &parameters.kwonlyargs {
            self.parameter(parameter);
        }
        if let Some(rest) = &parameters.kwarg {
            self.rest(rest, Kind::DictionarySplatPattern);
        }
    }

    fn parameter(&mut self, parameter: &'a ParameterWithDefault) {
        let whole = span(parameter.range);
        let name = span(parameter.parameter.name.range);
        let annotation = parameter.parameter.annotation.as_deref();
        let (kind, field) = match (annotation, &parameter.default) {
            (None, None) => return self.leaf(Kind::Identifier, Field::None, name),
            (Some(_), None) => (Kind::TypedParameter, Field::None),
            (None, Some(_)) => (Kind::DefaultParameter, Field::Name),
            (Some(_), Some(_)) => (Kind::TypedDefaultParameter, Field::Name),
        };
        self.node(kind, Field::None, whole, |this| {
            this.leaf(Kind::Identifier, field, name);
            if let Some(annotation) = annotation {
                this.annotation(annotation, Field::Type);
            }
            if let Some(default) = &parameter.default {
                this.expression(default, Field::Value);
            }
        });
    }

    /// `*rest` or `**rest`.
    fn rest(&mut self, rest: &'a Parameter, kind: Kind) {
        let name = span(rest.name.range);
        let splat = |this: &mut Self| {
            this.node(kind, Field::None, name, |this| this.leaf(Kind::Identifier, Field::None, name));
        };
        match &rest.annotation {
            Some(annotation) => self.node(Kind::TypedParameter, Field::None, span(rest.range), |this| {
                splat(this);
                this.annotation(annotation, Field::Type);
            }),
            None => splat(self),
        }
    }

    pub(super) fn type_alias(&mut self, alias: &'a StmtTypeAlias) {
        self.node(Kind::TypeAlias, Field::None, span(alias.range), |this| {
            let to = alias.type_params.as_ref().map_or(end(&*alias.name), |parameters| end(&**parameters));
            this.node(Kind::Type, Field::Left, Span::new(start(&*alias.name), to), |this| {
                this.leaf(Kind::Identifier, Field::None, span(alias.name.range()));
                this.type_parameters(alias.type_params.as_deref());
            });
            this.annotation(&alias.value, Field::Right);
        });
    }
}
