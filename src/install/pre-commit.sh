#!/bin/sh
# Written by `tenth hook install --git`; `tenth hook uninstall --git` takes it away again.
# The hook that was here before, if any, is `pre-commit.before-tenth` beside this one. It runs first.
before="$(dirname "$0")/pre-commit.before-tenth"
if [ -x "$before" ]; then
    "$before" "$@" || exit $?
fi
tenth=@TENTH@
[ -x "$tenth" ] || tenth=tenth
if ! command -v "$tenth" >/dev/null 2>&1; then
    echo "tenth: not found, so the hook \`$0\` cannot review anything; install it, or take the hook away" >&2
    exit 1
fi
exec "$tenth" hook run pre-commit "$@"
