//! The C programs in `tests/programs/`, each compiled where a test wants it.

use super::Sandbox;

/// The name and the text of each program. They are part of the test executable, so that it also runs
/// as a user who may not read the source tree.
macro_rules! programs {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../programs/", $name, ".c")))),*]
    };
}

const PROGRAMS: &[(&str, &str)] = programs! {
    "blocked" "breed" "calls" "clock" "daemon" "exchange" "fault" "forbid" "ftok" "guide" "headless" "hold" "ignored" "mistakes" "mover" "neighbour"
    "nonblocking" "posix" "queues" "receive32" "sender" "server" "starts" "textbook" "threads" "use"
    "waiters"
};

impl Sandbox {
    /// Compiles `tests/programs/NAME.c` into the program `NAME` in the directory of the shell.
    #[track_caller]
    pub fn compile(&self, name: &str) {
        self.compile_with("cc -pthread", name);
    }

    /// As [`Sandbox::compile`], with another compiler.
    #[track_caller]
    pub fn compile_with(&self, compiler: &str, name: &str) {
        self.build(&format!("{compiler} -o {name} -x c - -lrt"), name);
    }

    /// Compiles `tests/programs/NAME.c` into the library `NAME.so` in the directory of the shell, for
    /// `LD_PRELOAD`.
    #[track_caller]
    pub fn compile_library(&self, name: &str) {
        self.build(&format!("cc -shared -fPIC -o {name}.so -x c - -ldl"), name);
    }

    #[track_caller]
    fn build(&self, line: &str, name: &str) {
        let program = PROGRAMS.iter().find(|(known, _)| *known == name);
        let (_, text) = program.unwrap_or_else(|| panic!("{name} is not in PROGRAMS"));
        self.run_with(line, text.as_bytes()).ok();
    }
}
