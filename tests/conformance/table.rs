//! Which of their codes is which rule of ours, which of their files speak of it, and where the two differ.
//!
//! To add a hazard: a row in [`HAZARDS`], and rows in [`EVALUATIONS`], [`SILENT`] and [`FIXTURES`] for the files that
//! speak of it. A deviation is found by a part of its line, so that it outlives other versions of their files; it says
//! why `tenth` is silent where they speak, or speaks where they are silent.

/// A part of the line that it is about, and why `tenth` deviates there.
pub(crate) type Deviation = (&'static str, &'static str);

/// The codes of flake8-async and ruff, with the rules that speak of the same hazard: as finding, note or question.
static HAZARDS: &[(&str, &[&str])] = &[
    ("ASYNC100", CANCELLATION),
    ("ASYNC101", CLEANUP),
    ("ASYNC103", CANCELLATION),
    ("ASYNC104", CANCELLATION),
    ("ASYNC111", CLEANUP),
    ("ASYNC113", CLEANUP),
    ("ASYNC119", CLEANUP),
    ("ASYNC121", CLEANUP),
    ("ASYNC124", &["half-migrated-async"]),
    ("ASYNC200", BLOCKING),
    ("ASYNC210", BLOCKING),
    ("ASYNC211", BLOCKING),
    ("ASYNC212", BLOCKING),
    ("ASYNC220", BLOCKING),
    ("ASYNC221", BLOCKING),
    ("ASYNC222", BLOCKING),
    ("ASYNC230", BLOCKING),
    ("ASYNC231", BLOCKING),
    ("ASYNC232", BLOCKING),
    ("ASYNC240", BLOCKING),
    ("ASYNC250", BLOCKING),
    ("ASYNC251", BLOCKING),
    ("ASYNC300", &["dropped-task"]),
    ("ASYNC913", &["loop-without-yield"]),
    ("RUF006", &["dropped-task"]),
];

const CANCELLATION: &[&str] = &["swallowed-cancellation"];
const CLEANUP: &[&str] = &["unprotected-cleanup"];
const BLOCKING: &[&str] = &["blocking-in-async", "blocking-through-call"];

/// The rules that say nothing of plain code.
pub(crate) static ASYNC_ONLY: &[&str] = BLOCKING;

/// The rules that speak of a hazard.
pub(crate) fn rules_of(code: &str) -> &'static [&'static str] {
    HAZARDS.iter().find(|(known, _)| *known == code).map_or(&[], |(_, rules)| rules)
}

/// An evaluation file of flake8-async with lines that it marks for asyncio.
pub(crate) struct Evaluation {
    /// Its name without the ending.
    pub(crate) file: &'static str,
    /// The codes whose lines are expected.
    pub(crate) codes: &'static [&'static str],
    /// What it uses and never imports.
    pub(crate) imports: &'static str,
    /// Whether its code stands in no task and waits for nothing, which `tenth` must see to call it a hazard: it is put
    /// into an asynchronous function, and what a `try` leaves out is something to wait for.
    pub(crate) is_sketch: bool,
    /// Whether its hazard is one of a change only, in which every asynchronous function awaited something before.
    pub(crate) is_left_async: bool,
    /// What its options say, as lines of the catalogue.
    pub(crate) catalogue: &'static str,
    /// Where and why `tenth` deviates.
    pub(crate) deviations: &'static [Deviation],
}

const EVALUATION: Evaluation = Evaluation {
    file: "",
    codes: &[],
    imports: "",
    is_sketch: false,
    is_left_async: false,
    catalogue: "",
    deviations: &[],
};

/// Handlers of `BaseException` that end in ways which `tenth` reads otherwise.
const SWALLOWED: &[Deviation] = &[
    ("except BaseException as e:", "every way through the handler raises it again, by whatever name"),
    ("raise e", "it is what the handler around it took, which is raised again"),
    ("except BaseException:", "a loop over a call or a spread may have no turn in which to raise"),
    ("except:", "nothing in the `try` raises but the `raise` itself"),
];

