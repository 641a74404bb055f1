// A model or a comparator: `us_plugin` declares its fields, the form of its answers, and the function that answers a row.

#ifndef UNDERSTUDY_DECIDER_H
#define UNDERSTUDY_DECIDER_H

#include "config.h"

#ifdef __cplusplus
extern "C" {
#endif

/// The kind of a field.
typedef enum us_kind {
    US_BOOLEAN,
    /// 64 bits with a sign.
    US_INTEGER,
    /// A finite float of 64 bits.
    US_NUMBER,
    US_TEXT,
    /// Microseconds since 1970-01-01T00:00:00Z, 64 bits with a sign.
    US_TIMESTAMP,
    /// Any JSON value.
    US_JSON,
} us_kind;

/// The form of an answer.
typedef enum us_form {
    US_FORM_LABEL,
    US_FORM_NUMBER,
    /// Distinct names, best first.
    US_FORM_RANKING,
    US_FORM_LABEL_SET,
    US_FORM_JSON,
} us_form;

/// The values of a field in the rows of a call. The SDK sets them.
typedef struct us_column {
    const void *values;
    /// Of a text or JSON field: value `i` is `values[offsets[i]..offsets[i + 1]]`.
    const uint32_t *offsets;
    /// The rows without a value, ascending.
    const uint32_t *missing;
    size_t missing_count;
    /// The first of `missing` that is not below the row that was asked for last.
    size_t next_missing;
} us_column;

/// A field that the plugin reads, and its values in the rows of a call.
typedef struct us_field {
    /// Name in the study. Names of fields of the decision begin with `decision.`, and only comparators read them.
    const char *name;
    us_kind kind;
    /// Whether a row may lack it. A row without any other field is not passed.
    bool optional;
    us_column column;
} us_field;

/// The answers to the rows of a call.
typedef struct us_answers us_answers;

/// A model or a comparator.
typedef struct us_decider {
    /// The fields, and NULL after the last.
    us_field *const *reads;
    us_form form;
    /// Whether each answered row has a confidence.
    bool has_confidence;
    /// Whether each answered row has probabilities of classes. Only labels can have them.
    bool has_probabilities;
    /// Sets the plugin up, once. May be NULL if there is no configuration. It may change the fields and `us_plugin`.
    void (*configure)(us_config *config);
    /// Answers a row. Rows are counted from 0.
    void (*decide)(us_answers *answers, uint32_t row);
    /// Answers all rows of a call, in place of `decide`. They are answered in their order.
    void (*decide_rows)(us_answers *answers, uint32_t rows);
} us_decider;

/// The plugin, which the author defines.
extern us_decider us_plugin;

/// Whether a row has no value of an optional field.
static inline bool us_is_missing(us_field *field, uint32_t row) {
    us_column *column = &field->column;
    if (column->missing_count == 0) return false;
    if (column->next_missing > 0 && column->missing[column->next_missing - 1] >= row) column->next_missing = 0;
    while (column->next_missing < column->missing_count && column->missing[column->next_missing] < row) column->next_missing += 1;
    return column->next_missing < column->missing_count && column->missing[column->next_missing] == row;
}

/// Panics unless a field has a kind, and the row a value.
void us_misread(const char *place, const us_field *field, us_kind kind, uint32_t row) __attribute__((noreturn));

static inline void us_check(const char *place, us_field *field, us_kind kind, uint32_t row) {
    if (field->kind != kind || us_is_missing(field, row)) us_misread(place, field, kind, row);
}
static inline bool us_boolean_at(const char *place, us_field *field, uint32_t row) {
    us_check(place, field, US_BOOLEAN, row);
    return ((const uint8_t *)field->column.values)[row] != 0;
}
static inline int64_t us_integer_at(const char *place, us_field *field, uint32_t row) {
    us_check(place, field, US_INTEGER, row);
    return ((const int64_t *)field->column.values)[row];
}
static inline int64_t us_timestamp_at(const char *place, us_field *field, uint32_t row) {
    us_check(place, field, US_TIMESTAMP, row);
    return ((const int64_t *)field->column.values)[row];
}
static inline double us_number_at(const char *place, us_field *field, uint32_t row) {
    us_check(place, field, US_NUMBER, row);
    return ((const double *)field->column.values)[row];
}
static inline us_text us_bytes_at(const us_field *field, uint32_t row) {
    const uint32_t *offsets = field->column.offsets;
    us_text text = {(const char *)field->column.values + offsets[row], offsets[row + 1] - offsets[row]};
    return text;
}
static inline us_text us_text_at(const char *place, us_field *field, uint32_t row) {
    us_check(place, field, US_TEXT, row);
    return us_bytes_at(field, row);
}
static inline us_json us_json_at(const char *place, us_field *field, uint32_t row) {
    us_check(place, field, US_JSON, row);
    return us_json_of(us_bytes_at(field, row));
}

/// The value of a field in a row. They panic, with the place, if the field has another kind or the row no value.
#define us_boolean(field, row) us_boolean_at(US_PLACE, field, row)
#define us_integer(field, row) us_integer_at(US_PLACE, field, row)
#define us_timestamp(field, row) us_timestamp_at(US_PLACE, field, row)
#define us_number(field, row) us_number_at(US_PLACE, field, row)
#define us_string(field, row) us_text_at(US_PLACE, field, row)
#define us_json_value(field, row) us_json_at(US_PLACE, field, row)

/// The answer to a row, in the form of the plugin. A row has one answer, or a reason; the SDK copies the texts.
void us_answer_label(us_answers *answers, uint32_t row, us_text label);
void us_answer_number(us_answers *answers, uint32_t row, double number);
void us_answer_ranking(us_answers *answers, uint32_t row, const us_text *names, size_t count);
void us_answer_label_set(us_answers *answers, uint32_t row, const us_text *labels, size_t count);
void us_answer_json(us_answers *answers, uint32_t row, us_text json);

/// The confidence of the answer to a row, from 0 to 1.
void us_answer_confidence(us_answers *answers, uint32_t row, double confidence);

/// The probabilities of classes of a row, whose sum is 1.
void us_answer_probabilities(
    us_answers *answers, uint32_t row, const us_text *classes, const double *probabilities, size_t count
);

/// Leaves a row without an answer by choice, with the reason.
void us_abstain(us_answers *answers, uint32_t row, const char *format, ...) __attribute__((format(printf, 3, 4)));

/// Leaves a row without an answer by inability, with the reason.
void us_fail(us_answers *answers, uint32_t row, const char *format, ...) __attribute__((format(printf, 3, 4)));

/// Fails the whole call. The host asks again for each row, and the rows that fail alone are unanswered, with the message.
void us_fail_call(us_answers *answers, const char *format, ...) __attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif

#endif
