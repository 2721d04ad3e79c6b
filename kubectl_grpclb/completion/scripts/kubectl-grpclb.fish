# Completes kubectl-grpclb in fish. Load it with:  kubectl-grpclb completion fish | source
# or write it to ~/.config/fish/completions/kubectl-grpclb.fish
# For `kubectl grpclb`, load kubectl's own completion:  kubectl completion fish | source
# and put kubectl_complete-grpclb on PATH, which kubectl asks:  kubectl grpclb completion --install

function __kubectl_grpclb_complete
    set -l typed (commandline --cut-at-cursor --tokenize --current-process)
    set -l current (commandline --cut-at-cursor --current-token)
    set -l program (string replace --regex '^~/' "$HOME/" -- $typed[1])
    set -e typed[1]
    set -l flag (string match --regex -- '^-[^=]*=' $current)
    set -l directive 4
    set -l found
    for line in ($program __complete $typed "$current" 2>/dev/null </dev/null)
        if string match --quiet -- ':*' $line
            set directive (string sub --start 2 -- $line)
        else
            set -a found "$flag$line"
        end
    end
    if test $directive -eq 6 -a (count $found) -eq 1
        set -a found $found,  # fish puts a blank after the only candidate
    end
    if set -q found[1]
        printf '%s\n' $found
    else if test $directive -eq 0
        printf '%s\n' "$flag"(__fish_complete_path (string replace -- "$flag" '' $current))
    end
end

complete --command kubectl-grpclb --no-files --keep-order --arguments '(__kubectl_grpclb_complete)'
