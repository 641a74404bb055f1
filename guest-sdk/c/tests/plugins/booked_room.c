// The rule of plugins/booked-room in C: assigns the reserved room type.

#include <understudy/decider.h>

static us_field reserved_room_type = {.name = "reserved_room_type", .kind = US_TEXT};
static us_field *const reads[] = {&reserved_room_type, NULL};

static void decide(us_answers *answers, uint32_t row) {
    us_answer_label(answers, row, us_string(&reserved_room_type, row));
}

us_decider us_plugin = {.reads = reads, .form = US_FORM_LABEL, .decide = decide};
