//! How each column of the parent is filled: from where, with which reader, in which format, with which year.

use std::collections::BTreeMap;
use std::sync::Arc;

use stillhouse_spec::{Choice, Column as ColumnSpec, ColumnFrom, ColumnName, DataType};

use crate::api::Request;
use crate::columns::Column;
use crate::error::Error;
use crate::reason;
use crate::survey::Survey;
use crate::values::check::Checker;
use crate::values::moment::{AssumedYear, MomentKind, MomentReader, Unread, YearOrigin};
use crate::values::{Reader, Refusal, trim};

/// One column of the parent and the way it is filled.
#[derive(Clone)]
pub(crate) struct Filled<'a> {
    pub(crate) spec: &'a ColumnSpec,
    pub(crate) from: From,
    pub(crate) reader: Reader,
    /// Counts how its formats do, where there are several.
    pub(crate) survey: Option<Survey>,
    /// What stands where a record has no value: a column with that one value.
    pub(crate) default: Option<Column>,
    /// What values must be like.
    pub(crate) checker: Option<Arc<Checker>>,
}

/// Where a column takes its values from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A field of the record.
    Field(usize),
    /// Wherever its paths lead in a record.
    Inside,
    /// A placeholder of the path.
    Path(String),
    /// How the year of another column was found.
    YearOf(ColumnName),
    /// What no other column takes.
    Rest,
    /// Nowhere: it is null, or derived from others.
    Missing,
}

impl Origin {
    /// Where a column takes its values from that is no field.
    pub(crate) fn other(from: &ColumnFrom) -> Option<Self> {
        match from {
            ColumnFrom::Field { .. } => None,
            ColumnFrom::Path(name) => Some(Origin::Path(name.clone())),
            ColumnFrom::YearOrigin(column) => Some(Origin::YearOf(column.clone())),
            ColumnFrom::Rest => Some(Origin::Rest),
            ColumnFrom::Derived(_) => Some(Origin::Missing),
        }
    }
}

/// Where the values come from.
#[derive(Clone)]
pub(crate) enum From {
    Field(usize),
    /// Wherever its paths lead in a record.
    Inside,
    /// What no other column takes, as one JSON object.
    Rest,
    /// The same value on every row: a column with that one value.
    Constant(Column),
    Null,
}

impl Filled<'_> {
    /// The way one column is filled; its first format is chosen.
    fn new<'a>(request: &Request<'a>, spec: &'a ColumnSpec, origin: &Origin) -> Result<Filled<'a>, Error> {
        let mut reader = Reader::new(spec)?;
        if let Some(moments) = reader.moments_mut()
            && moments.formats().iter().any(|format| format.lacks_year())
        {
            moments.assume(assumed_year(request));
        }
        let from = match origin {
            Origin::Field(field) => From::Field(*field),
            Origin::Inside => From::Inside,
            Origin::Path(name) => From::Constant(path_value(request, spec, name, &reader)?),
            Origin::Rest => From::Rest,
            // Filled in by `state_years`, once formats are chosen.
            Origin::YearOf(_) | Origin::Missing => From::Null,
        };
        let default = spec.default.as_ref().map(|value| {
            let mut column = Column::new(&spec.data_type);
            column.push_scalar(value);
            column
        });
        let is_read = matches!(from, From::Field(_) | From::Inside | From::Constant(_));
        let checker = if is_read { Checker::new(spec)?.map(Arc::new) } else { None };
        let from = match (from, &default, &spec.from) {
            (From::Null, Some(default), ColumnFrom::Field { .. }) => From::Constant(default.clone()),
            (from, ..) => from,
        };
        let mut filled = Filled { spec, from, reader, survey: None, default, checker };
        filled.begin_survey();
        Ok(filled)
    }

    /// Whether a text means "no value" here.
    #[inline]
    pub(crate) fn is_null(&self, text: &str) -> bool {
        (text.is_empty() && self.reader.empty_is_null()) || self.spec.null_values.iter().any(|null| null == text)
    }

    /// The text without the blanks that do not belong to it.
    #[inline]
    pub(crate) fn relevant<'t>(&self, text: &'t str) -> &'t str {
        if self.reader.keeps_blanks() { text } else { trim(text) }
    }

    /// Asks for the latest leap year that is not after the assumed one.
    pub(crate) fn assume_leap_year(&mut self) {
        if let Some(moments) = self.reader.moments_mut() {
            moments.assume_leap_year();
        }
    }
}

/// The way columns are filled that take their values from these places.
pub(crate) fn plan<'a, 'o>(
    request: &Request<'a>,
    columns: impl Iterator<Item = (&'a ColumnSpec, &'o Origin)>,
) -> Result<Vec<Filled<'a>>, Error> {
    columns.map(|(spec, origin)| Filled::new(request, spec, origin)).collect()
}

