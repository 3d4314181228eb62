//! Rust: the module tree, `use`, crates, impls and traits.

use super::{Project, function_named, leads, leads_in, members};

#[test]
fn inline_file_and_path_modules_are_followed() {
    let project = Project::new(&[
        (
            "src/lib.rs",
            "mod store;\nmod deep;\n#[path = \"odd/name.rs\"]\nmod odd;\nmod inline {\n    pub fn here() {}\n    pub mod file;\n\
             \n    pub fn up() { super::top(); }\n}\nfn top() {}\n",
        ),
        ("src/store.rs", "pub mod rows;\npub fn open() {}\n"),
        ("src/store/rows.rs", "pub fn read() { super::open(); }\n"),
        ("src/deep/mod.rs", "pub mod deeper;\n"),
        ("src/deep/deeper.rs", "use super::super::store::open as unlock;\npub fn f() { unlock(); }\n"),
        ("src/odd/name.rs", "pub fn strange() { crate::top(); }\n"),
        ("src/inline/file.rs", "pub fn far() { super::here(); }\n"),
    ])
    .package("", "shop", &[]);
    let program = project.program();
    let lib = |path| leads(&program, "src/lib.rs", path);
    assert_eq!(lib("store::open"), "src/store.rs open");
    assert_eq!(lib("crate::store::rows::read"), "src/store/rows.rs read");
    assert_eq!(lib("deep::deeper::f"), "src/deep/deeper.rs f");
    assert_eq!(lib("self::odd::strange"), "src/odd/name.rs strange");
    assert_eq!(lib("inline::here"), "src/lib.rs inline::here");
    assert_eq!(lib("inline::file::far"), "src/inline/file.rs far");
    assert_eq!(leads_in(&program, "src/lib.rs", "mod inline", "super::top"), "src/lib.rs top");
    // Up again, each from a program that has seen nothing else.
    let alone = |file, path| leads(&project.program(), file, path);
    assert_eq!(alone("src/store/rows.rs", "super::open"), "src/store.rs open");
    assert_eq!(alone("src/deep/deeper.rs", "unlock"), "src/store.rs open");
    assert_eq!(alone("src/odd/name.rs", "crate::top"), "src/lib.rs top");
    assert_eq!(alone("src/inline/file.rs", "super::here"), "src/lib.rs inline::here");
}

#[test]
fn use_groups_renames_globs_and_reexports_are_followed() {
    let project = Project::new(&[
        (
            "src/lib.rs",
            "pub mod a;\nmod b;\npub use a::{Store as Shop, make::{self, new}};\npub use b::*;\nuse std::sync::Mutex as M;\n\
             use tokio::sync::{self, RwLock};\n",
        ),
        ("src/a.rs", "pub mod make;\npub struct Store;\nimpl Store { pub fn open() {} }\n"),
        ("src/a/make.rs", "pub fn new() {}\n"),
        ("src/b.rs", "use std::fs::File;\npub fn shared() {}\npub enum Colour { Red(u8), Green }\nfn f() { use Colour::*; }\n"),
    ])
    .package("", "shop", &[]);
    let program = project.program();
    let lib = |path| leads(&program, "src/lib.rs", path);
    assert_eq!(lib("Shop"), "src/a.rs Store");
    assert_eq!(lib("Shop::open"), "src/a.rs Store::open");
    assert_eq!(lib("new"), "src/a/make.rs new");
    assert_eq!(lib("make::new"), "src/a/make.rs new");
    assert_eq!(lib("shared"), "src/b.rs shared");
    assert_eq!(lib("crate::shared"), "src/b.rs shared");
    assert_eq!(lib("Colour::Red"), "src/b.rs Colour variant Red");
    assert_eq!(lib("Colour::Green"), "src/b.rs Colour variant Green");
    assert_eq!(leads_in(&program, "src/b.rs", "f", "Red"), "src/b.rs Colour variant Red");
    assert_eq!(leads_in(&program, "src/b.rs", "f", "Vec"), "outside std::vec::Vec");
    assert_eq!(lib("M"), "outside std::sync::Mutex");
    assert_eq!(lib("M::new"), "outside std::sync::Mutex::new");
    assert_eq!(lib("sync::Notify"), "outside tokio::sync::Notify");
    assert_eq!(lib("RwLock"), "outside tokio::sync::RwLock");
    assert_eq!(lib("Vec"), "outside std::vec::Vec");
    assert_eq!(lib("reqwest::get"), "outside reqwest::get");
    // The private import of another module is not brought in by a glob.
    assert_eq!(lib("File"), "unknown");
    assert_eq!(lib("missing"), "unknown");
}

#[test]
fn a_module_and_a_function_of_one_name_stay_apart() {
    let project = Project::new(&[
        ("src/lib.rs", "mod join;\npub use join::join;\nuse log;\n"),
        ("src/join.rs", "pub fn join() {}\npub fn other() {}\n"),
    ])
    .package("", "shop", &[]);
    let program = project.program();
    assert_eq!(leads(&program, "src/lib.rs", "join"), "src/join.rs join");
    assert_eq!(leads(&program, "src/lib.rs", "join::other"), "src/join.rs other");
    assert_eq!(leads(&program, "src/lib.rs", "log::info"), "outside log::info");
}

#[test]
fn a_glob_of_a_library_gives_what_nothing_else_binds() {
    let project = Project::new(&[
        ("src/lib.rs", "use tokio::sync::*;\nmod tests {\n    use super::*;\n    fn t() {}\n}\npub mod p { pub use std::sync::*; }\nmod q { use super::p::*; }\n"),
    ])
    .package("", "shop", &[]);
    let program = project.program();
    assert_eq!(leads(&program, "src/lib.rs", "Mutex"), "outside tokio::sync::Mutex");
    assert_eq!(leads(&program, "src/lib.rs", "Vec"), "outside std::vec::Vec");
    assert_eq!(leads(&program, "src/lib.rs", "p::Mutex"), "outside std::sync::Mutex");
}

