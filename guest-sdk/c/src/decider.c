// Models and comparators: from `us_plugin` to the interface `decider` of the contract.

#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "config.h"
#include "memory.h"
#include "understudy/decider.h"

// The values of the host are in the memory of the call, which is freed as a whole.
#define realloc us_call_realloc
#define free(value) ((void)(value))
#include "../bindings/model.c"
#undef realloc
#undef free

// The numbers of the contract are those of the SDK.
_Static_assert(US_TEXT == EXPORTS_UNDERSTUDY_SHADOW_COLUMNS_KIND_TEXT, "a kind");
_Static_assert(US_JSON == EXPORTS_UNDERSTUDY_SHADOW_COLUMNS_KIND_JSON, "the last kind");
_Static_assert(US_FORM_JSON == EXPORTS_UNDERSTUDY_SHADOW_ANSWERS_FORM_JSON, "the last form");
_Static_assert(US_FORM_JSON == EXPORTS_UNDERSTUDY_SHADOW_ANSWERS_VALUES_JSON, "the last form of values");

static us_answers answers;

static model_string_t string_of(us_text text) {
    return (model_string_t){(uint8_t *)text.bytes, text.length};
}

void us_misread(const char *place, const us_field *field, us_kind kind, uint32_t row) {
    static const char *const kinds[] = {"a boolean", "an integer", "a number", "a text", "a timestamp", "JSON"};
    if (field->kind != kind) us_panic_at(place, "field `%s` is %s, and is read as %s", field->name, kinds[field->kind], kinds[kind]);
    us_panic_at(place, "field `%s` has no value in row %u; ask us_is_missing first", field->name, row);
}

