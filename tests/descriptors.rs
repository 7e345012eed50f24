//! What `EMFILE` of `mq_open(3)` means in a process without descriptors. In a file of its own, for it
//! takes them all; a program that is started with none does not even find its libraries.

use std::fs::File;

use ipctool::commands;
use ipctool::explain::Failure;
use ipctool::ipc::{Kind, Mode, Name, Reference};
use ipctool::kernel::Namespace;
use ipctool::kernel::posix::mq_calls;
use nix::sys::resource::{Resource, setrlimit};

#[test]
fn out_of_descriptors_says_so_with_the_numbers() {
    setrlimit(Resource::RLIMIT_NOFILE, 64, 64).expect("less is always allowed");
    let mut taken = Vec::new();
    while let Ok(file) = File::open("/dev/null") {
        taken.push(file);
    }
    let name = Name::parse(Kind::Pmsg, "/ipctool-out-of-descriptors").expect("a name");
    let error =
        mq_calls::create(&name, None, Mode::from_bits(0o600), true).expect_err("no descriptor");
    let reference = Reference::name(Kind::Pmsg, name);
    let failure = Failure::of_named_creation("create", &reference, None, error);
    let failure = commands::explain(&Namespace::own(), &[failure]).remove(0).what;
    drop(taken);
    assert!(
        failure.contains("out of descriptors: all 64 of 64 (RLIMIT_NOFILE) are open (EMFILE)"),
        "{failure}"
    );
}
