//! Chunks made by several threads, handed on in order.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::{panic, thread};

use crate::error::Error;
use crate::recipe::Recipe;
use crate::tally::FileTally;

/// Takes the bytes of a chunk and the number of its rows.
pub(crate) type Sink<'s> = dyn FnMut(&[u8], u64) -> Result<(), Error> + 's;

/// Makes all chunks of a file with that many threads and gives them to `sink`, in order and on this thread. Thread k of n
/// makes the chunks k, k + n, k + 2n …, so the order needs no sorting, and no thread runs ahead of the slowest by more than
/// two chunks.
pub(crate) fn make_file(recipe: &Recipe<'_>, threads: usize, sink: &mut Sink<'_>) -> Result<FileTally, Error> {
    let threads = usize::try_from(recipe.chunks()).map_or(threads, |chunks| threads.min(chunks.max(1)));
    thread::scope(|scope| {
        let mut lanes = Vec::with_capacity(threads);
        let mut makers = Vec::with_capacity(threads);
        for lane in (0..).take(threads) {
            let (full, full_end) = sync_channel(1);
            let (empty_end, empty) = channel();
            makers.push(scope.spawn(move || make_lane(recipe, (lane, threads), &full, &empty)));
            lanes.push(Lane { full: full_end, empty: empty_end });
        }
        let passed = pass_on(recipe, &lanes, sink);
        drop(lanes); // a thread that still has something to hand over stops
        let mut tally = FileTally::new(&recipe.pools.people);
        for maker in makers {
            match maker.join() {
                Ok(part) => tally += &part,
                Err(cause) => panic::resume_unwind(cause),
            }
        }
        passed.map(|()| tally)
    })
}

/// This thread's end of the channels of one maker.
struct Lane {
    full: Receiver<Vec<u8>>,
    /// Buffers go back, because fresh memory costs the system time.
    empty: Sender<Vec<u8>>,
}

fn pass_on(recipe: &Recipe<'_>, lanes: &[Lane], sink: &mut Sink<'_>) -> Result<(), Error> {
    for (chunk, lane) in (0..recipe.chunks()).zip(lanes.iter().cycle()) {
        let Ok(buffer) = lane.full.recv() else { break }; // its thread panicked, which joining it tells
        sink(&buffer, recipe.chunk_rows(chunk))?;
        let _ = lane.empty.send(buffer); // the last buffers of a thread find nobody
    }
    Ok(())
}

/// Makes the chunks of a lane, the first of which has its number.
fn make_lane(
    recipe: &Recipe<'_>,
    (lane, lanes): (u64, usize),
    full: &SyncSender<Vec<u8>>,
    empty: &Receiver<Vec<u8>>,
) -> FileTally {
    let mut tally = FileTally::new(&recipe.pools.people);
    for chunk in (lane..recipe.chunks()).step_by(lanes) {
        let mut buffer = empty.try_recv().unwrap_or_default();
        buffer.clear();
        recipe.make_chunk(chunk, &mut buffer, &mut tally);
        if full.send(buffer).is_err() {
            break; // writing failed
        }
    }
    tally
}
