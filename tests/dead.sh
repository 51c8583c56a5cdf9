#!/bin/sh
# dead.sh - names functions that headers of src declare and no source of src or bench calls: tests alone keep nothing alive,
# but for these.
set -eu
cd "$(dirname "$0")/../src"
agreed='(_print|_dump|_print_states|_print_moves)$'                          # goldens and documents are made by them
agreed="$agreed|^(sip_dialog|sip_resolve|sdp)_|^sip_(client|server)_owns$"   # SIP of calls: phones register
agreed="$agreed|^sip_transactions_(get|acknowledged)$"                       # … without INVITE
agreed="$agreed|^(sccp|sip)_phone_(init|done|opened|closed|input|tick|due)$" # protocol_calls.def puts their names together
agreed="$agreed|^(sccp_(encode|body_size|message_at|message_fields)|sentence_row|words_row)$" # whole tables, for goldens and fuzzers
agreed="$agreed|^((sip_)?stations_find|stations_sessions|sip_stations_links|tcp_count|file_guard_count)$" # what tests look at
agreed="$agreed|^(read_le16|text_compare|xml_begin_bare|dhcp_find_raw|http_body_of_request)$" # the other half is used
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
