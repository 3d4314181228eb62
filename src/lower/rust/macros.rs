//! Macros that are opened.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use rustc_hash::FxHashMap;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Block, Expr, ItemMacro, Macro, Pat, Stmt, Token, Type};

use super::items::StaticHead;
use super::patterns::Binding;
use super::{Lowerer, spans, types};
use crate::flow::{Argument, Call, Callee, Collection, Ending, Leaving, Mark, Next, TypeTerm, ValueIndex, ValueKind};
use crate::lower::prelude::{self, Shape};
use crate::text::Span;

/// How deep macros of the file are inlined into each other.
const MOST_INLINED: u32 = 8;

/// A `macro_rules!` macro with one arm whose parameters are expressions: `($x:expr, $y:expr) => { … }`.
#[derive(Clone, Debug)]
pub(super) struct Inline {
    parameters: Vec<String>,
    body: TokenStream,
}

/// An argument of a macro call that looks like a function's.
struct MacroArgument {
    name: Option<String>,
    value: Expr,
}

impl Lowerer<'_> {
    /// A macro where an expression or statement stands.
    pub(super) fn macro_value(&mut self, mac: &Macro) -> ValueIndex {
        let path = types::segments(&mac.path);
        let start = mac.path.segments.first().map_or(mac.bang_token.span, |segment| segment.ident.span());
        let span = spans::between(start, mac.delimiter.span().close());
        let name = path.last().map_or("", String::as_str);
        if let ([name], true) = (path.as_slice(), self.inlining < MOST_INLINED)
            && let Some(expr) = self.known.macros.get(name).and_then(|inline| inline.expand(mac))
        {
            self.inlining += 1;
            let value = self.value(&expr);
            self.inlining -= 1;
            return value;
        }
        match prelude::shape(name) {
            Shape::Select => self.select(mac, span).unwrap_or_else(|| self.macro_call(mac, path, span)),
            Shape::Join => self.join(mac, span).unwrap_or_else(|| self.macro_call(mac, path, span)),
            Shape::Pin => self.pin(mac, span).unwrap_or_else(|| self.macro_call(mac, path, span)),
            Shape::List => self.list(mac, span).unwrap_or_else(|| self.macro_call(mac, path, span)),
            Shape::Matches => self.matches(mac, span).unwrap_or_else(|| self.macro_call(mac, path, span)),
            Shape::Stream => self.stream(mac, span).unwrap_or_else(|| self.macro_call(mac, path, span)),
            Shape::Format | Shape::Assert => match self.macro_arguments(mac) {
                Some(arguments) => {
                    let values = arguments.into_iter().map(|argument| argument.value).collect();
                    self.make(span, ValueKind::Operation(values))
                }
                None => self.macro_call(mac, path, span),
            },
            Shape::Panic => self.panic(mac, path, span),
            Shape::Todo => {
                // What a macro of the file comes to is no body that somebody has left here.
                if self.inlining == 0 {
                    let (function, form) = (self.frame.index, span.text(self.text).to_owned());
                    self.module.marks.push(Mark::Stub { function, form, span });
                }
                self.panic(mac, path, span)
            }
            Shape::Nothing => self.make(span, ValueKind::Unknown),
            Shape::Call => self.macro_call(mac, path, span),
        }
    }

    fn panic(&mut self, mac: &Macro, path: Vec<String>, span: Span) -> ValueIndex {
        let value = self.macro_call(mac, path, span);
        let never = self.make(span, ValueKind::Unknown);
        self.frame.body.leave(Next::Raise(Some(value)), Leaving::Raise, span);
        never
    }

    /// A macro as a call. Its arguments are looked at if they are expressions or statements.
    fn macro_call(&mut self, mac: &Macro, path: Vec<String>, span: Span) -> ValueIndex {
        let arguments = match self.macro_arguments(mac) {
            Some(arguments) => arguments,
            None => match mac.parse_body_with(Block::parse_within) {
                Ok(statements) => {
                    self.loose_statements(&statements, span);
                    Vec::new()
                }
                Err(_) => {
                    self.declare_functions_of(mac);
                    self.variables_in(mac.tokens.clone())
                }
            },
        };
        self.emit_call(span, span, Call { callee: Callee::Macro(path), generics: Vec::new(), arguments })
    }

    /// The variables that stand among tokens which are no code yet, as arguments by reference: something is done with them.
    fn variables_in(&mut self, tokens: TokenStream) -> Vec<Argument> {
        let mut found: Vec<Argument> = Vec::new();
        let mut seen = Vec::new();
        let mut open = vec![tokens];
        while let Some(tokens) = open.pop() {
            for tree in tokens {
                match tree {
                    TokenTree::Group(group) => open.push(group.stream()),
                    TokenTree::Ident(ident) => {
                        let Some(variable) = self.variable_named(&types::name_of(&ident)) else { continue };
                        if seen.contains(&variable) {
                            continue;
                        }
                        seen.push(variable);
                        let span = spans::token(ident.span());
                        let place = crate::flow::Place::variable(variable);
                        let read = self.value_at(super::places::Spot::Place(place, false), span);
                        let value = self.make(span, ValueKind::Reference(read));
                        found.push(Argument { name: None, value, is_spread: true });
                    }
                    TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                }
            }
        }
        found
    }

    /// The functions that a macro among statements may make, of which only the names are known: `weak! { fn stat(…) }`.
    fn declare_functions_of(&mut self, mac: &Macro) {
        let trees: Vec<TokenTree> = mac.tokens.clone().into_iter().collect();
        for pair in trees.windows(2) {
            if let [TokenTree::Ident(word), TokenTree::Ident(name)] = pair
                && word == "fn"
            {
                let span = spans::token(name.span());
                self.declare(&Binding { name: types::name_of(name), annotation: None, value: None, span });
            }
        }
    }

    /// Statements in a macro's body, in a block of their own.
    fn loose_statements(&mut self, statements: &[Stmt], span: Span) {
        self.enter_temporaries(Ending::Tail);
        self.enter_block();
        let value = self.statements(statements, None);
        self.leave_with(value, spans::end_of(span));
        self.leave_with(value, spans::end_of(span));
    }

    /// Comma-separated arguments, evaluated by reference: their temporaries live to the end of the statement.
    fn macro_arguments(&mut self, mac: &Macro) -> Option<Vec<Argument>> {
        let parsed = mac.parse_body_with(macro_arguments).ok()?;
        let mut arguments = Vec::with_capacity(parsed.len());
        for MacroArgument { name, value } in parsed {
            let lowered = self.value(&value);
            if let Expr::Lit(literal) = &value
                && let syn::Lit::Str(text) = &literal.lit
            {
                self.read_inline_names(&text.value(), spans::expr(&value));
            }
            let value = match &value {
                Expr::Lit(_) | Expr::Reference(_) => lowered,
                other => {
                    let span = spans::expr(other);
                    self.make(span, ValueKind::Reference(lowered))
                }
            };
            arguments.push(Argument { name, value, is_spread: false });
        }
        Some(arguments)
    }

    /// `"{name}"` reads the variable: closures capture it so.
    fn read_inline_names(&mut self, text: &str, span: Span) {
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            rest = &rest[at + 1..];
            if let Some(escaped) = rest.strip_prefix('{') {
                rest = escaped;
                continue;
            }
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            let name = &rest[..end];
            if rest[end..].starts_with(['}', ':'])
                && !name.is_empty()
                && let Some(variable) = self.variable_named(name)
            {
                let place = crate::flow::Place::variable(variable);
                self.value_at(super::places::Spot::Place(place, false), span);
            }
        }
    }

    fn list(&mut self, mac: &Macro, span: Span) -> Option<ValueIndex> {
        let parse = |input: ParseStream| {
            let first: Option<Expr> = if input.is_empty() { None } else { Some(input.parse()?) };
            let mut elements: Vec<Expr> = first.into_iter().collect();
            if input.peek(Token![;]) {
                input.parse::<Token![;]>()?;
                input.parse::<Expr>()?;
                return Ok(elements);
            }
            while !input.is_empty() {
                input.parse::<Token![,]>()?;
                if !input.is_empty() {
                    elements.push(input.parse()?);
                }
            }
            Ok(elements)
        };
        let elements = mac.parse_body_with(parse).ok()?;
        Some(self.collection(span, Collection::List, elements.iter()))
    }

    /// `pin!(value)` gives the pinned value; `pin!(name)` and `pin!(let x = value)` pin in place.
    fn pin(&mut self, mac: &Macro, span: Span) -> Option<ValueIndex> {
        if let Ok(value) = mac.parse_body::<Expr>() {
            let lowered = self.value(&value);
            self.consume(lowered);
            let argument = Argument { name: None, value: lowered, is_spread: false };
            let callee = Callee::Macro(types::segments(&mac.path));
            return Some(self.emit_call(span, span, Call { callee, generics: Vec::new(), arguments: vec![argument] }));
        }
        let statements = mac.parse_body_with(Block::parse_within).ok()?;
        // `pin! { let x = …; }` declares in the block around it.
        self.statements(&statements, None);
        Some(self.unit(span))
    }

    /// `matches!(value, pattern if guard)`.
    fn matches(&mut self, mac: &Macro, span: Span) -> Option<ValueIndex> {
        let parse = |input: ParseStream| {
            let value: Expr = input.parse()?;
            input.parse::<Token![,]>()?;
            let pattern = Pat::parse_multi_with_leading_vert(input)?;
            let guard = if input.peek(Token![if]) {
                input.parse::<Token![if]>()?;
                Some(input.parse::<Expr>()?)
            } else {
                None
            };
            if input.peek(Token![,]) {
                input.parse::<Token![,]>()?;
            }
            Ok((value, pattern, guard))
        };
        let (value, pattern, guard) = mac.parse_body_with(parse).ok()?;
        let scrutinee = self.value(&value);
        let guard = match (&pattern, guard) {
            (Pat::Guard(guarded), None) => Some((*guarded.guard).clone()),
            (_, guard) => guard,
        };
        let Some(guard) = guard else { return Some(self.make(span, ValueKind::Operation(vec![scrutinee]))) };
        let holds = self.frame.body.block();
        let after = self.frame.body.block();
        self.frame.body.end(Next::Branch(Some(scrutinee), vec![holds, after]));
        self.frame.body.go_on_in(holds);
        self.enter_block();
        let seen = self.make(span, ValueKind::Reference(scrutinee));
        self.bind_pattern(&pattern, Some(seen));
        let value = self.test_value(&guard);
        self.leave(spans::end_of(span));
        self.frame.body.end(Next::Goto(after));
        self.frame.body.go_on_in(after);
        Some(self.make(span, ValueKind::Operation(vec![scrutinee, value])))
    }

    /// A macro where an item stands: `thread_local!` and `lazy_static!` declare statics, others may hold items.
    pub(super) fn macro_item(&mut self, item: &ItemMacro) {
        let path = types::segments(&item.mac.path);
        let name = path.last().map_or("", String::as_str);
        match name {
            "macro_rules" => {}
            "thread_local" | "lazy_static" => {
                let Ok(statics) = item.mac.parse_body_with(statics) else { return };
                for (head, ty, value) in statics {
                    let term = types::term(&ty, self.text);
                    let annotation = Some(match name {
                        "thread_local" => TypeTerm::Path {
                            segments: ["std", "thread", "LocalKey"].map(str::to_owned).to_vec(),
                            args: vec![term],
                        },
                        _ => term,
                    });
                    let span = spans::token(head.span());
                    let name = types::name_of(&head);
                    self.known.statics.insert(name.clone());
                    self.static_item(StaticHead { name, annotation, is_mutable: false, span }, value.as_ref());
                }
            }
            _ => {
                // `cfg_if!`, `pin_project!`, `bitflags!` and project macros often wrap plain items, and may add others.
                if let Ok(file) = item.mac.parse_body::<syn::File>() {
                    self.look_ahead(&file.items);
                    file.items.iter().for_each(|item| self.item(item));
                }
                let module = self.around.module.clone();
                self.module.marks.push(Mark::MakesItems { module, span: spans::node(&item.mac) });
            }
        }
    }
}

