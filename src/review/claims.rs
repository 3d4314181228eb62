//! What comments, docstrings and commits claim, beside what the analysis found.
//!
//! A claim is about the function that it stands in or above, or about every function of the type or file whose docstring
//! it is in; a commit's words are only about code that they name. What speaks against it wins, then what speaks for it:
//!
//! ~~~text
//! a violated verdict of one of its rules, or a fact against it   contradicted
//! a fact for it, or upheld verdicts and none that is open        confirmed
//! else                                                           unchecked
//! ~~~
//!
//! A claim settles nothing: it takes no finding, no question and no risk away. A contradicted one adds to the risk of the
//! hunk that makes it.

use std::collections::BTreeSet;

use crate::text::Side;
use crate::verdict::{Level, Stance};

use super::checklist;
use super::contract::{Assumption, Claim, ClaimSource, Notice, Standing};
use super::diff::Diff;
use super::findings::Judged;
use super::ids;
use super::matching::last_name;
use super::material::{FunctionFacts, ItemKind, ItemRange, Said};
use super::phrases::{ClaimRow, Fact, table};
use super::rank::Weighed;

/// A claim, and the hunks that make it.
pub(super) struct Made {
    pub(super) claim: Claim,
    pub(super) hunks: Vec<usize>,
}

/// The claims of a change, in the order of its files and lines, those of its commits last.
pub(super) fn made(
    diff: &Diff<'_>,
    said: &[Said],
    facts: &[FunctionFacts],
    judged: &[Judged<'_>],
) -> (Vec<Made>, Vec<Notice>) {
    let (mut found, mut notices) = (Vec::new(), Vec::new());
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for one in said {
        let claim = match &one.declared {
            Some((rule, subject)) => {
                if crate::rules::info(rule).is_none() {
                    notices.push(unknown(one, rule));
                    continue;
                }
                let found = declared(diff, one, (rule, subject), judged);
                // What stood before is told only where the change has to do with it.
                if !one.is_added && found.about.is_empty() {
                    continue;
                }
                found
            }
            None => {
                let rows = table().stated(&one.text);
                if rows.is_empty() {
                    continue;
                }
                stated(diff, one, &rows, facts, judged)
            }
        };
        let place = one.path.as_deref().or(one.commit.as_deref()).unwrap_or("");
        let ordinal = seen.entry(format!("{place}\0{}", one.text)).or_default();
        let id = ids::id('c', &[place, &one.text, &ordinal.to_string()]);
        *ordinal += 1;
        let hunks = match &one.path {
            Some(path) if one.is_added => diff.changing(Side::After, path, one.lines.0, one.lines.1).collect(),
            // What was said elsewhere is contradicted by what these do.
            Some(_) | None => claim.against,
        };
        let claim = Claim {
            id,
            source: one.source,
            path: one.path.as_deref().map(str::to_owned),
            line: one.path.is_some().then_some(one.lines.0),
            commit: one.commit.as_deref().map(str::to_owned),
            text: one.text.clone(),
            about: claim.about,
            standing: claim.standing,
            found: claim.found,
        };
        found.push(Made { claim, hunks });
    }
    (found, notices)
}

/// What claims add to the risk of hunks: a little where something is claimed, much where it is contradicted. Of the
/// suppressions beside them only those count that are about concurrency.
pub(super) fn weigh(diff: &Diff<'_>, made: &[Made], notices: &[Notice], weighed: &mut Weighed) {
    for Made { claim, hunks } in made {
        let name = match claim.standing {
            Standing::Contradicted => "claim-contradicted",
            Standing::Confirmed | Standing::Unchecked => "claim-made",
        };
        let text = format!("\u{201c}{}\u{201d}", claim.text);
        weighed.others.extend(hunks.iter().map(|&at| (at, name, text.clone())));
    }
    for notice in notices.iter().filter(|notice| notice.kind == SILENCED) {
        let (Some(path), Some(line)) = (&notice.path, notice.line) else { continue };
        let held = diff.changing(Side::After, path, line, line);
        weighed.others.extend(held.map(|at| (at, "warning-suppressed", notice.text.clone())));
    }
}

/// What tells of a linter that is told to be silent about concurrency.
const SILENCED: &str = "foreign-suppression";

/// The claims as they are reported: what they are about stands in the checklist.
pub(super) fn told(made: Vec<Made>, listed: &[Assumption]) -> Vec<Claim> {
    let known: BTreeSet<&str> = listed.iter().map(|line| line.id.as_str()).collect();
    let told = made.into_iter().map(|made| {
        let mut claim = made.claim;
        claim.about.retain(|id| known.contains(id.as_str()));
        claim
    });
    told.collect()
}

fn unknown(said: &Said, rule: &str) -> Notice {
    Notice {
        kind: "assumption-unknown".to_owned(),
        text: format!("an assumption is declared for `{rule}`, which is no rule; `tenth rules` lists them"),
        path: said.path.as_deref().map(str::to_owned),
        line: said.path.is_some().then_some(said.lines.0),
    }
}

/// What the analysis makes of a claim.
struct Finding {
    about: Vec<String>,
    standing: Standing,
    found: String,
    /// The hunks that cause what speaks against it.
    against: Vec<usize>,
}

fn stated(diff: &Diff<'_>, said: &Said, rows: &[&ClaimRow], facts: &[FunctionFacts], judged: &[Judged<'_>]) -> Finding {
    let scope = Scope::of(diff, said);
    let rules: BTreeSet<&str> = rows.iter().flat_map(|row| &row.rules).map(String::as_str).collect();
    let mut met: Vec<&Judged<'_>> =
        judged.iter().filter(|one| rules.contains(one.verdict.rule) && scope.holds(diff, one, &said.text)).collect();
    // Where a sentence names one of several things, it is not about the others.
    let named: Vec<&Judged<'_>> = met.iter().copied().filter(|one| names(&said.text, &one.verdict.subject)).collect();
    if !named.is_empty() {
        met = named;
    }
    let settled = by_verdicts(&met);
    let by_fact = || {
        let own = facts.iter().find(|own| scope.is_function(own))?;
        let answers = rows.iter().filter_map(|row| by_fact(row.fact?, own));
        // What speaks against it comes first.
        answers.min_by_key(|(standing, _)| *standing != Standing::Contradicted)
    };
    let (standing, found) = match settled {
        Some((Standing::Contradicted, found)) => (Standing::Contradicted, found),
        other => by_fact().or(other).unwrap_or_else(|| (Standing::Unchecked, asked(&met))),
    };
    Finding { about: ids_of(&met), standing, found, against: against(&met) }
}

