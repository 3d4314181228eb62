//! The shipped tables are sound, and names are matched as the documentation of the tables says.

use super::*;

fn python() -> &'static Tables {
    Catalogue::builtin().tables(Language::Python)
}

/// The lines of each table of a file, by the table's header.
fn sections(file: &str) -> Vec<(&str, Vec<&str>)> {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('[') || line.ends_with("= [") {
            sections.push((line, Vec::new()));
        } else if let Some((_, lines)) = sections.last_mut() {
            lines.push(line);
        }
    }
    sections
}

fn key(line: &str) -> Option<&str> {
    line.trim_start().strip_prefix('"')?.split('"').next()
}

#[test]
fn every_file_is_typed_and_sorted_one_fact_a_line() {
    for file in PYTHON.iter().chain(RUST) {
        if let Err(error) = toml::from_str::<Tables>(file) {
            panic!("{error}");
        }
        for (header, lines) in sections(file) {
            let keys: Vec<&str> = lines.iter().filter_map(|line| key(line)).collect();
            if let Some(pair) = keys.windows(2).find(|pair| pair[0] >= pair[1]) {
                panic!("in `{header}`: `{}` stands before `{}`", pair[0], pair[1]);
            }
        }
    }
}

#[test]
fn a_name_is_found_exactly_before_a_wildcard_covers_it() {
    let exact = python().blocking("boto3.client.get_object").expect("listed");
    assert_eq!((exact.name.as_str(), exact.stake), ("boto3.client.get_object", Stake::Unbounded));
    let covered = python().blocking("boto3.client.some.new_call").expect("covered");
    assert_eq!(covered.name, "boto3.client.*");
    assert!(python().blocking("boto3.clients.some").is_none());
    assert!(python().blocking("asyncio.sleep").is_none());
}

#[test]
fn a_user_adds_a_fact_and_overrides_one() {
    let own = Catalogue::with(
        r#"
        [python.blocking]
        "shop.billing.charge" = { kind = "network", stake = "unbounded" }
        "time.sleep" = { kind = "sleep", stake = "micro" }
        "#,
    )
    .expect("well formed");
    let tables = own.tables(Language::Python);
    assert_eq!(tables.blocking("shop.billing.charge").map(|found| found.kind), Some(BlockingKind::Network));
    assert_eq!(tables.blocking("time.sleep").map(|found| found.stake), Some(Stake::Micro));
    let patterns = Catalogue::with("[python.blocking]\n\"*.drain\" = { kind = \"network\", stake = \"unbounded\" }");
    let patterns = patterns.expect("a pattern is a name");
    let python = patterns.tables(Language::Python);
    assert!(python.has_blocking_patterns() && python.blocking_by_pattern("self.queue.drain").is_some());
    assert!(python.blocking_by_pattern("drain").is_none() && python.blocking_by_pattern("queue.drained").is_none());
    assert!(Catalogue::with("[python.blocking]\n\"f\" = { kind = \"nap\", stake = \"io\" }").is_err());
    assert!(Catalogue::with("[python.blockings]").is_err());
}

fn rust() -> &'static Tables {
    Catalogue::builtin().tables(Language::Rust)
}

fn term(text: &str) -> Term {
    Term::parse(text).expect("well formed")
}

#[test]
fn what_a_wildcard_covers_wrongly_is_harmless() {
    assert!(python().blocking("boto3.client.get_paginator").is_none());
    assert!(python().blocking("boto3.client.get_paginator.paginate").is_some());
    assert!(python().awaitable("redis.asyncio.Redis.get").is_some());
    assert!(python().awaitable("redis.asyncio.Redis.pipeline").is_none());
    for name in &python().harmless {
        assert!(python().blocking.covering(name, ".").is_some(), "nothing covers `{name}`");
    }
}

