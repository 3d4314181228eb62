//! What the folders of a tree say of the files in them, the nearest folder first.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rustc_hash::FxHashMap;

/// What folders say, each read once.
pub(super) struct Folders<T> {
    known: Mutex<FxHashMap<String, Arc<OnceLock<Option<T>>>>>,
}

impl<T> Default for Folders<T> {
    fn default() -> Self {
        Self { known: Mutex::default() }
    }
}

impl<T> Folders<T> {
    /// What the nearest folder around a file says that says anything of it. `read` reads a folder, the root by an empty
    /// name; `said` is given what was read, and the file's path below that folder.
    pub(super) fn nearest<S>(
        &self,
        path: &str,
        read: impl Fn(&str) -> Option<T>,
        said: impl Fn(&T, &str) -> Option<S>,
    ) -> Option<S> {
        let mut folder = path;
        loop {
            let above = folder.rsplit_once('/').map(|(above, _)| above);
            folder = above.unwrap_or("");
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let slot = known.entry(folder.to_owned()).or_default().clone();
            drop(known);
            let below = path[folder.len()..].trim_start_matches('/');
            let found = slot.get_or_init(|| read(folder)).as_ref().and_then(|read| said(read, below));
            if found.is_some() || above.is_none() {
                return found;
            }
        }
    }
}

/// The path of a file in a folder.
pub(super) fn inside(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}
