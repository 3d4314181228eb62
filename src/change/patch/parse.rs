//! The text of a patch, section by section.
//!
//! Read are git's own patches with any prefix (`a/ b/`, mnemonic, none), plain unified diffs, and series in mail form,
//! where letters stand between the diffs. Bodies of hunks are counted, so a line such as `--- x` inside one is content.

use crate::change::{Commit, Person};

/// What a patch says of one file.
#[derive(Clone, Debug, Default)]
pub(super) struct Section {
    /// Path before; `None` for a new file.
    pub(super) old: Option<Vec<u8>>,
    /// Path after; `None` for a deleted file.
    pub(super) new: Option<Vec<u8>>,
    /// The (shortened) hash of the text before.
    pub(super) old_id: Option<String>,
    /// File mode before, where the patch says it.
    pub(super) old_mode: Option<u32>,
    /// File mode after, where the patch says it.
    pub(super) mode: Option<u32>,
    pub(super) is_copy: bool,
    pub(super) is_binary: bool,
    pub(super) hunks: Vec<Hunk>,
    /// The names in `diff --git`, before their prefixes are taken off.
    header: Option<(Vec<u8>, Vec<u8>)>,
    has_plain_names: bool,
    mode_line: Option<Presence>,
}

/// One hunk with its context.
#[derive(Clone, Debug)]
pub(super) struct Hunk {
    /// Lines of the text before its first one.
    pub(super) skip: usize,
    /// In order.
    pub(super) lines: Vec<(Tag, Vec<u8>)>,
    /// Where it stands in the patch, for messages.
    pub(super) at: usize,
}

/// What a line of a hunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    Context,
    Removed,
    Added,
}

/// A patch in parts.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    pub(super) sections: Vec<Section>,
    /// The letters of a series, first one first.
    pub(super) commits: Vec<Commit>,
}

/// Reads a patch; the error is what is wrong with it.
pub(super) fn parse(text: &[u8]) -> Result<Parsed, String> {
    // When even git's own lines end in CRLF, the patch as a whole was converted on its way.
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    let is_header = |line: &&&[u8]| line.starts_with(b"diff --git ") || line.starts_with(b"@@ ");
    let converted = lines.iter().find(is_header).is_some_and(|line| line.ends_with(b"\r\n"));
    let owned: Vec<Vec<u8>> = lines
        .into_iter()
        .map(|line| match line.strip_suffix(b"\r\n") {
            Some(body) if converted => [body, b"\n"].concat(),
            Some(_) | None => line.to_vec(),
        })
        .collect();
    Reader { lines: &owned, at: 0, parsed: Parsed::default() }.read()
}

struct Reader<'a> {
    lines: &'a [Vec<u8>],
    at: usize,
    parsed: Parsed,
}

