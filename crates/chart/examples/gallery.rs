//! Draws every description (`*.json`) of a folder beside it, as SVG: `cargo run --release -p stillhouse-chart --example
//! gallery -- docs/charts`; with `png` as a second argument as PNG as well.

use std::error::Error;

use stillhouse_chart::{Chart, png, svg};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name a folder")?;
    let with_pixels = arguments.next().is_some();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let chart = Chart::parse(&std::fs::read_to_string(&path)?)?;
            std::fs::write(path.with_extension("svg"), svg(&chart))?;
            if with_pixels {
                std::fs::write(path.with_extension("png"), png(&chart)?)?;
            }
        }
    }
    Ok(())
}
