//! Which files of a folder git is told to leave alone.

use std::path::{Path, PathBuf};

use git2::{Index, Repository};

/// The rules of the repository around a folder.
pub(in crate::change) struct Ignored {
    repo: Repository,
    index: Option<Index>,
    /// The folder, as it was named.
    folder: PathBuf,
    /// The folder, from the root of the work tree.
    below_root: PathBuf,
}

impl Ignored {
    /// The rules for what is below a folder; `None` where there is no work tree around it.
    pub(in crate::change) fn below(folder: &Path) -> Option<Self> {
        let real = folder.canonicalize().ok()?;
        let repo = Repository::discover(&real).ok()?;
        let root = repo.workdir()?.canonicalize().ok()?;
        let below_root = real.strip_prefix(root).ok()?.to_path_buf();
        Some(Self { index: repo.index().ok(), repo, folder: folder.to_path_buf(), below_root })
    }

    /// Whether the folder itself is ignored. Who names such a folder means what is in it.
    pub(in crate::change) fn is_whole(&self) -> bool {
        self.below_root.ancestors().any(|part| !part.as_os_str().is_empty() && self.is_ignored(part))
    }

    /// Whether a file or folder below the folder is ignored. What git knows all the same is not.
    pub(in crate::change) fn has(&self, place: &Path) -> bool {
        let below_root = place.strip_prefix(&self.folder).map(|below| self.below_root.join(below));
        below_root.is_ok_and(|path| self.is_ignored(&path))
    }

    fn is_ignored(&self, path: &Path) -> bool {
        let is_known = |index: &Index| index.get_path(path, 0).is_some() || index.find_prefix(path.join("")).is_ok();
        self.repo.is_path_ignored(path).unwrap_or(false) && !self.index.as_ref().is_some_and(is_known)
    }
}