fn assumed_year(request: &Request<'_>) -> AssumedYear {
    let hint = request.year;
    match (hint.path, hint.setting.or(request.format.year())) {
        (Some(year), _) => AssumedYear { year, origin: YearOrigin::Path },
        (None, Some(year)) => AssumedYear { year, origin: YearOrigin::Setting },
        (None, None) => AssumedYear { year: hint.modified, origin: YearOrigin::FileTime },
    }
}

/// The one value of a column that comes from the path.
fn path_value(request: &Request<'_>, spec: &ColumnSpec, name: &str, reader: &Reader) -> Result<Column, Error> {
    let hint = format!("check `from` of column `{}` and the `path` of the source file", spec.name);
    let Some(text) = request.path_values.get(name) else {
        let message = format!("column `{}`: expected a value for `{{{name}}}` of the path, found none", spec.name);
        return Err(Error::settings(message, hint));
    };
    let mut column = Column::new(&spec.data_type);
    let filled = Filled { spec, from: From::Null, reader: reader.clone(), survey: None, default: None, checker: None };
    let relevant = filled.relevant(text);
    if filled.is_null(relevant) {
        column.push_null();
        return Ok(column);
    }
    match filled.reader.append(relevant, &mut column) {
        Ok(()) => Ok(column),
        Err(_) => {
            let expected = expected(&filled, "");
            let message =
                format!("column `{}`: expected {expected}, found `{text}` as `{{{name}}}` of the path", spec.name);
            Err(Error::settings(message, hint))
        }
    }
}

/// Chooses formats, and the leap year where one is needed, by texts of a sample with their lines.
pub(crate) fn choose_by_sample<'t>(filled: &mut Filled<'_>, sample: impl Iterator<Item = (&'t str, u64)>) {
    let Reader::Moment(moments) = &filled.reader else { return };
    let mut survey = Survey::new(moments);
    let mut leap_day = false;
    for (text, line) in sample {
        let text = filled.relevant(text);
        if filled.is_null(text) {
            continue;
        }
        match &mut survey {
            Some(survey) => _ = survey.observe(moments, text, line),
            None => leap_day |= moments.read(text) == Err(Unread::LeapDay),
        }
    }
    if let Some(survey) = survey {
        let best = survey.best(moments.chosen());
        leap_day = survey.saw_leap_day(best);
        filled.choose(best);
    }
    if leap_day {
        filled.assume_leap_year();
    }
    filled.begin_survey();
}

impl Filled<'_> {
    pub(crate) fn choose(&mut self, format: usize) {
        if let Some(moments) = self.reader.moments_mut() {
            moments.choose(format);
        }
    }

    /// From now on it reads as the same column of another part does, and counts from zero.
    pub(crate) fn read_as(&mut self, other: &Self) {
        self.reader.clone_from(&other.reader);
        self.begin_survey();
    }

    /// What was seen is seen in a part of the object, which messages name.
    pub(crate) fn in_part(&mut self, name: &str) {
        if let Some(survey) = &mut self.survey {
            survey.in_part(name);
        }
    }

    /// Adds what the survey of the same column saw over the texts behind.
    pub(crate) fn add_survey(&mut self, behind: &Self) {
        if let (Some(survey), Some(behind)) = (&mut self.survey, &behind.survey) {
            survey.add(behind);
        }
    }

    /// Counts from zero.
    pub(crate) fn begin_survey(&mut self) {
        self.survey = match &self.reader {
            Reader::Moment(moments) => Survey::new(moments),
            _ => None,
        };
    }
}

/// Fills in the columns that say where the year of another column is from.
pub(crate) fn state_years(columns: &mut [Filled<'_>]) {
    let mut words = BTreeMap::new();
    for filled in columns.iter() {
        if let Some(moments) = filled.reader.moments() {
            words.insert(filled.spec.name.clone(), year_word(moments));
        }
    }
    for filled in columns {
        if let stillhouse_spec::ColumnFrom::YearOrigin(column) = &filled.spec.from {
            let mut constant = Column::new(&DataType::String);
            constant.push_text(words.get(column).copied().unwrap_or(STATED));
            filled.from = From::Constant(constant);
        }
    }
}

/// The year stands in the text itself.
const STATED: &str = "stated";

fn year_word(moments: &MomentReader) -> &'static str {
    match (moments.chosen_format(), moments.year()) {
        (Some(format), Some(assumed)) if format.lacks_year() => match assumed.origin {
            YearOrigin::Path => "path",
            YearOrigin::Setting => "setting",
            YearOrigin::FileTime => "file time",
        },
        _ => STATED,
    }
}