bool exports_understudy_shadow_decider_configure(
    model_string_t *config, exports_understudy_shadow_decider_list_asset_t *assets, model_string_t *error
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

static size_t field_count(void) {
    size_t count = 0;
    while (us_plugin.reads != NULL && us_plugin.reads[count] != NULL) count += 1;
    return count;
}

void exports_understudy_shadow_decider_describe(exports_understudy_shadow_decider_description_t *description) {
    us_call_begin();
    size_t count = field_count();
    exports_understudy_shadow_decider_field_t *fields = US_CALL_ARRAY(exports_understudy_shadow_decider_field_t, count);
    for (size_t index = 0; index < count; index += 1) {
        const us_field *field = us_plugin.reads[index];
        fields[index] = (exports_understudy_shadow_decider_field_t){
            string_of(us_text_of(field->name)), (uint8_t)field->kind, !field->optional,
        };
    }
    *description = (exports_understudy_shadow_decider_description_t){
        .name = string_of(us_text_of(US_PLUGIN_NAME)),
        .version = string_of(us_text_of(US_PLUGIN_VERSION)),
        .reads = {fields, count},
        .answers = (uint8_t)us_plugin.form,
        .has_probabilities = us_plugin.has_probabilities,
    };
    us_call_end();
}

/// The tag of the values of each kind. The contract has another order there.
static const uint8_t value_tags[] = {
    [US_BOOLEAN] = EXPORTS_UNDERSTUDY_SHADOW_COLUMNS_VALUES_BOOLEAN,
    [US_INTEGER] = EXPORTS_UNDERSTUDY_SHADOW_COLUMNS_VALUES_INTEGER,
    [US_NUMBER] = EXPORTS_UNDERSTUDY_SHADOW_COLUMNS_VALUES_NUMBER,
    [US_TEXT] = EXPORTS_UNDERSTUDY_SHADOW_COLUMNS_VALUES_TEXT,
    [US_TIMESTAMP] = EXPORTS_UNDERSTUDY_SHADOW_COLUMNS_VALUES_TIMESTAMP,
    [US_JSON] = EXPORTS_UNDERSTUDY_SHADOW_COLUMNS_VALUES_JSON,
};

/// Binds a column of the host to its field.
static void bind(us_field *field, const exports_understudy_shadow_columns_column_t *column) {
    if (column->values.tag != value_tags[field->kind]) us_panic_at("understudy", "the column of field `%s` has another kind", field->name);
    us_column bound = {.values = column->values.val.boolean.ptr};
    if (field->kind == US_TEXT || field->kind == US_JSON) {
        bound.values = column->values.val.text.bytes.ptr;
        bound.offsets = column->values.val.text.offsets.ptr;
    }
    if (column->missing.is_some) {
        bound.missing = column->missing.val.ptr;
        bound.missing_count = column->missing.val.len;
    }
    field->column = bound;
}

static model_list_u32_t codes_of(list codes) {
    return (model_list_u32_t){codes.elements, codes.count};
}

static exports_understudy_shadow_answers_text_t names_of(const dictionary *names) {
    exports_understudy_shadow_answers_text_t text = {{NULL, names->count + 1}, {NULL, names->bytes}};
    dictionary_columns(names, &text.offsets.ptr, &text.bytes.ptr);
    return text;
}

static exports_understudy_shadow_answers_values_t values_of(const us_answers *given) {
    exports_understudy_shadow_answers_values_t values = {.tag = (uint8_t)given->form};
    switch (given->form) {
        case US_FORM_LABEL:
        case US_FORM_JSON:
            values.val.labels = (exports_understudy_shadow_answers_labels_t){names_of(&given->names), {given->codes, given->rows}};
            break;
        case US_FORM_NUMBER: values.val.numbers = (model_list_f64_t){given->numbers, given->rows}; break;
        default:
            values.val.rankings = (exports_understudy_shadow_answers_rankings_t){
                names_of(&given->names), {given->offsets, given->rows + 1}, codes_of(given->members),
            };
    }
    return values;
}

static exports_understudy_shadow_answers_list_tuple2_u32_reason_t unanswered_of(const us_answers *given) {
    size_t count = given->unanswered.count;
    exports_understudy_shadow_answers_list_tuple2_u32_reason_t rows = {
        US_CALL_ARRAY(exports_understudy_shadow_answers_tuple2_u32_reason_t, count), count,
    };
    const unanswered_row *reasons = given->unanswered.elements;
    for (size_t index = 0; index < count; index += 1) {
        rows.ptr[index].f0 = reasons[index].row;
        rows.ptr[index].f1.tag = reasons[index].is_choice ? EXPORTS_UNDERSTUDY_SHADOW_ANSWERS_REASON_ABSTAINED
                                                          : EXPORTS_UNDERSTUDY_SHADOW_ANSWERS_REASON_FAILED;
        rows.ptr[index].f1.val.failed = string_of(reasons[index].reason);
    }
    return rows;
}

bool exports_understudy_shadow_decider_decide(
    uint32_t rows,
    exports_understudy_shadow_decider_list_column_t *columns,
    exports_understudy_shadow_decider_answers_t *returned,
    model_string_t *error
) {
    us_call_begin();
    if (columns->len != field_count()) us_panic_at("understudy", "expected %zu columns, found %zu", field_count(), columns->len);
    for (size_t index = 0; index < columns->len; index += 1) bind(us_plugin.reads[index], &columns->ptr[index]);
    answers_begin(&answers, rows, &us_plugin);
    if (us_plugin.decide_rows != NULL) {
        us_plugin.decide_rows(&answers, rows);
    } else {
        for (uint32_t row = 0; row < rows; row += 1) us_plugin.decide(&answers, row);
    }
    answers_settle(&answers, rows);
    us_call_end();
    if (answers.has_error) {
        *error = string_of(answers.error);
        return false;
    }
    *returned = (exports_understudy_shadow_decider_answers_t){.values = values_of(&answers), .unanswered = unanswered_of(&answers)};
    if (answers.confidences != NULL) returned->confidence = (model_option_list_f64_t){true, {answers.confidences, rows}};
    if (answers.has_probabilities) {
        returned->probabilities.is_some = true;
        returned->probabilities.val = (exports_understudy_shadow_answers_probabilities_t){
            names_of(&answers.classes),
            {answers.class_offsets, rows + 1},
            codes_of(answers.class_codes),
            {answers.class_values.elements, answers.class_values.count},
        };
    }
    return true;
}
