//! The figures of two lakes side by side.

use std::io::{self, Write};

use super::figures::{Sizes, TableSizes};
use super::measure::{Measured, percentile};
use super::site::{Counted, Plan};

/// One of the two lakes.
pub(super) struct Side {
    pub counted: Counted,
    pub sizes: Sizes,
    pub measured: Measured,
    pub peak_memory_bytes: u64,
    pub plan: Plan,
}

/// Receipts, and what they take on the disk.
pub(super) fn print_sizes(small: &Side, large: &Side, out: &mut impl Write) -> io::Result<()> {
    line(out, "", &["few", "many", ""])?;
    let mut both =
        |label: &str, of: &dyn Fn(&Side) -> u64| line(out, label, &[&whole(of(small)), &whole(of(large)), ""]);
    both("receipts in the lake", &|side| side.counted.receipts)?;
    both("commits that brought them", &|side| side.counted.commits)?;
    for table in large.sizes.tables.keys() {
        let mut both = |label: &str, of: &dyn Fn(TableSizes) -> u64| {
            let of_side = |side: &Side| of(side.sizes.tables.get(table).copied().unwrap_or_default());
            both(&format!("{table}: {label}"), &of_side)
        };
        both("rows", &|sizes| sizes.rows)?;
        both("data files", &|sizes| sizes.live.count)?;
        both("bytes of these", &|sizes| sizes.live.bytes)?;
        both("files in the folder", &|sizes| sizes.lying.count)?;
        both("log entries", &|sizes| sizes.log.count)?;
        both("log bytes", &|sizes| sizes.log.bytes)?;
        both("checkpoints", &|sizes| sizes.checkpoints.count)?;
        both("checkpoint bytes", &|sizes| sizes.checkpoints.bytes)?;
        both("bytes of the newest checkpoint", &|sizes| sizes.newest_checkpoint)?;
    }
    both("ledger: bytes", &|side| side.sizes.ledger)
}

/// The times, and by how much the worst of them that counts has grown.
pub(super) fn print_times(small: &Side, large: &Side, out: &mut impl Write) -> io::Result<f64> {
    let commits = print_kind("commit", &small.measured.commits, &large.measured.commits, out)?;
    let calls = print_kind("ingest", &small.measured.calls, &large.measured.calls, out)?;
    // Beside the point: how long these take depends on how many files have come together. They are part of the calls.
    print_kind("merge of a data table", &small.measured.merges, &large.measured.merges, out)?;
    let peak = |side: &Side| whole(side.peak_memory_bytes);
    line(out, "peak memory, bytes", &[&peak(small), &peak(large), ""])?;
    Ok(commits.max(calls))
}

/// Answers the larger of the ratios of the percentiles.
fn print_kind(label: &str, few: &[u64], many: &[u64], out: &mut impl Write) -> io::Result<f64> {
    line(out, &format!("{label}: how many"), &[&whole(few.len() as u64), &whole(many.len() as u64), ""])?;
    let mut worst: f64 = 0.0;
    for (name, percent) in [("p50", 50), ("p99", 99), ("longest", 100)] {
        let (few, many) = (percentile(few, percent), percentile(many, percent));
        let ratio = many as f64 / few.max(1) as f64;
        line(out, &format!("{label}: {name}, ms"), &[&millis(few), &millis(many), &format!("{ratio:.2}")])?;
        if percent < 100 {
            worst = worst.max(ratio);
        }
    }
    Ok(worst)
}

fn line(out: &mut impl Write, label: &str, values: &[&str; 3]) -> io::Result<()> {
    let [few, many, ratio] = values;
    let text = format!("{label:<46}{few:>15}{many:>15}{ratio:>8}");
    writeln!(out, "{}", text.trim_end())
}

fn millis(micros: u64) -> String {
    format!("{:.2}", micros as f64 / 1000.0)
}

/// With commas between thousands.
fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
