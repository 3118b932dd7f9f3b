# Sourced by the entrypoint of CVAT's server image. The filter of CVAT's own requests (smokescreen) takes addresses, no
# names: each name of the setting egress.allow is looked up here, and once more every second while it has no address.
for labelspace_entry in ${LABELSPACE_EGRESS:-}; do
    labelspace_host=${labelspace_entry%%:*} labelspace_port=${labelspace_entry#"${labelspace_entry%%:*}"}
    labelspace_found=
    for labelspace_try in 1 2 3 4 5 6 7 8 9 10; do
        labelspace_found=$(getent ahostsv4 "$labelspace_host" | cut -d' ' -f1 | sort -u) || true
        [ -z "$labelspace_found" ] || break
        sleep "${LABELSPACE_EGRESS_WAIT:-1}"
    done
    [ -n "$labelspace_found" ] || echo "labelspace: egress.allow: $labelspace_host has no IPv4 address: it stays refused" >&2
    for labelspace_address in $labelspace_found; do
        export SMOKESCREEN_OPTS="$SMOKESCREEN_OPTS --allow-address=$labelspace_address$labelspace_port"
    done
done
