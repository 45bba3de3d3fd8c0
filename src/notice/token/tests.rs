use proptest::prelude::*;

use super::*;

fn key(id: u8) -> TokenKey {
    TokenKey {
        id,
        bytes: [id; 32],
    }
}

fn token(count: u64, deal: Option<String>, user: Option<u64>) -> Token {
    Token {
        bid: BidId::new(7, 1, count),
        imp: 3,
        campaign: CampaignKey::of("sg-shoes"),
        creative: CreativeKey::of("shoes-300x250"),
        advertiser: AdvertiserKey::of("shoes"),
        region: RegionKey::of("sg"),
        exchange: ExchangeKey::of("adx"),
        currency: Currency::USD,
        rate: Rate::ONE,
        margin_per_mille: 150,
        day: BudgetDay::new(20_777),
        epoch: Epoch::new(9),
        reserved: Nanos::new(2_875_000),
        price_max: Cpm::from_micros(2_500_000),
        hold: 1,
        expires_at: LedgerTime::from_millis(1_800_000_000_000),
        bid_at: UnixMillis::new(1_799_999_700_000),
        billing: BillingEvent::Impression,
        test: false,
        user: user.map(UserKey::from_raw),
        deal,
    }
}

fn seal(sealer: &Sealer, token: &Token) -> String {
    let mut out = Vec::new();
    sealer.seal_into(token, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn what_is_sealed_is_opened_and_needs_no_escaping_in_a_url() {
    let sealer = Sealer::new(&key(1), &[]);
    for (deal, user) in [
        (None, None),
        (Some("deal-1".to_owned()), Some(5)),
        (Some("d".repeat(64)), Some(0)),
    ] {
        let token = token(1, deal, user);
        let text = seal(&sealer, &token);
        assert!(text.len() <= TEXT_BYTES_MAX);
        assert!(
            text.chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        );
        assert_eq!(sealer.open(&text), Ok(token));
    }
}

#[test]
fn a_former_key_opens_what_it_sealed_and_a_forgotten_one_does_not() {
    let old = seal(&Sealer::new(&key(1), &[]), &token(1, None, None));
    assert!(Sealer::new(&key(2), &[key(1)]).open(&old).is_ok());
    assert_eq!(
        Sealer::new(&key(2), &[]).open(&old),
        Err(TokenError::UnknownKey(1))
    );
}

#[test]
fn the_same_id_with_another_key_is_a_forgery() {
    let sealed = seal(&Sealer::new(&key(1), &[]), &token(1, None, None));
    let other = Sealer::new(
        &TokenKey {
            id: 1,
            bytes: [9; 32],
        },
        &[],
    );
    assert_eq!(other.open(&sealed), Err(TokenError::Forged));
}

#[test]
fn two_bids_that_are_alike_have_tokens_that_are_not() {
    let sealer = Sealer::new(&key(1), &[]);
    let (one, two) = (
        seal(&sealer, &token(1, None, None)),
        seal(&sealer, &token(2, None, None)),
    );
    let alike = one
        .bytes()
        .zip(two.bytes())
        .skip(28)
        .filter(|(a, b)| a == b)
        .count();
    assert!(
        alike < 20,
        "{alike} of {} characters are the same",
        one.len()
    );
}

proptest! {
    #[test]
    fn one_changed_character_is_always_refused(at in 0_usize..190, with in 0_u8..64) {
        let sealer = Sealer::new(&key(1), &[]);
        let mut text = seal(&sealer, &token(1, None, Some(5))).into_bytes();
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let at = at % text.len();
        let before = text[at];
        text[at] = alphabet[usize::from(with)];
        prop_assume!(text[at] != before);
        let opened = sealer.open(std::str::from_utf8(&text).unwrap());
        prop_assert!(opened.is_err());
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,400}") {
        let sealer = Sealer::new(&key(1), &[]);
        prop_assert!(sealer.open(&text).is_err());
    }
}
