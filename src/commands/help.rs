//! `ipctool help`: the help of a command.

use super::usage::reject;
use crate::cli::{Cli, Help};
use crate::exit::Status;

pub(super) fn run(args: Help) -> Status {
    let line: Vec<_> =
        ["ipctool".into()].into_iter().chain(args.command).chain(["--help".into()]).collect();
    match Cli::read(line.clone()) {
        Err(error) => reject(error, line),
        // The parser takes --help for a request, whatever stands before it.
        Ok(_) => Status::Usage,
    }
}
