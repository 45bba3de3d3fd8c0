//! What our own lists of people take in memory: a million users in four segments, from files as an operator would write them.
//!
//! ```sh
//! cargo run --release --example own_segments
//! ```

#![expect(clippy::print_stdout, reason = "the figures go to whoever runs this")]

use std::fmt::Write;
use std::{env, error, fs};

use bidtree::config::{load, load_segments};
use bidtree::units::UserHash;

const USERS: u32 = 1_000_000;
/// Each segment has every so many-th user, so that most people are in one or two of them.
const SEGMENTS: [(&str, u32); 4] = [("all", 1), ("second", 2), ("fifth", 5), ("tenth", 10)];

fn main() -> Result<(), Box<dyn error::Error>> {
    let folder = env::temp_dir().join(format!("bidtree-own-segments-{}", std::process::id()));
    for part in ["advertisers", "campaigns", "creatives"] {
        fs::create_dir_all(folder.join(part))?;
    }
    let mut settings = String::from(
        "[exchanges.a]\nlisten = \"127.0.0.1:0\"\n[regions.row]\nrest = true\n[notices]\npublic_url = \"http://n.example\"\n",
    );
    for (name, every) in SEGMENTS {
        let mut list = String::new();
        for number in (0..USERS).step_by(usize::try_from(every)?) {
            // As long as a device's id.
            writeln!(list, "{number:08x}-1111-4222-8333-0123456789ab")?;
        }
        fs::write(folder.join(format!("{name}.txt")), list)?;
        writeln!(
            settings,
            "[[segments]]\nname = \"{name}\"\nfile = \"{name}.txt\""
        )?;
    }
    fs::write(folder.join("bidtree.toml"), settings)?;
    let settings = load(&folder, [])?.settings;
    let before = resident()?;
    let lists = load_segments(&settings, &UserHash::new([7; 16]))?;
    let (users, bytes, after) = (lists.users(), lists.bytes(), resident()?);
    println!(
        "{users} users: {bytes} bytes of lists; the process went from {before} to {after} KiB"
    );
    fs::remove_dir_all(&folder)?;
    Ok(())
}

/// The memory of this process that is in the machine's, and the most that ever was, in KiB.
fn resident() -> Result<String, Box<dyn error::Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or("?")
            .trim()
            .trim_end_matches(" kB")
            .to_owned()
    };
    Ok(format!("{} (highest {})", line("VmRSS:"), line("VmHWM:")))
}