#[test]
fn crates_of_the_workspace_and_renamed_dependencies_are_known() {
    let project = Project::new(&[
        ("crates/core-lib/src/lib.rs", "pub mod db;\npub use db::Pool;\n"),
        ("crates/core-lib/src/db.rs", "pub struct Pool;\nimpl Pool { pub fn get(&self) {} }\n"),
        (
            "app/src/main.rs",
            "mod web;\nuse core_lib::Pool;\nuse base::db;\nuse tokio1::sync::Mutex;\nuse core_old::Gone;\n",
        ),
        ("app/src/web.rs", "use crate::Pool;\nuse ::core_lib::db::Pool as P;\n"),
    ])
    .package("app", "app", &[("base", "core_lib", true), ("tokio1", "tokio", false), ("core_old", "core_lib", false)])
    .package("crates/core-lib", "core_lib", &[]);
    let program = project.program();
    let main = |path| leads(&program, "app/src/main.rs", path);
    assert_eq!(main("Pool"), "crates/core-lib/src/db.rs Pool");
    assert_eq!(main("Pool::get"), "crates/core-lib/src/db.rs Pool::get");
    assert_eq!(main("db::Pool"), "crates/core-lib/src/db.rs Pool");
    assert_eq!(main("Mutex"), "outside tokio::sync::Mutex");
    // A release of a package of the project is no part of it.
    assert_eq!(main("Gone"), "outside core_lib::Gone");
    assert_eq!(leads(&program, "app/src/web.rs", "Pool"), "crates/core-lib/src/db.rs Pool");
    assert_eq!(leads(&program, "app/src/web.rs", "P"), "crates/core-lib/src/db.rs Pool");
    let db = program.module_at("crates/core-lib/src/db.rs").expect("it is there");
    let get = function_named(&program, db, "Pool::get");
    assert_eq!(program.qualified_name(get), "core_lib::db::Pool::get");
}

#[test]
fn methods_come_from_impls_traits_and_defaults() {
    let project = Project::new(&[
        ("src/lib.rs", "mod kv;\nmod disk;\nmod memory;\npub use kv::Kv as Store;\n"),
        ("src/kv.rs", "pub trait Kv { fn get(&self); fn twice(&self) { self.get(); } }\npub trait Named: Kv {}\n"),
        ("src/disk.rs", "use crate::Store;\npub struct Disk { path: u8 }\nimpl Store for Disk { fn get(&self) {} }\n"),
        (
            "src/memory.rs",
            "use crate::kv::Kv;\npub struct Memory;\nimpl Kv for Memory { fn get(&self) {} fn twice(&self) {} }\n\
             impl Memory { fn get(&self) {} }\ntype Alias = Memory;\n",
        ),
    ])
    .package("", "shop", &[]);
    let program = project.program();
    ["src/disk.rs", "src/memory.rs"].iter().for_each(|file| assert!(program.module_at(file).is_some()));
    assert_eq!(members(&program, "src/memory.rs", "Memory", "get"), ["src/memory.rs Memory::get"]);
    assert_eq!(members(&program, "src/memory.rs", "Alias", "twice"), ["src/memory.rs Memory::twice"]);
    assert_eq!(members(&program, "src/disk.rs", "Disk", "twice"), ["src/kv.rs Kv::twice"]);
    assert_eq!(members(&program, "src/disk.rs", "Disk", "path"), ["src/disk.rs Disk field path"]);
    let kv = |of, name| {
        let mut found = members(&program, "src/kv.rs", of, name);
        found.sort();
        found
    };
    assert_eq!(kv("Kv", "get"), ["src/disk.rs Disk::get", "src/memory.rs Memory::get"]);
    assert_eq!(kv("Named", "twice"), ["src/kv.rs Kv::twice", "src/memory.rs Memory::twice"]);
}

#[test]
fn an_impl_in_another_file_of_the_folder_is_found() {
    let project = Project::new(&[
        ("src/lib.rs", "pub mod store;\n"),
        ("src/store/mod.rs", "mod write;\nmod noise;\npub struct Store;\n"),
        ("src/store/write.rs", "use super::Store;\nimpl Store { pub fn flush(&self) {} }\n"),
        ("src/store/noise.rs", "pub fn quiet() {}\n"),
    ])
    .package("", "shop", &[]);
    let program = project.program();
    assert_eq!(members(&program, "src/lib.rs", "store::Store", "flush"), ["src/store/write.rs Store::flush"]);
    assert_eq!(leads(&program, "src/lib.rs", "store::Store::flush"), "src/store/write.rs Store::flush");
    assert_eq!(program.loaded().len(), 3, "what does not mention the type is not read");
}

#[test]
fn self_is_the_type_around() {
    let project = Project::new(&[(
        "src/lib.rs",
        "struct A;\nimpl A { fn new() {} fn f(&self) { let g = || Self::new(); } }\n\
         trait T { fn t(); }\nimpl T for Box<A> { fn t() {} }\n",
    )])
    .package("", "shop", &[]);
    let program = project.program();
    assert_eq!(leads_in(&program, "src/lib.rs", "A::f", "Self::new"), "src/lib.rs A::new");
    assert_eq!(leads_in(&program, "src/lib.rs", "Box::t", "Self::new"), "outside std::boxed::Box::new");
}
