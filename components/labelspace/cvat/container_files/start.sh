# Sourced by the entrypoint of CVAT's server image. For each thing that the entrypoint asks or does by django-admin it
# starts Django anew: two seconds of a core, a dozen times at once when a workspace starts. Here the same is had without.
# Only for entrypoints that are known by their digest; any other one works as CVAT made it.
labelspace_entrypoint=${LABELSPACE_ENTRYPOINT:-/opt/cvat/backend_entrypoint.sh}

labelspace_is_known() { # by CVAT's line, or by a file in an image of one's own
    labelspace_digest=$(sha256sum "$labelspace_entrypoint" 2>/dev/null) || return 1
    labelspace_own=$(cat "$labelspace_entrypoint.labelspace" 2>/dev/null) || labelspace_own=
    case " ${LABELSPACE_ENTRYPOINTS:-} $labelspace_own " in
        *" ${labelspace_digest%% *} "*) return 0 ;;
    esac
    return 1
}

if labelspace_is_known; then
    django-admin() {
        if [ -n "${LABELSPACE_DJANGO:-}" ]; then # one process does all that init asks for
            printf '%s\n' "$*" >"$LABELSPACE_DJANGO/ask"
            read -r labelspace_code <"$LABELSPACE_DJANGO/answer"
            return "$labelspace_code"
        fi
        case "$*" in
            "migrate --check" | "migrateredis --check") # one note says both
                if [ -z "${labelspace_prepared:-}" ]; then
                    labelspace_code=0
                    python3 /opt/labelspace/migrate.py await || labelspace_code=$?
                    [ "$labelspace_code" != 4 ] || exit 4 # CVAT's files are lost: it may not start over empty volumes
                    if [ "$labelspace_code" != 0 ]; then
                        command django-admin "$@"
                        return
                    fi
                fi
                labelspace_prepared=1
                ;;
            "collectstatic --no-input") labelspace_collect "$@" & ;; # the gate sees that it came to its end
            *) command django-admin "$@" ;;
        esac
    }
else
    labelspace_code=0
    python3 /opt/labelspace/migrate.py check || labelspace_code=$?
    [ "$labelspace_code" != 4 ] || exit 4 # CVAT's files are lost: it may not start over empty volumes
fi

labelspace_collect() { # once a container; the next container of this version takes what is kept
    labelspace_done=${TMPDIR:-/tmp}/labelspace-static
    [ ! -e "$labelspace_done" ] || return 0
    labelspace_logs=${LABELSPACE_LOGS:-/home/django/logs} labelspace_static=${LABELSPACE_STATIC:-/home/django/static}
    labelspace_kept=$labelspace_logs/labelspace-static-$LABELSPACE_CVAT.tar
    if ! tar -xf "$labelspace_kept" -C "$labelspace_static" 2>/dev/null; then
        command django-admin "$@" || return
        rm -f "$labelspace_logs"/labelspace-static-*
        tar -cf "$labelspace_kept.new" -C "$labelspace_static" . && mv "$labelspace_kept.new" "$labelspace_kept"
    fi
    touch "$labelspace_done"
}
