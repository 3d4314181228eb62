//! Checkpoints for a person: one line each, then how to go back and what is left.

use crate::review::{Checkpoint, CheckpointKind, Checkpoints, Soundness};

use super::{handoff, words};

/// The form for people.
pub(super) fn text(found: &Checkpoints) -> String {
    if found.steps.is_empty() {
        return "there is no checkpoint here\n".to_owned();
    }
    let kinds: Vec<String> = found.steps.iter().map(kind).collect();
    let width = kinds.iter().map(|kind| kind.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for (step, kind) in found.steps.iter().zip(kinds) {
        let commit = step.commit.get(..12).unwrap_or(&step.commit);
        let verdict = step.verdict.map_or_else(String::new, |verdict| format!("{:<10}  ", word(verdict)));
        let subject = words::one_line(&step.subject);
        text.push_str(&format!("{commit}  {kind:<width$}  {verdict}{subject}\n"));
    }
    let is_reviewed = found.steps.iter().any(|step| step.verdict.is_some());
    if is_reviewed {
        match (&found.last_sound, &found.return_with) {
            (Some(sound), Some(command)) => {
                let commit = sound.get(..12).unwrap_or(sound);
                text.push_str(&format!("\nthe last sound checkpoint is {commit}; to go back to it:\n  {command}\n"));
            }
            (Some(_), None) => text.push_str("\nthe last checkpoint is sound\n"),
            (None, _) => text.push_str("\nno checkpoint is sound\n"),
        }
    }
    if let Some(open) = &found.handoff {
        text.push('\n');
        text.push_str(&handoff::text(open));
    }
    text
}

/// The contract as it is.
pub(super) fn json(found: &Checkpoints) -> String {
    // Strings, numbers and lists always have a form in JSON.
    let mut text = serde_json::to_string_pretty(found).expect("the contract holds nothing that JSON cannot say");
    text.push('\n');
    text
}

fn kind(step: &Checkpoint) -> String {
    let kind = match step.kind {
        CheckpointKind::Checkpoint => "checkpoint",
        CheckpointKind::Plan => "plan",
        CheckpointKind::Agent => "agent",
        CheckpointKind::Tag => "tag",
        CheckpointKind::Reference => "reference",
        CheckpointKind::ShadowBranch => "shadow branch",
        CheckpointKind::SideRepository => "side repository",
        CheckpointKind::Commit => "commit",
    };
    match (&step.name, &step.agent) {
        (Some(name), _) => format!("{kind} {}", words::one_line(name)),
        (None, Some(agent)) => format!("{kind} ({agent})"),
        (None, None) => kind.to_owned(),
    }
}

fn word(verdict: Soundness) -> &'static str {
    match verdict {
        Soundness::Sound => "sound",
        Soundness::Findings => "findings",
        Soundness::Unfinished => "unfinished",
        Soundness::Broken => "broken",
    }
}
