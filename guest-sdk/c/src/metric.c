// Metrics: from `us_plugin` to the interface `scorer` of the contract.

#include "understudy/metric.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "memory.h"

// The values of the host are in the memory of the call, which is freed as a whole.
#define realloc us_call_realloc
#define free(value) ((void)(value))
#include "../bindings/metric.c"
#undef realloc
#undef free

// The bits of the SDK are the numbers of the contract.
_Static_assert(US_FORM_JSON == 1 << EXPORTS_UNDERSTUDY_SHADOW_ANSWERS_FORM_JSON, "the last form");
_Static_assert(US_FORM_JSON == 1 << EXPORTS_UNDERSTUDY_SHADOW_ANSWERS_VALUES_JSON, "the last form of values");
_Static_assert(US_LOWER_IS_BETTER == EXPORTS_UNDERSTUDY_SHADOW_SCORER_DIRECTION_LOWER_IS_BETTER, "the last direction");

struct us_answer_batch {
    const exports_understudy_shadow_answers_answers_t *answers;
    us_form form;
};

static metric_string_t string_of(us_text text) {
    return (metric_string_t){(uint8_t *)text.bytes, text.length};
}

bool exports_understudy_shadow_scorer_configure(
    metric_string_t *config, exports_understudy_shadow_scorer_list_asset_t *assets, metric_string_t *error
) {
    us_call_begin();
    us_asset *files = US_CALL_ARRAY(us_asset, assets->len);
    for (size_t index = 0; index < assets->len; index += 1) {
        exports_understudy_shadow_setup_asset_t file = assets->ptr[index];
        files[index] = (us_asset){{(char *)file.name.ptr, file.name.len}, {(char *)file.bytes.ptr, file.bytes.len}};
    }
    us_text json = {(char *)config->ptr, config->len};
    static struct us_config read;
    read = (struct us_config){.json = us_json_of(json), .assets = files, .asset_count = assets->len};
    bool is_accepted = us_configure(us_plugin.configure, &read);
    if (!is_accepted) *error = string_of(read.error);
    us_call_keep();
    return is_accepted;
}

static size_t component_count(void) {
    size_t count = 0;
    while (us_plugin.components != NULL && us_plugin.components[count] != NULL) count += 1;
    return count;
}

static metric_option_f64_t bound(double value) {
    return (metric_option_f64_t){isfinite(value), value};
}

void exports_understudy_shadow_scorer_describe(exports_understudy_shadow_scorer_description_t *description) {
    us_call_begin();
    uint8_t *forms = US_CALL_ARRAY(uint8_t, 5);
    size_t form_count = 0;
    for (uint8_t form = 0; form < 5; form += 1) {
        if ((us_plugin.accepts >> form & 1) != 0) forms[form_count++] = form;
    }
    size_t count = component_count();
    metric_string_t *names = US_CALL_ARRAY(metric_string_t, count);
    for (size_t index = 0; index < count; index += 1) names[index] = string_of(us_text_of(us_plugin.components[index]));
    *description = (exports_understudy_shadow_scorer_description_t){
        .name = string_of(us_text_of(US_PLUGIN_NAME)),
        .version = string_of(us_text_of(US_PLUGIN_VERSION)),
        .accepts = {forms, form_count},
        .needs_probabilities = us_plugin.needs_probabilities,
        .components = {names, count},
        .direction = (uint8_t)us_plugin.direction,
        .minimum = bound(us_plugin.minimum),
        .maximum = bound(us_plugin.maximum),
    };
    us_call_end();
}

static us_answer_batch batch_of(const exports_understudy_shadow_answers_answers_t *answers) {
    us_answer_batch batch = {answers, (us_form)(1u << answers->values.tag)};
    if ((us_plugin.accepts & batch.form) == 0) us_panic_at("understudy", "the metric does not score answers of this form");
    return batch;
}

bool exports_understudy_shadow_scorer_score(
    uint32_t rows,
    exports_understudy_shadow_scorer_answers_t *model,
    exports_understudy_shadow_scorer_answers_t *comparator,
    metric_list_list_f64_t *returned,
    metric_string_t *error
) {
    (void)error;
    us_call_begin();
    us_answer_batch batches[2] = {batch_of(model), batch_of(comparator)};
    size_t count = component_count();
    metric_list_f64_t *columns = US_CALL_ARRAY(metric_list_f64_t, count);
    for (size_t index = 0; index < count; index += 1) columns[index] = (metric_list_f64_t){US_CALL_ARRAY(double, rows), rows};
    double *components = US_CALL_ARRAY(double, count);
    size_t next_unanswered = 0;
    for (uint32_t row = 0; row < rows; row += 1) {
        bool is_answered = next_unanswered == model->unanswered.len || model->unanswered.ptr[next_unanswered].f0 != row;
        next_unanswered += !is_answered;
        us_pair pair = {{&batches[0], row, is_answered}, {&batches[1], row, true}};
        for (size_t index = 0; index < count; index += 1) components[index] = 0;
        us_plugin.score(pair, components);
        for (size_t index = 0; index < count; index += 1) columns[index].ptr[row] = components[index];
    }
    *returned = (metric_list_list_f64_t){columns, count};
    us_call_end();
    return true;
}