/// What was decided about the columns.
pub(crate) fn decided(columns: &[Filled<'_>], request: &Request<'_>, into: &mut BTreeMap<String, Choice<String>>) {
    let is_read = |filled: &Filled<'_>| matches!(filled.from, From::Field(_) | From::Inside);
    for (number, filled) in columns.iter().enumerate().filter(|(_, filled)| is_read(filled)) {
        let name = request.contract.read_label(number);
        let number = matches!(filled.reader, Reader::Int64(_) | Reader::Float64(_) | Reader::Decimal { .. });
        if number && filled.spec.numbers.decimal != '.' {
            into.insert(format!("decimal mark of {name}"), Choice::set(filled.spec.numbers.decimal.to_string()));
        }
        let Some(moments) = filled.reader.moments() else { continue };
        let Some(format) = moments.chosen_format() else { continue };
        let what = if moments.kind() == MomentKind::Time { "time" } else { "date" };
        let text = format.as_str().to_owned();
        let choice = if filled.survey.is_some() { Choice::detected(text) } else { Choice::set(text) };
        into.insert(format!("{what} format of {name}"), choice);
        if let (true, Some(assumed)) = (format.lacks_year(), moments.year()) {
            into.insert(format!("year of {name}"), year_choice(assumed, request));
        }
    }
}

fn year_choice(assumed: AssumedYear, request: &Request<'_>) -> Choice<String> {
    let year = assumed.year;
    let modified = request.year.modified;
    match assumed.origin {
        YearOrigin::Path => Choice::detected(format!("{year} (path)")),
        YearOrigin::Setting => Choice::set(format!("{year} (setting)")),
        YearOrigin::FileTime if year == modified => Choice::default_value(format!("{year} (file time)")),
        YearOrigin::FileTime => {
            Choice::default_value(format!("{year} (file time {modified}; the latest leap year, for 29 February)"))
        }
    }
}

/// What a column expects where a record was refused for `reason`, for messages: `decimal(12,2)`, `date as %m/%d/%Y`.
pub(crate) fn expected(filled: &Filled<'_>, why: &str) -> String {
    if why == reason::MISSING_VALUE {
        return "a value".to_owned();
    }
    if let Some(expected) = filled.checker.as_ref().and_then(|checker| checker.expected(why)) {
        return expected;
    }
    let data_type = &filled.spec.data_type;
    match filled.reader.moments().and_then(MomentReader::chosen_format) {
        Some(format) => format!("{data_type} as {format}"),
        None => data_type.to_string(),
    }
}

/// What reading one field came to.
pub(crate) enum Reading {
    Value,
    Refused(&'static str),
    /// The object has to start again with a leap year for this column.
    LeapDay,
}

impl Filled<'_> {
    /// Reads one field into `column`. The survey sees the text even where the record is refused for another reason
    /// (`column` is `None` then), so that its counts depend on nothing but the object.
    #[inline]
    pub(crate) fn read(&mut self, text: &str, line: u64, column: Option<&mut Column>) -> Reading {
        let text = self.relevant(text);
        if self.is_null(text) {
            return column.map_or(Reading::Value, |column| self.push_nothing(column));
        }
        if let Some(survey) = &mut self.survey
            && let Reader::Moment(moments) = &self.reader
        {
            return match (survey.observe(moments, text, line), column) {
                (Err(Unread::LeapDay), _) => Reading::LeapDay,
                (Err(Unread::No), Some(_)) => Reading::Refused(moments.reason()),
                (Ok(value), Some(column)) => {
                    moments.push(value, column);
                    self.checked(column)
                }
                (_, None) => Reading::Value,
            };
        }
        let Some(column) = column else { return Reading::Value };
        match self.reader.append(text, column) {
            Ok(()) => self.checked(column),
            Err(Refusal::Because(reason)) => Reading::Refused(reason),
            Err(Refusal::LeapDay) => Reading::LeapDay,
        }
    }

    /// Appends what stands for no value.
    #[inline]
    pub(crate) fn push_nothing(&self, column: &mut Column) -> Reading {
        match &self.default {
            Some(default) => column.push_range(default, 0..1),
            None if self.spec.required => return Reading::Refused(reason::MISSING_VALUE),
            None => column.push_null(),
        }
        Reading::Value
    }

    /// Looks at the value that was appended last.
    #[inline]
    pub(crate) fn checked(&self, column: &Column) -> Reading {
        let refused = self.checker.as_ref().and_then(|checker| checker.refusal(column, column.len() - 1));
        refused.map_or(Reading::Value, Reading::Refused)
    }
}

/// After this many records it is asked whether a format does hopelessly badly.
pub(crate) const ASK_EVERY: u64 = 4096;

/// Exchanges formats for better ones where `asks` says so; tells whether there was one.
pub(crate) fn choose_better(filled: &mut [Filled<'_>], asks: impl Fn(&Filled<'_>) -> bool) -> bool {
    let mut better = false;
    for filled in filled.iter_mut().filter(|filled| asks(filled)) {
        if let (Some(survey), Some(moments)) = (&filled.survey, filled.reader.moments()) {
            let best = survey.best(moments.chosen());
            if best != moments.chosen() {
                better = true;
                filled.choose(best);
            }
        }
    }
    better
}

impl Filled<'_> {
    /// Its format does so badly that going on is a waste.
    pub(crate) fn is_hopeless(&self) -> bool {
        match (&self.survey, self.reader.moments()) {
            (Some(survey), Some(moments)) => survey.is_hopeless(moments.chosen()),
            _ => false,
        }
    }
}
