//! Files of the work tree that surely hold an object: the index says so, and they were not written since.
//!
//! A file is read in a fraction of the time that inflating the object takes. What comes out may have other line ends
//! than the object, so it is good for a search only.

use std::fs::{self, File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};

use git2::Repository;
use rustc_hash::FxHashMap;

use super::id_of;
use crate::change::{BlobId, SIZE_LIMIT};

/// What the index knows of the work tree.
pub(super) struct Vouched {
    root: PathBuf,
    files: FxHashMap<Vec<u8>, Known>,
}

struct Known {
    id: BlobId,
    size: u32,
    seconds: i32,
    nanoseconds: u32,
}

impl Vouched {
    /// Asks the index of a repository; `None` without a work tree or an index file.
    pub(super) fn of(repo: &Repository) -> Option<Self> {
        let root = repo.workdir()?.to_path_buf();
        let index = repo.index().ok()?;
        let (written, fraction) = time_of(&fs::metadata(index.path()?).ok()?)?;
        let files = index.iter().filter_map(|entry| {
            let (seconds, nanoseconds) = (entry.mtime.seconds(), entry.mtime.nanoseconds());
            let is_merged = (entry.flags >> 12) & 3 == 0;
            // What was written in the moment in which the index was may have been written once more.
            let is_settled = (seconds, nanoseconds) < (written, fraction);
            let known = Known { id: id_of(entry.id), size: entry.file_size, seconds, nanoseconds };
            (is_merged && is_settled).then_some((entry.path, known))
        });
        Some(Self { root, files: files.collect() })
    }

    /// The bytes of a file that holds this object; `None` where nothing vouches for it.
    pub(super) fn read<'b>(&self, path: &str, id: BlobId, buffer: &'b mut Vec<u8>) -> Option<&'b [u8]> {
        let known = self.files.get(path.as_bytes()).filter(|known| known.id == id)?;
        let place = self.root.join(Path::new(path));
        let meta = fs::symlink_metadata(&place).ok()?;
        let size = meta.len();
        let (seconds, nanoseconds) = time_of(&meta)?;
        // Some versions of git leave the fraction out.
        let is_same_time = known.seconds == seconds && (known.nanoseconds == 0 || known.nanoseconds == nanoseconds);
        if !meta.is_file() || size != u64::from(known.size) || !is_same_time || size > SIZE_LIMIT as u64 {
            return None;
        }
        let size = size as usize;
        if buffer.len() < size {
            buffer.resize(size.next_power_of_two(), 0);
        }
        let bytes = &mut buffer[..size];
        File::open(&place).ok()?.read_exact(bytes).ok()?;
        Some(bytes)
    }
}

/// When a file was written, as an index keeps it.
#[cfg(unix)]
fn time_of(meta: &Metadata) -> Option<(i32, u32)> {
    use std::os::unix::fs::MetadataExt;
    // The index keeps the lower half of the seconds.
    Some((meta.mtime() as i32, u32::try_from(meta.mtime_nsec()).ok()?))
}

#[cfg(not(unix))]
fn time_of(_: &Metadata) -> Option<(i32, u32)> {
    None
}
