# Completion of ipctool(1) for bash. It asks the program: COMPLETE=bash ipctool -- WORD…

_ipctool() {
    local rest=${COMP_LINE:0:COMP_POINT} words=() places=() trimmed word i
    # Bash breaks words at ':' and '=', which references and settings contain. They are put together again.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        trimmed=${rest#"${rest%%[![:space:]]*}"}
        word=${COMP_WORDS[i]}
        ((i == COMP_CWORD)) && word=$trimmed
        if ((${#words[@]} == 0)) || [[ $trimmed != "$rest" || -z $rest ]]; then
            words+=("$word")
            places+=("$i")
        else
            words[${#words[@]} - 1]+=$word
        fi
        rest=${trimmed#"$word"}
    done
    local current=${words[${#words[@]} - 1]} candidates
    # A quote that is not closed yet.
    local quoted=
    [[ $current == [\"\']* ]] && quoted=${current:0:1} current=${current:1}
    words[${#words[@]} - 1]=$current
    candidates=$(COMPLETE=bash "${COMP_WORDS[0]}" -- "${words[@]}" 2> /dev/null) || return
    COMPREPLY=()
    if [[ $candidates == ::command\ * ]]; then
        local place=${candidates#::command }
        if declare -F _command_offset > /dev/null; then
            _command_offset "${places[place]}"
        elif ((place == ${#words[@]} - 1)); then
            mapfile -t COMPREPLY < <(compgen -A command -A file -- "$current")
        else
            compopt -o default
        fi
        return
    fi
    # What bash takes for words of their own stays on the line.
    local before=
    [[ -z $quoted && $current == *[:=]* && $COMP_WORDBREAKS == *:* ]] && before=${current%"${current##*[:=]}"}
    while IFS= read -r word; do
        word=${word%%$'\t'*}
        [[ -n $word ]] || continue
        [[ $word == *[:=] ]] && compopt -o nospace
        word=${word#"$before"}
        # Names come from anybody, and may hold what the shell would execute. Inside an open quote, such a name
        # is left out.
        if [[ $word == *[![:alnum:]:=,.+/_-]* ]]; then
            [[ -z $quoted || $word != *[![:alnum:][:blank:]:=,.+/_-]* ]] || continue
            [[ -n $quoted ]] || printf -v word %q "$word"
        fi
        COMPREPLY+=("$word")
    done <<< "$candidates"
    if ((${#COMPREPLY[@]} == 0)) && [[ $candidates == '' ]]; then
        return
    fi
}

complete -F _ipctool ipctool
