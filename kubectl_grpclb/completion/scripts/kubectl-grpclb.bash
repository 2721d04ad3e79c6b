# Completes kubectl-grpclb in bash. Load it with:  source <(kubectl-grpclb completion bash)
# For `kubectl grpclb`, load kubectl's own completion:  source <(kubectl completion bash)
# and put kubectl_complete-grpclb on PATH, which kubectl asks:  kubectl grpclb completion --install

_kubectl_grpclb() {
    local rest=${COMP_LINE:0:COMP_POINT} words=() word i
    # bash also splits words at = and :, which belong to flags and names here: no blank before it, no new word.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if ((i == 0)) || [[ $rest == [[:blank:]]* ]]; then
            rest=${rest#"${rest%%[![:blank:]]*}"}
            words+=('')
        fi
        [[ $rest == "$word"* ]] || word=$rest # the cursor is inside it
        words[${#words[@]} - 1]+=$word
        rest=${rest#"$word"}
    done
    local typed=${words[${#words[@]} - 1]}

    local line directive=4 found=() meanings=() longest=0
    while IFS= read -r line; do
        case $line in
        :*) directive=${line#:} ;;
        *)
            word=${line%%$'\t'*}
            found+=("$word")
            meanings+=("${line#"$word"}")
            ((${#word} > longest)) && longest=${#word}
            ;;
        esac
    done < <("${words[0]/#\~\//$HOME/}" __complete "${words[@]:1}" 2>/dev/null </dev/null)

    # bash 3.2, as on macOS, has no compopt.
    if type compopt &>/dev/null; then
        ((directive & 4)) && compopt +o default +o bashdefault
        ((directive & 2)) && compopt -o nospace
    fi

    # What bash replaces is $2, the part of the word after the last = or :.
    [[ $typed == -*=* ]] && typed=${typed#*=}
    local before=${typed%"$2"} room=$((${COLUMNS:-80} - 2))
    COMPREPLY=()
    for i in "${!found[@]}"; do
        word=${found[i]#"$before"}
        # Several words are listed with their meanings, unless bash is about to insert them (37 is %, 42 is *).
        if ((${#found[@]} > 1)) && [[ ${meanings[i]} && $COMP_TYPE != 37 && $COMP_TYPE != 42 ]]; then
            printf -v word '%-*s  (%s)' $((longest - ${#before})) "$word" "${meanings[i]#$'\t'}"
            ((${#word} > room && longest < room)) && word=${word:0:room}…
        fi
        COMPREPLY+=("$word")
    done
}

complete -o default -o bashdefault -F _kubectl_grpclb kubectl-grpclb
