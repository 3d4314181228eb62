//! How far calls lead, and whoever is asked first, changes no verdict.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::BTreeSet;

use support::{Case, Files};

/// More calls than the recursion of the questions goes down.
const DEEP: usize = 150;

/// What is said of a file with these functions, in this order: messages by rule, without their places.
fn said(functions: &[String]) -> BTreeSet<(String, String)> {
    let text = format!("import asyncio\nimport time\n\n\nlock = asyncio.Lock()\n\n\n{}", functions.join("\n\n"));
    let after = Files::from([("app.py".to_owned(), text)]);
    let review = Case::new("deep".to_owned(), Files::new(), after).review();
    let gaps: Vec<&str> = review.coverage.iter().map(|row| row.why.as_str()).collect();
    assert!(gaps.is_empty(), "{gaps:?}");
    review.findings.into_iter().map(|finding| (finding.rule, finding.message)).collect()
}

fn has(said: &BTreeSet<(String, String)>, rule: &str, text: &str) -> bool {
    said.iter().any(|(of, message)| of == rule && message.contains(text))
}

/// `step_0` calls `step_1`, and so on down to one that sleeps.
fn chain(calls: impl Fn(usize) -> Vec<String>) -> Vec<String> {
    let body = |at: usize| if at + 1 == DEEP { vec!["time.sleep(5)".to_owned()] } else { calls(at) };
    (0..DEEP).map(|at| format!("def step_{at}():\n    {}\n", body(at).join("\n    "))).collect()
}

/// The same functions, those that a loop runs first, then last.
fn both_ways(mut run: Vec<String>, steps: Vec<String>) -> BTreeSet<(String, String)> {
    let first = said(&[run.clone(), steps.clone()].concat());
    run.reverse();
    let last = said(&[steps.into_iter().rev().collect(), run].concat());
    assert_eq!(first, last);
    first
}

#[test]
fn what_lies_deeper_than_anybody_asks_is_found_and_hides_nothing_above() {
    let run = ["outer", "inner"].into_iter().zip([0, DEEP / 2]);
    let run = run.map(|(name, from)| format!("async def {name}():\n    step_{from}()\n")).collect();
    let said = both_ways(run, chain(|at| vec![format!("step_{}()", at + 1)]));
    assert!(has(&said, "blocking-through-call", "`step_0`"), "{said:?}");
    assert!(has(&said, "blocking-through-call", &format!("`step_{}`", DEEP / 2)), "{said:?}");
}

#[test]
fn many_ways_down_are_one_walk() {
    let calls = |at: usize| (1..=3).map(|by| format!("step_{}()", (at + by).min(DEEP - 1))).collect();
    let said = both_ways(vec!["async def outer():\n    step_0()\n".to_owned()], chain(calls));
    assert!(has(&said, "blocking-through-call", "`step_0`"), "{said:?}");
}

/// `turn_0` awaits `turn_1`, and so on and round again; one of them takes the lock.
fn ring(size: usize) -> Vec<String> {
    let turn = |at: usize| {
        let next = format!("await turn_{}()", (at + 1) % size);
        let body = if at == size / 2 { format!("async with lock:\n        {next}") } else { next };
        format!("async def turn_{at}():\n    {body}\n")
    };
    (0..size).map(turn).collect()
}

#[test]
fn a_ring_is_the_same_wherever_it_is_entered() {
    for size in [3, 63, 64, DEEP] {
        let steps = ring(size);
        let of_all = said(&steps);
        let lock = "takes it again";
        assert!(has(&of_all, "lock-reentry", lock), "of {size}: {of_all:?}");
        for from in [1, size / 2, size - 1] {
            let mut turned = steps.clone();
            turned.rotate_left(from);
            assert_eq!(said(&turned), of_all, "of {size}, from {from}");
        }
        assert_eq!(said(&steps.into_iter().rev().collect::<Vec<_>>()), of_all, "of {size}, backward");
    }
}

/// Methods that all call each other, each with something of its own before that.
fn all_together(size: usize, method: impl Fn(usize) -> String, call: &str) -> Vec<String> {
    let calls =
        |at: usize| (0..size).filter(move |other| *other != at).map(|other| call.replace('#', &other.to_string()));
    let methods: String = (0..size).map(|at| format!("{}{}\n", method(at), calls(at).collect::<String>())).collect();
    vec![format!(
        "class Hub:\n    def __init__(self):\n        self.lock = asyncio.Lock()\n        self.rows = {{}}\n\n{methods}"
    )]
}

/// There are more ways through them than anybody could go: a search that goes each of them does not come back.
#[test]
fn methods_that_all_call_each_other_are_gone_through_once() {
    let checks = |at: usize| {
        format!(
            "    async def turn_{at}(self, key):\n        if key not in self.rows:\n            await self.turn_0(key)\n"
        )
    };
    let said_of = said(&all_together(DEEP / 2, checks, "        await self.turn_#(key)\n"));
    assert!(!has(&said_of, "lock-reentry", "takes it again"), "{said_of:?}");

    let holds = |at: usize| format!("    def turn_{at}(self, key):\n        with self.mutex:\n");
    let mut plain = all_together(DEEP / 2, holds, "            self.turn_#(key)\n");
    plain[0] = plain[0].replace("asyncio.Lock()", "asyncio.Lock()\n        self.mutex = threading.Lock()");
    plain.insert(0, "import threading\n".to_owned());
    assert!(has(&said(&plain), "lock-reentry", "takes it again"));
}
