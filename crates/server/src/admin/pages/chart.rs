//! Charts as SVG, drawn on the server. The colours are fixed; the style sheet turns them
//! into those of the theme.

use plotters::{
    prelude::*,
    style::{
        FontTransform,
        text_anchor::{HPos, Pos, VPos},
    },
};

const SERIES: [RGBColor; 2] = [RGBColor(0x0B, 0x6B, 0x7D), RGBColor(0xB3, 0x40, 0x2B)];
const GRID: RGBColor = RGBColor(0xDB, 0xE3, 0xE5);
const AXIS: RGBColor = RGBColor(0x74, 0x87, 0x8D);
const WORDS: RGBColor = RGBColor(0x49, 0x5B, 0x60);

const SIZE: (u32, u32) = (420, 200);

/// Of the words in a chart: the library writes four fifths of it.
const WORD_SIZE: i32 = 16;

/// Left of the bars with names.
const NAMES: i32 = 200;

/// Most labels under a chart.
const LABELS: usize = 7;

/// Height of a bar with a name, with what is between it and the next.
const LANE: u32 = 26;

/// Longest name beside a bar, in characters.
const LONGEST_NAME: usize = 23;

/// The library could not draw it.
#[derive(Debug, thiserror::Error)]
#[error("a chart cannot be drawn: {0}")]
pub(super) struct NotDrawn(String);

/// Something for each span of time; as many values in each series as there are spans.
pub(super) struct OverTime<'a> {
    /// The spans, in their order.
    pub(super) spans: &'a [String],
    /// At most two.
    pub(super) series: &'a [Vec<Option<f64>>],
    /// How a value is written beside the axis.
    pub(super) unit: fn(f64) -> String,
}

impl OverTime<'_> {
    /// Bars; those of the second series stand before those of the first, of which they
    /// are a part.
    pub(super) fn bars(&self) -> Result<String, NotDrawn> {
        self.draw(|area, series, index| {
            let (left, right) = (index as f64 + 0.14, index as f64 + 0.86);
            let value = series.1[index].unwrap_or(0.0);
            let bar = Rectangle::new([(left, 0.0), (right, value)], SERIES[series.0].filled());
            area.draw_series([bar]).map(drop)
        })
    }

    /// Lines with a point for each span that has a value. A span without one breaks the
    /// line.
    pub(super) fn lines(&self) -> Result<String, NotDrawn> {
        self.draw(|area, series, index| {
            let Some(value) = series.1[index] else {
                return Ok(());
            };
            let at = |index: usize| index as f64 + 0.5;
            let style = SERIES[series.0].stroke_width(2);
            let before = index.checked_sub(1).and_then(|before| series.1[before]);
            if let Some(before) = before {
                let path = [(at(index - 1), before), (at(index), value)];
                area.draw_series([PathElement::new(path, style)])?;
            }
            // The series are told apart by form as well.
            let (point, filled) = ((at(index), value), SERIES[series.0].filled());
            if series.0 == 0 {
                area.draw_series([Circle::new(point, 3, filled)]).map(drop)
            } else {
                area.draw_series([TriangleMarker::new(point, 5, filled)])
                    .map(drop)
            }
        })
    }

    fn draw(&self, one: One) -> Result<String, NotDrawn> {
        let mut text = String::new();
        let drawn = self.on(&mut text, one);
        drawn.map_err(|error| NotDrawn(error.to_string()))?;
        Ok(text)
    }

    fn on(&self, text: &mut String, one: One) -> Drawn {
        let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
        let values = self.series.iter().flatten().flatten();
        let top = values.copied().fold(0.0, f64::max);
        let top = if top > 0.0 { top * 1.08 } else { 1.0 };
        let count = self.spans.len();
        let mut area = ChartBuilder::on(&root)
            .margin(8)
            .x_label_area_size(28)
            .y_label_area_size(62)
            .build_cartesian_2d(0.0..count as f64, 0.0..top)?;
        let unit = self.unit;
        area.configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(AXIS)
            .label_style(("sans-serif", WORD_SIZE, &WORDS))
            .x_labels(0)
            .y_labels(5)
            .y_label_formatter(&|value| unit(*value))
            .draw()?;
        for (number, series) in self.series.iter().enumerate().take(SERIES.len()) {
            for index in 0..count.min(series.len()) {
                one(&mut area, (number, series), index)?;
            }
        }
        // Each stands under the middle of its span; only as many as there is room for.
        let every = count.div_ceil(LABELS).max(1);
        let style = TextStyle::from(("sans-serif", WORD_SIZE).into_font())
            .color(&WORDS)
            .pos(Pos::new(HPos::Center, VPos::Top));
        for (index, span) in self.spans.iter().enumerate() {
            if (count - 1 - index).is_multiple_of(every) {
                let (x, y) = area.backend_coord(&(index as f64 + 0.5, 0.0));
                root.draw(&Text::new(span.as_str(), (x, y + 7), style.clone()))?;
            }
        }
        drop(area);
        root.present()
    }
}

