//! What the catalogue says of calls that make a stretch of code worth a look, although nothing is wrong with it.

use serde::Deserialize;

use super::Tables;
use super::entry::entries;

entries!(Risk);

/// A call that makes a stretch of code worth a look, although nothing is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// The canonical name it stands under; ends in `*` when it covers everything below.
    #[serde(skip)]
    pub name: String,
    /// What it does.
    pub kind: RiskKind,
}

/// What a call does that a reviewer wants to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RiskKind {
    /// It gives a wait an end.
    Timeout,
    /// It cancels something, or keeps it from being cancelled.
    Cancellation,
    /// It makes a channel or queue.
    ChannelMade,
    /// It sends or receives.
    ChannelUsed,
    /// It touches what several threads share.
    Shared,
}

impl Tables {
    /// What makes a call worth a look, if anything does.
    pub fn risk(&self, name: &str) -> Option<&Risk> {
        self.find(&self.risk, name)
    }
}
