//! Progress on a terminal; one log line per object otherwise.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use stillhouse_ingest::{Event, Progress, Silent};

use crate::printer::{Printer, complain};
use crate::surroundings;
use crate::text::{count, plural};

/// Bars on a terminal, lines elsewhere, nothing when nobody wants to hear.
pub fn progress(printer: Printer) -> Arc<dyn Progress> {
    if !printer.talks() {
        Arc::new(Silent)
    } else if surroundings::progress_terminal() {
        Arc::new(Bars::default())
    } else {
        Arc::new(Lines)
    }
}

/// A small object is over before a bar could be read.
const BAR_BYTES_MIN: u64 = 4 << 20;

/// Fits into 80 columns. The end of a path tells more than its beginning.
const BAR: &str = "{msg:>26!} {bar:20} {decimal_bytes:>9} of {decimal_total_bytes:<9} {eta:>5}";

/// One bar for each large object that is being read.
#[derive(Default)]
struct Bars {
    all: MultiProgress,
    open: Mutex<HashMap<String, ProgressBar>>,
}

impl Bars {
    fn start(&self, key: &str, size: u64) {
        if size < BAR_BYTES_MIN {
            return;
        }
        let bar = ProgressBar::new(size).with_message(key.to_owned());
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        let bar = self.all.add(bar);
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), bar);
    }
}

impl Progress for Bars {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Started { object } => self.start(&object.key, object.size),
            Event::Read { object, bytes } => {
                if let Some(bar) = self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&object.key) {
                    bar.inc(*bytes);
                }
            }
            Event::Decoded { object, .. } => {
                let bar = self.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&object.key);
                if let Some(bar) = bar {
                    bar.finish_and_clear();
                }
            }
            Event::Waiting { reason } => {
                let text = format!("waiting: {reason}");
                if self.open.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
                    complain(text);
                } else {
                    // The terminal is gone: nothing to do about it.
                    let _ = self.all.println(text);
                }
            }
            Event::Listed { .. } | Event::Published { .. } => {}
        }
    }
}

/// One line for each event that takes time.
struct Lines;

impl Progress for Lines {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Listed { source, found, fresh } => complain(format!(
                "source {source}: {}, {} new or changed",
                plural(*found as u64, "file"),
                count(*fresh as u64)
            )),
            Event::Waiting { reason } => complain(format!("waiting: {reason}")),
            Event::Started { object } if object.size >= BAR_BYTES_MIN => {
                complain(format!("reading {} ({} bytes)", object.key, object.size));
            }
            Event::Decoded { object, counts: Some(counts) } if object.size >= BAR_BYTES_MIN => {
                complain(format!("decoded {}: {} records, {} refused", object.key, counts.read, counts.quarantined));
            }
            Event::Started { .. } | Event::Read { .. } | Event::Decoded { .. } | Event::Published { .. } => {}
        }
    }
}
