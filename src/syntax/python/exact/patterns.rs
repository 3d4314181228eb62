//! The cases of a `match`.

use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{Expr, MatchCase, Pattern, PatternMatchClass, Singleton};
use ruff_text_size::Ranged;

use super::{Builder, span, start};
use crate::syntax::python::tree::{Field, Kind};
use crate::text::Span;

impl<'a> Builder<'a> {
    pub(super) fn case(&mut self, case: &'a MatchCase) {
        self.compound(Kind::Case, Field::Alternative, start(case), |this| {
            match &case.pattern {
                Pattern::MatchSequence(sequence) if !this.is_bracketed(span(sequence.range)) => {
                    for pattern in &sequence.patterns {
                        this.pattern(pattern, Field::None);
                    }
                }
                pattern => this.pattern(pattern, Field::None),
            }
            if let Some(guard) = &case.guard {
                let from = this.outer_start(&**guard);
                let from = this.keyword_before(from, TokenKind::If);
                let at = this.open(Kind::IfClause, Field::Guard, from);
                this.expression(guard, Field::None);
                this.close(at, this.end);
            }
            this.block(&case.body, Field::Consequence);
        });
    }

    fn is_bracketed(&self, pattern: Span) -> bool {
        pattern.text(self.text).starts_with(['[', '('])
    }

    fn pattern(&mut self, pattern: &'a Pattern, field: Field) {
        self.node(Kind::CasePattern, field, span(pattern.range()), |this| this.simple(pattern, Field::None));
    }

    /// A pattern without the node that the grammar puts around patterns.
    fn simple(&mut self, pattern: &'a Pattern, field: Field) {
        let whole = span(pattern.range());
        match pattern {
            Pattern::MatchValue(value) => self.constant(&value.value, field),
            Pattern::MatchSingleton(singleton) => {
                let kind = match singleton.value {
                    Singleton::None => Kind::None,
                    Singleton::True => Kind::True,
                    Singleton::False => Kind::False,
                };
                self.leaf(kind, field, whole);
            }
            Pattern::MatchSequence(sequence) => {
                let is_list = whole.text(self.text).starts_with('[');
                let kind = if is_list { Kind::ListPattern } else { Kind::TuplePattern };
                self.node(kind, field, whole, |this| {
                    for pattern in &sequence.patterns {
                        this.pattern(pattern, Field::None);
                    }
                });
            }
            Pattern::MatchMapping(mapping) => self.node(Kind::DictPattern, field, whole, |this| {
                for (key, pattern) in mapping.keys.iter().zip(&mapping.patterns) {
                    this.constant(key, Field::Key);
                    this.pattern(pattern, Field::Value);
                }
                if let Some(rest) = &mapping.rest {
                    let from = this.keyword_before(start(rest), TokenKind::DoubleStar);
                    this.splat(Some(span(rest.range)), Span::new(from, span(rest.range).end), Field::None);
                }
            }),
            Pattern::MatchClass(class) => self.class_pattern(class, field),
            Pattern::MatchStar(star) => self.splat(star.name.as_ref().map(|name| span(name.range)), whole, field),
            Pattern::MatchAs(bound) => match (&bound.pattern, &bound.name) {
                (Some(inner), Some(name)) => self.node(Kind::AsPattern, field, whole, |this| {
                    this.pattern(inner, Field::None);
                    this.leaf(Kind::Identifier, Field::None, span(name.range));
                }),
                (_, Some(name)) => self.dotted(span(name.range), field),
                // `_` binds nothing and is no node.
                (_, None) => {}
            },
            Pattern::MatchOr(union) => self.node(Kind::UnionPattern, field, whole, |this| {
                for pattern in &union.patterns {
                    this.simple(pattern, Field::None);
                }
            }),
        }
    }

    /// A literal, or a dotted name that is read.
    fn constant(&mut self, value: &'a Expr, field: Field) {
        match value {
            Expr::Attribute(_) | Expr::Name(_) => self.dotted(span(value.range()), field),
            // The grammar has no node for the sign of a number.
            Expr::UnaryOp(signed) => self.constant(&signed.operand, field),
            Expr::BinOp(_) => self.leaf(Kind::ComplexPattern, field, span(value.range())),
            _ => self.expression(value, field),
        }
    }

    fn splat(&mut self, name: Option<Span>, whole: Span, field: Field) {
        self.node(Kind::SplatPattern, field, whole, |this| {
            if let Some(name) = name {
                this.leaf(Kind::Identifier, Field::None, name);
            }
        });
    }

    fn class_pattern(&mut self, class: &'a PatternMatchClass, field: Field) {
        self.node(Kind::ClassPattern, field, span(class.range), |this| {
            this.dotted(span(class.cls.range()), Field::None);
            for pattern in &class.arguments.patterns {
                this.pattern(pattern, Field::None);
            }
            for keyword in &class.arguments.keywords {
                let whole = Span::new(start(&keyword.attr), span(keyword.pattern.range()).end);
                this.node(Kind::CasePattern, Field::None, whole, |this| {
                    this.node(Kind::KeywordPattern, Field::None, whole, |this| {
                        this.leaf(Kind::Identifier, Field::None, span(keyword.attr.range));
                        this.simple(&keyword.pattern, Field::None);
                    });
                });
            }
        });
    }
}
