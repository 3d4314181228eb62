//! Small projects in memory, and where their names lead.

mod python;
mod rust;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Item, Member};
use crate::analysis::{FunctionId, Loader, Mentions, ModuleId, Package, Program, TypeId, Vocabulary};
use crate::catalogue::Catalogue;
use crate::flow::{FunctionIndex, Module, Scope, TypeIndex};
use crate::lower::{Edition, lower};
use crate::text::{Side, SourceFile};

/// A project: texts by path.
pub(super) struct Project {
    files: BTreeMap<&'static str, &'static str>,
    packages: Vec<Package>,
}

impl Project {
    pub(super) fn new(files: &[(&'static str, &'static str)]) -> Self {
        Self { files: files.iter().copied().collect(), packages: Vec::new() }
    }

    pub(super) fn package(mut self, folder: &str, name: &str, renamed: &[(&str, &str, bool)]) -> Self {
        let library = if folder.is_empty() { "src/lib.rs".to_owned() } else { format!("{folder}/src/lib.rs") };
        self.packages.push(Package {
            folder: folder.to_owned(),
            name: name.to_owned(),
            library,
            roots: Vec::new(),
            edition: Edition::From2024,
            is_edition_known: true,
            captures_parts: true,
            renamed: renamed.iter().map(Into::into).collect(),
        });
        self
    }

    pub(super) fn program(&self) -> Program<'_> {
        Program::new(Side::After, Catalogue::builtin(), self)
    }
}

impl Loader for Project {
    fn module(&self, _: Side, path: &str) -> Option<Arc<Module>> {
        let file = SourceFile::new(path, *self.files.get(path)?)?;
        Some(Arc::new(lower(&file, Edition::From2024)))
    }

    fn has(&self, _: Side, path: &str) -> bool {
        self.files.contains_key(path)
    }

    fn vocabulary(&self, _: Side, path: &str) -> Option<Arc<Vocabulary>> {
        Some(Arc::new(Vocabulary::of(self.files.get(path)?.as_bytes())))
    }

    fn files(&self, _: Side) -> Arc<[Arc<str>]> {
        self.files.keys().map(|path| Arc::from(*path)).collect()
    }

    fn packages(&self, _: Side) -> Arc<[Package]> {
        self.packages.clone().into()
    }

    fn mentioning(&self, _: Side, paths: &[Arc<str>], mentions: &Mentions<'_>) -> Vec<Arc<str>> {
        let holds = |path: &&Arc<str>| self.files.get(&***path).is_some_and(|file| mentions(file.as_bytes()));
        paths.iter().filter(holds).cloned().collect()
    }
}

/// The function of a module that has this qualified name within its file; the last, where there are several.
pub(super) fn function_named(program: &Program, module: ModuleId, qualified: &str) -> FunctionId {
    let file = program.module(module);
    let at = file.functions.iter().rposition(|function| function.qualified == qualified);
    FunctionId { module, index: FunctionIndex(at.expect("the file has this function") as u32) }
}

/// The type of a module that has this qualified name within its file; the last, where there are several.
pub(super) fn type_named(program: &Program, module: ModuleId, qualified: &str) -> TypeId {
    let file = program.module(module);
    let at = file.types.iter().rposition(|def| def.qualified == qualified);
    TypeId { module, index: TypeIndex(at.expect("the file has this type") as u32) }
}

/// Where a path leads from a file: the full name with the file, or what else it is.
pub(super) fn leads(program: &Program, file: &str, path: &str) -> String {
    leads_in(program, file, "", path)
}

/// The same from the body of a function, or from an inline module named by `mod …`.
pub(super) fn leads_in(program: &Program, file: &str, place: &str, path: &str) -> String {
    let id = program.module_at(file).expect("the project has this file");
    let module = program.module(id);
    let separator = module.language.separator();
    let scope = match place.strip_prefix("mod ") {
        Some(inline) => Scope { module: inline.split("::").map(str::to_owned).collect(), function: None },
        None if place.is_empty() => Scope::default(),
        None => {
            let function = function_named(program, id, place).index;
            Scope { module: module.function(function).scope.module.clone(), function: Some(function) }
        }
    };
    let segments: Vec<String> = path.split(separator).map(str::to_owned).collect();
    shown(program, &program.resolve(id, &scope, &segments))
}

fn file_of(program: &Program, id: ModuleId) -> String {
    program.module(id).path.to_string()
}

pub(super) fn shown(program: &Program, item: &Item) -> String {
    let file = |id: ModuleId| file_of(program, id);
    match item {
        Item::Function(id) => format!("{} {}", file(id.module), program.function(*id).qualified),
        Item::Type(id) => format!("{} {}", file(id.module), program.type_def(*id).qualified),
        Item::Variant(id, name) => format!("{} {} variant {name}", file(id.module), program.type_def(*id).qualified),
        Item::Field(id, at) => {
            let def = program.type_def(*id);
            format!("{} {} field {}", file(id.module), def.qualified, def.fields[*at as usize].name)
        }
        Item::Static(id, at) => format!("{} static {}", file(*id), program.module(*id).statics[*at as usize].name),
        Item::Module(id, path) => [&[file(*id)], path.as_slice()].concat().join(" mod "),
        Item::Package { folder, name } => format!("folder {folder} as {name}"),
        Item::External(name) => format!("outside {name}"),
        Item::Unknown => "unknown".to_owned(),
    }
}

/// What a method name may stand for on a type, named by a path from a file.
pub(super) fn members(program: &Program, file: &str, of: &str, name: &str) -> Vec<String> {
    let id = program.module_at(file).expect("the project has this file");
    let separator = program.module(id).language.separator();
    let segments: Vec<String> = of.split(separator).map(str::to_owned).collect();
    let Item::Type(of) = program.resolve(id, &Scope::default(), &segments) else { return vec!["no type".to_owned()] };
    let members = program.method(of, name).into_iter().map(|member| match member {
        Member::Function(id) => shown(program, &Item::Function(id)),
        Member::Field(id, at) => shown(program, &Item::Field(id, at)),
        Member::External(name) => shown(program, &Item::External(name)),
    });
    members.collect()
}

#[test]
fn a_module_that_cannot_be_loaded_is_asked_for_once() {
    let project = Project::new(&[("a.py", "")]);
    let program = project.program();
    assert!(program.module_at("b.py").is_none());
    assert!(program.module_at("b.py").is_none());
    assert_eq!(program.loaded().len(), 0);
}
