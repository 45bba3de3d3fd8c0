//! How the server under test is started: its program, and a copy of its configuration with the scenario's overrides.
//!
//! Only `bidtree.toml` is copied; campaigns, advertisers and creatives are linked, since there may be a hundred thousand.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::compare::owner_of;
use crate::scenario::{self, Server};

const SETTINGS: &str = "bidtree.toml";
/// Where a server listens whose configuration does not say.
const DEFAULT_LISTENS: [(&str, &str); 2] =
    [("notices", "127.0.0.1:8110"), ("admin", "127.0.0.1:8120")];

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where it runs.
    pub folder: PathBuf,
    /// What it prints goes here.
    pub log: PathBuf,
    /// Where it will listen, as far as that is known.
    pub listens: Vec<SocketAddr>,
}

/// A server that cannot be started.
#[derive(Debug)]
pub enum PlanError {
    /// There is no such program.
    NoProgram(PathBuf),
    /// A file of its configuration: which, and why not.
    File(PathBuf, String),
    /// An address is taken, by this process.
    Taken(SocketAddr, Option<u32>),
}

impl fmt::Display for PlanError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProgram(path) => write!(
                out,
                "{}: no such program; build the server (`cargo build --release`), or name it with --server",
                path.display()
            ),
            Self::File(path, why) => write!(
                out,
                "{}: {why}; name the server's configuration folder with --server-config",
                path.display()
            ),
            Self::Taken(address, owner) => {
                write!(out, "{address} is taken")?;
                if let Some(pid) = owner {
                    write!(out, " by process {pid}")?;
                }
                write!(
                    out,
                    "; this scenario starts a server of its own: stop the other one, or use other ports with --shift-ports 1000"
                )
            }
        }
    }
}

/// Where the server's program is looked for: beside this one.
pub fn default_binary() -> PathBuf {
    let beside = std::env::current_exe().ok();
    let beside = beside.and_then(|own| Some(own.parent()?.join("bidtree")));
    beside.unwrap_or_else(|| PathBuf::from("bidtree"))
}

/// Prepares `folder` for a server, its ports moved by `shift`, and looks whether it can start.
///
/// # Errors
/// [`PlanError`] where it cannot.
pub fn plan(server: &Server, folder: &Path, shift: u16) -> Result<Plan, PlanError> {
    let log = folder.join("server.log");
    if let Some((program, arguments)) = server.command.split_first() {
        return Ok(Plan {
            program: PathBuf::from(program),
            arguments: arguments.to_vec(),
            folder: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            log,
            listens: Vec::new(),
        });
    }
    let program = server.binary.clone().unwrap_or_else(default_binary);
    let program = program
        .canonicalize()
        .map_err(|_| PlanError::NoProgram(program))?;
    let config = folder.join("config");
    let settings = copy(&server.config, &config, |settings| {
        let data = folder.join("data").to_string_lossy().into_owned();
        set(settings, "server", "data_dir", data);
        scenario::merge(settings, server.overrides.clone());
        shift_ports(settings, shift);
    })?;
    let listens = listens(&settings);
    listens.iter().try_for_each(|address| is_free(*address))?;
    let config = config.to_string_lossy().into_owned();
    Ok(Plan {
        program,
        arguments: vec!["serve".to_owned(), "--config".to_owned(), config],
        folder: folder.to_owned(),
        log,
        listens,
    })
}

/// Copies a configuration folder, its settings changed.
fn copy(from: &Path, to: &Path, change: impl FnOnce(&mut Table)) -> Result<Table, PlanError> {
    let source = from.join(SETTINGS);
    let fault = |path: &Path, why: String| PlanError::File(path.to_owned(), why);
    let text = std::fs::read_to_string(&source).map_err(|why| fault(&source, why.to_string()))?;
    let mut settings: Table = text
        .parse()
        .map_err(|why: toml::de::Error| fault(&source, why.to_string()))?;
    change(&mut settings);
    let written = toml::to_string(&settings).map_err(|why| fault(&source, why.to_string()))?;
    let copying = || -> io::Result<()> {
        std::fs::create_dir_all(to)?;
        for entry in from.canonicalize()?.read_dir()? {
            let entry = entry?;
            if entry.file_name() != SETTINGS {
                std::os::unix::fs::symlink(entry.path(), to.join(entry.file_name()))?;
            }
        }
        std::fs::write(to.join(SETTINGS), written)
    };
    copying().map_err(|why| fault(to, why.to_string()))?;
    Ok(settings)
}

fn set(settings: &mut Table, section: &str, key: &str, value: String) {
    let section = settings
        .entry(section)
        .or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(section) = section {
        section.insert(key.to_owned(), Value::String(value));
    }
}

/// Moves every port of the settings.
fn shift_ports(settings: &mut Table, shift: u16) {
    for (section, listen) in DEFAULT_LISTENS {
        let has_listen = |section: &Value| section.get("listen").is_some();
        if !settings.get(section).is_some_and(has_listen) {
            set(settings, section, "listen", listen.to_owned());
        }
    }
    if shift == 0 {
        return;
    }
    let named = settings.iter_mut().filter(|(name, _)| {
        ["notices", "admin"].contains(&name.as_str()) || name.as_str() == "exchanges"
    });
    for (name, section) in named {
        let Value::Table(section) = section else {
            continue;
        };
        if name == "exchanges" {
            for (_, exchange) in section.iter_mut() {
                if let Value::Table(exchange) = exchange {
                    shift_section(exchange, shift);
                }
            }
        } else {
            shift_section(section, shift);
        }
    }
}

