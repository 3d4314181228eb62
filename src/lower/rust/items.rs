//! What a file declares.

use syn::{
    Attribute, Block, Fields, File, FnArg, ForeignItem, Generics, ImplItem, Item, ItemEnum, ItemForeignMod, ItemImpl,
    ItemMod, ItemTrait, ItemUse, Meta, Receiver, ReceiverKind, Signature, StaticMutability, Stmt, TraitItem, Type,
    UseTree, Visibility,
};

use super::{Around, Lowerer, macros, spans, types};
use crate::flow::{
    Colour, Ending, FieldDef, Function, FunctionIndex, FunctionKind, Impl, Import, ImportKind, Mark, ParameterKind,
    Scope, Static, Submodule, TypeDef, TypeIndex, TypeKind, TypeTerm, ValueOf,
};
use crate::lower::prelude;
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
            Item::Struct(item) => {
                let end = item.semi_token.map_or_else(|| spans::node(&item.fields).end, |s| spans::token(s.span).end);
                let span = Span::new(start(&item.attrs, &item.vis, item.struct_token.span, None), end);
                let mut def = self.type_def(&item.ident, TypeKind::Struct, &item.generics, &item.attrs, span);
                def.fields = fields(&item.fields, "", text);
                self.module.types.push(def);
            }
            Item::Union(item) => {
                let start = start(&item.attrs, &item.vis, item.union_token.span, None);
                let span = Span::new(start, spans::token(item.fields.brace_token.span.close()).end);
                let mut def = self.type_def(&item.ident, TypeKind::Struct, &item.generics, &item.attrs, span);
                def.fields = fields(&Fields::Named(item.fields.clone()), "", text);
                self.module.types.push(def);
            }
            Item::Enum(item) => self.enum_item(item),
            Item::Type(item) => {
                let start = start(&item.attrs, &item.vis, item.type_token.span, None);
                let span = Span::new(start, spans::token(item.semi_token.span).end);
                let mut def = self.type_def(&item.ident, TypeKind::Alias, &item.generics, &item.attrs, span);
                def.bases = vec![types::term(&item.ty, text)];
                self.module.types.push(def);
            }
            Item::TraitAlias(item) => {
                let start = start(&item.attrs, &item.vis, item.trait_token.span, None);
                let span = Span::new(start, spans::token(item.semi_token.span).end);
                let mut def = self.type_def(&item.ident, TypeKind::Trait, &item.generics, &item.attrs, span);
                def.bases = types::bounds(&item.bounds, text);
                self.module.types.push(def);
            }
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

    /// A function with a name. `start` is where its attributes begin.
    fn function(&mut self, vis: &Visibility, attrs: &[Attribute], sig: &Signature, block: Option<&Block>, start: u32) {
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

    fn type_def(
        &self,
        ident: &proc_macro2::Ident,
        kind: TypeKind,
        generics: &Generics,
        attrs: &[Attribute],
        span: Span,
    ) -> TypeDef {
        let name = types::name_of(ident);
        TypeDef {
            qualified: self.qualified(&name),
            name,
            scope: self.scope(),
            kind,
            generics: types::generics(generics, self.text),
            bases: Vec::new(),
            fields: Vec::new(),
            methods: Vec::new(),
            decorators: types::decorators(attrs, self.text),
            span,
            header: spans::token(ident.span()),
        }
    }

    fn enum_item(&mut self, item: &ItemEnum) {
        let start = start(&item.attrs, &item.vis, item.enum_token.span, None);
        let span = Span::new(start, spans::token(item.brace_token.span.close()).end);
        let mut def = self.type_def(&item.ident, TypeKind::Enum, &item.generics, &item.attrs, span);
        for variant in &item.variants {
            let name = types::name_of(&variant.ident);
            def.fields.extend(fields(&variant.fields, &format!("{name}."), self.text));
        }
        self.module.types.push(def);
    }

    fn impl_block(&mut self, block: &ItemImpl) {
        let text = self.text;
        let self_type = types::term(&block.self_ty, text);
        let name = match &self_type {
            TypeTerm::Path { segments, .. } => segments.last().cloned().unwrap_or_default(),
            TypeTerm::Reference(inner) => match &**inner {
                TypeTerm::Path { segments, .. } => segments.last().cloned().unwrap_or_default(),
                _ => spans::node(&*block.self_ty).text(text).to_owned(),
            },
            _ => spans::node(&*block.self_ty).text(text).to_owned(),
        };
        let first = block.attrs.first().map_or(block.impl_token.span, |attribute| attribute.pound_token.span);
        let associated = block.items.iter().filter_map(|item| match item {
            ImplItem::Type(item) => Some((types::name_of(&item.ident), types::term(&item.ty, text))),
            _ => None,
        });
        let at = self.module.impls.len() as u32;
        self.module.impls.push(Impl {
            self_type,
            of_trait: block.trait_.as_ref().map(|(path, _)| types::path_term(path, text)),
            generics: types::generics(&block.generics, text),
            associated: associated.collect(),
            functions: Vec::new(),
            scope: self.scope(),
            span: spans::between(first, block.brace_token.span.close()),
        });
        let mut inner = self.around.clone();
        inner.prefix.push(name);
        inner.is_test |= is_for_tests(&block.attrs);
        inner.in_impl = Some(at);
        inner.owner = None;
        let around = std::mem::replace(&mut self.around, inner);
        for item in &block.items {
            match item {
                ImplItem::Fn(item) => {
                    let start = start(&item.attrs, &item.vis, item.sig.fn_token.span, Some(&item.sig));
                    self.function(&item.vis, &item.attrs, &item.sig, Some(&item.block), start);
                }
                ImplItem::Const(item) => {
                    self.associated_const(&item.ident, &item.ty, Some(&item.expr));
                }
                _ => {}
            }
        }
        self.around = around;
    }

    fn trait_item(&mut self, item: &ItemTrait) {
        let text = self.text;
        let start_of = start(&item.attrs, &item.vis, item.trait_token.span, None);
        let span = Span::new(start_of, spans::token(item.brace_token.span.close()).end);
        let mut def = self.type_def(&item.ident, TypeKind::Trait, &item.generics, &item.attrs, span);
        def.bases = types::bounds(&item.supertraits, text);
        // What the trait says of its associated types is told where generic bounds are told: `Self::Item: Send`.
        for member in &item.items {
            if let TraitItem::Type(member) = member {
                let name = format!("Self::{}", types::name_of(&member.ident));
                def.generics.push(crate::flow::Generic { name, bounds: types::bounds(&member.bounds, text) });
            }
        }
        let owner = TypeIndex(self.module.types.len() as u32);
        self.module.types.push(def);
        let mut inner = self.around.clone();
        inner.prefix.push(types::name_of(&item.ident));
        inner.is_test |= is_for_tests(&item.attrs);
        inner.in_impl = None;
        inner.owner = Some(owner);
        let around = std::mem::replace(&mut self.around, inner);
        for member in &item.items {
            match member {
                TraitItem::Fn(member) => {
                    let start =
                        start(&member.attrs, &Visibility::Inherited, member.sig.fn_token.span, Some(&member.sig));
                    let vis = Visibility::Inherited;
                    self.function(&vis, &member.attrs, &member.sig, member.default.as_ref(), start);
                }
                TraitItem::Const(member) => {
                    let value = member.default.as_ref().map(|(_, value)| value);
                    self.associated_const(&member.ident, &member.ty, value);
                }
                _ => {}
            }
        }
        self.around = around;
    }

    fn associated_const(&mut self, ident: &proc_macro2::Ident, ty: &Type, value: Option<&syn::Expr>) {
        let owner = self.around.prefix.last().cloned().unwrap_or_default();
        let head = StaticHead {
            name: format!("{owner}::{}", types::name_of(ident)),
            annotation: Some(types::term(ty, self.text)),
            is_mutable: false,
            span: spans::token(ident.span()),
        };
        self.static_item(head, value);
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
            span: Span::new(start, end),
        });
        let around = std::mem::replace(&mut self.around, inner);
        for item in module.content.iter().flat_map(|(_, items)| items) {
            self.item(item);
        }
        self.around = around;
    }

    fn use_item(&mut self, item: &ItemUse) {
        let mut prefix = Vec::new();
        self.use_tree(&item.tree, &mut prefix, is_public(&item.vis));
    }

    fn use_tree(&mut self, tree: &UseTree, prefix: &mut Vec<String>, is_public: bool) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(types::name_of(&path.ident));
                self.use_tree(&path.tree, prefix, is_public);
                prefix.pop();
            }
            UseTree::Name(name) => {
                let span = spans::token(name.ident.span());
                self.used(&name.ident, None, prefix, is_public, span);
            }
            UseTree::Rename(name) => {
                let span = spans::between(name.ident.span(), name.rename.span());
                self.used(&name.ident, Some(&name.rename), prefix, is_public, span);
            }
            UseTree::Glob(glob) => {
                let span = spans::token(glob.star_token.span);
                self.import(String::new(), prefix.clone(), ImportKind::Glob, is_public, span);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, prefix, is_public);
                }
            }
        }
    }

    fn used(
        &mut self,
        ident: &proc_macro2::Ident,
        alias: Option<&proc_macro2::Ident>,
        prefix: &[String],
        is_public: bool,
        span: Span,
    ) {
        let own = types::name_of(ident);
        let mut target = prefix.to_vec();
        // `use a::b::{self}` names `a::b`.
        if own != "self" || prefix.is_empty() {
            target.push(own);
        }
        let kind = if target.len() == 1 { ImportKind::Module } else { ImportKind::Name };
        let name = match alias {
            Some(alias) => types::name_of(alias),
            None => target.last().cloned().unwrap_or_default(),
        };
        // `use Trait as _` gives no name, but its methods.
        let name = if name == "_" { String::new() } else { name };
        self.import(name, target, kind, is_public, span);
    }

    fn import(&mut self, name: String, target: Vec<String>, kind: ImportKind, is_public: bool, span: Span) {
        let scope: Scope = self.scope();
        self.module.imports.push(Import { scope, name, target, level: 0, kind, is_public, span });
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
fn start(attrs: &[Attribute], vis: &Visibility, keyword: proc_macro2::Span, sig: Option<&Signature>) -> u32 {
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

fn is_public(vis: &Visibility) -> bool {
    !matches!(vis, Visibility::Inherited)
}

fn fields(fields: &Fields, prefix: &str, text: &str) -> Vec<FieldDef> {
    let field = |(at, field): (usize, &syn::Field)| {
        let name = field.ident.as_ref().map_or_else(|| at.to_string(), types::name_of);
        let span = field.ident.as_ref().map_or_else(|| spans::node(&field.ty), |ident| spans::token(ident.span()));
        FieldDef {
            name: format!("{prefix}{name}"),
            annotation: Some(types::term(&field.ty, text)),
            values: Vec::new(),
            is_of_class: false,
            span,
        }
    };
    fields.iter().enumerate().map(field).collect()
}

/// Whether attributes say `#[cfg(test)]`, also among `any` and `all`, not under `not`.
fn is_for_tests(attrs: &[Attribute]) -> bool {
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
