//! The messages of Pexip's event sink, version 2: single events and bulk.

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use vestibule_launch::{Role, UnixTime};
use vestibule_store::EventId;

use super::event::{Conference, Event, EventData, Participant, Whereabouts, second};

/// Longest name of a node, in bytes.
const LONGEST_NODE: usize = 255;

/// Longest texts that are kept, in characters: the limit of Pexip's status pages.
const LONGEST_TEXT: usize = 1000;

/// What a message holds.
#[derive(Debug, Default)]
pub struct SinkMessage {
    /// The events that matter here, in order.
    pub events: Vec<Event>,
    /// How many events there are of a kind that does not matter here.
    pub ignored: usize,
    /// How many events there are that cannot be read. They are not asked for again: the
    /// node would send them for ever, and nothing after them.
    pub unreadable: usize,
}

/// The body is not JSON of the event sink's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body is not a message of Pexip's event sink")]
pub struct NotASinkMessage;

impl SinkMessage {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// Where it is no JSON object with an `event`.
    pub fn parse(body: &[u8]) -> Result<Self, NotASinkMessage> {
        let whole: Value = serde_json::from_slice(body).map_err(|_| NotASinkMessage)?;
        let kind = whole.get("event").and_then(Value::as_str);
        let mut message = Self::default();
        match kind.ok_or(NotASinkMessage)? {
            "eventsink_bulk" => {
                let events = whole.get("data").and_then(Value::as_array);
                for event in events.ok_or(NotASinkMessage)? {
                    message.add(event);
                }
            }
            _ => message.add(&whole),
        }
        Ok(message)
    }

    fn add(&mut self, event: &Value) {
        match read(event) {
            Some(Some(event)) => self.events.push(event),
            Some(None) => self.ignored += 1,
            None => self.unreadable += 1,
        }
    }
}

/// What every event has around its data.
#[derive(Deserialize)]
struct Envelope<'a> {
    node: &'a str,
    seq: u64,
    time: f64,
    event: &'a str,
}

/// `None` where the event cannot be read, `Some(None)` where it does not matter.
fn read(value: &Value) -> Option<Option<Event>> {
    let envelope = Envelope::deserialize(value).ok()?;
    let data = value.get("data");
    let conference = || ConferenceFields::deserialize(data?).ok();
    let participant = || ParticipantFields::deserialize(data?).ok()?.participant();
    let data = match envelope.event {
        "eventsink_started" => EventData::NodeStarted,
        "conference_started" => EventData::ConferenceStarted(conference()?.into()),
        "conference_updated" => EventData::ConferenceUpdated(conference()?.into()),
        "conference_ended" => EventData::ConferenceEnded(conference()?.into()),
        "participant_connected" => EventData::ParticipantConnected(participant()?),
        "participant_updated" => EventData::ParticipantUpdated(participant()?),
        "participant_disconnected" => EventData::ParticipantDisconnected(participant()?),
        _ => return Some(None),
    };
    let named = (1..=LONGEST_NODE).contains(&envelope.node.len());
    let at = time(envelope.time).filter(|_| named)?;
    Some(Some(Event {
        id: EventId {
            node: envelope.node.to_owned(),
            seq: envelope.seq,
            second: second(at),
        },
        at,
        data,
    }))
}

/// Seconds with a fraction, as the sink counts them; none outside the years that are
/// thinkable.
fn time(seconds: f64) -> Option<UnixTime> {
    const YEAR_2200: f64 = 7_258_118_400.0;
    #[expect(clippy::cast_possible_truncation, reason = "it is within bounds")]
    (0.0..YEAR_2200)
        .contains(&seconds)
        .then(|| UnixTime::from_millis((seconds * 1000.0).floor() as i64))
}

#[derive(Deserialize)]
struct ConferenceFields {
    name: String,
    tag: Option<String>,
}