#[test]
fn other_names_and_bases_lead_to_the_same_fact() {
    let found = |name: &str| python().blocking(name).map(|found| found.name.clone()).unwrap_or_default();
    assert_eq!(found("requests.sessions.Session.get"), "requests.Session.get");
    assert_eq!(found("queue.LifoQueue.get"), "queue.Queue.get");
    assert_eq!(found("open"), "builtins.open");
    assert_eq!(found("django.contrib.auth.models.User.objects.get"), "django.db.models.Manager.get");
    assert_eq!(rust().alias("core::cell::RefCell").as_deref(), Some("std::cell::RefCell"));
    assert_eq!(rust().alias("std::cell::RefCell"), None);
    assert_eq!(rust().prelude("drop"), Some("std::mem::drop"));
    assert!(rust().spawn("tokio::task::spawn").is_some_and(|found| found.detach == Detach::Normal));
}

#[test]
fn aliases_end_at_a_name_that_has_none() {
    for tables in [python(), rust()] {
        for (name, _) in tables.aliases.iter() {
            let canonical = tables.alias(name).expect("an alias has a target");
            assert_eq!(tables.alias(&canonical), None, "`{name}` does not settle");
        }
    }
}

#[test]
fn every_guard_has_its_lock_and_every_acquisition_gives_a_guard() {
    for (name, guard) in rust().guards.iter() {
        assert!(rust().lock(&guard.of).is_some(), "`{name}` guards `{}`, which is no lock", guard.of);
    }
    let mut without = Vec::new();
    for (name, lock) in rust().locks.iter() {
        for method in
            [&lock.acquire, &lock.shared, &lock.upgradable, &lock.r#try, &lock.try_shared].into_iter().flatten()
        {
            let method = format!("{name}::{method}");
            if rust().signature(&method).is_none() {
                without.push(method);
            }
        }
    }
    assert_eq!(without, Vec::<String>::new());
}

#[test]
fn signatures_speak_in_canonical_names() {
    let lock = rust().signature("std::sync::Mutex::lock").expect("listed");
    assert_eq!(lock.receiver, Some(Receiver::Ref));
    assert_eq!(lock.returns, term("std::result::Result<std::sync::MutexGuard<T>, _>"));
    let map = rust().signature("std::option::Option::map").expect("listed");
    assert_eq!((map.receiver, &map.closure[..]), (Some(Receiver::Value), &[term("T")][..]));
    let awaited = rust().signature("tokio::sync::RwLock::read").expect("listed");
    assert_eq!(awaited.returns, term("Future<tokio::sync::RwLockReadGuard<T>>"));
}

#[test]
fn locks_say_what_their_methods_do() {
    let lock = rust().lock("tokio::sync::RwLock").expect("listed");
    assert_eq!(lock.acquisition("read"), Some(Acquisition { mode: Mode::Shared, manner: Manner::Waits }));
    assert_eq!(lock.acquisition("blocking_write"), Some(Acquisition { mode: Mode::Exclusive, manner: Manner::Blocks }));
    assert_eq!(lock.acquisition("into_inner"), None);
    let condition = python().lock("threading.Condition").expect("listed");
    assert!(condition.is_wait("wait_for") && condition.is_release("release"));
    assert_eq!(python().lock("asyncio.locks.Lock").map(|lock| lock.flavour), Some(Flavour::Async));
}

#[test]
fn contexts_come_from_decorators_and_overridden_methods() {
    let route = python().context_of_decorator("fastapi.APIRouter.get").expect("listed");
    assert_eq!((route.sync, route.r#async, route.concurrent), (Some(Runs::Thread), Some(Runs::Task), true));
    assert_eq!(python().context_of_method("threading.Thread", "run").and_then(|run| run.sync), Some(Runs::Thread));
    assert!(python().context_of_method("asyncio.Protocol", "data_received").is_some());
    assert!(rust().context_of_method("std::future::Future", "poll").is_some());
    assert!(python().offload("asyncio.to_thread").is_some_and(|found| found.callable.position == Some(0)));
    assert!(python().consumes_awaitables("asyncio.gather").is_some_and(|argument| argument.rest));
}

#[test]
fn a_lock_or_guard_that_dereferences_can_be_seen_through() {
    let shape = rust().type_shape("parking_lot::MutexGuard").expect("listed");
    assert_eq!((&shape.params[..], &shape.deref), (&["T".to_owned()][..], &Some(term("T"))));
    let lazy = rust().type_shape("once_cell::sync::Lazy").expect("listed");
    assert_eq!(lazy.deref, Some(term("T")));
}
