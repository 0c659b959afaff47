//! A PostgreSQL server of its own for a test, gone when the test is.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Another program can take the port between our looking and the server's start.
const START_TRIES: u32 = 5;

/// Stops the server and removes its folder when the other end of its standard input closes: when the test drops
/// [`Postgres`], and also when the test process dies in any other way.
const WATCH: &str = "read -r _; \"$@\" >/dev/null 2>&1; rm -rf \"$STILLHOUSE_FOLDER\"";

/// A running server with an empty cluster, on 127.0.0.1, without durability: nothing of it is kept.
///
/// PostgreSQL refuses to run as root; a test that does goes through `runuser -u postgres`.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    port: u16,
    watch: Child,
}

impl Postgres {
    /// Makes a cluster and starts it; takes about a second. Panics, with what to install, if PostgreSQL is not there.
    pub fn start() -> Self {
        let programs = programs();
        let folder = tempfile::tempdir().expect("a temporary folder can be made").keep();
        let owner = Owner::find();
        owner.take(&folder);
        let data = folder.join("data");
        let mut initdb = owner.command(&programs.join("initdb"), &folder);
        run(initdb.arg("-D").arg(&data).args([
            "-U",
            "postgres",
            "--auth=trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]));
        // Watched from before it runs: a test that is killed in between leaves no server behind.
        let watch = watch(&owner, &programs, &folder);
        let mut port = free_port();
        for attempt in 1..=START_TRIES {
            if start(&owner, &programs, &folder, port) {
                break;
            }
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(attempt < START_TRIES, "PostgreSQL does not start; its log in {}:\n{log}", folder.display());
            port = free_port();
        }
        Self { programs, port, watch }
    }

    /// Makes an empty database and answers its address. The name is one that needs no quotes.
    pub fn create_database(&self, name: &str) -> String {
        let mut psql = Command::new(self.programs.join("psql"));
        let port = self.port.to_string();
        psql.args(["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-q", "-c"]);
        run(psql.arg(format!("CREATE DATABASE {name}")));
        self.url(name)
    }

    /// The address of a database of this server.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.watch.stdin.take());
        let _ = self.watch.wait();
    }
}

/// The folder of the newest installed PostgreSQL's programs.
fn programs() -> PathBuf {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = installed
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin"))))
        .filter(|(_, folder)| folder.join("initdb").exists())
        .max();
    let on_path = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).find(|folder| folder.join("initdb").exists())
    };
    newest.map(|(_, folder)| folder).or_else(on_path).expect(
        "this test needs a PostgreSQL server, and no `initdb` was found in /usr/lib/postgresql/*/bin or on PATH; \
         run `apt-get install postgresql` (`make test` does that where it can)",
    )
}

/// Whose processes and files the server's are.
struct Owner {
    root: bool,
}

impl Owner {
    fn find() -> Self {
        let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        Self { root }
    }

    fn take(&self, folder: &Path) {
        if self.root {
            run(Command::new("chown").arg("postgres").arg(folder));
        }
    }

    fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = if self.root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        // The caller's folder may be one that `postgres` must not enter.
        command.current_dir(folder);
        command
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(output.status.success(), "{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr));
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("127.0.0.1 has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

fn start(owner: &Owner, programs: &Path, folder: &Path, port: u16) -> bool {
    let settings = format!(
        "-c listen_addresses=127.0.0.1 -p {port} -k {} -c fsync=off -c synchronous_commit=off -c full_page_writes=off",
        folder.display()
    );
    let mut start = owner.command(&programs.join("pg_ctl"), folder);
    start.arg("-D").arg(folder.join("data")).arg("-w").arg("-l").arg(folder.join("log")).arg("-o").arg(settings);
    // The server would keep a pipe open for as long as it lives, and who reads that would wait for it.
    let status = start.arg("start").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.expect("pg_ctl starts").success()
}

fn watch(owner: &Owner, programs: &Path, folder: &Path) -> Child {
    let mut stop = owner.command(&programs.join("pg_ctl"), folder);
    stop.arg("-D").arg(folder.join("data")).args(["-m", "immediate", "stop"]);
    let mut watch = Command::new("sh");
    watch.args(["-c", WATCH, "watch"]).arg(stop.get_program()).args(stop.get_args());
    watch.env("STILLHOUSE_FOLDER", folder).current_dir(folder);
    // A group of its own: what ends the test's group must not end the one who cleans up after it.
    watch.process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    watch.spawn().expect("sh starts")
}
