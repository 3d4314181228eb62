//! Texts that nobody writes by hand, reviewed as a range, from the index and as they stand: nothing crashes, and what
//! was not read is a row of coverage.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// How deep and how long everything is.
const DEPTH: usize = 20_000;

/// Some code around or along `repeat`ed parts: `head`, `open` many times, `middle`, `close` as often, `tail`.
fn around(head: &str, open: &str, middle: &str, close: &str, tail: &str) -> String {
    format!("{head}{}{middle}{}{tail}\n", open.repeat(DEPTH), close.repeat(DEPTH))
}

fn along(head: &str, part: &str, tail: &str) -> String {
    around(head, part, "", "", tail)
}

/// Blocks by indentation, as deep as a file of the permitted size can hold them.
fn blocks(heads: &[&str]) -> String {
    let depth = 1200;
    let line = |level: usize| format!("{}{}\n", " ".repeat(level), heads[level % heads.len()]);
    (0..depth).map(line).collect::<String>() + &" ".repeat(depth) + "pass\n"
}

/// Sound Python that nests.
fn python() -> Vec<(&'static str, String)> {
    vec![
        ("parentheses", around("x = ", "(", "1", ")", "")),
        ("lists", around("x = ", "[", "", "]", "")),
        ("dicts", around("x = ", "{1: ", "1", "}", "")),
        ("calls", around("", "f(", "", ")", "")),
        ("subscripts", around("x", "[0", "", "]", "")),
        ("comprehensions", around("x = ", "[", "a", " for a in b]", "")),
        ("walrus", around("(", "(a := ", "1", ")", ")")),
        ("formats", around("x = ", "f'{", "1", "}'", "")),
        ("mixed-formats", around("x = ", "f'''{f\"{", "1", "}\"}'''", "")),
        ("format-specs", around("x = f'", "{a:", "", "}", "'")),
        ("annotations", around("x: ", "list[", "int", "]", "")),
        ("patterns", around("match x:\n    case ", "[", "", "]", ": pass")),
        ("ifs", blocks(&["if x:"])),
        ("functions", blocks(&["def f():", "async def f():", "class C:"])),
        ("matches", blocks(&["match x:", "case 1:"])),
        ("managed", blocks(&["with a as b:", "for c in d:", "while e:"])),
        ("lambdas", along("x = ", "lambda: ", "0")),
        ("awaits", along("async def f():\n    ", "await ", "x")),
    ]
}

/// Sound Python that is long, and is read.
fn long_python() -> Vec<(&'static str, String)> {
    vec![
        ("chain", along("x = a", ".b()", "")),
        ("fields", along("x = a", ".b", "")),
        ("sum", along("x = a", " + a", "")),
        ("power", along("x = a", " ** a", "")),
        ("comparison", along("x = a", " < a", "")),
        ("conjunction", along("x = a", " and a", "")),
        ("minus", along("x = ", "-", "x")),
        ("not", along("x = ", "not ", "x")),
        ("ternary", along("x = ", "a if b else ", "c")),
        ("elif", along("if a: pass\n", "elif b: pass\n", "")),
        ("handlers", along("try: pass\n", "except A: pass\n", "")),
        ("assignments", along("", "a = ", "1")),
        ("union", along("x: a", " | a", "")),
        ("decorators", along("", "@a\n", "def f(): pass")),
        ("alternatives", along("match x:\n    case 1", " | 1", ": pass")),
        ("strings", along("x = ", "'a' ", "")),
        ("import", along("import ", "a.", "b")),
        ("continued", along("x = \\\n", "1 + \\\n", "1")),
    ]
}

