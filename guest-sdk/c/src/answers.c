#include "answers.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "memory.h"
#include "text.h"

static const char *const form_names[] = {"label", "number", "ranking", "label-set", "json"};

static void append(list *list, const void *element, size_t size) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        void *grown = us_call_bytes(list->capacity * size);
        if (list->count > 0) memcpy(grown, list->elements, list->count * size);
        list->elements = grown;
    }
    memcpy((char *)list->elements + list->count * size, element, size);
    list->count += 1;
}

void answers_begin(us_answers *answers, uint32_t rows, const us_decider *plugin) {
    memset(answers, 0, sizeof *answers);
    answers->rows = rows;
    answers->form = plugin->form;
    answers->has_probabilities = plugin->has_probabilities;
    switch (plugin->form) {
        case US_FORM_LABEL:
        case US_FORM_JSON: answers->codes = US_CALL_ARRAY(uint32_t, rows); break;
        case US_FORM_NUMBER: answers->numbers = US_CALL_ARRAY(double, rows); break;
        default: answers->offsets = US_CALL_ARRAY(uint32_t, rows + 1); answers->offsets[0] = 0;
    }
    if (plugin->has_confidence) {
        answers->confidences = US_CALL_ARRAY(double, rows);
        for (uint32_t row = 0; row < rows; row += 1) answers->confidences[row] = NAN;
    }
    if (plugin->has_probabilities) {
        answers->class_offsets = US_CALL_ARRAY(uint32_t, rows + 1);
        answers->class_offsets[0] = 0;
    }
}

/// Writes the placeholder of an unanswered row, the next one.
static void write_unanswered(us_answers *answers, bool is_choice, us_text reason) {
    uint32_t row = answers->settled;
    if (answers->codes != NULL) answers->codes[row] = 0;
    if (answers->numbers != NULL) answers->numbers[row] = 0;
    if (answers->offsets != NULL) answers->offsets[row + 1] = (uint32_t)answers->members.count;
    unanswered_row unanswered = {row, is_choice, reason};
    append(&answers->unanswered, &unanswered, sizeof unanswered);
    answers->settled = row + 1;
}

void answers_settle(us_answers *answers, uint32_t row) {
    while (answers->settled < row) {
        write_unanswered(answers, false, us_text_of("the plugin gave neither an answer nor a reason"));
    }
    for (; answers->has_probabilities && answers->classed < row; answers->classed += 1) {
        answers->class_offsets[answers->classed + 1] = (uint32_t)answers->class_codes.count;
    }
}

/// Checks that a row is the next one without an answer. Those before it stay unanswered.
static void begin_row(us_answers *answers, uint32_t row) {
    if (row >= answers->rows) us_panic_at("the plugin", "row %u has an answer, but there are %u rows", row, answers->rows);
    if (row < answers->settled) us_panic_at("the plugin", "row %u has two answers or reasons, or comes after a later row", row);
    answers_settle(answers, row);
}

static void begin_answer(us_answers *answers, uint32_t row, us_form form) {
    if (answers->form != form) {
        us_panic_at("the plugin", "an answer of the form %s, but `us_plugin.form` is %s", form_names[form], form_names[answers->form]);
    }
    begin_row(answers, row);
}

static void answer_code(us_answers *answers, uint32_t row, us_form form, us_text name) {
    begin_answer(answers, row, form);
    answers->codes[row] = dictionary_code(&answers->names, name);
    answers->settled = row + 1;
}

void us_answer_label(us_answers *answers, uint32_t row, us_text label) {
    answer_code(answers, row, US_FORM_LABEL, label);
}

void us_answer_json(us_answers *answers, uint32_t row, us_text json) {
    answer_code(answers, row, US_FORM_JSON, json);
}

void us_answer_number(us_answers *answers, uint32_t row, double number) {
    begin_answer(answers, row, US_FORM_NUMBER);
    answers->numbers[row] = number;
    answers->settled = row + 1;
}

static void answer_list(us_answers *answers, uint32_t row, us_form form, const us_text *names, size_t count) {
    begin_answer(answers, row, form);
    for (size_t index = 0; index < count; index += 1) {
        uint32_t code = dictionary_code(&answers->names, names[index]);
        append(&answers->members, &code, sizeof code);
    }
    answers->offsets[row + 1] = (uint32_t)answers->members.count;
    answers->settled = row + 1;
}

void us_answer_ranking(us_answers *answers, uint32_t row, const us_text *names, size_t count) {
    answer_list(answers, row, US_FORM_RANKING, names, count);
}

void us_answer_label_set(us_answers *answers, uint32_t row, const us_text *labels, size_t count) {
    answer_list(answers, row, US_FORM_LABEL_SET, labels, count);
}

void us_answer_confidence(us_answers *answers, uint32_t row, double confidence) {
    if (answers->confidences == NULL) us_panic_at("the plugin", "a confidence, but `us_plugin.has_confidence` is false");
    if (row >= answers->rows) us_panic_at("the plugin", "row %u has a confidence, but there are %u rows", row, answers->rows);
    answers->confidences[row] = confidence;
}

void us_answer_probabilities(
    us_answers *answers, uint32_t row, const us_text *classes, const double *probabilities, size_t count
) {
    if (!answers->has_probabilities) us_panic_at("the plugin", "probabilities, but `us_plugin.has_probabilities` is false");
    if (row >= answers->rows || row < answers->classed) us_panic_at("the plugin", "row %u has probabilities twice, or comes after a later row", row);
    for (; answers->classed < row; answers->classed += 1) {
        answers->class_offsets[answers->classed + 1] = (uint32_t)answers->class_codes.count;
    }
    for (size_t index = 0; index < count; index += 1) {
        uint32_t code = dictionary_code(&answers->classes, classes[index]);
        append(&answers->class_codes, &code, sizeof code);
        append(&answers->class_values, &probabilities[index], sizeof(double));
    }
    answers->class_offsets[row + 1] = (uint32_t)answers->class_codes.count;
    answers->classed = row + 1;
}

void us_abstain(us_answers *answers, uint32_t row, const char *format, ...) {
    begin_row(answers, row);
    va_list values;
    va_start(values, format);
    write_unanswered(answers, true, us_format_values(format, values));
    va_end(values);
}

void us_fail(us_answers *answers, uint32_t row, const char *format, ...) {
    begin_row(answers, row);
    va_list values;
    va_start(values, format);
    write_unanswered(answers, false, us_format_values(format, values));
    va_end(values);
}

void us_fail_call(us_answers *answers, const char *format, ...) {
    if (answers->has_error) return;
    va_list values;
    va_start(values, format);
    answers->error = us_format_values(format, values);
    va_end(values);
    answers->has_error = true;
}
