// The rule of plugins/agreement in C: the share of pairs in which model and comparator give the same answer. With `fault = true`,
// `reduce` panics.

#include <understudy/metric.h>

static const char *const components[] = {"agreements", NULL};
static bool fault;

static void configure(us_config *config) {
    fault = us_config_boolean_or(config, "fault", false);
}

static void score(us_pair pair, double *agreements) {
    *agreements = us_answer_equal(pair.model, pair.comparator) ? 1 : 0;
}

static double reduce(uint64_t rows, const double *sums) {
    if (fault) us_panic("%llu pairs have no value", rows);
    return rows > 0 ? sums[0] / (double)rows : NAN;
}

us_metric us_plugin = {
    .accepts = US_FORM_LABEL | US_FORM_LABEL_SET | US_FORM_JSON,
    .components = components,
    .direction = US_HIGHER_IS_BETTER,
    .minimum = 0,
    .maximum = 1,
    .configure = configure,
    .score = score,
    .reduce = reduce,
};