/// Sound Rust that nests or is long; the body of a function unless it declares something.
fn rust() -> Vec<(&'static str, String)> {
    let body = |open: &str, middle: &str, close: &str| around("fn f() { ", open, middle, close, " }");
    vec![
        ("blocks", body("{", "", "}")),
        ("parentheses", body("(", "1", ")")),
        ("arrays", body("[", "1", "]")),
        ("calls", body("f(", "", ")")),
        ("closures", body("|| ", "1", "")),
        ("closure-blocks", body("|a| {", "", "}")),
        ("async-blocks", body("async {", "", "}")),
        ("unsafe-blocks", body("unsafe {", "", "}")),
        ("matches", body("match x { _ => ", "1", "}")),
        ("ifs", body("if a { ", "", "}")),
        ("loops", body("loop {", "", "}")),
        ("let-else", body("let a = b else {", "return", "};")),
        ("macros", body("m!(", "", ")")),
        ("select", body("tokio::select! { a = b => ", "1", "}")),
        ("structs", body("A { a: ", "1", "}")),
        ("patterns", around("fn f() { let ", "(", "a", ")", " = x; }")),
        ("modules", around("", "mod m {", "", "}", "")),
        ("functions", around("", "fn f() {", "", "}", "")),
        ("generics", around("type A = ", "V<", "u8", ">", ";")),
        ("turbofish", around("fn f() { ", "g::<", "u8", ">", "(); }")),
        ("projections", around("type A = ", "<A as ", "B", ">::C", ";")),
        ("array-types", around("type A = ", "[", "u8", "; 1]", ";")),
        ("imports", around("use ", "a::{", "b", "}", ";")),
        ("else-if", around("fn f() { if a {} ", "else if b {} ", "", "", "}")),
        ("chain", body(".b()", "", "").replacen('{', "{ a", 1)),
        ("fields", body(".b", "", "").replacen('{', "{ a", 1)),
        ("questions", body("?", "", "").replacen('{', "{ a", 1)),
        ("awaits", body(".await", "", "").replacen('{', "{ a", 1)),
        ("casts", body(" as u8", "", "").replacen('{', "{ a", 1)),
        ("sum", body("a + ", "a", "")),
        ("conjunction", body("a && ", "a", "")),
        ("not", body("!", "a", "")),
        ("borrows", body("&", "a", "")),
        ("spaced-borrows", body("& ", "a", "")),
        ("minus", body("-", "a", "")),
        ("stars", body("*", "a", "")),
        ("assignments", body("a = ", "b", "")),
        ("returns", body("return ", "1", "")),
        ("references", around("type A = ", "&'static mut ", "T", "", ";")),
        ("pointers", around("type A = ", "*const ", "T", "", ";")),
        ("function-types", around("type A = ", "fn() -> ", "u8", "", ";")),
        ("path", around("type A = ", "a::", "B", "", ";")),
        ("attributes", along("", "#[a]", "fn f() {}")),
        ("bounds", around("fn f<T: ", "A + ", "A", "", ">() {}")),
        ("guards", around("fn f() { match x { a if ", "a && ", "b", "", " => 1 } }")),
    ]
}

/// Texts that no parser takes.
fn damaged() -> Vec<(&'static str, String)> {
    let one = |part: &str| along("", part, "");
    vec![
        ("open.py", one("(")),
        ("braces.py", one("{")),
        ("closed.py", one(")")),
        ("quotes.py", one("f'{")),
        ("backslashes.py", one("\\")),
        ("ifs.py", one("if a: ")),
        ("open.rs", one("(")),
        ("braces.rs", one("{")),
        ("function.rs", along("fn f() {", "{", "")),
        ("closed.rs", one("}")),
        ("comments.rs", one("/*")),
        ("quotes.rs", one("'")),
        ("strings.rs", one("r#\"")),
        ("generics.rs", one("V<")),
        ("shebangs.rs", one("#![")),
        ("pipes.rs", one("|")),
        ("hashes.rs", along("fn f() { r", "#", "\"\" }")),
    ]
}

