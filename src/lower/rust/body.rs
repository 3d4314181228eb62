//! Blocks and statements.

use syn::punctuated::Punctuated;
use syn::{Attribute, Block, Expr, Local, Meta, Pat, Stmt, Token};

use super::temporaries::Holds;
use super::{Lowerer, patterns, spans};
use crate::flow::{Ending, Literal, Next, StepKind, ValueIndex, ValueKind};
use crate::lower::Edition;
use crate::text::Span;

impl Lowerer<'_> {
    /// A block in a scope of its own. Gives its tail's value; `None` where there is no tail.
    pub(super) fn block(&mut self, block: &Block) -> Option<ValueIndex> {
        let extends_to = self.frame.extends_to.take();
        self.enter_block();
        let value = self.statements(&block.stmts, extends_to);
        self.leave_with(value, spans::token(block.brace_token.span.close()));
        value
    }

    /// A block whose temporaries end with it: bodies of branches, loops, arms.
    pub(super) fn own_block(&mut self, block: &Block) -> Option<ValueIndex> {
        let extends_to = self.frame.extends_to.take();
        self.enter_temporaries(Ending::Tail);
        self.frame.extends_to = extends_to;
        let value = self.block(block);
        self.leave_with(value, spans::token(block.brace_token.span.close()));
        value
    }

    /// An expression whose temporaries end with it.
    pub(super) fn own_value(&mut self, expr: &Expr, ending: Ending) -> ValueIndex {
        let extends_to = self.frame.extends_to.take();
        self.enter_temporaries(ending);
        self.frame.extends_to = extends_to;
        let value = self.value(expr);
        self.leave_with(Some(value), spans::end_of(spans::expr(expr)));
        value
    }

    /// A condition or guard: its temporaries end with it, its own value among them.
    pub(super) fn test_value(&mut self, expr: &Expr) -> ValueIndex {
        self.enter_temporaries(Ending::Condition);
        let value = self.value(expr);
        self.leave(spans::end_of(spans::expr(expr)));
        value
    }

    /// Statements in the current scope, the last one's value if it is a tail.
    pub(super) fn statements(&mut self, statements: &[Stmt], extends_to: Option<usize>) -> Option<ValueIndex> {
        self.look_ahead_in(statements);
        let (last, before) = statements.split_last()?;
        // What only tests compile is no part of the function that others call.
        before.iter().filter(|one| !is_only_for_tests(attributes(one))).for_each(|one| self.statement(one));
        if is_only_for_tests(attributes(last)) {
            return None;
        }
        match last {
            Stmt::Expr(tail, None) => Some(self.tail(tail, extends_to)),
            Stmt::Macro(tail) if tail.semi_token.is_none() => {
                let ending = std::mem::replace(&mut self.frame.ending, Ending::Tail);
                let value = self.tail_scope(spans::end_of(spans::token(tail.mac.delimiter.span().close())), |this| {
                    this.macro_value(&tail.mac)
                });
                self.frame.ending = ending;
                Some(value)
            }
            Stmt::Local(_) | Stmt::Item(_) | Stmt::Expr(..) | Stmt::Macro(_) => {
                self.statement(last);
                None
            }
        }
    }

    /// The tail of a block. Its temporaries end before the block's variables since 2024, before that with whatever
    /// stands around the block.
    fn tail(&mut self, tail: &Expr, extends_to: Option<usize>) -> ValueIndex {
        let ending = std::mem::replace(&mut self.frame.ending, Ending::Tail);
        let value = self.tail_scope(spans::end_of(spans::expr(tail)), |this| {
            this.frame.extends_to = extends_to;
            let value = this.value(tail);
            if let Some(scope) = extends_to {
                this.extend_operands(value, scope);
            }
            value
        });
        self.frame.ending = ending;
        value
    }

    fn tail_scope(&mut self, end: Span, lower: impl FnOnce(&mut Self) -> ValueIndex) -> ValueIndex {
        match self.edition {
            Edition::Until2021 => lower(self),
            Edition::From2024 => {
                self.enter_temporaries(Ending::Tail);
                let value = lower(self);
                self.leave_with(Some(value), end);
                value
            }
        }
    }

    fn statement(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Local(local) => self.local(local),
            Stmt::Item(item) => self.item(item),
            Stmt::Expr(expr, semicolon) => {
                let span = spans::expr(expr);
                let end = semicolon.map_or(spans::end_of(span), |semicolon| spans::token(semicolon.span));
                self.enter_temporaries(Ending::Statement);
                let value = self.value(expr);
                if semicolon.is_some() {
                    self.discard(value, span);
                }
                self.leave(end);
            }
            Stmt::Macro(statement) => {
                let span = spans::between(
                    statement.mac.path.segments.first().map_or(statement.mac.bang_token.span, |s| s.ident.span()),
                    statement.mac.delimiter.span().close(),
                );
                self.enter_temporaries(Ending::Statement);
                let value = self.macro_value(&statement.mac);
                self.discard(value, span);
                self.leave(spans::end_of(span));
            }
        }
    }

    /// Says that a value is thrown away, if something could have been done with it.
    pub(super) fn discard(&mut self, value: ValueIndex, span: Span) {
        let is_worth_it = matches!(
            self.frame.body.values[value.at()].kind,
            ValueKind::Call(_)
                | ValueKind::Awaited(_)
                | ValueKind::Try(_)
                | ValueKind::Function(_)
                | ValueKind::Choice(_)
                | ValueKind::Collection(..)
        );
        if is_worth_it && !self.frame.body.has_ended() {
            self.frame.body.step(span, StepKind::Discard(value));
        }
    }

    fn local(&mut self, local: &Local) {
        let Some(init) = &local.init else {
            self.bind_pattern(&local.pat, None);
            return;
        };
        let block = self.block_scope();
        self.enter_temporaries(Ending::Statement);
        self.frame.extends_to = block;
        let value = self.value(&init.expr);
        self.frame.extends_to = None;
        if let Some(block) = block {
            self.extend_operands(value, block);
            if patterns::borrows(&local.pat) {
                self.extend_base(value, block);
            }
        }
        if let Some((_, otherwise)) = &init.diverge {
            self.let_else(value, otherwise);
        }
        self.bind_let(&local.pat, value, spans::expr(&init.expr));
        self.leave(spans::token(local.semi_token.span));
    }

    fn bind_let(&mut self, pattern: &Pat, value: ValueIndex, span: Span) {
        if patterns::is_wildcard(pattern) {
            // `let _ = place` moves nothing, `let _ = value` throws the value away.
            self.discard(value, span);
        } else {
            self.bind_pattern(pattern, Some(value));
        }
    }

    /// The `else` of a `let`: the initialiser's temporaries end before it.
    fn let_else(&mut self, value: ValueIndex, otherwise: &Expr) {
        let matched = self.frame.body.block();
        let failed = self.frame.body.block();
        self.frame.body.end(Next::Branch(Some(value), vec![matched, failed]));
        self.frame.body.go_on_in(failed);
        let Some(depth) = self.frame.scopes.len().checked_sub(1) else { return };
        let start = Span::new(spans::expr(otherwise).start, spans::expr(otherwise).start + 1);
        self.drop_down_to(depth, None, start);
        let owners = std::mem::take(&mut self.frame.scopes[depth].owners);
        self.own_value(otherwise, Ending::Tail);
        self.frame.scopes[depth].owners = owners;
        // The block diverges; if it does not, the file does not compile and nothing must be made of it.
        self.frame.body.end(Next::Unreachable);
        self.frame.body.go_on_in(matched);
    }

    /// `()`.
    pub(super) fn unit(&mut self, span: Span) -> ValueIndex {
        self.make(span, ValueKind::Literal(Literal::None))
    }

    /// A block's value, `()` where it has none.
    pub(super) fn or_unit(&mut self, value: Option<ValueIndex>, span: Span) -> ValueIndex {
        value.unwrap_or_else(|| self.unit(span))
    }

    /// The body of a function, closure or async block: returns its value.
    pub(super) fn function_body(&mut self, span: Span, lower: impl FnOnce(&mut Self) -> Option<ValueIndex>) {
        debug_assert!(self.frame.scopes.last().is_none_or(|scope| scope.holds == Holds::Variables));
        let end = spans::end_of(span);
        self.enter_temporaries(Ending::Tail);
        let value = lower(self);
        self.leave_with(value, end);
        if let Some(value) = value {
            self.consume(value);
        }
        // Parameters end last.
        self.leave_with(value, end);
        self.frame.body.end(Next::Return(value));
    }
}

