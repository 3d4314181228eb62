//! The contract of files as `tenth brief` tells it.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;

use tenth::change::{ChangeSource, Ground};
use tenth::report::{self, Format};
use tenth::request::Request;
use tenth::review::Brief;

const STORE: &str = r#"import asyncio
import threading

AUDIT = threading.Lock()


class Store:
    def __init__(self, client):
        self._lock = asyncio.Lock()
        self._rows = {}
        self.client = client

    async def put(self, key, value):
        async with self._lock:
            self._rows[key] = value
            await self.client.send(value)

    async def drop(self, key):
        async with self._lock:
            self._rows.pop(key, None)

    def seen(self):
        with AUDIT:
            return len(self._rows)

    async def count(self):
        return await asyncio.to_thread(self.seen)
"#;

const QUEUE: &str = r#"use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

pub struct Queue {
    jobs: Arc<Mutex<VecDeque<u32>>>,
    log: Mutex<()>,
}

impl Queue {
    pub fn pop(&self) -> Option<u32> {
        let mut jobs = self.jobs.lock().unwrap();
        let _log = self.log.lock().unwrap();
        jobs.pop_front()
    }
}
"#;

fn brief(files: &[(&str, &str)]) -> Brief {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        fs::write(folder.path().join(path), text).unwrap();
    }
    let paths = files.iter().map(|(path, _)| PathBuf::from(path)).collect();
    let ground = Ground { folder: Some(folder.path().to_owned()), ..Ground::default() };
    tenth::brief::brief(&Request { ground, ..Request::of(ChangeSource::Files(paths)) }).unwrap()
}

#[test]
fn locks_say_what_they_guard_and_who_gives_way_under_them() {
    let brief = brief(&[("store.py", STORE)]);
    let names: Vec<&str> = brief.locks.iter().map(|lock| lock.name.as_str()).collect();
    assert_eq!(names, ["AUDIT", "Store._lock"]);
    let lock = &brief.locks[1];
    assert!(lock.is_async);
    assert_eq!(lock.declared.as_ref().map(|at| at.line), Some(9));
    assert_eq!(lock.taken_in, ["Store.put", "Store.drop"]);
    let guards: Vec<_> = lock.guards.iter().map(|one| (one.name.as_str(), one.changes_under, one.changes)).collect();
    assert_eq!(guards, [("self._rows", Some(2), Some(2))]);
    let awaits: Vec<_> = lock.awaits.iter().map(|one| (one.function.as_str(), one.at.line)).collect();
    assert_eq!(awaits, [("Store.put", 16)]);
}

#[test]
fn a_function_that_is_handed_to_a_thread_runs_there() {
    let brief = brief(&[("store.py", STORE)]);
    let of = |runs: &str| -> Vec<&str> {
        let group = brief.contexts.iter().find(|context| context.runs.contains(runs)).unwrap();
        group.functions.iter().map(|function| function.name.as_str()).collect()
    };
    assert_eq!(of("worker thread"), ["Store.seen"]);
    assert_eq!(of("event loop"), ["Store.put", "Store.drop", "Store.count"]);
}

#[test]
fn a_lock_of_rust_guards_what_its_type_holds_and_locks_have_an_order() {
    let brief = brief(&[("queue.rs", QUEUE)]);
    let guards: Vec<_> = brief
        .locks
        .iter()
        .map(|lock| (lock.name.as_str(), lock.guards.iter().map(|one| one.name.as_str()).collect()))
        .collect();
    assert_eq!(guards, [("Queue.jobs", vec!["VecDeque<u32>"]), ("Queue.log", vec![])]);
    let order: Vec<_> = brief.order.iter().map(|order| (order.first.as_str(), order.then.as_str())).collect();
    assert_eq!(order, [("Queue.jobs", "Queue.log")]);
}

#[test]
fn the_text_is_short_and_says_the_same() {
    insta::assert_snapshot!(
        report::brief(Format::Terminal, &brief(&[("queue.rs", QUEUE), ("store.py", STORE)])).unwrap()
    );
}

#[test]
fn the_json_keeps_to_its_contract() {
    let text = report::brief(Format::Json, &brief(&[("store.py", STORE)])).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["schema", "files", "locks", "order", "contexts", "contracts", "questions"]);
    assert_eq!(value["schema"], "tenth/brief/1");
}

#[test]
fn a_file_without_concurrency_says_so() {
    let text = report::brief(Format::Terminal, &brief(&[("plain.py", "def add(a, b):\n    return a + b\n")])).unwrap();
    assert!(text.contains("No lock"), "{text}");
}
