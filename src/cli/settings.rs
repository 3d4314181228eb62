//! `tenth config` and `tenth baseline`, as clap reads them.

use clap::Subcommand;

/// What `tenth config` is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum ConfigTask {
    /// Print the settings that hold here, and where they come from
    Show,
    /// Print the JSON schema of a file of settings
    Schema,
    /// Write a `tenth.toml` to begin with
    Init,
}

/// What `tenth baseline` is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum BaselineTask {
    /// Write what is found in the whole repository now as what the project lives with
    Write,
    /// Print the baseline that holds here
    Show,
}
