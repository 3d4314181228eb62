//! The concurrency contract of files in few lines: Markdown that reads as plain text, made to be put in front of
//! whoever is about to change them.

use crate::review::{Brief, BriefGuarded, BriefLine, BriefLock, Stance};

use super::words;

/// How many names or lines of a kind are told; JSON has them all.
const MOST_NAMES: usize = 6;
const MOST_LINES: usize = 12;

/// The form for people and agents.
pub(super) fn text(brief: &Brief) -> String {
    let files: Vec<String> = brief.files.iter().map(|path| words::one_line(path)).collect();
    let mut text = format!("Concurrency contract of {}\n", several(&files));
    section(&mut text, "Locks", brief.locks.iter().flat_map(lock));
    let order = brief.order.iter().map(|order| {
        let by = several(&order.functions.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>());
        format!("`{}` before `{}`: {by} ({}:{})", order.first, order.then, order.at.path, order.at.line)
    });
    section(&mut text, "Order of locks", order);
    let contexts = brief.contexts.iter().map(|context| {
        // Where something else than the colour shows it, that is what a reader does not see at once.
        let mut shown: Vec<_> = context.functions.iter().collect();
        shown.sort_by_key(|function| function.why.is_empty());
        let names = shown.iter().map(|function| match function.why.as_str() {
            "" => format!("`{}`", function.name),
            why => format!("`{}`: {why}", function.name),
        });
        format!("{}: {}", context.runs, several(&names.collect::<Vec<_>>()))
    });
    section(&mut text, "What runs where", contexts);
    section(&mut text, "Rules of the libraries in use", brief.contracts.iter().map(line));
    let of = |wanted: Stance| brief.questions.iter().filter(move |line| line.stance == wanted).map(line);
    section(&mut text, "Does not hold today", of(Stance::Violated));
    section(&mut text, "Nobody could tell; answer before you rely on it", of(Stance::Unproven));
    section(&mut text, "Holds today; keep it so, or say why not", of(Stance::Upheld));
    if text.lines().count() == 1 {
        text.push_str("\nNo lock, no handed-over function, no assumption of concurrent code was found in it.\n");
    }
    text
}

/// The contract as it is.
pub(super) fn json(brief: &Brief) -> String {
    // Strings, numbers and lists always have a form in JSON.
    let mut text = serde_json::to_string_pretty(brief).expect("the contract holds nothing that JSON cannot say");
    text.push('\n');
    text
}

fn section(text: &mut String, title: &str, rows: impl Iterator<Item = String>) {
    let rows: Vec<String> = rows.collect();
    if rows.is_empty() {
        return;
    }
    text.push_str(&format!("\n{title}\n"));
    for row in rows.iter().take(MOST_LINES) {
        text.push_str(&format!("- {}\n", words::one_line(row)));
    }
    if rows.len() > MOST_LINES {
        text.push_str(&format!("- and {} more (`--format json` has them)\n", rows.len() - MOST_LINES));
    }
}

fn lock(lock: &BriefLock) -> Vec<String> {
    let declared = lock.declared.as_ref().map_or_else(String::new, |at| format!(", {}:{}", at.path, at.line));
    let waits = if lock.is_async { "waiting gives way" } else { "waiting stops the thread" };
    let guards: Vec<String> = lock.guards.iter().map(guarded).collect();
    let guards = if guards.is_empty() { String::new() } else { format!("; guards {}", several(&guards)) };
    let taken = several(&lock.taken_in.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>());
    let mut rows = vec![format!("`{}` ({}, {waits}{declared}){guards}; taken in {taken}", lock.name, lock.type_name)];
    if !lock.awaits.is_empty() {
        let awaits = lock.awaits.iter();
        let awaits: Vec<String> = awaits
            .map(|one| format!("`{}` for `{}` ({}:{})", one.function, one.what, one.at.path, one.at.line))
            .collect();
        rows.push(format!("under `{}` these give way: {}", lock.name, several(&awaits)));
    }
    rows
}

fn guarded(guarded: &BriefGuarded) -> String {
    match (guarded.changes_under, guarded.changes) {
        (Some(under), Some(all)) => format!("`{}` ({under} of {all} changes)", guarded.name),
        _ => format!("`{}`", guarded.name),
    }
}

fn line(line: &BriefLine) -> String {
    let more = if line.more > 0 { format!(" and {} more", line.more) } else { String::new() };
    format!("{} ({}:{}{more}) [{}]", line.text, line.at.path, line.at.line, line.rule)
}

/// "a, b and 3 more".
fn several(names: &[String]) -> String {
    let (told, rest) = names.split_at(names.len().min(MOST_NAMES));
    let told = told.join(", ");
    if rest.is_empty() { told } else { format!("{told} and {} more", rest.len()) }
}
