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
/// took a tenth longer, because memory was given back and asked for again; with a second its peak was a fifth higher.
const PURGE_DELAY_OURS: std::ffi::c_long = 100;

/// Has freed memory given back sooner than by default. `MIMALLOC_PURGE_DELAY` in the environment says otherwise. To be called
/// first of all.
pub(crate) fn give_back_soon() {
    // SAFETY: both read and write a number in a table of options by its index, which exists in all versions; no other thread
    // runs yet. If the index meant another option, its default would be another one, and nothing would be set.
    unsafe {
        if libmimalloc_sys::mi_option_get(PURGE_DELAY) == PURGE_DELAY_DEFAULT {
            libmimalloc_sys::mi_option_set(PURGE_DELAY, PURGE_DELAY_OURS);
        }
    }
}

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
