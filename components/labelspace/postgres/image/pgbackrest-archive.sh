# Archives a WAL segment; PostgreSQL's archive_command: pgbackrest-archive.sh SEGMENT MAX_MB
# (pgBackRest refuses an archive_command that does not hold its name.) SEGMENT is a path below the data folder, which is the
# working directory. When the segments that wait take more than MAX_MB, or half of the free disk, pgBackRest gives the oldest
# up and reports success, so that the disk never fills. What was given up is recorded in labelspace-gap; see
# labelspace_backup/gap.py.
set -euo pipefail
GAP=labelspace-gap
LEAST_MB=64
half_mb=$(($(df --output=avail -m . | tail -n 1) / 2))
max_mb=$((half_mb < $2 ? half_mb : $2))
max_mb=$((max_mb < LEAST_MB ? LEAST_MB : max_mb))
code=0
output=$(nice -n 5 pgbackrest --stanza=main --archive-push-queue-max="${max_mb}MB" archive-push "$1" 2>&1) || code=$?
[ -z "$output" ] || echo "$output"
[ "$code" = 0 ] || exit "$code"
if [[ $output == *"dropped WAL file"* ]]; then
    mkdir -p "$GAP" && rm -f "$GAP/ended"
    flock "$GAP" sh -c 'echo "$1" >>"$0"' "$GAP/segments" "${1##*/} $(stat -c %Y "$1")"
elif [ -s "$GAP/segments" ]; then
    touch "$GAP/ended"
fi
