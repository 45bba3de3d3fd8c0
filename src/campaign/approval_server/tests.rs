//! The file, with its faults, and what waits in the mailbox; the rest is seen in a whole server.

use std::fs;
use std::sync::mpsc;

use super::*;
use crate::campaign::fixture::shelf;
use crate::scratch::Scratch;
use crate::supervision::{Limit, Planes, Strategy, Supervisor, Tree};
use crate::units::{CreativeKey, UnixMillis};

const NOW: UnixMillis = UnixMillis::new(1_763_672_400_000);

#[test]
fn what_was_judged_is_read_back_and_counts_are_not() {
    let folder = Scratch::new();
    let path = folder.path().join(FILE_NAME);
    assert_eq!(read(&path).unwrap(), ApprovalBook::default());
    let (adx, tile) = (ExchangeKey::of("adx"), CreativeKey::of("tile"));
    let mut book = ApprovalBook::default();
    book.say((adx, tile), Some(Approval::Approved), NOW)
        .unwrap();
    for bid in 0..5 {
        book.refused((adx, CreativeKey::of("bad")), BidId::from_raw(bid), NOW);
    }
    file::write(&path, &book).unwrap();
    assert_eq!(read(&path).unwrap(), book);
    book.refused((adx, CreativeKey::of("other")), BidId::from_raw(9), NOW);
    assert_ne!(read(&path).unwrap(), book, "the control");
    assert_eq!(
        fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left"
    );
}

#[test]
fn a_file_of_something_else_is_a_fault_that_says_what_to_do() {
    let folder = Scratch::new();
    let path = folder.path().join(FILE_NAME);
    for (text, said) in [
        ("", "EOF"),
        ("[]", "invalid"),
        (r#"{"version":2,"approvals":[]}"#, "version 2"),
        (r#"{"version":1,"approvals":[],"more":1}"#, "more"),
        (
            r#"{"version":1,"approvals":[{"exchange":"adx","creative":"00","state":"approved","source":"operator","at_ms":0}]}"#,
            "approval 0",
        ),
    ] {
        fs::write(&path, text).unwrap();
        let fault = read(&path).unwrap_err().to_string();
        assert!(fault.contains(said), "{fault}");
        assert!(fault.contains("approvals.json") && fault.contains("move it away"));
    }
    let gone = folder.path().join("no-such-folder").join(FILE_NAME);
    let fault = file::write(&gone, &ApprovalBook::default()).unwrap_err();
    assert!(fault.to_string().starts_with("cannot use"), "{fault}");
}

fn name(message: &ApprovalMessage) -> &'static str {
    match message {
        ApprovalMessage::Say(..) => "say",
        ApprovalMessage::Refused(..) => "refused",
        ApprovalMessage::BeginAnew(_) => "begin anew",
        ApprovalMessage::List(_) => "list",
    }
}

#[test]
fn a_sale_is_heard_while_refusals_wait() {
    let (adx, tile, other) = (
        ExchangeKey::of("adx"),
        CreativeKey::of("tile"),
        CreativeKey::of("other"),
    );
    let desk = ApprovalDesk::new([adx]);
    let (tell, told) = mpsc::sync_channel(64);
    let (sending, sent) = mpsc::sync_channel::<()>(1);
    let sent = Mutex::new(sent);
    let busy = thread("busy", &desk.post, MAILBOX, move |context, mailbox| {
        context.child().ready();
        // It reads nothing before everything was sent.
        sent.lock().unwrap().recv().unwrap_err();
        while let Ok(message) = mailbox.recv() {
            tell.send(name(&message)).ok();
        }
        Ok(())
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (clock, _) = Clock::manual(NOW);
    let tree = Tree::new(Planes::single(runtime.handle().clone()), clock);
    let limit = Limit::new(0, Duration::from_secs(1));
    let top = Supervisor::new(Strategy::OneForOne, limit).child(busy);
    runtime.block_on(tree.start(top)).unwrap();
    for bid in 0..4 {
        desk.refused((adx, tile), BidId::from_raw(bid));
    }
    desk.begin_anew((adx, other));
    desk.begin_anew((adx, tile));
    desk.begin_anew((adx, tile));
    drop(sending);
    runtime.block_on(tree.stop());
    let told: Vec<_> = told.try_iter().collect();
    let [refused @ .., last] = &*told else {
        panic!("nothing was told");
    };
    assert_eq!((refused, *last), (&["refused"; 4][..], "begin anew"));
}

#[test]
fn a_mark_stays_while_a_refusal_waits_or_counts() {
    let folder = Scratch::new();
    let place = (ExchangeKey::of("adx"), CreativeKey::of("tile"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (clock, _) = Clock::manual(NOW);
    let tree = Tree::new(Planes::single(runtime.handle().clone()), clock.clone());
    let parts = ApprovalParts {
        desk: ApprovalDesk::new([place.0]),
        file: folder.path().join(FILE_NAME),
        approval_first: Arc::new([]),
        shelf: Arc::new(shelf(Vec::new())),
        reaper: tree.reaper().clone(),
    };
    let is_marked = || parts.desk.marked().contains(&place);
    let mut keeper = Keeper::start(&parts, clock).unwrap();
    let (send, mailbox) = mpsc::sync_channel(4);
    parts.desk.marked().insert(place);
    let refusal = ApprovalMessage::Refused(place, BidId::from_raw(1));
    assert!(send.send(refusal).is_ok());
    let waited = keeper.unmark(&mailbox);
    assert!(is_marked(), "it waits");
    keeper.hear(waited.unwrap());
    assert!(keeper.unmark(&mailbox).is_none());
    assert!(is_marked(), "it counts");
    keeper.hear(ApprovalMessage::BeginAnew(place));
    assert!(keeper.unmark(&mailbox).is_none());
    assert!(!is_marked(), "nothing waits and nothing counts");
}
