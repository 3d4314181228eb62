//! Where the settings of a project stand: in the nearest folder upward that holds some.

use std::path::Path;

use crate::change::Trees;
use crate::error::{Error, Result};
use crate::review::Folder;
use crate::text::Side;

use super::document::Document;
use super::read::{self, Form};

/// Settings that were found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The file, as the user knows it.
    pub(super) path: String,
    /// How the folder of the file, from which its patterns are told, lies to the paths of the review.
    pub(super) folder: Folder,
    pub(super) text: String,
    pub(super) document: Document,
    /// Another file of the same folder that holds settings, which do not count.
    pub(super) beside: Option<String>,
}

/// The settings of one side of a change, as seen from a folder of it.
pub(super) fn in_tree(trees: &dyn Trees, side: Side, here: &str) -> Result<Option<Found>> {
    let mut folder = here.trim_matches('/');
    loop {
        let start = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let read = |name: &str| trees.read(side, &format!("{start}{name}")).map(|blob| blob.text.to_string());
        if let Some(found) = in_folder(&start, &Folder { below: start.clone(), above: String::new() }, &read)? {
            return Ok(Some(found));
        }
        if folder.is_empty() {
            return Ok(None);
        }
        folder = folder.rsplit_once('/').map_or("", |(above, _)| above);
    }
}

/// The settings on disk, from the folder that the review's paths are told from upward to the root of its repository, or as
/// far up as there is anything.
pub(super) fn on_disk(from: &Path) -> Result<Option<Found>> {
    let from = std::path::absolute(from).unwrap_or_else(|_| from.to_path_buf());
    let mut above = String::new();
    for (up, folder) in from.ancestors().enumerate() {
        let shown = "../".repeat(up);
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
        if let Some(found) = in_folder(&shown, &Folder { below: String::new(), above: above.clone() }, &read)? {
            return Ok(Some(found));
        }
        if folder.join(".git").exists() {
            break;
        }
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        above = format!("{name}/{above}");
    }
    Ok(None)
}

/// A file that the user names.
pub(super) fn named(path: &Path) -> Result<Found> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Error::Unreadable { path: shown.clone(), reason: error.to_string() })?;
    let form = Form::of_name(&path.file_name().unwrap_or_default().to_string_lossy());
    let document = read::document(form, &text, &shown)?.unwrap_or_default();
    Ok(Found { path: shown, folder: Folder::default(), text, document, beside: None })
}

fn in_folder(shown: &str, folder: &Folder, read: &dyn Fn(&str) -> Option<String>) -> Result<Option<Found>> {
    let mut first: Option<Found> = None;
    for form in Form::ALL {
        let Some(text) = read(form.file()) else { continue };
        let path = format!("{shown}{}", form.file());
        match &mut first {
            Some(found) => {
                // What does not count need not be sound.
                if found.beside.is_none() && matches!(read::document(form, &text, &path), Ok(Some(_))) {
                    found.beside = Some(path);
                }
            }
            None => {
                if let Some(document) = read::document(form, &text, &path)? {
                    first = Some(Found { path, folder: folder.clone(), text, document, beside: None });
                }
            }
        }
    }
    Ok(first)
}
