//! A text of settings, understood or refused with the place and the nearest name.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result, nearest_of};
use crate::text::{LineIndex, Position};

use super::document::Document;

/// The forms in which settings are kept, in the order in which they are looked for in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A file of its own, with one of these names.
    Own(&'static str),
    /// `[tool.tenth]` in `pyproject.toml`.
    Pyproject,
    /// `[workspace.metadata.tenth]` or `[package.metadata.tenth]` in `Cargo.toml`.
    Cargo,
}

impl Form {
    pub(super) const ALL: [Self; 4] = [Self::Own("tenth.toml"), Self::Own(".tenth.toml"), Self::Pyproject, Self::Cargo];

    /// The name of the file.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Own(name) => name,
            Self::Pyproject => "pyproject.toml",
            Self::Cargo => "Cargo.toml",
        }
    }

    /// The form of a file that the user names.
    pub(super) fn of_name(name: &str) -> Self {
        Self::ALL.into_iter().find(|form| form.file() == name).unwrap_or(Self::Own("tenth.toml"))
    }
}

#[derive(Deserialize)]
struct Pyproject {
    tool: Option<Tool>,
}

#[derive(Deserialize)]
struct Tool {
    tenth: Option<Document>,
}

#[derive(Deserialize)]
struct Cargo {
    workspace: Option<Described>,
    package: Option<Described>,
}

#[derive(Deserialize)]
struct Described {
    metadata: Option<Tool>,
}

/// The settings in a text; `None` where it holds none.
pub(super) fn document(form: Form, text: &str, path: &str) -> Result<Option<Document>> {
    // Manifests belong to others: one without a word of this tool is not looked at, damaged or not.
    if !matches!(form, Form::Own(_)) && !text.contains("tenth") {
        return Ok(None);
    }
    Ok(match form {
        Form::Own(_) => Some(read::<Document>(text, path)?),
        Form::Pyproject => read::<Pyproject>(text, path)?.tool.and_then(|tool| tool.tenth),
        Form::Cargo => {
            let cargo = read::<Cargo>(text, path)?;
            let of = |described: Option<Described>| described?.metadata?.tenth;
            of(cargo.workspace).or_else(|| of(cargo.package))
        }
    })
}

fn read<T: DeserializeOwned>(text: &str, path: &str) -> Result<T> {
    toml::from_str(text.strip_prefix('\u{feff}').unwrap_or(text)).map_err(|error| refusal(&error, text, path))
}

/// What is wrong, where, and what would mend it.
fn refusal(error: &toml::de::Error, text: &str, path: &str) -> Error {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let (what, help) = said(error.message());
    wrong(text, path, start as u32, what, help)
}

/// An error at a byte of a text.
pub(super) fn wrong(text: &str, path: &str, at: u32, what: String, help: String) -> Error {
    let lines = LineIndex::new(text);
    let Position { line, column } = lines.position(text, at);
    let shown = lines.line_span(line).text(text).trim_end();
    let excerpt = if shown.is_empty() { String::new() } else { format!("\n{line:>5} | {}", harmless(shown)) };
    Error::Settings { path: path.to_owned(), line, column, what, excerpt, help }
}

/// A line without what could steer a terminal.
fn harmless(line: &str) -> String {
    line.chars().map(|letter| if letter.is_control() && letter != '\t' { '?' } else { letter }).collect()
}

/// The message in this tool's words, and the help: names that are not known come with the nearest one.
fn said(message: &str) -> (String, String) {
    // serde's words, which its documentation keeps stable: "unknown field `a`, expected one of `b`, `c`".
    let message = message.trim().replace("unknown field", "unknown key").replace("unknown variant", "unknown name");
    let Some((unknown, expected)) = message.split_once(", expected ").filter(|(what, _)| what.starts_with("unknown "))
    else {
        let first = message.lines().next().unwrap_or_default().to_owned();
        return (first, String::new());
    };
    let unknown_name = unknown.split('`').nth(1).unwrap_or_default();
    let known: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    let help = match nearest_of(unknown_name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => String::new(),
        None if known.len() <= MOST_NAMES => {
            format!("known are {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
        }
        None => "`tenth config schema` lists what is known".to_owned(),
    };
    (unknown.to_owned(), help)
}

/// More names than these are not told one by one.
const MOST_NAMES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> (u32, u32, String, String) {
        match document(Form::Own("tenth.toml"), text, "tenth.toml") {
            Err(Error::Settings { line, column, what, help, .. }) => (line, column, what, help),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn unknown_keys_come_with_their_place_and_the_nearest_name() {
        let (line, column, what, help) = refused("scope = \"all\"\nfail_on = \"error\"\n");
        assert_eq!((line, column, what.as_str()), (2, 1, "unknown key `fail_on`"));
        assert_eq!(help, "did you mean `fail-on`?");
        let (line, _, what, help) = refused("[rules.lock-acros-await]\nseverity = \"error\"\n");
        assert_eq!((line, what.as_str()), (1, "unknown name `lock-acros-await`"));
        assert_eq!(help, "did you mean `lock-across-await`?");
        let (line, _, _, help) = refused("\n[rules.lock-reentry]\nseverity = \"err\"\n");
        assert_eq!((line, help.as_str()), (3, "did you mean `error`?"));
        let (line, _, what, _) = refused("[python.blocking]\n\"a.b\" = { kind = \"network\", steak = \"io\" }\n");
        assert_eq!((line, what.as_str()), (2, "unknown key `steak`"));
    }

    #[test]
    fn wrong_types_and_broken_files_come_with_their_place() {
        let (line, column, what, _) = refused("exclude = \"vendor\"\n");
        assert_eq!((line, column), (1, 11));
        assert!(what.contains("expected a sequence"), "{what}");
        let (line, _, what, _) = refused("scope = \"all\"\nexclude = [\"a[\"]\n");
        assert_eq!(line, 2);
        assert!(what.contains("`a[` is no pattern"), "{what}");
        assert_eq!(refused("[risk]\nlock-added = 400\n").0, 2);
        assert_eq!(refused("a = 1\n<<<<<<< ours\n").0, 2);
    }

    #[test]
    fn manifests_hold_settings_in_a_table_of_their_own() {
        let read = |form, text| document(form, text, "x").unwrap();
        let gate = |found: Option<Document>| found.and_then(|found| found.fail_on);
        assert!(gate(read(Form::Pyproject, "[tool.tenth]\nfail-on = \"note\"\n[tool.other]\nx = 1\n")).is_some());
        assert!(read(Form::Pyproject, "[tool.other]\nname = \"tenth\"\n").is_none());
        assert!(read(Form::Pyproject, "this is no toml").is_none());
        assert!(
            gate(read(Form::Cargo, "[package]\nname = \"a\"\n[package.metadata.tenth]\nfail-on = \"note\"\n"))
                .is_some()
        );
        assert!(gate(read(Form::Cargo, "[workspace.metadata.tenth]\nfail-on = \"note\"\n")).is_some());
    }
}
