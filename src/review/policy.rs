//! Which rules hold where, and how loud they are: the settings as the review applies them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::rules::RuleInfo;
use crate::verdict::Level;

/// What the settings say of rules and paths.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// How loud rules are, by name, where that is not as usual.
    pub rules: BTreeMap<String, RuleLevel>,
    /// What holds below some paths only. Of several that fit, the longest pattern has the last word.
    pub paths: Vec<PathPolicy>,
    /// Files that are not looked at.
    pub excluded: PathSet,
    /// The folder that patterns are told from.
    pub folder: Folder,
    /// Rules that alone are applied, whatever `rules` says of them; `None` for all.
    pub selected: Option<BTreeSet<String>>,
    /// Rules that are not applied.
    pub ignored: BTreeSet<String>,
}

/// How loud a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleLevel {
    /// It is not applied.
    Off,
    /// Its usual level.
    At(Level),
}

/// What holds below some paths.
#[derive(Clone, Debug)]
pub struct PathPolicy {
    /// The pattern as written.
    pub pattern: String,
    /// The paths that it means.
    pub paths: PathSet,
    /// How loud rules are there.
    pub rules: BTreeMap<String, RuleLevel>,
}

/// How the folder that patterns are told from lies to the paths of a review. The one or the other is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folder {
    /// The folder as the paths of the review begin, with a slash at its end, where it is below their root.
    pub below: String,
    /// What comes before the paths of the review, with a slash at its end, where it is above their root.
    pub above: String,
}

impl Folder {
    /// A path of the review as it is told from the folder; `None` for what is not in it.
    fn told<'p>(&self, path: &'p str) -> Option<Cow<'p, str>> {
        let rest = path.strip_prefix(self.below.as_str())?;
        Some(if self.above.is_empty() { Cow::Borrowed(rest) } else { Cow::Owned(format!("{}{rest}", self.above)) })
    }
}

impl Policy {
    /// Whether a file is not looked at.
    pub fn is_excluded(&self, path: &str) -> bool {
        self.folder.told(path).is_some_and(|path| self.excluded.has(&path))
    }

    /// Whether a rule is applied to a file.
    pub fn is_on(&self, rule: &RuleInfo, path: &str) -> bool {
        !self.is_excluded(path) && !self.ignored.contains(rule.name) && {
            let is_selected = self.selected.as_ref().map(|selected| selected.contains(rule.name));
            match self.path_level(rule.name, path) {
                Some(RuleLevel::Off) => false,
                Some(RuleLevel::At(_)) => is_selected != Some(false),
                None => is_selected.unwrap_or(self.rules.get(rule.name) != Some(&RuleLevel::Off)),
            }
        }
    }

    /// The level that the settings give to a rule in a file, where they do.
    pub fn level(&self, rule: &RuleInfo, path: &str) -> Option<Level> {
        let set = self.path_level(rule.name, path).or_else(|| self.rules.get(rule.name).copied());
        match set {
            Some(RuleLevel::At(level)) => Some(level),
            Some(RuleLevel::Off) | None => None,
        }
    }

    fn path_level(&self, rule: &str, path: &str) -> Option<RuleLevel> {
        let path = self.folder.told(path)?;
        let fitting = self.paths.iter().filter(|of| of.paths.has(&path));
        let said = fitting.filter_map(|of| Some((&of.pattern, *of.rules.get(rule)?)));
        said.max_by_key(|(pattern, _)| (pattern.len(), *pattern)).map(|(_, level)| level)
    }
}

/// Files by patterns: `*` within a name, `**` across folders. A pattern without a slash means every file and folder of
/// that name; one that means a folder means all that is in it.
#[derive(Clone, Debug, Default)]
pub struct PathSet {
    set: GlobSet,
}

