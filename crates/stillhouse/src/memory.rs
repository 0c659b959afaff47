//! The allocator, and how soon it gives memory back.
#![allow(unsafe_code)]

/// Ours for the whole process.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc 3, which its Rust bindings do not name: after how many milliseconds freed memory goes
/// back to the system.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// The default in mimalloc 3.
const PURGE_DELAY_DEFAULT: std::ffi::c_long = 1000;

/// What suits a load: the memory of a batch is used again for the next, and what a part took goes back. With 10 ms a load
/// took a tenth longer, because memory was given back and asked for again; with 250 ms, which a part takes, its peak was
/// above 300 MB now and then.
const PURGE_DELAY_OURS: std::ffi::c_long = 200;

/// Asks for memory in small pages, and has it given back sooner than by default. `MIMALLOC_PURGE_DELAY` in the environment
/// says otherwise. To be called first of all.
pub(crate) fn give_back_soon() {
    small_pages();
    // SAFETY: both read and write a number in a table of options by its index, which exists in all versions; no other thread
    // runs yet. If the index meant another option, its default would be another one, and nothing would be set.
    unsafe {
        if libmimalloc_sys::mi_option_get(PURGE_DELAY) == PURGE_DELAY_DEFAULT {
            libmimalloc_sys::mi_option_set(PURGE_DELAY, PURGE_DELAY_OURS);
        }
    }
}

/// Gives back what is free now. To be called between two parts of a job that use much memory, or the second one stands on
/// what the first one has left.
pub(crate) fn give_back() {
    // SAFETY: touches memory only that nobody has been given.
    unsafe { libmimalloc_sys::mi_collect(true) };
}

/// Pages of 2 MB are cleared as a whole and stay as a whole where a few bytes of them are used: loading 10,000 small files
/// took 390 MB with them and 340 MB without, a report 205 MB and 152 MB, and neither took longer. Where the system does not
/// know of them, nothing happens.
#[cfg(target_os = "linux")]
fn small_pages() {
    let (on, nothing): (libc::c_ulong, libc::c_ulong) = (1, 0);
    // SAFETY: sets a flag of this process that only decides how the system lays out its memory.
    unsafe {
        libc::prctl(libc::PR_SET_THP_DISABLE, on, nothing, nothing, nothing);
    }
}

#[cfg(not(target_os = "linux"))]
fn small_pages() {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The number means the option that we take it for: with another version of mimalloc it might not.
    #[test]
    fn valgrind_the_option_is_the_one_that_is_meant() {
        // SAFETY: as in `give_back_soon`.
        let delay = || unsafe { libmimalloc_sys::mi_option_get(PURGE_DELAY) };
        let is_set = std::env::var_os("MIMALLOC_PURGE_DELAY").is_some();
        assert!(is_set || delay() == PURGE_DELAY_DEFAULT, "found {}", delay());
        give_back_soon();
        assert!(is_set || delay() == PURGE_DELAY_OURS, "found {}", delay());
    }
}
