//! The settings of a project: found, read, and taken from the side of the change that may say.
//!
//! ~~~text
//! fail-on, scope, exclude, baseline, rules, per-path,      what a change may not loosen for itself: in a range as they
//! suppressions, budget, risk                                stood before it
//! checkpoints, python, rust                                 what is known: as the change leaves it; what was known
//!                                                           before stays known until the next change
//! ~~~
//!
//! Where a person reviews their own work (what is staged, the work tree), all is taken as it stands there. Whatever the
//! change does to the settings is a notice.

mod baseline;
mod differences;
mod document;
mod find;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::catalogue::Catalogue;
use crate::change::{self, ChangeSet, ChangeSource, Ground, Kind};
use crate::error::{Error, Result};
use crate::request::{Request, Scope, SettingsFrom, Subject};
use crate::review::{Folder, Notice, Options, PathPolicy, PathSet, Policy};
use crate::rules::{self, Family};
use crate::text::Side;
use crate::verdict::Level;

pub use baseline::baseline_text;
pub use document::*;
use find::Found;

/// The file that names the findings which a project lives with, where the settings name none.
pub const BASELINE: &str = "tenth-baseline.txt";

/// The settings as a review works with them.
#[derive(Debug)]
pub struct Settings {
    /// What the review goes by.
    pub options: Options,
    /// What is known of libraries and of the project's own names; `None` for what the tool comes with.
    pub catalogue: Option<Catalogue>,
    /// What the change does to the settings, and what else the reader should know of them.
    pub notices: Vec<Notice>,
}

impl Settings {
    /// What is known of names.
    pub fn catalogue(&self) -> &Catalogue {
        self.catalogue.as_ref().unwrap_or_else(|| Catalogue::builtin())
    }
}

/// The settings by which a change is reviewed.
pub fn of_change(change: &ChangeSet, request: &Request) -> Result<Settings> {
    let is_range = matches!(change.description.kind, Kind::Range | Kind::Patch);
    let mut notices = Vec::new();
    let (before, after) = match (&request.settings, &request.subject) {
        (SettingsFrom::Isolated, _) | (SettingsFrom::Found, Subject::Demo) => (None, None),
        (SettingsFrom::File(path), _) => {
            let named = find::named(&request.ground.told(path))?;
            (Some(named.clone()), Some(named))
        }
        (SettingsFrom::Found, Subject::Change(ChangeSource::Files(paths))) => {
            let found = find::on_disk(&change::root_of_files(paths, &request.ground))?;
            (found.clone(), found)
        }
        (SettingsFrom::Found, Subject::Change(_)) => {
            let here = change::here(&request.ground);
            let after = find::in_tree(&*change.trees, Side::After, &here)?;
            let before = find::in_tree(&*change.trees, Side::Before, &here).unwrap_or_else(|error| {
                // What a change mends was broken before; the defaults are what is left to go by.
                if is_range {
                    let text =
                        format!("the settings before the change are not understood, so the defaults hold: {error}");
                    notices.push(Notice { kind: "settings-not-understood".to_owned(), text, path: None, line: None });
                }
                None
            });
            notices.extend(differences::notices(before.as_ref(), after.as_ref(), is_range));
            (before, after)
        }
    };
    let binding = if is_range { &before } else { &after };
    notices.extend(binding.as_ref().and_then(beside));

    let document = binding.as_ref().map(|found| found.document.clone()).unwrap_or_default();
    let folder = binding.as_ref().map(|found| found.folder.clone()).unwrap_or_default();
    let names = baseline(change, request, &document, &folder, if is_range { Side::Before } else { Side::After })?;
    if names.is_none() && document.baseline.is_some() {
        let text = "the settings name a baseline that is not there; `tenth baseline write` makes it".to_owned();
        notices.push(Notice { kind: "baseline-missing".to_owned(), text, path: document.baseline.clone(), line: None });
    }
    if let (SettingsFrom::Found, Subject::Change(source)) = (&request.settings, &request.subject)
        && !matches!(source, ChangeSource::Files(_))
    {
        let path = format!("{}{}", folder.below, document.baseline.as_deref().unwrap_or(BASELINE));
        notices.extend(differences::of_baseline(change, &path, is_range)?);
    }
    let known = differences::known(binding.as_ref(), after.as_ref());
    Ok(Settings {
        options: options(&document, folder, names.unwrap_or_default(), request)?,
        catalogue: catalogue(&known)?,
        notices,
    })
}