impl Reader<'_> {
    fn read(mut self) -> Result<Parsed, String> {
        let mut in_git_section = false;
        while let Some(line) = self.lines.get(self.at) {
            let line = trimmed(line);
            if line.starts_with(b"diff --cc ") || line.starts_with(b"diff --combined ") || line.starts_with(b"@@@ ") {
                return Err(format!("line {} begins a combined diff of a merge", self.at + 1));
            } else if let Some(names) = line.strip_prefix(b"diff --git ") {
                self.parsed.sections.push(Section { header: header_names(names), ..Section::default() });
                in_git_section = true;
            } else if line.starts_with(b"--- ") && self.next_starts_with(b"+++ ") {
                if !in_git_section {
                    self.parsed.sections.push(Section::default());
                }
                in_git_section = false;
                self.file_names();
            } else if line.starts_with(b"@@ -") {
                self.hunk()?;
                continue;
            } else if let Some(id) = line.strip_prefix(b"From ").and_then(mail_id) {
                in_git_section = false;
                self.letter(id);
                continue;
            } else if in_git_section && let Some(section) = self.parsed.sections.last_mut() {
                section.extended_header(line);
            } else if line.starts_with(b"Binary files ")
                && let Some(section) = self.parsed.sections.last_mut()
            {
                section.is_binary = true;
            }
            self.at += 1;
        }
        self.strip_prefixes();
        Ok(self.parsed)
    }

    fn next_starts_with(&self, prefix: &[u8]) -> bool {
        self.lines.get(self.at + 1).is_some_and(|line| line.starts_with(prefix))
    }

    fn file_names(&mut self) {
        let name = |line: &[u8]| -> Option<Vec<u8>> {
            let name = file_name(trimmed(&line[4..]));
            (name != b"/dev/null").then_some(name)
        };
        let (old, new) = (name(&self.lines[self.at]), name(&self.lines[self.at + 1]));
        self.at += 1;
        if let Some(section) = self.parsed.sections.last_mut()
            && !section.has_plain_names
        {
            (section.old, section.new) = (old, new);
        }
    }

    fn hunk(&mut self) -> Result<(), String> {
        let header_line = self.at + 1;
        let malformed = || format!("line {header_line} is not the head of a hunk");
        let header = trimmed(&self.lines[self.at]);
        let text = String::from_utf8_lossy(header);
        let mut parts = text.split(' ').skip(1);
        let mut range = |sign: char| -> Option<(usize, usize)> {
            let (start, count) =
                parts.next()?.strip_prefix(sign).map(|part| part.split_once(',').unwrap_or((part, "1")))?;
            Some((start.parse().ok()?, count.parse().ok()?))
        };
        let (_, mut removed) = range('-').ok_or_else(malformed)?;
        let (start, mut added) = range('+').ok_or_else(malformed)?;
        let skip = if added == 0 { start } else { start.saturating_sub(1) };
        // A start far beyond any text that is read would only cost memory.
        if skip > crate::change::SIZE_LIMIT {
            return Err(format!("line {header_line} names a line beyond any file that is read"));
        }
        let mut hunk = Hunk { skip, lines: Vec::new(), at: header_line };
        self.at += 1;
        while removed > 0 || added > 0 || self.lines.get(self.at).is_some_and(|line| line.starts_with(b"\\")) {
            let Some(line) = self.lines.get(self.at) else {
                return Err(format!("the hunk at line {header_line} is cut off"));
            };
            let (tag, body) = match line.first() {
                Some(b'\\') => {
                    if let Some((_, last)) = hunk.lines.last_mut() {
                        last.pop_if(|byte| *byte == b'\n');
                    }
                    self.at += 1;
                    continue;
                }
                Some(b'-') => (Tag::Removed, &line[1..]),
                Some(b'+') => (Tag::Added, &line[1..]),
                Some(b' ') => (Tag::Context, &line[1..]),
                // Some mailers strip the blank of an empty context line.
                Some(b'\n') => (Tag::Context, &line[..]),
                Some(_) | None => return Err(format!("line {} does not belong into a hunk", self.at + 1)),
            };
            let over = (tag != Tag::Added && removed == 0) || (tag != Tag::Removed && added == 0);
            if over {
                return Err(format!("the hunk at line {header_line} has other lines than its head says"));
            }
            removed -= usize::from(tag != Tag::Added);
            added -= usize::from(tag != Tag::Removed);
            let mut body = body.to_vec();
            if !body.ends_with(b"\n") {
                body.push(b'\n');
            }
            hunk.lines.push((tag, body));
            self.at += 1;
        }
        match self.parsed.sections.last_mut() {
            Some(section) => section.hunks.push(hunk),
            None => return Err(format!("the hunk at line {header_line} belongs to no file")),
        }
        Ok(())
    }

    /// Reads the head of a letter up to its diffs.
    fn letter(&mut self, id: String) {
        self.at += 1;
        let (mut author, mut subject) = (Person { name: String::new(), email: String::new() }, String::new());
        let mut body = String::new();
        let mut in_subject = false;
        while let Some(line) = self.lines.get(self.at).map(|line| String::from_utf8_lossy(trimmed(line)).into_owned()) {
            self.at += 1;
            if line.is_empty() {
                break;
            }
            if let Some(from) = line.strip_prefix("From: ") {
                let (name, email) = from.rsplit_once(" <").unwrap_or((from, ""));
                author =
                    Person { name: name.trim_matches('"').to_owned(), email: email.trim_end_matches('>').to_owned() };
            }
            if let Some(text) = line.strip_prefix("Subject: ") {
                let text = match text.split_once("] ") {
                    Some((mark, rest)) if mark.starts_with('[') => rest,
                    Some(_) | None => text,
                };
                text.clone_into(&mut subject);
                in_subject = true;
            } else if in_subject && line.starts_with(' ') {
                subject.push_str(&line);
            } else {
                in_subject = false;
            }
        }
        while let Some(line) = self.lines.get(self.at) {
            let line = trimmed(line);
            if line == b"---" || line.starts_with(b"diff --git ") || line.starts_with(b"--- ") {
                break;
            }
            body.push_str(&String::from_utf8_lossy(line));
            body.push('\n');
            self.at += 1;
        }
        let body = body.trim().to_owned();
        self.parsed.commits.push(Commit { id, subject, body, committer: author.clone(), author });
    }

    /// Takes `a/`, `b/` and their like off the names.
    fn strip_prefixes(&mut self) {
        // Where git's header does not show whether names have a prefix, all names of the patch decide together.
        let is_prefixed = |name: &Option<Vec<u8>>, letters: &[u8]| {
            name.as_ref().is_none_or(|name| name.get(1) == Some(&b'/') && letters.contains(&name[0]))
        };
        let all_prefixed = self.parsed.sections.iter().filter(|section| section.header.is_none()).all(|section| {
            is_prefixed(&section.old, b"aciwo1") && is_prefixed(&section.new, b"bciwo2") && section.old != section.new
        });
        for section in &mut self.parsed.sections {
            if section.has_plain_names {
                continue;
            }
            let prefixed = match &section.header {
                Some((old, new)) => old != new,
                None => all_prefixed,
            };
            if section.old.is_none() && section.new.is_none() {
                // A mode alone, or a binary or empty file: only the header has the names.
                (section.old, section.new) = section.header.clone().unzip();
            }
            if prefixed {
                for name in [&mut section.old, &mut section.new].into_iter().flatten() {
                    if let Some(slash) = memchr::memchr(b'/', name) {
                        name.drain(..=slash);
                    }
                }
            }
            match section.mode_line {
                Some(Presence::New) => section.old = None,
                Some(Presence::Deleted) => section.new = None,
                None => {}
            }
        }
    }
}

