//! Parses the command line, runs the command, and exits with its status.
#![cfg_attr(all(target_env = "gnu", not(test)), no_main)]

use ipctool::cli::Cli;
use ipctool::commands;
use ipctool::completion;
use ipctool::exit::Status;
use ipctool::kernel::Namespace;
use ipctool::kernel::io::stdio;
use ipctool::kernel::signals;
use ipctool::personality;

ipctool::program!(run);

/// Returns the exit status.
fn run() -> u8 {
    let namespace = Namespace::own();
    let status = match personality::called(std::env::args_os()) {
        _ if let Some(shell) = completion::asked_by(std::env::args_os()) => {
            completion::answer(&shell, std::env::args_os().collect())
        }
        Some(call) => {
            commands::record_calls();
            call.run(namespace)
        }
        None => {
            signals::ignore_file_limit();
            match Cli::read(std::env::args_os()) {
                Ok(cli) => commands::run(cli, &namespace),
                Err(error) => commands::reject(error, std::env::args_os()),
            }
        }
    };
    if let Some(signal) = stdio::given_up() {
        signals::end_by(signal);
    }
    if let Status::Signal(signal) = status {
        signals::end_by(signal);
    }
    status.code()
}
