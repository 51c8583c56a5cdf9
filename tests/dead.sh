#!/bin/sh
# dead.sh - names functions that headers of src (not those of doctor and laboratory) declare and no source of src or
# bench calls: tests alone keep nothing alive. What stands here is agreed: printers that goldens and documents are made by, a module for
# fuzzing, and the parts of SIP that calls will use (dialogs, session descriptions, where servers are).
set -eu
cd "$(dirname "$0")/../src"
agreed='(_print|_dump|_print_states|_print_moves)$|^(sip_dialog|sip_resolve|sdp)_|^(sip_client_owns|sip_server_owns|sip_transactions_(get|acknowledged))$'
# Small tools of which the other half is used, and what tests look at or walk by.
# Called by the names that protocol_calls.def puts together.
agreed="$agreed|^(sccp|sip)_phone_(init|done|opened|closed|input|tick|due)$"
agreed="$agreed|^(read_le16|map_next|text_compare|sip_value_named|http_body_of_request|xml_begin_bare|dhcp_find_raw)$"
agreed="$agreed|^(sccp_(encode|body_size|message_at|message_fields)|(sip_)?stations_find|stations_sessions|sip_stations_links|tcp_count|homes_find|file_guard_count)$"
words=$(mktemp)
trap 'rm -f "$words"' EXIT
find . ../bench -name '*.[ch]' -o -name '*.def' | xargs sed -e 's,/\*.*\*/,,' -e 's,^ \*.*,,' -e 's,^ *//.*,,' |
    grep -oE '[A-Za-z_][A-Za-z0-9_]*' | sort | uniq -c | awk '{ print $2, $1 }' >"$words"
# A declaration and a definition are two; an inline function in a header is one.
dead=$(grep -rhE '^[a-z][A-Za-z0-9_ ]*[ *][a-z][a-z0-9_]+\(' --include='*.h' base wire core io station provision server handset cli |
    sed -E 's/^(.*[ *])?([a-z][a-z0-9_]+)\(.*/\2 \1/' |
    awk 'NR == FNR { n[$1] = $2; next } { least = /inline/ ? 1 : 2; if (n[$1] <= least) print $1 }' "$words" - |
    sort -u | grep -vE "$agreed" || true)
[ -z "$dead" ] || { printf 'nobody calls:\n%s\n' "$dead"; exit 1; }
