#!/bin/sh
# With arguments it is the program; the official one also builds arguments from VGW_* variables.
set -e
if [ $# = 0 ]; then
    echo "give the program's arguments: VGW_BACKEND is not understood here" >&2
    exit 1
fi
exec /usr/local/bin/versitygw "$@"
