//! POSIX IPC, its calls and files: `mq_overview(7)`, `shm_overview(7)`, `sem_overview(7)`.

pub mod dev_shm;
pub(in crate::kernel) mod file;
pub(in crate::kernel) mod lease;
pub mod mq;
pub mod mq_calls;
pub(crate) mod mq_mount;
pub mod semaphore;
