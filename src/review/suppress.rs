//! Findings that somebody has accepted: by a comment, or by the baseline.
//!
//! ~~~text
//! a comment that stood before      hides, and counts
//! a comment that the change adds   the finding is listed as accepted; under a pull request it gates all the same
//! the baseline                     hides as many of a kind as it names, those that stood before first
//! ~~~
//!
//! What a comment asks for in vain is told: an unknown rule, no reason, nothing that it would hide.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::Kind;
use crate::directive::{Directive, Verb};
use crate::rules;
use crate::text::Side;
use crate::verdict::{Location, Stance, Verdict};

use super::contract::Notice;
use super::diff::Diff;
use super::findings::{self, Judged};
use super::ids;
use super::material::{Covers, Material, Suppression};

/// Whether somebody has accepted a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Acceptance {
    /// Nobody has.
    Open,
    /// A comment that the change adds.
    Accepted,
    /// A comment that stood before.
    Suppressed,
    /// The baseline.
    Baselined,
}

/// How a verdict of the after side stands by the comments around it.
pub(super) fn acceptance(diff: &Diff<'_>, material: &Material<'_>, verdict: &Verdict) -> Acceptance {
    let hits = |one: &&Suppression| one.side == Side::After && hides(diff, one, verdict);
    let mut covering = material.suppressions.iter().filter(hits).peekable();
    if covering.peek().is_none() {
        Acceptance::Open
    } else if covering.all(|one| is_added(diff, one)) {
        Acceptance::Accepted
    } else {
        Acceptance::Suppressed
    }
}

/// Whether a comment hides a verdict of its side.
fn hides(diff: &Diff<'_>, one: &Suppression, verdict: &Verdict) -> bool {
    let Ok(directive) = &one.said else { return false };
    directive.verb != Verb::Assume
        && *one.path == *verdict.at.path
        && directive.rules.iter().any(|rule| rule == verdict.rule)
        && covers(diff, one, &verdict.at)
}

fn covers(diff: &Diff<'_>, one: &Suppression, at: &Location) -> bool {
    let (first, last) = diff.place_lines(one.side, at);
    match one.covers {
        Covers::Line(line) => first <= line && line <= last,
        Covers::Lines(from, to) => from <= first && first <= to,
        Covers::File => true,
        Covers::Nothing => false,
    }
}

/// Whether the change brings a comment of the after side, or a line that holds it. Files against nothing bring nothing.
fn is_added(diff: &Diff<'_>, one: &Suppression) -> bool {
    diff.change.description.kind != Kind::Files
        && diff.file_at(Side::After, &one.path).is_some_and(|file| file.line_map.before_of(one.line).is_none())
}

/// Takes those findings for accepted that the baseline names. It names findings by their number among equal ones, and a
/// new one may come before an old one: so of each kind it hides as many as it names, those first that stood before.
pub(super) fn apply_baseline(judged: &mut [Judged<'_>], baseline: &BTreeSet<String>) {
    if baseline.is_empty() {
        return;
    }
    let mut kinds: BTreeMap<[String; 4], Vec<usize>> = BTreeMap::new();
    for (at, one) in judged.iter().enumerate() {
        if one.acceptance == Acceptance::Open && matches!(one.verdict.stance, Stance::Violated(_)) {
            kinds.entry(one.key().map(str::to_owned)).or_default().push(at);
        }
    }
    for (key, mut group) in kinds {
        let [rule, path, function, subject] = &key;
        let is_named = |ordinal: &usize| {
            baseline.contains(&ids::fingerprint(&[rule, path, function, subject, &ordinal.to_string()]))
        };
        let named = (0..group.len()).filter(is_named).count();
        group.sort_by_key(|&at| (std::cmp::Reverse(judged[at].origin), judged[at].ordinal));
        for at in group.into_iter().take(named) {
            judged[at].acceptance = Acceptance::Baselined;
        }
    }
}

/// A finding as a baseline names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    /// Its file.
    pub path: String,
    /// The rule.
    pub rule: String,
    /// The function around it; empty at module level.
    pub function: String,
    /// What it is known by, whatever lines it stands on.
    pub fingerprint: String,
}

/// Every finding of the after side that no comment hides, as a baseline names it.
pub fn known(material: &Material<'_>) -> Vec<Known> {
    let diff = Diff::new(material.change, material.sources, material.items);
    let acceptances: Vec<Acceptance> =
        material.after.iter().map(|verdict| acceptance(&diff, material, verdict)).collect();
    let numbers = findings::ordinals(material.after, &acceptances);
    let violated = material.after.iter().zip(acceptances).zip(numbers).filter(|((verdict, acceptance), _)| {
        matches!(verdict.stance, Stance::Violated(_))
            && material.options.policy.is_on((material.rule)(verdict.rule), &verdict.at.path)
            && *acceptance == Acceptance::Open
    });
    let mut known: Vec<Known> = violated
        .map(|((verdict, _), ordinal)| Known {
            path: verdict.at.path.to_string(),
            rule: verdict.rule.to_owned(),
            function: verdict.function.clone(),
            fingerprint: findings::fingerprint(verdict, ordinal),
        })
        .collect();
    known.sort();
    known
}