impl Section {
    fn extended_header(&mut self, line: &[u8]) {
        let mode = |text: &[u8]| std::str::from_utf8(text).ok().and_then(|text| u32::from_str_radix(text, 8).ok());
        if let Some(text) = line.strip_prefix(b"new file mode ") {
            self.mode = mode(text);
            self.mode_line = Some(Presence::New);
        } else if let Some(text) = line.strip_prefix(b"deleted file mode ") {
            self.mode = mode(text);
            self.mode_line = Some(Presence::Deleted);
        } else if let Some(text) = line.strip_prefix(b"new mode ") {
            self.mode = mode(text);
        } else if let Some(text) = line.strip_prefix(b"old mode ") {
            self.old_mode = mode(text);
        } else if let Some(text) = line.strip_prefix(b"index ") {
            let text = String::from_utf8_lossy(text).into_owned();
            let mut parts = text.split(' ');
            self.old_id = parts.next().and_then(|ids| ids.split_once("..")).map(|(old, _)| old.to_owned());
            // Here it stands only where both sides have it.
            if let Some(both) = parts.next().and_then(|text| mode(text.as_bytes())) {
                (self.old_mode, self.mode) = (Some(both), Some(both));
            }
        } else if let Some(name) = line.strip_prefix(b"rename from ").or_else(|| line.strip_prefix(b"copy from ")) {
            self.is_copy = line.starts_with(b"copy");
            self.old = Some(file_name(name));
            self.has_plain_names = true;
        } else if let Some(name) = line.strip_prefix(b"rename to ").or_else(|| line.strip_prefix(b"copy to ")) {
            self.new = Some(file_name(name));
        } else if line.starts_with(b"Binary files ") || line == b"GIT binary patch" {
            self.is_binary = true;
        }
    }
}

/// Whether the file is on one side only.
#[derive(Clone, Copy, Debug)]
enum Presence {
    New,
    Deleted,
}

fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn mail_id(rest: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(rest).ok()?;
    let id = text.split(' ').next()?;
    (id.len() >= 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| id.to_owned())
}

/// The two names of `diff --git`; `None` where blanks leave them in doubt.
fn header_names(names: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    if names.starts_with(b"\"") || names.ends_with(b"\"") {
        let (first, rest) = if names.starts_with(b"\"") {
            let end = (1..names.len()).find(|&at| names[at] == b'"' && names[at - 1] != b'\\')?;
            (file_name(&names[..=end]), names.get(end + 2..)?)
        } else {
            let at = memchr::memmem::find(names, b" \"")?;
            (names[..at].to_vec(), &names[at + 1..])
        };
        return Some((first, file_name(rest)));
    }
    // Both names are equal but for prefixes of one length, so the middle blank parts them.
    let middle = names.len() / 2;
    (names.get(middle) == Some(&b' ')).then(|| (names[..middle].to_vec(), names[middle + 1..].to_vec()))
}

