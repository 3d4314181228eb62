//! The Rust packages of a tree, as its `Cargo.toml` files say.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::{Table, Value};

use crate::analysis::{Package, Renamed};
use crate::lower::Edition;

/// What the manifests of a tree say.
pub(super) struct Manifests {
    /// Packages, sorted by folder.
    pub(super) packages: Vec<Package>,
    /// Manifests that are no TOML.
    pub(super) damaged: Vec<String>,
}

/// Whether a path is a manifest's.
pub(super) fn is_manifest(path: &str) -> bool {
    path == "Cargo.toml" || path.ends_with("/Cargo.toml")
}

/// Reads manifests by path.
pub(super) fn read(texts: BTreeMap<String, Arc<str>>) -> Manifests {
    let mut damaged = Vec::new();
    let mut tables: BTreeMap<String, Table> = BTreeMap::new();
    for (path, text) in texts {
        match text.parse::<Table>() {
            Ok(table) => {
                let folder = path.strip_suffix("Cargo.toml").unwrap_or("").trim_end_matches('/');
                tables.insert(folder.to_owned(), table);
            }
            Err(_) => damaged.push(path),
        }
    }
    let packages = tables.iter().filter_map(|(folder, table)| package(folder, table, &tables)).collect();
    Manifests { packages, damaged }
}

fn package(folder: &str, manifest: &Table, all: &BTreeMap<String, Table>) -> Option<Package> {
    let head = manifest.get("package")?.as_table()?;
    let workspace = workspace_of(folder, all);
    let library = manifest.get("lib").and_then(Value::as_table);
    let of_library = |key: &str| library.and_then(|library| library.get(key)).and_then(Value::as_str);
    let name = of_library("name").or_else(|| head.get("name").and_then(Value::as_str))?;
    let edition = match head.get("edition") {
        Some(Value::Table(inherited)) if inherited.contains_key("workspace") => {
            workspace.and_then(|workspace| workspace.get("package")?.get("edition")?.as_str())
        }
        other => other.and_then(Value::as_str),
    };
    let year = edition.and_then(|edition| edition.parse::<u32>().ok());
    let mut renamed = Vec::new();
    renames(manifest, workspace, &mut renamed);
    for target in manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values) {
        renames_in(target, workspace, &mut renamed);
    }
    renamed.sort();
    renamed.dedup();
    let below = |path: &str| {
        let path = path.trim_start_matches("./");
        if folder.is_empty() { path.to_owned() } else { format!("{folder}/{path}") }
    };
    let targets = ["bin", "test", "bench", "example"].into_iter().filter_map(|kind| manifest.get(kind)?.as_array());
    let roots = targets.flatten().filter_map(|target| target.get("path")?.as_str());
    let mut roots: Vec<String> = roots.map(below).collect();
    roots.sort();
    Some(Package {
        folder: folder.to_owned(),
        name: crate_name(name),
        library: below(of_library("path").unwrap_or("src/lib.rs")),
        roots,
        edition: match year {
            Some(2024..) => Edition::From2024,
            Some(_) | None => Edition::Until2021,
        },
        is_edition_known: edition.is_some(),
        captures_parts: year.is_some_and(|year| year >= 2021),
        renamed,
    })
}

/// The `[workspace]` that a package belongs to: the nearest one in its folder or above.
fn workspace_of<'t>(folder: &str, all: &'t BTreeMap<String, Table>) -> Option<&'t Table> {
    let mut at = folder;
    loop {
        if let Some(workspace) = all.get(at).and_then(|manifest| manifest.get("workspace")?.as_table()) {
            return Some(workspace);
        }
        if at.is_empty() {
            return None;
        }
        at = at.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

fn renames_in(target: &Value, workspace: Option<&Table>, renamed: &mut Vec<Renamed>) {
    if let Some(target) = target.as_table() {
        renames(target, workspace, renamed);
    }
}

fn renames(manifest: &Table, workspace: Option<&Table>, renamed: &mut Vec<Renamed>) {
    for key in ["dependencies", "dev-dependencies", "build-dependencies"] {
        for (alias, dependency) in manifest.get(key).and_then(Value::as_table).into_iter().flatten() {
            let is_inherited = dependency.get("workspace").is_some();
            let shared = || workspace?.get("dependencies")?.get(alias);
            let Some(dependency) = (if is_inherited { shared() } else { Some(dependency) }) else { continue };
            if let Some(package) = dependency.get("package").and_then(Value::as_str) {
                let (alias, name) = (crate_name(alias), crate_name(package));
                renamed.push(Renamed { alias, name, is_by_path: dependency.get("path").is_some() });
            }
        }
    }
}

/// The name by which code uses a package.
fn crate_name(package: &str) -> String {
    package.replace('-', "_")
}
