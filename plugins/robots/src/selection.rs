//! Which entries of the logs are printed and how: the flags that `logs` and `part logs` share.

use prost_types::Timestamp;
use viam_client::time;
use viam_contract::{Context, Error, Format, Kind, Result};
use viam_proto::app::v1::{GetRobotPartLogsRequest, LogOrder};

use crate::args::given;
use crate::entry::Form;

/// The flags.
#[derive(clap::Args, Debug, Default, PartialEq)]
pub(crate) struct SelectionArgs {
    /// errors only
    #[arg(long)]
    pub(crate) errors: bool,
    /// only these levels, as in `warn,error`
    #[arg(long, value_delimiter = ',', value_name = "LEVEL")]
    pub(crate) levels: Vec<String>,
    /// only what contains this
    #[arg(long)]
    pub(crate) keyword: Option<String>,
    /// from this time on, in RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<String>,
    /// up to this time, in RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) end: Option<String>,
    /// a range of time as in 10m, 10h or 10d: before --end or after --start, or up to now
    #[arg(long)]
    pub(crate) range: Option<String>,
    /// at most so many of each part
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<i64>,
    /// asc begins with the oldest, desc with the newest
    #[arg(long, value_name = "asc|desc")]
    pub(crate) order: Option<String>,
    /// text, or json for one object a line
    #[arg(long, value_name = "text|json")]
    pub(crate) format: Option<String>,
    /// write to this file, which only you may read
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<std::path::PathBuf>,
}

/// The flags, checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selection {
    pub(crate) errors_only: bool,
    pub(crate) levels: Vec<String>,
    pub(crate) keyword: String,
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
    pub(crate) range: Option<String>,
    /// `None` is all.
    pub(crate) count: Option<usize>,
    pub(crate) order: Option<LogOrder>,
    pub(crate) form: Form,
}

impl SelectionArgs {
    /// Reads and checks them, without a call.
    pub(crate) fn check(&self, cx: &Context) -> Result<Selection> {
        self.check_as(cx.output.format)
    }

    fn check_as(&self, global: Format) -> Result<Selection> {
        let usage = |words: String| Error::new(Kind::Usage, words);
        let count = usize::try_from(self.count.unwrap_or_default())
            .map_err(|_| usage("\"count\" cannot be negative".to_owned()))?;
        let order = match self.order.as_deref() {
            None | Some("") => None,
            Some("asc") => Some(LogOrder::Ascending),
            Some("desc") => Some(LogOrder::Descending),
            Some(other) => {
                return Err(usage(format!(
                    "invalid \"order\" value {other:?}: must be one of \"asc\" or \"desc\""
                )));
            }
        };
        let form = match given(self.format.as_ref()) {
            None if global == Format::Json => Form::Json,
            None | Some("text") => Form::Text,
            Some("json") => Form::Json,
            Some(other) => {
                return Err(
                    usage(format!("invalid format: {other}")).hint_text("--format is text or json")
                );
            }
        };
        let range = given(self.range.as_ref()).map(str::to_owned);
        let start = time::parse("start", self.start.as_ref())?;
        let end = time::parse("end", self.end.as_ref())?;
        if range.is_some() && start.is_some() && end.is_some() {
            return Err(usage(
                "cannot use --range together with both --start and --end".to_owned(),
            ));
        }
        let levels = self.levels.iter().map(|level| level.trim().to_owned());
        Ok(Selection {
            errors_only: self.errors,
            levels: levels.filter(|level| !level.is_empty()).collect(),
            keyword: self.keyword.clone().unwrap_or_default(),
            start,
            end,
            range,
            count: (count > 0).then_some(count),
            order,
            form,
        })
    }
}

impl Selection {
    /// The request for a part.
    pub(crate) fn request(
        &self,
        part_id: &str,
        order: Option<LogOrder>,
    ) -> GetRobotPartLogsRequest {
        GetRobotPartLogsRequest {
            id: part_id.to_owned(),
            errors_only: self.errors_only,
            filter: Some(self.keyword.clone()),
            levels: self.levels.clone(),
            start: self.start,
            end: self.end,
            range: self.range.clone(),
            order: order.map(i32::from),
            ..GetRobotPartLogsRequest::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(args: SelectionArgs) -> String {
        let error = args.check_as(Format::Text).expect_err("refused");
        assert_eq!(error.kind(), Kind::Usage);
        error.message().to_owned()
    }

    #[test]
    fn what_cannot_be_is_refused_in_the_documented_words() {
        let some = |text: &str| Some(text.to_owned());
        let args = SelectionArgs::default;
        assert_eq!(
            error(SelectionArgs { count: Some(-1), ..args() }),
            "\"count\" cannot be negative"
        );
        assert_eq!(
            error(SelectionArgs { order: some("up"), ..args() }),
            "invalid \"order\" value \"up\": must be one of \"asc\" or \"desc\""
        );
        assert_eq!(error(SelectionArgs { format: some("xml"), ..args() }), "invalid format: xml");
        let (start, end) = (some("2026-01-01T00:00:00Z"), some("2026-01-02T00:00:00Z"));
        assert_eq!(
            error(SelectionArgs { start, end, range: some("10m"), ..args() }),
            "cannot use --range together with both --start and --end"
        );
    }

    #[test]
    fn nothing_given_is_everything() {
        let read = SelectionArgs::default().check_as(Format::Json).expect("fine");
        assert_eq!((read.count, read.order, read.form), (None, None, Form::Json));
        let args = SelectionArgs {
            levels: vec!["warn".to_owned(), " error".to_owned(), String::new()],
            format: Some("text".to_owned()),
            count: Some(0),
            ..SelectionArgs::default()
        };
        let read = args.check_as(Format::Json).expect("fine");
        assert_eq!(read.levels, ["warn", "error"]);
        assert_eq!((read.count, read.form), (None, Form::Text));
    }
}
