// A metric: `us_plugin` declares its components, the function that scores a pair, and the one that makes the figure of their sums.

#ifndef UNDERSTUDY_METRIC_H
#define UNDERSTUDY_METRIC_H

#include <math.h>

#include "config.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The forms of answers, as bits of `accepts`.
typedef enum us_form {
    US_FORM_LABEL = 1,
    US_FORM_NUMBER = 2,
    US_FORM_RANKING = 4,
    US_FORM_LABEL_SET = 8,
    US_FORM_JSON = 16,
} us_form;

/// Which values of a metric are better.
typedef enum us_direction {
    US_HIGHER_IS_BETTER,
    US_LOWER_IS_BETTER,
} us_direction;

/// The answers of one side to the rows of a call.
typedef struct us_answer_batch us_answer_batch;

/// The answer of one side of a pair. It lives until the end of the call.
typedef struct us_answer {
    const us_answer_batch *batch;
    uint32_t row;
    /// The comparator has answered every pair; the model may not.
    bool is_answered;
} us_answer;

/// A pair of answers.
typedef struct us_pair {
    us_answer model;
    us_answer comparator;
} us_pair;

/// A metric.
typedef struct us_metric {
    /// The forms that it scores, such as `US_FORM_LABEL | US_FORM_JSON`.
    unsigned accepts;
    /// Whether it needs the probabilities of classes of the model.
    bool needs_probabilities;
    /// The names of the components, and NULL after the last.
    const char *const *components;
    us_direction direction;
    /// The range of the metric; -INFINITY and INFINITY where it has no bound.
    double minimum;
    double maximum;
    /// Sets the plugin up, once. May be NULL if there is no configuration. It may change `us_plugin`.
    void (*configure)(us_config *config);
    /// Scores a pair: writes one finite number for each component, which are 0 before.
    void (*score)(us_pair pair, double *components);
    /// The value of the metric over `rows` pairs by the sums of the components; NAN if it is undefined.
    double (*reduce)(uint64_t rows, const double *sums);
} us_metric;

/// The plugin, which the author defines.
extern us_metric us_plugin;

/// The form of an answer.
us_form us_answer_form(us_answer answer);

/// Whether both are answered, and are the same: labels, numbers, rankings in their order, sets and JSON values as a whole.
bool us_answer_equal(us_answer left, us_answer right);

/// A label, or a JSON value in its canonical text.
us_text us_answer_text(us_answer answer);

/// A number.
double us_answer_number(us_answer answer);

/// The number of names in a ranking or set.
size_t us_answer_count(us_answer answer);

/// A name of a ranking, best first, or of a set, in the order of their bytes.
us_text us_answer_name(us_answer answer, size_t index);

/// The confidence that the plugin reports; NAN without one.
double us_answer_confidence(us_answer answer);

/// The number of classes with a probability; 0 if the plugin reports none.
size_t us_answer_class_count(us_answer answer);

/// A class, and its probability.
us_text us_answer_class(us_answer answer, size_t index);
double us_answer_probability(us_answer answer, size_t index);

#ifdef __cplusplus
}
#endif

#endif
