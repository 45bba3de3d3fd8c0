//! Fail points, as the admin port takes and shows them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::chaos::{Act, Armed, Charge, STALL_MAX};
use crate::http::parameter;

/// Reads what is to be armed from a query such as `do=panic&one_in=3&times=5&id_prefix=poison-` or `do=stall&ms=50`;
/// `None` is `do=off`.
///
/// # Errors
/// What is wrong with it, and what is right.
pub(super) fn charge(query: Option<&str>) -> Result<Option<Charge>, String> {
    let query = query.unwrap_or_default();
    let text = |name: &str| parameter(query, name).map(|value| value.to_string());
    let number = |name: &str, otherwise: u32| match text(name) {
        None => Ok(otherwise),
        Some(value) => match value.parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(format!("{name} = {value:?}: a whole number from 1")),
        },
    };
    let act = match text("do").as_deref() {
        Some("off") => return Ok(None),
        Some("panic") => Act::Panic,
        Some("error") => Act::Error,
        Some("stall") => {
            let long = Duration::from_millis(number("ms", 100)?.into());
            if long > STALL_MAX {
                return Err(format!("ms: at most {}", STALL_MAX.as_millis()));
            }
            Act::Stall(long)
        }
        other => {
            let other = other.unwrap_or_default();
            return Err(format!("do = {other:?}: panic, error, stall or off"));
        }
    };
    Ok(Some(Charge {
        act,
        one_in: number("one_in", 1)?,
        times: number("times", u32::MAX)?,
        id_prefix: text("id_prefix").unwrap_or_default(),
    }))
}

/// Every point as JSON.
pub(super) fn as_json(points: &[Armed]) -> Value {
    points.iter().map(point).collect()
}

fn point(armed: &Armed) -> Value {
    json!({
        "name": &*armed.name,
        "fired": armed.fired,
        "armed": armed.charge.as_ref().map(|charge| json!({
            "do": match charge.act {
                Act::Panic => "panic",
                Act::Error => "error",
                Act::Stall(_) => "stall",
            },
            "ms": match charge.act {
                Act::Stall(long) => Some(u64::try_from(long.as_millis()).unwrap_or(u64::MAX)),
                Act::Panic | Act::Error => None,
            },
            "one_in": charge.one_in,
            "times": charge.times,
            "id_prefix": charge.id_prefix,
        })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_is_armed() {
        let read = charge(Some("do=panic&one_in=3&times=5&id_prefix=poison-")).unwrap();
        let expected = Charge {
            act: Act::Panic,
            one_in: 3,
            times: 5,
            id_prefix: "poison-".to_owned(),
        };
        assert_eq!(read, Some(expected));
        let stall = charge(Some("do=stall&ms=50")).unwrap().unwrap();
        assert_eq!(stall.act, Act::Stall(Duration::from_millis(50)));
        assert_eq!(charge(Some("do=off")), Ok(None));
    }

    #[test]
    fn a_wrong_query_is_refused_with_what_is_right() {
        for (query, said) in [
            ("", "panic, error, stall or off"),
            ("do=explode", "explode"),
            ("do=panic&one_in=0", "one_in"),
            ("do=panic&times=many", "many"),
            ("do=stall&ms=60000", "at most 10000"),
        ] {
            let fault = charge(Some(query)).unwrap_err();
            assert!(fault.contains(said), "{query}: {fault}");
        }
    }
}
