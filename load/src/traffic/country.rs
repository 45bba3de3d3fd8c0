//! The countries that simulated people live in.

/// A country as requests describe it.
#[derive(Debug)]
pub struct Country {
    /// ISO 3166-1 alpha-3, as `OpenRTB` wants it.
    pub alpha3: &'static str,
    /// ISO 3166-1 alpha-2, as some exchanges send it.
    pub alpha2: &'static str,
    /// Its largest city.
    pub city: &'static str,
    /// Its main language (ISO 639-1).
    pub language: &'static str,
    /// Latitude and longitude of that city, in degrees.
    pub place: (f64, f64),
    /// Minutes ahead of UTC.
    pub utc_offset_minutes: i32,
    /// A mobile operator.
    pub carrier: &'static str,
}

const fn row(
    codes: (&'static str, &'static str),
    city: &'static str,
    language: &'static str,
    (lat, lon, utc_offset_minutes): (f64, f64, i32),
    carrier: &'static str,
) -> Country {
    Country {
        alpha3: codes.0,
        alpha2: codes.1,
        city,
        language,
        place: (lat, lon),
        utc_offset_minutes,
        carrier,
    }
}

const COUNTRIES: &[Country] = &[
    row(
        ("SGP", "SG"),
        "Singapore",
        "en",
        (1.35, 103.82, 480),
        "525-01",
    ),
    row(
        ("IDN", "ID"),
        "Jakarta",
        "id",
        (-6.21, 106.85, 420),
        "510-10",
    ),
    row(
        ("THA", "TH"),
        "Bangkok",
        "th",
        (13.76, 100.5, 420),
        "520-03",
    ),
    row(
        ("USA", "US"),
        "New York",
        "en",
        (40.71, -74.01, -300),
        "310-410",
    ),
    row(("DEU", "DE"), "Berlin", "de", (52.52, 13.4, 60), "262-01"),
    row(("JPN", "JP"), "Tokyo", "ja", (35.68, 139.69, 540), "440-10"),
    row(("GBR", "GB"), "London", "en", (51.51, -0.13, 0), "234-15"),
    row(("IND", "IN"), "Mumbai", "hi", (19.08, 72.88, 330), "404-45"),
    row(
        ("AUS", "AU"),
        "Sydney",
        "en",
        (-33.87, 151.21, 600),
        "505-01",
    ),
    row(
        ("BRA", "BR"),
        "São Paulo",
        "pt",
        (-23.55, -46.63, -180),
        "724-06",
    ),
    row(("FRA", "FR"), "Paris", "fr", (48.86, 2.35, 60), "208-01"),
    row(("VNM", "VN"), "Hanoi", "vi", (21.03, 105.85, 420), "452-04"),
    row(
        ("MYS", "MY"),
        "Kuala Lumpur",
        "ms",
        (3.139, 101.69, 480),
        "502-12",
    ),
    row(("PHL", "PH"), "Manila", "tl", (14.6, 120.98, 480), "515-02"),
];

/// The country with an alpha-3 code.
pub fn country(alpha3: &str) -> Option<&'static Country> {
    COUNTRIES.iter().find(|country| country.alpha3 == alpha3)
}

/// The alpha-3 codes known here.
pub fn country_codes() -> Vec<&'static str> {
    COUNTRIES.iter().map(|country| country.alpha3).collect()
}
