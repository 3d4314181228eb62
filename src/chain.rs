//! A chain of checkpoints: each step by itself, and everything up to it.
//!
//! ~~~text
//! base -> one -> two -> three        step:  one..two     what the step does
//!                                    total: base..two    how the state stands: a finding that a later step mends is gone
//! ~~~

use crate::change::checkpoints::{self, Chain, Step, StepKind};
use crate::change::{ChangeSource, Ground};
use crate::config;
use crate::error::Result;
use crate::request::{Request, Subject};
use crate::review::{
    CHAIN_SCHEMA, Checkpoint, CheckpointKind, Checkpoints, Level, Origin, Outcome, Review, Soundness, Status,
};

/// Lists the checkpoints of a range, or those that can be found, and reviews them if that is wanted.
pub fn checkpoints(
    range: Option<&str>,
    patterns: &[String],
    is_reviewed: bool,
    request: &Request,
) -> Result<Checkpoints> {
    let patterns = config::checkpoint_patterns(patterns, request)?;
    let chain = checkpoints::list(range, &patterns, &request.ground)?;
    let mut found = Checkpoints {
        schema: CHAIN_SCHEMA.to_owned(),
        steps: chain.steps.iter().map(listed).collect(),
        last_sound: None,
        return_with: None,
        handoff: None,
    };
    if is_reviewed {
        review_all(&chain, request, &mut found)?;
    }
    Ok(found)
}

fn review_all(chain: &Chain, request: &Request, found: &mut Checkpoints) -> Result<()> {
    let mut before = chain.base.clone();
    for (step, listed) in chain.steps.iter().zip(&mut found.steps) {
        let own = review(before.clone(), step, request)?;
        let is_first = before == chain.base;
        let total = if is_first { own.clone() } else { review(chain.base.clone(), step, request)? };
        let verdict = soundness(&total);
        if verdict == Soundness::Sound {
            found.last_sound = Some(step.commit.clone());
        }
        found.handoff = total.handoff;
        listed.verdict = Some(verdict);
        listed.step = Some(own.summary);
        listed.total = Some(total.summary);
        before = Some(step.commit.clone());
    }
    let is_behind = |sound: &&String| chain.steps.last().is_some_and(|last| last.commit != **sound);
    found.return_with = found.last_sound.as_ref().filter(is_behind).map(|sound| command(sound, &request.ground));
    Ok(())
}

fn review(before: Option<String>, step: &Step, request: &Request) -> Result<Review> {
    let source = ChangeSource::Step { before, after: step.commit.clone() };
    let request = Request { subject: Subject::Change(source), ..request.clone() };
    Ok(crate::review(&request)?.review)
}

/// How a state stands that a review leads to.
fn soundness(review: &Review) -> Soundness {
    let mut open = review.findings.iter().filter(|finding| {
        finding.status == Status::Open && finding.origin == Origin::Introduced && finding.severity >= Level::Warning
    });
    if open.clone().any(|finding| finding.rule == "broken-syntax") {
        return Soundness::Broken;
    }
    match review.summary.verdict {
        Outcome::Unfinished => Soundness::Unfinished,
        Outcome::Clean | Outcome::Findings | Outcome::Incomplete if open.next().is_some() => Soundness::Findings,
        Outcome::Clean | Outcome::Findings | Outcome::Incomplete => Soundness::Sound,
    }
}

/// The command that puts the files back as they were, and leaves the history alone.
fn command(commit: &str, ground: &Ground) -> String {
    let option = |name: &str, path: &Option<std::path::PathBuf>| {
        path.as_ref().map_or_else(String::new, |path| format!(" {name} {}", quoted(&path.to_string_lossy())))
    };
    let folder = option("-C", &ground.folder);
    let git_dir = option("--git-dir", &ground.git_dir);
    let work_tree = option("--work-tree", &ground.work_tree);
    format!("git{folder}{git_dir}{work_tree} restore --source={commit} --staged --worktree -- :/")
}

/// A word for a shell.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:@".contains(letter);
    if !text.is_empty() && text.chars().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

fn listed(step: &Step) -> Checkpoint {
    let kind = match step.kind {
        StepKind::Checkpoint => CheckpointKind::Checkpoint,
        StepKind::Plan => CheckpointKind::Plan,
        StepKind::Agent => CheckpointKind::Agent,
        StepKind::Tag => CheckpointKind::Tag,
        StepKind::Reference => CheckpointKind::Reference,
        StepKind::Shadow => CheckpointKind::ShadowBranch,
        StepKind::Side => CheckpointKind::SideRepository,
        StepKind::Commit => CheckpointKind::Commit,
    };
    Checkpoint {
        commit: step.commit.clone(),
        subject: step.subject.clone(),
        kind,
        name: step.name.clone(),
        agent: step.mark.as_ref().map(|mark| mark.agent.to_owned()),
        verdict: None,
        step: None,
        total: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_names_the_repository_that_was_named() {
        let ground = Ground { folder: None, git_dir: Some("side/it's".into()), work_tree: Some("code".into()) };
        assert_eq!(
            command("abc", &ground),
            "git --git-dir 'side/it'\\''s' --work-tree code restore --source=abc --staged --worktree -- :/"
        );
    }
}
