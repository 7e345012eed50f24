# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ipctool_global_optspecs
    string join \n color= trace h/help V/version
end

function __fish_ipctool_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ipctool_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ipctool_using_subcommand
    set -l cmd (__fish_ipctool_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ipctool -n "__fish_ipctool_needs_command" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_needs_command" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_needs_command" -s V -l version -d 'Print version'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "stat" -d 'Tell all there is to know about objects'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "create" -d 'Make an object, and print its reference'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "send" -d 'Put messages on a queue'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "recv" -d 'Take messages off a queue, or peek at them'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "rm" -d 'Remove objects, by reference or by filter'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "chmod" -d 'Change permission bits'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "chown" -d 'Change owner and group'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "limits" -d 'Show the limits and how much of each is used; set them'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "guard" -d 'Run a command, report what it leaked, and fail on it'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "key" -d 'Print the ftok(3) key of a path'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "install-links" -d 'Make links by which ipctool is called as ipcs, ipcrm, ipcmk and msgtool'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "list" -d 'List objects'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "ls" -d 'List objects'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "doctor" -d 'Find what is wrong, say why, and give the command that mends it'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "ipcs" -d 'List System V objects as ipcs(1) of util-linux does'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "ipcrm" -d 'Remove System V objects as ipcrm(1) of util-linux does'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "ipcmk" -d 'Make System V objects as ipcmk(1) of util-linux does'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "msgtool" -d 'Try out a message queue as msgtool of the Linux Programmer\'s Guide does'
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s q -l queue-id -d 'Queue by id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s Q -l queue-key -d 'Queue by key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s m -l shmem-id -d 'Segment by id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s M -l shmem-key -d 'Segment by key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s s -l semaphore-id -d 'Semaphore set by id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s S -l semaphore-key -d 'Semaphore set by key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s J -l json -d 'One JSON array'
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l key -d 'Its key, in decimal, octal (0…) or hexadecimal (0x…)' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l ftok -d 'The ftok(3) key of this path; what follows the last \':\' is the project, 1 by default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l mode -d 'Permission bits, in octal; the umask does not apply' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l size -d 'Size of a segment or of POSIX shared memory in bytes, or as 64K, 2M, 1GiB' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l name -d 'Name of a POSIX object: a slash, then no other' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l max-messages -d 'Most messages that a POSIX queue holds; by default fs.mqueue.msg_default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l message-size -d 'Most bytes in one message of a POSIX queue; by default fs.mqueue.msgsize_default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l value -d 'Value of a POSIX semaphore, 0 by default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l nsems -d 'Number of semaphores in a set, 1 by default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -s x -l exclusive -d 'Fail if there is one with this key or name already'
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -s t -l type -d 'Type of the messages on a System V queue, greater than 0; 1 by default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l priority -d 'Priority of the messages on a POSIX queue, 0 to 32767; 0 by default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l create -d 'Make the queue if it is missing, with this mode (0600 by default); needs a key or name' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l timeout -d 'Wait at most this long for each message: 250ms, 30s, 10m; a bare number is seconds' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -s l -l lines -d 'Each line of standard input is a message'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -s 0 -l null -d 'Each NUL-terminated record of standard input is a message'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l jsonl -d 'Each line is a message like {"type": 5, "text": "…"} or {"type": 5, "base64": "…"}; on a POSIX queue with "priority" for "type". "ref" and "size" are ignored, any other field is an error'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l append-nul -d 'End each payload with a NUL byte, for readers that expect a C string'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l nowait -d 'Do not wait'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s n -l count -d 'Take this many messages' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s t -l type -d 'Which, on a System V queue: 0 any (the default), N that type, -N the lowest type up to N' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l timeout -d 'Wait at most this long for each message: 250ms, 30s, 10m; a bare number is seconds' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l format -d 'How each message is written' -r -f -a "text\t'The payload and a newline'
raw\t'The payload alone'
null\t'The payload and a NUL byte'
hex\t'Offset, hex and ASCII, as `hexdump -C`'
jsonl\t'A JSON object on each line, as `send --jsonl` reads it'"
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l truncate -d 'Show at most N bytes of each payload; the rest of it is dropped' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l all -d 'Take all there are, without waiting'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l then-rm -d 'With --all: let nobody send, and remove the queue once it is empty'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s f -l follow -d 'Go on for ever'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l except -d 'Any type but that of -t'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l peek -d 'Show without taking, and without waiting: on a System V queue'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l nowait -d 'Do not wait'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l raw -d 'Payload bytes only'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s 0 -l null -d 'A NUL byte after each payload'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s J -l json -l jsonl -d 'A line of JSON for each message, as \'send --jsonl\' reads it'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l hex -d 'Offset, hex and ASCII, as \'hexdump -C\''
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l until-nul -d 'End each payload at its first NUL byte, as a C string'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s v -l verbose -d 'Tell the type and size of each message on standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s q -l queue-id -d 'Queue by id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s Q -l queue-key -d 'Queue by key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s m -l shmem-id -d 'Segment by id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s M -l shmem-key -d 'Segment by key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s s -l semaphore-id -d 'Semaphore set by id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s S -l semaphore-key -d 'Semaphore set by key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s a -l all -d 'Everything, or every object of these kinds' -r -f -a "msg\t''
shm\t''
sem\t''
pmsg\t''
pshm\t''
psem\t''"
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l kind -d 'Every object of this kind' -r -f -a "msg\t''
shm\t''
sem\t''
pmsg\t''
pshm\t''
psem\t''"
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l owner -d 'Owned by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l creator -d 'Made by this user, of System V' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l group -d 'Owned by this group' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l key -d 'With this key, in decimal, octal (0…) or hexadecimal (0x…)' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l idle -d 'Nothing has happened to it for this long: 30s, 10m, 2h, 7d; a bare number is seconds. Of a POSIX object only the time counts at which its content last changed by a system call, and a semaphore is used without one: \'--unused\' besides spares what somebody holds' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l pid -d 'This process made it, used it last, has it attached, mapped or open, or waits on it' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l orphan -d 'Unused, every process that the kernel recorded for it is gone, and nobody living looks like its heir. \'certain\', the default, leaves out what a process may come back to: an older one of the same user that uses another object of its kind; and of /dev/shm, where any file may lie, what was touched within the hour, unless its kind is given. \'likely\' takes these, too. What nobody has used yet counts: \'--idle\' spares what was made just now' -r -f -a "certain\t'No living process may come back to it'
likely\t'Unused, and every recorded process gone'"
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l ignore -d 'Never these, which are kept on purpose; may be repeated. A decimal number is a key as well as a user id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s f -l force -d 'An object that is not there is not an error'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l even-if-changed -d 'Remove what a filter selected even if it was used since: no last look'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s n -l dry-run -d 'Print what would go'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s y -l yes -d 'Do not ask'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s v -l verbose -d 'Print each reference'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s J -l json -d 'Print a JSON object: removed, marked, failed'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l empty -d 'A queue with no message'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l marked -d 'A segment already marked for destruction'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l unused -d 'Nobody has it attached, mapped or open, or waits on it'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -s f -l force -d 'Do not warn who locks themselves out'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -s v -l verbose -d 'Print old and new'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -s f -l force -d 'Do not warn who locks themselves out'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -s v -l verbose -d 'Print old and new'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l check -d 'Show just what is used to this many per cent or more, and exit with 6 if there is any' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l set -d 'Set limits, by the names that are listed' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l queue-bytes -d 'Set the most bytes that one queue may hold (max_bytes): 65536, or 64K' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l format -d 'Format; by default \'table\' on a terminal and \'plain\' elsewhere' -r -f -a "table\t'A bordered table for each kind, for terminals'
plain\t'Aligned text, one line an object'
json\t'One JSON array'
jsonl\t'A JSON object on each line'
csv\t'Comma-separated values, RFC 4180'
tsv\t'Tab-separated values'"
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l persist -d 'Print the line for /etc/sysctl.d, too'
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -s J -l json -d 'One JSON array, as \'--format json\''
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l no-headings -d 'Leave out the headings'
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -s b -l bytes -d 'Sizes in bytes'
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l isolate -d 'Whether to run the command in an IPC namespace of its own; \'auto\': where that is allowed' -r -f -a "auto\t'Where the kernel allows it'
always\t'Or fail'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l report -d 'Write what was found to a file, as JSON; \'-\' is standard output' -r -F
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l max-leaks -d 'So many leaks are no failure' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l ignore -d 'Objects with these keys or /names, or of these users, are no leaks; \'--\' ends the list' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l timeout -d 'End the command and all its descendants after this long: 30s, 10m, 2h; 0 is no limit' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l kill-after -d 'How long after that, or after a background process was asked to end, to kill what is left' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -s q -l quiet -d 'Report nothing on standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l allow-leaks -d 'Report leaks, but exit with the command\'s status'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l keep -d 'Leave leaks in place; not when isolated, where nothing outlives the namespace'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l wait -d 'Wait for background processes of the command'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l kill-strays -d 'End background processes of the command, then remove what they held'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand key" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand key" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand key" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand install-links" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand install-links" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand install-links" -s v -l verbose -d 'Print each link that is made'
complete -c ipctool -n "__fish_ipctool_using_subcommand install-links" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s o -l output -d 'Show just these columns; with a leading \'+\' these besides the usual ones' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l sort -d 'Sort by a column; \'-COL\' in descending order. What has no value comes last' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l format -d 'Format; by default \'table\' on a terminal and \'plain\' elsewhere' -r -f -a "table\t'A bordered table for each kind, for terminals'
plain\t'Aligned text, one line an object'
json\t'One JSON array'
jsonl\t'A JSON object on each line'
csv\t'Comma-separated values, RFC 4180'
tsv\t'Tab-separated values'"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l time-format -d 'How times are written in tables and plain text' -r -f -a "short\t'`14:03` today, `Nov21` this year, `2025-Nov21` before'
iso\t'`2026-11-21T14:03:00+01:00`'
full\t'`Sat Nov 21 14:03:00 2026`'
relative\t'`5m ago`'"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l owner -d 'Owned by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l creator -d 'Made by this user, of System V' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l group -d 'Owned by this group' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l key -d 'With this key, in decimal, octal (0…) or hexadecimal (0x…)' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l idle -d 'Nothing has happened to it for this long: 30s, 10m, 2h, 7d; a bare number is seconds. Of a POSIX object only the time counts at which its content last changed by a system call, and a semaphore is used without one: \'--unused\' besides spares what somebody holds' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l pid -d 'This process made it, used it last, has it attached, mapped or open, or waits on it' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l orphan -d 'Unused, every process that the kernel recorded for it is gone, and nobody living looks like its heir. \'certain\', the default, leaves out what a process may come back to: an older one of the same user that uses another object of its kind; and of /dev/shm, where any file may lie, what was touched within the hour, unless its kind is given. \'likely\' takes these, too. What nobody has used yet counts: \'--idle\' spares what was made just now' -r -f -a "certain\t'No living process may come back to it'
likely\t'Unused, and every recorded process gone'"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l ignore -d 'Never these, which are kept on purpose; may be repeated. A decimal number is a key as well as a user id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s q -l queues -d 'Message queues, as \'msg\''
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s m -l shmems -d 'Shared memory segments, as \'shm\''
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s s -l semaphores -d 'Semaphore sets, as \'sem\''
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s t -l time -d 'Show times'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s p -l pids -d 'Show the process ids of the creator and the last operators'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s c -l creators -d 'Show creator and owner'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s J -l json -d 'One JSON array, as \'--format json\''
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l no-headings -d 'Leave out the headings'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s w -l who -d 'Show who uses it and how many wait on it, as \'-o +waiting,users\''
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s v -l verbose -d 'Say which objects are left out because not all is known of them, and why'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s b -l bytes -d 'Sizes in bytes'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s P -l numeric-perms -d 'Modes in octal'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l empty -d 'A queue with no message'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l marked -d 'A segment already marked for destruction'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l unused -d 'Nobody has it attached, mapped or open, or waits on it'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s o -l output -d 'Show just these columns; with a leading \'+\' these besides the usual ones' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l sort -d 'Sort by a column; \'-COL\' in descending order. What has no value comes last' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l format -d 'Format; by default \'table\' on a terminal and \'plain\' elsewhere' -r -f -a "table\t'A bordered table for each kind, for terminals'
plain\t'Aligned text, one line an object'
json\t'One JSON array'
jsonl\t'A JSON object on each line'
csv\t'Comma-separated values, RFC 4180'
tsv\t'Tab-separated values'"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l time-format -d 'How times are written in tables and plain text' -r -f -a "short\t'`14:03` today, `Nov21` this year, `2025-Nov21` before'
iso\t'`2026-11-21T14:03:00+01:00`'
full\t'`Sat Nov 21 14:03:00 2026`'
relative\t'`5m ago`'"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l owner -d 'Owned by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l creator -d 'Made by this user, of System V' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l group -d 'Owned by this group' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l key -d 'With this key, in decimal, octal (0…) or hexadecimal (0x…)' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l idle -d 'Nothing has happened to it for this long: 30s, 10m, 2h, 7d; a bare number is seconds. Of a POSIX object only the time counts at which its content last changed by a system call, and a semaphore is used without one: \'--unused\' besides spares what somebody holds' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l pid -d 'This process made it, used it last, has it attached, mapped or open, or waits on it' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l orphan -d 'Unused, every process that the kernel recorded for it is gone, and nobody living looks like its heir. \'certain\', the default, leaves out what a process may come back to: an older one of the same user that uses another object of its kind; and of /dev/shm, where any file may lie, what was touched within the hour, unless its kind is given. \'likely\' takes these, too. What nobody has used yet counts: \'--idle\' spares what was made just now' -r -f -a "certain\t'No living process may come back to it'
likely\t'Unused, and every recorded process gone'"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l ignore -d 'Never these, which are kept on purpose; may be repeated. A decimal number is a key as well as a user id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s q -l queues -d 'Message queues, as \'msg\''
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s m -l shmems -d 'Shared memory segments, as \'shm\''
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s s -l semaphores -d 'Semaphore sets, as \'sem\''
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s t -l time -d 'Show times'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s p -l pids -d 'Show the process ids of the creator and the last operators'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s c -l creators -d 'Show creator and owner'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s J -l json -d 'One JSON array, as \'--format json\''
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l no-headings -d 'Leave out the headings'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s w -l who -d 'Show who uses it and how many wait on it, as \'-o +waiting,users\''
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s v -l verbose -d 'Say which objects are left out because not all is known of them, and why'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s b -l bytes -d 'Sizes in bytes'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s P -l numeric-perms -d 'Modes in octal'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l empty -d 'A queue with no message'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l marked -d 'A segment already marked for destruction'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l unused -d 'Nobody has it attached, mapped or open, or waits on it'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l color -d 'When to use colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Even into a file'
never\t'Not at all'"
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l only -d 'Only these checks' -r -f -a "deadlock\t''
stuck-semaphore\t''
queue-full\t''
nobody-reads-type\t''
ftok-failed\t''
orphan\t''
dead-sender-backlog\t''
queue-near-full\t''
marked-attached\t''
world-writable\t''
locked-out\t''
limit-near\t''
pmsg-limit\t''
shm-full\t''
shm-deleted\t''
rmid-forced\t''
remove-ipc\t''"
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l skip -d 'All checks except these' -r -f -a "deadlock\t''
stuck-semaphore\t''
queue-full\t''
nobody-reads-type\t''
ftok-failed\t''
orphan\t''
dead-sender-backlog\t''
queue-near-full\t''
marked-attached\t''
world-writable\t''
locked-out\t''
limit-near\t''
pmsg-limit\t''
shm-full\t''
shm-deleted\t''
rmid-forced\t''
remove-ipc\t''"
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l ignore -d 'Never these objects, which are kept on purpose; may be repeated' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l threshold -d 'Report limits and queues used to at least this percentage' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l format -d 'Format; by default \'table\' on a terminal and \'plain\' elsewhere' -r -f -a "table\t'A bordered table for each kind, for terminals'
plain\t'Aligned text, one line an object'
json\t'One JSON array'
jsonl\t'A JSON object on each line'
csv\t'Comma-separated values, RFC 4180'
tsv\t'Tab-separated values'"
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l list-checks -d 'List the checks'
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -s J -l json -d 'One JSON array, as \'--format json\''
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s i -l id -d 'print details on resource identified by <id>' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s h -l help -d 'display this help'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s V -l version -d 'display version'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s m -l shmems -d 'shared memory segments'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s q -l queues -d 'message queues'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s s -l semaphores -d 'semaphores'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s a -l all -d 'all (default)'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s t -l time -d 'show attach, detach and change times'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s p -l pid -d 'show PIDs of creator and last operator'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s c -l creator -d 'show creator and owner'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s l -l limits -d 'show resource limits'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s u -l summary -d 'show status summary'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -l human -d 'show sizes in human-readable format'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcs" -s b -l bytes -d 'show sizes in bytes'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcrm" -s m -l shmem-id -d 'remove shared memory segment by id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcrm" -s M -l shmem-key -d 'remove shared memory segment by key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcrm" -s q -l queue-id -d 'remove message queue by id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcrm" -s Q -l queue-key -d 'remove message queue by key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcrm" -s s -l semaphore-id -d 'remove semaphore by id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcrm" -s S -l semaphore-key -d 'remove semaphore by key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcrm" -s a -l all -d 'remove all (in the specified category)' -r -f -a "shm\t''
msg\t''
sem\t''"
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcrm" -s v -l verbose -d 'explain what is being done'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcrm" -s h -l help -d 'display this help'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcrm" -s V -l version -d 'display version'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcmk" -s M -l shmem -d 'create shared memory segment of size <size>' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcmk" -s S -l semaphore -d 'create semaphore array with <number> elements' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcmk" -s p -l mode -d 'permission for the resource (default is 0644)' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcmk" -s Q -l queue -d 'create message queue'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcmk" -s h -l help -d 'display this help'
complete -c ipctool -n "__fish_ipctool_using_subcommand ipcmk" -s V -l version -d 'display version'
