#compdef kubectl-grpclb
# Completes kubectl-grpclb in zsh. Load it after compinit with:  source <(kubectl-grpclb completion zsh)
# or write it to _kubectl-grpclb in a directory of $fpath.
# For `kubectl grpclb`, load kubectl's own completion:  source <(kubectl completion zsh)
# and put kubectl_complete-grpclb on PATH, which kubectl asks:  kubectl grpclb completion --install

_kubectl-grpclb() {
    local program=${(Q)words[1]} line directive=4
    local -a typed=("${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}") found space
    program=${program/#\~\//$HOME/}
    while IFS= read -r line; do
        case $line in
            :*) directive=${line#:} ;;
            *$'\t'*) found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
            *) found+=("${line//:/\\:}") ;;
        esac
    done < <($program __complete "${typed[@]}" 2>/dev/null </dev/null)

    [[ $PREFIX == -*=* ]] && compset -P 1 '*='  # what follows is completed, the flag stays
    (( directive & 2 )) && space=(-S '')
    if (( $#found )); then
        _describe -V 'kubectl-grpclb' found "${space[@]}"
    elif (( ! (directive & 4) )); then
        _files
    fi
}

if [[ ${funcstack[1]} == _kubectl-grpclb ]]; then
    _kubectl-grpclb "$@"
else
    compdef _kubectl-grpclb kubectl-grpclb
fi
