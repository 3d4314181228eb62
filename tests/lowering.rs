//! The printed flow of every file under `fixtures/lowering`, one snapshot each.

use proptest::prelude::*;
use tenth::flow::{Mark, Quality, print};
use tenth::lower::{Edition, lower};
use tenth::text::SourceFile;

#[test]
fn printed_flow_of_fixtures() {
    insta::glob!("../fixtures/lowering", "*/*.{py,rs}", |path| {
        let text = std::fs::read_to_string(path).expect("a fixture is readable");
        let name = path.file_name().and_then(|name| name.to_str()).expect("a fixture's name is UTF-8");
        let file = SourceFile::new(name, text.as_str()).expect("a fixture's ending names its language");
        let edition = if name.ends_with("_2021.rs") { Edition::Until2021 } else { Edition::From2024 };
        let module = lower(&file, edition);
        insta::assert_snapshot!(print::module(&module, &text));
    });
}

/// Runs on a stack as large as the workers'.
fn on_worker(run: impl FnOnce() + Send + 'static) {
    let worker = std::thread::Builder::new().stack_size(16 << 20).spawn(run).expect("a thread starts");
    worker.join().expect("lowering does not panic");
}

fn lowered(text: &str) -> tenth::flow::Module {
    let file = SourceFile::new("case.py", text).expect("a Python file");
    lower(&file, Edition::From2024)
}

/// The lines and reasons of what is broken.
fn broken(text: &str) -> Vec<(u32, String)> {
    let lines = tenth::text::LineIndex::new(text);
    let marks = lowered(text).marks;
    let broken = marks.into_iter().filter_map(|mark| match mark {
        Mark::Broken { span, reason } => Some((lines.line(span.start), reason)),
        Mark::TooDeep { .. }
        | Mark::Stub { .. }
        | Mark::Comment { .. }
        | Mark::Generated { .. }
        | Mark::MakesItems { .. } => None,
    });
    broken.collect()
}

#[test]
fn every_cut_keeps_the_complete_functions() {
    on_worker(|| {
        for entry in std::fs::read_dir("fixtures/lowering/python").expect("the fixtures are there") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(&path).expect("a fixture is readable");
            let full = lowered(&text);
            if full.quality != Quality::Whole {
                continue;
            }
            for step in 0..200 {
                let mut cut = text.len() * step / 200;
                while !text.is_char_boundary(cut) {
                    cut -= 1;
                }
                let part = lowered(&text[..cut]);
                // The last function before the cut may look complete and go on; the one before it is complete.
                let complete = full.functions.iter().skip(1).filter(|function| {
                    let rest = text.get(function.span.end as usize..cut).unwrap_or("");
                    rest.lines().skip(1).any(|line| !line.trim().is_empty() && !line.starts_with([' ', ')']))
                });
                for function in complete {
                    let kept = part.functions.iter().find(|kept| kept.span == function.span);
                    let quality = kept.map(|kept| kept.quality);
                    assert_eq!(quality, Some(Quality::Whole), "{} of {path:?} cut at {cut}", function.qualified);
                }
            }
        }
    });
}

