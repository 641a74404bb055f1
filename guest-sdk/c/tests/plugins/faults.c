// A model with a fault for each text, and a sum of all kinds of fields otherwise.

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <understudy/decider.h>

static us_field text = {.name = "text", .kind = US_TEXT};
static us_field integer = {.name = "integer", .kind = US_INTEGER, .optional = true};
static us_field number = {.name = "number", .kind = US_NUMBER, .optional = true};
static us_field boolean = {.name = "boolean", .kind = US_BOOLEAN, .optional = true};
static us_field timestamp = {.name = "timestamp", .kind = US_TIMESTAMP, .optional = true};
static us_field json = {.name = "json", .kind = US_JSON, .optional = true};
static us_field *const reads[] = {&text, &integer, &number, &boolean, &timestamp, &json, NULL};

static int depth(int limit) {
    volatile char block[4096];
    block[0] = (char)limit;
    return limit == 0 ? block[0] : depth(limit - 1) + block[0];
}

static volatile int zero = 0;

static void decide(us_answers *answers, uint32_t row) {
    us_text deed = us_string(&text, row);
    if (us_text_is(deed, "panic")) us_panic("no room %d", 7);
    if (us_text_is(deed, "trap")) __builtin_trap();
    if (us_text_is(deed, "assert")) assert(deed.length == 0);
    if (us_text_is(deed, "abort")) abort();
    if (us_text_is(deed, "missing")) us_integer(&integer, row);
    if (us_text_is(deed, "kind")) us_number(&integer, row);
    if (us_text_is(deed, "division")) us_answer_label(answers, row, us_format("%d", 7 / zero));
    if (us_text_is(deed, "pointer")) *(volatile int *)(intptr_t)-64 = 1;
    if (us_text_is(deed, "recursion")) us_answer_label(answers, row, us_format("%d", depth((int)deed.length << 20)));
    if (us_text_is(deed, "loop")) {
        for (volatile int step = 0;; step += 1) {}
    }
    if (us_text_is(deed, "memory")) {
        char *volatile bytes = malloc(80 << 20);
        us_answer_label(answers, row, us_text_of(bytes == NULL ? "malloc returned NULL" : "there was memory"));
    }
    if (us_text_is(deed, "twice")) {
        us_answer_label(answers, row, deed);
        us_answer_label(answers, row, deed);
    }
    if (us_text_is(deed, "form")) us_answer_number(answers, row, 1);
    if (us_text_is(deed, "error")) us_fail_call(answers, "the table has no %.*s", US_SHOWN(deed));
    if (us_text_is(deed, "abstain")) us_abstain(answers, row, "there is nothing");
    if (us_text_is(deed, "fail")) us_fail(answers, row, "there is nothing");
    if (us_text_is(deed, "not finite")) us_answer_label(answers, row, us_format("%g", sqrt(-1.0)));
    if (us_text_is(deed, "power")) us_answer_label(answers, row, us_format("%.17g", pow(10, 0.3)));
    if (us_text_is(deed, "values")) {
        us_text first = us_text_of("nothing");
        us_json element;
        if (us_json_member(us_json_value(&json, row), "a", &element)) us_json_string(element, &first);
        us_answer_label(
            answers, row,
            us_format("%lld %.17g %d %lld %.*s", us_integer(&integer, row), us_number(&number, row), us_boolean(&boolean, row),
                      us_timestamp(&timestamp, row), US_SHOWN(first))
        );
    }
}

us_decider us_plugin = {.reads = reads, .form = US_FORM_LABEL, .decide = decide};
