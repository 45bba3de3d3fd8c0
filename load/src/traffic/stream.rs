//! Placements in a stream: audio, and the slots of video pods.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::media::Slot;
use super::shape::{Shape, fields};
use crate::rng::Rng;

/// What an audio placement offers.
pub(super) fn audio(rng: &mut Rng) -> (Slot, Value) {
    let longest = if rng.chance(0.7) { 30 } else { 60 };
    let mimes = ["audio/mp4", "audio/mpeg", "audio/ogg"];
    let protocols = vec![2, 3, 5, 6, 7, 8, 11, 12];
    let audio = json!({
        "mimes": mimes,
        "minduration": 5,
        "maxduration": longest,
        "protocols": protocols,
        "startdelay": if rng.chance(0.5) { 0 } else { -1 },
        "feed": rng.between(1, 3),
        "stitched": 1,
        "nvol": 1,
        "minbitrate": 32,
        "maxbitrate": 320,
        "delivery": [2],
        "api": [7],
        "battr": [1, 2],
    });
    let slot = Slot::Audio {
        mimes: mimes.map(Cow::Borrowed).to_vec(),
        seconds: (5, longest),
        durations: Vec::new(),
        protocols,
    };
    (slot, audio)
}

/// A video that is one slot of a pod: exact lengths and the pod's id in 2.6, its place in the sequence before.
pub(super) fn in_pod(
    shape: &Shape,
    (pod, place): (&str, u64),
    (slot, mut video): (Slot, Value),
) -> (Slot, Value) {
    let root = fields(&mut video);
    root.insert("startdelay".to_owned(), json!(600));
    if shape.is_old {
        root.insert("sequence".to_owned(), json!(place + 1));
        return (slot, video);
    }
    let lengths = vec![15, 30];
    // Lengths and bounds exclude each other.
    root.remove("minduration");
    root.remove("maxduration");
    root.insert("rqddurs".to_owned(), json!(lengths));
    root.insert("podid".to_owned(), json!(pod));
    root.insert("podseq".to_owned(), json!(0));
    root.insert("slotinpod".to_owned(), json!(u8::from(place == 0)));
    let slot = match slot {
        Slot::Video {
            mimes, protocols, ..
        } => Slot::Video {
            mimes,
            seconds: (15, 30),
            durations: lengths,
            protocols,
        },
        other @ (Slot::Banner(_) | Slot::Audio { .. } | Slot::Native(_)) => other,
    };
    (slot, video)
}
