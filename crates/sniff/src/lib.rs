//! Looks at files and proposes the source that loads them.
