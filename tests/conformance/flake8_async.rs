//! The evaluation files of flake8-async, in their form for asyncio.
//!
//! An expected line ends in `# error: …` or `# ASYNCnnn: …`. Files are written for one library, most often trio, and
//! mean the others as well: its name is replaced by `asyncio`, as their own tests do. Many never import what they use;
//! a checker that resolves names needs the imports, which take the place of the first comment, so that no line moves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tenth::catalogue::Catalogue;

use super::Suite;
use super::judge::{answers, answers_of_change, judge, read};
use super::table::{self, EVALUATIONS, Evaluation, SILENT};

/// Every evaluation file of the table, from the folder that holds them.
pub(crate) fn run(folder: &Path) -> Result<Suite, String> {
    let mut suite = Suite { name: "flake8-async", expected: 0, found: 0, floor: 95, faults: Vec::new() };
    for evaluation in EVALUATIONS {
        let name = format!("{}.py", evaluation.file);
        let mut text = for_asyncio(&read(folder, &name)?, evaluation.imports);
        if evaluation.is_sketch {
            text = in_a_task(&text);
        }
        let expected = expected(&text, evaluation);
        let catalogue = Catalogue::with(evaluation.catalogue).map_err(|error| format!("{name}: {error}"))?;
        let answers = match evaluation.is_left_async {
            true => answers_of_change(&name, &awaiting(&text), &text, &catalogue),
            false => answers(&name, &text, &catalogue),
        };
        let score = judge(&name, &text, &expected, &answers, evaluation.deviations);
        suite.expected += score.expected;
        suite.found += score.found;
        suite.faults.extend(score.unexplained);
        suite.faults.extend(said(&name, &without_async(&text), &catalogue, table::ASYNC_ONLY, "once it is plain code"));
    }
    for (file, codes) in SILENT {
        let name = format!("{file}.py");
        let text = for_asyncio(&read(folder, &name)?, "");
        let rules: Vec<&str> = codes.iter().flat_map(|code| table::rules_of(code)).copied().collect();
        suite.faults.extend(said(&name, &text, Catalogue::builtin(), &rules, "where it should be silent"));
    }
    Ok(suite)
}

/// What rules say of a file that they should say nothing of.
fn said(name: &str, text: &str, catalogue: &Catalogue, rules: &[&str], when: &str) -> Vec<String> {
    let answers = answers(name, text, catalogue);
    let of_rules = answers.iter().filter(|answer| rules.contains(&answer.rule));
    of_rules.map(|answer| format!("{name}:{}: {} {when}", answer.line, answer.rule)).collect()
}

fn expected(text: &str, evaluation: &Evaluation) -> BTreeMap<&'static str, BTreeSet<u32>> {
    let own = evaluation.file.split('_').next().unwrap_or_default().to_uppercase();
    let mut expected: BTreeMap<&str, BTreeSet<u32>> =
        evaluation.codes.iter().map(|code| (*code, BTreeSet::new())).collect();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim_start().starts_with('#')) {
        for comment in line.split('#').skip(1) {
            let Some((mark, _)) = comment.split_once(':') else { continue };
            // `ASYNC220_asyncio` is a wording of `ASYNC220`, and a remark may come before it: `okay, error: 8`.
            let mark = mark.rsplit(',').next().unwrap_or_default();
            let code = mark.split('_').next().unwrap_or_default().trim();
            let code = if code == "error" { &own } else { code };
            if let Some(lines) = expected.get_mut(code) {
                lines.insert(number);
            }
        }
    }
    expected
}

fn for_asyncio(text: &str, imports: &str) -> String {
    let base = text.split_once("# BASE_LIBRARY ").and_then(|(_, rest)| rest.split_whitespace().next());
    let text = match base.unwrap_or("trio") {
        "asyncio" => text.to_owned(),
        base => replaced(text, base, "asyncio"),
    };
    if imports.is_empty() {
        return text;
    }
    let comment = text.lines().position(|line| line.starts_with('#'));
    let lines = text.lines().enumerate().map(|(at, line)| match comment {
        Some(comment) if comment == at => imports.to_owned(),
        None if at == 0 => format!("{imports}; {line}"),
        _ => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}

/// A sketch as the body of an asynchronous function, which begins at the first comment, so that no line moves: its
/// functions are asynchronous too, and what a `try` leaves out is an await.
fn in_a_task(text: &str) -> String {
    let begins = text.lines().position(|line| line.starts_with('#')).unwrap_or_default();
    let mut made = String::new();
    let mut former = "";
    for (at, line) in text.lines().enumerate() {
        let code = line.split('#').next().unwrap_or_default().trim();
        match at {
            at if at < begins => made.push_str(line),
            at if at == begins => made.push_str("async def sketch():"),
            _ if code == "..." && former == "try:" => {
                made.push_str("    ");
                made.push_str(&line.replacen("...", "await something()", 1));
            }
            _ => {
                made.push_str("    ");
                made.push_str(&line.replacen("def ", "async def ", 1));
            }
        }
        made.push('\n');
        if !code.is_empty() {
            former = code;
        }
    }
    made
}

/// What a file may have been before its functions lost their awaits: every asynchronous one begins with one.
fn awaiting(text: &str) -> String {
    let mut made = String::new();
    let mut header = None;
    for line in text.lines() {
        let code = line.split('#').next().unwrap_or_default().trim_end();
        if code.trim_start().starts_with("async def ") {
            header = Some(code.len() - code.trim_start().len());
        }
        made.push_str(line);
        made.push('\n');
        let ends = code.ends_with(':') || code.ends_with("...");
        if let Some(column) = header.take_if(|_| ends)
            && code.ends_with(':')
        {
            made.push_str(&" ".repeat(column + 4));
            made.push_str("await something()\n");
        }
    }
    made
}

/// A word by another, where it is a word of its own.
fn replaced(text: &str, word: &str, by: &str) -> String {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let mut made = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = (&rest[..at], &rest[at + word.len()..]);
        let stands_alone = !before.ends_with(|c| is_part(c) || c == '-') && !after.starts_with(is_part);
        made.push_str(before);
        made.push_str(if stands_alone { by } else { word });
        rest = after;
    }
    made + rest
}

/// The same file as plain code: every `async` and `await` is gone, as in their own test of that name.
fn without_async(text: &str) -> String {
    let plain = |line: &str| {
        let (code, comment) = line.split_at(line.find('#').unwrap_or(line.len()));
        let code = ["def", "with", "for"]
            .iter()
            .fold(code.to_owned(), |code, word| code.replace(&format!("async {word} "), &format!("{word} ")));
        replaced(&code.replace("await (", "("), "await ", "") + comment + "\n"
    };
    text.lines().map(plain).collect()
}
