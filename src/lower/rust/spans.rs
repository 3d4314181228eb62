//! Where expressions start and end.
//!
//! `syn::spanned::Spanned` prints an expression into tokens to find its ends, which is quadratic over nested code.
//! Here only the first and the last token are looked at.

use proc_macro2::Span as Token;
use syn::spanned::Spanned;
use syn::{Expr, Member, Path, PathArguments, RangeLimits, UnOp};

use crate::text::Span;

/// The bytes of a token.
pub(super) fn token(span: Token) -> Span {
    Span::of(span.byte_range())
}

/// The bytes of a small node: a type, a pattern, a path.
pub(super) fn node(node: &impl Spanned) -> Span {
    token(node.span())
}

/// The bytes of an expression.
pub(super) fn expr(expr: &Expr) -> Span {
    Span::new(token(first(expr)).start, token(last(expr)).end)
}

/// From the start of one token to the end of another.
pub(super) fn between(first: Token, last: Token) -> Span {
    Span::new(token(first).start, token(last).end)
}

/// The last byte of a span: where something that ends there is dropped.
pub(super) fn end_of(span: Span) -> Span {
    Span::new(span.end.saturating_sub(1).max(span.start), span.end)
}

/// The bytes of a path.
pub(super) fn path(path: &Path) -> Span {
    Span::new(token(path_first(path)).start, token(path_last(path)).end)
}

fn path_first(path: &Path) -> Token {
    match (&path.leading_colon, path.segments.first()) {
        (Some(colon), _) => colon.spans[0],
        (None, Some(segment)) => segment.ident.span(),
        (None, None) => Token::call_site(),
    }
}

fn path_last(path: &Path) -> Token {
    let Some(segment) = path.segments.last() else { return Token::call_site() };
    match &segment.arguments {
        PathArguments::None => segment.ident.span(),
        PathArguments::AngleBracketed(arguments) => arguments.gt_token.span,
        PathArguments::Parenthesized(arguments) => arguments.paren_token.span.close(),
    }
}

/// The first token of an expression.
fn first(mut expr: &Expr) -> Token {
    loop {
        expr = match expr {
            Expr::Assign(e) => &e.left,
            Expr::Await(e) => &e.base,
            Expr::Binary(e) => &e.left,
            Expr::Call(e) => &e.func,
            Expr::Cast(e) => &e.expr,
            Expr::Field(e) => &e.base,
            Expr::Index(e) => &e.expr,
            Expr::MethodCall(e) => &e.receiver,
            Expr::Try(e) => &e.expr,
            Expr::Group(e) => &e.expr,
            Expr::Range(e) => match (&e.start, &e.limits) {
                (Some(start), _) => start,
                (None, RangeLimits::HalfOpen(dots)) => return dots.spans[0],
                (None, RangeLimits::Closed(dots)) => return dots.spans[0],
            },
            Expr::Array(e) => return e.bracket_token.span.open(),
            Expr::Async(e) => return e.async_token.span,
            Expr::Block(e) => return e.label.as_ref().map_or(e.block.brace_token.span.open(), |l| l.name.span()),
            Expr::Break(e) => return e.break_token.span,
            Expr::Closure(e) => {
                let token = e.asyncness.map(|t| t.span).or(e.capture.map(|t| t.span));
                return token.unwrap_or(e.inputs_begin.span);
            }
            Expr::Const(e) => return e.const_token.span,
            Expr::Continue(e) => return e.continue_token.span,
            Expr::ForLoop(e) => return e.label.as_ref().map_or(e.for_token.span, |l| l.name.span()),
            Expr::If(e) => return e.if_token.span,
            Expr::Infer(e) => return e.underscore_token.span,
            Expr::Let(e) => return e.let_token.span,
            Expr::Lit(e) => return e.lit.span(),
            Expr::Loop(e) => return e.label.as_ref().map_or(e.loop_token.span, |l| l.name.span()),
            Expr::Macro(e) => return path_first(&e.mac.path),
            Expr::Match(e) => return e.match_token.span,
            Expr::Paren(e) => return e.paren_token.span.open(),
            Expr::Path(e) => return e.qself.as_ref().map_or_else(|| path_first(&e.path), |q| q.lt_token.span),
            Expr::RawAddr(e) => return e.and_token.span,
            Expr::Reference(e) => return e.and_token.span,
            Expr::Repeat(e) => return e.bracket_token.span.open(),
            Expr::Return(e) => return e.return_token.span,
            Expr::Struct(e) => return e.qself.as_ref().map_or_else(|| path_first(&e.path), |q| q.lt_token.span),
            Expr::TryBlock(e) => return e.try_token.span,
            Expr::Tuple(e) => return e.paren_token.span.open(),
            Expr::Unary(e) => {
                return match e.op {
                    UnOp::Deref(t) => t.span,
                    UnOp::Not(t) => t.span,
                    UnOp::Neg(t) => t.span,
                    _ => e.op.span(),
                };
            }
            Expr::Unsafe(e) => return e.unsafe_token.span,
            Expr::While(e) => return e.label.as_ref().map_or(e.while_token.span, |l| l.name.span()),
            Expr::Yield(e) => return e.yield_token.span,
            _ => return expr.span(),
        };
    }
}

