//! Whole reviews of small changes (`fixtures/changes`) in every form, and what a cause means.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

mod support;

use support::{Case, stories};
use tenth::report::{Format, Style, render};
use tenth::review::{Finding, Hunk, Lines, Options, Origin};

#[test]
fn every_story_reads_the_same_as_before() {
    for story in stories() {
        let done = tenth::review_change(&story.change(), &Options::default(), Some(1)).unwrap();
        for (name, format) in [
            ("terminal", Format::Terminal),
            ("concise", Format::Concise),
            ("markdown", Format::Markdown),
            ("json", Format::Json),
        ] {
            let text = render(format, &done.review, &done.sources, Style::default());
            insta::assert_snapshot!(format!("{}.{name}", story.name), text);
        }
    }
}

/// Takes back one hunk after the other: a finding goes exactly with those that are its causes.
#[test]
fn a_finding_goes_with_its_causes_and_with_nothing_else() {
    let mut wrong = Vec::new();
    for story in stories() {
        let review = story.review();
        let introduced = |finding: &&Finding| finding.origin == Origin::Introduced;
        // Without an import a name means nothing; that does not make the import worth a look.
        for hunk in review.hunks.iter().filter(|hunk| !is_import(&story, hunk)) {
            let without = without(&story, hunk).review();
            for finding in review.findings.iter().filter(introduced) {
                let same = |other: &Finding| {
                    (&other.rule, &other.path, &other.function) == (&finding.rule, &finding.path, &finding.function)
                };
                let stays = without.findings.iter().filter(introduced).any(same);
                if stays == finding.causes.contains(&hunk.id) {
                    let place = format!("{} of {}:{}", hunk.id, hunk.path, hunk.after.start);
                    wrong.push(format!(
                        "{}: `{}` {} without hunk {place}, which is {} cause of it",
                        story.name,
                        finding.rule,
                        if stays { "stays" } else { "goes" },
                        if stays { "a" } else { "no" },
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn is_import(story: &Case, hunk: &Hunk) -> bool {
    let text = story.after.get(&hunk.path).map_or("", String::as_str);
    let lines = text.lines().skip(hunk.after.start.saturating_sub(1) as usize).take(hunk.after.count as usize);
    let starts = ["import ", "from ", "use "];
    let mut lines = lines.filter(|line| !line.trim().is_empty()).peekable();
    lines.peek().is_some() && lines.all(|line| starts.iter().any(|start| line.starts_with(start)))
}

/// The change without one of its hunks.
fn without(story: &Case, hunk: &Hunk) -> Case {
    let lines = |text: Option<&String>| -> Vec<String> {
        text.map_or(Vec::new(), |text| text.split_inclusive('\n').map(str::to_owned).collect())
    };
    let range = |at: Lines| {
        let first = if at.count == 0 { at.start } else { at.start - 1 } as usize;
        first..first + at.count as usize
    };
    let before = lines(story.before.get(&hunk.path));
    let mut after = lines(story.after.get(&hunk.path));
    after.splice(range(hunk.after), before[range(hunk.before)].to_vec());
    let mut story = story.clone();
    story.after.insert(hunk.path.clone(), after.concat());
    story
}
