# Completion of ghcrctl in fish; `ghcrctl completion fish` prints this.

function __ghcrctl_complete
    set -l word (commandline -ct)
    set -l words (commandline -opc)
    for line in ($words[1] __complete fish $words[2..] "$word" 2>/dev/null </dev/null)
        set -l parts (string split -m 2 \t -- $line)
        switch $parts[1]
            case file
                __fish_complete_path (string replace -r -- '^--[^=]*=' '' $word)
            case dir
                __fish_complete_directories (string replace -r -- '^--[^=]*=' '' $word)
            case plain open
                string join \t -- $parts[2..]
        end
    end
end

complete --command ghcrctl --no-files --arguments "(__ghcrctl_complete)"