/// The report on a folder of files, by every way in which they can be reviewed.
fn reviews(files: &BTreeMap<String, Vec<u8>>) -> Vec<Value> {
    let temp = tempfile::tempdir().expect("a temporary folder");
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
            command.env_remove(name);
        }
        let command = command.current_dir(temp.path()).env("HOME", temp.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        command.args(arguments).stdin(Stdio::null()).output().expect("it runs")
    };
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "core.autocrlf=false"];
        let output = run("git", &[&identity, arguments].concat());
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let tenth = |arguments: &[&str]| -> Value {
        let output = run(env!("CARGO_BIN_EXE_tenth"), &[arguments, &["--format", "json"]].concat());
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{arguments:?}: {:?}: {err}", output.status);
        assert!(!err.contains("panicked"), "{err}");
        serde_json::from_slice(&output.stdout).expect("the report is JSON")
    };
    git(&["init", "-q"]);
    git(&["commit", "-q", "--allow-empty", "-m", "Begin"]);
    let folder = temp.path().join("in");
    fs::create_dir(&folder).expect("a folder");
    for (name, content) in files {
        fs::write(folder.join(Path::new(name)), content).expect("written");
    }
    let check = tenth(&["check", "in"]);
    git(&["add", "in"]);
    let staged = tenth(&["--staged"]);
    git(&["commit", "-q", "-m", "Add"]);
    let range = tenth(&["HEAD~1..HEAD"]);
    let backwards = tenth(&["HEAD..HEAD~1"]);
    assert_eq!(backwards["findings"].as_array().map(Vec::len), Some(0), "what goes cannot be broken");
    vec![check, staged, range]
}

const FORMS: [&str; 10] =
    ["terminal", "concise", "json", "jsonl", "sarif", "github", "gitlab", "rdjson", "markdown", "handoff"];

