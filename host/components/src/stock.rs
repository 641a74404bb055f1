/// The packages of the stock plugins, by the names that a study uses. The build script reads this list, too.
pub const NAMES: [&str; 14] = [
    "agreement",
    "bias",
    "kappa",
    "kendall-tau",
    "mean-absolute-error",
    "mean-absolute-percentage-error",
    "ndcg",
    "quantile-loss",
    "r-squared",
    "rank-biased-overlap",
    "recorded",
    "root-mean-square-error",
    "top-k-overlap",
    "within-tolerance",
];