/// A name as it stands after `---`, unquoted and without a date.
fn file_name(text: &[u8]) -> Vec<u8> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        return memchr::memchr(b'\t', text).map_or(text, |tab| &text[..tab]).to_vec();
    };
    let mut name = Vec::new();
    let mut bytes = quoted.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => match bytes.next() {
                Some(digit @ b'0'..=b'7') => {
                    let mut value = u32::from(digit - b'0');
                    for _ in 0..2 {
                        if let Some(next) = bytes.next_if(|next| (b'0'..=b'7').contains(next)) {
                            value = value * 8 + u32::from(next - b'0');
                        }
                    }
                    name.push(value as u8);
                }
                Some(letter) => name.push(match letter {
                    b'a' => 7,
                    b'b' => 8,
                    b't' => b'\t',
                    b'n' => b'\n',
                    b'v' => 11,
                    b'f' => 12,
                    b'r' => b'\r',
                    other => other,
                }),
                None => break,
            },
            other => name.push(other),
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(text: &str) -> Vec<(Option<String>, Option<String>)> {
        let text_of = |name: &Option<Vec<u8>>| name.as_ref().map(|name| String::from_utf8_lossy(name).into_owned());
        let parsed = parse(text.as_bytes()).expect("a patch");
        parsed.sections.iter().map(|section| (text_of(&section.old), text_of(&section.new))).collect()
    }

    fn both(name: &str) -> Vec<(Option<String>, Option<String>)> {
        vec![(Some(name.to_owned()), Some(name.to_owned()))]
    }

    #[test]
    fn prefixes_are_told_from_folders() {
        assert_eq!(names("diff --git a/b/x.py b/b/x.py\n--- a/b/x.py\n+++ b/b/x.py\n"), both("b/x.py"));
        assert_eq!(names("diff --git a/x.py a/x.py\n--- a/x.py\n+++ a/x.py\n"), both("a/x.py"));
        assert_eq!(names("diff --git i/x.py w/x.py\nold mode 100644\nnew mode 100755\n"), both("x.py"));
        assert_eq!(names("--- a/x.py\t2026-01-01\n+++ b/x.py\t2026-01-02\n"), both("x.py"));
        assert_eq!(names("--- lib/x.py\n+++ lib/x.py\n"), both("lib/x.py"));
        assert_eq!(names("diff --git \"a/\\303\\274.py\" \"b/\\303\\274.py\"\n"), both("ü.py"));
        assert_eq!(names("diff --git a/a b.py b/a b.py\nnew file mode 100644\n"), [(None, Some("a b.py".to_owned()))]);
    }

    #[test]
    fn lines_that_look_like_headers_are_content_inside_a_hunk() {
        let text = "--- a/x.sql\n+++ b/x.sql\n@@ -1,2 +1,2 @@\n--- old\n-x\n+++ new\n+y\n";
        let parsed = parse(text.as_bytes()).expect("a patch");
        assert_eq!(parsed.sections.len(), 1);
        assert_eq!(parsed.sections[0].hunks[0].lines[0], (Tag::Removed, b"-- old\n".to_vec()));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(
            lines in prop::collection::vec(
                prop::sample::select(vec![
                    "diff --git a/x b/x", "diff --git \"a/x", "--- a/x", "+++ b/x", "--- \"a\\", "+++ /dev/null",
                    "@@ -1 +1 @@", "@@ -0,0 +1,2 @@", "@@ -1,2 +0,0 @@", "@@ -99999999999 +1 @@", "+a", "-a", " a", "",
                    "\\ No newline at end of file", "rename from y", "rename to z", "copy from x", "index 12..34 100644",
                    "new file mode 100644", "deleted file mode 100644", "GIT binary patch", "-- ",
                    "From 0123456789012345678901234567890123456789 Mon", "Subject: [PATCH] x",
                ]),
                0..20,
            ),
            end in "(\r\n|\n)",
        ) {
            let _ = parse(lines.join(&end).as_bytes());
        }
    }
}