/// The report on files in a form.
fn form(files: &BTreeMap<String, Vec<u8>>, form: &str) -> String {
    let temp = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in files {
        fs::write(temp.path().join(name), content).expect("written");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenth"));
    command.current_dir(temp.path()).env_remove("CLICOLOR_FORCE").env_remove("FORCE_COLOR").stdin(Stdio::null());
    let output = command.args(["check", ".", "--scope", "all", "--format", form]).output().expect("it runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 1)), "{form}: {:?}: {err}", output.status);
    assert!(!err.contains("panicked"), "{form}: {err}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_line_without_end_is_shown_around_what_is_wrong() {
    let long = "x".repeat(66_000);
    let text = format!(
        "import time\n\n\nasync def f(g):\n    a = '{long}'\n    g('{long}'); time.sleep(1)  # {long}\n    b = '{long}'\n"
    );
    let files = BTreeMap::from([("wide.py".to_owned(), text.into_bytes())]);
    for name in ["terminal", "concise", "markdown", "github"] {
        let report = form(&files, name);
        let widest = report.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!(widest < 1000, "{name}: {widest} columns");
        if matches!(name, "terminal" | "concise") {
            assert!(report.contains("wide.py:6:66012"), "{name}: {report}");
        }
        assert!(name != "terminal" || report.contains("'); time.sleep(1)  # x"), "{report}");
    }
}

#[test]
fn every_form_takes_what_nobody_writes_by_hand() {
    let mut files = named(damaged(), "");
    files.extend(named(long_python(), ".py").into_iter().step_by(4));
    for name in FORMS {
        form(&files, name);
    }
}

/// What is said of each file: why it was not read, and the rules that found something.
fn said(report: &Value) -> BTreeMap<String, (Vec<String>, BTreeSet<String>)> {
    let mut said: BTreeMap<String, (Vec<String>, BTreeSet<String>)> = BTreeMap::new();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for row in report["coverage"].as_array().expect("coverage") {
        said.entry(text(&row["path"])).or_default().0.push(text(&row["why"]));
    }
    for finding in report["findings"].as_array().expect("findings") {
        said.entry(text(&finding["path"])).or_default().1.insert(text(&finding["rule"]));
    }
    said
}

fn named(texts: Vec<(&'static str, String)>, ending: &str) -> BTreeMap<String, Vec<u8>> {
    texts.into_iter().map(|(name, text)| (format!("{name}{ending}"), text.into_bytes())).collect()
}

#[test]
fn what_nests_without_end_is_coverage_and_no_finding() {
    let mut files = named(python(), ".py");
    files.extend(named(rust(), ".rs"));
    for report in reviews(&files) {
        let said = said(&report);
        for name in files.keys() {
            let (why, rules) = said.get(&format!("in/{name}")).cloned().unwrap_or_default();
            assert!(rules.is_empty(), "{name}: {rules:?}");
            assert_eq!(why.len(), 1, "{name}: {why:?}");
            assert!(why[0].contains("deep") || why[0].contains("longer than"), "{name}: {why:?}");
        }
    }
}

#[test]
fn what_is_only_long_is_read() {
    let mut files = named(long_python(), ".py");
    files.insert("comments.rs".to_owned(), around("", "/*", "", "*/", "fn f() {}").into_bytes());
    files.insert("semicolons.rs".to_owned(), along("fn f() { ", ";", " }").into_bytes());
    files.insert("statements.rs".to_owned(), along("fn f() { ", "a(); ", " }").into_bytes());
    files.insert("functions.rs".to_owned(), "fn f() {}\n".repeat(2000).into_bytes());
    for report in reviews(&files) {
        let mut said = said(&report);
        // Nothing binds the names in these texts, which is all that there is to say of them.
        said.retain(|_, (why, rules)| !why.is_empty() || rules.iter().any(|rule| rule != "dangling-reference"));
        assert_eq!(said, BTreeMap::new());
    }
}

#[test]
fn more_locks_than_anybody_holds_are_coverage() {
    let lines = |line: &dyn Fn(usize) -> String| (0..300).map(line).collect::<String>();
    let made = lines(&|at| format!("l{at} = threading.Lock()\n"));
    let taken = lines(&|at| format!("    l{at}.acquire()\n"));
    let again = "    if x:\n        l.acquire()\n    x()\n".repeat(300);
    let files = BTreeMap::from([
        ("several.py".to_owned(), format!("import threading\n\n{made}\n\ndef f():\n{taken}").into_bytes()),
        ("one.py".to_owned(), format!("import threading\n\n\ndef f(l: threading.Lock, x):\n{again}").into_bytes()),
    ]);
    for report in reviews(&files) {
        let said = said(&report);
        for name in files.keys() {
            let (why, _) = said.get(&format!("in/{name}")).cloned().unwrap_or_default();
            assert!(why.iter().any(|why| why.contains("more locks at once")), "{name}: {why:?}");
        }
    }
}

#[test]
fn what_is_damaged_without_end_is_coverage() {
    let files = named(damaged(), "");
    for report in reviews(&files) {
        let said = said(&report);
        for name in files.keys() {
            assert!(said.get(&format!("in/{name}")).is_some_and(|(why, _)| !why.is_empty()), "{name}: {said:?}");
        }
    }
}

/// Sound code in which one definition leads to the next and the last to the first.
const CIRCLES: &[(&str, &str)] = &[
    (
        "pointers.rs",
        "struct A; struct B; struct C<T>(T);\n\
         impl Deref for A { type Target = B; fn deref(&self) -> &B { &self.b } }\n\
         impl Deref for B { type Target = A; fn deref(&self) -> &A { &self.a } }\n\
         impl<T> Deref for C<T> { type Target = C<C<T>>; fn deref(&self) -> &C<C<T>> { &self.0 } }\n\
         async fn run(a: A, b: &B, c: C<u8>, m: Arc<Mutex<A>>) {\n\
             a.lock(); b.lock().unwrap().field.call(); c.lock(); c.field.send(1).await; (*a).x = 1; **b = 2;\n\
             let guard = m.lock().unwrap(); guard.other.go(); drop(guard); for x in c { x.recv().await; }\n\
         }\n",
    ),
    (
        "names.rs",
        "mod a { pub use super::b::*; pub use super::b::One as Two; pub type Left = super::b::Right; }\n\
         mod b { pub use super::a::*; pub use super::a::Two as One; pub type Right = super::a::Left; }\n\
         use a::*; use b::*; type Own = Own; trait P: Q {} trait Q: P { fn go(&self); }\n\
         impl P for Left { } struct Holds { own: Option<Own>, left: Left, next: Arc<Mutex<Holds>> }\n\
         async fn run(of: Left, other: Own, two: Two, held: Holds) {\n\
             of.go().await; other.lock(); One::new(two).run(); held.next.lock().unwrap().next.lock().unwrap().left.go();\n\
         }\n",
    ),
    (
        "calls.rs",
        "macro_rules! again { ($($t:tt)*) => { again!($($t)* x) }; }\n\
         fn one(m: &Mutex<u8>) -> MutexGuard<u8> { two(m) } fn two(m: &Mutex<u8>) -> MutexGuard<u8> { one(m) }\n\
         fn pass(f: impl Fn()) { pass_on(f) } fn pass_on(f: impl Fn()) { pass(f) }\n\
         async fn run(m: &Mutex<u8>) { let g = one(m); again!(a b); pass(|| run(m)); run(m).await; let x = x(x); }\n",
    ),
    ("first.py", "from second import *\nfrom .second import Second as First\nalias = second.alias\n"),
    (
        "second.py",
        "from first import *\nfrom .first import First as Second\nimport first\nalias = first.alias\n\n\
         async def run(of: First, other: 'Second'):\n    of.go()\n    await other.lock.acquire()\n    alias.run(of)\n",
    ),
    (
        "classes.py",
        "import asyncio\n\nclass A(B):\n    def run(self):\n        return super().run()\n\n\n\
         class B(A):\n    lock: 'A.lock'\n    own = own\n    @property\n    def value(self):\n        return self.value\n\n\
         \x20   def __enter__(self):\n        return self.__enter__()\n\n    async def go(self):\n\
         \x20       with self, self.value as x, x:\n            await self.run()\n            await self.value.value.lock.acquire()\n\
         \x20       self.x = self.x\n        self.y, self.x = self.x, self.y\n        return await self.go()\n\n\n\
         class C(C):\n    pass\n\n\nT = Union[T, 'U']\nU = Optional[T]\n\n\n\
         def deco(f):\n    return deco(f)\n\n\n@deco\n@other\nasync def other(x: T, y: C):\n    x = y\n    y = x\n\
         \x20   z = z\n    asyncio.create_task(other(x, y))\n    y.run()\n    partial = functools.partial(partial)\n    partial()\n\
         \x20   f = lambda: f()\n    f()\n    loop.call_soon(f)\n",
    ),
];

#[test]
fn what_goes_round_comes_to_an_end() {
    let files = CIRCLES.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    for report in reviews(&files) {
        let unread: Vec<&Value> =
            report["coverage"].as_array().expect("coverage").iter().filter(|row| row["function"].is_null()).collect();
        assert!(unread.is_empty(), "sound files are read: {unread:?}");
    }
}

/// Bytes from a seed, the same every time.
struct Bytes(u64);

impl Bytes {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        (self.next() >> 20) % bound
    }
}

#[test]
fn random_bytes_are_coverage() {
    let mut bytes = Bytes(0x9e37_79b9_7f4a_7c15);
    let words = "def|async def|f|(|)|[|]|{|}|:|\n|\n    |\t|'|\"|\"\"\"|f'|#|\\|lambda|if|else|match|case|=|@|await|\r|\u{b}|\
                 \u{feff}|fn|impl|let|'a|r#\"|//|/*|*/|=>|->|::|<|>|&|!|?|select!|loop|return|yield|;|,|.|0|_|ü|\u{1f600}";
    let words: Vec<&str> = words.split('|').collect();
    let mut files = BTreeMap::new();
    for nth in 0..120_u64 {
        let length = [1, 20, 400, 6000][nth as usize / 3 % 4];
        let content: Vec<u8> = match nth % 3 {
            0 => (0..length).map(|_| bytes.below(256) as u8).collect(),
            1 => (0..length).map(|_| 1 + bytes.below(127) as u8).collect(),
            _ => (0..length).flat_map(|_| words[bytes.below(words.len() as u64) as usize].bytes()).collect(),
        };
        files.insert(format!("r{nth}.{}", if nth % 2 == 0 { "py" } else { "rs" }), content);
    }
    for report in reviews(&files) {
        let said = said(&report);
        for (name, content) in &files {
            let is_text = std::str::from_utf8(content).is_ok() && !content.contains(&0);
            let row = said.get(&format!("in/{name}")).cloned().unwrap_or_default();
            assert!(is_text || !row.0.is_empty(), "{name} cannot have been read");
            // A few words that parse are a program, and its names may stand for nothing.
            let is_sound = row.1.iter().all(|rule| rule == "dangling-reference");
            assert!(is_sound || !row.0.is_empty(), "{name}: what is broken was not read in full: {row:?}");
        }
    }
}
