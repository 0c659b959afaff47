//! Reading one object: its bytes as they are stored ([`raw`]), and as the decoder wants them, unpacked and in UTF-8
//! ([`content`]). What was unpacked lies in memory or in a file that nobody else sees ([`spill`]). Whoever only looks at a file
//! opens it in the same way ([`look`]).

mod archive;
mod blocks;
mod content;
mod look;
mod raw;
mod spill;

pub(crate) use archive::{Members, is_archive, members};
pub(crate) use content::{Content, Opening, Partial, Settings, limits};
pub use look::{LocalFile, Look, LookedAt, Members as FileMembers};
pub use raw::{OpenError, OpenObject};