bool exports_understudy_shadow_scorer_reduce(uint64_t rows, metric_list_f64_t *sums, double *value) {
    us_call_begin();
    *value = us_plugin.reduce(rows, sums->ptr);
    us_call_end();
    return isfinite(*value);
}

static us_text name_at(const exports_understudy_shadow_answers_text_t *names, uint32_t code) {
    uint32_t start = names->offsets.ptr[code];
    return (us_text){(const char *)names->bytes.ptr + start, names->offsets.ptr[code + 1] - start};
}

/// Panics unless the answer has one of some forms.
static const exports_understudy_shadow_answers_values_t *values_of(us_answer answer, unsigned forms, const char *what) {
    if (!answer.is_answered) us_panic_at("the metric", "the model has no answer; ask `is_answered` first");
    if ((answer.batch->form & forms) == 0) us_panic_at("the metric", "the answer is no %s; ask us_answer_form first", what);
    return &answer.batch->answers->values;
}

us_form us_answer_form(us_answer answer) {
    return answer.batch->form;
}

us_text us_answer_text(us_answer answer) {
    const exports_understudy_shadow_answers_values_t *values = values_of(answer, US_FORM_LABEL | US_FORM_JSON, "label and no JSON value");
    return name_at(&values->val.labels.names, values->val.labels.codes.ptr[answer.row]);
}

double us_answer_number(us_answer answer) {
    return values_of(answer, US_FORM_NUMBER, "number")->val.numbers.ptr[answer.row];
}

/// The codes of a ranking or set, of which there are `count`.
static const uint32_t *members_of(us_answer answer, size_t *count) {
    const uint32_t *offsets;
    const exports_understudy_shadow_answers_values_t *values = values_of(answer, US_FORM_RANKING | US_FORM_LABEL_SET, "ranking and no set");
    offsets = values->val.rankings.offsets.ptr + answer.row;
    *count = offsets[1] - offsets[0];
    return values->val.rankings.codes.ptr + offsets[0];
}

size_t us_answer_count(us_answer answer) {
    size_t count;
    members_of(answer, &count);
    return count;
}

us_text us_answer_name(us_answer answer, size_t index) {
    size_t count;
    const uint32_t *codes = members_of(answer, &count);
    if (index >= count) us_panic_at("the metric", "there is no name %zu of %zu", index, count);
    return name_at(&answer.batch->answers->values.val.rankings.names, codes[index]);
}

bool us_answer_equal(us_answer left, us_answer right) {
    if (!left.is_answered || !right.is_answered || left.batch->form != right.batch->form) return false;
    switch (left.batch->form) {
        case US_FORM_NUMBER: return us_answer_number(left) == us_answer_number(right);
        case US_FORM_LABEL:
        case US_FORM_JSON: return us_text_equal(us_answer_text(left), us_answer_text(right));
        default: break;
    }
    size_t count = us_answer_count(left);
    if (count != us_answer_count(right)) return false;
    for (size_t index = 0; index < count; index += 1) {
        if (!us_text_equal(us_answer_name(left, index), us_answer_name(right, index))) return false;
    }
    return true;
}

double us_answer_confidence(us_answer answer) {
    const metric_option_list_f64_t *confidence = &answer.batch->answers->confidence;
    return answer.is_answered && confidence->is_some ? confidence->val.ptr[answer.row] : NAN;
}

size_t us_answer_class_count(us_answer answer) {
    if (!answer.is_answered || !answer.batch->answers->probabilities.is_some) return 0;
    const uint32_t *offsets = answer.batch->answers->probabilities.val.offsets.ptr;
    return offsets[answer.row + 1] - offsets[answer.row];
}

/// The place of a class in the probabilities of the batch.
static size_t class_place(us_answer answer, size_t index) {
    if (index >= us_answer_class_count(answer)) us_panic_at("the metric", "there is no class %zu", index);
    return answer.batch->answers->probabilities.val.offsets.ptr[answer.row] + index;
}

us_text us_answer_class(us_answer answer, size_t index) {
    size_t place = class_place(answer, index);
    const exports_understudy_shadow_answers_probabilities_t *probabilities = &answer.batch->answers->probabilities.val;
    return name_at(&probabilities->names, probabilities->codes.ptr[place]);
}

double us_answer_probability(us_answer answer, size_t index) {
    size_t place = class_place(answer, index);
    return answer.batch->answers->probabilities.val.values.ptr[place];
}
