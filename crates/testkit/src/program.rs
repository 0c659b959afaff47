//! The built binary as another process: run, watched and killed.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::random::Random;

/// How often a running process is looked at. Peak memory only grows, so at most what was allocated in the last such
/// moment before the end goes unseen.
const LOOK: Duration = Duration::from_millis(5);

/// A program to run, and its surroundings.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    folder: Option<PathBuf>,
    variables: Vec<(OsString, OsString)>,
    time_max: Duration,
}

/// What a program that ended has left.
#[derive(Debug, Clone)]
pub struct Finished {
    /// What was run, for messages.
    pub command: String,
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The largest resident memory, in bytes. 0 where the system does not say.
    pub peak_memory_bytes: u64,
    /// How long it ran.
    pub elapsed: Duration,
}

/// A program that runs. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    command: String,
    started: Instant,
    time_max: Duration,
    stdout: Option<JoinHandle<String>>,
    stderr: Option<JoinHandle<String>>,
    peak_memory_bytes: u64,
}

/// How a series of kills went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kills {
    /// The process was alive when it was killed.
    pub hit: u32,
    /// It had ended by itself before.
    pub missed: u32,
}

impl Program {
    /// The program at that path: `Program::new(env!("CARGO_BIN_EXE_stillhouse"))`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), folder: None, variables: Vec::new(), time_max: Duration::from_secs(240) }
    }

    /// The same program, run in that folder.
    pub fn in_folder(&self, folder: impl Into<PathBuf>) -> Self {
        Self { folder: Some(folder.into()), ..self.clone() }
    }

    /// The same program with an environment variable.
    pub fn with_variable(&self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let mut program = self.clone();
        program.variables.push((name.into(), value.into()));
        program
    }

    /// The same program, killed (and the test failed) when it runs longer. Without this: four minutes.
    pub fn with_time_max(&self, time_max: Duration) -> Self {
        Self { time_max, ..self.clone() }
    }

    /// Runs it to its end, whatever the exit code.
    pub fn run(&self, arguments: &[impl AsRef<OsStr>]) -> Finished {
        self.spawn(arguments).wait()
    }

    /// Starts it, without input and without the colours and settings of whoever runs the tests.
    pub fn spawn(&self, arguments: &[impl AsRef<OsStr>]) -> Running {
        let mut command = Command::new(&self.path);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("NO_COLOR", "1").env("COLUMNS", "100").env_remove("RUST_LOG").envs(self.variables.iter().cloned());
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let words: Vec<_> = arguments.iter().map(|argument| argument.as_ref().to_string_lossy()).collect();
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.path.display()));
        let stdout = child.stdout.take().map(read_in_background);
        let stderr = child.stderr.take().map(read_in_background);
        Running {
            child,
            command: format!("{} {}", file_name(&self.path), words.join(" ")),
            started: now(),
            time_max: self.time_max,
            stdout,
            stderr,
            peak_memory_bytes: 0,
        }
    }

    /// Starts it and kills it (signal 9) at a random moment of its first `within`, until that has hit it alive `times`
    /// times; gives up after three times as many starts.
    pub fn kill_at_random(
        &self,
        arguments: &[impl AsRef<OsStr>],
        times: u32,
        within: Duration,
        random: &mut Random,
    ) -> Kills {
        let mut kills = Kills { hit: 0, missed: 0 };
        let micros = usize::try_from(within.as_micros()).expect("a short time");
        while kills.hit < times && kills.hit + kills.missed < 3 * times {
            let moment = Duration::from_micros(u64::try_from(random.below(micros)).expect("a usize fits"));
            let running = self.spawn(arguments);
            std::thread::sleep(moment);
            let finished = running.kill();
            match finished.code {
                None => kills.hit += 1,
                Some(_) => kills.missed += 1,
            }
        }
        kills
    }
}

impl Running {
    /// Waits for the end.
    ///
    /// # Panics
    /// When it runs longer than it may.
    pub fn wait(mut self) -> Finished {
        loop {
            self.peak_memory_bytes = self.peak_memory_bytes.max(peak_memory_bytes(self.child.id()));
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return self.finish(status);
            }
            if self.started.elapsed() > self.time_max {
                let (command, time_max) = (self.command.clone(), self.time_max);
                let finished = self.kill();
                panic!("`{command}` ran longer than {time_max:?} and was killed; it said:\n{}", finished.stderr);
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Kills it (signal 9), if it has not ended, and waits for the end.
    pub fn kill(mut self) -> Finished {
        self.child.kill().expect("a child can be killed");
        let status = self.child.wait().expect("a child can be waited for");
        self.finish(status)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn finish(&mut self, status: ExitStatus) -> Finished {
        let text = |reader: Option<JoinHandle<String>>| {
            reader.map_or_else(String::new, |reader| reader.join().expect("the reader does not panic"))
        };
        Finished {
            command: self.command.clone(),
            code: status.code(),
            stdout: text(self.stdout.take()),
            stderr: text(self.stderr.take()),
            peak_memory_bytes: self.peak_memory_bytes,
            elapsed: self.started.elapsed(),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail when it has ended, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Finished {
    /// The same, if the exit code is `code`.
    ///
    /// # Panics
    /// With what it printed, if it is not.
    pub fn ended_with(self, code: i32) -> Self {
        assert!(
            self.code == Some(code),
            "`{}` ended with {:?}, expected {code}\nstandard output:\n{}\nstandard error:\n{}",
            self.command,
            self.code,
            self.stdout,
            self.stderr
        );
        self
    }

    /// The same, if the exit code is 0.
    pub fn succeeded(self) -> Self {
        self.ended_with(0)
    }

    /// Standard output as the one JSON value that `--json` promises.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("`{}`: {error}\nstandard output:\n{}\nstandard error:\n{}", self.command, self.stdout, self.stderr)
        })
    }
}

fn read_in_background(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is worth showing.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// `VmHWM` of a process: the largest resident memory so far.
fn peak_memory_bytes(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib =
        line.and_then(|rest| rest.trim().strip_suffix(" kB")).and_then(|number| number.trim().parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[expect(clippy::disallowed_methods, reason = "ends what hangs and says how long it took; no result depends on it")]
fn now() -> Instant {
    Instant::now()
}

fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}
