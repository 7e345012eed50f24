//! The front door: parse, run, report, exit.

use std::process::ExitCode;

use clap::Parser;
use ipctool::cli::Cli;
use ipctool::commands;
use ipctool::exit::Status;
use ipctool::kernel::interrupt;

fn main() -> ExitCode {
    let status = match Cli::try_parse() {
        Ok(cli) => commands::run(cli),
        Err(error) => commands::reject(&error, std::env::args_os().skip(1)),
    };
    if let Status::Signal(signal) = status {
        interrupt::end_by(signal);
    }
    ExitCode::from(status.code())
}
