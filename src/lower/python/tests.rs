//! Both parsers lead to the same flow, and where they do not, it is the grammar that misreads.

use std::path::{Path, PathBuf};

use super::{lower_parsed, too_deep};
use crate::syntax::python::{parse, parse_by_grammar};
use crate::text::SourceFile;

fn python_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            python_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "py") {
            found.push(path);
        }
    }
}

/// What both parsers make of a text, spelt out, unless it is damaged.
fn both(text: &str) -> Option<[String; 2]> {
    let file = SourceFile::new("a.py", text)?;
    let grammar = parse_by_grammar(&file);
    let is_read = too_deep(&file).is_none() && grammar.broken.is_empty();
    is_read.then(|| [parse(&file), grammar].map(|parsed| format!("{:#?}", lower_parsed(&file, parsed))))
}

/// What the grammar is known to read otherwise than the language does.
fn is_misread(text: &str) -> bool {
    let has = |part: &str| text.contains(part);
    // `(a): int = 1` as a pattern of one; a comment behind a decorator as part of it.
    has("(annotated): int") || has("@limited(3)  #")
}

#[test]
fn both_parsers_lead_to_the_same_flow() {
    let mut files = Vec::new();
    for folder in ["fixtures", "src/demo"] {
        python_files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut files);
    }
    let mut compared = 0;
    for path in files {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Some([exact, grammar]) = both(&text) else { continue };
        assert_eq!(exact == grammar, !is_misread(&text), "{}", path.display());
        compared += 1;
    }
    assert!(compared > 300, "only {compared} files were compared");
}

#[test]
fn what_the_grammar_misreads_is_read_right() {
    let texts = ["f([*a.b])\n", "(a.b) = 1\n", "type(a).b = 1\n", "a, \\\n  b = c\n", "@a  # why\ndef f(): pass\n"];
    for text in texts {
        let [exact, grammar] = both(text).expect("it is sound");
        assert!(exact != grammar, "{text}");
    }
}

#[test]
fn odd_spellings_are_read_alike() {
    let texts = [
        "",
        "\n\n# only a comment\n",
        "x = ((a))\ny = (((b)) + c)\nz = ((a, b))\n",
        "f((x for x in y), *((a)), **((b)), c=((d)))\nf(x for x in y)\n",
        "x = [(yield), (await a), *b, *(c)]\n",
        "def f(a, /, b: int = (1), *, c=2, **d: (str)) -> (int): ...\n",
        "def f(*args: int, **kwargs): return lambda *a, b=1, **c: (a, b)\n",
        "class A(B, metaclass=C[int], *D): x: 'int' = (yield)\n",
        "if a: b; c  # d\nelif (e): pass\nelse: f\n",
        "if a:\n    b\n    # c\n  # d\n# e\nf\n",
        "for a, (b, *c) in d, e: pass\nelse: pass\n",
        "async def f():\n    async for a in b: pass\n    async with a as b, c as (d, e): pass\n    return [a async for a in b if c if (d)]\n",
        "try:\n    a\nexcept (B, C) as d:\n    e\nexcept F: g\nelse: h\nfinally:\n    i  # j\n\n    # k\n",
        "with (a as b, c as d,):\n    e\nwith (f, g): h\nwith (i) as j, k: l\n",
        "del (a, b), c[d], e.f\nglobal g, h\n",
        "raise A(b) from (c)\nassert (a), (b)\n",
        "from . import a\nfrom .. b import (c as d, e,)\nfrom ...f.g import *\nimport a . b, c.d as e\nfrom __future__ import annotations\n",
        "x = 'a' \"b\" f'{c!r:>{d}} {e=}' rb''\ny = f'{a:{b}{c}}{{}}'\n",
        "x = not a or b and (c or d) or e\ny = a < b <= c is not d not in e\n",
        "x = {**a, 'b': (c), **(d)}\ny = {a: b for a, b in c}\nz = {*a, b}\n",
        "x = a[b, c:d, ::e, ...][f:=g]\n",
        "x += (yield a, b)\na = b = c, d = e\n",
        "match a, b:\n    case [C(d, e=f), *_], {'g': -1, **h} if (i): pass\n    case (1 | None) as j: pass\n    case k.l | 'm': pass\n    case _: pass\n    # n\n",
        "match = type = print = 1\nprint(match, type)\n",
        "type A[T: int, *U, **V] = list[T]\n",
        "@a.b(c, d=e)\n@f\nasync def g(): pass\n",
        "x = 1j, 1.5, .5e3, 0x_ff, 10_000\n",
        "x = a if b else c if d else lambda: e\n",
        "\u{feff}import a\nb()\n",
        "a = 1\r\nif b:\r\n    c\r\n    d\r\n",
        "\u{c}def f(): pass\n\u{c}\nx = 1\n",
        "if a:\n\tb\n\t# c\n        # d\n    # e\n",
        "x = '''é\\\n'''\ny = r'\\a'\nz = b'\\x00' '\\N{DASH}'\n",
        "def f():\n    \"\"\"a\"\"\"\n    ...\nclass A: ...\n",
        "async def f():\n    await (a)\n    return await b.c(await d)\n",
        "x = (yield)\n",
        "x = a @ b // c ** -d\nx @= y\n",
        "x: int\nself.y: str = 'a'\n",
        "import a as b, c\nfrom d import (e,\n    f as g)\n",
        "try: a\nexcept* B as c: d\n",
        "with open(a) as b, (c if d else e): f\n",
        "for x in *a, b: pass\n",
        "f(a)(b)[c].d(e)(*f)\n",
        "x = f'{a}' 'b' f\"{c['d']}\"\n",
        "x = 1; del x; y = 2;\n",
    ];
    for text in texts {
        let [exact, grammar] = both(text).unwrap_or_else(|| panic!("it is sound: {text}"));
        let differing = exact.lines().zip(grammar.lines()).position(|(one, other)| one != other);
        let from = differing.unwrap_or(0).saturating_sub(12);
        let around = |text: &str| text.lines().skip(from).take(16).collect::<Vec<_>>().join("\n");
        assert!(exact == grammar, "{text}\n{}\n----\n{}", around(&exact), around(&grammar));
    }
}
