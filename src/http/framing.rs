//! Whether a chunked request is framed beyond doubt (RFC 9112 §6.3).
//!
//! A request with both `Transfer-Encoding` and `Content-Length` is how requests are smuggled past a proxy that reads
//! the other one. hyper believes the former and forgets the latter, so the bytes of the head are looked at again, from
//! the copy that `watch` keeps. Only chunked requests pay for it. What the copy does not show for certain is refused.

use hyper::{HeaderMap, Method, StatusCode, header};

/// Checks a request that has a `Transfer-Encoding`.
///
/// `copy` is what was read from the socket for this head, `headers` what hyper made of it (it drops a
/// `Content-Length` that it does not believe, so a header that is missing there is a conflict).
///
/// # Errors
/// 400 where the framing is ambiguous or the transfer coding is other than chunked: a 501 would be true as well, but what a
/// peer sends is never our failure. The connection has to close.
pub(super) fn check_chunked(
    copy: &[u8],
    method: &Method,
    headers: &HeaderMap,
) -> Result<(), StatusCode> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let chunked = codings
        .next()
        .is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    if !chunked || codings.next().is_some() {
        return Err(StatusCode::BAD_REQUEST);
    }
    let certain = starts_with_method(copy, method) && count_headers(copy) == Some(headers.len());
    if certain {
        Ok(())
    } else {
        Err(StatusCode::BAD_REQUEST)
    }
}

/// Whether the copy begins where the head does, after the empty lines that a server forgives.
fn starts_with_method(copy: &[u8], method: &Method) -> bool {
    let start = copy
        .iter()
        .position(|byte| !matches!(byte, b'\r' | b'\n'))
        .unwrap_or(0);
    copy.get(start..)
        .and_then(|head| head.strip_prefix(method.as_str().as_bytes()))
        .is_some_and(|rest| rest.first() == Some(&b' '))
}

/// How many header lines stand before the empty line; `None` if the copy has no empty line, or a length among them.
fn count_headers(copy: &[u8]) -> Option<usize> {
    let mut lines = copy
        .split_inclusive(|byte| *byte == b'\n')
        .skip_while(|line| line.trim_ascii().is_empty())
        .skip(1);
    let mut count: usize = 0;
    loop {
        let line = lines.next()?.strip_suffix(b"\n")?;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Some(count);
        }
        let name = line.split(|byte| *byte == b':').next()?;
        if name.eq_ignore_ascii_case(b"content-length") {
            return None;
        }
        count = count.checked_add(1)?;
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(names: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in names {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    fn check(copy: &str, names: &[(&'static str, &'static str)]) -> Result<(), StatusCode> {
        check_chunked(copy.as_bytes(), &Method::POST, &headers(names))
    }

    const PLAIN: &[(&str, &str)] = &[("host", "b"), ("transfer-encoding", "chunked")];

    #[test]
    fn a_chunked_request_alone_passes() {
        let copy = "POST /bid HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc";
        assert_eq!(check(copy, PLAIN), Ok(()));
        assert_eq!(check(&format!("\r\n{copy}"), PLAIN), Ok(()));
    }

    #[test]
    fn a_length_beside_it_is_refused_in_either_order() {
        let after =
            "POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\ncontent-LENGTH: 4\r\n\r\n";
        let before =
            "POST / HTTP/1.1\r\nContent-Length: 4\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(check(after, PLAIN), Err(StatusCode::BAD_REQUEST));
        assert_eq!(check(before, PLAIN), Err(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn what_the_copy_does_not_show_is_refused() {
        let cut = "POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n";
        let tail = "Transfer-Encoding: chunked\r\nHost: b\r\n\r\n";
        // The first half of this head came with the request before it, and hid a length.
        let disguised = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
        for copy in [cut, tail, disguised, ""] {
            assert_eq!(check(copy, PLAIN), Err(StatusCode::BAD_REQUEST), "{copy:?}");
        }
    }

    #[test]
    fn another_transfer_coding_is_not_implemented() {
        let copy = "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
        let names = [("transfer-encoding", "gzip, chunked")];
        assert_eq!(check(copy, &names), Err(StatusCode::BAD_REQUEST));
    }
}