/// The last token of an expression.
fn last(mut expr: &Expr) -> Token {
    loop {
        expr = match expr {
            Expr::Assign(e) => &e.right,
            Expr::Binary(e) => &e.right,
            Expr::Closure(e) => &e.body,
            Expr::Group(e) => &e.expr,
            Expr::Let(e) => &e.expr,
            Expr::RawAddr(e) => &e.expr,
            Expr::Reference(e) => &e.expr,
            Expr::Unary(e) => &e.expr,
            Expr::Break(e) => match (&e.expr, &e.label) {
                (Some(value), _) => value,
                (None, Some(label)) => return label.ident.span(),
                (None, None) => return e.break_token.span,
            },
            Expr::Return(e) => match &e.expr {
                Some(value) => value,
                None => return e.return_token.span,
            },
            Expr::Yield(e) => match &e.expr {
                Some(value) => value,
                None => return e.yield_token.span,
            },
            Expr::Range(e) => match (&e.end, &e.limits) {
                (Some(end), _) => end,
                (None, RangeLimits::HalfOpen(dots)) => return dots.spans[1],
                (None, RangeLimits::Closed(dots)) => return dots.spans[2],
            },
            Expr::If(e) => match &e.else_branch {
                Some((_, branch)) => branch,
                None => return e.then_branch.brace_token.span.close(),
            },
            Expr::Array(e) => return e.bracket_token.span.close(),
            Expr::Async(e) => return e.block.brace_token.span.close(),
            Expr::Await(e) => return e.await_token.span,
            Expr::Block(e) => return e.block.brace_token.span.close(),
            Expr::Call(e) => return e.paren_token.span.close(),
            Expr::Const(e) => return e.block.brace_token.span.close(),
            Expr::Continue(e) => return e.label.as_ref().map_or(e.continue_token.span, |l| l.ident.span()),
            Expr::Field(e) => {
                return match &e.member {
                    Member::Named(name) => name.span(),
                    Member::Unnamed(index) => index.span,
                };
            }
            Expr::ForLoop(e) => return e.body.brace_token.span.close(),
            Expr::Index(e) => return e.bracket_token.span.close(),
            Expr::Infer(e) => return e.underscore_token.span,
            Expr::Lit(e) => return e.lit.span(),
            Expr::Loop(e) => return e.body.brace_token.span.close(),
            Expr::Macro(e) => return e.mac.delimiter.span().close(),
            Expr::Match(e) => return e.brace_token.span.close(),
            Expr::MethodCall(e) => return e.paren_token.span.close(),
            Expr::Paren(e) => return e.paren_token.span.close(),
            Expr::Path(e) => return path_last(&e.path),
            Expr::Repeat(e) => return e.bracket_token.span.close(),
            Expr::Struct(e) => return e.brace_token.span.close(),
            Expr::Try(e) => return e.question_token.span,
            Expr::TryBlock(e) => return e.block.brace_token.span.close(),
            Expr::Tuple(e) => return e.paren_token.span.close(),
            Expr::Unsafe(e) => return e.block.brace_token.span.close(),
            Expr::While(e) => return e.body.brace_token.span.close(),
            _ => return expr.span(),
        };
    }
}
