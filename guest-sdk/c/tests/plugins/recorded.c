// The rule of plugins/recorded in C: a comparator that answers what a recorded field holds, in each form of an answer.

#include <stdlib.h>
#include <string.h>
#include <understudy/decider.h>

static us_field recorded = {.optional = true};
static us_field *const reads[] = {&recorded, NULL};

static const struct {
    const char *name;
    us_form form;
    us_kind kind;
} forms[] = {
    {"label", US_FORM_LABEL, US_TEXT},
    {"number", US_FORM_NUMBER, US_NUMBER},
    {"ranking", US_FORM_RANKING, US_JSON},
    {"label-set", US_FORM_LABEL_SET, US_JSON},
    {"json", US_FORM_JSON, US_JSON},
};

static void configure(us_config *config) {
    recorded.name = us_config_text(config, "field");
    const char *form = us_config_text(config, "form");
    size_t index = 0;
    while (index < 5 && strcmp(forms[index].name, form) != 0) index += 1;
    if (index == 5) {
        us_config_error(config, "config: `form` is \"%s\", expected label, number, ranking, label-set or json", form);
        return;
    }
    us_plugin.form = forms[index].form;
    recorded.kind = forms[index].kind;
}

// Answers a ranking or a set of an array of texts.
static void answer_names(us_answers *answers, uint32_t row, us_json array) {
    size_t count = 0;
    for (us_json element = {0}; us_json_next(array, &element);) count += 1;
    us_text *names = malloc(sizeof(us_text) * count);
    size_t index = 0;
    bool are_texts = true;
    for (us_json element = {0}; us_json_next(array, &element); index += 1) {
        are_texts = us_json_string(element, &names[index]) && are_texts;
    }
    if (!are_texts || us_json_text(array).bytes[0] != '[') {
        us_fail(answers, row, "the field holds no array of strings: %.*s", US_SHOWN(us_json_text(array)));
    } else if (us_plugin.form == US_FORM_RANKING) {
        us_answer_ranking(answers, row, names, count);
    } else {
        us_answer_label_set(answers, row, names, count);
    }
    free(names);
}

static void decide(us_answers *answers, uint32_t row) {
    if (us_is_missing(&recorded, row)) {
        us_abstain(answers, row, "the decision has no `%s`", recorded.name);
        return;
    }
    switch (us_plugin.form) {
        case US_FORM_LABEL: us_answer_label(answers, row, us_string(&recorded, row)); break;
        case US_FORM_NUMBER: us_answer_number(answers, row, us_number(&recorded, row)); break;
        case US_FORM_JSON: us_answer_json(answers, row, us_json_text(us_json_value(&recorded, row))); break;
        default: answer_names(answers, row, us_json_value(&recorded, row));
    }
}

us_decider us_plugin = {.reads = reads, .form = US_FORM_LABEL, .configure = configure, .decide = decide};
