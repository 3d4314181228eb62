//! Which functions the change made different for their callers, and by which word callers know them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::analysis::imprint::Imprint;
use crate::analysis::{FunctionId, ModuleId, Program};
use crate::change::ChangeSet;
use crate::flow::{
    Function, FunctionIndex, FunctionKind, Import, ImportKind, Module, Root, Scope, TypeTerm, ValueIndex, ValueKind,
    ValueOf, is_special,
};
use crate::text::{Language, Side};

/// A function of one side with what its callers can notice.
pub(crate) struct Marked {
    path: Arc<str>,
    qualified: String,
    pub(super) imprint: Imprint,
    /// How callers in other files name it; `None` where none can.
    sought: Option<Sought>,
    /// The collections of its file that hold it, by whose names callers get at it: `HANDLERS["start"](…)`.
    held_in: Vec<String>,
}

/// How callers in other files name a function.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Sought {
    /// The word that stands where it is called.
    pub(super) word: String,
    /// Words of which one most likely stands in a file that can mean it: its type, the bases of that, its module.
    pub(super) witnesses: Vec<String>,
    /// Whether it cannot be meant without one of them: `Cache::new`, `Cache.of(…)`.
    pub(super) needs_witness: bool,
}

/// A function that is not for its callers what it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Changed {
    /// Its file before the change, if it was there.
    pub(super) before: Option<Arc<str>>,
    /// Its file after the change, if it is there.
    pub(super) after: Option<Arc<str>>,
    pub(super) qualified: String,
    pub(super) sought: Sought,
    /// Whether the name itself is gone, so that whoever imports it is to be looked at.
    pub(super) is_gone: bool,
}

impl Changed {
    /// A function of an untouched file that changed with what it calls.
    pub(super) fn of_untouched(marked: &Marked) -> Option<Self> {
        Some(Self {
            before: Some(marked.path.clone()),
            after: Some(marked.path.clone()),
            qualified: marked.qualified.clone(),
            sought: marked.sought.clone()?,
            is_gone: false,
        })
    }

    /// The same function under the name that a file gives it for others.
    pub(super) fn renamed(&self, word: &str, by: &str) -> Self {
        let mut witnesses = self.sought.witnesses.clone();
        witnesses.extend(module_word(by));
        let sought = Sought { word: word.to_owned(), witnesses, needs_witness: false };
        Self { sought, ..self.clone() }
    }

    /// Its file on whichever side has it.
    pub(super) fn path(&self) -> &str {
        self.after.as_deref().or(self.before.as_deref()).unwrap_or("")
    }

    /// The definitions of this name on a side.
    pub(super) fn functions(&self, program: &Program) -> Vec<FunctionId> {
        let path = match program.side {
            Side::Before => &self.before,
            Side::After => &self.after,
        };
        let Some(module) = path.as_ref().and_then(|path| program.module_at(path)) else { return Vec::new() };
        let file = program.module(module);
        let named = file.functions().filter(|(_, function)| function.qualified == self.qualified);
        named.map(|(index, _)| FunctionId { module, index }).collect()
    }
}

/// What callers can notice of the functions of some files, tests left out.
pub(crate) fn marks(program: &Program, modules: &[ModuleId]) -> Vec<Marked> {
    let mut marks = Vec::new();
    for &module in modules {
        let file = program.module(module);
        for (index, function) in file.functions() {
            let id = FunctionId { module, index };
            if can_be_sought(function) && !program.is_test_code(id) {
                marks.push(mark(program, id));
            }
        }
    }
    marks
}

/// What callers can notice of a function.
pub(super) fn mark(program: &Program, id: FunctionId) -> Marked {
    let file = program.module(id.module);
    let function = file.function(id.index);
    Marked {
        path: file.path.clone(),
        qualified: function.qualified.clone(),
        imprint: program.imprint(id),
        sought: sought(&file, function),
        held_in: held_in(&file, function),
    }
}

/// The names of the collections at the top of a file that a function is put into.
fn held_in(file: &Module, function: &Function) -> Vec<String> {
    if file.language != Language::Python || function.owner.is_some() {
        return Vec::new();
    }
    let is_it = |by: &Function, value: ValueIndex| match &by.value(value).kind {
        ValueKind::Place(place) => {
            place.fields.is_empty() && matches!(&place.root, Root::Global(path) if path[..] == [function.name.clone()])
        }
        _ => false,
    };
    let holds = |of: &ValueOf| {
        let by = file.function(of.function);
        match &by.value(of.value).kind {
            ValueKind::Collection(_, items) => items.iter().any(|(_, item)| is_it(by, *item)),
            _ => false,
        }
    };
    let is_top = |scope: &Scope| scope.function.is_none_or(|function| function == FunctionIndex(0));
    let statics = file.statics.iter().filter(|of| is_top(&of.scope) && of.values.iter().any(holds));
    statics.map(|of| of.name.clone()).collect()
}

