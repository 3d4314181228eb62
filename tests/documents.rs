//! The examples in `rules/*.md` run: what their comments expect is said, and nothing else.

mod support;

use std::collections::BTreeMap;

use support::{Case, Files, Sort, check, expectations, marker};
use tenth::rules::{self, RuleInfo};
use tenth::text::Language;

#[test]
fn every_example_gets_the_answers_that_it_expects() {
    let cases: Vec<Case> = rules::all().iter().flat_map(examples).collect();
    check(&cases);
}

#[test]
fn every_language_has_a_hit_and_a_near_miss() {
    for rule in rules::all() {
        for language in &rule.languages {
            let (mut hits, mut functions) = (0, 0);
            for mut case in examples(rule) {
                case.after.retain(|path, _| Language::of_path(path) == Some(*language));
                let expected = expectations(&case.after, &[Sort::Finding, Sort::Question, Sort::Reached]);
                hits += expected.iter().filter(|hit| hit.rule == rule.name).count();
                functions +=
                    case.after.values().flat_map(|text| text.lines()).filter(|line| begins_function(line)).count();
            }
            assert!(hits > 0, "`{}` shows no hit in {language:?}", rule.name);
            assert!(functions > hits, "`{}` shows no near miss in {language:?}", rule.name);
        }
    }
}

#[test]
fn every_document_has_its_sections_in_order() {
    let sections = ["What it checks", "Why it matters", "Examples", "What it cannot see", "Silencing it"];
    for rule in rules::all() {
        let lines = || rule.document.lines();
        assert_eq!(lines().next(), Some(format!("# {}", rule.name).as_str()));
        let found: Vec<&str> = lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(found, sections, "`{}`", rule.name);
        for text in [&rule.summary, &rule.assumption] {
            assert!(!text.ends_with('.') && !text.is_empty(), "`{}`: {text:?}", rule.name);
        }
        assert!(rule.assumption.starts_with(char::is_lowercase), "`{}`: {:?}", rule.name, rule.assumption);
        assert!(lines().all(|line| line.chars().count() <= 120), "`{}` has a line over 120 columns", rule.name);
    }
}

fn begins_function(line: &str) -> bool {
    let starts = ["def ", "async def ", "fn ", "pub fn ", "pub async fn ", "async fn "];
    starts.iter().any(|start| line.trim_start().starts_with(start))
}

/// The examples of a document as cases. Blocks that begin with their path belong to one project with the others under
/// their heading, which has two sides if the paths begin with `before/` and `after/`; every other block is a project of
/// its own.
fn examples(rule: &RuleInfo) -> Vec<Case> {
    let mut cases = Vec::new();
    let mut project = Files::new();
    let mut lines = (1..).zip(rule.document.lines());
    let mut counts = BTreeMap::new();
    while let Some((number, line)) = lines.next() {
        if line.starts_with('#') && !project.is_empty() {
            cases.push(case(rule, &mut counts, std::mem::take(&mut project)));
        }
        let Some(language) = line.strip_prefix("```") else { continue };
        let code: String = lines
            .by_ref()
            .map(|(_, line)| line)
            .take_while(|line| *line != "```")
            .flat_map(|line| [line, "\n"])
            .collect();
        let plain = match language {
            "python" => "example.py",
            "rust" => "src/lib.rs",
            other => panic!("`{}`, line {number}: a block is of `{other}`", rule.name),
        };
        match own_path(&code, plain) {
            Some(path) => drop(project.insert(path, code)),
            None => cases.push(case(rule, &mut counts, Files::from([(plain.to_owned(), code)]))),
        }
    }
    if !project.is_empty() {
        cases.push(case(rule, &mut counts, project));
    }
    cases
}

fn case(rule: &RuleInfo, counts: &mut BTreeMap<String, u32>, after: Files) -> Case {
    let count = counts.entry(rule.name.to_owned()).or_default();
    *count += 1;
    let side = |side: &str| -> Files {
        let of_side = after.iter().filter_map(|(path, text)| Some((path.strip_prefix(side)?.to_owned(), text.clone())));
        of_side.collect()
    };
    let (before, is) = (side("before/"), side("after/"));
    let (before, after) = if before.is_empty() { (before, after) } else { (before, is) };
    Case::new(format!("rules/{}.md, example {count}", rule.name), before, after)
}

/// The path in the comment that a block begins with, if that holds nothing else.
fn own_path(code: &str, plain: &str) -> Option<String> {
    let path = code.lines().next()?.strip_prefix(marker(plain)?)?.trim();
    (Language::of_path(path) == Language::of_path(plain) && !path.contains(' ')).then(|| path.to_owned())
}
