//! Where git looks for the hooks of a repository.

use std::path::{Path, PathBuf};

use git2::{ConfigLevel, ErrorCode};

use super::{broken, locate};
use crate::change::Ground;
use crate::change::files::plain;
use crate::error::Result;

/// The folder that git runs hooks from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HooksFolder {
    /// The folder, which need not be there yet.
    pub path: PathBuf,
    /// How the user knows it: relative to the top of the work tree where it lies in there.
    pub name: String,
    /// What `core.hooksPath` says, where it is set.
    pub configured: Option<HooksPath>,
    /// Whether it lies in the work tree, and so may be part of what is committed.
    pub is_in_work_tree: bool,
    /// The folder that git would look into if nothing were configured.
    pub usual: PathBuf,
}

/// A setting of `core.hooksPath`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HooksPath {
    /// As it is written.
    pub value: String,
    /// Whether it is set for more than this repository.
    pub is_shared: bool,
}

/// The folder that git runs the hooks of a repository from; all its work trees share one.
pub fn hooks_folder(ground: &Ground) -> Result<HooksFolder> {
    let found = locate(ground)?;
    let repo = &found.repo;
    let usual = repo.commondir().join("hooks");
    let config = repo.config().and_then(|mut config| config.snapshot()).map_err(broken)?;
    let configured = match config.get_entry("core.hookspath") {
        Ok(entry) => {
            let is_own = matches!(entry.level(), ConfigLevel::Local | ConfigLevel::Worktree | ConfigLevel::App);
            Some(HooksPath { value: entry.value().unwrap_or_default().to_owned(), is_shared: !is_own })
        }
        Err(error) if error.code() == ErrorCode::NotFound => None,
        Err(error) => return Err(broken(error)),
    };
    // Hooks run at the top of the work tree, or in the repository where there is none.
    let top = repo.workdir().unwrap_or_else(|| repo.path());
    let path = match &configured {
        Some(_) => plain(&top.join(config.get_path("core.hookspath").map_err(broken)?)),
        None => usual.clone(),
    };
    let is_in_work_tree =
        repo.workdir().is_some_and(|top| path.starts_with(top)) && !path.starts_with(repo.commondir());
    let name = name_of(&path, top);
    Ok(HooksFolder { path, name, configured, is_in_work_tree, usual })
}

fn name_of(path: &Path, top: &Path) -> String {
    let inner = path.strip_prefix(top).unwrap_or(path).display().to_string();
    inner.trim_end_matches(['/', '\\']).to_owned()
}
