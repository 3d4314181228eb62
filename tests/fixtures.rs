//! Every rule over every case in `fixtures/rules`: what the comments expect is said, and nothing else.

mod support;

use support::{check, fixtures};
use tenth::rules::Family;
use tenth::verdict::Level;

#[test]
fn every_case_gets_the_answers_that_it_expects() {
    check(&fixtures());
}

/// The findings of a case in the order of their lines: the function and the level.
fn levels(name: &str) -> Vec<(String, Level)> {
    let case = fixtures().into_iter().find(|case| case.name == name).expect("the case is there");
    let mut found = case.review().findings;
    found.sort_by_key(|finding| (finding.path.clone(), finding.start));
    found.into_iter().map(|finding| (finding.function, finding.severity)).collect()
}

#[test]
fn what_blocks_in_a_test_is_a_note() {
    let name = "starts_up".to_owned();
    let expected = [(name.clone(), Level::Error), (name, Level::Note)];
    assert_eq!(levels("blocking-in-async/rust-in-tests"), expected);
}

#[test]
fn what_runs_once_in_the_life_of_a_program_is_not_raised_for_loops_and_handlers() {
    let expected = |rows: &[(&str, Level)]| rows.iter().map(|(name, level)| ((*name).to_owned(), *level)).collect();
    let python: Vec<_> = expected(&[("limit", Level::Note), ("limit_of", Level::Warning), ("ready", Level::Error)]);
    assert_eq!(levels("blocking-through-call/made-once"), python);
    let first_use: Vec<_> = expected(&[
        ("first", Level::Note),
        ("shared", Level::Note),
        ("anew", Level::Warning),
        ("again", Level::Warning),
    ]);
    assert_eq!(levels("blocking-through-call/made-on-first-use"), first_use);
    let rust: Vec<_> = expected(&[("run", Level::Note), ("run", Level::Note), ("show", Level::Warning)]);
    assert_eq!(levels("blocking-through-call/rust-made-once"), rust);
}

#[test]
fn messages_have_one_shape() {
    let mut wrong = Vec::new();
    for case in fixtures() {
        let review = case.review();
        for finding in review.findings.iter().chain(&review.fixed) {
            let notes = finding.evidence.iter().map(|piece| &piece.note);
            let hops = finding.trace.iter().map(|hop| &hop.what);
            for text in [&finding.message, &finding.help].into_iter().chain(notes).chain(hops) {
                wrong.extend(fault(text).map(|fault| format!("{}: `{}`: {fault}: {text:?}", case.name, finding.rule)));
            }
            let is_nameless = finding.family == Family::Unfinished;
            if finding.message.is_empty() || !(is_nameless || finding.message.contains('`')) {
                wrong.push(format!(
                    "{}: `{}` names nothing of the user's: {:?}",
                    case.name, finding.rule, finding.message
                ));
            }
        }
        for question in review.questions() {
            if !question.question.ends_with('?') {
                wrong.push(format!("{}: `{}` asks nothing: {:?}", case.name, question.rule, question.question));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the form of a text, if anything is.
fn fault(text: &str) -> Option<&'static str> {
    if text.ends_with('.') {
        Some("ends with a full stop")
    } else if !text.matches('`').count().is_multiple_of(2) {
        Some("has a lone backquote")
    } else if text.contains('\n') || text.contains("  ") || text.trim() != text {
        Some("is not one line")
    } else {
        None
    }
}