/// The evaluation files of flake8-async that mark lines for asyncio.
pub(crate) static EVALUATIONS: &[Evaluation] = &[
    Evaluation { file: "async100_asyncio", codes: &["ASYNC100"], ..EVALUATION },
    Evaluation { file: "async100_asyncio_noautofix", codes: &["ASYNC100"], ..EVALUATION },
    Evaluation {
        file: "async101_asyncio",
        codes: &["ASYNC101"],
        deviations: &[("yield 1  # error: 8", "a context manager under another name is one still")],
        ..EVALUATION
    },
    Evaluation {
        file: "async103",
        codes: &["ASYNC103", "ASYNC104"],
        is_sketch: true,
        deviations: SWALLOWED,
        ..EVALUATION
    },
    Evaluation { file: "async103_no_104", codes: &["ASYNC103"], is_sketch: true, deviations: SWALLOWED, ..EVALUATION },
    Evaluation {
        file: "async103_104_py311",
        codes: &["ASYNC103", "ASYNC104"],
        is_sketch: true,
        deviations: SWALLOWED,
        ..EVALUATION
    },
    Evaluation {
        file: "async104",
        codes: &["ASYNC103", "ASYNC104"],
        is_sketch: true,
        deviations: SWALLOWED,
        ..EVALUATION
    },
    Evaluation { file: "async111_asyncio", codes: &["ASYNC111"], ..EVALUATION },
    Evaluation {
        file: "async113_asyncio",
        codes: &["ASYNC113"],
        deviations: &[("tg.create_task(bar)", "whether a task must be ready when the block begins is not in the code")],
        ..EVALUATION
    },
    Evaluation {
        file: "async119",
        codes: &["ASYNC119"],
        deviations: &[("yield  # safe", "only an option of theirs says what the decorator makes of it: it is asked")],
        ..EVALUATION
    },
    Evaluation { file: "async121_asyncio", codes: &["ASYNC121"], ..EVALUATION },
    Evaluation {
        file: "async124",
        codes: &["ASYNC124"],
        is_left_async: true,
        deviations: &[
            ("async def bar(", "a method of a class without bases is left behind as well"),
            ("async def later_in_class(", "a method of a class without bases is left behind as well"),
        ],
        ..EVALUATION
    },
    Evaluation {
        file: "async300",
        codes: &["ASYNC300"],
        deviations: &[
            ("create_task(*args)", "an import or name inside the function means the same function"),
            ("boo(*args)", "it is the same function, by whatever name it is called"),
            ("my_lambda(*args)", "the lambda gives the handle back, and it is thrown away"),
            ("k = asyncio.create_task(*args)", "nobody uses the name before the function ends"),
        ],
        ..EVALUATION
    },
    Evaluation {
        file: "async913",
        codes: &["ASYNC913"],
        deviations: &[("while True:", "what it awaits is a function that never gives way")],
        ..EVALUATION
    },
    Evaluation {
        file: "async200",
        codes: &["ASYNC200"],
        imports: "import bee, prewild, a, session",
        // A catalogue names things; what begins with a `*` goes by the text of a call of which nothing else is known.
        catalogue: r#"
            [python.blocking]
            "*.*.*" = { kind = "network", stake = "unbounded" }
            "*.postwild" = { kind = "network", stake = "unbounded" }
            "async200.bar" = { kind = "network", stake = "unbounded" }
            "bee.bonnet" = { kind = "network", stake = "unbounded" }
            "prewild.*" = { kind = "network", stake = "unbounded" }
            "session.get" = { kind = "network", stake = "unbounded" }
        "#,
        deviations: &[
            ("[bee.bonnet][0]()", "it is the same function, by whatever way it is reached"),
            ("x()", "it is the same function, by whatever name it is called"),
            ("await bar()", "`bar` is a plain function of the file: it blocks before there is anything to await"),
            (
                "print(await bar())",
                "`bar` is a plain function of the file: it blocks before there is anything to await",
            ),
            ("lambda: bar()", "a lambda runs where it is made unless it is handed to somebody"),
        ],
        ..EVALUATION
    },
    Evaluation {
        file: "async210",
        codes: &["ASYNC210"],
        imports: "from urllib import request; from urllib.request import urlopen",
        ..EVALUATION
    },
    Evaluation {
        file: "async211",
        codes: &["ASYNC211"],
        deviations: &[("foo.request(", "the receiver is a connection pool, whatever its method is given")],
        ..EVALUATION
    },
    Evaluation {
        file: "async212",
        codes: &["ASYNC212"],
        imports: "import httpx, httpx2; from typing import Optional",
        deviations: &[
            ("client.close()", "closing a client drops its connections and waits for nobody"),
            ("glob_client.send()", "the file gives the name a number afterwards, which is what the function finds"),
            ("client.send()", "an imported name means the same class"),
        ],
        ..EVALUATION
    },
    Evaluation {
        file: "async22x_asyncio",
        codes: &["ASYNC220", "ASYNC221", "ASYNC222"],
        imports: "import os, subprocess; from os import P_NOWAIT, P_WAIT",
        ..EVALUATION
    },
    Evaluation { file: "async23x_asyncio", codes: &["ASYNC230", "ASYNC231"], ..EVALUATION },
    Evaluation {
        file: "async232_asyncio",
        codes: &["ASYNC232"],
        deviations: &[
            ("open(\"\")", "opening is ASYNC230 there, and the same hazard here"),
            ("# should error", "they say themselves that it should be found"),
            ("# not handled", "the elements of an annotated list are files"),
            ("k = return_textiowrapper()", "the function opens a file"),
            ("f.read()", "what is no file cannot be read, so the other alternative is meant"),
        ],
        ..EVALUATION
    },
    Evaluation {
        file: "async240",
        codes: &["ASYNC240"],
        deviations: &[
            ("normpath(", "works on the text of a path alone"),
            ("relpath(", "works on the text of a path and the process's own folder"),
            ("await os.path.isfile(", "what is awaited is no plain function, whatever its name"),
        ],
        ..EVALUATION
    },
    Evaluation { file: "async250", codes: &["ASYNC250"], ..EVALUATION },
    Evaluation { file: "async250_multi_library", codes: &["ASYNC250"], ..EVALUATION },
    Evaluation { file: "async251", codes: &["ASYNC251"], ..EVALUATION },
    Evaluation { file: "async251_multi_library", codes: &["ASYNC251"], ..EVALUATION },
];

