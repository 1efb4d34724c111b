# shellcheck shell=bash
# Long steps that say how far they are. Sourced by quickstart and tests/run.

# The process groups of the step that is under way and of the one that goes on beside it, or empty.
step_group=
beside_group=
beside_log=
beside_begin=

# step LABEL LOG COMMAND…: runs the command, with its output in the file LOG, and prints a line for it. While it runs,
# a terminal shows the seconds and the last line of LOG; elsewhere a line comes every 30 s. The command's exit status.
step() {
    local label=$1 log=$2 begin=$SECONDS
    shift 2
    # With job control, a background job is a process group, which can be ended with all that is in it.
    set -m
    "$@" > "$log" 2>&1 < /dev/null &
    step_group=$!
    set +m
    _await_step "$label" "$log" "$begin"
}

# begin_beside LOG COMMAND…: begins a step that goes on beside others, with what these leave of the processors. One at a
# time, which end_beside is to await.
begin_beside() {
    beside_log=$1 beside_begin=$SECONDS
    shift
    set -m
    _run_idle "$@" > "$beside_log" 2>&1 < /dev/null &
    beside_group=$!
    set +m
}

# end_beside LABEL: as step(), from now on, of what begin_beside has begun.
end_beside() {
    step_group=$beside_group
    beside_group=
    _await_step "$1" "$beside_log" "$beside_begin"
}

# Ends what is under way and waits for it. For traps.
end_step() {
    local group
    for group in $step_group $beside_group; do
        kill -TERM -- "-$group" 2> /dev/null || true
        wait "$group" 2> /dev/null || true
    done
    step_group=
    beside_group=
}

_run_idle() {
    chrt --idle --pid 0 "$BASHPID" || return
    "$@"
}

# _await_step LABEL LOG BEGIN: of the process group $step_group.
_await_step() {
    local label=$1 log=$2 begin=$3 status=0 ticker tick
    # Ends with its input, which is nothing but that.
    exec {tick}> >(_show_progress "$label" "$log" "$begin")
    ticker=$!
    wait "$step_group" || status=$?
    step_group=
    exec {tick}>&-
    wait "$ticker" || true
    if [ "$status" -eq 0 ]; then
        printf '%-44s %4d s\n' "$label" $((SECONDS - begin))
    else
        printf '%-44s %4d s  FAILED\n' "$label" $((SECONDS - begin))
    fi
    return "$status"
}

_show_progress() {
    local label=$1 log=$2 begin=$3 every=30 status last width
    # Whoever started us says when it is over.
    trap '' INT TERM HUP
    [ ! -t 1 ] || every=1
    while true; do
        status=0
        read -r -t "$every" || status=$?
        if [ "$status" -le 128 ]; then break; fi  # not the time is over, but the input
        last=$(tail -c 300 "$log" | tr '\r' '\n' | grep -a '[^[:space:]]' | tail -n 1 | tr -cd '[:print:]') || true
        if [ -t 1 ]; then
            width=$(tput cols 2> /dev/null || echo 80)
            printf '\r\033[K%.*s' "$((width - 1))" "$(printf '%-44s %4d s  %s' "$label" $((SECONDS - begin)) "$last")"
        else
            printf '%-44s %4d s  … %.60s\n' "$label" $((SECONDS - begin)) "$last"
        fi
    done
    if [ -t 1 ]; then printf '\r\033[K'; fi
}
