//! Keeps others away from a queue for a while, by its mode.

use super::VERB;
use crate::commands::print_error;
use crate::explain::{Failure, Reason};
use crate::ipc::{Change, Kind, Mode, ModeChange, Object, Reference};
use crate::kernel::sysv::msg;
use crate::kernel::{Namespace, process};

/// A queue that others cannot use, until this value goes.
pub(super) struct Locked {
    id: i32,
    reference: Reference,
    before: Mode,
    meanwhile: Mode,
}

/// Closes a System V queue; other objects stay as they are.
pub(super) fn close(namespace: &Namespace, object: &Object) -> Result<Option<Locked>, Failure> {
    let Object::Queue(queue) = object else { return Ok(None) };
    let reference = object.reference();
    // Who cannot override the mode must be able to read.
    let overrides = process::caller(namespace.handle(), Kind::Msg).overrides_mode;
    let meanwhile = Mode::from_bits(if overrides { 0 } else { 0o400 });
    if queue.permissions.mode == meanwhile {
        let what = format!("its mode is {meanwhile} already: another --lock has it, or was killed");
        let failure = Failure::new(VERB, &reference, what, Reason::Failed);
        return Err(failure.with_hint("ipctool chmod gives it another mode"));
    }
    let mode = Some(ModeChange::Set(meanwhile));
    let changed = msg::change(queue.id, &Change { mode, ..Change::default() });
    let changed = changed.map_err(|error| Failure::of_change(VERB, &reference, error))?;
    Ok(Some(Locked { id: queue.id, reference, before: changed.before.mode, meanwhile }))
}

impl Drop for Locked {
    fn drop(&mut self) {
        let Locked { id, reference, before, meanwhile } = self;
        // Somebody may have given it another one since.
        if msg::read(*id).is_ok_and(|queue| queue.permissions.mode != *meanwhile) {
            return;
        }
        let back = Change { mode: Some(ModeChange::Set(*before)), ..Change::default() };
        match msg::change(*id, &back) {
            Err(error) if !error.is_missing() => print_error(format_args!(
                "{VERB} {reference}: its mode was {before}, and cannot be put back: {error}"
            )),
            _ => {}
        }
    }
}
