#compdef viam
# zsh completion of viam: the program itself says what can follow.
_viam() {
    local line value rest
    local -a found
    while IFS= read -r line; do
        value=${line%%$'\t'*}
        rest=${line#*$'\t'}
        if [[ $rest == $line ]]; then rest=; fi
        found+=("${value//:/\\:}${rest:+:$rest}")
    done < <(viam __complete -- "${words[@]:1:$((CURRENT-1))}" 2>/dev/null)
    if (( ${#found} )); then
        _describe viam found
    else
        _files
    fi
}
compdef _viam viam
