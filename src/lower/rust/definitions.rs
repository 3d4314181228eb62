//! Types and traits, and what belongs to them: fields, methods, associated types and constants.

use syn::{
    Attribute, Fields, Generics, ImplItem, ItemEnum, ItemImpl, ItemStruct, ItemTrait, ItemTraitAlias, ItemType,
    ItemUnion, TraitItem, Type, Visibility,
};

use super::items::{StaticHead, is_for_tests, start};
use super::{Lowerer, spans, types};
use crate::flow::{FieldDef, Impl, TypeDef, TypeIndex, TypeKind, TypeTerm};
use crate::text::Span;

impl Lowerer<'_> {
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
            metaclass: None,
            fields: Vec::new(),
            methods: Vec::new(),
            decorators: types::decorators(attrs, self.text),
            span,
            header: spans::token(ident.span()),
        }
    }

    pub(super) fn struct_item(&mut self, item: &ItemStruct) {
        let end = item.semi_token.map_or_else(|| spans::node(&item.fields).end, |s| spans::token(s.span).end);
        let span = Span::new(start(&item.attrs, &item.vis, item.struct_token.span, None), end);
        let mut def = self.type_def(&item.ident, TypeKind::Struct, &item.generics, &item.attrs, span);
        def.fields = fields(&item.fields, "", self.text);
        self.module.types.push(def);
    }

    pub(super) fn union_item(&mut self, item: &ItemUnion) {
        let start = start(&item.attrs, &item.vis, item.union_token.span, None);
        let span = Span::new(start, spans::token(item.fields.brace_token.span.close()).end);
        let mut def = self.type_def(&item.ident, TypeKind::Struct, &item.generics, &item.attrs, span);
        def.fields = fields(&Fields::Named(item.fields.clone()), "", self.text);
        self.module.types.push(def);
    }

    pub(super) fn enum_item(&mut self, item: &ItemEnum) {
        let start = start(&item.attrs, &item.vis, item.enum_token.span, None);
        let span = Span::new(start, spans::token(item.brace_token.span.close()).end);
        let mut def = self.type_def(&item.ident, TypeKind::Enum, &item.generics, &item.attrs, span);
        for variant in &item.variants {
            let name = types::name_of(&variant.ident);
            def.fields.extend(fields(&variant.fields, &format!("{name}."), self.text));
        }
        self.module.types.push(def);
    }

    pub(super) fn alias(&mut self, item: &ItemType) {
        let start = start(&item.attrs, &item.vis, item.type_token.span, None);
        let span = Span::new(start, spans::token(item.semi_token.span).end);
        let mut def = self.type_def(&item.ident, TypeKind::Alias, &item.generics, &item.attrs, span);
        def.bases = vec![types::term(&item.ty, self.text)];
        self.module.types.push(def);
    }

    pub(super) fn trait_alias(&mut self, item: &ItemTraitAlias) {
        let start = start(&item.attrs, &item.vis, item.trait_token.span, None);
        let span = Span::new(start, spans::token(item.semi_token.span).end);
        let mut def = self.type_def(&item.ident, TypeKind::Trait, &item.generics, &item.attrs, span);
        def.bases = types::bounds(&item.bounds, self.text);
        self.module.types.push(def);
    }

    pub(super) fn impl_block(&mut self, block: &ItemImpl) {
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

    pub(super) fn trait_item(&mut self, item: &ItemTrait) {
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
