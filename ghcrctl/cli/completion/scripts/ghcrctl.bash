# Completion of ghcrctl in bash; `ghcrctl completion bash` prints this.
# The program gets the original line, because bash breaks words at colons.

_ghcrctl_complete() {
    local kind value rest word=${COMP_LINE:0:COMP_POINT}
    word=${word##*[[:space:]]}
    COMPREPLY=()
    while IFS=$'\t' read -r kind value rest; do
        case $kind in
            file | dir)
                [[ $word == -*=* ]] && word=${word#*=}
                # bash 3.2 on macOS has no compopt. Directories are then completed without a slash.
                type compopt >/dev/null 2>&1 && compopt -o filenames
                local flag=-f
                [[ $kind == dir ]] && flag=-d
                while IFS= read -r value; do
                    COMPREPLY[${#COMPREPLY[@]}]=$value
                done < <(compgen $flag -- "$word")
                ;;
            open)
                type compopt >/dev/null 2>&1 && compopt -o nospace
                COMPREPLY[${#COMPREPLY[@]}]=$value
                ;;
            plain)
                COMPREPLY[${#COMPREPLY[@]}]=$value
                ;;
        esac
    done < <(
        "$1" __complete bash "$COMP_LINE" "$COMP_POINT" "$COMP_WORDBREAKS" 2>/dev/null </dev/null
    )
}

complete -o nosort -F _ghcrctl_complete ghcrctl 2>/dev/null ||
    complete -F _ghcrctl_complete ghcrctl
