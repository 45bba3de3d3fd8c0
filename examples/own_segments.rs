//! What our own lists of people take in memory: a million users in four segments, from files as an operator would write
//! them; or with `worst`, the mix that takes most while it is read.
//!
//! ```sh
//! cargo run --release --example own_segments [worst]
//! ```

#![expect(clippy::print_stdout, reason = "the figures go to whoever runs this")]

use std::fmt::Write;
use std::{env, error, fs};

use bidtree::campaign::{MEMBERSHIPS_MAX, OWN_SEGMENTS_MAX};
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
    let lists = match env::args().nth(1).as_deref() {
        None => usual()?,
        Some("worst") => worst()?,
        Some(other) => return Err(format!("{other:?}: expects worst, or nothing").into()),
    };
    for List { name, ids, text } in lists {
        fs::write(folder.join(format!("{name}.txt")), text)?;
        writeln!(
            settings,
            "[[segments]]\nname = \"{name}\"\nfile = \"{name}.txt\"\nids = \"{ids}\""
        )?;
    }
    fs::write(folder.join("bidtree.toml"), settings)?;
    let settings = load(&folder, [])?.settings;
    // The most that ever was begins anew: what the files were made of does not count.
    fs::write("/proc/self/clear_refs", "5")?;
    let before = resident()?;
    let lists = load_segments(&settings, &UserHash::new([7; 16]))?;
    let (users, bytes, after) = (lists.users(), lists.bytes(), resident()?);
    println!(
        "{users} users: {bytes} bytes of lists; the process went from {before} to {after} KiB"
    );
    fs::remove_dir_all(&folder)?;
    Ok(())
}

/// A segment's file.
struct List {
    name: String,
    ids: &'static str,
    text: String,
}

fn usual() -> Result<Vec<List>, Box<dyn error::Error>> {
    let mut lists = Vec::new();
    for (name, every) in SEGMENTS {
        let mut text = String::new();
        for number in (0..USERS).step_by(usize::try_from(every)?) {
            // As long as a device's id.
            writeln!(text, "{number:08x}-1111-4222-8333-0123456789ab")?;
        }
        lists.push(List {
            name: name.to_owned(),
            ids: "plain",
            text,
        });
    }
    Ok(lists)
}

/// As many lines as there may be, of people no two of whom are in the same segments, each in as few as that allows: in three
/// while there are three that nobody is in, then in four.
fn worst() -> Result<Vec<List>, Box<dyn error::Error>> {
    let mut texts = vec![String::new(); OWN_SEGMENTS_MAX];
    let (mut user, mut left) = (0_u64, MEMBERSHIPS_MAX);
    let all = || 0..OWN_SEGMENTS_MAX;
    let pairs = || all().flat_map(|a| (0..a).map(move |b| [a, b]));
    let threes = pairs().flat_map(|[a, b]| (0..b).map(move |c| vec![a, b, c]));
    let fours =
        pairs().flat_map(|[a, b]| (0..b).flat_map(move |c| (0..c).map(move |d| vec![a, b, c, d])));
    for places in threes.chain(fours) {
        let Some(rest) = left.checked_sub(places.len()) else {
            break;
        };
        left = rest;
        // Keys are hashes, and spread evenly.
        user = user.wrapping_add(0x9E37_79B9_7F4A_7C15);
        for place in places {
            if let Some(text) = texts.get_mut(place) {
                writeln!(text, "{user:016x}")?;
            }
        }
    }
    let named = texts.into_iter().enumerate();
    let lists = named.map(|(number, text)| List {
        name: format!("s{number}"),
        ids: "keys",
        text,
    });
    Ok(lists.collect())
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
