//! Comments by language, from the text alone.
