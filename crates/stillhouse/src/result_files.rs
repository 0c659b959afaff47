//! Results of reports as files, in the form that the command line asks for.

use std::fs::File;
use std::path::{Path, PathBuf};

use stillhouse_report::RunView;
use stillhouse_report::render;

use crate::cli::{FileForm, OutputArgs};
use crate::failure::Failure;
use crate::printer::{Printer, complain};
use crate::text::plural;

/// Writes the runs into the folder that the command line names, if it names one: a file for each query; as HTML one for
/// each run. Then says what was written.
pub fn save(printer: Printer, views: &[RunView], output: &OutputArgs) -> Result<(), Failure> {
    let Some(folder) = &output.out else { return Ok(()) };
    let mut written = Vec::new();
    for view in views {
        // Several periods of one report would overwrite each other.
        let folder = if views.len() > 1 { folder.join(&view.period) } else { folder.clone() };
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::failed(format!("folder `{}` cannot be made", folder.display())).because(&error)
        })?;
        save_one(&folder, view, output.form, &mut written)
            .map_err(|error| Failure::failed(format!("`{}` cannot be written", folder.display())).because(&error))?;
    }
    match written.as_slice() {
        [] if matches!(output.form, FileForm::Svg | FileForm::Png) => {
            complain("no query of the report has a chart, so no file was written");
            complain("hint: write `[queries.NAME.chart]` with `kind = \"bar\"` into its report.toml");
        }
        [] => {}
        [only] => printer.say(format!("written: {}", only.display())),
        many => printer.say(format!("written: {} into {}", plural(many.len() as u64, "file"), folder.display())),
    }
    Ok(())
}

fn save_one(folder: &Path, view: &RunView, form: FileForm, written: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let mut create = |name: String| {
        let path = folder.join(name);
        let file = File::create(&path)?;
        written.push(path);
        std::io::Result::Ok(file)
    };
    if form == FileForm::Html {
        return render::html(view, &mut create(format!("{}.html", view.report))?);
    }
    for query in &view.queries {
        let mut file = |ending: &str| create(format!("{}.{ending}", query.name));
        match (form, &query.chart) {
            (FileForm::Csv, _) => render::csv(query, &mut file("csv")?)?,
            (FileForm::Json, _) => render::json_query(query, &mut file("json")?)?,
            (FileForm::Parquet, _) => render::parquet(query, &mut file("parquet")?)?,
            (FileForm::Svg, Some(chart)) => render::svg(chart, &mut file("svg")?)?,
            (FileForm::Png, Some(chart)) => render::png(chart, &mut file("png")?)?,
            (FileForm::Svg | FileForm::Png, None) | (FileForm::Html, _) => {}
        }
    }
    Ok(())
}
