#!/bin/sh
# dead.sh - names functions that headers of src declare and no source of src or bench calls: tests alone keep
# nothing alive. What stands here is agreed: printers that goldens and documents are made by, a module for
# fuzzing, and the parts of SIP that calls will use (dialogs, session descriptions, where servers are).
set -eu
cd "$(dirname "$0")/../src"
agreed='(_print|_dump|_print_states|_print_moves)$|^(sip_dialog|sip_resolve|sdp)_'
words=$(mktemp)
trap 'rm -f "$words"' EXIT
find . ../bench -name '*.[ch]' -o -name '*.def' | xargs sed -e 's,/\*.*\*/,,' -e 's,^ \*.*,,' -e 's,^ *//.*,,' |
    grep -oE '[A-Za-z_][A-Za-z0-9_]*' | sort | uniq -c | awk '{ print $2, $1 }' >"$words"
# A declaration and a definition are two; an inline function in a header is one.
dead=$(grep -rhE '^[a-z][A-Za-z0-9_ ]*[ *][a-z][a-z0-9_]+\(' --include='*.h' . |
    sed -E 's/^(.*[ *])?([a-z][a-z0-9_]+)\(.*/\2 \1/' |
    awk 'NR == FNR { n[$1] = $2; next } { least = /inline/ ? 1 : 2; if (n[$1] <= least) print $1 }' "$words" - |
    sort -u | grep -vE "$agreed" || true)
[ -z "$dead" ] || { printf 'nobody calls:\n%s\n' "$dead"; exit 1; }