type Area<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

/// Draws one value: of the series with this number, in the span with this index.
type One = fn(&mut Area<'_, '_>, (usize, &[Option<f64>]), usize) -> Drawn;

type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// A bar for each name, the name before it and the number behind it.
pub(super) fn named_bars(bars: &[(String, u64)]) -> Result<String, NotDrawn> {
    let mut text = String::new();
    let drawn = draw_named(&mut text, bars);
    drawn.map_err(|error| NotDrawn(error.to_string()))?;
    Ok(text)
}

fn draw_named(text: &mut String, bars: &[(String, u64)]) -> Drawn {
    let lanes = u32::try_from(bars.len()).unwrap_or(u32::MAX).max(1);
    let height = LANE.saturating_mul(lanes).saturating_add(8);
    let root = SVGBackend::with_string(text, (SIZE.0, height)).into_drawing_area();
    let most = bars
        .iter()
        .map(|(_, count)| *count)
        .max()
        .unwrap_or(0)
        .max(1);
    let (left, right) = (NAMES, SIZE.0 as i32 - 48);
    let style = |horizontal| {
        TextStyle::from(("sans-serif", WORD_SIZE).into_font())
            .color(&WORDS)
            .pos(Pos::new(horizontal, VPos::Center))
            .transform(FontTransform::None)
    };
    for (index, (name, count)) in bars.iter().enumerate() {
        let top = 4 + (LANE * u32::try_from(index).unwrap_or(0)) as i32;
        let middle = top + LANE as i32 / 2;
        let share = *count as f64 / most as f64;
        let end = left + (f64::from(right - left) * share).round() as i32;
        root.draw(&Rectangle::new(
            [(left, top + 4), (end.max(left + 1), top + LANE as i32 - 4)],
            SERIES[0].filled(),
        ))?;
        root.draw(&Text::new(
            shortened(name),
            (left - 8, middle),
            style(HPos::Right),
        ))?;
        root.draw(&Text::new(
            count.to_string(),
            (end + 6, middle),
            style(HPos::Left),
        ))?;
    }
    root.present()
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= LONGEST_NAME {
        return name.to_owned();
    }
    let start: String = name.chars().take(LONGEST_NAME - 1).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans() -> Vec<String> {
        (1..=3).map(|day| format!("11-0{day}")).collect()
    }

    fn count(text: &str, part: &str) -> usize {
        text.matches(part).count()
    }

    #[test]
    fn each_value_has_a_bar_in_its_series_colour() {
        let spans = spans();
        let series = [
            vec![Some(4.0), Some(2.0), Some(8.0)],
            vec![Some(1.0), None, Some(3.0)],
        ];
        let chart = OverTime {
            spans: &spans,
            series: &series,
            unit: |value| format!("{value:.0}"),
        };
        let svg = chart.bars().unwrap();
        assert_eq!(count(&svg, "fill=\"#0B6B7D\""), 3, "{svg}");
        assert_eq!(count(&svg, "fill=\"#B3402B\""), 3, "{svg}");
        for span in &spans {
            assert!(svg.contains(span), "{span} in {svg}");
        }
    }

    #[test]
    fn a_span_without_a_value_breaks_the_line() {
        let spans = spans();
        let draw = |values: Vec<Option<f64>>| {
            OverTime {
                spans: &spans,
                series: &[values],
                unit: |value| format!("{value:.0}"),
            }
            .lines()
            .unwrap()
        };
        let whole = draw(vec![Some(1.0), Some(2.0), Some(3.0)]);
        assert_eq!(count(&whole, "stroke=\"#0B6B7D\""), 2, "{whole}");
        let broken = draw(vec![Some(1.0), None, Some(3.0)]);
        assert_eq!(count(&broken, "stroke=\"#0B6B7D\""), 0, "{broken}");
        assert_eq!(count(&broken, "<circle"), 2, "{broken}");
    }

    #[test]
    fn names_are_text_in_the_drawing_and_no_style_stands_in_it() {
        let svg = named_bars(&[("<script>&\"".into(), 3), ("Radiology".into(), 1)]).unwrap();
        assert!(!svg.contains("<script"), "{svg}");
        assert!(svg.contains("Radiology"), "{svg}");
        assert!(!svg.contains("style="), "{svg}");
        assert!(!svg.contains("<style"), "{svg}");
    }

    #[test]
    fn a_chart_of_nothing_is_drawn_too() {
        named_bars(&[]).unwrap();
        let empty = OverTime {
            spans: &[],
            series: &[],
            unit: |value| value.to_string(),
        };
        empty.bars().unwrap();
    }
}
