// The answers to the rows of a call, as the author gives them.

#ifndef UNDERSTUDY_ANSWERS_H
#define UNDERSTUDY_ANSWERS_H

#include "dictionary.h"
#include "understudy/decider.h"

/// Numbers that are appended in the order of the rows.
typedef struct list {
    void *elements;
    size_t count;
    size_t capacity;
} list;

/// Why a row is unanswered.
typedef struct unanswered_row {
    uint32_t row;
    bool is_choice;
    us_text reason;
} unanswered_row;

struct us_answers {
    uint32_t rows;
    us_form form;
    /// Names of labels, rankings and sets; JSON texts.
    dictionary names;
    /// One code a row, of labels and JSON values.
    uint32_t *codes;
    double *numbers;
    /// Of rankings and sets: where the codes of a row begin, and one offset more.
    uint32_t *offsets;
    /// The codes of rankings and sets, `uint32_t`.
    list members;
    /// NULL if the plugin has none. NaN where a row has none.
    double *confidences;
    bool has_probabilities;
    dictionary classes;
    /// The classes of a row and their probabilities, `uint32_t` and `double`, and where they begin.
    list class_codes;
    list class_values;
    uint32_t *class_offsets;
    /// Rows that are settled, by an answer or a reason: all below it.
    uint32_t settled;
    /// Rows whose probabilities are written: all below it.
    uint32_t classed;
    /// `unanswered_row`.
    list unanswered;
    bool has_error;
    us_text error;
};

/// Answers to some rows, none of which has one.
void answers_begin(us_answers *answers, uint32_t rows, const us_decider *plugin);

/// Leaves the rows below `row` that have no answer unanswered.
void answers_settle(us_answers *answers, uint32_t row);

#endif
