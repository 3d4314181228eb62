//! Names of Rust: paths from `crate`, `self` and `super`, `use` declarations, globs, members of modules and types.

use super::outline::{Binding, inside};
use super::rust_files::Spot;
use super::{Item, Lookup, Member, Want};
use crate::analysis::{FunctionId, ModuleId, Program, TypeId};
use crate::flow::{Scope, TypeKind};
use crate::text::Language;

impl Program<'_> {
    pub(super) fn rust_path(&self, module: ModuleId, scope: &Scope, segments: &[String], want: Want) -> Item {
        // `use a::{self}` names what comes before.
        let segments = match segments {
            [before @ .., last] if last == "self" && !before.is_empty() => before,
            all => all,
        };
        let Some((first, rest)) = segments.split_first() else { return Item::Unknown };
        let here: Spot = (module, scope.module.clone());
        let wanted = |rest: &[String]| if rest.is_empty() { want } else { Want::Inside };
        let (head, rest) = match first.as_str() {
            "crate" | "$crate" => (spot_item(Some(self.rust_root(&here))), rest),
            "self" => (spot_item(Some(here)), rest),
            "super" => (spot_item(self.rust_parent(&here)), rest),
            "Self" => (self.rust_self(module, scope), rest),
            // `::name` is a crate, whatever else has that name here.
            "" => match rest.split_first() {
                Some((name, rest)) => {
                    let found = self.rust_crate(module, name);
                    (found.unwrap_or_else(|| Item::External(name.clone())), rest)
                }
                None => return Item::Unknown,
            },
            name => (self.rust_name(module, scope, name, wanted(rest)), rest),
        };
        let mut item = head;
        let mut rest = rest;
        while let Some((segment, after)) = rest.split_first() {
            item = self.rust_member(&item, segment, wanted(after));
            rest = after;
        }
        item
    }

    /// A path's first name: the functions around it, the module, its globs, crates, what everybody may use.
    fn rust_name(&self, module: ModuleId, scope: &Scope, name: &str, want: Want) -> Item {
        let file = self.module(module);
        let mut function = inside(scope.function);
        while let Some(around) = function {
            let local = Scope { module: scope.module.clone(), function };
            let found = self.rust_bound(module, &local, name, want);
            if let Some(item) = found.or_else(|| self.rust_glob(module, &local, name, want, false)) {
                return item;
            }
            function = inside(file.function(around).parent);
        }
        let top = Scope { module: scope.module.clone(), function: None };
        self.rust_bound(module, &top, name, want)
            .or_else(|| self.rust_glob(module, &top, name, want, false))
            .or_else(|| if want == Want::Inside || is_crate_like(name) { self.rust_crate(module, name) } else { None })
            .or_else(|| self.tables(Language::Rust).prelude(name).map(|known| Item::External(known.to_owned())))
            .or_else(|| matches!(name, "std" | "core" | "alloc").then(|| Item::External(name.to_owned())))
            .or_else(|| self.rust_glob_outside(module, scope, name))
            // What is bound nowhere and has more below it is a crate that is no part of the project.
            .or_else(|| (want == Want::Inside && is_crate_like(name)).then(|| Item::External(name.to_owned())))
            .unwrap_or(Item::Unknown)
    }

    fn rust_glob_outside(&self, module: ModuleId, scope: &Scope, name: &str) -> Option<Item> {
        // `use tokio::net::*` does not make every unknown first segment, a crate's name above all, one of its own.
        if is_crate_like(name) {
            return None;
        }
        let local = Scope { module: scope.module.clone(), function: inside(scope.function) };
        let top = Scope { module: scope.module.clone(), function: None };
        let library = self.glob_outside(module, &local, false).or_else(|| self.glob_outside(module, &top, false))?;
        Some(external(&library, name))
    }

    /// The other free functions that bear a function's name where it is defined: `#[cfg]` decides between them.
    pub(in crate::analysis) fn namesakes(&self, id: FunctionId) -> Vec<FunctionId> {
        let function = self.function(id);
        let is_free = function.owner.is_none() && function.in_impl.is_none();
        if self.language(id.module) != Language::Rust || !is_free {
            return Vec::new();
        }
        let outline = self.outline(id.module);
        let scope = Scope { module: function.scope.module.clone(), function: inside(function.parent) };
        let bindings = outline.scope(&scope).map_or(&[][..], |names| names.of(&function.name));
        let functions = bindings.iter().filter_map(|binding| match binding {
            Binding::Function(index) if *index != id.index => Some(FunctionId { module: id.module, index: *index }),
            _ => None,
        });
        functions.collect()
    }

    /// What a name stands for if this very scope binds it.
    fn rust_bound(&self, module: ModuleId, scope: &Scope, name: &str, want: Want) -> Option<Item> {
        let outline = self.outline(module);
        let bindings = outline.scope(scope)?.of(name);
        if bindings.is_empty() {
            return None;
        }
        self.once(module, scope, name, Lookup::Own(want), || self.rust_choice(module, scope, bindings, want))
    }

    /// One of several bindings: Rust keeps types, values and modules apart, and `#[cfg]` may give several of one sort.
    fn rust_choice(&self, module: ModuleId, scope: &Scope, bindings: &[Binding], want: Want) -> Option<Item> {
        let rank = |binding: &Binding| match (binding, want) {
            (Binding::Submodule(_), Want::Inside) | (Binding::Function(_), Want::Thing) => 0,
            (Binding::Type(_), _) => 1,
            (Binding::Static(_), Want::Thing) => 2,
            (Binding::Import(_), _) => 3,
            (Binding::Submodule(_) | Binding::Static(_) | Binding::Function(_), _) => 4,
        };
        let is_chosen = |binding: &&Binding| match binding {
            Binding::Import(at) => self.module(module).imports[*at as usize].is_conditional,
            Binding::Submodule(_) => true,
            Binding::Function(_) | Binding::Type(_) | Binding::Static(_) => false,
        };
        let is_contested = bindings.iter().filter(is_chosen).count() > 1;
        let mut ranked: Vec<&Binding> = bindings.iter().collect();
        ranked.sort_by_key(|binding| rank(binding));
        let mut outside: Option<String> = None;
        for binding in ranked {
            let item = match binding {
                Binding::Function(index) => Item::Function(FunctionId { module, index: *index }),
                Binding::Type(index) => Item::Type(TypeId { module, index: *index }),
                Binding::Static(at) => Item::Static(module, *at),
                Binding::Import(at) => {
                    let file = self.module(module);
                    let import = &file.imports[*at as usize];
                    match import.target.as_slice() {
                        // `use regex::regex;` takes a macro or function: a path goes on from the crate.
                        [root, last] if want == Want::Inside && root == last && *last == import.name => continue,
                        // `use log;` is a crate.
                        [only] if self.is_outside(module, &import.scope, only) => Item::External(only.clone()),
                        target => self.rust_path(module, &import.scope, target, want),
                    }
                }
                Binding::Submodule(at) => {
                    let file = self.module(module);
                    let name = file.submodules[*at as usize].path.last()?;
                    spot_item(self.rust_submodule(&(module, scope.module.clone()), name))
                }
            };
            match item {
                Item::Unknown => {}
                // One name from two libraries is a `#[cfg]`: of a test double against the language's own, or of one
                // target against another. What is known serves better than what is not.
                Item::External(name) => {
                    let tables = self.tables(Language::Rust);
                    let is_better = |former: &String| !tables.describes(former) && tables.describes(&name);
                    // Which of the two locks it is decides what a call of it does.
                    let flavour = |of: &str| tables.lock(of).map(|lock| lock.flavour);
                    let is_other = |former: &String| match (flavour(former), flavour(&name)) {
                        (Some(former), Some(own)) => former != own,
                        _ => false,
                    };
                    if outside.as_ref().is_some_and(is_other) {
                        return None;
                    }
                    if outside.as_ref().is_none_or(|former| name.starts_with("std::") || is_better(former)) {
                        outside = Some(name);
                    }
                }
                item => {
                    if is_contested {
                        self.names.contested.borrow_mut().insert(item.clone());
                    }
                    return Some(item);
                }
            }
        }
        outside.map(Item::External)
    }

    fn is_outside(&self, module: ModuleId, scope: &Scope, name: &str) -> bool {
        is_crate_like(name)
            && !matches!(name, "crate" | "self" | "super")
            && self.rust_name(module, scope, name, Want::Inside) == Item::External(name.to_owned())
    }

    /// What the globs of a scope bring in under a name from within the project.
    fn rust_glob(
        &self,
        module: ModuleId,
        scope: &Scope,
        name: &str,
        want: Want,
        is_from_elsewhere: bool,
    ) -> Option<Item> {
        let outline = self.outline(module);
        let globs = &outline.scope(scope)?.globs;
        if globs.is_empty() {
            return None;
        }
        let file = self.module(module);
        let globs =
            globs.iter().map(|&at| &file.imports[at as usize]).filter(|glob| glob.is_public || !is_from_elsewhere);
        let is_contested = globs.clone().filter(|glob| glob.is_conditional).count() > 1;
        self.once(module, scope, name, Lookup::Globs { want, is_from_elsewhere }, || {
            globs.into_iter().find_map(|glob| {
                let found = match self.opened(module, glob) {
                    Item::Module(source, path) => {
                        // A module sees what the modules around it import; others see what is made public.
                        let is_around = source == module && scope.module.starts_with(&path)
                            || matches!(glob.target.first().map(String::as_str), Some("super"));
                        self.rust_visible(source, path, name, want, !is_around)
                    }
                    // A variant without payload is no call, so it may stay unknown rather than take any name.
                    Item::Type(id) if want == Want::Thing => self.variant(id, name, false),
                    _ => None,
                };
                if is_contested && glob.is_conditional {
                    self.names.contested.borrow_mut().extend(found.clone());
                }
                found
            })
        })
    }

    /// A name that a glob brings in from a module.
    fn rust_visible(
        &self,
        module: ModuleId,
        path: Vec<String>,
        name: &str,
        want: Want,
        is_from_elsewhere: bool,
    ) -> Option<Item> {
        let scope = Scope { module: path, function: None };
        let outline = self.outline(module);
        let file = self.module(module);
        let is_private = |binding: &Binding| match binding {
            Binding::Import(at) => is_from_elsewhere && !file.imports[*at as usize].is_public,
            Binding::Submodule(at) => is_from_elsewhere && !file.submodules[*at as usize].is_public,
            Binding::Function(_) | Binding::Type(_) | Binding::Static(_) => false,
        };
        let is_hidden = outline.scope(&scope).is_some_and(|names| {
            let bindings = names.of(name);
            !bindings.is_empty() && bindings.iter().all(is_private)
        });
        let own = if is_hidden { None } else { self.rust_bound(module, &scope, name, want) };
        own.or_else(|| self.rust_glob(module, &scope, name, want, is_from_elsewhere))
    }

    pub(super) fn rust_member(&self, item: &Item, name: &str, want: Want) -> Item {
        match item {
            Item::Module(module, path) => self.rust_in_module(*module, path, name, want),
            Item::Type(id) => self.rust_type_member(*id, name),
            Item::External(path) => external(path, name),
            Item::Function(_) | Item::Variant(..) | Item::Field(..) | Item::Static(..) => Item::Unknown,
            Item::Package { .. } | Item::Unknown => Item::Unknown,
        }
    }

    fn rust_in_module(&self, module: ModuleId, path: &[String], name: &str, want: Want) -> Item {
        let scope = Scope { module: path.to_vec(), function: None };
        match name {
            "super" => return spot_item(self.rust_parent(&(module, path.to_vec()))),
            "self" => return Item::Module(module, path.to_vec()),
            _ => {}
        }
        self.rust_bound(module, &scope, name, want)
            .or_else(|| self.rust_glob(module, &scope, name, want, false))
            .or_else(|| self.glob_outside(module, &scope, true).map(|library| external(&library, name)))
            .unwrap_or(Item::Unknown)
    }

    fn rust_type_member(&self, id: TypeId, name: &str) -> Item {
        let def = self.type_def(id);
        if def.kind == TypeKind::Alias {
            let target = def.bases.first().map(|base| self.resolve_type(id.module, &def.scope, base));
            return match target {
                Some(target) if target != Item::Type(id) => self.rust_alias_member(&target, name),
                _ => Item::Unknown,
            };
        }
        if let Some(variant) = self.variant(id, name, true) {
            return variant;
        }
        match self.method(id, name).into_iter().next() {
            Some(Member::Function(function)) => Item::Function(function),
            Some(Member::Field(owner, at)) => Item::Field(owner, at),
            Some(Member::External(name)) => Item::External(name),
            None => Item::Unknown,
        }
    }

    fn rust_alias_member(&self, target: &Item, name: &str) -> Item {
        match target {
            // An alias of an alias ends after as many hops as a re-export would.
            Item::Type(id) => {
                let alias = self.type_def(*id);
                let member = || Some(self.rust_type_member(*id, name));
                let below = format!("{}::{name}", alias.name);
                self.once(id.module, &alias.scope, &below, Lookup::Alias, member).unwrap_or(Item::Unknown)
            }
            other => self.rust_member(other, name, Want::Thing),
        }
    }

    /// A variant of an enum. Those without payload are not among its fields: below the enum itself what looks like one
    /// is one.
    fn variant(&self, id: TypeId, name: &str, is_below: bool) -> Option<Item> {
        let def = self.type_def(id);
        if def.kind != TypeKind::Enum {
            return None;
        }
        let is_payload =
            |field: &str| field.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let is_known = def.fields.iter().any(|field| is_payload(&field.name));
        let may_be = is_below && name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase);
        (is_known || may_be).then(|| Item::Variant(id, name.to_owned()))
    }

    fn rust_self(&self, module: ModuleId, scope: &Scope) -> Item {
        inside(scope.function).map_or(Item::Unknown, |index| self.self_item(FunctionId { module, index }))
    }
}

fn spot_item(spot: Option<Spot>) -> Item {
    spot.map_or(Item::Unknown, |(module, path)| Item::Module(module, path))
}

fn external(library: &str, name: &str) -> Item {
    Item::External(format!("{library}::{name}"))
}

fn is_crate_like(name: &str) -> bool {
    name.starts_with(|first: char| first.is_lowercase() || first == '_')
}
