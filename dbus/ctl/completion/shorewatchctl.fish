# Completion of shorewatchctl for fish. What there is to offer, shorewatchctl itself tells.

function __shorewatchctl_candidates
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -q current[1]; or set current ""
    set -l lines (command shorewatchctl __complete $before[2..] $current 2>/dev/null)
    switch "$lines[1]"
        case files
            __fish_complete_path $current
        case folders
            __fish_complete_directories $current
        case commands
            __fish_complete_command
        case words
            set -e lines[1]
            printf '%s\n' $lines
    end
end

complete -c shorewatchctl -f -a '(__shorewatchctl_candidates)'
