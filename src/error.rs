//! What can go wrong with the tool itself.
//!
//! Damaged input is not an error: it becomes coverage. An [`enum@Error`] ends the run with exit status 2, and
//! says what is wrong and how to mend it.

use thiserror::Error;

/// An error of the tool: one variant for each thing that a user can do something about.
#[derive(Debug, Error)]
pub enum Error {
    /// There is no git repository at or above the folder.
    #[error("`{path}` is not inside a git repository")]
    NoRepository {
        /// The folder as the user named it.
        path: String,
    },
    /// A revision cannot be resolved.
    #[error("revision `{revision}` does not exist{because}")]
    NoRevision {
        /// The revision as the user wrote it.
        revision: String,
        /// Empty, or the reason after a comma or colon.
        because: String,
        /// What would mend it.
        help: String,
    },
    /// A revision can be resolved, but not to what it says beyond doubt.
    #[error("revision `{revision}` cannot be told for certain: {because}")]
    UncertainRevision {
        /// The revision as the user wrote it.
        revision: String,
        /// The reason.
        because: String,
        /// What would mend it.
        help: String,
    },
    /// Two revisions have no common ancestor here.
    #[error("`{before}` and `{after}` have no merge base{because}")]
    NoMergeBase {
        /// The first revision.
        before: String,
        /// The second revision.
        after: String,
        /// Empty, or the reason.
        because: String,
        /// What would mend it.
        help: String,
    },
    /// The command needs a work tree and the repository is bare.
    #[error("the repository is bare, so it has no {what}")]
    Bare {
        /// What was asked for.
        what: &'static str,
    },
    /// A partial clone names changed source files without holding them.
    #[error("the content of `{path}`{} is not in this repository", and_others(.others))]
    Lost {
        /// One of them.
        path: String,
        /// How many more there are.
        others: usize,
    },
    /// A file or folder that the user named cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    Unreadable {
        /// The path as the user named it.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// The report cannot be written.
    #[error("cannot write `{path}`: {reason}")]
    Unwritable {
        /// Where it should have gone.
        path: String,
        /// The system's reason.
        reason: String,
    },
    /// An argument does not make sense.
    #[error("{what}")]
    Usage {
        /// What is wrong.
        what: String,
        /// What would mend it.
        help: String,
    },
    /// A file of settings cannot be understood.
    #[error("{path}:{line}:{column}: {what}{excerpt}")]
    Settings {
        /// The file, as it is known to the user.
        path: String,
        /// The line, from 1.
        line: u32,
        /// The column, from 1.
        column: u32,
        /// What is wrong.
        what: String,
        /// Empty, or the line itself on a line of its own.
        excerpt: String,
        /// What would mend it; may be empty.
        help: String,
    },
    /// git's own data is damaged or uses something that cannot be read.
    #[error("git could not read the repository: {reason}")]
    Git {
        /// libgit2's words.
        reason: String,
        /// What would mend it; may be empty.
        help: String,
    },
}

impl Error {
    /// What the user can do about it; empty when nothing better can be said than the message.
    pub fn help(&self) -> String {
        match self {
            Self::NoRepository { .. } => {
                "run it inside a repository, name one with `-C DIR`, or read files with `tenth check PATH`".to_owned()
            }
            Self::NoRevision { help, .. }
            | Self::UncertainRevision { help, .. }
            | Self::NoMergeBase { help, .. }
            | Self::Git { help, .. }
            | Self::Settings { help, .. }
            | Self::Usage { help, .. } => help.clone(),
            Self::Lost { .. } => "this is a partial clone: `git fetch --refetch --no-filter` brings it".to_owned(),
            Self::Bare { .. } => "name two commits: `tenth BEFORE..AFTER`".to_owned(),
            Self::Unreadable { .. } => "name a file that is there and that you may read".to_owned(),
            Self::Unwritable { .. } => "name a file that you may write, in a folder that is there".to_owned(),
        }
    }
}

fn and_others(number: &usize) -> String {
    match number {
        0 => String::new(),
        1 => " and of one more changed file".to_owned(),
        _ => format!(" and of {number} more changed files"),
    }
}

/// The result of everything that can fail as a tool.
pub type Result<T> = std::result::Result<T, Error>;

/// The known name that is most like one that is not known, if any is like it.
pub fn nearest_of<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    // The measure and the threshold by which the command line's own hints are made.
    const ALIKE: f64 = 0.7;
    let measured = known.into_iter().map(|other| (strsim::jaro_winkler(name, other), other));
    let best = measured.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.filter(|(alike, _)| *alike > ALIKE).map(|(_, name)| name)
}
