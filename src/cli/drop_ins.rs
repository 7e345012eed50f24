//! The manual pages of the programs that `ipctool` stands in for.

use super::page::{self, Entry, Page};

const FAILURES: &[Entry] = &[("0", "done"), ("1", "wrong usage, or an operation failed")];

const ENVIRONMENT: &[Entry] =
    &[("POSIXLY_CORRECT", "If set, the first argument that is no option ends the options.")];

const VERSION: &str = "--version names ipctool, messages are in English, and fractions have a point, in every locale.";

pub(super) const IPCS: Page = Page {
    command: "ipcs",
    synopsis: &["ipcs [RESOURCE-OPTION…] [OUTPUT-OPTION]", "ipcs -m|-q|-s -i ID"],
    description: Some(
        "Lists System V objects with the options, the output and the exit statuses of ipcs(1) in util-linux 2.38. This is what ipctool does when it is called by the name ipcs, by a link from ipctool-install-links(1) for example, or as 'ipctool ipcs'. Options of ipctool such as --trace do not exist here.",
    ),
    statuses: FAILURES,
    environment: &[ENVIRONMENT[0], page::TZ],
    files: &[page::SYSVIPC, page::SYSCTL],
    notes: &[
        "-i finds nothing under a negative id. The original shows the first object, or crashes.",
        "Without /proc there is no list, and nothing for -i. The original asks the kernel for each object.",
        "In the name of a user or group, bytes that are not UTF-8 are shown as U+FFFD.",
        VERSION,
    ],
    examples: &[
        ("List everything", "ipctool ipcs"),
        ("List message queues with their creators and owners", "ipctool ipcs -q -c"),
        ("Show a queue in full", "ipctool ipcs -q -i 0"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-list(1)",
        "ipctool-install-links(1)",
        "ipcs(1)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};

pub(super) const IPCRM: Page = Page {
    command: "ipcrm",
    synopsis: &["ipcrm [OPTION…]", "ipcrm shm|msg|sem ID…"],
    description: Some(
        "Removes System V objects with the options, the output and the exit statuses of ipcrm(1) in util-linux 2.38. This is what ipctool does when it is called by the name ipcrm, by a link from ipctool-install-links(1) for example, or as 'ipctool ipcrm'. Options of ipctool such as --trace do not exist here.",
    ),
    statuses: FAILURES,
    environment: ENVIRONMENT,
    files: &[page::SYSVIPC],
    notes: &[
        "An id or a key of more than 32 bits is refused. The original cuts it to 32 bits and removes what that number names.",
        "An empty id after 'ipcrm msg', 'shm' or 'sem' is refused. The original takes it for id 0.",
        "The message about an empty key gives no reason. The original gives the reason of an earlier error.",
        "Without /proc, -a removes nothing and fails. The original asks the kernel for each object.",
        VERSION,
    ],
    examples: &[
        ("Remove a queue by its id", "ipctool ipcrm -q 0"),
        ("Remove all semaphore sets", "ipctool ipcrm -asem"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-rm(1)",
        "ipctool-install-links(1)",
        "ipcrm(1)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};

pub(super) const IPCMK: Page = Page {
    command: "ipcmk",
    synopsis: &["ipcmk [-M SIZE] [-S NUMBER] [-Q] [-p MODE]"],
    description: Some(
        "Creates System V objects with random keys, with the options, the output and the exit statuses of ipcmk(1) in util-linux 2.38. This is what ipctool does when it is called by the name ipcmk, by a link from ipctool-install-links(1) for example, or as 'ipctool ipcmk'. SIZE may have a suffix: KiB, MiB, GiB, TiB, PiB, EiB, ZiB and YiB are powers of 1024, where 'iB' may be left out. Options of ipctool such as --trace do not exist here.",
    ),
    statuses: FAILURES,
    environment: ENVIRONMENT,
    files: &[page::SYSCTL],
    notes: &[
        "An existing object of another program that happens to have the random key is never opened. Another key is taken.",
        "1,5K is not a size. The original accepts it in a locale with a decimal comma.",
        VERSION,
    ],
    examples: &[
        ("Create a queue that your group can use", "ipctool ipcmk -Q -p 660"),
        ("Create a segment of 64 KiB", "ipctool ipcmk -M 64K"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-create(1)",
        "ipctool-install-links(1)",
        "ipcmk(1)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};

pub(super) const MSGTOOL: Page = Page {
    command: "msgtool",
    synopsis: &[
        "msgtool send TYPE TEXT",
        "msgtool recv TYPE",
        "msgtool delete",
        "msgtool mode MODE",
    ],
    description: Some(
        "Tries out a System V message queue as msgtool of the Linux Programmer's Guide (6.4.2) does. The queue is the one with the key of ftok(\".\", 'm'), so it belongs to the current directory. It is created with mode 0660 when it is first needed. The first letter of a verb is enough. A text has at most 79 bytes and is sent with the NUL that ends it, as in the struct of the book, a long and 80 characters. This is what ipctool does when it is called by the name msgtool, by a link from ipctool-install-links(1) for example, or as 'ipctool msgtool'.",
    ),
    statuses: FAILURES,
    environment: &[(
        "TMPDIR",
        "The directory for messages that can neither be written out nor put back, if the current directory takes no file.",
    )],
    files: &[page::SYSVIPC],
    notes: &[
        "Missing or further arguments, a type that is not a number, and a text that does not fit are refused before a queue is created.",
        "A longer message from another program is shown in full, with what follows the NUL.",
        "A message that cannot be written out goes back to the queue, or into a file.",
        "A word such as dump does not delete the queue because it starts with a d.",
        VERSION,
    ],
    examples: &[
        ("Send a text of type 1", "ipctool msgtool send 1 'hello'"),
        ("Receive a text of type 1", "ipctool msgtool recv 1"),
        ("Change the mode of the queue", "ipctool msgtool mode 600"),
        ("Remove the queue", "ipctool msgtool delete"),
    ],
    see_also: &[
        "ipctool(1)",
        "ipctool-send(1)",
        "ipctool-recv(1)",
        "ipctool-install-links(1)",
        "ftok(3)",
        "sysvipc(7)",
    ],
    ..Page::EMPTY
};
