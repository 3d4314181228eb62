//! `tenth demo`: what a newcomer sees first shows what the tool is for.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

use tenth::change::ChangeSet;
use tenth::report::{self, Format, Style};
use tenth::review::{Options, Origin, Review};

fn review(change: &ChangeSet) -> Review {
    tenth::review_change(change, &Options::default(), None).unwrap().review
}

#[test]
fn three_hazards_are_found_among_the_boring_hunks() {
    let review = review(&tenth::demo::change_set());
    let introduced = review.findings.iter().filter(|finding| finding.origin == Origin::Introduced);
    let mut found: Vec<(&str, &str)> = introduced.map(|one| (one.rule.as_str(), one.path.as_str())).collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("blocking-through-call", "app/integrations/carriers.py"),
            ("broken-syntax", "app/services/settlement.py"),
            ("lock-reentry", "app/events/handlers.py"),
        ]
    );
}

#[test]
fn the_hunk_of_the_deadlock_comes_first_and_at_most_a_tenth_is_highlighted() {
    let review = review(&tenth::demo::change_set());
    let highlighted = review.highlighted();
    assert_eq!(highlighted[0].path, "app/events/registry.py");
    assert_eq!(highlighted[0].rank, 1);
    assert!(highlighted.len() * 10 <= review.hunks.len(), "{} of {}", highlighted.len(), review.hunks.len());
}

#[test]
fn the_boring_files_raise_no_questions() {
    let review = review(&tenth::demo::change_set());
    let questions: Vec<String> = review.questions().map(|one| format!("{}: {}", one.path, one.question)).collect();
    assert!(questions.is_empty(), "{questions:#?}");
}

#[test]
fn the_readme_quotes_what_the_demo_prints() {
    let readme = include_str!("../README.md");
    let done = tenth::review_change(&tenth::demo::change_set(), &Options::default(), None).unwrap();
    let printed = report::render(Format::Terminal, &done.review, &done.sources, Style::default());
    let blocks: Vec<&str> = readme.split("```text\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        assert!(printed.contains(block), "the demo prints no longer:\n{block}\nbut:\n{printed}");
    }
    let files = format!("{} files", done.review.change.files);
    assert!(readme.contains(&files), "the README does not speak of {files}");
}
