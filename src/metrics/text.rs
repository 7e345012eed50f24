//! The text of the metrics: OpenMetrics 1.0, which the parser of Prometheus's older text format reads, too.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::{Family, Number, Scene, families};

/// The type of the text in HTTP.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A scene as text. At most `most` objects have series of their own.
pub fn text(scene: &Scene, most: usize) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Families(families(scene, most))));
    let mut out = String::new();
    text::encode(&mut out, &registry)?;
    Ok(out)
}

#[derive(Debug)]
struct Families(Vec<Family>);

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        for Family { name, unit, help, series } in &self.0 {
            let unit = unit.map(|unit| Unit::Other(unit.to_owned()));
            let mut metric =
                encoder.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
            for (labels, value) in series {
                let mut one = metric.encode_family(labels)?;
                match value {
                    Number::Whole(number) => one.encode_gauge(number)?,
                    Number::Real(number) => one.encode_gauge(number)?,
                }
            }
        }
        Ok(())
    }
}