/// Adds what the settings call a checkpoint to what the user does.
pub fn checkpoint_patterns(named: &[String], request: &Request) -> Result<Vec<String>> {
    let (document, _) = current(request)?;
    Ok(named.iter().cloned().chain(document.checkpoints).collect())
}

/// The settings that hold where the user stands, with the file that they come from.
pub fn current(request: &Request) -> Result<(Document, Option<String>)> {
    let found = match &request.settings {
        SettingsFrom::Isolated => None,
        SettingsFrom::File(path) => Some(find::named(&request.ground.told(path))?),
        SettingsFrom::Found => find::on_disk(&request.ground.folder.clone().unwrap_or_else(|| PathBuf::from(".")))?,
    };
    Ok(found.map_or_else(Default::default, |found| (found.document, Some(found.path))))
}

/// Where the baseline of the project stands, or would stand, that the user is in.
pub fn baseline_place(request: &Request) -> Result<PathBuf> {
    let here = request.ground.folder.clone().unwrap_or_else(|| PathBuf::from("."));
    let (document, path) = current(request)?;
    let named = document.baseline.as_deref().unwrap_or(BASELINE);
    let folder = match (&request.settings, path) {
        (SettingsFrom::Found, Some(path)) => here.join(path).parent().map(Path::to_path_buf),
        _ => change::root_of_repository(&request.ground),
    };
    Ok(folder.unwrap_or(here).join(named))
}

/// The settings in the form of their file, with what is not said at its default.
pub fn shown(document: &Document, path: Option<&str>) -> String {
    let mut full = document.clone();
    full.fail_on.get_or_insert(crate::request::Gate::Error);
    full.scope.get_or_insert(Scope::Reach);
    full.baseline.get_or_insert_with(|| BASELINE.to_owned());
    let text = toml::to_string(&full).unwrap_or_default();
    match path {
        Some(path) => format!("# {path}\n{text}"),
        None => format!("# no file of settings: these are the defaults\n{text}"),
    }
}

/// The schema of a file of settings.
pub fn schema() -> String {
    let schema = schemars::schema_for!(Document);
    // A schema holds nothing that JSON cannot say.
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema has a form in JSON");
    text.push('\n');
    text
}

/// A file of settings to begin with.
pub const TEMPLATE: &str = include_str!("template.toml");

/// Writes a file of settings to begin with, where there is none, and says where.
pub fn init(ground: &Ground) -> Result<String> {
    let path = ground.told(Path::new("tenth.toml"));
    if let Some(found) =
        find::on_disk(path.parent().unwrap_or(Path::new(".")))?.filter(|found| !found.path.contains('/'))
    {
        return Err(Error::Usage {
            what: format!("there are settings here already: `{}`", found.path),
            help: "edit them; `tenth config show` prints what holds".to_owned(),
        });
    }
    let shown = path.display().to_string();
    std::fs::write(&path, TEMPLATE)
        .map_err(|error| Error::Unwritable { path: shown.clone(), reason: error.to_string() })?;
    Ok(shown)
}

fn beside(found: &Found) -> Option<Notice> {
    let other = found.beside.as_ref()?;
    let text = format!("the settings of `{other}` do not count, since `{}` stands beside it", found.path);
    Some(Notice { kind: "settings-beside".to_owned(), text, path: Some(other.clone()), line: None })
}

/// The fingerprints of the baseline that holds, if there is one.
fn baseline(
    change: &ChangeSet,
    request: &Request,
    document: &Document,
    folder: &Folder,
    side: Side,
) -> Result<Option<BTreeSet<String>>> {
    if request.settings == SettingsFrom::Isolated {
        return Ok(None);
    }
    let name = document.baseline.as_deref().unwrap_or(BASELINE);
    let path = format!("{}{name}", folder.below);
    let text = match &request.subject {
        Subject::Demo => None,
        Subject::Change(ChangeSource::Files(paths)) => {
            let root = change::root_of_files(paths, &request.ground);
            let up = folder.above.matches('/').count();
            let place = root.ancestors().nth(up).unwrap_or(&root).join(name);
            std::fs::read_to_string(place).ok()
        }
        Subject::Change(_) => change.trees.read(side, &path).map(|blob| blob.text.to_string()),
    };
    text.map(|text| baseline::read(&text, &path)).transpose()
}

