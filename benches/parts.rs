//! Parts of the program by themselves, in this process: parsing, formatting and checks.
//!
//! `cargo bench --bench parts` runs it in an IPC namespace of its own, as root or (where user namespaces are
//! allowed) as anybody. It prints what `divan` measures: the fastest, slowest, median and mean time, and how many
//! items or bytes a second that is. A thousand items are one iteration.

mod harness;

use std::hint::black_box;
use std::io;

use clap::ValueEnum;
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use harness::Result;
use ipctool::doctor::{self, CHECKS, Question};
use ipctool::ipc::message::{Label, Message};
use ipctool::ipc::{Key, Kind, Mode, Object, Observed, Permissions, Time, sysv};
use ipctool::kernel::Namespace;
use ipctool::kernel::sysv::msg;
use ipctool::kernel::sysv::proc_table::{self, Table};
use ipctool::output::message::{self, From, MessageFormat, Presentation};
use ipctool::output::{Format, Layout, Section, Style, columns};

const ITEMS: usize = 1_000;

fn main() -> Result<()> {
    if !harness::is_inside() {
        return harness::run_inside(&[]);
    }
    divan::main();
    Ok(())
}

/// Queues as they are on a machine.
fn queues() -> Vec<Observed> {
    let queue = |number: i32| {
        Observed::from(Object::Queue(sysv::Queue {
            id: number * 32_768 + number,
            permissions: Permissions { key: Key(0x5100_0000 + number), ..permissions() },
            changed: Some(Time(1_795_680_091)),
            bytes: 71 * number as u64,
            messages: number as u64,
            max_bytes: Some(16_384),
            last_send_pid: 1000 + number,
            last_send: Some(Time(1_795_680_092)),
            last_recv_pid: 2000 + number,
            last_recv: None,
        }))
    };
    (0..ITEMS as i32).map(queue).collect()
}

fn permissions() -> Permissions {
    let line = "         0      32768   660          0          0     0     0     0     0     0     0          0          0          0";
    match proc_table::parse(Table::Msg, line.as_bytes()) {
        Some(Object::Queue(queue)) => queue.permissions,
        other => panic!("{other:?}"),
    }
}

/// A line of each table in `/proc/sysvipc`.
#[divan::bench(args = [Table::Msg, Table::Shm, Table::Sem])]
fn parse_table(bencher: Bencher<'_, '_>, table: Table) {
    let line = match table {
        Table::Msg => {
            "1358958594      32769   660      70000       1000  2345  3456  1000  1000  1000  1000 1795680092 1795680093 1795680091"
        }
        Table::Shm => {
            "1358958594      32769   600                 4194304  2345  3456     12  1000  1000  1000  1000 1795680092 1795680093 1795680091               4194304                     0"
        }
        Table::Sem => {
            "1358958594      32769   660         17  1000  1000  1000  1000 1795680092 1795680091"
        }
    };
    bencher.counter(ItemsCount::new(ITEMS)).bench(|| {
        for _ in 0..ITEMS {
            black_box(proc_table::parse(table, black_box(line.as_bytes())));
        }
    });
}

/// Queues in each format of `list`, with all of their fields.
#[divan::bench(args = Format::value_variants())]
fn format_queues(bencher: Bencher<'_, '_>, format: &Format) {
    let queues = queues();
    let style = Style::new(Time(1_795_680_100));
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(|| {
        let layout = Layout {
            sections: vec![Section::new(columns::of_kind(Kind::Msg))],
            chosen: None,
            headings: true,
            has_nul_ends: false,
        };
        let mut render = format.begin(layout, &style, io::sink()).expect("a sink takes all");
        for queue in &queues {
            render.row(0, queue).expect("a sink takes all");
        }
        render.finish().expect("a sink takes all");
    });
}

/// Messages of 1 KiB in each format of `recv`.
#[divan::bench(args = MessageFormat::value_variants())]
fn format_messages(bencher: Bencher<'_, '_>, format: &MessageFormat) {
    let presentation = Presentation { format: *format, ..Presentation::default() };
    let from = From { kind: Kind::Msg, name: "msg:32769" };
    let payload = vec![b'x'; 1024];
    let mut out = Vec::new();
    bencher.counter(BytesCount::new(ITEMS * payload.len())).bench_local(|| {
        for _ in 0..ITEMS {
            out.clear();
            presentation.append(&from, 1, black_box(&payload), &mut out);
        }
    });
}

/// Lines of `send --jsonl`.
#[divan::bench]
fn parse_messages(bencher: Bencher<'_, '_>) {
    let line = r#"{"ref":"msg:32769","type":5,"size":16,"text":"sixteen bytes .."}"#;
    let mut message = Message::new(Label::Type(1));
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(|| {
        for _ in 0..ITEMS {
            message.reset(Label::Type(1));
            let label = message::parse(black_box(line.as_bytes()), message.payload_mut());
            black_box(label).expect("it is a message");
        }
    });
}

/// A look at queues, and every check of `doctor` on them.
#[divan::bench]
fn checks(bencher: Bencher<'_, '_>) {
    let create = |_| msg::create(Key::PRIVATE, Mode::from_bits(0o600), false);
    let ids: Vec<i32> =
        (0..ITEMS).map(create).map(|created| created.expect("there is room")).collect();
    let namespace = Namespace::own();
    let checks: Vec<_> = CHECKS.iter().collect();
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(|| {
        let question = Question {
            checks: &checks,
            ignore: &[],
            threshold: doctor::NEAR,
            now: Time(1_795_680_100),
            is_quick: true,
            elsewhere: None,
            inspection: None,
        };
        let snapshot = namespace.snapshot([Kind::Msg]).expect("it can be read");
        doctor::diagnose(question, &namespace, snapshot, &mut |_| {}).expect("it can be looked at")
    });
    ids.into_iter().for_each(|id| msg::remove(id).expect("it is ours"));
}