/// The kinds of notices that find fault with a comment.
pub(super) const FAULTS: [&str; 4] =
    ["suppression-malformed", "suppression-unknown", "suppression-unused", "suppression-without-reason"];

/// What is to be said of the comments.
pub(super) fn notices(diff: &Diff<'_>, material: &Material<'_>) -> Vec<Notice> {
    let of_files = diff.change.description.kind == Kind::Files;
    let mut notices = Vec::new();
    for one in material.suppressions.iter().filter(|one| one.side == Side::After) {
        let is_new = is_added(diff, one);
        let directive = match &one.said {
            Ok(directive) if directive.verb == Verb::Assume => continue,
            Ok(directive) => directive,
            Err(wrong) => {
                if is_new || of_files {
                    notices.push(notice("suppression-malformed", one, format!("this is no suppression: {wrong}")));
                }
                continue;
            }
        };
        if is_new || of_files {
            notices.extend(faults(diff, material, one, directive));
        } else {
            notices.extend(no_longer_needed(diff, material, one, directive));
        }
        if is_new {
            let reason = if directive.reason.is_empty() { "no reason given" } else { &directive.reason };
            let text = format!("the change suppresses {} here: {reason}", named(&directive.rules));
            notices.push(notice("suppression-added", one, text));
        }
    }
    notices
}

/// What is wrong with a comment that is new to the reader.
fn faults(diff: &Diff<'_>, material: &Material<'_>, one: &Suppression, directive: &Directive) -> Vec<Notice> {
    let mut notices = Vec::new();
    for name in &directive.rules {
        if rules::info(name).is_none() {
            let help = rules::nearest(name).map_or_else(String::new, |near| format!("; there is `{near}`"));
            let text = format!("this suppresses `{name}`, and no rule has that name{help}");
            notices.push(notice("suppression-unknown", one, text));
        } else if is_idle(diff, material, one, name, material.after) {
            let text = format!("this suppresses `{name}`, and there is nothing to suppress");
            notices.push(notice("suppression-unused", one, text));
        }
    }
    if directive.reason.is_empty() {
        let text = format!("this suppression gives no reason: write `-- REASON` behind {}", named(&directive.rules));
        notices.push(notice("suppression-without-reason", one, text));
    }
    notices
}

/// Says so where the change leaves a comment behind that hid something before.
fn no_longer_needed(diff: &Diff<'_>, material: &Material<'_>, one: &Suppression, directive: &Directive) -> Vec<Notice> {
    let Some(file) = diff.file_at(Side::After, &one.path) else { return Vec::new() };
    let (Some(before), Some(line)) = (&file.before, file.line_map.before_of(one.line)) else { return Vec::new() };
    let is_same = |old: &&Suppression| old.side == Side::Before && *old.path == *before.path && old.line == line;
    let Some(old) = material.suppressions.iter().find(is_same) else { return Vec::new() };
    let was_needed = |name: &&String| !is_idle(diff, material, old, name, material.before);
    let idle = directive.rules.iter().filter(was_needed);
    idle.filter(|name| is_idle(diff, material, one, name, material.after))
        .map(|name| {
            let text = format!("this suppresses `{name}`, and since the change there is nothing to suppress");
            notice("suppression-unused", one, text)
        })
        .collect()
}

/// Whether a comment names a rule in vain. Where that cannot be told, it does not.
fn is_idle(diff: &Diff<'_>, material: &Material<'_>, one: &Suppression, rule: &str, said: &[Verdict]) -> bool {
    let Some(info) = rules::info(rule) else { return false };
    let is_told = diff.file_at(one.side, &one.path).is_some()
        && material.options.policy.is_on(info, &one.path)
        && !(diff.change.description.kind == Kind::Files && rules::compares_sides(rule));
    let is_hit = |verdict: &Verdict| {
        verdict.rule == rule
            && verdict.stance != Stance::Upheld
            && *verdict.at.path == *one.path
            && covers(diff, one, &verdict.at)
    };
    is_told && !said.iter().any(is_hit)
}

fn named(rules: &[String]) -> String {
    rules.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn notice(kind: &str, one: &Suppression, text: String) -> Notice {
    Notice { kind: kind.to_owned(), text, path: Some(one.path.to_string()), line: Some(one.line) }
}
