# shellcheck shell=bash
# Completion of shorewatchctl for bash. What there is to offer, shorewatchctl itself tells.

# Sets words: those up to the cursor, where bash has not taken '=' and ':' for their ends.
__shorewatchctl_words() {
    local rest=$COMP_LINE word trimmed i
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        trimmed=${rest#"${rest%%[![:space:]]*}"}
        if ((i > 0)) && [[ $trimmed == "$rest" && ($word == [:=]* || ${words[-1]} == *[:=]) ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
        rest=${trimmed#"$word"}
    done
}

_shorewatchctl() {
    local -a words
    local kind word current before shown
    COMPREPLY=()
    __shorewatchctl_words
    current=${words[-1]}
    # Bash replaces what follows the last of them only.
    before=
    if [[ $COMP_WORDBREAKS == *[:=]* && $current == *[:=]* ]]; then before=${current%"${current##*[:=]}"}; fi
    {
        IFS= read -r kind
        case $kind in
            files) compopt -o default ;;
            folders) compopt -o dirnames ;;
            commands) mapfile -t COMPREPLY < <(compgen -c -- "$current") ;;
            words)
                while IFS=$'\t' read -r word _; do
                    case $current in
                        # Within quotes, what is of no meaning to bash alone is offered.
                        [\"\']*)
                            [[ $word == *[!A-Za-z0-9_.,@%+/-]* ]] || [[ $word != "${current:1}"* ]] || COMPREPLY+=("$word")
                            ;;
                        *)
                            printf -v shown %q "$word"
                            [[ $shown != "$current"* ]] || COMPREPLY+=("${shown#"$before"}")
                            ;;
                    esac
                done
                ;;
        esac
    } < <(command shorewatchctl __complete "${words[@]:1}" 2> /dev/null)
}

complete -F _shorewatchctl shorewatchctl
