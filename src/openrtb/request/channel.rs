//! Where the ad would be shown: site, app or screen (OpenRTB 2.6, sections 3.2.13 to 3.2.16 and 3.2.36).

use serde::de::MapAccess;

use crate::openrtb::lenient::{Flag, Object, Text, TextList, read, skip};

/// Which of the three a channel is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelKind {
    /// A web site.
    #[default]
    Site,
    /// An app.
    App,
    /// A screen outside the home.
    Dooh,
}

/// A site, an app or a screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Channel<'a> {
    /// Which of the three it is.
    pub kind: ChannelKind,
    /// The exchange's id of it.
    pub id: Option<Text<'a>>,
    /// Its name.
    pub name: Option<Text<'a>>,
    /// Its domain (of an app: its developer's).
    pub domain: Option<Text<'a>>,
    /// App: store id, a number on iOS and a package name on Android.
    pub bundle: Option<Text<'a>>,
    /// App: where the store offers it.
    pub storeurl: Option<Text<'a>>,
    /// Taxonomy of the categories; 1 where absent.
    pub cattax: Option<u32>,
    /// Categories of the whole.
    pub cat: TextList<'a>,
    /// Categories of the section.
    pub sectioncat: TextList<'a>,
    /// Categories of the page or view.
    pub pagecat: TextList<'a>,
    /// Site: address of the page.
    pub page: Option<Text<'a>>,
    /// Site: made for mobile.
    pub mobile: Flag,
    /// Screen: kinds of venue.
    pub venuetype: TextList<'a>,
    /// Who is paid.
    pub publisher: Publisher<'a>,
    /// What is being read, watched or heard.
    pub content: Content<'a>,
}

/// A publisher.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Publisher<'a> {
    /// The seller id in the exchange's sellers.json.
    pub id: Option<Text<'a>>,
    /// Its name.
    pub name: Option<Text<'a>>,
    /// Its domain.
    pub domain: Option<Text<'a>>,
}

/// The content around the ad.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content<'a> {
    /// Its id.
    pub id: Option<Text<'a>>,
    /// Its title.
    pub title: Option<Text<'a>>,
    /// Series it belongs to.
    pub series: Option<Text<'a>>,
    /// Genre.
    pub genre: Option<Text<'a>>,
    /// Taxonomy of `cat`; 1 where absent.
    pub cattax: Option<u32>,
    /// Categories.
    pub cat: TextList<'a>,
    /// Rating, such as a film's.
    pub contentrating: Option<Text<'a>>,
    /// Live rather than on demand.
    pub livestream: Flag,
    /// Length, in seconds.
    pub len_s: Option<u32>,
    /// Language, ISO 639-1.
    pub language: Option<Text<'a>>,
    /// Language, BCP 47.
    pub langb: Option<Text<'a>>,
}

impl<'de> Object<'de> for Channel<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.id = read(map)?,
            "name" => self.name = read(map)?,
            "domain" => self.domain = read(map)?,
            "bundle" => self.bundle = read(map)?,
            "storeurl" => self.storeurl = read(map)?,
            "cattax" => self.cattax = read(map)?,
            "cat" => self.cat = read(map)?,
            "sectioncat" => self.sectioncat = read(map)?,
            "pagecat" => self.pagecat = read(map)?,
            "page" => self.page = read(map)?,
            "mobile" => self.mobile = read(map)?,
            // The spec's own examples spell it both ways.
            "venuetype" | "venuetypeid" => self.venuetype = read(map)?,
            "publisher" => self.publisher = read(map)?,
            "content" => self.content = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Publisher<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.id = read(map)?,
            "name" => self.name = read(map)?,
            "domain" => self.domain = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}

impl<'de> Object<'de> for Content<'de> {
    fn field<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "id" => self.id = read(map)?,
            "title" => self.title = read(map)?,
            "series" => self.series = read(map)?,
            "genre" => self.genre = read(map)?,
            "cattax" => self.cattax = read(map)?,
            "cat" => self.cat = read(map)?,
            "contentrating" => self.contentrating = read(map)?,
            "livestream" => self.livestream = read(map)?,
            "len" => self.len_s = read(map)?,
            "language" => self.language = read(map)?,
            "langb" => self.langb = read(map)?,
            _ => skip(map)?,
        }
        Ok(())
    }
}
