//! What the rules say of one file alone, held against what is expected of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tenth::analysis::Program;
use tenth::catalogue::Catalogue;
use tenth::change::{ChangeSet, Description, Kind};
use tenth::load::Files;
use tenth::text::{LineIndex, Side};
use tenth::verdict::{Stance, Verdict};

use super::table::{self, Deviation};

/// One answer of a rule.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The rule.
    pub(crate) rule: &'static str,
    /// Where it points.
    pub(crate) line: u32,
    /// Where its evidence stands.
    pub(crate) evidence: Vec<u32>,
    /// Whether it is a question.
    pub(crate) is_question: bool,
}

/// Everything that the rules say of a file: findings of every level, and questions.
pub(crate) fn answers(name: &str, text: &str, catalogue: &Catalogue) -> Vec<Answer> {
    let description = Description { kind: Kind::Files, before: None, after: None, how: name.to_owned() };
    let after = BTreeMap::from([(name.to_owned(), text.to_owned())]);
    let change = ChangeSet::in_memory(description, BTreeMap::new(), after);
    let files = Files::new(change.trees.clone());
    let program = Program::new(Side::After, catalogue, &files);
    let Some(module) = program.module_at(name) else { return Vec::new() };
    as_answers(&tenth::rules::verdicts(&program, &[module]).verdicts, text)
}

/// What the rules say of a change of a file that see both of its sides. Both must hold the same functions.
pub(crate) fn answers_of_change(name: &str, before: &str, after: &str, catalogue: &Catalogue) -> Vec<Answer> {
    let description = Description { kind: Kind::Files, before: None, after: None, how: name.to_owned() };
    let side = |text: &str| BTreeMap::from([(name.to_owned(), text.to_owned())]);
    let change = ChangeSet::in_memory(description, side(before), side(after));
    let files = Files::new(change.trees.clone());
    let (was, is) = (Program::new(Side::Before, catalogue, &files), Program::new(Side::After, catalogue, &files));
    let (Some(then), Some(now)) = (was.module_at(name), is.module_at(name)) else { return Vec::new() };
    let (former, latter) = (was.named_functions(then), is.named_functions(now));
    let said = former.keys().zip(latter.keys()).flat_map(|(&then, &now)| {
        assert_eq!(was.function(then).qualified, is.function(now).qualified, "the sides hold the same functions");
        tenth::rules::of_both_sides((&was, then), (&is, now)).after
    });
    as_answers(&said.collect::<Vec<_>>(), after)
}

fn as_answers(said: &[Verdict], text: &str) -> Vec<Answer> {
    let lines = LineIndex::new(text);
    let answer = |verdict: &Verdict| Answer {
        rule: verdict.rule,
        line: lines.line(verdict.at.span.start),
        evidence: verdict.evidence.iter().map(|piece| lines.line(piece.at.span.start)).collect(),
        is_question: verdict.stance == Stance::Unproven,
    };
    said.iter().filter(|verdict| verdict.stance != Stance::Upheld).map(answer).collect()
}

/// How one file did.
#[derive(Default)]
pub(crate) struct Score {
    pub(crate) expected: usize,
    pub(crate) found: usize,
    /// Deviations that nobody has written a reason for.
    pub(crate) unexplained: Vec<String>,
}

/// Holds the answers against the lines that each code expects, and prints the file's rows.
pub(crate) fn judge(
    file: &str,
    text: &str,
    expected: &BTreeMap<&str, BTreeSet<u32>>,
    answers: &[Answer],
    deviations: &[Deviation],
) -> Score {
    let source: Vec<&str> = text.lines().collect();
    let mut score = Score::default();
    let mut rows = Vec::new();
    let mut deviate = |line: u32, what: &str, unexplained: &mut Vec<String>| {
        let code = source.get(line as usize - 1).map_or("", |line| line.trim());
        let reason = deviations.iter().find(|(part, _)| code.contains(part)).map(|(_, reason)| *reason);
        if reason.is_none() {
            unexplained.push(format!("{file}:{line}: {what} without a reason: {code}"));
        }
        rows.push(format!("  {line}: {what}: {} ({})", shortened(code), reason.unwrap_or("NO REASON")));
    };
    let mut questions = 0;
    for (code, lines) in expected {
        let rules = table::rules_of(code);
        for &line in lines {
            score.expected += 1;
            let mut said = answers.iter().filter(|answer| rules.contains(&answer.rule));
            match said.find(|answer| answer.line == line || answer.evidence.contains(&line)) {
                Some(answer) => {
                    score.found += 1;
                    questions += usize::from(answer.is_question);
                }
                None => deviate(line, &format!("no {code}"), &mut score.unexplained),
            }
        }
    }
    let rules: BTreeSet<&str> = expected.keys().flat_map(|code| table::rules_of(code)).copied().collect();
    let all: BTreeSet<u32> = expected.values().flatten().copied().collect();
    let more: BTreeSet<(u32, &str)> = answers
        .iter()
        .filter(|answer| rules.contains(answer.rule) && !all.contains(&answer.line))
        .map(|answer| (answer.line, answer.rule))
        .collect();
    for (line, rule) in more {
        deviate(line, &format!("{rule} beyond what is expected"), &mut score.unexplained);
    }
    println!("{file}: expected {}, found {} ({questions} of them questions)", score.expected, score.found);
    for row in rows {
        println!("{row}");
    }
    score
}

fn shortened(code: &str) -> &str {
    let end = code.find('#').unwrap_or(code.len());
    code[..end].trim_end()
}

/// A file of a checkout.
pub(crate) fn read(folder: &Path, name: &str) -> Result<String, String> {
    let path = folder.join(name);
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}