fn shift_section(section: &mut Table, shift: u16) {
    for key in ["listen", "public_url", "secure_url"] {
        if let Some(Value::String(address)) = section.get_mut(key)
            && let Some(shifted) = shifted(address, shift)
        {
            *address = shifted;
        }
    }
}

/// The same address or URL at another port.
pub(super) fn shifted(address: &str, shift: u16) -> Option<String> {
    let (host, rest) = address.rsplit_once(':')?;
    let end = rest.find('/').unwrap_or(rest.len());
    let (port, path) = rest.split_at_checked(end)?;
    let port = port.parse::<u16>().ok()?.checked_add(shift)?;
    Some(format!("{host}:{port}{path}"))
}

fn listens(settings: &Table) -> Vec<SocketAddr> {
    let exchanges = settings.get("exchanges").and_then(Value::as_table);
    let exchanges = exchanges.into_iter().flat_map(|table| table.values());
    let others = DEFAULT_LISTENS.iter();
    let others = others.filter_map(|(section, _)| settings.get(*section));
    let sections = exchanges.chain(others);
    sections
        .filter_map(|section| section.get("listen")?.as_str()?.parse().ok())
        .collect()
}

fn is_free(address: SocketAddr) -> Result<(), PlanError> {
    match TcpListener::bind(address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            Err(PlanError::Taken(address, owner_of(address.port())))
        }
        // What else may be wrong with it, the server says itself.
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Folder;
    use crate::scenario::Start;

    /// Settings whose addresses no other test uses at the same time: `place` and this process are in them.
    fn sample(place: u8) -> String {
        let [.., high, low] = std::process::id().to_be_bytes();
        let host = format!("127.{place}.{high}.{low}");
        format!(
            "[server]\ndrain = \"10s\"\n[exchanges.adx]\nlisten = \"{host}:1801\"\n\
             [notices]\nlisten = \"{host}:1810\"\npublic_url = \"http://{host}:1810/x\"\n\
             [admin]\nlisten = \"{host}:1820\"\nchaos = false\n"
        )
    }

    fn server(folder: &Folder, place: u8, overrides: &str) -> Server {
        let config = folder.path().join("original");
        std::fs::create_dir_all(config.join("campaigns")).unwrap();
        std::fs::write(config.join(SETTINGS), sample(place)).unwrap();
        std::fs::write(config.join("campaigns/a.toml"), "name = 'a'").unwrap();
        Server {
            start: Start::Always,
            config,
            binary: Some("/bin/sh".into()),
            command: Vec::new(),
            overrides: overrides.parse().unwrap(),
        }
    }

    fn written(folder: &Folder) -> Table {
        let path = folder.path().join("config").join(SETTINGS);
        std::fs::read_to_string(path).unwrap().parse().unwrap()
    }

    #[test]
    fn overrides_change_a_copy_and_campaigns_are_linked() {
        let folder = Folder::temporary().unwrap();
        let server = server(
            &folder,
            1,
            "[admin]\nchaos = true\n[server]\ndata_threads = 1",
        );
        let plan = plan(&server, folder.path(), 0).unwrap();
        let settings = written(&folder);
        assert_eq!(settings["admin"]["chaos"], Value::Boolean(true));
        assert_eq!(settings["server"]["data_threads"], Value::Integer(1));
        assert_eq!(settings["server"]["drain"].as_str(), Some("10s"));
        let data = settings["server"]["data_dir"].as_str().unwrap();
        assert!(data.starts_with(folder.path().to_str().unwrap()), "{data}");
        assert!(folder.path().join("config/campaigns/a.toml").is_file());
        assert_eq!(plan.listens.len(), 3);
        let original = std::fs::read_to_string(server.config.join(SETTINGS)).unwrap();
        assert_eq!(original, sample(1));
    }

    #[test]
    fn shifted_ports_move_everywhere() {
        let folder = Folder::temporary().unwrap();
        let plan = plan(&server(&folder, 2, ""), folder.path(), 1_000).unwrap();
        let ports: Vec<u16> = plan.listens.iter().map(SocketAddr::port).collect();
        assert_eq!(ports, [2_801, 2_810, 2_820]);
        let url = written(&folder)["notices"]["public_url"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(url.ends_with(":2810/x"), "{url}");
    }

    #[test]
    fn a_port_that_is_taken_is_named_with_its_owner() {
        let folder = Folder::temporary().unwrap();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap();
        let server = server(&folder, 3, &format!("[admin]\nlisten = \"{address}\""));
        let error = plan(&server, folder.path(), 0).unwrap_err().to_string();
        for part in [
            address.to_string(),
            std::process::id().to_string(),
            "--shift-ports".to_owned(),
        ] {
            assert!(error.contains(&part), "{part} in {error}");
        }
        drop(other);
        assert!(plan(&server, Folder::temporary().unwrap().path(), 0).is_ok());
    }

    #[test]
    fn a_missing_program_is_named() {
        let folder = Folder::temporary().unwrap();
        let mut server = server(&folder, 4, "");
        server.binary = Some("/nowhere/bidtree".into());
        let error = plan(&server, folder.path(), 0).unwrap_err().to_string();
        assert!(
            error.contains("/nowhere/bidtree") && error.contains("--server"),
            "{error}"
        );
    }
}
