//! Files with an entry on each line: unwanted traffic, and segments of our own.

use super::*;
use crate::units::{SegmentKey, UserHash};

#[test]
fn lists_of_unwanted_traffic_are_read_line_by_line() {
    let lists = "[traffic]\nbots = \"bots.txt\"\ndatacentres = \"ranges.txt\"\n[notices]";
    let folder = Folder::new()
        .replace("bidtree.toml", "[notices]", lists)
        .write("bots.txt", "# names\n\nexamplebot\n")
        .write("ranges.txt", "192.0.2.0/24\n2001:db8::/32\n");
    assert_eq!(folder.faults(&[]), Vec::<String>::new());
    let folder = folder
        .write("bots.txt", "ab\n")
        .write("ranges.txt", "# ours\n192.0.2.0/33\n");
    let faults = folder.faults(&[]);
    assert_eq!(
        faults,
        [
            "bots.txt:1: expects a part of a user agent, of 3 to 128 bytes",
            "ranges.txt:2: expects an address or a range, like 192.0.2.0/24",
        ]
    );
}

const SEGMENTS: &str = r#"
[[segments]]
name = "buyers"
file = "buyers.txt"
[[segments]]
name = "hashed"
file = "hashed.txt"
ids = "keys"
"#;

fn with_segments(buyers: &str, hashed: &str) -> Folder {
    Folder::new()
        .write("bidtree.toml", &format!("{SERVER}{SEGMENTS}"))
        .write("buyers.txt", buyers)
        .write("hashed.txt", hashed)
}

#[test]
fn our_own_segments_are_read_from_ids_and_from_keys() {
    let hash = UserHash::new([7; 16]);
    let key = format!("{:016X}", hash.key("anna").raw());
    let folder = with_segments("# who bought\nanna\r\n\n berta \nanna\n", &key);
    let settings = folder.load(&[]).unwrap().settings;
    let lists = load_segments(&settings, &hash).unwrap();
    let of = |id| lists.of(hash.key(id)).to_vec();
    let (buyers, hashed) = (SegmentKey::own("buyers"), SegmentKey::own("hashed"));
    let mut both = [buyers, hashed];
    both.sort_unstable();
    assert_eq!(of("anna"), both);
    assert_eq!(of("berta"), [buyers]);
    assert_eq!(of("# who bought"), []);
    // The lists are read again.
    let _folder = folder.write("buyers.txt", "clara\n");
    let lists = load_segments(&settings, &hash).unwrap();
    assert_eq!(lists.of(hash.key("clara")), [buyers]);
    assert_eq!(lists.of(hash.key("berta")), []);
}

#[test]
fn what_is_wrong_with_a_list_is_said_with_its_file_and_line() {
    let long = "x".repeat(257);
    let folder = with_segments(
        &format!("anna\n{long}\nberta\n"),
        "0011223344556677\nanna\n",
    );
    assert_eq!(
        folder.faults(&[]),
        [
            "buyers.txt:2: is no text of at most 256 bytes; the rest is not read",
            "hashed.txt:2: expects a user key: 16 hexadecimal digits",
        ]
    );
    let many = with_segments("", &"no key\n".repeat(1_000)).faults(&[]);
    assert_eq!(many.len(), 11, "{many:#?}");
    assert_eq!(many[10], "hashed.txt: has more such lines");
    fs::remove_file(folder.0.path().join("buyers.txt")).unwrap();
    let missing = &folder.faults(&[])[0];
    assert!(
        missing.starts_with("buyers.txt: cannot be read"),
        "{missing}"
    );
}

#[test]
fn as_many_addresses_are_read_as_the_documentation_says() {
    let lists = "[traffic]\ndatacentres = \"ranges.txt\"\n[notices]";
    let line = "2001:0db8:0000:0000:0000:0000:0000:0001/128\n";
    let folder = Folder::new()
        .replace("bidtree.toml", "[notices]", lists)
        .write("ranges.txt", &line.repeat(100_000));
    assert_eq!(folder.faults(&[]), Vec::<String>::new());
    let folder = folder.write("ranges.txt", &line.repeat(100_001));
    assert_eq!(
        folder.faults(&[]),
        ["ranges.txt: has 100001 lines; at most 100000 are read"]
    );
    let folder = folder.write("ranges.txt", &"#".repeat((8 << 20) + 1));
    assert_eq!(
        folder.faults(&[]),
        ["ranges.txt: cannot be read: has 8388609 bytes; at most 8388608 are read"]
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let lists = "[traffic]\nbots = \"bots.txt\"\ndatacentres = \"ranges.txt\"\n[[segments]]\nname = \"keys\"\nfile = \"keys.txt\"\nids = \"keys\"\n[notices]";
    let folder = Folder::new()
        .replace("bidtree.toml", "[notices]", lists)
        .write("bots.txt", "\u{feff}# ours\nrobot\n")
        .write("ranges.txt", "\u{feff}192.0.2.0/24\n")
        .write("keys.txt", "\u{feff}00000000000000ff\n0000000000000001\n");
    assert_eq!(folder.faults(&[]), Vec::<String>::new());
    let folder = folder.write("keys.txt", "00000000000000ff\n\u{feff}0000000000000001\n");
    let faults = folder.faults(&[]);
    assert_eq!(
        faults,
        ["keys.txt:2: expects a user key: 16 hexadecimal digits"],
        "the control: it is a part of any other line"
    );
}
