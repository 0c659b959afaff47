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

/// Has freed memory given back after 10 ms instead of a second, in which a load frees some hundred megabytes: its peak is
/// a third lower. `MIMALLOC_PURGE_DELAY` in the environment says otherwise. To be called first of all.
pub(crate) fn give_back_soon() {
    // SAFETY: both read and write a number in a table of options by its index, which exists in all versions; no other thread
    // runs yet. If the index meant another option, its default would be another one, and nothing would be set.
    unsafe {
        if libmimalloc_sys::mi_option_get(PURGE_DELAY) == PURGE_DELAY_DEFAULT {
            libmimalloc_sys::mi_option_set(PURGE_DELAY, 10);
        }
    }
}
