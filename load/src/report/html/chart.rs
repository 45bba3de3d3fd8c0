//! One plot over time, as SVG: lines or stacked areas, marks, and the numbers of a second under the pointer.

use super::scale::{Scale, number, step};
use super::{escaped, put};
use crate::marks::{Mark, MarkKind};

const HEIGHT: f64 = 190.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 22.0;
/// From one label of the time axis to the next, at least.
const PIXELS_A_TICK: f64 = 80.0;

/// A plot.
pub(super) struct Chart<'a> {
    pub(super) title: &'a str,
    /// What its numbers are.
    pub(super) unit: &'a str,
    pub(super) width: Width,
    /// Where the time axis ends.
    pub(super) seconds: f64,
    /// The instants of the points, in seconds.
    pub(super) times: &'a [f64],
    pub(super) lines: Vec<Line>,
    pub(super) shape: Shape,
    pub(super) marks: &'a [Mark],
}

/// How wide a chart is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// The page.
    Full,
    /// Half of it, beside another.
    Half,
}

/// What a chart draws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Lines from nothing.
    Lines,
    /// Lines by orders of magnitude.
    LogLines,
    /// Areas on top of each other.
    Stack,
}

/// Values over time.
pub(super) struct Line {
    pub(super) name: String,
    /// A class of the style sheet: `s1` to `s6` for lines, `a1` to `a4` for areas.
    pub(super) class: &'static str,
    /// One for each time; where there is none, the line has a gap.
    pub(super) values: Vec<Option<f64>>,
}

