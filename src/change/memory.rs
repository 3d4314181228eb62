//! A change between two sets of texts held in memory.
//!
//! The demo, the fixtures and the tests come this way; from the [`ChangeSet`] on nothing tells them from a git range.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::pairing::{Content, Entries, Entry, pair};
use super::{Blob, BlobId, ChangeSet, Description, Trees, is_listed};
use crate::text::Side;

/// The files of both sides in memory.
pub(super) struct MemoryTrees {
    before: OneSide,
    after: OneSide,
}

struct OneSide {
    blobs: BTreeMap<Arc<str>, Blob>,
    listed: Arc<[Arc<str>]>,
}

impl OneSide {
    fn new(blobs: BTreeMap<Arc<str>, Blob>) -> Self {
        let listed = blobs.keys().filter(|path| is_listed(path)).cloned().collect();
        Self { blobs, listed }
    }
}

impl MemoryTrees {
    pub(super) fn new(before: BTreeMap<Arc<str>, Blob>, after: BTreeMap<Arc<str>, Blob>) -> Self {
        Self { before: OneSide::new(before), after: OneSide::new(after) }
    }

    fn side(&self, side: Side) -> &OneSide {
        match side {
            Side::Before => &self.before,
            Side::After => &self.after,
        }
    }
}

impl Trees for MemoryTrees {
    fn read(&self, side: Side, path: &str) -> Option<Blob> {
        self.side(side).blobs.get(path).cloned()
    }

    fn id(&self, side: Side, path: &str) -> Option<BlobId> {
        self.side(side).blobs.get(path).map(|blob| blob.id)
    }

    fn has(&self, side: Side, path: &str) -> bool {
        self.side(side).blobs.contains_key(path)
    }

    fn list(&self, side: Side) -> Arc<[Arc<str>]> {
        self.side(side).listed.clone()
    }
}

/// The change between two maps from path to text.
pub(super) fn compare(
    description: Description,
    before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
) -> ChangeSet {
    let blobs = |texts: BTreeMap<String, String>| -> BTreeMap<Arc<str>, Blob> {
        texts.into_iter().map(|(path, text)| (Arc::from(path), Blob::new(text))).collect()
    };
    let (before, after) = (blobs(before), blobs(after));
    let entries = |blobs: &BTreeMap<Arc<str>, Blob>| -> Entries {
        blobs.iter().map(|(path, blob)| (path.as_bytes().to_vec(), Entry::file(blob.id))).collect()
    };
    let paired = pair(entries(&before), entries(&after), &|side, path, _| {
        let blobs = match side {
            Side::Before => &before,
            Side::After => &after,
        };
        match std::str::from_utf8(path).ok().and_then(|path| blobs.get(path)) {
            Some(blob) => Content::of_text(blob.text.clone()),
            None => Content::Missing,
        }
    });
    ChangeSet {
        description,
        files: paired.files,
        commits: Vec::new(),
        notices: paired.notices,
        coverage: paired.coverage,
        past: None,
        trees: Arc::new(MemoryTrees::new(before, after)),
    }
}
