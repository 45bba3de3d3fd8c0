//! Paths and methods, as a constant table that a service declares. First match wins.
//!
//! A pattern is a path, with at most one `*` that stands for one or more characters, slashes included:
//! `/tree/*/kill` matches `/tree/exchanges/adx/kill`, with the tail `exchanges/adx`.

use hyper::header::{ALLOW, HeaderValue};
use hyper::{Method, StatusCode};

use super::service::Answer;

/// One entry of a service's table.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pattern: &'static str,
    methods: Methods,
}

/// The methods a path takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Methods {
    /// GET, and HEAD with it.
    Get,
    /// POST.
    Post,
    /// GET, HEAD and POST.
    GetOrPost,
}

/// Where a request goes: the number of its route in the table, and what `*` stood for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Match<'a> {
    pub(super) route: usize,
    pub(super) tail: &'a str,
}

impl Route {
    /// An entry: requests for `pattern` by `methods`.
    pub const fn new(pattern: &'static str, methods: Methods) -> Self {
        Self { pattern, methods }
    }

    /// Its pattern.
    pub const fn pattern(&self) -> &'static str {
        self.pattern
    }

    /// The methods it takes.
    pub const fn methods(&self) -> Methods {
        self.methods
    }

    /// What `*` stands for in `path`, the empty string where the pattern has none; `None` if they do not match.
    fn tail<'p>(&self, path: &'p str) -> Option<&'p str> {
        let Some((before, after)) = self.pattern.split_once('*') else {
            return (self.pattern == path).then_some("");
        };
        let tail = path.strip_prefix(before)?.strip_suffix(after)?;
        (!tail.is_empty()).then_some(tail)
    }
}

impl Methods {
    fn take(self, method: &Method) -> bool {
        let get = *method == Method::GET || *method == Method::HEAD;
        let post = *method == Method::POST;
        match self {
            Self::Get => get,
            Self::Post => post,
            Self::GetOrPost => get || post,
        }
    }

    fn allow(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Get => "GET, HEAD",
            Self::Post => "POST",
            Self::GetOrPost => "GET, HEAD, POST",
        })
    }
}

/// Finds a request's route. The refusal is 404, or 405 with `Allow` where only the method is wrong.
pub(super) fn find<'p>(
    table: &[Route],
    method: &Method,
    path: &'p str,
) -> Result<Match<'p>, Answer> {
    let mut allowed = None;
    for (number, route) in table.iter().enumerate() {
        let Some(tail) = route.tail(path) else {
            continue;
        };
        if route.methods.take(method) {
            return Ok(Match {
                route: number,
                tail,
            });
        }
        allowed = Some(route.methods.allow());
    }
    Err(match allowed {
        Some(methods) => Answer::empty(StatusCode::METHOD_NOT_ALLOWED).with_header(ALLOW, methods),
        None => Answer::empty(StatusCode::NOT_FOUND),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Route] = &[
        Route::new("/bid", Methods::Post),
        Route::new("/tree", Methods::Get),
        Route::new("/tree/*/kill", Methods::Post),
        Route::new("/win", Methods::GetOrPost),
    ];

    fn status(method: &Method, path: &str) -> Option<StatusCode> {
        find(TABLE, method, path)
            .err()
            .map(|answer| answer.status())
    }

    #[test]
    fn a_path_is_found_by_its_method() {
        let bid = Match { route: 0, tail: "" };
        assert_eq!(find(TABLE, &Method::POST, "/bid").unwrap(), bid);
        assert_eq!(find(TABLE, &Method::HEAD, "/tree").unwrap().route, 1);
        assert_eq!(find(TABLE, &Method::GET, "/win").unwrap().route, 3);
    }

    #[test]
    fn a_star_takes_slashes_but_not_nothing() {
        let kill = find(TABLE, &Method::POST, "/tree/exchanges/adx/kill").unwrap();
        assert_eq!(
            kill,
            Match {
                route: 2,
                tail: "exchanges/adx"
            }
        );
        assert_eq!(
            status(&Method::POST, "/tree//kill"),
            Some(StatusCode::NOT_FOUND)
        );
        assert_eq!(
            status(&Method::POST, "/tree/kill"),
            Some(StatusCode::NOT_FOUND)
        );
    }

    #[test]
    fn an_unknown_path_is_404_and_a_wrong_method_405_with_what_is_allowed() {
        assert_eq!(
            status(&Method::POST, "/nothing"),
            Some(StatusCode::NOT_FOUND)
        );
        let refusal = find(TABLE, &Method::DELETE, "/bid").unwrap_err();
        assert_eq!(refusal.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(refusal.header(&ALLOW).unwrap(), "POST");
    }
}
