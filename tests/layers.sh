#!/bin/sh
# layers.sh - checks the direction of every include: a layer sees itself and what lies below it.
# Foreign libraries have their layers too: nothing but io and the programs knows libuv or SQLite.
set -eu
cd "$(dirname "$0")/../src"
bad=0
check() { # layer, what it may include
    layer=$1
    shift
    allowed=$(printf '%s|' "$layer" "$@" | sed 's/|$//')
    found=$(grep -rnE '^#include "[a-z]+/' "$layer" --include='*.[ch]' --include='*.def' |
        grep -vE "#include \"($allowed)/" || true)
    [ -z "$found" ] || { printf '%s may include only %s:\n%s\n' "$layer" "$allowed" "$found"; bad=1; }
}
check base
check wire base
check core base
check station core wire base
check provision core wire base
check io base
check doctor io provision core wire base
check server doctor station provision io core wire base
check handset io core wire base
[ ! -d lab ] || check lab doctor server handset io core wire base
check cli doctor server io core wire base

foreign='uv\.h|sqlite3\.h|jansson\.h|sys/socket\.h|pthread\.h|curses\.h|sys/epoll\.h|fcntl\.h|dirent\.h'
# base/address.h names sockaddr as a type, base/map.c draws its seed once, base/log.c writes lines.
found=$(grep -rnE "^#include <($foreign)>" base wire core station provision --include='*.[ch]' |
    grep -vE '^base/(address\.[ch]|map\.c|log\.c):' || true)
[ -z "$found" ] || { printf 'only io and the programs touch sockets, files and threads:\n%s\n' "$found"; bad=1; }
exit $bad
