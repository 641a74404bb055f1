#include "dictionary.h"

#include <string.h>

#include "memory.h"
#include "text.h"

#define FIRST_SLOTS 32

/// FNV-1a over words of eight bytes, and over the bytes that are left.
static uint32_t hash(us_text name) {
    uint64_t value = 14695981039346656037u;
    size_t index = 0;
    for (; index + 8 <= name.length; index += 8) value = (value ^ us_word(name.bytes + index)) * 1099511628211u;
    for (; index < name.length; index += 1) value = (value ^ (uint8_t)name.bytes[index]) * 1099511628211u;
    return (uint32_t)(value ^ value >> 32);
}

/// The slot of a name, or the free slot for it.
static uint32_t slot(const dictionary *names, us_text name) {
    uint32_t mask = names->slot_count - 1;
    uint32_t at = hash(name) & mask;
    while (names->slots[at] != 0 && !us_text_equal(names->names[names->slots[at] - 1], name)) at = (at + 1) & mask;
    return at;
}

static void grow(dictionary *names) {
    uint32_t slot_count = names->slot_count == 0 ? FIRST_SLOTS : 2 * names->slot_count;
    us_text *grown = US_CALL_ARRAY(us_text, slot_count / 2);
    if (names->count > 0) memcpy(grown, names->names, sizeof(us_text) * names->count);
    names->names = grown;
    names->slots = US_CALL_ARRAY(uint32_t, slot_count);
    names->slot_count = slot_count;
    memset(names->slots, 0, sizeof(uint32_t) * slot_count);
    for (uint32_t code = 0; code < names->count; code += 1) names->slots[slot(names, names->names[code])] = code + 1;
}

uint32_t dictionary_code(dictionary *names, us_text name) {
    if (names->count > 0 && us_text_equal(names->names[names->last], name)) return names->last;
    if (2 * names->count == names->slot_count) grow(names);
    uint32_t at = slot(names, name);
    if (names->slots[at] == 0) {
        char *copied = US_CALL_ARRAY(char, name.length);
        if (name.length > 0) memcpy(copied, name.bytes, name.length);
        names->names[names->count] = (us_text){copied, name.length};
        names->count += 1;
        names->slots[at] = names->count;
        names->bytes += name.length;
    }
    names->last = names->slots[at] - 1;
    return names->last;
}

void dictionary_columns(const dictionary *names, uint32_t **offsets, uint8_t **bytes) {
    *offsets = US_CALL_ARRAY(uint32_t, names->count + 1);
    *bytes = US_CALL_ARRAY(uint8_t, names->bytes);
    uint32_t offset = 0;
    for (uint32_t code = 0; code < names->count; code += 1) {
        us_text name = names->names[code];
        (*offsets)[code] = offset;
        if (name.length > 0) memcpy(*bytes + offset, name.bytes, name.length);
        offset += (uint32_t)name.length;
    }
    (*offsets)[names->count] = offset;
}
