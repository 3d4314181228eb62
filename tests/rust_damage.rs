//! Rust files that were cut, nested without end, or are no Rust at all: nothing panics, and what was complete before
//! the damage is still read whole.

mod support;

use std::path::PathBuf;

use proptest::prelude::*;
use tenth::analysis::Program;
use tenth::catalogue::Catalogue;
use tenth::flow::{Function, Mark, Module, Quality};
use tenth::load::{self, Files};
use tenth::lower::{Edition, lower};
use tenth::text::{LineIndex, Side, SourceFile};
use tenth::verdict::Stance;

/// Into how many pieces each fixture is cut.
const CUTS: usize = 200;

fn read(text: &str) -> Module {
    lower(&SourceFile::new("src/lib.rs", text).expect("the ending names a language"), Edition::From2024)
}

fn fixtures() -> Vec<(PathBuf, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/lowering/rust");
    let entries = std::fs::read_dir(folder).expect("the fixtures are there");
    let paths = entries.map(|entry| entry.expect("a fixture is readable").path());
    paths.map(|path| (path.clone(), std::fs::read_to_string(&path).expect("a fixture is readable"))).collect()
}

/// Functions with a name of their own that end before an offset.
fn complete(module: &Module, end: usize) -> impl Iterator<Item = &Function> {
    module
        .functions
        .iter()
        .skip(1)
        .filter(move |function| function.parent.is_none() && !function.is_bodiless && function.span.end as usize <= end)
        .filter(|function| !function.name.starts_with('<'))
}

#[test]
fn functions_before_a_cut_stay_whole() {
    for (path, text) in fixtures() {
        let whole = read(&text);
        if whole.quality != Quality::Whole {
            continue;
        }
        for number in 1..CUTS {
            let mut cut = text.len() * number / CUTS;
            while !text.is_char_boundary(cut) {
                cut -= 1;
            }
            let piece = read(&text[..cut]);
            for function in complete(&whole, cut) {
                let found = piece.functions.iter().find(|other| other.qualified == function.qualified);
                let found =
                    found.unwrap_or_else(|| panic!("{} is lost from {path:?} cut at {cut}", function.qualified));
                assert_eq!(found.span, function.span, "{} in {path:?} cut at {cut}", function.qualified);
                assert_eq!(found.quality, Quality::Whole);
                assert_eq!(found.blocks.len(), function.blocks.len());
            }
        }
    }
}

#[test]
fn a_method_without_its_end_leaves_the_others() {
    let text = "impl Store {\n    fn a(&self) {}\n\n    fn b(&self) {\n        if self.x {\n\n    fn c(&self) {}\n}\n";
    let module = read(text);
    let names: Vec<&str> = module.functions.iter().map(|function| function.qualified.as_str()).collect();
    assert_eq!(names, ["<module>", "Store::a", "Store::c"]);
    assert_eq!(module.quality, Quality::InPieces);
    let broken = module.marks.iter().filter(|mark| matches!(mark, Mark::Broken { .. }));
    assert_eq!(broken.count(), 1);
}

#[test]
fn byte_order_mark_and_interpreter_line_keep_spans() {
    let text = "\u{feff}#!/usr/bin/env run\nfn ä() { b(\"ü\"); c() }\n";
    let module = read(text);
    assert_eq!(module.quality, Quality::Whole);
    assert_eq!(module.functions[1].header.text(text), "ä");
    let calls = module.functions[1].steps().map(|(_, _, step)| step.span.text(text));
    assert!(calls.into_iter().any(|call| call == "c()"));
}

#[test]
fn what_nests_without_end_is_said_and_not_read() {
    let deep = [
        format!("fn f() {{ {} }}", "(".repeat(20_000)),
        format!("fn f() {{ {}", "{".repeat(20_000)),
        format!("fn f() {{ a{}; }}", ".b()".repeat(20_000)),
        format!("fn f() {{ let x = {}1; }}", "-".repeat(20_000)),
        format!("fn f() {{ if a {{}} {} }}", "else if a {} ".repeat(20_000)),
        format!("fn f() {{ let x = 1{}; }}", " + 1".repeat(20_000)),
        format!("type T = {}u8{};", "Vec<".repeat(20_000), ">".repeat(20_000)),
        format!("use {}b;", "a::".repeat(20_000)),
    ];
    for text in deep {
        let module = read(&text);
        assert_eq!(module.quality, Quality::NotAtAll, "{}", &text[..40]);
        assert!(module.marks.iter().any(|mark| matches!(mark, Mark::TooDeep { .. })));
        assert!(!module.marks.iter().any(|mark| matches!(mark, Mark::Broken { .. })), "what is deep is not damaged");
    }
}