fn options(document: &Document, folder: Folder, baseline: BTreeSet<String>, request: &Request) -> Result<Options> {
    let levels = |rules: &BTreeMap<RuleName, RuleSettings>| {
        rules.iter().map(|(name, set)| (name.0.clone(), set.severity.level())).collect::<BTreeMap<_, _>>()
    };
    // A pattern was understood when it was read.
    let set = |patterns: &[&str]| PathSet::new(patterns.iter().copied()).unwrap_or_default();
    let paths = document.per_path.iter().map(|(pattern, settings)| {
        let mut rules = levels(&settings.rules);
        rules.extend(settings.ignore.iter().map(|name| (name.0.clone(), crate::review::RuleLevel::Off)));
        PathPolicy { pattern: pattern.0.clone(), paths: set(&[&pattern.0]), rules }
    });
    let excluded: Vec<&str> = document.exclude.iter().map(|pattern| pattern.0.as_str()).collect();
    let policy = Policy {
        rules: levels(&document.rules),
        paths: paths.collect(),
        excluded: set(&excluded),
        folder,
        selected: if request.select.is_empty() { None } else { Some(named(&request.select, "--select")?) },
        ignored: named(&request.ignore, "--ignore")?,
    };
    Ok(Options {
        fail_on: request.fail_on.or(document.fail_on).map_or(Some(Level::Error), |gate| gate.level()),
        scope: request.scope.or(document.scope).unwrap_or(Scope::Reach),
        upheld: request.upheld,
        show_hidden: request.show_hidden,
        min_severity: request.min_severity,
        min_confidence: request.min_confidence,
        max_findings: request.max_findings,
        policy,
        weights: document.risk.iter().map(|(name, weight)| (name.0.clone(), weight.0)).collect(),
        budget_lines: document.budget.lines,
        budget_questions: document.budget.questions,
        baseline,
        is_pull_request: request.subject == Subject::Change(ChangeSource::PullRequest),
        accepts_new_suppressions: document.suppressions.accept_new,
    })
}

/// The rules that names of rules and families mean.
fn named(names: &[String], flag: &str) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for name in names {
        let meant = rules::all().iter().filter(|rule| rule.name == name || rule.family.name() == name);
        let before = found.len();
        found.extend(meant.map(|rule| rule.name.to_owned()));
        if found.len() == before && !found.contains(name) {
            let families = FAMILIES.iter().map(|family| family.name());
            let known = rules::all().iter().map(|rule| rule.name).chain(families);
            let near = crate::error::nearest_of(name, known).map(|near| format!("did you mean `{near}`? "));
            return Err(Error::Usage {
                what: format!("`{flag}` names `{name}`, which is neither a rule nor a family of rules"),
                help: format!("{}`tenth rules` lists them", near.unwrap_or_default()),
            });
        }
    }
    Ok(found)
}

const FAMILIES: [Family; 6] =
    [Family::Blocking, Family::Locks, Family::State, Family::Tasks, Family::Contracts, Family::Unfinished];

/// The catalogue with what the project knows; `None` where it adds nothing.
fn catalogue(known: &(Knowledge, Knowledge)) -> Result<Option<Catalogue>> {
    let (python, rust) = known;
    if *python == Knowledge::default() && *rust == Knowledge::default() {
        return Ok(None);
    }
    let text = toml::to_string(&BTreeMap::from([("python", python), ("rust", rust)])).unwrap_or_default();
    let catalogue = Catalogue::with(&text).map_err(|error| Error::Usage {
        what: format!("the names that the settings explain are not understood: {}", error.message()),
        help: "`tenth config schema` says what may stand there".to_owned(),
    })?;
    Ok(Some(catalogue))
}
