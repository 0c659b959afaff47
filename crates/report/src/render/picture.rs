//! Pictures: the chart of a result as a file of its own.

use std::io;

use stillhouse_chart::Chart;

/// The chart as SVG, with fixed colours.
///
/// # Errors
/// Those of `out`.
pub fn svg(chart: &Chart, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(stillhouse_chart::svg(chart).as_bytes())?;
    out.flush()
}

/// The chart as PNG, at double density.
///
/// # Errors
/// Those of `out`.
pub fn png(chart: &Chart, out: &mut dyn io::Write) -> io::Result<()> {
    out.write_all(&stillhouse_chart::png(chart).map_err(io::Error::other)?)?;
    out.flush()
}