/// The Rust fixtures of every rule that consist of one file, each in a module of its own, in two halves.
fn one_large_file() -> (String, String) {
    let folder = support::root().join("fixtures/rules");
    let mut texts: Vec<String> = Vec::new();
    for path in support::walk(&folder) {
        let path = path.to_string_lossy().replace('\\', "/");
        let Some(case) = path.strip_suffix("/after/src/lib.rs") else { continue };
        let is_alone = support::files(&PathBuf::from(format!("{case}/after"))).len() == 1;
        let text = std::fs::read_to_string(&path).expect("a fixture is readable");
        let is_sound = lower(&SourceFile::new("src/lib.rs", text.as_str()).expect("it is Rust"), Edition::From2024)
            .quality
            == Quality::Whole;
        if is_alone && is_sound && !text.contains("#![") {
            texts.push(format!("mod case_{} {{\n{text}}}\n", texts.len()));
        }
    }
    let second = texts.split_off(texts.len() / 2);
    (texts.concat(), second.concat())
}

/// What the rules say of a file: rule, line, message or question.
fn said(text: &str) -> Vec<(&'static str, u32, String)> {
    let files = [("src/lib.rs".to_owned(), text.to_owned())].into_iter().collect();
    let change = support::Case::new("large".to_owned(), support::Files::new(), files).change();
    let lines = LineIndex::new(text);
    load::workers(Some(1)).expect("a worker starts").install(|| {
        let files = Files::new(change.trees.clone());
        let program = Program::new(Side::After, Catalogue::builtin(), &files);
        let module = program.module_at("src/lib.rs").expect("the file can be read in pieces");
        let verdicts = tenth::rules::verdicts(&program, &[module]).verdicts;
        let said = verdicts.into_iter().filter(|verdict| !matches!(verdict.stance, Stance::Upheld));
        said.map(|verdict| (verdict.rule, lines.line(verdict.at.span.start), verdict.message + &verdict.question))
            .collect()
    })
}

#[test]
fn one_broken_function_leaves_all_rules_to_the_others() {
    let (first, second) = one_large_file();
    let sound = format!("{first}fn broken() {{\n    let x = 1;\n}}\n{second}");
    assert!(sound.lines().count() > 1000);
    let whole = said(&sound);
    let rules: std::collections::BTreeSet<&str> = whole.iter().map(|(rule, ..)| *rule).collect();
    assert!(rules.len() > 8, "too few rules speak in it: {rules:?}");
    for broken in
        ["fn broken() {\n    let x = (1 + ;\n}\n", "fn broken() {\n    if true {\n}\n", "fn broken( {\n    1\n}\n"]
    {
        let text = format!("{first}{broken}{second}");
        let module = read(&text);
        assert_eq!(module.quality, Quality::InPieces, "{broken}");
        let pieces = said(&text);
        let lost: Vec<_> = whole.iter().filter(|verdict| !pieces.contains(verdict)).collect();
        assert!(
            lost.is_empty(),
            "with {broken:?} {} of {} are lost, the first: {:?}",
            lost.len(),
            whole.len(),
            lost[0]
        );
        let new: Vec<_> = pieces.iter().filter(|verdict| !whole.contains(verdict)).collect();
        assert!(new.iter().all(|(rule, ..)| *rule == "broken-syntax"), "with {broken:?} these are new: {new:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_text_panics(text in "[ -~\\n\u{e4}\u{1f600}]{0,300}") {
        read(&text);
    }

    #[test]
    fn no_order_of_tokens_panics(words in prop::collection::vec(prop::sample::select(vec![
        "fn", "f", "(", ")", "{", "}", "impl", "mod", "trait", "let", "=", ";", "if", "else", "match", "=>", "x", "&",
        ".", "await", "async", "move", "|", "?", "loop", "break", "return", "vec!", "[", "]", "select!", "'a", ":", "\"",
        "//", "\n", "for", "in", "while", "drop", ",", "_", "..", "self", "struct", "use", "::", "#", "!", "1", "<", ">",
    ]), 0..80)) {
        read(&words.join(" "));
    }
}