/// The attributes of a statement.
fn attributes(statement: &Stmt) -> &[Attribute] {
    match statement {
        Stmt::Local(local) => &local.attrs,
        Stmt::Macro(statement) => &statement.attrs,
        Stmt::Expr(expr, _) => attributes_of(expr),
        Stmt::Item(_) => &[],
    }
}

/// The attributes of an expression.
fn attributes_of(expr: &Expr) -> &[Attribute] {
    match expr {
        Expr::Array(expr) => &expr.attrs,
        Expr::Assign(expr) => &expr.attrs,
        Expr::Async(expr) => &expr.attrs,
        Expr::Await(expr) => &expr.attrs,
        Expr::Binary(expr) => &expr.attrs,
        Expr::Block(expr) => &expr.attrs,
        Expr::Call(expr) => &expr.attrs,
        Expr::Cast(expr) => &expr.attrs,
        Expr::Closure(expr) => &expr.attrs,
        Expr::Field(expr) => &expr.attrs,
        Expr::ForLoop(expr) => &expr.attrs,
        Expr::If(expr) => &expr.attrs,
        Expr::Index(expr) => &expr.attrs,
        Expr::Lit(expr) => &expr.attrs,
        Expr::Loop(expr) => &expr.attrs,
        Expr::Macro(expr) => &expr.attrs,
        Expr::Match(expr) => &expr.attrs,
        Expr::MethodCall(expr) => &expr.attrs,
        Expr::Paren(expr) => &expr.attrs,
        Expr::Path(expr) => &expr.attrs,
        Expr::Reference(expr) => &expr.attrs,
        Expr::Return(expr) => &expr.attrs,
        Expr::Struct(expr) => &expr.attrs,
        Expr::Try(expr) => &expr.attrs,
        Expr::Tuple(expr) => &expr.attrs,
        Expr::Unary(expr) => &expr.attrs,
        Expr::Unsafe(expr) => &expr.attrs,
        Expr::While(expr) => &expr.attrs,
        _ => &[],
    }
}

/// Whether an expression is there for some targets or features only.
pub(super) fn is_conditional(expr: &Expr) -> bool {
    attributes_of(expr).iter().any(|attribute| attribute.path().is_ident("cfg"))
}

/// Whether attributes say `#[cfg(test)]`, alone or among `all`: what `any` makes of it is there elsewhere as well.
fn is_only_for_tests(attributes: &[Attribute]) -> bool {
    fn says_test(meta: &Meta) -> bool {
        match meta {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("all") => list
                .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                .is_ok_and(|parts| parts.iter().any(says_test)),
            Meta::List(_) | Meta::NameValue(_) => false,
        }
    }
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<Meta>().is_ok_and(|meta| says_test(&meta))
    })
}
