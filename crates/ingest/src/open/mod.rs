//! Reading one object: its bytes as they are stored ([`raw`]), as the decoder wants them, unpacked and in UTF-8
//! ([`plain`]), and all of its files, where it is a folder ([`content`]). What was unpacked lies in memory or in a file
//! that nobody else sees ([`spill`]). Whoever only looks at a file opens it in the same way ([`look`]).

mod archive;
mod blocks;
mod content;
mod look;
mod plain;
mod raw;
mod spill;

pub use archive::Archives;
pub(crate) use archive::{Members, is_archive, members};
pub(crate) use content::Content;
pub use look::{LocalFile, Look, LookedAt, Members as FileMembers};
pub(crate) use plain::{Partial, limits};
pub(crate) use raw::OnBytes;
pub use raw::{OpenError, OpenObject};
