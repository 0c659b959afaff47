//! What the command line says.

use std::path::PathBuf;

use stillhouse_spec::Durability;

/// How to call it.
pub const USAGE: &str = "usage: testkit receipts [--receipts N] [--small N] [--per-commit N] [--measure N] [--rounds N]
                        [--folder DIR] [--durability fsync|os] [--only-make | --only-measure]

Makes a lake with a few receipts and one with many, both by the product's own commits, and measures further commits in
both, in processes of their own. Ends with 1 when the 50th or 99th percentile with many is more than 1.5 times that with
few.

  --receipts N      receipts of the large lake (1000000)
  --small N         receipts of the small lake (1000)
  --per-commit N    receipts of a commit (10)
  --measure N       commits that are measured in each lake (300)
  --rounds N        in so many processes, the lakes in turn (3)
  --folder DIR      where the lakes are and stay; a run that was stopped goes on from there (a temporary folder)
  --durability D    what \"written\" means for the lakes (fsync)
  --only-make       measure nothing
  --only-measure    take the lakes as they are";

/// See [`USAGE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    pub receipts: u64,
    pub small: u64,
    pub per_commit: u32,
    pub measure: u64,
    pub rounds: u64,
    pub folder: Option<PathBuf>,
    pub durability: Durability,
    pub make_it: bool,
    pub measure_it: bool,
    /// Only for the process that measures.
    pub first: u64,
}

impl Options {
    /// `None`: not understood.
    pub fn parse(arguments: &[String]) -> Option<Self> {
        let mut options = Self {
            receipts: 1_000_000,
            small: 1000,
            per_commit: 10,
            measure: 300,
            rounds: 3,
            folder: None,
            durability: Durability::Fsync,
            make_it: true,
            measure_it: true,
            first: 0,
        };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--receipts" => options.receipts = arguments.next()?.parse().ok()?,
                "--small" => options.small = arguments.next()?.parse().ok()?,
                "--per-commit" => options.per_commit = arguments.next()?.parse().ok().filter(|count| *count > 0)?,
                "--measure" => options.measure = arguments.next()?.parse().ok()?,
                "--rounds" => options.rounds = arguments.next()?.parse().ok().filter(|count| *count > 0)?,
                "--folder" => options.folder = Some(PathBuf::from(arguments.next()?)),
                "--durability" => options.durability = durability(arguments.next()?)?,
                "--only-make" => options.measure_it = false,
                "--only-measure" => options.make_it = false,
                "--first" => options.first = arguments.next()?.parse().ok()?,
                _ => return None,
            }
        }
        (options.make_it || options.measure_it).then_some(options)
    }
}

fn durability(word: &str) -> Option<Durability> {
    match word {
        "fsync" => Some(Durability::Fsync),
        "os" => Some(Durability::Os),
        _ => None,
    }
}

pub(super) fn durability_word(durability: Durability) -> &'static str {
    match durability {
        Durability::Fsync => "fsync",
        Durability::Os => "os",
    }
}
