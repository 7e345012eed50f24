//! What the programs of util-linux share: options, numbers, errors and exit.

pub(crate) mod c_number;
pub(in crate::personality) mod getopt;
pub(in crate::personality) mod program;
pub(in crate::personality) mod session;