fn declared(diff: &Diff<'_>, said: &Said, (rule, subject): (&str, &str), judged: &[Judged<'_>]) -> Finding {
    let scope = Scope::of(diff, said);
    let is_meant = |one: &&Judged<'_>| {
        let verdict = one.verdict;
        let is_subject = if subject.is_empty() {
            // A trailer without a subject speaks of the whole change, a comment of the code beside it.
            true
        } else {
            is_same_name(subject, &verdict.subject) || is_same_name(subject, &verdict.function)
        };
        verdict.rule == rule && is_subject && (said.path.is_none() || scope.holds(diff, one, ""))
    };
    let met: Vec<&Judged<'_>> = judged.iter().filter(is_meant).collect();
    let (standing, found) = by_verdicts(&met).unwrap_or_else(|| (Standing::Unchecked, asked(&met)));
    Finding { about: ids_of(&met), standing, found, against: against(&met) }
}

fn is_against(one: &Judged<'_>) -> bool {
    matches!(one.verdict.stance, Stance::Violated(_)) && one.level >= Level::Warning
}

fn against(met: &[&Judged<'_>]) -> Vec<usize> {
    let hunks: BTreeSet<usize> =
        met.iter().filter(|one| is_against(one)).flat_map(|one| &one.blame.causes).copied().collect();
    hunks.into_iter().collect()
}

/// What verdicts say of a claim; `None` where they leave it open.
fn by_verdicts(met: &[&Judged<'_>]) -> Option<(Standing, String)> {
    if let Some(one) = met.iter().find(|one| is_against(one)) {
        return Some((Standing::Contradicted, one.verdict.message.clone()));
    }
    let holds = |one: &&&Judged<'_>| one.verdict.stance == Stance::Upheld;
    let first = met.iter().find(holds)?;
    let is_settled = met.iter().all(|one| one.verdict.stance == Stance::Upheld);
    is_settled.then(|| (Standing::Confirmed, first.verdict.assumption.clone()))
}

fn asked(met: &[&Judged<'_>]) -> String {
    let open = met.iter().find(|one| checklist::is_question(one));
    open.map_or_else(String::new, |one| one.verdict.question.clone())
}

fn by_fact(fact: Fact, of: &FunctionFacts) -> Option<(Standing, String)> {
    let name = last_name(&of.function);
    let (standing, found) = match fact {
        Fact::OnLoop if of.in_thread => (Standing::Contradicted, format!("`{name}` runs in a thread")),
        Fact::OnLoop if of.on_loop => (Standing::Confirmed, format!("`{name}` runs on the event loop")),
        Fact::OneThread if of.in_thread && of.on_loop => {
            (Standing::Contradicted, format!("`{name}` runs on the event loop and in a thread"))
        }
        Fact::OneAtATime => (Standing::Contradicted, of.concurrent.clone()?),
        Fact::GivesNoWay if of.on_loop && !of.in_thread && !of.gives_way => {
            (Standing::Confirmed, format!("`{name}` does not give way, and no thread runs it"))
        }
        Fact::OnLoop | Fact::OneThread | Fact::GivesNoWay => return None,
    };
    Some((standing, found))
}

fn ids_of(met: &[&Judged<'_>]) -> Vec<String> {
    let mut ids: Vec<String> = met.iter().map(|one| checklist::id(one)).collect();
    ids.sort();
    ids.dedup();
    ids
}

/// The code that a sentence is about.
enum Scope<'a> {
    /// A function.
    Function(&'a ItemRange),
    /// Everything between two lines of a file.
    Lines(&'a str, u32, u32),
    /// What the sentence names.
    Named,
}

impl<'a> Scope<'a> {
    fn of(diff: &Diff<'a>, said: &'a Said) -> Self {
        let Some(path) = said.path.as_deref() else { return Self::Named };
        let (first, last) = said.lines;
        if let Some(function) = diff.function_at(Side::After, path, first) {
            return Self::Function(function);
        }
        if let Some(function) = below(diff, said.source, path, last) {
            return Self::Function(function);
        }
        match diff.type_at(Side::After, path, first) {
            Some(of) => Self::Lines(path, of.first, of.last),
            None if said.source == ClaimSource::Docstring => Self::Lines(path, 1, u32::MAX),
            // Beside code of the module: the statement below it.
            None => Self::Lines(path, first, last + 1),
        }
    }

    fn holds(&self, diff: &Diff<'_>, one: &Judged<'_>, sentence: &str) -> bool {
        let verdict = one.verdict;
        match self {
            Self::Function(item) => verdict.at.path == item.path && verdict.function == item.name,
            Self::Lines(path, first, last) => {
                let line = diff.sources.lines(one.side, &verdict.at).0;
                *verdict.at.path == **path && *first <= line && line <= *last
            }
            Self::Named => {
                sentence.is_empty()
                    || names(sentence, &verdict.subject)
                    || !verdict.function.is_empty() && names(sentence, last_name(&verdict.function))
            }
        }
    }

    fn is_function(&self, facts: &FunctionFacts) -> bool {
        match self {
            Self::Function(item) => item.path == facts.path && item.name == facts.function,
            Self::Lines(..) | Self::Named => false,
        }
    }
}

/// The function whose header follows a comment at once.
fn below<'a>(diff: &Diff<'a>, source: ClaimSource, path: &str, last: u32) -> Option<&'a ItemRange> {
    /// A comment may go on with lines that claim nothing.
    const REACH: u32 = 12;
    let text = diff.sources.get(Side::After, path)?;
    let is_comment = |line: u32| text.line(line).trim_start().starts_with(['#', '/']);
    let next = (last + 1..=last + REACH).find(|&line| !is_comment(line) || is_header(diff, path, line))?;
    let ends = source == ClaimSource::Annotation || !text.line(next).trim().is_empty();
    ends.then(|| diff.functions(Side::After, path).find(|item| item.first == next)).flatten()
}

/// Attributes begin like comments of the other language.
fn is_header(diff: &Diff<'_>, path: &str, line: u32) -> bool {
    diff.functions(Side::After, path).any(|item: &ItemRange| item.first == line && item.kind == ItemKind::Function)
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// The last part of a name: `_lock` of `self._lock`.
fn last_part(name: &str) -> &str {
    name.rsplit(|letter| !is_word(letter)).find(|part| !part.is_empty()).unwrap_or("")
}

fn is_same_name(one: &str, other: &str) -> bool {
    !last_part(one).is_empty() && last_part(one) == last_part(other)
}

/// Whether a sentence holds the last part of a name. A name that might be an ordinary word has to stand as code.
fn names(sentence: &str, name: &str) -> bool {
    let name = last_part(name);
    let is_code = name.contains('_') || name.chars().skip(1).any(char::is_uppercase);
    sentence.match_indices(name).any(|(at, _)| {
        let (before, after) = (&sentence[..at], &sentence[at + name.len()..]);
        let is_whole = !before.ends_with(is_word) && !after.starts_with(is_word);
        let is_marked = before.ends_with(['`', '.']) || after.starts_with(['`', '(']);
        !name.is_empty() && is_whole && (is_code || is_marked)
    })
}
