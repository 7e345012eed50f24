//! Work on many things at once.

use std::thread;

/// Divides items among the processors, and returns what `work` makes of each share, in their order. A share has
/// at least `least` items, so that a thread is worth its start.
pub fn on_all_processors<T: Sync, R: Send>(
    items: &[T],
    least: usize,
    work: impl Fn(&[T]) -> R + Sync,
) -> Vec<R> {
    in_threads(items, 1, least, work)
}

/// The same with several threads for each processor, for work that often waits.
pub fn in_threads<T: Sync, R: Send>(
    items: &[T],
    each: usize,
    least: usize,
    work: impl Fn(&[T]) -> R + Sync,
) -> Vec<R> {
    let threads = each * thread::available_parallelism().map_or(1, usize::from);
    let mut shares = items.chunks(items.len().div_ceil(threads).max(least.max(1)));
    let own_share = shares.next().unwrap_or_default();
    thread::scope(|scope| {
        let start = |items| {
            let work = &work;
            (items, thread::Builder::new().spawn_scoped(scope, move || work(items)))
        };
        let started: Vec<_> = shares.map(start).collect();
        let mut done = vec![work(own_share)];
        for (items, started) in started {
            // If no thread could be started, or one failed, this thread does its work.
            let result = started.ok().and_then(|thread| thread.join().ok());
            done.push(result.unwrap_or_else(|| work(items)));
        }
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_worked_on_once_and_in_order() {
        for count in [0, 1, 2, 63, 64, 65, 1000] {
            let items: Vec<usize> = (0..count).collect();
            for least in [0, 1, 64] {
                let shares = on_all_processors(&items, least, <[usize]>::to_vec);
                assert_eq!(shares.concat(), items, "{count} {least}");
            }
        }
    }
}