impl From<ConferenceFields> for Conference {
    fn from(fields: ConferenceFields) -> Self {
        Self {
            name: fields.name,
            tag: fields.tag.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
struct ParticipantFields {
    uuid: String,
    conference: Option<String>,
    service_tag: Option<String>,
    destination_alias: Option<String>,
    display_name: Option<String>,
    role: Option<String>,
    service_type: Option<String>,
    disconnect_reason: Option<String>,
}

impl ParticipantFields {
    fn participant(self) -> Option<Participant> {
        let text = |text: Option<String>| -> String {
            let text = text.unwrap_or_default();
            text.chars().take(LONGEST_TEXT).collect()
        };
        Some(Participant {
            uuid: Uuid::parse_str(&self.uuid).ok()?,
            conference: text(self.conference),
            service_tag: text(self.service_tag),
            destination_alias: text(self.destination_alias),
            display_name: text(self.display_name),
            role: match self.role.as_deref() {
                Some("chair" | "host") => Some(Role::Host),
                Some("guest") => Some(Role::Guest),
                _ => None,
            },
            whereabouts: match self.service_type.as_deref() {
                Some("conference" | "lecture") => Whereabouts::Inside,
                Some("waiting_room") => Whereabouts::WaitingRoom,
                _ => Whereabouts::Outside,
            },
            disconnect_reason: self.disconnect_reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn envelope(event: &str, data: &Value) -> Value {
        json!({
            "node": "10.44.2.17", "seq": 3, "version": 2, "time": 1_800_000_000.999_9,
            "event": event, "data": data,
        })
    }

    fn parse(value: &Value) -> SinkMessage {
        SinkMessage::parse(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_participant_is_read_with_all_that_pexip_says() {
        let data = json!({
            "uuid": "50b956c8-9a63-4711-8630-3810f8666b04", "call_direction": "in",
            "call_id": "1", "call_tag": "", "conference": "Visit", "connect_time": null,
            "destination_alias": "telehealth.abc@example.org", "display_name": "Beverley",
            "role": "chair", "service_tag": "tag", "service_type": "conference",
            "rx_bandwidth": 512, "is_muted": false, "related_uuids": [],
        });
        let message = parse(&envelope("participant_connected", &data));
        let [event] = &message.events[..] else {
            panic!("{message:?}")
        };
        assert_eq!(event.id.node, "10.44.2.17");
        assert_eq!((event.id.seq, event.id.second), (3, 1_800_000_000));
        assert_eq!(event.at.as_millis(), 1_800_000_000_999);
        let EventData::ParticipantConnected(participant) = &event.data else {
            panic!("{event:?}")
        };
        assert_eq!(participant.role, Some(Role::Host));
        assert_eq!(participant.whereabouts, Whereabouts::Inside);
        assert_eq!(participant.destination_alias, "telehealth.abc@example.org");
        assert!(!format!("{message:?}").contains("Beverley"));
        assert!(!format!("{message:?}").contains("abc"));
    }

    #[test]
    fn bulk_is_read_in_order_and_what_is_unknown_or_unreadable_does_not_stop_it() {
        let conference = json!({"name": "Visit", "tag": "tag"});
        let bulk = json!({
            "event": "eventsink_bulk", "node": "127.0.0.1", "seq": 0, "version": 2,
            "data": [
                envelope("eventsink_started", &json!({})),
                envelope("conference_started", &conference),
                envelope("participant_media_stream_window", &json!({"uuid": 1})),
                envelope("conference_started", &json!({})),
                envelope("participant_connected", &json!({"uuid": "no uuid"})),
                {"event": "conference_ended", "data": conference},
                7,
                envelope("conference_ended", &conference),
            ],
        });
        let message = parse(&bulk);
        let names: Vec<_> = message.events.iter().map(Event::name).collect();
        assert_eq!(
            names,
            [
                "eventsink_started",
                "conference_started",
                "conference_ended"
            ]
        );
        assert_eq!((message.ignored, message.unreadable), (1, 4));
    }

    #[test]
    fn impossible_nodes_and_times_make_an_event_unreadable() {
        let conference = json!({"name": "Visit", "tag": null});
        for (key, value) in [
            ("node", json!("")),
            ("node", json!("n".repeat(256))),
            ("time", json!(-1.0)),
            ("time", json!(1e30)),
            ("time", json!("now")),
            ("seq", json!(-1)),
        ] {
            let mut event = envelope("conference_started", &conference);
            assert_eq!(parse(&event).events.len(), 1);
            event[key] = value;
            assert_eq!(parse(&event).unreadable, 1, "{event}");
        }
    }

    #[test]
    fn a_body_of_another_shape_is_refused() {
        for body in [
            "",
            "[]",
            "{}",
            "{\"event\": 1}",
            "{\"event\": \"eventsink_bulk\"}",
        ] {
            let refused = SinkMessage::parse(body.as_bytes()).unwrap_err();
            assert_eq!(refused, NotASinkMessage, "{body}");
        }
    }
}
