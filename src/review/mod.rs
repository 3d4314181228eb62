//! From the verdicts of both sides to what a human reads: findings, a checklist, ranked hunks.
//!
//! ~~~text
//! verdicts before ─┐                    ┌─ introduced, with the hunks that cause it
//!                  ├─ matched ── after ─┼─ reached: stood before, the change touches its trace
//! verdicts after ──┘                    └─ existing
//! ~~~
//!
//! Everything here is a pure function of [`Material`]. What comes out, [`Review`], is the report's contract; reporters
//! see nothing else but the texts.

mod brief;
mod causes;
mod chain;
mod checklist;
mod claims;
mod contract;
mod diff;
mod findings;
mod handoff;
mod ids;
mod judged;
mod matching;
mod material;
mod phrases;
mod policy;
mod rank;
mod risk;
mod scope;
mod settled;
mod severity;
mod split;
mod suppress;
mod texture;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;

pub use brief::*;
pub use chain::*;
pub use contract::*;
pub use material::{
    Covers, Definition, FunctionFacts, ItemKind, ItemRange, Material, Options, Said, Scope, Signal, SourceText,
    Sources, Suppression,
};
pub use policy::{Folder, PathPolicy, PathSet, Policy, RuleLevel};
pub use risk::signal_names;
pub use suppress::{Known, known};

use crate::change::Kind;
use crate::text::Language;
use crate::verdict;

use diff::Diff;
use findings::Judged;
use judged::judged;
use rank::Weighed;
use suppress::Acceptance;

/// The rule about what callers do not await.
const LEFT_BEHIND: &str = "unawaited-call";

/// Reviews a change.
pub fn review(material: &Material<'_>) -> Review {
    let diff = Diff::new(material.change, material.sources, material.items);
    let (separate, fixed) = judged(material, &diff);
    // A claim may be about one of several that are told as one.
    let (claims, unknown) = claims::made(&diff, material.said, material.facts, &separate);
    let (after, fixed) = (findings::merged(separate), findings::merged(fixed));
    let coverage = coverage(material);

    let Listed { mut findings, uncounted, hidden } = listed(material, &diff, &after);
    let fixed = told_as_fixed(material, &diff, &fixed);

    let mut weighed = weighed(&diff, &after, &fixed);
    claims::weigh(&diff, &claims, material.notices, &mut weighed);
    let hunks = rank::ranked(&diff, &weighed, material.signals, &coverage, material.options);
    let Checklist { mut assumptions, upheld } = checklist(material, &diff, &after, &findings, &hunks);
    let claims = claims::told(claims, &assumptions);

    let counted: Vec<&Finding> = findings.iter().filter(|finding| !uncounted.contains(&finding.id)).collect();
    let mut unfinished: Vec<&Finding> =
        counted.iter().copied().filter(|finding| is_unfinished(&diff, finding)).collect();
    unfinished.sort_by(|one, two| findings::place(one).cmp(&findings::place(two)));
    let mut handoff = handoff::handoff(&diff, material.signals, &unfinished);
    let mut unfinished: Vec<String> = unfinished.into_iter().map(|finding| finding.id.clone()).collect();

    let change = change(material);
    let open_questions = assumptions.iter().filter(|line| line.stance == Stance::Unproven).count() as u32;
    let split = split::split(material, &diff, open_questions);
    let summary = Summary {
        verdict: outcome(&counted, !unfinished.is_empty(), &coverage),
        files: change.files,
        hunks: hunks.len() as u32,
        highlighted_hunks: hunks.iter().filter(|hunk| hunk.highlighted).count() as u32,
        added_lines: change.added_lines,
        removed_lines: change.removed_lines,
        errors: open_at(&counted, Level::Error),
        warnings: open_at(&counted, Level::Warning),
        notes: open_at(&counted, Level::Note),
        open_questions,
        upheld,
        hidden,
    };
    let mut notices = notices(material);
    notices.extend(suppress::notices(&diff, material));
    notices.extend(unknown);
    if let Some(notice) = cut_down(&mut findings, material.options.max_findings) {
        notices.push(notice);
        forget_the_rest(&findings, &mut unfinished, &mut assumptions, &mut handoff);
    }
    Review {
        schema: SCHEMA.to_owned(),
        tool: Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() },
        change,
        findings,
        fixed,
        assumptions,
        claims,
        hunks,
        unfinished,
        handoff,
        split,
        commits: material.commits.to_vec(),
        notices,
        coverage,
        summary,
    }
}

