//! What a file declares.

use syn::{
    Attribute, File, ForeignItem, Item, ItemForeignMod, ItemMod, Meta, Signature, StaticMutability, Stmt, Visibility,
};

use super::{Lowerer, macros, spans, types};
use crate::flow::{Ending, FunctionIndex, ImportKind, Static, Submodule, TypeTerm, ValueOf};
use crate::text::Span;

/// What is said about a static besides its initialiser.
pub(super) struct StaticHead {
    pub(super) name: String,
    pub(super) annotation: Option<TypeTerm>,
    pub(super) is_mutable: bool,
    pub(super) span: Span,
}

impl Lowerer<'_> {
    /// The whole file. The module's own function is what the frame holds.
    pub(super) fn file(&mut self, file: &File) {
        self.frame.body = crate::flow::build::Body::new();
        self.enter_block();
        self.module.functions[0].decorators = types::decorators(&file.attrs, self.text);
        self.around.is_test = is_for_tests(&file.attrs);
        file.items.iter().for_each(|item| self.item(item));
        let end = self.module.functions[0].span;
        self.leave(spans::end_of(end));
        self.frame.body.end(crate::flow::Next::Return(None));
        let frame = std::mem::replace(&mut self.frame, super::Frame::new(FunctionIndex(0), false));
        self.store(frame);
    }

    /// Notes the names that bodies must know: functions, statics, constants, simple macros.
    pub(super) fn look_ahead<'i>(&mut self, items: impl IntoIterator<Item = &'i Item>) {
        for item in items {
            match item {
                Item::Fn(item) => {
                    self.known.functions.insert(types::name_of(&item.sig.ident));
                }
                Item::Const(item) => {
                    self.known.constants.insert(types::name_of(&item.ident));
                }
                Item::Static(item) => {
                    self.known.statics.insert(types::name_of(&item.ident));
                }
                Item::ForeignMod(block) => {
                    for item in &block.items {
                        if let ForeignItem::Fn(item) = item {
                            self.known.functions.insert(types::name_of(&item.sig.ident));
                        }
                    }
                }
                Item::Macro(item) => {
                    if let Some(name) = &item.ident
                        && item.mac.path.is_ident("macro_rules")
                        && let Some(inline) = macros::Inline::of(&item.mac)
                    {
                        self.known.macros.insert(types::name_of(name), inline);
                    }
                }
                Item::Mod(module) => {
                    if let Some((_, items)) = &module.content {
                        self.look_ahead(items);
                    }
                }
                _ => {}
            }
        }
    }

    /// The same for items among statements.
    pub(super) fn look_ahead_in(&mut self, statements: &[Stmt]) {
        self.look_ahead(statements.iter().filter_map(|statement| match statement {
            Stmt::Item(item) => Some(item),
            Stmt::Local(_) | Stmt::Expr(..) | Stmt::Macro(_) => None,
        }));
    }

    /// One item, in a module or among statements.
    pub(super) fn item(&mut self, item: &Item) {
        let text = self.text;
        match item {
            Item::Fn(item) => {
                let start = start(&item.attrs, &item.vis, item.sig.fn_token.span, Some(&item.sig));
                self.function(&item.vis, &item.attrs, &item.sig, Some(&item.block), start);
            }
            Item::Impl(block) => self.impl_block(block),
            Item::Trait(item) => self.trait_item(item),
            Item::Struct(item) => self.struct_item(item),
            Item::Union(item) => self.union_item(item),
            Item::Enum(item) => self.enum_item(item),
            Item::Type(item) => self.alias(item),
            Item::TraitAlias(item) => self.trait_alias(item),
            Item::Static(item) => {
                let head = StaticHead {
                    name: types::name_of(&item.ident),
                    annotation: Some(types::term(&item.ty, text)),
                    is_mutable: matches!(item.mutability, StaticMutability::Mut(_)),
                    span: spans::token(item.ident.span()),
                };
                self.static_item(head, Some(&item.expr));
            }
            Item::Const(item) => {
                let head = StaticHead {
                    name: types::name_of(&item.ident),
                    annotation: Some(types::term(&item.ty, text)),
                    is_mutable: false,
                    span: spans::token(item.ident.span()),
                };
                self.static_item(head, Some(&item.expr));
            }
            Item::Mod(module) => self.mod_item(module),
            Item::Use(item) => self.use_item(item),
            Item::ExternCrate(item) => {
                let name = types::name_of(&item.ident);
                let alias = item.rename.as_ref().map_or_else(|| name.clone(), |(_, alias)| types::name_of(alias));
                let span = spans::between(item.extern_token.span, item.semi_token.span);
                if item.attrs.iter().any(|attr| attr.path().is_ident("macro_use")) {
                    self.import(String::new(), vec![name.clone()], ImportKind::Macros, false, span);
                }
                self.import(alias, vec![name], ImportKind::Module, is_public(&item.vis), span);
            }
            Item::ForeignMod(block) => self.foreign(block),
            Item::Macro(item) => self.macro_item(item),
            _ => {}
        }
    }

    /// A static or constant: its initialiser belongs to the module's own function.
    pub(super) fn static_item(&mut self, head: StaticHead, value: Option<&syn::Expr>) {
        let scope = self.scope();
        // The module's frame lies at the bottom while a function is lowered.
        let is_nested = !self.outer.is_empty();
        if is_nested {
            std::mem::swap(&mut self.frame, &mut self.outer[0]);
        }
        let values = value.map(|value| {
            self.enter_temporaries(Ending::Statement);
            let lowered = self.value(value);
            self.consume(lowered);
            self.leave(spans::end_of(spans::expr(value)));
            ValueOf { function: FunctionIndex(0), value: lowered }
        });
        if is_nested {
            std::mem::swap(&mut self.frame, &mut self.outer[0]);
        }
        self.module.statics.push(Static {
            name: head.name,
            scope,
            annotation: head.annotation,
            alias: None,
            values: values.into_iter().collect(),
            is_mutable: head.is_mutable,
            span: head.span,
        });
    }

    fn mod_item(&mut self, module: &ItemMod) {
        let name = types::name_of(&module.ident);
        let mut inner = self.around.clone();
        inner.module.push(name);
        inner.is_test |= is_for_tests(&module.attrs);
        inner.prefix.clear();
        let start = start(&module.attrs, &module.vis, module.mod_token.span, None);
        let end = match (&module.content, module.semi) {
            (Some((brace, _)), _) => spans::token(brace.span.close()).end,
            (None, Some(semi)) => spans::token(semi.span).end,
            (None, None) => spans::token(module.ident.span()).end,
        };
        self.module.submodules.push(Submodule {
            path: inner.module.clone(),
            is_inline: module.content.is_some(),
            file: types::path_attribute(&module.attrs),
            is_test: inner.is_test,
            is_public: is_public(&module.vis),
            span: Span::new(start, end),
        });
        let around = std::mem::replace(&mut self.around, inner);
        for item in module.content.iter().flat_map(|(_, items)| items) {
            self.item(item);
        }
        self.around = around;
    }

    fn foreign(&mut self, block: &ItemForeignMod) {
        for item in &block.items {
            match item {
                ForeignItem::Fn(item) => {
                    let start = start(&item.attrs, &item.vis, item.sig.fn_token.span, Some(&item.sig));
                    self.function(&item.vis, &item.attrs, &item.sig, None, start);
                }
                ForeignItem::Static(item) => {
                    let head = StaticHead {
                        name: types::name_of(&item.ident),
                        annotation: Some(types::term(&item.ty, self.text)),
                        is_mutable: matches!(item.mutability, StaticMutability::Mut(_)),
                        span: spans::token(item.ident.span()),
                    };
                    self.static_item(head, None);
                }
                _ => {}
            }
        }
    }
}

