//! `tenth config` and `tenth baseline`: what the settings are, and what a project lives with.

use std::path::PathBuf;
use std::process::ExitCode;

use tenth::change::{self, ChangeSource, Ground};
use tenth::config;
use tenth::error::{Error, Result};
use tenth::request::{Request, Subject};

use crate::cli::{BaselineTask, ConfigTask};
use crate::print_text;

/// Shows, describes or begins the settings.
pub(crate) fn config(request: &Request, task: ConfigTask) -> Result<ExitCode> {
    match task {
        ConfigTask::Show => {
            let (document, path) = config::current(request)?;
            print_text(&config::shown(&document, path.as_deref()))
        }
        ConfigTask::Schema => print_text(&config::schema()),
        ConfigTask::Init => {
            let path = config::init(&request.ground)?;
            crate::tell(&format!("tenth: wrote `{path}`"));
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Writes or shows the findings that a project lives with.
pub(crate) fn baseline(request: &Request, task: BaselineTask) -> Result<ExitCode> {
    match task {
        BaselineTask::Show => {
            let place = config::baseline_place(request)?;
            let text = std::fs::read_to_string(&place).map_err(|error| Error::Unreadable {
                path: place.display().to_string(),
                reason: format!("{error}; `tenth baseline write` makes it"),
            })?;
            print_text(&text)
        }
        BaselineTask::Write => {
            let folder = request.ground.folder.clone().unwrap_or_else(|| PathBuf::from("."));
            let root = change::root_of_repository(&request.ground)
                .ok_or_else(|| Error::NoRepository { path: folder.display().to_string() })?;
            let place = config::baseline_place(request)?;
            // Fingerprints are of paths from the root, wherever the user stands.
            let subject = Subject::Change(ChangeSource::Files(vec![root.clone()]));
            let ground = Ground { folder: Some(root), ..request.ground.clone() };
            let known = tenth::known(&Request { subject, ground, ..request.clone() })?;
            let shown = place.display().to_string();
            std::fs::write(&place, config::baseline_text(&known))
                .map_err(|error| Error::Unwritable { path: shown.clone(), reason: error.to_string() })?;
            crate::tell(&format!("tenth: wrote {} findings to `{shown}`", known.len()));
            Ok(ExitCode::SUCCESS)
        }
    }
}
