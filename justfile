# What contributors and CI run. Everything here works without a network once dependencies are fetched.

# Formatting, lints, documentation, tests.
check: format lint doc test

format:
    cargo fmt --all --check

lint:
    cargo clippy --workspace --all-targets -- -D warnings

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

test:
    cargo test --workspace

# The server on the sample configuration.
serve:
    cargo run --release

# Thirty seconds of simulated traffic against a running server.
load scenario="steady":
    cargo run --release -p bidtree-load -- run {{scenario}}

# CPU per bid request against a bare server that answers the same bytes.
bench:
    cargo run --release -p bidtree-load -- compare
