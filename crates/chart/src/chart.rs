//! The description of a chart: data, and what to make of it. Its JSON form is versioned.

use serde::{Deserialize, Serialize};

use crate::POINTS_MAX;
use crate::error::{Error, ErrorKind};
use crate::moment::Moment;
use crate::number::NumberFormat;
use crate::value::Value;

/// The form of the JSON; a higher one is refused.
pub const CHART_FORMAT: u32 = 1;

/// What a chart shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chart {
    /// [`CHART_FORMAT`].
    pub format: u32,
    /// Which marks stand for the values.
    pub kind: Kind,
    /// What a person reads first.
    pub title: String,
    /// What a person reads next; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subtitle: String,
    /// What the places along the x axis are; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub x_title: String,
    /// What the values are; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub y_title: String,
    /// The places along the x axis; for figures what stands below each of them.
    pub x: X,
    /// The values; each series has one for each place.
    pub series: Vec<Series>,
    /// How values are written.
    #[serde(default)]
    pub number: NumberFormat,
    /// How many categories are shown, where the default is not wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// What happens to those beyond the limit.
    #[serde(default)]
    pub rest: Rest,
    /// Why there is no picture, where there is none; it is shown in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Which marks stand for the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A line for each series, with gaps where values are missing.
    Line,
    /// Bars; several series stand side by side.
    Bar,
    /// Bars; several series stand on each other, values below zero below the line.
    Stacked,
    /// A line with the area below it; several series without negative values stand on each other.
    Area,
    /// Shares of a whole.
    Pie,
    /// Single figures, written large.
    Figure,
}

/// The places along the x axis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
pub enum X {
    /// Names, in this order.
    Category {
        /// A missing one is written "(none)".
        values: Vec<Option<String>>,
    },
    /// Dates or times.
    Date {
        /// Values at a missing one are left out.
        values: Vec<Option<Moment>>,
    },
    /// Numbers.
    Number {
        /// Values at a missing one are left out.
        values: Vec<Option<Value>>,
    },
}

/// One value for each place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// What a person calls it.
    pub name: String,
    /// The values; `None` where there is none.
    pub values: Vec<Option<Value>>,
}

/// What happens to categories and series beyond a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rest {
    /// They are left out, and the picture says so.
    #[default]
    Omit,
    /// They are added up as "other", and the picture says so.
    Other,
}

impl X {
    /// How many places there are.
    pub fn len(&self) -> usize {
        match self {
            X::Category { values } => values.len(),
            X::Date { values } => values.len(),
            X::Number { values } => values.len(),
        }
    }

    /// Whether there is no place.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of a place.
    pub(crate) fn name(&self, index: usize) -> String {
        let known = match self {
            X::Category { values } => values.get(index).cloned().flatten(),
            X::Date { values } => values.get(index).copied().flatten().map(|moment| moment.to_string()),
            X::Number { values } => values.get(index).cloned().flatten().map(|value| value.to_string()),
        };
        known.unwrap_or_else(|| "(none)".to_owned())
    }

    /// The places at these indexes, in this order.
    pub(crate) fn pick(&self, indexes: &[usize]) -> Self {
        fn picked<T: Clone>(values: &[Option<T>], indexes: &[usize]) -> Vec<Option<T>> {
            indexes.iter().map(|index| values.get(*index).cloned().flatten()).collect()
        }
        match self {
            X::Category { values } => X::Category { values: picked(values, indexes) },
            X::Date { values } => X::Date { values: picked(values, indexes) },
            X::Number { values } => X::Number { values: picked(values, indexes) },
        }
    }
}

impl Series {
    /// The number that is drawn at a place.
    pub(crate) fn number(&self, index: usize) -> Option<f64> {
        self.values.get(index)?.as_ref().map(Value::number)
    }
}

impl Chart {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// When the text is no description, has a key that is not known, or was made by a newer version.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let unreadable = |error: serde_json::Error| {
            Error::new(ErrorKind::FixData, format!("this is no description of a chart: {error}"))
        };
        let value: serde_json::Value = serde_json::from_str(text).map_err(unreadable)?;
        match value.get("format").and_then(serde_json::Value::as_u64) {
            Some(format) if format > u64::from(CHART_FORMAT) => {
                let message = format!("the chart has format {format}, this program reads up to {CHART_FORMAT}");
                return Err(Error::new(ErrorKind::FixSettings, message));
            }
            Some(format) if format == u64::from(CHART_FORMAT) => {}
            _ => return Err(Error::new(ErrorKind::FixData, format!("the chart lacks `\"format\": {CHART_FORMAT}`"))),
        }
        let chart: Chart = serde_json::from_value(value).map_err(unreadable)?;
        chart.check().map_err(|message| Error::new(ErrorKind::FixData, message))?;
        Ok(chart)
    }

    /// Whether it can be drawn as it is; else what is wrong with it, in words.
    ///
    /// # Errors
    /// The words.
    pub fn check(&self) -> Result<(), String> {
        let places = self.x.len();
        for series in &self.series {
            if series.values.len() != places {
                let count = series.values.len();
                return Err(format!("series `{}` has {count} values for {places} places", series.name));
            }
        }
        let points = places.saturating_mul(self.series.len());
        if points > POINTS_MAX {
            return Err(format!("{points} values are too many for a picture (at most {POINTS_MAX}); group them"));
        }
        if self.kind == Kind::Pie {
            self.check_pie()?;
        }
        match &self.x {
            X::Date { values } if matches!(self.kind, Kind::Bar | Kind::Stacked) => twice(values),
            _ => Ok(()),
        }
    }

    fn check_pie(&self) -> Result<(), String> {
        if self.series.len() > 1 {
            return Err("a pie shows one series; use bars for several".to_owned());
        }
        let mut values = self.series.iter().flat_map(|series| &series.values).flatten();
        match values.find(|value| value.is_negative()) {
            Some(value) => Err(format!("a pie cannot show values below zero ({value}); use bars")),
            None => Ok(()),
        }
    }
}

/// Two bars at the same moment would hide each other.
fn twice(values: &[Option<Moment>]) -> Result<(), String> {
    let mut sorted: Vec<Moment> = values.iter().copied().flatten().collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0].seconds() == pair[1].seconds()) {
        Some(pair) => Err(format!("two rows are about {}; group them", pair[0])),
        None => Ok(()),
    }
}
