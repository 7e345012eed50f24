# Completion of ipctool(1) for fish. It asks the program: COMPLETE=fish ipctool -- WORD…

function __ipctool_complete
    set -l words (commandline --current-process --tokenize --cut-at-cursor)
    set -l current (commandline --current-token --cut-at-cursor | string unescape)
    set -l candidates (env COMPLETE=fish $words[1] -- $words "$current" 2> /dev/null)
    if string match --quiet '::command *' -- "$candidates[1]"
        # Counted from 0, and fish counts from 1.
        set -l place (math (string replace '::command ' '' -- $candidates[1]) + 1)
        set -l line (string escape -- $words[$place..-1] | string join ' ')
        test (count $words) -ge $place; and set line "$line "
        complete --do-complete "$line"(commandline --current-token --cut-at-cursor)
        return
    end
    string join \n -- $candidates
end

complete --command ipctool --no-files --keep-order --arguments '(__ipctool_complete)'
