//! What the ranking must not hang on: names, comments, boring lines, blank lines.
//!
//! Each test writes every fixture otherwise and compares: no verdict changes, and no hunk that was left alone has another
//! risk or another place among those that were.

// A test that cannot go on says so.
#![allow(clippy::unwrap_used)]

mod support;

use support::rewrite::{is_statement_start, renamed, with_comments, words_of_the_catalogue};
use support::{Answer, Case, Sort, answers, files, fixtures, folders, marker, places, relative, root};
use tenth::review::{Hunk, Lines, Review};

/// All fixtures of rules, all stories, and the example.
fn cases() -> Vec<Case> {
    let base = root().join("fixtures/changes");
    let story = |folder: std::path::PathBuf| {
        Case::new(relative(&folder, &base), files(&folder.join("before")), files(&folder.join("after")))
    };
    let (before, after) = tenth::demo::change();
    let demo = Case { name: "demo".to_owned(), before, after };
    fixtures().into_iter().chain(folders(&base).into_iter().map(story)).chain([demo]).collect()
}

fn over_all(check: impl Fn(&Case) -> Vec<String> + Sync) {
    let of_one =
        |case: &Case| -> Vec<String> { check(case).into_iter().map(|what| format!("{}: {what}", case.name)).collect() };
    let wrong = support::of_each(&cases(), of_one);
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// The names of the signals that a change between two texts of one file gives, by the first added line of their hunks.
fn signals(path: &str, before: &str, after: &str) -> Vec<(u32, Vec<String>)> {
    let files = |text: &str| [(path.to_owned(), text.to_owned())].into();
    let case = Case::new(path.to_owned(), files(before), files(after));
    let of = |hunk: &Hunk| {
        let names = hunk.reasons.iter().map(|reason| reason.signal.clone());
        (hunk.after.start, names.collect())
    };
    case.review().hunks.iter().map(of).collect()
}

fn has(found: &[(u32, Vec<String>)], line: u32, name: &str) -> bool {
    found.iter().any(|(at, names)| *at == line && names.iter().any(|known| known == name))
}

#[test]
fn an_asynchronous_copy_of_a_plain_function_is_told_from_a_new_one() {
    let before = "\
class Client:
    def fetch(self, key):
        self.open(key)
        row = self.read(key)
        self.check(row)
        self.close(row)
        return row
";
    let copy = "
class AsyncClient:
    async def afetch(self, key):
        await self.aopen(key)
        row = await self.aread(key)
        self.check(row)
        await self.aclose(row)
        return row
";
    let other = "
class AsyncClient:
    async def afetch(self, key):
        await self.send(key)
        row = await self.receive(key)
        self.store(row)
        await self.done(row)
        return row
";
    let copied = signals("client.py", before, &format!("{before}{copy}"));
    assert!(copied.iter().any(|(line, _)| has(&copied, *line, "copied-from-sync")), "{copied:?}");
    let new = signals("client.py", before, &format!("{before}{other}"));
    assert!(!new.iter().any(|(line, _)| has(&new, *line, "copied-from-sync")), "{new:?}");
}

#[test]
fn state_that_two_tasks_touch_is_told_from_state_of_one() {
    let before = "\
import asyncio


class Feed:
    def __init__(self):
        self.rows = []
        self.seen = 0
        self.sender = asyncio.create_task(self.send())
        self.receiver = asyncio.create_task(self.receive())

    async def send(self):
        await self.flush(self.rows)

    async def receive(self):
        await self.wait()
";
    let line = |field: &str| format!("        self.{field} = await self.wait()\n");
    let both = signals("feed.py", before, &format!("{before}{}", line("rows")));
    assert!(has(&both, 16, "state-met"), "{both:?}");
    let one = signals("feed.py", before, &format!("{before}{}", line("seen")));
    assert!(!has(&one, 16, "state-met"), "{one:?}");
}

#[test]
fn locks_that_cover_more_or_less_are_told() {
    let text = |under: &str, beside: &str| {
        format!(
            "import asyncio\n\nlock = asyncio.Lock()\n\n\nasync def f(row):\n    async with lock:\n        row.one()\n{under}{beside}"
        )
    };
    let (inside, outside) = ("        row.two()\n", "    row.two()\n");
    let wider = signals("m.py", &text("", outside), &text(inside, ""));
    assert!(has(&wider, 9, "lock-widened"), "{wider:?}");
    let narrower = signals("m.py", &text(inside, ""), &text("", outside));
    assert!(has(&narrower, 9, "lock-narrowed"), "{narrower:?}");
}

/// A hunk as it is known in another version of its change: its file and its lines.
type Known = (String, Lines, Lines);

fn as_it_stands(hunk: &Hunk) -> Known {
    (hunk.path.clone(), hunk.before, hunk.after)
}

/// What differs between the verdicts of two versions, or in risk and order between the hunks that both have. Those are
/// known by what `known` makes of the other version's lines; `None` leaves a hunk out.
fn compare(
    (plain, said): (&Review, &Said),
    (other, other_said): (&Review, &Said),
    known: impl Fn(&Hunk) -> Option<Known>,
) -> Vec<String> {
    let keys = |review: &Review, key: &dyn Fn(&Hunk) -> Option<Known>| -> Vec<(Known, u8)> {
        let mut hunks: Vec<&Hunk> = review.hunks.iter().collect();
        hunks.sort_by_key(|hunk| hunk.rank);
        hunks.into_iter().filter_map(|hunk| Some((key(hunk)?, hunk.risk))).collect()
    };
    let own = |hunk: &Hunk| known(hunk).map(|_| as_it_stands(hunk));
    let (plain, other) = (keys(plain, &own), keys(other, &known));
    let shared = |one: &[(Known, u8)], two: &[(Known, u8)]| -> Vec<(Known, u8)> {
        one.iter().filter(|(key, _)| two.iter().any(|(known, _)| known == key)).cloned().collect()
    };
    let (plain, other) = (shared(&plain, &other), shared(&other, &plain));
    differences("verdicts", said, other_said).into_iter().chain(differences("hunks", &plain, &other)).collect()
}

type Said = Vec<(Sort, String, String, u32)>;

fn said(review: &Review) -> Said {
    places(&answers(review), |one| one.line)
}

fn differences<T: PartialEq + std::fmt::Debug>(what: &str, plain: &T, other: &T) -> Option<String> {
    (plain != other).then(|| format!("{what} {plain:?}\n    become {other:?}"))
}

#[test]
fn names_do_not_count() {
    let known = words_of_the_catalogue();
    over_all(|case| {
        let (plain, other) = (case.review(), renamed(case, &known).review());
        compare((&plain, &said(&plain)), (&other, &said(&other)), |hunk| Some(as_it_stands(hunk)))
    });
}

/// Whether a comment has a part in a hunk's risk. That is capped, and touches no other hunk.
fn is_talked_up(hunk: &Hunk) -> bool {
    let of_words = ["claim-made", "claim-contradicted", "warning-suppressed", "only-comments"];
    hunk.reasons.iter().any(|reason| of_words.contains(&reason.signal.as_str()))
}

/// Compares a case with itself when its comments read otherwise.
fn with_other_comments(case: &Case, rewrite: impl Fn(&str, &str) -> String) -> Vec<String> {
    // These rules read comments.
    if case.name.starts_with("elided-code/") || case.name.starts_with("leftover-stub/") {
        return Vec::new();
    }
    let (plain, other) = (case.review(), with_comments(case, rewrite).review());
    let talked_up: Vec<Known> =
        plain.hunks.iter().chain(&other.hunks).filter(|hunk| is_talked_up(hunk)).map(as_it_stands).collect();
    let known = |hunk: &Hunk| Some(as_it_stands(hunk)).filter(|known| !talked_up.contains(known));
    compare((&plain, &said(&plain)), (&other, &said(&other)), known)
}

#[test]
fn comments_may_go() {
    over_all(|case| with_other_comments(case, |_, marker| marker.to_owned()));
}

#[test]
fn comments_may_speak_of_locks() {
    over_all(|case| with_other_comments(case, |old, _| format!("{old} lock await async")));
}

#[test]
fn boring_lines_in_the_same_files_move_nothing() {
    over_all(|case| {
        // What is put behind damage belongs to it.
        if case.name.starts_with("broken-syntax/") || case.name == "stopped-half-way" || case.name == "demo" {
            return Vec::new();
        }
        let mut padded = case.clone();
        let is_changed = |path: &str, text: &str| case.before.get(path).is_none_or(|before| before != text);
        for (path, text) in padded.after.iter_mut().filter(|(path, text)| is_changed(path, text)) {
            let line = match marker(path) {
                Some("#") => "BORING_{} = {}\n",
                Some(_) => "const BORING_{}: u32 = {};\n",
                None => continue,
            };
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            for number in 0..15 {
                text.push_str(&line.replace("{}", &number.to_string()));
            }
        }
        let (plain, other) = (case.review(), padded.review());
        // A hunk at the old end grows by the padding, and is another one then.
        compare((&plain, &said(&plain)), (&other, &said(&other)), |hunk| Some(as_it_stands(hunk)))
    });
}

#[test]
fn a_blank_line_in_a_hunk_moves_nothing_else() {
    over_all(|case| {
        let plain = case.review();
        let Some((path, before_line, after_line)) = plain.hunks.iter().find_map(|hunk| split(case, hunk)) else {
            return Vec::new();
        };
        let mut parted = case.clone();
        for (side, line) in [(&mut parted.before, before_line), (&mut parted.after, after_line)] {
            let Some(text) = side.get_mut(&path) else { continue };
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            lines.insert((line as usize).min(lines.len()), "\n");
            *text = lines.concat();
        }
        let other = parted.review();
        let back = |at: u32, line: u32| if at > line { at - 1 } else { at };
        let known = |hunk: &Hunk| {
            let (mut before, mut after) = (hunk.before, hunk.after);
            if hunk.path == path {
                (before.start, after.start) = (back(before.start, before_line), back(after.start, after_line));
            }
            Some((hunk.path.clone(), before, after))
        };
        let line = |one: &Answer| match one.sort {
            _ if one.path != path => one.line,
            Sort::Fixed => back(one.line, before_line),
            Sort::Finding | Sort::Reached | Sort::Question => back(one.line, after_line),
        };
        compare((&plain, &said(&plain)), (&other, &places(&answers(&other), line)), known)
    });
}

/// Where a hunk of several statements can be parted: the line before it on the one side, a line inside it on the other.
fn split(case: &Case, hunk: &Hunk) -> Option<(String, u32, u32)> {
    let is_only_added = hunk.before.count == 0 && hunk.after.count >= 4;
    let has_before = case.before.contains_key(&hunk.path);
    let text = case.after.get(&hunk.path).filter(|_| is_only_added && has_before && marker(&hunk.path).is_some())?;
    let lines: Vec<&str> = text.lines().collect();
    let (first, end) = (hunk.after.start as usize, (hunk.after.start + hunk.after.count - 2) as usize);
    let at = (first + 1..end).find(|&at| is_statement_start(&lines, at))?;
    Some((hunk.path.clone(), hunk.before.start, at as u32))
}
