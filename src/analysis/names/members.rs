//! Methods and fields of types, through base classes, `impl` blocks and traits.
//!
//! Impl blocks and subclasses are found by the last name they mention and then resolved, so that a module which is
//! loaded costs nothing until somebody asks about a type of that name.

use std::cell::RefCell;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::index::{ImplId, Index};
use super::outline::inside;
use super::rust_files::is_below;
use super::{Item, folder_of, heirs};
use crate::analysis::{FunctionId, ModuleId, Program, TypeId};
use crate::flow::{Call, Function, FunctionIndex, FunctionKind, Impl, Root, TypeKind, TypeTerm, ValueIndex, ValueKind};
use crate::text::Language;

/// What a name below a type stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Member {
    /// A method, property or associated function of the project.
    Function(FunctionId),
    /// A field or attribute: index into [`crate::flow::TypeDef::fields`].
    Field(TypeId, u32),
    /// Something that a base class or trait outside the project gives: `threading.Thread.start`.
    External(String),
}

/// What is known about the types of the loaded modules.
#[derive(Default)]
pub(super) struct Cache {
    pub(super) index: RefCell<Index>,
    orders: RefCell<FxHashMap<TypeId, Arc<Order>>>,
    bases: RefCell<FxHashMap<TypeId, Arc<[Item]>>>,
    pub(super) heirs: heirs::Cache,
    widened: RefCell<FxHashSet<(TypeId, String)>>,
    /// Modules whose imported traits were looked at.
    extended: RefCell<FxHashSet<ModuleId>>,
}

/// A Python class and its bases, in the order in which attributes are looked up.
#[derive(Default)]
struct Order {
    types: Vec<TypeId>,
    outside: Vec<String>,
}

/// Most classes above a class.
const MOST_BASES: usize = 64;

