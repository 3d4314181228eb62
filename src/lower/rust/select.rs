//! `select!`, `join!`, `stream!`: several futures in one task, and blocks that yield.
//!
//! Measured: the futures' expressions are evaluated first and their temporaries end before the task gives way.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::{Block, Expr, Macro, Pat, Token};

use super::{Lowerer, spans, types};
use crate::flow::{Collection, Colour, Ending, Next, Polling, StepKind, Suspension, ValueIndex, ValueKind};
use crate::lower::prelude;
use crate::text::Span;

/// One arm of `select!`.
struct SelectArm {
    /// `pattern = future`; none in `else`, `complete` and `default` arms.
    branch: Option<(Pat, Expr)>,
    /// The word of an arm without a future.
    word: String,
    guard: Option<Expr>,
    body: Expr,
}

impl Lowerer<'_> {
    pub(super) fn select(&mut self, mac: &Macro, span: Span) -> Option<ValueIndex> {
        let (mut polling, arms) = mac.parse_body_with(arms).ok()?;
        if types::segments(&mac.path).last().is_some_and(|name| prelude::is_biased(name)) {
            polling = Polling::InOrder;
        }
        self.enter_temporaries(Ending::Condition);
        let mut futures = Vec::new();
        for arm in &arms {
            if let Some(guard) = &arm.guard {
                self.test_value(guard);
            }
            if let Some((_, future)) = &arm.branch {
                let value = self.value(future);
                futures.push((None, value));
            }
        }
        let head = Span::new(span.start, spans::path(&mac.path).end);
        let futures = self.gather(span, Collection::Select(polling), futures);
        self.consume(futures);
        self.leave(head);
        let has_default = arms.iter().any(|arm| arm.word == "default");
        if !has_default {
            self.frame.body.step(head, StepKind::Suspend(Suspension::Await, Some(futures)));
        }
        let won = self.make_owned(span, ValueKind::Awaited(futures));
        let after = self.frame.body.block();
        let starts: Vec<_> = arms.iter().map(|_| self.frame.body.block()).collect();
        self.frame.body.end(Next::Branch(Some(won), starts.clone()));
        let mut values = Vec::new();
        let mut number = 0;
        for (arm, start) in arms.iter().zip(starts) {
            self.frame.body.go_on_in(start);
            self.enter_block();
            if let Some((pattern, _)) = &arm.branch {
                let result = self.make(spans::node(pattern), ValueKind::Component(won, number));
                number += 1;
                self.bind_pattern(pattern, Some(result));
            }
            let value = self.own_value(&arm.body, Ending::Tail);
            self.leave_with(Some(value), spans::end_of(spans::expr(&arm.body)));
            self.way_ends(value, &mut values);
            self.frame.body.end(Next::Goto(after));
        }
        self.frame.body.go_on_in(after);
        Some(self.choice(values, span))
    }

    pub(super) fn join(&mut self, mac: &Macro, span: Span) -> Option<ValueIndex> {
        let parse = |input: ParseStream| {
            skip_biased(input)?;
            Punctuated::<Expr, Token![,]>::parse_terminated(input)
        };
        let futures = mac.parse_body_with(parse).ok()?;
        let head = Span::new(span.start, spans::path(&mac.path).end);
        self.enter_temporaries(Ending::Condition);
        let futures = self.collection(span, Collection::Join, futures.iter());
        self.consume(futures);
        self.leave(head);
        Some(self.await_value(futures, span, head))
    }

    /// `stream! { … yield … }`: an asynchronous generator that stands in its place.
    pub(super) fn stream(&mut self, mac: &Macro, span: Span) -> Option<ValueIndex> {
        let tokens = plain_for(mac.tokens.clone());
        let statements = syn::parse::Parser::parse2(Block::parse_within, tokens).ok()?;
        let brace_token = syn::token::Brace { span: *mac.delimiter.span() };
        let block = Block { brace_token, stmts: statements };
        let head = Span::new(span.start, spans::path(&mac.path).end);
        let index = self.future(&block, true, Colour::AsyncGenerator, span, head);
        Some(self.make_owned(span, ValueKind::Function(index)))
    }
}

/// `[biased;] (pattern = future [, if guard] | else | complete | default) => handler [,] …`
fn arms(input: ParseStream) -> syn::Result<(Polling, Vec<SelectArm>)> {
    let polling = skip_biased(input)?;
    let mut found = Vec::new();
    while !input.is_empty() {
        let is_word = |word: &str| {
            let fork = input.fork();
            fork.call(Ident::parse_any).is_ok_and(|ident| ident == word) && fork.peek(Token![=>])
        };
        let word = ["else", "complete", "default"].into_iter().find(|word| is_word(word));
        let (branch, guard) = match word {
            Some(_) => {
                input.call(Ident::parse_any)?;
                (None, None)
            }
            None => {
                let pattern = Pat::parse_multi_with_leading_vert(input)?;
                input.parse::<Token![=]>()?;
                let future: Expr = input.parse()?;
                let guard = if input.peek(Token![,]) {
                    input.parse::<Token![,]>()?;
                    input.parse::<Token![if]>()?;
                    Some(input.parse()?)
                } else {
                    None
                };
                (Some((pattern, future)), guard)
            }
        };
        input.parse::<Token![=>]>()?;
        // A handler in braces ends its arm, whatever follows.
        let body = if input.peek(syn::token::Brace) {
            let block: Block = input.parse()?;
            Expr::Block(syn::ExprBlock { attrs: Vec::new(), label: None, block })
        } else {
            input.parse()?
        };
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        }
        found.push(SelectArm { branch, word: word.unwrap_or("").to_owned(), guard, body });
    }
    Ok((polling, found))
}

/// Takes `biased;` off the front, the only word that may stand there.
fn skip_biased(input: ParseStream) -> syn::Result<Polling> {
    if input.peek(syn::Ident) && input.peek2(Token![;]) {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
        return Ok(Polling::InOrder);
    }
    Ok(Polling::AtRandom)
}

/// `for await x in s` as `for x in s`, which is what syn can read.
fn plain_for(tokens: TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Ident(word) if word == "for" => {
                out.extend([TokenTree::Ident(word)]);
                if matches!(trees.peek(), Some(TokenTree::Ident(next)) if next == "await") {
                    trees.next();
                }
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), plain_for(group.stream()));
                inner.set_span(group.span());
                out.extend([TokenTree::Group(inner)]);
            }
            other => out.extend([other]),
        }
    }
    out
}
