//! Which process listens on a port of this machine, from `/proc`: so that nobody has to look up a process id.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The state of a listening socket in `/proc/net/tcp`.
const LISTENING: &str = "0A";

/// The process that listens on `port`; `None` where none does, or it belongs to someone else.
pub fn owner_of(port: u16) -> Option<u32> {
    let mut sockets = BTreeSet::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        if let Ok(table) = fs::read_to_string(table) {
            sockets.extend(listening(&table, port));
        }
    }
    if sockets.is_empty() {
        return None;
    }
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        holds(&entry.path(), &sockets).then_some(pid)
    })
}

/// How links to the sockets that listen on `port` read: `socket:[inode]`.
fn listening(table: &str, port: u16) -> impl Iterator<Item = String> + '_ {
    let end = format!(":{port:04X}");
    table.lines().skip(1).filter_map(move |line| {
        // Number, local address, remote address, state, queues, timer, retransmits, user, timeout, inode.
        let mut fields = line.split_ascii_whitespace();
        let local = fields.nth(1)?;
        let state = fields.nth(1)?;
        let inode = fields.nth(5)?;
        (local.ends_with(&end) && state == LISTENING).then(|| format!("socket:[{inode}]"))
    })
}

fn holds(process: &Path, sockets: &BTreeSet<String>) -> bool {
    let Ok(files) = fs::read_dir(process.join("fd")) else {
        return false;
    };
    files.flatten().any(|file| {
        let target = fs::read_link(file.path()).ok();
        target.is_some_and(|target| target.to_str().is_some_and(|text| sockets.contains(text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listener_of_a_port_is_found() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(owner_of(port), Some(std::process::id()));
        drop(listener);
        assert_eq!(owner_of(port), None);
    }

    #[test]
    fn only_listening_sockets_of_the_port_count() {
        let table = "  sl  local_address rem_address   st\n\
             0: 0100007F:1FA7 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1\n\
             1: 0100007F:1FA7 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        0 4712 1\n\
             2: 0100007F:1FA8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1\n";
        let found: Vec<String> = listening(table, 8103).collect();
        assert_eq!(found, ["socket:[4711]"]);
    }
}
