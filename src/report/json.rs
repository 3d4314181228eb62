//! The contract as it is: one object, keys in the contract's order.

use crate::review::Review;

pub(super) fn render(review: &Review) -> String {
    // Strings, numbers and lists always have a form in JSON; only maps with odd keys would not.
    let mut text = serde_json::to_string_pretty(review).expect("the contract holds nothing that JSON cannot say");
    text.push('\n');
    text
}