#[test]
fn damage_names_the_line_to_mend() {
    let sound = "\n\ndef after():\n    return 1\n";
    let cases = [
        ("def f():\n    x = g(a,\n    return x\n", 2, "this `(` is never closed"),
        ("def f():\n    x = [1, 2)\n", 2, "this `[` is never closed"),
        ("def f():\n    x = 1)\n", 2, "this `)` closes nothing"),
        ("def f():\n    x = 'a\n    return x\n", 2, "this string is never closed"),
        ("def f():\n", 1, "this block has no body"),
        ("def f():\n    try:\n        g()\n    return 1\n", 2, "this `try` has neither `except` nor `finally`"),
        ("async def f():\n    await\n", 2, "this `await` awaits nothing"),
        ("x = 1\n<<<<<<< HEAD\ny = 2\n=======\ny = 3\n>>>>>>> other\n", 2, "a conflict marker was left"),
        ("def f():\n    if x:\n    return 1\n", 2, "this block has no body"),
        ("@app.get('/x'\ndef f():\n    return 1\n", 1, "this `(` is never closed"),
        ("def f():\n    \"\"\"Open.\n    return 1\n", 2, "this string is never closed"),
        ("x = {\n    'a': 1,\n", 1, "this `{` is never closed"),
        ("class A:\r\n\tdef f(self):\r\n\t\tx = g(\r\n", 3, "this `(` is never closed"),
    ];
    for (text, line, reason) in cases {
        let text = format!("{text}{sound}");
        let found = broken(&text);
        assert_eq!(found.first(), Some(&(line, reason.to_owned())), "{text}\n{found:?}");
        let module = lowered(&text);
        let after = module.functions.iter().find(|function| function.name == "after");
        assert_eq!(after.map(|after| after.quality), Some(Quality::Whole), "{text}");
    }
}

#[test]
fn valid_python_that_the_grammar_does_not_know_is_whole() {
    let text = std::fs::read_to_string("fixtures/lowering/python/newest.py").expect("the fixture is readable");
    assert_eq!(broken(&text), []);
    assert_eq!(lowered(&text).quality, Quality::Whole);
}

#[test]
fn deep_and_long_texts_are_lowered_or_turned_away() {
    on_worker(|| {
        for text in [
            format!("x = {}a", "a + ".repeat(10_000)),
            format!("x = {}a", "a or ".repeat(10_000)),
            format!("x = a{}", ".b()".repeat(10_000)),
            format!("x = a{}", "[0]".repeat(10_000)),
            format!("x = {}a", "not ".repeat(10_000)),
            format!("x = {}a", "lambda: ".repeat(5_000)),
            format!("x = {}1", "a if b else ".repeat(5_000)),
            format!("{}1", "x = ".repeat(10_000)),
            format!("x = {}a", "await ".repeat(5_000)),
            format!("x = {}a", "a ** ".repeat(5_000)),
            format!("x: {}a", "a | ".repeat(10_000)),
            format!("if a: pass\n{}", "elif b: pass\n".repeat(3_000)),
            format!("match x:\n case {}a: pass\n", "a | ".repeat(3_000)),
            format!("x = {}{}", "(".repeat(200), ")".repeat(200)),
            format!("x = {}1{}", "[".repeat(250), "]".repeat(250)),
            format!("x = {}1{}", "f(a, g[".repeat(120), "])".repeat(120)),
        ] {
            assert!(!lowered(&text).functions.is_empty());
        }
        let deep = format!("x = {}{}", "(".repeat(20_000), ")".repeat(20_000));
        assert_eq!(lowered(&deep).quality, Quality::NotAtAll);
        assert!(broken(&deep).is_empty(), "what is deep is not damaged");
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_is_lowered(text in "\\PC{0,200}") {
        let _ = lowered(&text);
    }

    #[test]
    fn any_mix_of_python_words_is_lowered(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..80)) {
        let text: String = words.concat();
        let module = lowered(&text);
        let _ = print::module(&module, &text);
    }
}

const WORDS: &[&str] = &[
    "def f",
    "class C",
    "async ",
    "await ",
    "with ",
    "as x",
    ":",
    "\n",
    "\n    ",
    "\n        ",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "'",
    "\"\"\"",
    "f'",
    "f\"{",
    "try",
    "except",
    "except*",
    "finally",
    "else",
    "elif ",
    "if ",
    "for x in y",
    "while ",
    "return ",
    "yield ",
    "lambda ",
    "match x",
    "case ",
    "_",
    "*",
    "**",
    "=",
    ":=",
    ".",
    ",",
    "x",
    "1",
    "@",
    "\\",
    "#",
    "é",
    "global x",
    "nonlocal x",
    "import a.b",
    "from . import *",
    "del ",
    "type X = ",
    "raise ",
    "pass",
    "...",
    "-> int",
    "\t",
    "\r\n",
];
