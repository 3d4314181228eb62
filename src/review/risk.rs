//! The table of risk signals, and how they add up.
//!
//! ~~~text
//! weights   60   40   20        strongest first
//! count     x1  x1/2 x1/4       diminishing
//! adds      60    8    2        each to what is left to 100
//! ~~~

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::contract::Reason;

static TABLE: LazyLock<RiskTable> = LazyLock::new(|| {
    toml::from_str(include_str!("../../rules/risk.toml"))
        .expect("the table is part of the program, and a test reads it")
});

/// `rules/risk.toml` as it stands in the program.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RiskTable {
    pub(super) threshold: u8,
    settled: Settled,
    #[serde(rename = "signal")]
    signals: Vec<SignalRow>,
    #[serde(rename = "sink")]
    sinks: Vec<SinkRow>,
}

/// What the history of a file has to show to be worth a word.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settled {
    /// Words in subjects of commits that mended something.
    pub(super) mends: Vec<String>,
    /// So many of them are many.
    pub(super) often: u32,
    /// So many commits without a change are long.
    pub(super) commits: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignalRow {
    name: String,
    weight: u32,
    text: String,
}

/// A kind of text that takes away from what its signals gave.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SinkRow {
    pub(super) name: String,
    /// How much it takes, in percent.
    share: u32,
    text: String,
    /// Ends of paths that show it.
    #[serde(default)]
    pub(super) endings: Vec<String>,
    /// Words in the head of a file, in lower case, that show it.
    #[serde(default)]
    pub(super) markers: Vec<String>,
}

/// The table.
pub(super) fn table() -> &'static RiskTable {
    &TABLE
}

/// The names of the signals, by which settings weigh them anew.
pub fn signal_names() -> Vec<&'static str> {
    table().signals.iter().map(|row| row.name.as_str()).collect()
}

impl RiskTable {
    pub(super) fn settled(&self) -> &Settled {
        &self.settled
    }

    pub(super) fn sink(&self, name: &str) -> Option<&SinkRow> {
        self.sinks.iter().find(|row| row.name == name)
    }

    fn signal(&self, name: &str) -> Option<&SignalRow> {
        self.signals.iter().find(|row| row.name == name)
    }

    /// Whether the table knows a signal.
    #[cfg(test)]
    pub(super) fn knows(&self, name: &str) -> bool {
        self.signal(name).is_some()
    }
}

/// The signals seen at one hunk: what each saw, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    seen: BTreeMap<String, String>,
}

impl Seen {
    /// Notes a signal. One of a name counts once, with what it saw first; an empty text stands for the table's.
    pub(super) fn note(&mut self, name: &str, text: &str) {
        self.seen.entry(name.to_owned()).or_insert_with(|| text.to_owned());
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.seen.contains_key(name)
    }

    /// The risk, and the reasons whose points add up to it. `weights` are those that the settings put in the place of the
    /// table's.
    pub(super) fn risk(&self, sink: Option<&SinkRow>, weights: &BTreeMap<String, u8>) -> (u8, Vec<Reason>) {
        let weight = |row: &SignalRow| weights.get(&row.name).map_or(row.weight, |weight| u32::from(*weight).min(100));
        let mut rows: Vec<(&SignalRow, &String)> =
            self.seen.iter().filter_map(|(name, text)| Some((table().signal(name)?, text))).collect();
        rows.sort_by(|one, two| weight(two.0).cmp(&weight(one.0)).then_with(|| one.0.name.cmp(&two.0.name)));

        // In thousandths of a point, so that the sum does not depend on how the parts were rounded.
        let (mut sum, mut reasons) = (0, Vec::new());
        for (at, (row, text)) in rows.into_iter().enumerate() {
            let before = rounded(sum);
            sum += (100_000 - sum) * weight(row) / 100 / (1 << at.min(16));
            let points = rounded(sum) - before;
            if points > 0 {
                let text = if text.is_empty() { &row.text } else { text };
                reasons.push(Reason { signal: row.name.clone(), points, text: text.clone() });
            }
        }
        if let Some(row) = sink {
            let kept = rounded(sum * (100 - row.share.min(100)) / 100);
            let points = kept - rounded(sum);
            if points < 0 {
                reasons.push(Reason { signal: row.name.clone(), points, text: row.text.clone() });
            }
        }
        let risk: i32 = reasons.iter().map(|reason| reason.points).sum();
        (risk.clamp(0, 100) as u8, reasons)
    }
}

fn rounded(thousandths: u32) -> i32 {
    ((thousandths + 500) / 1000) as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        let table = table();
        assert!(table.signals.iter().all(|row| row.weight <= 100 && !row.text.is_empty()));
        let names: std::collections::BTreeSet<&str> = table.signals.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names.len(), table.signals.len(), "a signal stands twice");
    }

    #[test]
    fn the_strongest_signal_dominates_and_the_points_add_up() {
        let mut seen = Seen::default();
        seen.note("changed-code", "");
        seen.note("causes-error", "");
        seen.note("lock-added", "");
        let (risk, reasons) = seen.risk(None, &BTreeMap::new());
        assert_eq!(reasons[0].signal, "causes-error");
        assert_eq!(reasons.iter().map(|reason| reason.points).sum::<i32>(), i32::from(risk));
        let (sunk, reasons) = seen.risk(table().sink("test-code"), &BTreeMap::new());
        assert!(sunk < risk);
        assert_eq!(reasons.iter().map(|reason| reason.points).sum::<i32>(), i32::from(sunk));
    }
}