/// The findings of the after side that are listed.
struct Listed {
    findings: Vec<Finding>,
    /// What is listed although something hides it, which counts nowhere else: by id.
    uncounted: BTreeSet<String>,
    hidden: Hidden,
}

fn listed(material: &Material<'_>, diff: &Diff<'_>, after: &[Judged<'_>]) -> Listed {
    let mut listed = Listed { findings: Vec::new(), uncounted: BTreeSet::new(), hidden: Hidden::default() };
    for one in after {
        let Some(mut finding) = findings::finding(diff, one, material.options) else { continue };
        let hides = if !scope::has(diff, material.options.scope, one) {
            Some(&mut listed.hidden.scope)
        } else {
            match one.acceptance {
                Acceptance::Open | Acceptance::Accepted => None,
                Acceptance::Suppressed => Some(&mut listed.hidden.suppression),
                Acceptance::Baselined => Some(&mut listed.hidden.baseline),
            }
        };
        if let Some(count) = hides {
            *count += 1;
            if !material.options.show_hidden {
                continue;
            }
            finding.gating = false;
            listed.uncounted.insert(finding.id.clone());
        }
        listed.findings.push(finding);
    }
    findings::sort(&mut listed.findings);
    listed
}

/// The findings that the change did away with. They never gate.
fn told_as_fixed(material: &Material<'_>, diff: &Diff<'_>, fixed: &[Judged<'_>]) -> Vec<Finding> {
    let mut fixed: Vec<Finding> =
        fixed.iter().filter_map(|one| findings::finding(diff, one, material.options)).collect();
    findings::sort(&mut fixed);
    for finding in &mut fixed {
        finding.gating = false;
    }
    fixed
}

/// What only a reviewer can settle, with what holds where that is asked for.
struct Checklist {
    assumptions: Vec<Assumption>,
    /// How many hold.
    upheld: u32,
}

fn checklist(
    material: &Material<'_>,
    diff: &Diff<'_>,
    after: &[Judged<'_>],
    findings: &[Finding],
    hunks: &[Hunk],
) -> Checklist {
    let ids: BTreeSet<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
    let is_listed = |one: &Judged<'_>| {
        let finding = findings::finding(diff, one, material.options);
        finding.is_some_and(|finding| ids.contains(finding.id.as_str()))
    };
    let open: Vec<&Judged<'_>> = after
        .iter()
        .filter(|one| match one.verdict.stance {
            verdict::Stance::Violated(_) => is_listed(one),
            verdict::Stance::Unproven => checklist::is_question(one) || checklist::is_accepted_question(one),
            verdict::Stance::Upheld => false,
        })
        .collect();
    let upheld: Vec<&Judged<'_>> = after.iter().filter(|one| checklist::is_upheld_here(diff, one)).collect();
    let upheld = checklist::checklist(diff, &upheld, findings, hunks);
    let mut assumptions = checklist::checklist(diff, &open, findings, hunks);
    let number = upheld.len() as u32;
    if material.options.upheld {
        assumptions.extend(upheld);
    }
    Checklist { assumptions, upheld: number }
}

/// How many findings are open at a level.
fn open_at(findings: &[&Finding], level: Level) -> u32 {
    let open = findings.iter().filter(|finding| finding.status == Status::Open);
    open.filter(|finding| finding.severity == level).count() as u32
}

/// Takes out what refers to findings that are not listed any more.
fn forget_the_rest(
    findings: &[Finding],
    unfinished: &mut Vec<String>,
    assumptions: &mut [Assumption],
    handoff: &mut Option<Handoff>,
) {
    let ids: BTreeSet<&str> = findings.iter().map(|finding| finding.id.as_str()).collect();
    let is_listed = |id: &String| ids.contains(id.as_str());
    unfinished.retain(is_listed);
    let lines = assumptions.iter_mut().map(|line| &mut line.finding);
    let left = handoff.iter_mut().flat_map(|handoff| &mut handoff.left).map(|left| &mut left.finding);
    for finding in lines.chain(left) {
        finding.take_if(|id| !is_listed(id));
    }
}

/// Something that a strict run objects to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// What it is.
    pub text: String,
    /// Whether it is that something could not be read.
    pub is_unread: bool,
}

impl Review {
    /// Whether the run fails: some finding gates.
    pub fn gates(&self) -> bool {
        self.findings.iter().any(|finding| finding.gating)
    }

    /// What a strict run objects to beside findings that gate: files that were not wholly analysed, unfinished work, and
    /// suppressions that are at fault.
    pub fn gaps(&self) -> Vec<Gap> {
        let is_code = |row: &&Coverage| Language::of_path(&row.path).is_some() && row.state != CoverageState::Analysed;
        let rows = self.coverage.iter().filter(is_code);
        let unread = rows.map(|row| Gap { text: format!("{}: {}", row.path, row.why), is_unread: true });
        let unfinished = (self.summary.verdict == Outcome::Unfinished)
            .then(|| Gap { text: "the work is not finished".to_owned(), is_unread: false });
        let at_fault = self.notices.iter().filter(|notice| suppress::FAULTS.contains(&notice.kind.as_str()));
        let at_fault = at_fault.map(|notice| {
            let place = notice.path.as_deref().unwrap_or_default();
            let line = notice.line.unwrap_or(1);
            Gap { text: format!("{place}:{line}: {}", notice.text), is_unread: false }
        });
        unread.chain(unfinished).chain(at_fault).collect()
    }

    /// The hunk with this id.
    pub fn hunk(&self, id: &str) -> Option<&Hunk> {
        self.hunks.iter().find(|hunk| hunk.id == id)
    }

    /// The hunks of the last ten percent, riskiest first.
    pub fn highlighted(&self) -> Vec<&Hunk> {
        let mut hunks: Vec<&Hunk> = self.hunks.iter().filter(|hunk| hunk.highlighted).collect();
        hunks.sort_by_key(|hunk| hunk.rank);
        hunks
    }

    /// The lines of the checklist that the reviewer has to settle.
    pub fn questions(&self) -> impl Iterator<Item = &Assumption> {
        self.assumptions.iter().filter(|line| line.stance == Stance::Unproven)
    }
}

/// Leaves the first findings, those that gate before all others, and says how many are gone.
fn cut_down(findings: &mut Vec<Finding>, most: Option<u32>) -> Option<Notice> {
    let gone = findings.len().checked_sub(most? as usize).filter(|gone| *gone > 0)?;
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by_key(|&at| !findings[at].gating);
    let gone_ones: BTreeSet<usize> = order.into_iter().skip(most? as usize).collect();
    let mut at = 0..;
    findings.retain(|_| at.next().is_some_and(|at| !gone_ones.contains(&at)));
    let text = format!("{gone} more findings are not listed (`--max-findings`)");
    Some(Notice { kind: "findings-left-out".to_owned(), text, path: None, line: None })
}

/// What the verdicts say of the hunks.
fn weighed(diff: &Diff<'_>, after: &[Judged<'_>], fixed: &[Finding]) -> Weighed {
    let mut weighed = Weighed::default();
    for one in after {
        let verdict = one.verdict;
        let held = || verdict.places().flat_map(|place| diff.holding(Side::After, place));
        let is_violated = matches!(verdict.stance, verdict::Stance::Violated(_));
        if is_violated && one.acceptance != Acceptance::Open {
            // Somebody has looked at it; that the change says so itself is no reason to look away.
            let signal = if one.acceptance == Acceptance::Accepted { "finding-context" } else { "assumption-touched" };
            let says = if one.acceptance == Acceptance::Accepted { &verdict.message } else { &verdict.assumption };
            weighed.others.extend(one.blame.causes.iter().map(|&at| (at, signal, says.clone())));
        } else if is_violated && one.origin == Origin::Introduced {
            weighed.causes.extend(one.blame.causes.iter().map(|&at| (at, one.level, verdict.message.clone())));
            weighed.others.extend(one.blame.context.iter().map(|&at| (at, "finding-context", String::new())));
        } else if is_violated {
            weighed.others.extend(held().map(|at| (at, "finding-reached", verdict.message.clone())));
        } else if checklist::is_question(one) {
            let unbounded = verdict.stake.is_none_or(|stake| stake == verdict::Stake::Unbounded);
            let asks = one.blame.causes.iter().map(|&at| (at, unbounded, verdict.question.clone()));
            weighed.questions.extend(asks);
        } else {
            weighed.others.extend(held().map(|at| (at, "assumption-touched", verdict.assumption.clone())));
        }
    }
    for finding in fixed {
        let causes = finding.causes.iter().filter_map(|id| diff.pieces.iter().position(|piece| piece.id == *id));
        weighed.others.extend(causes.map(|at| (at, "finding-fixed", finding.message.clone())));
    }
    weighed
}

