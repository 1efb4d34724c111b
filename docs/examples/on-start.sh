#!/bin/sh
# Runs a command at each start of a container, and once now if it runs:   on-start.sh CONTAINER COMMAND…
# Its standard input is a line of JSON: what the signal, or the list, says of the container. Needs jq.
set -eu
container=$1
shift
shorewatchctl watch --since-sync --name "$container" --json |
    jq --unbuffered -c 'select(.event == "started" or .event == "present")' |
    while read -r line; do
        printf '%s\n' "$line" | "$@" || echo "$1 has failed with status $?" >&2
    done
