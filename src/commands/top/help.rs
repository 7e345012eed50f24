//! The page about the keys.

/// What the keys do, a line each.
pub(super) const KEYS: [&str; 22] = [
    "arrows        select an object; also j, k, g, G, Page Up, Page Down, Home, End",
    "Enter         show everything about it, as 'ipctool stat' does; also Right",
    "p             peek at the messages on a queue; they stay there",
    "x             remove it, after a question, as 'ipctool rm' does",
    "c             change its mode, as 'ipctool chmod' does: 660, g+rw",
    "",
    "/             filter by name, key or owner; Esc shows all again",
    "s             sort by a column; choose it again to reverse the order",
    "r             reverse the order",
    "K             choose the kinds of objects",
    "A             show all IPC namespaces, or only this one",
    "",
    "space         freeze the screen, and unfreeze it",
    "+ -           shorten or lengthen the interval",
    "d             show what doctor finds; Enter runs a fix, after a question",
    "Ctrl-L        redraw the screen",
    "?             this help; also h",
    "q             quit; also Ctrl-C",
    "",
    "MSG/S and B/S are the change per second between two looks. The kernel counts",
    "only what is there, so messages sent and received in between do not show.",
    "HISTORY is the depth of a queue at the last looks, scaled to its highest.",
];
