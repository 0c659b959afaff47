//! One description of a chart, drawn as SVG and PNG.
//!
//! Start at [`Chart`]: what to show, as data, with a versioned JSON form that a web page can read as well. [`svg()`] draws
//! it as a file of its own, [`svg_inline`] as a part of an HTML page that has [`CSS`], [`png()`] as pixels.
//!
//! ```
//! let text = r#"{"format":1,"kind":"bar","title":"Events","x":{"type":"category","values":["Chad","Peru"]},
//!     "series":[{"name":"events","values":[7,12]}]}"#;
//! let chart = stillhouse_chart::Chart::parse(text).unwrap();
//! assert!(stillhouse_chart::svg(&chart).starts_with("<svg "));
//! ```
//!
//! **Invariant:** the same description gives the same bytes.
//! **Invariant:** every chart can be drawn; what makes no picture says in words why.
//! **Invariant:** no text of a description becomes markup, and no coordinate leaves the view box.

mod chart;
mod draw;
mod error;
mod limit;
mod moment;
mod number;
mod palette;
mod png;
mod scale;
mod scene;
mod text;
mod time_axis;
mod value;

pub use chart::{CHART_FORMAT, Chart, Kind, Rest, Series, X};
pub use draw::{svg, svg_inline};
pub use error::{Error, ErrorKind};
pub use moment::Moment;
pub use number::{NumberFormat, Thousands};
pub use palette::CSS;
pub use png::png;
pub use value::Value;

/// Points of a chart, all series together; a chart with more is not drawn.
pub const POINTS_MAX: usize = 20_000;
/// Categories of a bar chart where nothing else is asked for; the rest is put together or left out.
pub const CATEGORIES_MAX: usize = 30;
/// Series, and slices of a pie, that have a colour of their own; the rest is put together or left out.
pub const SERIES_MAX: usize = 7;
/// Single figures where nothing else is asked for.
pub const FIGURES_MAX: usize = 12;
/// The largest limit of categories that can be asked for.
pub const LIMIT_MAX: usize = 200;