impl Chart<'_> {
    /// Writes the whole figure.
    pub(super) fn write(&self, out: &mut String) {
        put!(
            out,
            "<figure>\n<figcaption><h3>{} <small>{}</small></h3><span class=\"legend\">",
            escaped(self.title),
            escaped(self.unit)
        );
        for line in &self.lines {
            let (class, name) = (line.class, escaped(&line.name));
            put!(out, "<span><i class=\"{class}\"></i>{name}</span>");
        }
        for kind in [MarkKind::Fault, MarkKind::Restart, MarkKind::Trouble] {
            if self.marks.iter().any(|mark| mark.kind == kind) {
                let name = kind.name();
                put!(out, "<span><i class=\"{name}\"></i>{name}</span>");
            }
        }
        put!(
            out,
            "</span></figcaption>\n<svg viewBox=\"0 0 {} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n",
            self.width(),
            escaped(self.title)
        );
        let scale = self.scale();
        self.axes(out, scale);
        if self.shape == Shape::Stack {
            self.areas(out, scale);
        } else {
            self.paths(out, scale);
        }
        self.draw_marks(out);
        self.hovers(out);
        out.push_str("</svg>\n</figure>\n");
    }

    fn scale(&self) -> Scale {
        let all = self
            .lines
            .iter()
            .flat_map(|line| line.values.iter().flatten());
        let highest = all.clone().copied().fold(0.0, f64::max);
        match self.shape {
            Shape::Lines => Scale::linear(highest),
            Shape::LogLines => {
                let positive = all.copied().filter(|value| *value > 0.0);
                let lowest = positive.fold(f64::INFINITY, f64::min);
                Scale::log(if lowest.is_finite() { lowest } else { 1.0 }, highest)
            }
            Shape::Stack => {
                let places = 0..self.times.len();
                let sums = places.map(|place| self.below(self.lines.len(), place));
                Scale::linear(sums.fold(0.0, f64::max))
            }
        }
    }

    /// What the first lines make together at one time.
    fn below(&self, lines: usize, place: usize) -> f64 {
        let lines = self.lines.iter().take(lines);
        lines.filter_map(|line| *line.values.get(place)?).sum()
    }

    fn width(&self) -> f64 {
        match self.width {
            Width::Full => 860.0,
            Width::Half => 416.0,
        }
    }

    fn x(&self, seconds: f64) -> f64 {
        LEFT + (self.width() - LEFT) * (seconds / self.seconds.max(1e-9)).clamp(0.0, 1.0)
    }

    fn axes(&self, out: &mut String, scale: Scale) {
        for tick in scale.ticks() {
            let y = y(scale.place(tick));
            put!(
                out,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                self.width(),
                LEFT - 6.0,
                y + 4.0,
                number(tick)
            );
        }
        let ticks = self.width() / PIXELS_A_TICK;
        let step = step(self.seconds / ticks).max(1.0);
        let mut tick = 0.0;
        while tick <= self.seconds {
            put!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
                self.x(tick),
                HEIGHT - 5.0,
                clock(tick)
            );
            tick += step;
        }
    }

    fn paths(&self, out: &mut String, scale: Scale) {
        for line in &self.lines {
            let mut path = String::new();
            let mut pen = 'M';
            for (time, value) in self.times.iter().zip(&line.values) {
                let Some(value) = value else {
                    pen = 'M';
                    continue;
                };
                put!(
                    path,
                    "{pen}{:.1} {:.1}",
                    self.x(*time),
                    y(scale.place(*value))
                );
                pen = 'L';
            }
            put!(out, "<path class=\"line {}\" d=\"{path}\"/>\n", line.class);
        }
    }

    fn areas(&self, out: &mut String, scale: Scale) {
        for (number, line) in self.lines.iter().enumerate() {
            let edge = |lines: usize, place: usize, time: &f64| {
                let sum = self.below(lines, place);
                format!("{:.1} {:.1} ", self.x(*time), y(scale.place(sum)))
            };
            let times = || self.times.iter().enumerate();
            let upper = times().map(|(place, time)| edge(number + 1, place, time));
            let lower = times().rev().map(|(place, time)| edge(number, place, time));
            let points: String = upper.chain(lower).collect();
            put!(
                out,
                "<polygon class=\"{}\" points=\"{}\"/>\n",
                line.class,
                points.trim_end()
            );
        }
    }

    fn draw_marks(&self, out: &mut String) {
        for mark in self.marks {
            let x = self.x(mark.at.as_secs_f64());
            let kind = mark.kind.name();
            let bottom = HEIGHT - BOTTOM;
            put!(
                out,
                "<g><title>{:.1} s: {}</title><line class=\"mark {kind}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" \
                 y2=\"{bottom}\"/><path class=\"head {kind}\" d=\"M{:.1} {:.1}h9l-4.5 7z\"/></g>\n",
                mark.at.as_secs_f64(),
                escaped(&mark.label),
                x - 4.5,
                TOP - 6.0
            );
        }
    }

    /// A strip for each point, whose title tells its numbers.
    fn hovers(&self, out: &mut String) {
        let count = self.times.len();
        let Some(width) = self
            .times
            .first_chunk()
            .map(|[a, b]| self.x(*b) - self.x(*a))
        else {
            return;
        };
        for place in 0..count {
            let Some(time) = self.times.get(place) else {
                return;
            };
            let numbers = self.lines.iter().filter_map(|line| {
                let value = (*line.values.get(place)?)?;
                Some(format!("{} {}", line.name, number(value)))
            });
            let numbers: Vec<String> = numbers.collect();
            put!(
                out,
                "<rect class=\"hover\" x=\"{:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{:.1}\"><title>{}: {}</title></rect>\n",
                self.x(*time) - width / 2.0,
                HEIGHT - TOP - BOTTOM,
                clock(*time),
                escaped(numbers.join(", "))
            );
        }
    }
}

fn y(place: f64) -> f64 {
    let bottom = HEIGHT - BOTTOM;
    bottom - (bottom - TOP) * place
}

/// `45 s`, `2:05`, `1:30:00`.
fn clock(seconds: f64) -> String {
    if seconds < 120.0 {
        return format!("{} s", number(seconds));
    }
    let minutes = (seconds / 60.0).floor();
    let rest = seconds - minutes * 60.0;
    if minutes < 60.0 {
        return format!("{minutes:.0}:{rest:02.0}");
    }
    let hours = (minutes / 60.0).floor();
    format!("{hours:.0}:{:02.0}:{rest:02.0}", minutes - hours * 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_reads_as_a_clock() {
        assert_eq!(
            [clock(45.0), clock(125.0), clock(5_400.0)],
            ["45 s", "2:05", "1:30:00"]
        );
    }
}
