//! Keeps others away from a queue for a while, by its mode.

use super::VERB;
use crate::commands::print_error;
use crate::explain::Failure;
use crate::ipc::{Change, Kind, Mode, ModeChange, Object, Reference};
use crate::kernel::sysv::msg;
use crate::kernel::{Namespace, process};

/// A queue that others cannot use, until this value goes.
pub(super) struct Locked {
    id: i32,
    reference: Reference,
    before: Mode,
}

/// Closes a System V queue; other objects stay as they are.
pub(super) fn close(namespace: &Namespace, object: &Object) -> Result<Option<Locked>, Failure> {
    let Object::Queue(queue) = object else { return Ok(None) };
    let reference = object.reference();
    // Who cannot override the mode must be able to read.
    let overrides = process::caller(namespace.handle(), Kind::Msg).overrides_mode;
    let mode = Mode::from_bits(if overrides { 0 } else { 0o400 });
    let changed =
        msg::change(queue.id, &Change { mode: Some(ModeChange::Set(mode)), ..Change::default() });
    let changed = changed.map_err(|error| Failure::of_change(VERB, &reference, error))?;
    Ok(Some(Locked { id: queue.id, reference, before: changed.before.mode }))
}

impl Drop for Locked {
    fn drop(&mut self) {
        let back = Change { mode: Some(ModeChange::Set(self.before)), ..Change::default() };
        match msg::change(self.id, &back) {
            Err(error) if !error.is_missing() => {
                let Locked { reference, before, .. } = self;
                print_error(format_args!(
                    "{VERB} {reference}: its mode was {before}, and cannot be put back: {error}"
                ));
            }
            _ => {}
        }
    }
}
