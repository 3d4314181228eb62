//! The flow as text, for `tenth inspect` and for snapshots.