/// The functions whose imprints differ between the sides, in the order of paths and names.
pub(crate) fn changed(change: &ChangeSet, before: Vec<Marked>, after: Vec<Marked>) -> Vec<Changed> {
    #[derive(Default)]
    struct Pair {
        before: Vec<Marked>,
        after: Vec<Marked>,
    }
    let mut pairs: BTreeMap<(Arc<str>, String), Pair> = BTreeMap::new();
    for marked in before {
        let path = change.file(Side::Before, &marked.path).map_or(&marked.path, |file| file.path()).clone();
        pairs.entry((path, marked.qualified.clone())).or_default().before.push(marked);
    }
    for marked in after {
        pairs.entry((marked.path.clone(), marked.qualified.clone())).or_default().after.push(marked);
    }
    // What is gone here and new there may have moved.
    let lone = |pair: &&Pair| pair.before.is_empty() != pair.after.is_empty();
    let alone: Vec<&Marked> =
        pairs.values().filter(lone).flat_map(|pair| pair.before.iter().chain(&pair.after)).collect();
    let is_in = |side: Side, path: &str| change.file(side, path).is_some();
    let matters = |pair: &Pair| -> bool {
        match (&pair.before[..], &pair.after[..]) {
            ([_, ..], [_, ..]) => {
                !pair.before.iter().map(|one| &one.imprint).eq(pair.after.iter().map(|one| &one.imprint))
            }
            ([one, ..], []) | ([], [one, ..]) => {
                let word = one.sought.as_ref().map(|sought| &sought.word);
                let others = alone
                    .iter()
                    .filter(|other| other.path != one.path && other.sought.as_ref().map(|sought| &sought.word) == word);
                let mut others = others.peekable();
                // A function of a new file that was nowhere before has no callers that the change left alone.
                let is_new = pair.before.is_empty()
                    && !is_in(Side::Before, &one.path)
                    && change.file(Side::After, &one.path).is_some_and(|file| file.before.is_none());
                match others.peek() {
                    None => !is_new && !one.imprint.is_quiet(),
                    Some(_) => !others.any(|other| other.imprint == one.imprint),
                }
            }
            ([], []) => false,
        }
    };
    let found = pairs.values().filter(|pair| matters(pair)).filter_map(|pair| {
        let sought = pair.after.first().or(pair.before.first())?.sought.clone()?;
        let qualified = pair.after.first().or(pair.before.first())?.qualified.clone();
        let path = |marks: &[Marked]| marks.first().map(|one| one.path.clone());
        let held_in: BTreeSet<&String> = pair.before.iter().chain(&pair.after).flat_map(|one| &one.held_in).collect();
        let one = Changed { before: path(&pair.before), after: path(&pair.after), qualified, sought, is_gone: false };
        let held: Vec<Changed> = held_in.into_iter().map(|name| one.renamed(name, one.path())).collect();
        Some(std::iter::once(one).chain(held))
    });
    found.flatten().collect()
}

/// The names that a file has for others to import.
pub(crate) struct Names {
    path: Arc<str>,
    names: BTreeSet<String>,
}

/// The names that some files have for others to import.
pub(crate) fn names(program: &Program, modules: &[ModuleId]) -> Vec<Names> {
    modules.iter().map(|module| names_of(&program.module(*module))).collect()
}

fn names_of(file: &Module) -> Names {
    let is_top = |function: Option<FunctionIndex>| function.is_none_or(|function| function == FunctionIndex(0));
    let functions = file.functions.iter().filter(|function| {
        let is_free = function.owner.is_none() && function.in_impl.is_none();
        is_free && can_be_sought(function) && is_top(function.parent)
    });
    let functions = functions.map(|function| &function.name);
    let types = file.types.iter().filter(|of| is_top(of.scope.function)).map(|of| &of.name);
    let statics = file.statics.iter().filter(|of| is_top(of.scope.function)).map(|of| &of.name);
    // What a file imports is its own business, unless it is there to be imported from.
    let hands_on = file.language == Language::Rust || file.path.ends_with("__init__.py");
    let imports = file.imports.iter().filter(|import| {
        hands_on && import.is_public && import.kind == ImportKind::Name && is_top(import.scope.function)
    });
    let imports = imports.map(|import| &import.name);
    let names = functions.chain(types).chain(statics).chain(imports).filter(|name| !name.is_empty());
    Names { path: file.path.clone(), names: names.cloned().collect() }
}