/// `static NAME: Type = value;` as often as it stands there, with `ref` and `const { … }` as the macros have them.
fn statics(input: ParseStream) -> syn::Result<Vec<(Ident, Type, Option<Expr>)>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        input.call(syn::Attribute::parse_outer)?;
        input.parse::<syn::Visibility>()?;
        input.parse::<Token![static]>()?;
        input.parse::<Option<Token![ref]>>()?;
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Some(input.parse()?)
        } else {
            None
        };
        if !input.is_empty() {
            input.parse::<Token![;]>()?;
        }
        found.push((name, ty, value));
    }
    Ok(found)
}

/// Arguments as the formatting and logging macros have them.
fn macro_arguments(input: ParseStream) -> syn::Result<Vec<MacroArgument>> {
    let mut found = Vec::new();
    while !input.is_empty() {
        found.push(macro_argument(input)?);
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(found)
}

/// `value`, `name = value`, `name: value`, `%value`, `?value`, `a.b = %value`.
fn macro_argument(input: ParseStream) -> syn::Result<MacroArgument> {
    if input.peek(Token![let]) {
        return Err(input.error("a statement, no argument"));
    }
    if input.peek(Token![%]) || input.peek(Token![?]) {
        input.parse::<TokenTree>()?;
        return Ok(MacroArgument { name: None, value: input.parse()? });
    }
    if let Some(name) = name_ahead(input) {
        if input.peek(Token![%]) || input.peek(Token![?]) {
            input.parse::<TokenTree>()?;
        }
        return Ok(MacroArgument { name: Some(name), value: input.parse()? });
    }
    Ok(MacroArgument { name: None, value: input.parse()? })
}

/// Takes `name =` or `a.b =` or `name:` off the front, if that stands there.
fn name_ahead(input: ParseStream) -> Option<String> {
    let fork = input.fork();
    let mut name = fork.parse::<Ident>().ok()?.to_string();
    while fork.peek(Token![.]) {
        fork.parse::<Token![.]>().ok()?;
        name.push('.');
        name.push_str(&fork.parse::<Ident>().ok()?.to_string());
    }
    let is_equal = fork.peek(Token![=]) && !fork.peek(Token![==]);
    let is_colon = fork.peek(Token![:]) && !fork.peek(Token![::]);
    if !is_equal && !is_colon {
        return None;
    }
    use syn::parse::discouraged::Speculative;
    fork.parse::<TokenTree>().ok()?;
    input.advance_to(&fork);
    Some(name)
}

impl Inline {
    /// The macro, if it is of the simple kind.
    pub(super) fn of(definition: &Macro) -> Option<Self> {
        let mut trees = definition.tokens.clone().into_iter().peekable();
        let TokenTree::Group(matcher) = trees.next()? else { return None };
        for expected in ['=', '>'] {
            match trees.next()? {
                TokenTree::Punct(punct) if punct.as_char() == expected => {}
                _ => return None,
            }
        }
        let TokenTree::Group(body) = trees.next()? else { return None };
        match trees.next() {
            None => {}
            Some(TokenTree::Punct(punct)) if punct.as_char() == ';' && trees.peek().is_none() => {}
            Some(_) => return None,
        }
        let parameters = parameters(matcher.stream())?;
        Some(Self { parameters, body: body.stream() })
    }

    /// What a call of the macro comes to, if its arguments are expressions as many as there are parameters.
    fn expand(&self, call: &Macro) -> Option<Expr> {
        let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
        parser.parse2(call.tokens.clone()).ok().filter(|arguments| arguments.len() == self.parameters.len())?;
        let mut arguments: FxHashMap<&str, TokenStream> = FxHashMap::default();
        let mut names = self.parameters.iter();
        let mut current = TokenStream::new();
        let mut name = names.next();
        for tree in call.tokens.clone() {
            match &tree {
                TokenTree::Punct(punct) if punct.as_char() == ',' => {
                    arguments.insert(name?, std::mem::take(&mut current));
                    name = names.next();
                }
                _ => current.extend([tree]),
            }
        }
        if let Some(name) = name {
            arguments.insert(name, current);
        }
        let at = call.path.segments.first().map(|segment| segment.ident.span())?;
        let body = substitute(self.body.clone(), &arguments, at)?;
        // The braces of an arm are the macro's, not the language's: only several statements make a block.
        syn::parse2(body.clone()).ok().or_else(|| {
            let mut block = TokenStream::new();
            block.extend([TokenTree::Group(Group::new(Delimiter::Brace, body))]);
            syn::parse2(block).ok()
        })
    }
}

/// Names of `$a:expr, $b:expr`.
fn parameters(matcher: TokenStream) -> Option<Vec<String>> {
    let mut names = Vec::new();
    let mut trees = matcher.into_iter();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '$' => {}
            TokenTree::Punct(punct) if punct.as_char() == ',' => continue,
            _ => return None,
        }
        let TokenTree::Ident(name) = trees.next()? else { return None };
        let TokenTree::Punct(_) = trees.next()? else { return None };
        let TokenTree::Ident(kind) = trees.next()? else { return None };
        if kind != "expr" && kind != "ident" {
            return None;
        }
        names.push(name.to_string());
    }
    Some(names)
}

/// The body with its parameters replaced. Its own tokens are placed at the call.
fn substitute(
    body: TokenStream,
    arguments: &FxHashMap<&str, TokenStream>,
    at: proc_macro2::Span,
) -> Option<TokenStream> {
    let mut out = TokenStream::new();
    let mut trees = body.into_iter();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '$' => {
                let TokenTree::Ident(name) = trees.next()? else { return None };
                let argument = arguments.get(name.to_string().as_str())?.clone();
                let is_single = argument.clone().into_iter().nth(1).is_none();
                match is_single {
                    true => out.extend(argument),
                    false => out.extend([TokenTree::Group(Group::new(Delimiter::None, argument))]),
                }
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), substitute(group.stream(), arguments, at)?);
                inner.set_span(at);
                out.extend([TokenTree::Group(inner)]);
            }
            mut other => {
                other.set_span(at);
                out.extend([other]);
            }
        }
    }
    Some(out)
}