impl Program<'_> {
    /// What a name below a type may stand for. Several are candidates: implementations of a trait's method, or a method
    /// and a field of one name. In Python the first class that has the name decides; in Rust the type's own functions do
    /// before those of traits, and these before the traits' defaults.
    pub fn method(&self, id: TypeId, name: &str) -> Vec<Member> {
        let module = self.module(id.module);
        match (module.language, self.type_def(id).kind) {
            (Language::Python, _) => self.python_method(id, name),
            (Language::Rust, TypeKind::Trait) => self.trait_method(id, name, &mut Vec::new()),
            (Language::Rust, TypeKind::Alias) => self.aliased_method(id, name),
            (Language::Rust, TypeKind::Class | TypeKind::Struct | TypeKind::Enum) => self.rust_method(id, name),
        }
    }

    /// The base classes, supertraits, or what an alias stands for, as written from left to right.
    pub fn bases(&self, id: TypeId) -> Arc<[Item]> {
        if let Some(known) = self.names.members.bases.borrow().get(&id) {
            return known.clone();
        }
        let cuts = self.names.circles.borrow().cuts();
        let def = self.type_def(id);
        let bases = def.bases.iter().map(|base| match (self.resolve_type(id.module, &def.scope, base), base) {
            // The body of a class sees the classes defined beside it in the body of the class around it.
            (Item::Unknown, TypeTerm::Path { segments, .. }) => self.beside(id, segments).unwrap_or(Item::Unknown),
            (item, _) => item,
        });
        let bases: Arc<[Item]> = bases.collect();
        if self.names.circles.borrow().is_whole_since(cuts) {
            self.names.members.bases.borrow_mut().insert(id, bases.clone());
        }
        bases
    }

    fn beside(&self, id: TypeId, segments: &[String]) -> Option<Item> {
        let outline = self.outline(id.module);
        let outer = outline.outer(id.index)?;
        let (first, rest) = segments.split_first()?;
        let index = outline.inner(&self.module(id.module), outer, first)?;
        let head = Item::Type(TypeId { module: id.module, index });
        Some(rest.iter().fold(head, |item, segment| self.python_member(&item, segment)))
    }

    /// The first `impl` block of loaded modules for a type that names this associated type.
    pub fn impl_with(&self, id: TypeId, associated: &str) -> Option<ImplId> {
        let name = self.type_def(id).name.clone();
        // Few blocks name one, so this is asked before the type is resolved.
        let names_it = |at: &ImplId| {
            let owner = self.module(at.0);
            owner.impls[at.1 as usize].associated.iter().any(|(name, _)| name == associated)
        };
        let candidates = self.indexed(|index| index.under(&index.impls, &name));
        if !candidates.iter().any(names_it) {
            return None;
        }
        self.impls_of(id).into_iter().find(names_it)
    }

    /// Whether a Rust type is a future, by an `impl` of the trait whose `poll` an executor calls.
    pub fn is_future(&self, id: TypeId) -> bool {
        let tables = self.tables(Language::Rust);
        self.impls_of(id).into_iter().any(|at| {
            self.block(at, |module, block| match &block.of_trait {
                Some(term) => matches!(self.resolve_type(module, &block.scope, term),
                    Item::External(name) if tables.context_of_method(&name, "poll").is_some()),
                None => false,
            })
        })
    }

    /// The `impl` blocks of loaded modules for a type, or of a trait: index into [`crate::flow::Module::impls`].
    pub fn impls_of(&self, id: TypeId) -> Vec<(ModuleId, u32)> {
        let def = self.type_def(id);
        let name = def.name.clone();
        let is_trait = def.kind == TypeKind::Trait;
        let candidates = |index: &Index| {
            let table = if is_trait { &index.of_traits } else { &index.impls };
            index.under(table, &name)
        };
        self.settled(candidates, |(module, at)| {
            let file = self.module(*module);
            let block = &file.impls[*at as usize];
            let term = if is_trait { block.of_trait.as_ref() } else { Some(&block.self_type) };
            term.is_some_and(|term| self.resolve_type(*module, &block.scope, term) == Item::Type(id))
        })
    }

    /// The methods that the project gives a library's type by traits of its own: `impl HandyLock for Mutex<T>`. The
    /// traits that the asking module imports are looked at first, so that their files are there.
    pub fn extension_method(&self, asking: ModuleId, type_name: &str, method: &str) -> Vec<FunctionId> {
        if self.names.members.extended.borrow_mut().insert(asking) {
            let module = self.module(asking);
            for import in module.imports.iter().filter(|import| import.name.starts_with(char::is_uppercase)) {
                self.resolve(asking, &import.scope, std::slice::from_ref(&import.name));
            }
        }
        let last = type_name.rsplit("::").next().unwrap_or(type_name);
        let impls = self.settled(
            |index| index.impls.get(last).cloned().unwrap_or_default(),
            |(module, at)| {
                let file = self.module(*module);
                let block = &file.impls[*at as usize];
                let of = self.resolve_type(*module, &block.scope, &block.self_type);
                matches!(of, Item::External(name) if name == type_name)
            },
        );
        self.in_impls(&impls, method)
    }

    /// The type in whose definition or `impl` a function stands, closures and nested functions included.
    pub fn self_type(&self, id: FunctionId) -> Option<TypeId> {
        match self.self_item(id) {
            Item::Type(id) => Some(id),
            _ => None,
        }
    }

    /// The same where the type may be one of a library: `impl Load for Arc<Store>`.
    pub fn self_item(&self, id: FunctionId) -> Item {
        let module = self.module(id.module);
        let mut around = Some(id.index);
        while let Some(index) = around {
            let function = module.function(index);
            if let Some(index) = function.owner {
                return Item::Type(TypeId { module: id.module, index });
            }
            if let Some(block) = function.in_impl.and_then(|at| module.impls.get(at as usize)) {
                return self.resolve_type(id.module, &block.scope, &block.self_type);
            }
            around = inside(function.parent);
        }
        Item::Unknown
    }

    /// The method whose place a method takes: that of the nearest base class, or of the trait that it implements.
    pub fn overridden(&self, id: FunctionId) -> Option<FunctionId> {
        let function = self.function(id);
        match (function.owner, function.in_impl, self.language(id.module)) {
            (Some(index), _, Language::Python) => {
                let order = self.order(TypeId { module: id.module, index });
                order.types.iter().skip(1).find_map(|class| self.own_method(*class, &function.name))
            }
            (None, Some(block), Language::Rust) => self.own_method(self.trait_of((id.module, block))?, &function.name),
            _ => None,
        }
    }

    /// Whether a type had a function of this name in its own body or blocks on the other side of the change.
    pub fn had_method(&self, id: TypeId, name: &str) -> bool {
        let file = self.module(id.module);
        let own = &file.types[id.index.at()];
        let Some(other) = self.loader.module(self.side.other(), &file.path) else { return false };
        let of_class = other.types.iter().filter(|of| of.qualified == own.qualified).flat_map(|of| &of.methods);
        let of_blocks = other.impls.iter().filter(|block| match &block.self_type {
            TypeTerm::Path { segments, .. } => segments.last() == Some(&own.name),
            _ => false,
        });
        let of_blocks = of_blocks.flat_map(|block| &block.functions);
        of_class.chain(of_blocks).any(|index| other.function(*index).name == name)
    }

    /// Whether a Rust type implements a trait from outside the project that it did not implement on the other side of the
    /// change, so that what it lost may come to it by that trait, or by what is implemented for all that have it.
    pub fn may_have_from_outside(&self, id: TypeId) -> bool {
        let file = self.module(id.module);
        let own = &file.types[id.index.at()];
        let Some(other) = self.loader.module(self.side.other(), &file.path) else { return false };
        let is_of_it = |block: &&crate::flow::Impl| match &block.self_type {
            TypeTerm::Path { segments, .. } => segments.last() == Some(&own.name),
            _ => false,
        };
        let had: Vec<_> = other.impls.iter().filter(is_of_it).filter_map(|block| block.of_trait.as_ref()).collect();
        file.impls.iter().filter(is_of_it).any(|block| {
            block.of_trait.as_ref().is_some_and(|of| {
                let TypeTerm::Path { segments, .. } = of else { return false };
                let is_own = matches!(self.resolve(id.module, &block.scope, segments), Item::Type(_));
                !had.contains(&of) && !is_own
            })
        })
    }

    /// Whether something beside its own body and blocks may give a type a method: a decorator, a `derive`, or, in Python, a
    /// call at the top of the file that is given the class.
    pub fn may_be_given(&self, id: TypeId, name: &str) -> bool {
        let file = self.module(id.module);
        let of = &file.types[id.index.at()];
        match self.language(id.module) {
            Language::Rust => of.decorators.iter().any(|one| self.may_derive(id.module, &of.scope, one, name)),
            Language::Python => {
                let is_it = |value: ValueIndex| match &file.function(FunctionIndex(0)).value(value).kind {
                    ValueKind::Place(place) => {
                        place.fields.is_empty()
                            && matches!(&place.root, Root::Global(path) if path[..] == [of.name.clone()])
                    }
                    _ => false,
                };
                let top = file.functions.first();
                let is_given = |(_, call): (ValueIndex, &Call)| call.arguments.iter().any(|given| is_it(given.value));
                // What libraries write into a class (`dataclass`) are methods that the language calls.
                let is_of_project =
                    |path: &[String]| !matches!(self.resolve(id.module, &of.scope, path), Item::External(_));
                of.decorators.iter().any(|one| is_of_project(&one.path))
                    || top.is_some_and(|top| top.calls().any(is_given))
            }
        }
    }

    fn python_method(&self, id: TypeId, name: &str) -> Vec<Member> {
        let order = self.order(id);
        for &class in &order.types {
            let function = self.own_method(class, name);
            let is_property = |id: &FunctionId| self.function(*id).kind == FunctionKind::Property;
            // A property's setter writes the attribute of that name; the property is what is read.
            let field = if function.iter().any(is_property) { None } else { self.own_field(class, name) };
            if function.is_some() || field.is_some() {
                return function.into_iter().map(Member::Function).chain(field).collect();
            }
        }
        order
            .outside
            .iter()
            .map(|base| Member::External(self.canonical_name(Language::Python, format!("{base}.{name}"))))
            .collect()
    }

    /// The bases of a Python class that lie outside the project, as far as they are known, by their canonical names.
    pub fn bases_outside(&self, id: TypeId) -> Vec<String> {
        self.order(id).outside.iter().map(|base| self.canonical_name(Language::Python, base.clone())).collect()
    }

    /// Left to right, depth first, a base after everything that inherits from it: what C3 gives for sane hierarchies.
    fn order(&self, id: TypeId) -> Arc<Order> {
        if let Some(known) = self.names.members.orders.borrow().get(&id) {
            return known.clone();
        }
        let (mut types, mut outside) = (Vec::new(), Vec::new());
        let mut open = vec![(id, Vec::new())];
        while let Some((class, path)) = open.pop() {
            types.push(class);
            let mut below = Vec::new();
            for base in &*self.bases(class) {
                match base {
                    Item::Type(base) if *base != class && !path.contains(base) => {
                        let mut path = path.clone();
                        path.push(class);
                        below.push((*base, path));
                    }
                    Item::External(base) if !outside.contains(base) => outside.push(base.clone()),
                    _ => {}
                }
            }
            if types.len() < MOST_BASES {
                open.extend(below.into_iter().rev());
            }
        }
        let is_last = |(at, class): &(usize, TypeId)| !types[at + 1..].contains(class);
        let types = types.iter().copied().enumerate().filter(is_last).map(|(_, class)| class).collect();
        let order = Arc::new(Order { types, outside });
        self.names.members.orders.borrow_mut().insert(id, order.clone());
        order
    }

    /// Methods in a class's or trait's own body: the last with a body, accessors of a property other than its reader
    /// left out.
    pub(super) fn own_method(&self, id: TypeId, name: &str) -> Option<FunctionId> {
        let module = self.module(id.module);
        let def = &module.types[id.index.at()];
        let named = |index: &&_| {
            let function = module.function(**index);
            function.name == name && !is_accessor(function)
        };
        let has_body = |index: &&_| named(index) && !module.function(**index).is_bodiless;
        let found = def.methods.iter().rfind(has_body).or_else(|| def.methods.iter().rfind(named))?;
        Some(FunctionId { module: id.module, index: *found })
    }

    fn own_field(&self, id: TypeId, name: &str) -> Option<Member> {
        let at = self.type_def(id).fields.iter().position(|field| field.name == name)?;
        Some(Member::Field(id, at as u32))
    }

    fn aliased_method(&self, id: TypeId, name: &str) -> Vec<Member> {
        let mut seen = vec![id];
        let mut at = id;
        loop {
            match self.bases(at).first() {
                Some(&Item::Type(target)) if self.type_def(target).kind != TypeKind::Alias => {
                    return self.method(target, name);
                }
                // An alias of an alias.
                Some(&Item::Type(target)) if !seen.contains(&target) => {
                    seen.push(target);
                    at = target;
                }
                Some(Item::External(target)) => {
                    return vec![Member::External(self.canonical_name(Language::Rust, format!("{target}::{name}")))];
                }
                _ => return Vec::new(),
            }
        }
    }

    fn rust_method(&self, id: TypeId, name: &str) -> Vec<Member> {
        let mut functions = self.rust_functions(id, name);
        let field = self.own_field(id, name);
        if functions.is_empty() && field.is_none() && self.widen(id, name) {
            functions = self.rust_functions(id, name);
        }
        let found: Vec<Member> = functions.into_iter().map(Member::Function).chain(field).collect();
        if found.is_empty() { self.given_by_traits_outside(id, name) } else { found }
    }

    fn rust_functions(&self, id: TypeId, name: &str) -> Vec<FunctionId> {
        let impls = self.impls_of(id);
        let (own, of_traits): (Vec<_>, Vec<_>) =
            impls.into_iter().partition(|&at| self.block(at, |_, block| block.of_trait.is_none()));
        let mut found = self.in_impls(&own, name);
        if found.is_empty() {
            // Which trait is meant depends on those that the caller imports: what one block defines and what another
            // trait of the type provides are equals.
            let (defining, silent): (Vec<_>, Vec<_>) =
                of_traits.into_iter().partition(|at| !self.in_impls(&[*at], name).is_empty());
            found = self.in_impls(&defining, name);
            let traits = silent.iter().filter_map(|&at| self.trait_of(at));
            let default = |id: TypeId| self.own_method(id, name).filter(|id| !self.function(*id).is_bodiless);
            found.extend(traits.filter_map(default));
            found.dedup();
        }
        if found.is_empty() {
            self.indexed(|_| ());
            let blanket = self.names.members.index.borrow().blanket.clone();
            found = self.in_impls(&blanket, name);
        }
        found
    }

    fn given_by_traits_outside(&self, id: TypeId, name: &str) -> Vec<Member> {
        let tables = self.tables(Language::Rust);
        let traits = self.impls_of(id).into_iter().filter_map(|at| {
            self.block(at, |module, block| match self.resolve_type(module, &block.scope, block.of_trait.as_ref()?) {
                Item::External(name) => Some(name),
                _ => None,
            })
        });
        // A type implements many traits of the standard library; only one that is known to give this name matters.
        let is_known = |name: &String| tables.signature(name).is_some() || tables.blocking(name).is_some();
        traits.map(|of| format!("{of}::{name}")).filter(is_known).map(Member::External).collect()
    }

    fn trait_method(&self, id: TypeId, name: &str, seen: &mut Vec<TypeId>) -> Vec<Member> {
        if seen.contains(&id) {
            return Vec::new();
        }
        seen.push(id);
        let own = self.own_method(id, name);
        let mut found = self.in_impls(&self.impls_of(id), name);
        // What tests and examples give the trait is not what other code meets.
        let is_ordinary = |id: &FunctionId| !self.is_test_code(*id);
        if own.is_some_and(|own| is_ordinary(&own) && !self.function(own).is_bodiless) || found.iter().any(is_ordinary)
        {
            found.retain(is_ordinary);
        }
        found.extend(own.filter(|own| found.is_empty() || !self.function(*own).is_bodiless));
        if !found.is_empty() {
            return found.into_iter().map(Member::Function).collect();
        }
        let mut outside = Vec::new();
        for base in &*self.bases(id) {
            match base {
                Item::Type(base) => {
                    let inherited = self.trait_method(*base, name, seen);
                    if inherited.iter().any(|member| !matches!(member, Member::External(_))) {
                        return inherited;
                    }
                    outside.extend(inherited);
                }
                Item::External(base) => {
                    outside.push(Member::External(self.canonical_name(Language::Rust, format!("{base}::{name}"))));
                }
                _ => {}
            }
        }
        outside
    }

    fn canonical_name(&self, language: Language, name: String) -> String {
        self.tables(language).alias(&name).unwrap_or(name)
    }

    fn trait_of(&self, at: ImplId) -> Option<TypeId> {
        self.block(at, |module, block| match self.resolve_type(module, &block.scope, block.of_trait.as_ref()?) {
            Item::Type(id) => Some(id),
            _ => None,
        })
    }

    pub(super) fn in_impls(&self, impls: &[ImplId], name: &str) -> Vec<FunctionId> {
        let in_one = |&at: &ImplId| {
            let module = self.module(at.0);
            let block = &module.impls[at.1 as usize];
            let named = block.functions.iter().filter(|index| module.function(**index).name == name);
            named.map(|index| FunctionId { module: at.0, index: *index }).collect::<Vec<_>>()
        };
        impls.iter().flat_map(in_one).collect()
    }

    fn block<T>(&self, (module, at): ImplId, look: impl FnOnce(ModuleId, &Impl) -> T) -> T {
        look(module, &self.module(module).impls[at as usize])
    }

    /// Loads the files beside a type's own that may hold an `impl` with this function. Whether any was loaded.
    fn widen(&self, id: TypeId, name: &str) -> bool {
        if !self.names.members.widened.borrow_mut().insert((id, name.to_owned())) {
            return false;
        }
        let path = self.module(id.module).path.clone();
        let folder = folder_of(&path);
        let own = self.type_def(id);
        let files = self.loader.files(self.side);
        let first = files.partition_point(|file| **file < *folder);
        let before = self.loaded().len();
        let below = files[first..].iter().take_while(|file| is_below(file, folder) || file.starts_with(folder));
        let is_candidate = |file: &&Arc<str>| {
            // One folder further down: `store.rs` keeps its parts in `store/`.
            let is_near = folder_of(file) == folder || folder_of(folder_of(file)) == folder;
            is_near && file.ends_with(".rs") && !self.by_path.borrow().contains_key(&***file)
        };
        let may_define = |file: &Arc<str>| {
            let words = self.loader.vocabulary(self.side, file);
            words.is_none_or(|words| words.defines(name) && words.holds(&own.name))
        };
        for file in below.filter(is_candidate).filter(|file| may_define(file)) {
            self.led_to(file);
        }
        self.loaded().len() > before
    }
}

fn is_accessor(function: &Function) -> bool {
    let last = |path: &[String]| matches!(path, [_, .., last] if last == "setter" || last == "deleter");
    function.decorators.iter().any(|decorator| last(&decorator.path))
}
