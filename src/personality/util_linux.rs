//! What the programs of util-linux share: options, numbers, errors, the way they end.

pub(crate) mod c_number;
pub(in crate::personality) mod getopt;
pub(in crate::personality) mod program;
pub(in crate::personality) mod session;
