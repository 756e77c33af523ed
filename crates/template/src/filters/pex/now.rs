//! The function `pex_now`.

use jiff::{
    Timestamp,
    tz::{TimeZone, TimeZoneDatabase},
};
use minijinja::{Error, State, Value};

use super::ambient;
use crate::{arguments::bind, error::Fault, python};

/// The longest name of a time zone.
const MAX_ZONE_BYTES: usize = 64;

/// `pex_now(timezone="UTC")`: the time by the clocks of a zone of the IANA database, with
/// the fields year, month, day, hour, minute, second and microsecond.
pub(super) fn now(state: &mut State, value: &Value, arguments: Vec<Value>) -> Result<Value, Error> {
    let mut all = vec![value.clone()];
    all.retain(|value| !value.is_undefined());
    all.extend(arguments);
    let [zone] = bind(all, ["timezone"])?;
    let zone = match zone {
        Some(zone) => python::text(state, &zone)?,
        None => "UTC".to_owned(),
    };
    let now = ambient::now(state)?;
    let unknown = || Fault::operation("pex_now knows no such time zone");
    if zone.len() > MAX_ZONE_BYTES {
        return Err(unknown());
    }
    let zone = if zone == "UTC" {
        TimeZone::UTC
    } else {
        TimeZoneDatabase::bundled()
            .get(&zone)
            .map_err(|_| unknown())?
    };
    let too_late = || Fault::operation("the time is out of range");
    let microseconds = i64::try_from(now.as_micros()).map_err(|_| too_late())?;
    let time = Timestamp::from_microsecond(microseconds)
        .map_err(|_| too_late())?
        .to_zoned(zone);
    let microsecond = time.subsec_nanosecond() / 1000;
    let fields = [
        ("year", i32::from(time.year())),
        ("month", i32::from(time.month())),
        ("day", i32::from(time.day())),
        ("hour", i32::from(time.hour())),
        ("minute", i32::from(time.minute())),
        ("second", i32::from(time.second())),
        ("microsecond", microsecond),
    ];
    Ok(Value::from_pairs(fields))
}