impl PathSet {
    /// The files that some patterns mean; what is wrong with the first that cannot be understood.
    pub fn new<'p>(patterns: impl IntoIterator<Item = &'p str>) -> Result<Self, String> {
        let mut set = GlobSetBuilder::new();
        for pattern in patterns {
            let bare = pattern.trim_start_matches("./").trim_matches('/');
            let anywhere = if pattern.trim_end_matches('/').contains('/') { "" } else { "**/" };
            for form in [format!("{anywhere}{bare}"), format!("{anywhere}{bare}/**")] {
                let glob = GlobBuilder::new(&form).literal_separator(true).build();
                set.add(glob.map_err(|error| format!("`{pattern}` is no pattern: {}", error.kind()))?);
            }
        }
        set.build().map(|set| Self { set }).map_err(|error| error.to_string())
    }

    /// Whether a file is meant, by its path from the repository's root.
    pub fn has(&self, path: &str) -> bool {
        self.set.is_match(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::review::tests::rule;

    fn set(patterns: &[&str]) -> PathSet {
        PathSet::new(patterns.iter().copied()).unwrap()
    }

    #[test]
    fn patterns_mean_what_users_of_ignore_files_expect() {
        let by_name = set(&["vendor", "*_pb2.py"]);
        assert!(by_name.has("vendor/a.py") && by_name.has("lib/vendor/x/a.py") && by_name.has("api/user_pb2.py"));
        assert!(!by_name.has("vendored/a.py") && !by_name.has("user_pb2.pyi"));
        let by_path = set(&["tests/**", "src/gen/", "./tools/*.py"]);
        assert!(by_path.has("tests/a/b.py") && by_path.has("src/gen/x.rs") && by_path.has("tools/a.py"));
        assert!(!by_path.has("app/tests/b.py") && !by_path.has("tools/sub/a.py"));
        assert!(PathSet::new(["a[b"]).is_err());
    }

    #[test]
    fn patterns_are_told_from_the_folder_of_the_settings() {
        let below = Policy {
            excluded: set(&["gen/**"]),
            folder: Folder { below: "app/".to_owned(), above: String::new() },
            ..Policy::default()
        };
        assert!(below.is_excluded("app/gen/a.py") && !below.is_excluded("gen/a.py"));
        let above = Policy {
            excluded: set(&["app/gen/**"]),
            folder: Folder { below: String::new(), above: "app/".to_owned() },
            ..Policy::default()
        };
        assert!(above.is_excluded("gen/a.py") && !above.is_excluded("app/gen/a.py"));
    }

    #[test]
    fn the_longest_pattern_has_the_last_word() {
        let one = |pattern: &str, level| PathPolicy {
            pattern: pattern.to_owned(),
            paths: set(&[pattern]),
            rules: [("lock-reentry".to_owned(), level)].into(),
        };
        let policy = Policy {
            rules: [("lock-reentry".to_owned(), RuleLevel::At(Level::Note))].into(),
            paths: vec![one("tests/**", RuleLevel::Off), one("tests/slow/**", RuleLevel::At(Level::Warning))],
            ..Policy::default()
        };
        let (reentry, other) = (rule("lock-reentry"), rule("leftover-stub"));
        assert!(!policy.is_on(reentry, "tests/a.py") && policy.is_on(other, "tests/a.py"));
        assert_eq!(policy.level(reentry, "tests/slow/a.py"), Some(Level::Warning));
        assert_eq!(policy.level(reentry, "app.py"), Some(Level::Note));
    }

    #[test]
    fn what_is_selected_is_applied_although_the_settings_turn_it_off() {
        let off = [("lock-reentry".to_owned(), RuleLevel::Off)].into();
        let mut policy = Policy { rules: off, ..Policy::default() };
        assert!(!policy.is_on(rule("lock-reentry"), "a.py"));
        policy.selected = Some(["lock-reentry".to_owned()].into());
        assert!(policy.is_on(rule("lock-reentry"), "a.py") && !policy.is_on(rule("leftover-stub"), "a.py"));
        policy.ignored.insert("lock-reentry".to_owned());
        assert!(!policy.is_on(rule("lock-reentry"), "a.py"));
    }
}
