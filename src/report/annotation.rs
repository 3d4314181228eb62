//! What hosts show at a line: open and accepted findings, and open questions, each with the one place that a host wants.
//!
//! A host shows little outside of the changed lines, and a finding may stand in a file that the change leaves alone. So
//! the *anchor* is the first changed line of the first cause, and the hazard's own place goes to the related ones:
//!
//! ~~~text
//! + async with self._lock:      <- anchor: the lock that the change adds
//!
//!   await registry.remove(name) <- hazard: the caller that holds it already
//! ~~~
//!
//! Where the cause only removes lines, the nearest line after it stands for it; where nothing of its file is left, or
//! there is no cause, the hazard stands for itself.

use crate::review::{Assumption, Evidence, Finding, Hop, Hunk, Level, Origin, Position, Review, Side, Sources, Status};

/// A place on the after side; the end is exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) start: Position,
    pub(super) end: Position,
}

/// What an annotation is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject<'a> {
    Finding(&'a Finding),
    Question(&'a Assumption),
}

/// One thing to show at a line.
#[derive(Clone, Debug)]
pub(super) struct Annotation<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) anchor: Place,
    pub(super) hazard: Place,
    /// The riskiest of the hunks that brought it about.
    pub(super) hunk: Option<&'a Hunk>,
}

/// All annotations in the order of the report: findings, then questions.
pub(super) fn of_review<'a>(review: &'a Review, sources: &Sources) -> Vec<Annotation<'a>> {
    let findings = review.findings.iter().map(Subject::Finding);
    let questions = review.questions().map(Subject::Question);
    findings.chain(questions).map(|subject| annotation(review, sources, subject)).collect()
}

/// Those that nobody has accepted, for hosts that know no acceptance. What gates all the same is one of them.
pub(super) fn open<'a>(review: &'a Review, sources: &Sources) -> Vec<Annotation<'a>> {
    let mut all = of_review(review, sources);
    all.retain(|one| one.accepted().is_none_or(|finding| finding.gating));
    all
}

fn annotation<'a>(review: &'a Review, sources: &Sources, subject: Subject<'a>) -> Annotation<'a> {
    let (hazard, hunks) = match subject {
        Subject::Finding(finding) => {
            (Place { path: finding.path.clone(), start: finding.start, end: finding.end }, &finding.causes)
        }
        Subject::Question(line) => (Place { path: line.path.clone(), start: line.start, end: line.end }, &line.hunks),
    };
    let hunks: Vec<&Hunk> = hunks.iter().filter_map(|id| review.hunk(id)).collect();
    let anchor = hunks.first().and_then(|hunk| first_line(hunk, sources)).unwrap_or_else(|| hazard.clone());
    Annotation { subject, anchor, hazard, hunk: hunks.into_iter().min_by_key(|hunk| hunk.rank) }
}

/// The first changed line of a hunk without its indentation, or the line after what it removes.
fn first_line(hunk: &Hunk, sources: &Sources) -> Option<Place> {
    let source = sources.get(Side::After, &hunk.path)?;
    let line = match hunk.after.count {
        0 => (hunk.after.start + 1).min(source.lines.count()),
        _ => hunk.after.start,
    };
    if line == 0 || line > source.lines.count() {
        return None;
    }
    let text = source.line(line);
    let columns = |text: &str| text.chars().count() as u32;
    let end = columns(text.trim_end()) + 1;
    // On a blank line there is nothing to mark, and the place is its beginning.
    let start = (columns(text) - columns(text.trim_start()) + 1).min(end);
    let at = |column| Position { line, column };
    Some(Place { path: hunk.path.clone(), start: at(start), end: at(end) })
}

