//! What `use` brings.

use syn::{ItemUse, UseTree};

use super::items::is_public;
use super::{Lowerer, spans, types};
use crate::flow::{Import, ImportKind, Scope};
use crate::text::Span;

impl Lowerer<'_> {
    pub(super) fn use_item(&mut self, item: &ItemUse) {
        let mut prefix: Vec<String> = item.leading_colon.iter().map(|_| String::new()).collect();
        let first = self.module.imports.len();
        self.use_tree(&item.tree, &mut prefix, is_public(&item.vis));
        let is_conditional = item.attrs.iter().any(|attribute| attribute.path().is_ident("cfg"));
        self.module.imports[first..].iter_mut().for_each(|import| import.is_conditional = is_conditional);
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

    pub(super) fn import(&mut self, name: String, target: Vec<String>, kind: ImportKind, is_public: bool, span: Span) {
        let scope: Scope = self.scope();
        self.module.imports.push(Import {
            scope,
            name,
            target,
            level: 0,
            kind,
            is_conditional: false,
            is_public,
            span,
        });
    }
}
