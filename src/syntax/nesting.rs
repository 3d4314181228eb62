//! How deeply a text is nested, by a scan over its bytes, before any parser sees it.
