//! Of which days an appointment is.

use std::time::Duration;

use vestibule_launch::Clock as _;
use vestibule_server::clock::rfc3339;

use super::SETUP;
use crate::house::House;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl House {
    /// The day, in UTC.
    fn today(&self) -> String {
        rfc3339(self.clock.now())[..10].to_owned()
    }
}

#[tokio::test]
async fn an_appointment_is_of_each_day_on_which_it_took_place() {
    let house = House::open(SETUP).await;
    let first = house.today();
    house.visit().await;
    house.clock.advance(DAY);
    let between = house.today();
    house.clock.advance(3 * DAY);
    let again = house.today();
    house.patient().await;
    house.clock.advance(DAY);
    let after = house.today();
    let signed = house.sign_in("vic").await;
    for (from, to, is_listed) in [
        (&first, &first, true),
        (&between, &between, false),
        (&first, &between, true),
        (&again, &again, true),
        (&between, &after, true),
        (&after, &after, false),
    ] {
        let days = format!("from={from}&to={to}");
        let page = signed.text(&format!("/admin/appointments?{days}")).await;
        assert!(page.contains("Launched or attended from (UTC)"), "{page}");
        let listed = page.contains("href=\"/admin/appointments/1\"");
        assert_eq!(listed, is_listed, "{days}: {page}");
        let csv = signed
            .text(&format!("/admin/appointments.csv?{days}"))
            .await;
        assert_eq!(csv.lines().count() > 1, is_listed, "{days}: {csv}");
    }
    house.end().await;
}
