//! How settled the code of a change was, by what its history says.

use crate::change::{ChangedFile, Past};

use super::risk::table;

/// The signal for a file and what it saw; `None` for new files, and where nothing stands out.
pub(super) fn signal(past: &Past, file: &ChangedFile) -> Option<(&'static str, String)> {
    let path = &file.before.as_ref()?.path;
    let settled = table().settled();
    let subjects = past.subjects.get(path).map_or(&[][..], Vec::as_slice);
    let mends = subjects.iter().filter(|subject| is_mend(subject, &settled.mends)).count() as u32;
    if mends >= settled.often {
        let text = format!("its file was mended {mends} times in the last {} commits", past.commits);
        Some(("often-mended", text))
    } else if subjects.is_empty() && past.commits >= settled.commits {
        Some(("long-settled", format!("its file had not been changed for {} commits", past.commits)))
    } else {
        None
    }
}

fn is_mend(subject: &str, words: &[String]) -> bool {
    let mut parts = subject.split(|letter: char| !letter.is_alphanumeric());
    parts.any(|part| words.iter().any(|word| part.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Blob, FileSide, Status};

    fn file(path: &str) -> ChangedFile {
        let side = |text: &str| {
            let blob = Blob::new(text);
            Some(FileSide { path: path.into(), text: blob.text, id: blob.id })
        };
        ChangedFile::new(Status::Modified, side("a\n"), side("b\n"))
    }

    fn past(commits: u32, subjects: &[&str]) -> Past {
        let subjects = subjects.iter().map(|subject| (*subject).to_owned()).collect();
        Past { commits, subjects: [("a.py".into(), subjects)].into() }
    }

    #[test]
    fn mended_often_and_long_settled_are_told_from_the_rest() {
        let name = |past: &Past, path: &str| signal(past, &file(path)).map(|(name, _)| name);
        let mended = past(200, &["Fix a race", "fix: two", "Fixes #3", "bug in the loop", "Add a feature"]);
        assert_eq!(name(&mended, "a.py"), Some("often-mended"));
        assert_eq!(name(&mended, "b.py"), Some("long-settled"));
        assert_eq!(name(&past(200, &["Prefix the names"]), "a.py"), None);
        assert_eq!(name(&past(20, &[]), "b.py"), None, "a short history says nothing");
    }

    #[test]
    fn new_files_have_no_past() {
        let mut new = file("b.py");
        new.before = None;
        assert_eq!(signal(&past(200, &[]), &new), None);
    }
}
