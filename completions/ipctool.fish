# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ipctool_global_optspecs
    string join \n color= trace J/json h/help V/version
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

complete -c ipctool -n "__fish_ipctool_needs_command" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_needs_command" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_needs_command" -s J -l json -d 'Print the overview as JSON'
complete -c ipctool -n "__fish_ipctool_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_needs_command" -s V -l version -d 'Print version'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "list" -d 'List message queues, shared memory and semaphores'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "ls" -d 'List message queues, shared memory and semaphores'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "stat" -d 'Show everything about a message queue, shared memory or semaphore'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "create" -d 'Create a message queue, shared memory or a semaphore'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "send" -d 'Send messages to a message queue'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "recv" -d 'Receive messages from a message queue, or peek at them'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "rm" -d 'Remove message queues, shared memory and semaphores'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "chmod" -d 'Change the permission bits of objects'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "chown" -d 'Change the owner and group of objects'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "limits" -d 'Show IPC limits and how much of each is used, or set them'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "doctor" -d 'Find IPC problems, explain them and suggest a fix'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "guard" -d 'Run a command, report the IPC objects it leaked, and fail on them'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "key" -d 'Print the ftok(3) key of a path, or find the paths that have a key'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "install-links" -d 'Create links to run ipctool as ipcs, ipcrm, ipcmk and msgtool'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "help" -d 'Show the help of a command'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "ipcs" -d 'List System V objects as ipcs(1) of util-linux does'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "ipcrm" -d 'Remove System V objects as ipcrm(1) of util-linux does'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "ipcmk" -d 'Create System V objects as ipcmk(1) of util-linux does'
complete -c ipctool -n "__fish_ipctool_needs_command" -f -a "msgtool" -d 'Try out a message queue as msgtool of the Linux Programmer\'s Guide does'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s o -l output -d 'Show only these columns, or with +COL,… add them to the default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l sort -d 'Sort by a column; -COL sorts in descending order' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l by -d 'Sum up objects and bytes by owner, creator, kind, process or container' -r -f -a "owner\t''
creator\t''
kind\t''
process\t''
container\t''"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l format -d 'Output format; table on a terminal and plain elsewhere by default' -r -f -a "table\t'A table for each kind, fitted to the terminal'
plain\t'Aligned text, one line per object'
json\t'One JSON array'
jsonl\t'A JSON object on each line'
csv\t'Comma-separated values, RFC 4180'
tsv\t'Tab-separated values'
export\t'Shell variables, KEY="value", a line per object'"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l time-format -d 'Format of times in tables and plain text' -r -f -a "short\t'`14:03` today, `Nov21` this year, `2025-Nov21` before'
iso\t'`2026-11-21T14:03:00+01:00`'
full\t'`Sat Nov 21 14:03:00 2026`'
relative\t'`5m ago`'"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l owner -d 'Objects owned by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l creator -d 'System V objects created by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l group -d 'Objects owned by this group' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l key -d 'System V objects with this key, or one of a range: 0x100-0x1ff' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l name -d 'POSIX objects whose name matches: \'/torch_*\'' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l size -d 'Shared memory of this size; +SIZE: at least, -SIZE: at most' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l idle -d 'Objects with no operation for this long: 30s, 10m, 2h, 7d' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l pid -d 'Objects that this process created, last used, holds or waits for' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l orphan -d 'Unused objects whose recorded processes are all gone' -r -f -a "certain\t'Orphans that no living process is likely to come back to'
likely\t'All unused objects whose recorded processes are gone'"
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l ignore -d 'Objects to leave out, by key, name or owner' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s q -l queues -d 'List System V message queues, same as msg'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s m -l shmems -d 'List shared memory segments, same as shm'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s s -l semaphores -d 'List semaphore sets, same as sem'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s t -l time -d 'Show the times of the last operations'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s p -l pids -d 'Show the process ids of the creator and the last users'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s c -l creators -d 'Show creator and owner'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s J -l json -d 'Print one JSON array, same as --format json'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l no-headings -d 'Omit the headings'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s 0 -l null -d 'End each record of plain text with a NUL byte, for xargs -0'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s w -l who -d 'Show who uses each object, same as -o +waiting,users'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s v -l verbose -d 'List the objects skipped as uncertain, with the reason'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s b -l bytes -d 'Show sizes in bytes'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s P -l numeric-perms -d 'Show modes in octal'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l empty -d 'Queues with no message'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l marked -d 'Segments already marked for destruction'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -l unused -d 'Objects that no process holds or waits for'
complete -c ipctool -n "__fish_ipctool_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s o -l output -d 'Show only these columns, or with +COL,… add them to the default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l sort -d 'Sort by a column; -COL sorts in descending order' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l by -d 'Sum up objects and bytes by owner, creator, kind, process or container' -r -f -a "owner\t''
creator\t''
kind\t''
process\t''
container\t''"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l format -d 'Output format; table on a terminal and plain elsewhere by default' -r -f -a "table\t'A table for each kind, fitted to the terminal'
plain\t'Aligned text, one line per object'
json\t'One JSON array'
jsonl\t'A JSON object on each line'
csv\t'Comma-separated values, RFC 4180'
tsv\t'Tab-separated values'
export\t'Shell variables, KEY="value", a line per object'"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l time-format -d 'Format of times in tables and plain text' -r -f -a "short\t'`14:03` today, `Nov21` this year, `2025-Nov21` before'
iso\t'`2026-11-21T14:03:00+01:00`'
full\t'`Sat Nov 21 14:03:00 2026`'
relative\t'`5m ago`'"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l owner -d 'Objects owned by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l creator -d 'System V objects created by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l group -d 'Objects owned by this group' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l key -d 'System V objects with this key, or one of a range: 0x100-0x1ff' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l name -d 'POSIX objects whose name matches: \'/torch_*\'' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l size -d 'Shared memory of this size; +SIZE: at least, -SIZE: at most' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l idle -d 'Objects with no operation for this long: 30s, 10m, 2h, 7d' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l pid -d 'Objects that this process created, last used, holds or waits for' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l orphan -d 'Unused objects whose recorded processes are all gone' -r -f -a "certain\t'Orphans that no living process is likely to come back to'
likely\t'All unused objects whose recorded processes are gone'"
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l ignore -d 'Objects to leave out, by key, name or owner' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s q -l queues -d 'List System V message queues, same as msg'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s m -l shmems -d 'List shared memory segments, same as shm'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s s -l semaphores -d 'List semaphore sets, same as sem'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s t -l time -d 'Show the times of the last operations'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s p -l pids -d 'Show the process ids of the creator and the last users'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s c -l creators -d 'Show creator and owner'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s J -l json -d 'Print one JSON array, same as --format json'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l no-headings -d 'Omit the headings'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s 0 -l null -d 'End each record of plain text with a NUL byte, for xargs -0'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s w -l who -d 'Show who uses each object, same as -o +waiting,users'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s v -l verbose -d 'List the objects skipped as uncertain, with the reason'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s b -l bytes -d 'Show sizes in bytes'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s P -l numeric-perms -d 'Show modes in octal'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l empty -d 'Queues with no message'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l marked -d 'Segments already marked for destruction'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -l unused -d 'Objects that no process holds or waits for'
complete -c ipctool -n "__fish_ipctool_using_subcommand ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s q -l queue-id -d 'Message queue with this id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s Q -l queue-key -d 'Message queue with this key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s m -l shmem-id -d 'Shared memory segment with this id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s M -l shmem-key -d 'Shared memory segment with this key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s s -l semaphore-id -d 'Semaphore set with this id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s S -l semaphore-key -d 'Semaphore set with this key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l kind -d 'Objects of these kinds' -r -f -a "msg\t'System V message queue, by id or key'
shm\t'System V shared memory segment, by id or key'
sem\t'System V semaphore set, by id or key'
pmsg\t'POSIX message queue, by name'
pshm\t'POSIX shared memory, by name'
psem\t'POSIX named semaphore, by name'"
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l owner -d 'Objects owned by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l creator -d 'System V objects created by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l group -d 'Objects owned by this group' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l key -d 'System V objects with this key, or one of a range: 0x100-0x1ff' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l name -d 'POSIX objects whose name matches: \'/torch_*\'' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l size -d 'Shared memory of this size; +SIZE: at least, -SIZE: at most' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l idle -d 'Objects with no operation for this long: 30s, 10m, 2h, 7d' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l pid -d 'Objects that this process created, last used, holds or waits for' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l orphan -d 'Unused objects whose recorded processes are all gone' -r -f -a "certain\t'Orphans that no living process is likely to come back to'
likely\t'All unused objects whose recorded processes are gone'"
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l ignore -d 'Objects to leave out, by key, name or owner' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s J -l json -d 'Print one JSON array'
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l empty -d 'Queues with no message'
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l marked -d 'Segments already marked for destruction'
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -l unused -d 'Objects that no process holds or waits for'
complete -c ipctool -n "__fish_ipctool_using_subcommand stat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l key -d 'Key of a System V object, in decimal, octal (0…) or hex (0x…)' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l ftok -d 'Key that ftok(3) makes from this path' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l mode -d 'Permission bits in octal; the umask does not apply' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l size -d 'Size of shared memory in bytes, or as 64K, 2M, 1GiB' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l name -d 'Name of a POSIX object: a slash, then no further slash' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l max-messages -d 'Most messages that a POSIX queue holds' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l message-size -d 'Most bytes in one message of a POSIX queue' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l value -d 'Initial value of a POSIX semaphore; 0 by default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l nsems -d 'Number of semaphores in a set; 1 by default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -s x -l exclusive -d 'Fail if an object with this key or name exists'
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -s J -l json -d 'Print the object with all its fields, as a JSON array of one'
complete -c ipctool -n "__fish_ipctool_using_subcommand create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -s e -l message -d 'Send TEXT as a message, even if it begins with a dash' -r -f
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -s t -l type -d 'Type of the messages on a System V queue, above 0; 1 by default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l priority -d 'Priority of the messages on a POSIX queue, 0 (default) to 32767' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l create -d 'Create the queue if it is missing; MODE is 0600 by default' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l timeout -d 'Wait at most this long for each message: 250ms, 30s, 10m' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -s l -l lines -d 'Send each line of standard input as a message'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -s 0 -l null -d 'Send each NUL-terminated record of standard input as a message'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l jsonl -d 'Send each line of standard input as a message in JSON'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l append-nul -d 'End each payload with a NUL byte, for readers of C strings'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -l nowait -d 'Fail instead of waiting'
complete -c ipctool -n "__fish_ipctool_using_subcommand send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s n -l count -d 'Take this many messages' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s t -l type -d 'Type on a System V queue: 0 any, N exactly N, -N at most N' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l timeout -d 'Wait at most this long for each message: 250ms, 30s, 10m' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l format -d 'Output format of each message' -r -f -a "text\t'The payload and a newline'
raw\t'The payload alone'
null\t'The payload and a NUL byte'
hex\t'Offset, hex and ASCII, as `hexdump -C`'
table\t'A line with type or priority, size and escaped payload, under a heading'
jsonl\t'A JSON object on each line, as `send --jsonl` reads it'"
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l truncate -d 'Print at most N bytes of each payload and drop the rest' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l all -d 'Take all messages there are, without waiting for more'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l then-rm -d 'Block senders, and remove the queue once --all has emptied it'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s f -l follow -d 'Keep receiving until a signal arrives'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l except -d 'Any type except the one given with -t'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l peek -d 'Show messages without taking them (System V queues only)'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l nowait -d 'Fail instead of waiting'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l raw -d 'Print payload bytes only, same as --format raw'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s 0 -l null -d 'Print a NUL byte after each payload, same as --format null'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s J -l json -l jsonl -d 'Print a line of JSON per message, as \'send --jsonl\' reads it'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l hex -d 'Print offset, hex and ASCII, as \'hexdump -C\' does'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -l until-nul -d 'End each payload at its first NUL byte, as in a C string'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s v -l verbose -d 'Print type and size on standard error, before each message'
complete -c ipctool -n "__fish_ipctool_using_subcommand recv" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s q -l queue-id -d 'Message queue with this id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s Q -l queue-key -d 'Message queue with this key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s m -l shmem-id -d 'Shared memory segment with this id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s M -l shmem-key -d 'Shared memory segment with this key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s s -l semaphore-id -d 'Semaphore set with this id' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s S -l semaphore-key -d 'Semaphore set with this key' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s a -l all -d 'Remove every object, or every object of these kinds' -r -f -a "msg\t'System V message queue, by id or key'
shm\t'System V shared memory segment, by id or key'
sem\t'System V semaphore set, by id or key'
pmsg\t'POSIX message queue, by name'
pshm\t'POSIX shared memory, by name'
psem\t'POSIX named semaphore, by name'"
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l kind -d 'Objects of these kinds' -r -f -a "msg\t'System V message queue, by id or key'
shm\t'System V shared memory segment, by id or key'
sem\t'System V semaphore set, by id or key'
pmsg\t'POSIX message queue, by name'
pshm\t'POSIX shared memory, by name'
psem\t'POSIX named semaphore, by name'"
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l owner -d 'Objects owned by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l creator -d 'System V objects created by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l group -d 'Objects owned by this group' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l key -d 'System V objects with this key, or one of a range: 0x100-0x1ff' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l name -d 'POSIX objects whose name matches: \'/torch_*\'' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l size -d 'Shared memory of this size; +SIZE: at least, -SIZE: at most' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l idle -d 'Objects with no operation for this long: 30s, 10m, 2h, 7d' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l pid -d 'Objects that this process created, last used, holds or waits for' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l orphan -d 'Unused objects whose recorded processes are all gone' -r -f -a "certain\t'Orphans that no living process is likely to come back to'
likely\t'All unused objects whose recorded processes are gone'"
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l ignore -d 'Objects to leave out, by key, name or owner' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s f -l force -d 'Ignore objects that do not exist'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l even-if-changed -d 'Skip the check right before the removal'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s n -l dry-run -d 'Print what would be removed, and remove nothing'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s y -l yes -d 'Remove without asking for confirmation'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s v -l verbose -d 'Print each reference that is removed'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s J -l json -d 'Print a JSON object with what was removed, marked and failed'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l empty -d 'Queues with no message'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l marked -d 'Segments already marked for destruction'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -l unused -d 'Objects that no process holds or waits for'
complete -c ipctool -n "__fish_ipctool_using_subcommand rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l kind -d 'Objects of these kinds' -r -f -a "msg\t'System V message queue, by id or key'
shm\t'System V shared memory segment, by id or key'
sem\t'System V semaphore set, by id or key'
pmsg\t'POSIX message queue, by name'
pshm\t'POSIX shared memory, by name'
psem\t'POSIX named semaphore, by name'"
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l owner -d 'Objects owned by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l creator -d 'System V objects created by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l group -d 'Objects owned by this group' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l key -d 'System V objects with this key, or one of a range: 0x100-0x1ff' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l name -d 'POSIX objects whose name matches: \'/torch_*\'' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l size -d 'Shared memory of this size; +SIZE: at least, -SIZE: at most' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l idle -d 'Objects with no operation for this long: 30s, 10m, 2h, 7d' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l pid -d 'Objects that this process created, last used, holds or waits for' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l orphan -d 'Unused objects whose recorded processes are all gone' -r -f -a "certain\t'Orphans that no living process is likely to come back to'
likely\t'All unused objects whose recorded processes are gone'"
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l ignore -d 'Objects to leave out, by key, name or owner' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -s f -l force -d 'Suppress the warning when you lose access'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -s n -l dry-run -d 'Print what would be changed, and change nothing'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -s y -l yes -d 'Change what a filter selects without asking for confirmation'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -s v -l verbose -d 'Print the old and the new value'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -s J -l json -d 'Print one JSON array: each object before and after, or why it failed'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l empty -d 'Queues with no message'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l marked -d 'Segments already marked for destruction'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -l unused -d 'Objects that no process holds or waits for'
complete -c ipctool -n "__fish_ipctool_using_subcommand chmod" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l kind -d 'Objects of these kinds' -r -f -a "msg\t'System V message queue, by id or key'
shm\t'System V shared memory segment, by id or key'
sem\t'System V semaphore set, by id or key'
pmsg\t'POSIX message queue, by name'
pshm\t'POSIX shared memory, by name'
psem\t'POSIX named semaphore, by name'"
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l owner -d 'Objects owned by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l creator -d 'System V objects created by this user' -r -f -a "(__fish_complete_users)"
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l group -d 'Objects owned by this group' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l key -d 'System V objects with this key, or one of a range: 0x100-0x1ff' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l name -d 'POSIX objects whose name matches: \'/torch_*\'' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l size -d 'Shared memory of this size; +SIZE: at least, -SIZE: at most' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l idle -d 'Objects with no operation for this long: 30s, 10m, 2h, 7d' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l pid -d 'Objects that this process created, last used, holds or waits for' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l orphan -d 'Unused objects whose recorded processes are all gone' -r -f -a "certain\t'Orphans that no living process is likely to come back to'
likely\t'All unused objects whose recorded processes are gone'"
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l ignore -d 'Objects to leave out, by key, name or owner' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -s f -l force -d 'Suppress the warning when you lose access'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -s n -l dry-run -d 'Print what would be changed, and change nothing'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -s y -l yes -d 'Change what a filter selects without asking for confirmation'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -s v -l verbose -d 'Print the old and the new value'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -s J -l json -d 'Print one JSON array: each object before and after, or why it failed'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l empty -d 'Queues with no message'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l marked -d 'Segments already marked for destruction'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -l unused -d 'Objects that no process holds or waits for'
complete -c ipctool -n "__fish_ipctool_using_subcommand chown" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l check -d 'Show only limits at or above PERCENT; exit 6 if there are any' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l set -d 'Set limits, by the names in the list' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l queue-bytes -d 'Set the most bytes that the queue may hold (max_bytes): 65536 or 64K' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l format -d 'Output format; table on a terminal and plain elsewhere by default' -r -f -a "table\t'A table for each kind, fitted to the terminal'
plain\t'Aligned text, one line per object'
json\t'One JSON array'
jsonl\t'A JSON object on each line'
csv\t'Comma-separated values, RFC 4180'
tsv\t'Tab-separated values'
export\t'Shell variables, KEY="value", a line per object'"
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l no-objects -d 'With --check, leave out how full each queue is'
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l persist -d 'Print the lines for a file in /etc/sysctl.d as well'
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -s J -l json -d 'Print one JSON array, same as --format json'
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -l no-headings -d 'Omit the headings'
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -s b -l bytes -d 'Show sizes in bytes'
complete -c ipctool -n "__fish_ipctool_using_subcommand limits" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l only -d 'Run only these checks' -r -f -a "deadlock\t''
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
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l skip -d 'Skip these checks' -r -f -a "deadlock\t''
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
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l ignore -d 'Objects to leave out, by key, name or owner' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l threshold -d 'Report limits and queues used to at least this percentage' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l format -d 'Output format; table on a terminal and plain elsewhere by default' -r -f -a "table\t'A table for each kind, fitted to the terminal'
plain\t'Aligned text, one line per object'
json\t'One JSON array'
jsonl\t'A JSON object on each line'
csv\t'Comma-separated values, RFC 4180'
tsv\t'Tab-separated values'
export\t'Shell variables, KEY="value", a line per object'"
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -l list-checks -d 'List the checks, and look at nothing'
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -s J -l json -d 'Print one JSON array, same as --format json'
complete -c ipctool -n "__fish_ipctool_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l isolate -d 'Isolation of the command in an IPC namespace of its own' -r -f -a "auto\t'Isolate where the kernel allows it'
always\t'Isolate or fail'
never\t'Share the IPC namespace of the caller'"
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l report -d 'Write a report to a file; \'-\' is standard output' -r -F
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l report-format -d 'Format of the report; without --report it goes to standard output' -r -f -a "json\t'One JSON object with every field'
junit\t'JUnit XML, which most CI systems read'
github\t'Annotations of GitHub, for standard output'
gitlab\t'Code Quality of GitLab'"
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l max-leaks -d 'Accept up to N leaks without failing' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l ignore -d 'Objects that are not leaks, by key, name or owner' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l timeout -d 'End the command and its descendants after this long: 30s, 10m' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l kill-after -d 'Send SIGKILL this long after SIGTERM' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -s q -l quiet -d 'Report nothing on standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l allow-leaks -d 'Report leaks, but exit with the command\'s status'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l keep -d 'Leave leaks in place'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l wait -d 'Wait for background processes of the command'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -l kill-strays -d 'End background processes, then remove what they held'
complete -c ipctool -n "__fish_ipctool_using_subcommand guard" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand key" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand key" -l find -d 'Print the paths with this key: PATH and all below it' -r
complete -c ipctool -n "__fish_ipctool_using_subcommand key" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand key" -s x -l one-file-system -d 'With --find, stay on the file system of PATH'
complete -c ipctool -n "__fish_ipctool_using_subcommand key" -s J -l json -d 'Print a JSON array of objects: path, key, project'
complete -c ipctool -n "__fish_ipctool_using_subcommand key" -s 0 -l null -d 'With --find, end each path with a NUL byte instead of a newline'
complete -c ipctool -n "__fish_ipctool_using_subcommand key" -s v -l verbose -d 'With --find, explain the parts of the key on standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand key" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand install-links" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand install-links" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand install-links" -s v -l verbose -d 'Print each link that is created'
complete -c ipctool -n "__fish_ipctool_using_subcommand install-links" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ipctool -n "__fish_ipctool_using_subcommand help" -l color -d 'Use of colour; \'auto\' honours NO_COLOR' -r -f -a "auto\t'Colour on a terminal, unless NO_COLOR is set'
always\t'Colour everywhere, even in a file'
never\t'No colour'"
complete -c ipctool -n "__fish_ipctool_using_subcommand help" -l trace -d 'Print each IPC system call to standard error'
complete -c ipctool -n "__fish_ipctool_using_subcommand help" -s h -l help -d 'Print help (see more with \'--help\')'
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
