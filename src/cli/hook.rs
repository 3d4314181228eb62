//! `tenth hook`, as clap reads it.

use std::ffi::OsString;

use clap::{Args, Subcommand, ValueEnum};
use tenth::change::Hook;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Review what a hook is about: what is staged, what is pushed, or what a runner of hooks names
    Run {
        /// The hook
        hook: HookName,
        /// What git hands to it: for pre-push the remote's name and address; names of files are not looked at
        #[arg(value_name = "ARGUMENT")]
        arguments: Vec<OsString>,
    },
    /// Install hooks; what is there already runs before them
    Install(Place),
    /// Take the hooks away, and put back what was there before
    Uninstall(Place),
    /// Say which hooks are installed
    Status {
        /// In this repository's hooks of git
        #[arg(long)]
        git: bool,
    },
}

/// Which hooks are meant.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// In this repository's hooks of git
    #[arg(long, required = true)]
    git: bool,
    /// The hook that runs before a commit; the one that is installed where none is named
    #[arg(long)]
    pre_commit: bool,
    /// The hook that runs before a push
    #[arg(long)]
    pre_push: bool,
}

/// A hook by git's name for it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum HookName {
    PreCommit,
    PrePush,
}

/// What is to be done with hooks.
#[derive(Debug)]
pub(crate) enum HookTask {
    /// Run as one; `remote` is what git's pre-push is told of.
    Run { hook: Hook, remote: Option<String> },
    /// Install some.
    Install(Vec<Hook>),
    /// Take some away.
    Uninstall(Vec<Hook>),
    /// Say how it stands.
    Status,
}

impl Command {
    /// The name of one that has no report.
    pub(super) fn name_without_report(&self) -> Option<&'static str> {
        match self {
            Self::Run { .. } => None,
            Self::Install(_) => Some("hook install"),
            Self::Uninstall(_) => Some("hook uninstall"),
            Self::Status { .. } => Some("hook status"),
        }
    }

    pub(super) fn task(self) -> HookTask {
        match self {
            Self::Run { hook, arguments } => {
                let hook = match hook {
                    HookName::PreCommit => Hook::PreCommit,
                    HookName::PrePush => Hook::PrePush,
                };
                let remote = arguments.first().filter(|_| hook == Hook::PrePush);
                HookTask::Run { hook, remote: remote.map(|remote| remote.to_string_lossy().into_owned()) }
            }
            Self::Install(place) => {
                let named = place.named();
                HookTask::Install(if named.is_empty() { vec![Hook::PreCommit] } else { named })
            }
            Self::Uninstall(place) => {
                let named = place.named();
                HookTask::Uninstall(if named.is_empty() { Hook::ALL.to_vec() } else { named })
            }
            Self::Status { git: _ } => HookTask::Status,
        }
    }
}

impl Place {
    fn named(&self) -> Vec<Hook> {
        let named = [(self.pre_commit, Hook::PreCommit), (self.pre_push, Hook::PrePush)];
        named.into_iter().filter(|(is_named, _)| *is_named).map(|(_, hook)| hook).collect()
    }
}