/// The evaluation files of flake8-async in which nothing is wrong for asyncio, with the hazards that they are about.
pub(crate) static SILENT: &[(&str, &[&str])] = &[
    ("async100", &["ASYNC100"]),
    ("async111", &["ASYNC111"]),
    ("async113", &["ASYNC113"]),
    ("async121", &["ASYNC121"]),
];

/// A fixture of ruff.
pub(crate) struct Fixture {
    /// The folder of its linter: `flake8_async`, `ruff`.
    pub(crate) linter: &'static str,
    /// Its name without the ending.
    pub(crate) file: &'static str,
    /// The codes that have a snapshot of it.
    pub(crate) codes: &'static [&'static str],
    /// Where and why `tenth` deviates.
    pub(crate) deviations: &'static [Deviation],
}

const FIXTURE: Fixture = Fixture { linter: "flake8_async", file: "", codes: &[], deviations: &[] };

/// The fixtures of ruff.
pub(crate) static FIXTURES: &[Fixture] = &[
    Fixture { file: "ASYNC119", codes: &["ASYNC119"], ..FIXTURE },
    Fixture {
        linter: "ruff",
        file: "RUF006",
        codes: &["RUF006"],
        deviations: &[
            ("tasks = [asyncio.create_task(task)", "nobody uses the list before the function ends"),
            ("task = unused = asyncio.create_task", "they say themselves that it should be found"),
        ],
    },
    Fixture { file: "ASYNC210", codes: &["ASYNC210"], ..FIXTURE },
    Fixture {
        file: "ASYNC212",
        codes: &["ASYNC212"],
        deviations: &[("client.close()", "closing a client drops its connections and waits for nobody")],
        ..FIXTURE
    },
    Fixture { file: "ASYNC22x", codes: &["ASYNC220", "ASYNC221", "ASYNC222"], ..FIXTURE },
    Fixture { file: "ASYNC230", codes: &["ASYNC230"], ..FIXTURE },
    Fixture { file: "ASYNC250", codes: &["ASYNC250"], ..FIXTURE },
    Fixture { file: "ASYNC251", codes: &["ASYNC251"], ..FIXTURE },
];
