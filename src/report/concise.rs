//! One line a finding, as compilers print them, so that editors and `grep` can follow: `path:line:column: level[rule] message`.

use crate::review::{Review, Status};

use super::words;

pub(super) fn render(review: &Review) -> String {
    let listed = review.findings.iter();
    listed
        .map(|finding| {
            let (line, column) = (finding.start.line, finding.start.column);
            let (path, message) = (words::one_line(&finding.path), words::one_line(&finding.message));
            let accepted = match finding.status {
                Status::Open => String::new(),
                Status::Accepted => format!(" ({})", words::why_accepted(finding)),
            };
            format!(
                "{path}:{line}:{column}: {}[{}] {message}{accepted}\n",
                words::level(finding.severity),
                finding.rule
            )
        })
        .collect()
}
