//! `tenth` reviews the concurrency of a change: it reads both sides of a diff, works out what the concurrent code on
//! each side does, subtracts, and tells a human which hunks need eyes.
pub mod analysis;
pub mod catalogue;
pub mod change;
pub mod demo;
pub mod error;
pub mod flow;
pub mod load;
pub mod lower;
pub mod report;
pub mod request;
pub mod review;
pub mod rules;
pub mod syntax;
pub mod text;
pub mod verdict;
