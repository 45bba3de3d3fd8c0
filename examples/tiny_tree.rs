//! A tree of two children on one page: run it with `cargo run --example tiny_tree`.
//!
//! `greeter` is a server that crashes on a name it does not like, and comes back. `shout` is a stage: it is called inline,
//! on the caller's thread, and comes back just the same. Over three crashes in five seconds the tree gives up.

use std::io::{Write, stdout};
use std::time::Duration;

use bidtree::clock::Clock;
use bidtree::supervision::{
    Address, Context, Exit, Failure, Limit, Plane, Planes, Reply, Server, Stage, Strategy,
    Supervisor, Tree, install_panic_hook, server, stage,
};

struct Greeter {
    greeted: u32,
}

struct Greet(&'static str, Reply<String>);

impl Server for Greeter {
    type Message = Greet;

    async fn handle(
        &mut self,
        Greet(name, reply): Greet,
        _context: &Context,
    ) -> Result<(), Failure> {
        if name.is_empty() {
            return Err(Failure::new("nobody to greet"));
        }
        self.greeted += 1;
        reply.send(format!("hello, {name}: you are number {}", self.greeted));
        Ok(())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Exit> {
    install_panic_hook();
    let (greeter, shout) = (Address::new(), Stage::new());
    let plan = Supervisor::new(Strategy::OneForOne, Limit::new(3, Duration::from_secs(5)))
        .child(server("greeter", &greeter, Plane::Control, 16, |_| async {
            Ok(Greeter { greeted: 0 })
        }))
        .child(stage("shout", &shout, || Ok(3_usize)));
    let tree = Tree::new(
        Planes::single(tokio::runtime::Handle::current()),
        Clock::system(),
    );
    tree.start(plan).await?;

    let mut out = stdout();
    for name in ["Anna", "Berta", "", "Carla"] {
        let answer = greeter.call(|reply| Greet(name, reply)).await;
        writeln!(out, "{name:>6}: {answer:?}").ok();
        // The one that is started again counts from the beginning.
        tokio::task::yield_now().await;
    }
    let loud =
        |text: &'static str| shout.call(move |marks| format!("{text}{}", "!".repeat(*marks)));
    writeln!(out, "{:?}", loud("fire")).ok();
    writeln!(
        out,
        "{:?}",
        shout.call(|_| -> String { panic!("out of breath") })
    )
    .ok();
    writeln!(out, "{:?}", loud("fire again")).ok();

    for place in tree.snapshot().await {
        writeln!(
            out,
            "{} is {} after {} restarts; last end: {:?}",
            place.path, place.state, place.restarts, place.last_exit
        )
        .ok();
    }
    tree.stop().await;
    Ok(())
}
