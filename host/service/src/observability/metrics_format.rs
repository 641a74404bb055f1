//! The text formats of metrics, and the choice between them by the `Accept` header.
//!
//! Prometheus asks for OpenMetrics and names the version. Other scrapers, and people with `curl`, expect the
//! text format of Prometheus, which every tool reads.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use prometheus_client::encoding::{prometheus_text, text};
use prometheus_client::registry::Registry;

/// A text format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsFormat {
    /// The text format of Prometheus, version 0.0.4:
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format>.
    PrometheusText,
    /// OpenMetrics 1.0: <https://prometheus.io/docs/specs/om/open_metrics_spec/>.
    OpenMetrics,
}

impl MetricsFormat {
    /// OpenMetrics if the headers ask for it and do not prefer plain text; otherwise the text format.
    pub fn from_headers(headers: &HeaderMap) -> MetricsFormat {
        let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let (mut open_metrics, mut plain): (f64, f64) = (0.0, 0.0);
        for range in accepted.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let (mut quality, mut version) = (1.0, None);
            for (key, value) in parts.filter_map(|parameter| parameter.split_once('=')) {
                match key.trim().to_ascii_lowercase().as_str() {
                    "q" => quality = value.trim().parse().unwrap_or(0.0),
                    "version" => version = Some(value.trim().trim_matches('"')),
                    _ => {}
                }
            }
            match (name.as_str(), version) {
                // Version 0.0.1 is a draft of 1.0.0 with the same syntax.
                ("application/openmetrics-text", None | Some("1.0.0" | "0.0.1")) => {
                    open_metrics = open_metrics.max(quality);
                }
                ("text/plain", None | Some("0.0.4")) => plain = plain.max(quality),
                _ => {}
            }
        }
        if open_metrics > 0.0 && open_metrics >= plain {
            MetricsFormat::OpenMetrics
        } else {
            MetricsFormat::PrometheusText
        }
    }

    /// The media type of the format.
    pub fn content_type(self) -> &'static str {
        match self {
            MetricsFormat::PrometheusText => prometheus_text::CONTENT_TYPE,
            MetricsFormat::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The metrics of a registry as text.
    pub fn encode(self, registry: &Registry) -> String {
        let mut out = String::new();
        let written = match self {
            MetricsFormat::PrometheusText => prometheus_text::encode(&mut out, registry),
            MetricsFormat::OpenMetrics => text::encode(&mut out, registry),
        };
        written.expect("writing to a String cannot fail");
        out
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn format(accept: &[&'static str]) -> MetricsFormat {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, HeaderValue::from_static(value));
        }
        MetricsFormat::from_headers(&headers)
    }

    #[test]
    fn open_metrics_is_served_to_those_who_ask_for_it() {
        // What Prometheus 2 and 3 send.
        let prometheus = [
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        ];
        for accept in prometheus {
            assert_eq!(format(&[accept]), MetricsFormat::OpenMetrics, "{accept}");
        }
        assert_eq!(format(&["application/openmetrics-text"]), MetricsFormat::OpenMetrics);
        assert_eq!(format(&["*/*;q=0.1", "Application/OpenMetrics-Text; q=0.2"]), MetricsFormat::OpenMetrics);
    }

    #[test]
    fn everyone_else_gets_the_text_format() {
        for accept in [
            &[][..],
            &["*/*"],
            &["text/plain"],
            &["text/html,application/xhtml+xml,*/*;q=0.8"],
            &["text/plain;version=0.0.4;q=1,*/*;q=0.1"],
            &["application/openmetrics-text;q=0"],
            &["application/openmetrics-text;version=2.0.0"],
            &["text/plain, application/openmetrics-text;q=0.5"],
        ] {
            assert_eq!(format(accept), MetricsFormat::PrometheusText, "{accept:?}");
        }
    }
}