/// The names that files of the before side had for others and have no more, in the order of paths and names.
pub(crate) fn gone(change: &ChangeSet, before: &[Names], after: &[Names]) -> Vec<Changed> {
    let mut found = Vec::new();
    for was in before {
        let now = change.file(Side::Before, &was.path).and_then(|file| file.after.as_ref()).map(|side| &side.path);
        // A file that moved takes its names with it, and whoever imports them from where it stood loses them all.
        let left = after.iter().find(|one| now == Some(&one.path) && one.path == was.path);
        for name in was.names.iter().filter(|name| left.is_none_or(|left| !left.names.contains(*name))) {
            let witnesses: Vec<String> = module_word(&was.path).into_iter().collect();
            let needs_witness = !witnesses.is_empty();
            found.push(Changed {
                before: Some(was.path.clone()),
                after: left.map(|left| left.path.clone()),
                qualified: name.clone(),
                sought: Sought { word: name.clone(), witnesses, needs_witness },
                is_gone: true,
            });
        }
    }
    found
}

/// The functions of a file in which one of these names is imported; the file's own code for its own imports.
pub(super) fn importing(file: &Module, words: &BTreeSet<&str>) -> BTreeSet<FunctionIndex> {
    if file.functions.is_empty() {
        return BTreeSet::new();
    }
    let names_one = |import: &&Import| {
        import.kind == ImportKind::Name && import.target.last().is_some_and(|last| words.contains(last.as_str()))
    };
    let imports = file.imports.iter().filter(names_one);
    imports.map(|import| import.scope.function.unwrap_or(FunctionIndex(0))).collect()
}

fn can_be_sought(function: &Function) -> bool {
    let is_named = match function.kind {
        FunctionKind::Free | FunctionKind::Method | FunctionKind::Static => true,
        FunctionKind::ClassMethod | FunctionKind::Property => true,
        FunctionKind::Module | FunctionKind::Closure | FunctionKind::AsyncBlock | FunctionKind::GeneratorExpression => {
            false
        }
    };
    is_named && function.parent.is_none_or(|parent| parent == FunctionIndex(0))
}

fn sought(file: &Module, function: &Function) -> Option<Sought> {
    if !can_be_sought(function) {
        return None;
    }
    let mut witnesses = Vec::new();
    let mut owner = None;
    if let Some(of) = function.owner.map(|index| &file.types[index.at()]) {
        owner = Some(of.name.clone());
        witnesses.extend(of.bases.iter().filter_map(last_name));
    }
    if let Some(block) = function.in_impl.and_then(|at| file.impls.get(at as usize)) {
        owner = last_name(&block.self_type);
        witnesses.extend(block.of_trait.as_ref().and_then(last_name));
    }
    let is_special = is_special(&function.name);
    // Nobody writes the name of a method that the language calls; its type is named where one is made.
    let word = if is_special { owner.clone()? } else { function.name.clone() };
    let is_by_type = matches!(function.kind, FunctionKind::Static | FunctionKind::ClassMethod);
    let needs_witness = owner.is_some() && is_by_type && file.language == Language::Rust;
    witnesses.extend(owner);
    if !needs_witness {
        witnesses.extend(module_word(&file.path));
    }
    witnesses.sort();
    witnesses.dedup();
    let is_operator =
        function.in_impl.is_some() && matches!(&*word, "drop" | "deref" | "deref_mut" | "fmt" | "index" | "index_mut");
    (!is_operator).then_some(Sought { word, witnesses, needs_witness })
}

/// The name under which a file is imported: its own, or its folder's.
fn module_word(path: &str) -> Option<String> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.split('.').next().unwrap_or(file);
    let folder = folder.rsplit('/').next().unwrap_or("");
    let word = match stem {
        "__init__" | "mod" | "lib" | "main" => folder,
        stem => stem,
    };
    (!word.is_empty() && word != "src").then(|| word.to_owned())
}

fn last_name(term: &TypeTerm) -> Option<String> {
    match term {
        TypeTerm::Path { segments, .. } => segments.last().cloned(),
        TypeTerm::Reference(inner) | TypeTerm::Annotated(inner, _) => last_name(inner),
        TypeTerm::Binding(..) | TypeTerm::Tuple(_) | TypeTerm::Union(_) | TypeTerm::Slice(_) => None,
        TypeTerm::Bounds(_) | TypeTerm::Function(..) | TypeTerm::Other(_) => None,
    }
}
