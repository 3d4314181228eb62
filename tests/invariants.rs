//! What must hold for every change, shown on all fixtures.
//!
//! A fixture that breaks one of these is a bug in the tool, whatever the fixture is about.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use support::rewrite::{renamed, words_of_the_catalogue};
use support::{Answer, Case, Files, Sort, answers, fixtures, marker, places, review};
use tenth::flow::{FunctionKind, Module};
use tenth::lower::{Edition, lower};
use tenth::review::{Options, Review};
use tenth::text::SourceFile;

/// Collects what goes wrong over all fixtures, so that one run shows everything.
fn over_all(check: impl Fn(&Case) -> Vec<String> + Sync) {
    over(&fixtures(), check);
}

fn over(cases: &[Case], check: impl Fn(&Case) -> Vec<String> + Sync) {
    let of_one =
        |case: &Case| -> Vec<String> { check(case).into_iter().map(|what| format!("{}: {what}", case.name)).collect() };
    let wrong = support::of_each(cases, of_one);
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// A change that does nothing: a comment at the end of every file.
#[test]
fn a_change_without_effect_introduces_and_fixes_nothing() {
    over_all(|case| {
        let mut after = case.after.clone();
        for (path, text) in &mut after {
            if let Some(marker) = marker(path)
                && (text.ends_with('\n') || text.is_empty())
            {
                text.push_str(&format!("{marker} nothing\n"));
            }
        }
        let same = Case { name: case.name.clone(), before: case.after.clone(), after };
        // Damage at the end of a file swallows what is put behind it; that is a change.
        answers(&same.review())
            .into_iter()
            .filter(|answer| answer.rule != "broken-syntax" && answer.sort != Sort::Reached)
            .map(|answer| answer.to_string())
            .collect()
    });
}

#[test]
fn two_equal_sides_are_no_change() {
    over_all(|case| {
        let same = Case { name: case.name.clone(), before: case.after.clone(), after: case.after.clone() };
        let review = same.review();
        let said = answers(&review).into_iter().map(|answer| answer.to_string());
        said.chain(review.hunks.iter().map(|hunk| format!("a hunk in {}", hunk.path))).collect()
    });
}

#[test]
fn a_reversed_change_turns_introduced_into_fixed() {
    let findings = |review: &Review, sort: Sort| -> Vec<Answer> {
        let of_sort = answers(review).into_iter().filter(|answer| answer.sort == sort);
        let mut found: Vec<Answer> = of_sort.map(|answer| Answer { sort: Sort::Finding, ..answer }).collect();
        found.sort();
        found
    };
    over_all(|case| {
        let (forth, back) = (case.review(), case.reversed().review());
        let pairs = [(&forth, &back), (&back, &forth)];
        let compare = |(one, two): (&Review, &Review)| {
            let (introduced, fixed) = (findings(one, Sort::Finding), findings(two, Sort::Fixed));
            (introduced != fixed).then(|| format!("introduced {introduced:#?}\nfixed the other way {fixed:#?}"))
        };
        pairs.into_iter().filter_map(compare).collect()
    });
}

/// A change set lists its files by path, and so does the report; whoever takes them in another order gets the same
/// verdicts, causes and ranks.
#[test]
fn the_order_of_files_is_invisible() {
    let hunks = |review: &Review| {
        let all = review.hunks.iter().map(|hunk| (hunk.id.clone(), hunk.rank, hunk.risk, hunk.highlighted));
        all.collect::<BTreeSet<_>>()
    };
    let causes = |review: &Review| {
        let all =
            review.findings.iter().map(|one| (one.id.clone(), one.causes.iter().cloned().collect::<BTreeSet<_>>()));
        all.collect::<BTreeSet<_>>()
    };
    over_all(|case| {
        let change = case.change();
        let mut turned = change.clone();
        turned.files.reverse();
        let (plain, turned) = (review(&change), review(&turned));
        let parts = [
            ("answers", answers(&plain) == answers(&turned)),
            ("hunks", hunks(&plain) == hunks(&turned)),
            ("causes", causes(&plain) == causes(&turned)),
        ];
        parts.into_iter().filter(|(_, same)| !same).map(|(what, _)| format!("its {what} differ")).collect()
    });
}

#[test]
fn the_number_of_threads_is_invisible() {
    let with =
        |case: &Case, threads| tenth::review_change(&case.change(), &Options::default(), Some(threads)).unwrap().review;
    let cases = fixtures().into_iter().chain([everything(), demo()]);
    for case in cases {
        assert_eq!(different(&with(&case, 1), &with(&case, 8)), None, "{}", case.name);
    }
}

/// All fixtures of one rule language as one change would clash in their file names; so each keeps its own folder.
fn everything() -> Case {
    let mut all = Case { name: "all fixtures".to_owned(), before: Files::new(), after: Files::new() };
    for case in fixtures() {
        let put = |side: &mut Files, files: Files| {
            side.extend(files.into_iter().map(|(path, text)| (format!("{}/{path}", case.name), text)));
        };
        put(&mut all.before, case.before);
        put(&mut all.after, case.after);
    }
    all
}

fn demo() -> Case {
    let (before, after) = tenth::demo::change();
    Case { name: "demo".to_owned(), before, after }
}

fn different(one: &Review, two: &Review) -> Option<String> {
    let text = |review: &Review| serde_json::to_string_pretty(review).unwrap();
    let (one, two) = (text(one), text(two));
    if one == two {
        return None;
    }
    let pair = one.lines().zip(two.lines()).find(|(one, two)| one != two);
    Some(format!("reports differ: {pair:?}"))
}

/// Every line end of every file, and a place within every line: nothing panics, and what was whole before the cut is
/// still there.
#[test]
fn no_cut_panics_or_loses_a_whole_function() {
    over_all(|case| {
        let files = case.after.iter().filter_map(|(path, text)| SourceFile::new(path.as_str(), text.as_str()));
        files.flat_map(|file| cuts(&file)).collect()
    });
}

fn cuts(file: &SourceFile) -> Vec<String> {
    let whole = lower(file, Edition::From2024);
    let complete: Vec<(String, u32)> =
        functions(&whole).map(|function| (function.name.clone(), function.span.end)).collect();
    let mut wrong = Vec::new();
    let mut start = 0;
    for line in file.text.split_inclusive('\n') {
        let middle = start + line.char_indices().nth(line.chars().count() / 2).map_or(0, |(at, _)| at);
        start += line.len();
        for at in [middle, start] {
            let Some(cut) = SourceFile::new(file.path.clone(), &file.text[..at]) else { continue };
            let lowered = std::panic::catch_unwind(|| lower(&cut, Edition::From2024));
            let Ok(lowered) = lowered else {
                wrong.push(format!("{} cut at byte {at} panics", file.path));
                continue;
            };
            let mut kept: BTreeMap<&str, usize> = BTreeMap::new();
            for function in functions(&lowered) {
                *kept.entry(&function.name).or_default() += 1;
            }
            let mut due: BTreeMap<&str, usize> = BTreeMap::new();
            for (name, _) in complete.iter().filter(|&&(_, end)| (end as usize) < at) {
                *due.entry(name).or_default() += 1;
            }
            for (name, count) in due {
                if kept.get(name).copied().unwrap_or(0) < count {
                    wrong.push(format!("{} cut at byte {at} loses `{name}`", file.path));
                }
            }
        }
    }
    wrong
}

/// Functions that stand by themselves: not those within another, which may be the broken one.
fn functions(module: &Module) -> impl Iterator<Item = &tenth::flow::Function> {
    module.functions.iter().filter(|function| {
        function.parent.is_none() && !matches!(function.kind, FunctionKind::Module | FunctionKind::GeneratorExpression)
    })
}

#[test]
fn a_comment_on_top_shifts_lines_and_nothing_else() {
    over_all(|case| {
        let mut commented = case.clone();
        let is_changed = |path: &str, text: &str| case.before.get(path).is_none_or(|before| before != text);
        for (path, text) in commented.after.iter_mut().filter(|(path, text)| is_changed(path, text)) {
            if let Some(marker) = marker(path) {
                text.insert_str(0, &format!("{marker} a note\n"));
            }
        }
        let plain = places(&answers(&case.review()), |one| one.line);
        let shifted = places(&answers(&commented.review()), |one| match one.sort {
            Sort::Fixed => one.line,
            Sort::Finding | Sort::Reached | Sort::Question
                if case.before.get(&one.path) == case.after.get(&one.path) =>
            {
                one.line
            }
            Sort::Finding | Sort::Reached | Sort::Question => one.line - 1,
        });
        (plain != shifted).then(|| format!("{plain:?}\nbecomes {shifted:?}")).into_iter().collect()
    });
}

#[test]
fn renaming_functions_changes_no_verdict() {
    let known = words_of_the_catalogue();
    over_all(|case| {
        let renamed = renamed(case, &known);
        let plain = places(&answers(&case.review()), |one| one.line);
        let other = places(&answers(&renamed.review()), |one| one.line);
        (plain != other).then(|| format!("{plain:?}\nbecomes {other:?}")).into_iter().collect()
    });
}

#[test]
fn boring_hunks_change_neither_verdicts_nor_the_order_of_the_others() {
    over_all(|case| {
        let mut larger = case.clone();
        for number in 0..12 {
            let path = format!("boring/names_{number}.py");
            larger.before.insert(path.clone(), format!("NAME = \"a\"\nCOUNT = {number}\n"));
            larger.after.insert(path, format!("\"\"\"Names.\"\"\"\n\nNAME = \"b\"\nCOUNT = {number}\n"));
        }
        let (small, large) = (case.review(), larger.review());
        let mut wrong = Vec::new();
        if answers(&small) != answers(&large) {
            wrong.push(format!("{:?}\nbecomes {:?}", answers(&small), answers(&large)));
        }
        let order = |review: &Review| -> Vec<(String, u8)> {
            let mut hunks: Vec<_> = review.hunks.iter().filter(|hunk| !hunk.path.starts_with("boring/")).collect();
            hunks.sort_by_key(|hunk| hunk.rank);
            hunks.into_iter().map(|hunk| (hunk.id.clone(), hunk.risk)).collect()
        };
        if order(&small) != order(&large) {
            wrong.push("the order of its hunks changes".to_owned());
        }
        wrong
    });
}
