//! `stillhouse init`: a project folder that works at once.

use std::path::Path;

use rust_embed::RustEmbed;
use serde_json::json;

use crate::cli::{InitArgs, TemplateName};
use crate::failure::{Exit, Failure};
use crate::printer::Printer;

/// The starter projects, as they lie in `templates/`.
#[derive(RustEmbed)]
#[folder = "../../templates"]
#[exclude = "*.py"]
#[exclude = "**/__pycache__/*"]
struct Templates;

/// Makes the folder. What already exists is never written over.
pub fn init(args: &InitArgs, printer: Printer) -> Result<Exit, Failure> {
    let dir = &args.dir;
    let taken = dir.exists() && (!dir.is_dir() || dir.read_dir().is_ok_and(|mut entries| entries.next().is_some()));
    if taken {
        return Err(Failure::usage(format!("`{}` exists and is not an empty folder", dir.display()))
            .hint("name a folder that does not exist yet"));
    }
    let name = match args.template {
        TemplateName::Events => "events",
        TemplateName::Transactions => "transactions",
        TemplateName::Comments => "comments",
    };
    let prefix = format!("{name}/");
    let mut files = Vec::new();
    for path in Templates::iter() {
        if let (Some(inner), Some(file)) = (path.strip_prefix(&prefix), Templates::get(&path)) {
            if args.no_data && inner.starts_with("data/") {
                continue;
            }
            write(&dir.join(inner), &file.data)?;
            files.push(inner.to_owned());
        }
    }
    files.sort();
    let next = next_commands(args, name);
    if printer.json() {
        printer.value(
            &json!({"format": 1, "project": dir.display().to_string(), "template": name, "files": files, "next": next}),
        )?;
    } else {
        printer.tell(format!("made `{}` from the template `{name}`: {} files\n", dir.display(), files.len()))?;
        printer.say(format!("\nnext:\n  {}", next.join("\n  ")));
    }
    Ok(Exit::Done)
}

fn next_commands(args: &InitArgs, template: &str) -> Vec<String> {
    let dir = args.dir.display();
    let data = match template {
        "transactions" => "data/transactions.csv",
        "comments" => "data/comment_info/part-00000.json",
        _ => "data/2021/04/events.csv",
    };
    let check = format!("stillhouse -C {dir} check");
    if args.no_data {
        return vec![check];
    }
    vec![check, format!("stillhouse -C {dir} run all"), format!("stillhouse -C {dir} explain {data}")]
}

fn write(path: &Path, data: &[u8]) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::failed(format!("`{}` cannot be written", path.display())).because(&error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, data).map_err(failed)
}
