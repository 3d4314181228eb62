#!/usr/bin/env bash
# The step of `action.yml`: builds `tenth` where it is not on the path, reviews, and hands the reports on.
set -euo pipefail

reports=$RUNNER_TEMP/tenth
mkdir -p "$reports"

if ! command -v tenth >/dev/null; then
    echo '::group::Build tenth'
    cargo install --locked --quiet --root "$reports/installed" --path "$GITHUB_ACTION_PATH"
    echo '::endgroup::'
    PATH=$reports/installed/bin:$PATH
fi

options=(
    --output concise
    --output "github:$reports/annotations"
    --output "sarif:$reports/tenth.sarif"
    --output "markdown:$reports/comment.md"
    --output "markdown:$GITHUB_STEP_SUMMARY"
)
[ -z "$TENTH_FAIL_ON" ] || options+=(--fail-on "$TENTH_FAIL_ON")
if [ -n "$TENTH_RANGE" ]; then
    change=(review -- "$TENTH_RANGE")
else
    change=(--pr)
fi

# What is printed here holds names and texts of the change, and none of them may become a command.
token=tenth-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$token"
status=0
tenth "${options[@]}" "${change[@]}" || status=$?
echo "::$token::"

# Without a review there are no reports, and the steps that would take them are left out.
if [ "$status" -le 1 ]; then
    cat "$reports/annotations"
    {
        echo "sarif-file=$reports/tenth.sarif"
        echo "comment-file=$reports/comment.md"
    } >>"$GITHUB_OUTPUT"
fi
exit "$status"