fn is_unfinished(diff: &Diff<'_>, finding: &Finding) -> bool {
    let is_new = finding.origin == Origin::Introduced && finding.status == Status::Open;
    // A call that stands as it stood, and whose coroutine nobody awaits since the change, did not follow it.
    let is_left_behind = || {
        let file = diff.change.file(Side::After, &finding.path);
        finding.rule == LEFT_BEHIND && !file.is_some_and(|file| file.line_map.is_changed_after(finding.start.line))
    };
    is_new && (finding.family == Family::Unfinished || is_left_behind())
}

fn outcome(findings: &[&Finding], is_unfinished: bool, coverage: &[Coverage]) -> Outcome {
    let is_open = |finding: &&&Finding| finding.status == Status::Open || finding.gating;
    let mut open = findings.iter().filter(|finding| finding.origin == Origin::Introduced).filter(is_open);
    if is_unfinished {
        Outcome::Unfinished
    } else if open.next().is_some() {
        Outcome::Findings
    } else if coverage.iter().any(|row| {
        // A picture that was not analysed leaves nothing open.
        row.state == CoverageState::NotAnalysed && row.function.is_none() && Language::of_path(&row.path).is_some()
    }) {
        Outcome::Incomplete
    } else {
        Outcome::Clean
    }
}

