//! Findings about Rust guards say in one sentence where the guard ends, and why.

mod support;

const EDITION_2021: &str = "[package]\nname = \"example\"\nedition = \"2021\"\n";
const EDITION_2024: &str = "[package]\nname = \"example\"\nedition = \"2024\"\n";
const NO_EDITION: &str = "[package]\nname = \"example\"\n";

/// The evidence of the only finding in a function with this body.
fn evidence(manifest: &str, body: &str) -> String {
    let text = format!(
        "use std::sync::{{Mutex, MutexGuard}};\n\npub struct Rows {{\n    all: Mutex<Option<u32>>,\n}}\n\n\
         impl Rows {{\n    pub async fn run(&self) {{\n        {body}\n    }}\n\n    \
         pub async fn given(&self, all: MutexGuard<'_, Option<u32>>) {{\n        drop(all);\n    }}\n}}\n\n\
         async fn tick() {{\n    tokio::task::yield_now().await;\n}}\n"
    );
    let files = [("Cargo.toml".to_owned(), manifest.to_owned()), ("src/lib.rs".to_owned(), text)].into_iter().collect();
    let review = support::Case::new("evidence".to_owned(), support::Files::new(), files).review();
    let [finding] = &review.findings[..] else { panic!("{} findings with {body}", review.findings.len()) };
    finding.evidence[0].note.clone()
}

#[test]
fn a_bound_guard_lives_to_the_end_of_its_block() {
    let note = evidence(EDITION_2024, "let all = self.all.lock().unwrap(); tick().await; let _ = all;");
    assert!(note.ends_with("its guard `all` lives to the end of its block"), "{note}");
}

#[test]
fn a_later_variable_of_the_same_name_ends_nothing() {
    let note = evidence(EDITION_2024, "let all = self.all.lock().unwrap(); let all = all.is_some(); tick().await;");
    assert!(note.contains("also where another `all` hides it"), "{note}");
}

#[test]
fn a_guard_that_is_dropped_later_lives_until_then() {
    let note = evidence(EDITION_2024, "let all = self.all.lock().unwrap(); tick().await; drop(all);");
    assert!(note.contains("`all` lives until it is dropped"), "{note}");
}

#[test]
fn a_temporary_kept_by_a_reference_lives_as_long_as_it() {
    let note = evidence(EDITION_2024, "let all = &*self.all.lock().unwrap(); tick().await; let _ = all;");
    assert!(note.ends_with("that a `let` keeps to the end of the block"), "{note}");
}

#[test]
fn the_else_belongs_to_an_if_let_of_2021() {
    let body = "if let Some(_) = self.all.lock().unwrap().as_ref() {} else { tick().await; }";
    let note = evidence(EDITION_2021, body);
    assert!(note.ends_with("lives to its end, the `else` included"), "{note}");
    let note = evidence(NO_EDITION, body);
    assert!(note.ends_with("the edition is not written down, that of 2021 is assumed"), "{note}");
}

#[test]
fn the_body_belongs_to_an_if_let_of_every_edition() {
    let body = "if let Some(_) = self.all.lock().unwrap().as_ref() { tick().await; }";
    let note = evidence(EDITION_2024, body);
    assert!(note.ends_with("temporary of the `if let` and lives to the end of its body"), "{note}");
}

#[test]
fn a_closure_carries_what_was_moved_into_it() {
    let body = "let all = self.all.lock().unwrap(); let show = move || all.is_some(); tick().await; show();";
    let note = evidence(EDITION_2024, body);
    assert!(note.ends_with("its guard was moved into `show` and lives as long as that"), "{note}");
}
