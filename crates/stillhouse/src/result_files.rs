//! Results of reports as files, in the form that the command line asks for.

use std::fs::File;
use std::path::Path;

use stillhouse_report::render;
use stillhouse_report::{QueryView, RunView};

use crate::cli::{FileForm, OutputArgs};
use crate::failure::Failure;
use crate::printer::complain;

/// Writes the runs into the folder that the command line names, if it names one: a file for each query; as HTML one for
/// each run.
pub fn save(views: &[RunView], output: &OutputArgs) -> Result<(), Failure> {
    let Some(folder) = &output.out else { return Ok(()) };
    for view in views {
        // Several periods of one report would overwrite each other.
        let folder = if views.len() > 1 { folder.join(&view.period) } else { folder.clone() };
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::failed(format!("folder `{}` cannot be made", folder.display())).because(&error)
        })?;
        save_one(&folder, view, output.form)
            .map_err(|error| Failure::failed(format!("`{}` cannot be written", folder.display())).because(&error))?;
    }
    let is_picture = matches!(output.form, FileForm::Svg | FileForm::Png);
    if is_picture && views.iter().flat_map(|view| &view.queries).all(|query| query.chart.is_none()) {
        complain("no query of the report has a chart, so no file was written");
        complain("hint: write `[queries.NAME.chart]` with `kind = \"bar\"` into its report.toml");
    }
    Ok(())
}

fn save_one(folder: &Path, view: &RunView, form: FileForm) -> std::io::Result<()> {
    if form == FileForm::Html {
        return render::html(view, &mut File::create(folder.join(format!("{}.html", view.report)))?);
    }
    view.queries.iter().try_for_each(|query| write(folder, query, form))
}

fn write(folder: &Path, query: &QueryView, form: FileForm) -> std::io::Result<()> {
    let file = |ending: &str| File::create(folder.join(format!("{}.{ending}", query.name)));
    match (form, &query.chart) {
        (FileForm::Csv, _) => render::csv(query, &mut file("csv")?),
        (FileForm::Json, _) => render::json_query(query, &mut file("json")?),
        (FileForm::Parquet, _) => render::parquet(query, &mut file("parquet")?),
        (FileForm::Svg, Some(chart)) => render::svg(chart, &mut file("svg")?),
        (FileForm::Png, Some(chart)) => render::png(chart, &mut file("png")?),
        (FileForm::Svg | FileForm::Png, None) | (FileForm::Html, _) => Ok(()),
    }
}