fn change(material: &Material<'_>) -> Change {
    let description = &material.change.description;
    let (added_lines, removed_lines) = material.change.line_counts();
    let mut paths: BTreeSet<&str> = material.change.files.iter().map(|file| &**file.path()).collect();
    paths.extend(material.change.coverage.iter().map(|row| row.path.as_str()));
    Change {
        kind: match description.kind {
            Kind::Range => ChangeKind::Range,
            Kind::Staged => ChangeKind::Staged,
            Kind::Worktree => ChangeKind::Worktree,
            Kind::Patch => ChangeKind::Patch,
            Kind::Files => ChangeKind::Files,
            Kind::Demo => ChangeKind::Demo,
        },
        before: description.before.clone(),
        after: description.after.clone(),
        how: description.how.clone(),
        files: paths.len() as u32,
        added_lines,
        removed_lines,
    }
}

fn coverage(material: &Material<'_>) -> Vec<Coverage> {
    let unread = material.change.coverage.iter().map(|row| Coverage {
        path: row.path.clone(),
        function: None,
        state: CoverageState::NotAnalysed,
        why: row.why.clone(),
    });
    let is_wanted = |row: &Coverage| !material.options.policy.is_excluded(&row.path);
    let mut rows: Vec<Coverage> = unread.chain(material.coverage.iter().cloned()).filter(is_wanted).collect();
    rows.sort();
    rows.dedup();
    rows
}

fn notices(material: &Material<'_>) -> Vec<Notice> {
    let notices = material.change.notices.iter().map(|notice| Notice {
        kind: notice.kind.clone(),
        text: notice.text.clone(),
        path: notice.path.clone(),
        line: notice.line,
    });
    notices.chain(material.notices.iter().cloned()).collect()
}
