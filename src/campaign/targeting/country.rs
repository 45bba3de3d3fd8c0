//! Countries by ISO 3166-1, as one small number each, since a request and a campaign may spell them differently.
//!
//! OpenRTB asks for alpha-3; many exchanges and most people write alpha-2. A [`Country`] is the place of its codes in
//! a table sorted by alpha-3, so it is also an index. Codes that ISO has not assigned are not countries here.

/// A country of ISO 3166-1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(u8);

/// Alpha-3 and alpha-2 of every assigned country, sorted by alpha-3, six bytes each with the space.
const TABLE: &[u8] = b"\
    ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT \
    AZEAZ BDIBI BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO \
    BRABR BRBBB BRNBN BTNBT BVTBV BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG \
    COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO \
    DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB \
    GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY \
    HKGHK HMDHM HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL ITAIT \
    JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY \
    LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH \
    MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA \
    NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE \
    PHLPH PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA \
    SDNSD SENSN SGPSG SGSGS SHNSH SJMSJ SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR \
    SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO \
    TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY USAUS UZBUZ VATVA VCTVC VENVE VGBVG \
    VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA ZMBZM ZWEZW ";

/// Bytes of one entry: `AAABB` and a space.
const STRIDE: usize = 6;

impl Country {
    /// How many countries there are, which bounds [`Country::index`].
    pub const COUNT: usize = TABLE.len() / STRIDE;

    /// A country from its alpha-3 or alpha-2 code, in any case; `None` for anything else.
    pub fn parse(code: &str) -> Option<Self> {
        match *code.as_bytes() {
            [a, b, c] => Self::from_alpha3([a, b, c].map(|byte| byte.to_ascii_uppercase())),
            [a, b] => Self::from_alpha2([a, b].map(|byte| byte.to_ascii_uppercase())),
            _ => None,
        }
    }

    /// The place of this country in a table of [`Country::COUNT`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The three letters, upper case.
    pub fn alpha3(self) -> &'static str {
        self.letters(0, 3)
    }

    /// The two letters, upper case.
    pub fn alpha2(self) -> &'static str {
        self.letters(3, 5)
    }

    fn from_alpha3(code: [u8; 3]) -> Option<Self> {
        let (entries, _) = TABLE.as_chunks::<STRIDE>();
        let place = entries
            .binary_search_by(|[a, b, c, ..]| [*a, *b, *c].cmp(&code))
            .ok()?;
        u8::try_from(place).ok().map(Self)
    }

    fn from_alpha2(code: [u8; 2]) -> Option<Self> {
        let [a, b] = code.map(|byte| usize::from(byte.wrapping_sub(b'A')));
        let place = *ALPHA2.get(a.min(26))?.get(b)?;
        (place != ABSENT).then_some(Self(place))
    }

    fn letters(self, from: usize, to: usize) -> &'static str {
        let start = self.index() * STRIDE;
        TABLE
            .get(start + from..start + to)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or("")
    }
}

/// No country: there are fewer than 255.
const ABSENT: u8 = u8::MAX;

/// The country of each pair of letters, so that an alpha-2 code costs one load.
static ALPHA2: [[u8; 26]; 26] = alpha2_table();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "computed by the compiler, which refuses an index or a count that does not fit"
)]
const fn alpha2_table() -> [[u8; 26]; 26] {
    const { assert!(TABLE.len().is_multiple_of(STRIDE) && Country::COUNT < ABSENT as usize) };
    let mut table = [[ABSENT; 26]; 26];
    let mut place = 0;
    while place < Country::COUNT {
        let start = place * STRIDE;
        let first = (TABLE[start + 3] - b'A') as usize;
        let second = (TABLE[start + 4] - b'A') as usize;
        table[first][second] = place as u8;
        place += 1;
    }
    table
}

impl std::fmt::Debug for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.alpha3())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_every_country_lead_to_it() {
        for index in 0..Country::COUNT {
            let country = Country(u8::try_from(index).unwrap());
            assert_eq!(Country::parse(country.alpha3()), Some(country));
            assert_eq!(Country::parse(country.alpha2()), Some(country));
        }
        assert_eq!(Country::parse("sgp"), Country::parse("SG"));
        assert_eq!(Country::parse("de").map(Country::alpha3), Some("DEU"));
    }

    #[test]
    fn what_iso_has_not_assigned_is_no_country() {
        for code in ["", "X", "XX", "ZZZ", "UK", "SGPX", "é", "1A", "s1"] {
            assert_eq!(Country::parse(code), None, "{code}");
        }
    }
}