impl<'a> Annotation<'a> {
    pub(super) fn rule(&self) -> &'a str {
        match self.subject {
            Subject::Finding(finding) => &finding.rule,
            Subject::Question(line) => &line.rule,
        }
    }

    /// What is wrong, or what is to be answered.
    pub(super) fn text(&self) -> &'a str {
        match self.subject {
            Subject::Finding(finding) => &finding.message,
            Subject::Question(line) if line.question.is_empty() => &line.text,
            Subject::Question(line) => &line.question,
        }
    }

    /// How loud a finding is; `None` for a question.
    pub(super) fn level(&self) -> Option<Level> {
        match self.subject {
            Subject::Finding(finding) => Some(finding.severity),
            Subject::Question(_) => None,
        }
    }

    /// What would settle it; may be empty.
    pub(super) fn help(&self) -> &'a str {
        match self.subject {
            Subject::Finding(finding) => &finding.help,
            Subject::Question(_) => "",
        }
    }

    /// The finding, if somebody has accepted it.
    pub(super) fn accepted(&self) -> Option<&'a Finding> {
        match self.subject {
            Subject::Finding(finding) if finding.status == Status::Accepted => Some(finding),
            Subject::Finding(_) | Subject::Question(_) => None,
        }
    }

    /// Whether it stood before, and the change only touches its path.
    pub(super) fn is_reached(&self) -> bool {
        matches!(self.subject, Subject::Finding(finding) if finding.origin == Origin::Reached)
    }

    pub(super) fn trace(&self) -> &'a [Hop] {
        match self.subject {
            Subject::Finding(finding) => &finding.trace,
            Subject::Question(line) => &line.trace,
        }
    }

    /// The other places, each with what stands there: the hazard first, unless it is the anchor, then the evidence.
    pub(super) fn related(&self) -> Vec<Related<'a>> {
        let evidence: &'a [Evidence] = match self.subject {
            Subject::Finding(finding) => &finding.evidence,
            Subject::Question(line) => &line.evidence,
        };
        let mut related = Vec::new();
        if self.hazard != self.anchor {
            // Evidence about the hazard's own place says what stands there.
            let own = evidence.iter().find(|piece| is_at(piece, &self.hazard)).map(|piece| piece.note.as_str());
            let note = own.unwrap_or(match self.subject {
                Subject::Finding(_) => "it goes wrong here",
                Subject::Question(_) => "it is about this",
            });
            related.push(Related { side: Side::After, place: self.hazard.clone(), note });
        }
        related.extend(evidence.iter().filter(|piece| !is_at(piece, &self.hazard)).map(|piece| Related {
            side: piece.side,
            place: Place { path: piece.path.clone(), start: piece.start, end: piece.end },
            note: &piece.note,
        }));
        related
    }

    /// Sixteen hexadecimal digits that stay while lines move.
    pub(super) fn fingerprint(&self) -> String {
        match self.subject {
            Subject::Finding(finding) => finding.fingerprint.clone(),
            // A question has an id only, whose letter is a digit as well.
            Subject::Question(line) => format!("{:0>16}", line.id),
        }
    }
}

/// Another place that an annotation leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Related<'a> {
    pub(super) side: Side,
    pub(super) place: Place,
    pub(super) note: &'a str,
}

fn is_at(piece: &Evidence, place: &Place) -> bool {
    piece.side == Side::After && piece.path == place.path && (piece.start, piece.end) == (place.start, place.end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::Level;
    use crate::review::tests::Story;

    fn anchors(story: &Story) -> Vec<(String, u32, u32, u32)> {
        let review = story.review();
        of_review(&review, story.sources())
            .into_iter()
            .map(|one| (one.anchor.path, one.anchor.start.line, one.anchor.start.column, one.anchor.end.column))
            .collect()
    }

    #[test]
    fn the_anchor_is_the_first_changed_line_of_the_first_cause() {
        let after = "async def f():\n    log()\n    time.sleep(1)\n";
        let mut story = Story::new(&[("m.py", "async def f():\n    pass\n")], &[("m.py", after)]);
        story.after.push(story.violated(Side::After, "blocking-in-async", "m.py", "time.sleep(1)", 0));
        assert_eq!(anchors(&story), [("m.py".to_owned(), 2, 5, 10)]);
    }

    #[test]
    fn what_a_hunk_removes_is_anchored_at_the_line_after_it() {
        let before = "def f():\n    drop(guard)\n    wait()\n";
        let mut story = Story::new(&[("m.py", before)], &[("m.py", "def f():\n    wait()\n")]);
        story.after.push(story.violated(Side::After, "lock-reentry", "m.py", "wait()", 0));
        assert_eq!(anchors(&story), [("m.py".to_owned(), 2, 5, 11)]);
        // Where that was the end of the file, the last line has to do.
        let mut story = Story::new(&[("m.py", "wait()\ndrop(guard)\n")], &[("m.py", "wait()\n")]);
        story.after.push(story.violated(Side::After, "lock-reentry", "m.py", "wait()", 0));
        assert_eq!(anchors(&story), [("m.py".to_owned(), 1, 1, 7)]);
    }

    #[test]
    fn where_nothing_is_left_of_the_file_the_hazard_stands_for_itself() {
        let caller = "from gone import f\n\nf()\n";
        let mut story = Story::new(&[("gone.py", "def f():\n    pass\n"), ("m.py", caller)], &[("m.py", caller)]);
        story.after.push(story.violated(Side::After, "lock-reentry", "m.py", "f()", 0));
        let mut review = story.review();
        let hunk = review.hunks[0].id.clone();
        assert_eq!(review.hunks[0].path, "gone.py");
        review.findings[0].causes = vec![hunk];
        review.findings[0].severity = Level::Error;
        let all = of_review(&review, story.sources());
        assert_eq!((all[0].anchor.path.as_str(), all[0].anchor.start.line), ("m.py", 3));
        assert!(all[0].related().iter().all(|related| related.side == Side::Before));
    }

    #[test]
    fn a_blank_line_is_anchored_at_its_beginning() {
        let after = "\n\ndef g():\n    wait()\n";
        let mut story = Story::new(&[], &[("m.py", after)]);
        story.after.push(story.violated(Side::After, "lock-reentry", "m.py", "wait()", 0));
        assert_eq!(anchors(&story), [("m.py".to_owned(), 1, 1, 1)]);
    }
}