/// Where an item starts, its attributes included.
pub(super) fn start(attrs: &[Attribute], vis: &Visibility, keyword: proc_macro2::Span, sig: Option<&Signature>) -> u32 {
    if let Some(attribute) = attrs.first() {
        return spans::token(attribute.pound_token.span).start;
    }
    let vis = match vis {
        Visibility::Public(token) => Some(token.span),
        Visibility::Restricted(restricted) => Some(restricted.pub_token.span),
        _ => None,
    };
    let before = sig.and_then(|sig| {
        let tokens = [sig.constness.map(|t| t.span), sig.asyncness.map(|t| t.span), safety(sig)];
        let abi = sig.abi.as_ref().map(|abi| abi.extern_token.span);
        tokens.into_iter().chain([abi]).flatten().next()
    });
    spans::token(vis.or(before).unwrap_or(keyword)).start
}

fn safety(sig: &Signature) -> Option<proc_macro2::Span> {
    match &sig.safety {
        syn::Safety::Unsafe(token) => Some(token.span),
        _ => None,
    }
}

pub(super) fn is_public(vis: &Visibility) -> bool {
    !matches!(vis, Visibility::Inherited)
}

/// Whether attributes say `#[cfg(test)]`, also among `any` and `all`, not under `not`.
pub(super) fn is_for_tests(attrs: &[Attribute]) -> bool {
    fn says_test(tokens: proc_macro2::TokenStream) -> bool {
        let mut is_negated = false;
        for tree in tokens {
            match tree {
                proc_macro2::TokenTree::Ident(ident) if ident == "test" => return true,
                proc_macro2::TokenTree::Ident(ident) => is_negated = ident == "not",
                proc_macro2::TokenTree::Group(group) if !is_negated && says_test(group.stream()) => return true,
                _ => {}
            }
        }
        false
    }
    attrs.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && says_test(list.tokens.clone()),
        Meta::Path(_) | Meta::NameValue(_) => false,
    })
}
