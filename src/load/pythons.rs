//! Which Python the projects of a tree say they run on.
//!
//! The least version decides: what only newer ones do cannot be relied on. It is read from `pyproject.toml`
//! (`requires-python`, or what Poetry has instead), `setup.cfg` and `setup.py`, whichever of a folder says it.

use std::sync::Arc;

use toml::{Table, Value};

use super::folders::{Folders, inside};
use crate::analysis::Version;

/// The files that may say it, in the order in which they are believed.
const NAMES: [&str; 3] = ["pyproject.toml", "setup.cfg", "setup.py"];

/// What the folders of a side say, each asked once.
#[derive(Default)]
pub(super) struct Pythons(Folders<Version>);

impl Pythons {
    /// The version that counts for a file: what the nearest folder says that says anything.
    pub(super) fn of(&self, path: &str, read: impl Fn(&str) -> Option<Arc<str>>) -> Option<Version> {
        let least = |folder: &str| NAMES.iter().find_map(|name| least_of(name, &read(&inside(folder, name))?));
        self.0.nearest(path, least, |version, _| Some(*version))
    }
}

fn least_of(name: &str, text: &str) -> Option<Version> {
    match name {
        "pyproject.toml" => {
            let table: Table = text.parse().ok()?;
            let project = || table.get("project")?.get("requires-python")?.as_str();
            let poetry = || match table.get("tool")?.get("poetry")?.get("dependencies")?.get("python")? {
                Value::Table(written) => written.get("version")?.as_str(),
                written => written.as_str(),
            };
            least(project().or_else(poetry)?)
        }
        _ => {
            let rest = text.split_once("python_requires")?.1.trim_start().strip_prefix('=')?;
            let line = rest.trim_start().lines().next()?;
            let quoted = line.strip_prefix(['"', '\'']).and_then(|line| line.split(['"', '\'']).next());
            least(quoted.unwrap_or(line))
        }
    }
}

/// The least version that a specifier lets through: `>=3.8,<4`, `^3.9`, `~=3.7`, `3.11.*`.
fn least(specifier: &str) -> Option<Version> {
    let bounds = specifier.split([',', '|', ' ']).map(str::trim);
    let lower = bounds.filter(|bound| !bound.is_empty() && !bound.starts_with(['<', '!']));
    lower.filter_map(|bound| version(bound.trim_start_matches(['>', '=', '~', '^', ' ']))).min()
}

fn version(text: &str) -> Option<Version> {
    let mut parts = text.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor: String = parts.next()?.chars().take_while(char::is_ascii_digit).collect();
    Some(Version(major, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(files: &[(&str, &str)], path: &str) -> Option<Version> {
        Pythons::default()
            .of(path, |wanted| files.iter().find(|(known, _)| *known == wanted).map(|(_, text)| Arc::from(*text)))
    }

    #[test]
    fn every_form_of_a_lower_bound_is_read() {
        for (written, expected) in [
            (">=3.8", Some(Version(3, 8))),
            (">=3.8, <4", Some(Version(3, 8))),
            ("^3.9", Some(Version(3, 9))),
            ("~=3.11.2", Some(Version(3, 11))),
            ("==3.12.*", Some(Version(3, 12))),
            (">=2.7, !=3.0.*, !=3.1.*", Some(Version(2, 7))),
            ("<4", None),
            ("*", None),
        ] {
            assert_eq!(least(written), expected, "{written}");
        }
    }

    #[test]
    fn a_folder_is_read_once() {
        let pythons = Pythons::default();
        let asked = std::cell::RefCell::new(Vec::new());
        let read = |wanted: &str| {
            asked.borrow_mut().push(wanted.to_owned());
            (wanted == "pyproject.toml").then(|| Arc::from("[project]\nrequires-python = \">=3.11\"\n"))
        };
        for path in ["app/main.py", "app/other.py", "tests/main.py"] {
            assert_eq!(pythons.of(path, read), Some(Version(3, 11)));
        }
        let asked = asked.borrow();
        assert_eq!(asked.iter().filter(|path| *path == "pyproject.toml").count(), 1);
        assert_eq!(asked.len(), 7, "{asked:?}");
    }

    #[test]
    fn the_nearest_folder_that_says_it_counts() {
        let files = [
            ("pyproject.toml", "[project]\nrequires-python = \">=3.11\"\n"),
            ("old/setup.cfg", "[options]\npython_requires = >=3.7\n"),
            ("old/pyproject.toml", "[build-system]\nrequires = []\n"),
            ("older/setup.py", "setup(name='x', python_requires='>=3.6')\n"),
            ("poems/pyproject.toml", "[tool.poetry.dependencies]\npython = \"^3.9\"\n"),
            ("broken/pyproject.toml", "[project\n"),
        ];
        assert_eq!(at(&files, "app/main.py"), Some(Version(3, 11)));
        assert_eq!(at(&files, "old/app/main.py"), Some(Version(3, 7)));
        assert_eq!(at(&files, "older/main.py"), Some(Version(3, 6)));
        assert_eq!(at(&files, "poems/main.py"), Some(Version(3, 9)));
        assert_eq!(at(&files, "broken/main.py"), Some(Version(3, 11)));
        assert_eq!(at(&files[1..], "app/main.py"), None);
    }
}
