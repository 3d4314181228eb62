#!/bin/sh
# Written by `tenth hook install --git`; `tenth hook uninstall --git` takes it away again.
# The hook that was here before, if any, is `pre-push.before-tenth` beside this one. It runs first.
# git tells only once what is pushed, on standard input.
pushed="$(cat)"
tell() {
    if [ -n "$pushed" ]; then printf '%s\n' "$pushed"; fi
}
before="$(dirname "$0")/pre-push.before-tenth"
if [ -x "$before" ]; then
    tell | "$before" "$@" || exit $?
fi
[ -n "$pushed" ] || exit 0
tenth=@TENTH@
[ -x "$tenth" ] || tenth=tenth
if ! command -v "$tenth" >/dev/null 2>&1; then
    echo "tenth: not found, so the hook \`$0\` cannot review anything; install it, or take the hook away" >&2
    exit 1
fi
tell | "$tenth" hook run pre-push "$@"
