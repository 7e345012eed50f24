use proptest::prelude::*;

use super::*;
use crate::ipc::{Key, Mode, Permissions, Queue};

fn queue(id: i32, bytes: u64) -> Observed {
    let mode = Mode::from_bits(0o600);
    let permissions = Permissions { key: Key(id), uid: 0, gid: 0, cuid: 0, cgid: 0, mode };
    Observed::from(Object::Queue(Queue {
        id,
        permissions,
        changed: Some(Time(100)),
        bytes,
        messages: u64::from(bytes > 0),
        max_bytes: Some(1000),
        last_send_pid: 7,
        last_send: None,
        last_recv_pid: 0,
        last_recv: None,
    }))
}

fn scene(places: &[&[(i32, u64)]]) -> Scene {
    let site = |(number, queues): (usize, &&[(i32, u64)])| {
        let home = Home::new(number as u64, None);
        let objects = queues.iter().map(|&(id, bytes)| queue(id, bytes)).collect();
        Site::new(Arc::new(home), Kind::ALL.to_vec(), vec![Kind::Psem], objects)
    };
    Scene {
        sites: places.iter().enumerate().map(site).collect(),
        unreadable: 0,
        uninspected: 0,
        errors: 0,
        duration: Duration::ZERO,
        now: Time(160),
    }
}

fn lines(text: &str, name: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{")));
    lines.map(str::to_owned).collect()
}

#[test]
fn what_could_not_be_listed_is_not_none() {
    let text = text(&scene(&[&[(1, 5)]]), 10).unwrap();
    let counts = lines(&text, "ipc_objects");
    assert_eq!(counts.len(), 5, "{counts:?}");
    assert!(!text.contains("psem"));
    assert!(
        text.contains("ipc_object_idle_seconds{kind=\"msg\",ref=\"msg:1\",key=\"0x00000001\",")
    );
    assert_eq!(lines(&text, "ipc_object_idle_seconds")[0].rsplit(' ').next(), Some("60"));
}

#[test]
fn the_same_object_seen_twice_is_one_series() {
    let text = text(&scene(&[&[(1, 5), (1, 5)]]), 10).unwrap();
    assert_eq!(lines(&text, "ipc_queue_messages").len(), 1);
}

#[test]
fn every_metric_has_a_name_of_its_own_as_prometheus_wants_it() {
    let all = all();
    let names: HashSet<_> = all.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), all.len());
    for (name, help) in &all {
        assert!(name.starts_with("ipc_") || name.starts_with("ipctool_"), "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        for end in ["_total", "_count", "_sum", "_bucket", "_gauge", "_kilobytes", "_percent"] {
            assert!(!name.ends_with(end), "{name}");
        }
        assert!(!help.is_empty() && !help.ends_with('.'), "{name}: {help}");
    }
}

proptest! {
    /// Whatever has series of its own, the sums are the same.
    #[test]
    fn nothing_is_lost_among_the_others(
        bytes in proptest::collection::vec(0u64..1000, 0..30), other: Vec<u64>, most in 0usize..40,
    ) {
        let queues: Vec<(i32, u64)> = (0..).zip(bytes.iter().copied()).collect();
        let others: Vec<(i32, u64)> = (0..).zip(other.iter().map(|it| it % 1000)).collect();
        let text = text(&scene(&[&queues, &others]), most).unwrap();
        let values: Vec<u64> = lines(&text, "ipc_queue_bytes")
            .iter()
            .map(|line| line.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        let expected: u64 = queues.iter().chain(&others).map(|(_, bytes)| bytes).sum();
        prop_assert_eq!(values.iter().sum::<u64>(), expected);
        // One more for the others in each place.
        prop_assert!(values.len() <= most + 2);
    }
}
