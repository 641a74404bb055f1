#include "memory.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "understudy/common.h"

/// Bytes of the first chunk, enough for a call of a few rows.
#define FIRST_CHUNK 65536

/// A piece of memory. Its bytes follow it.
typedef struct chunk {
    struct chunk *previous;
    size_t size;
    // So that the bytes after the chunk are aligned.
    _Alignas(8) size_t used;
} chunk;

static chunk *current;
/// Whether the last call has ended.
static bool is_ended;

static chunk *new_chunk(chunk *previous, size_t size) {
    chunk *made = malloc(sizeof(chunk) + size);
    if (made == NULL) us_panic_at("understudy", "no memory for %zu bytes; raise `limits.memory-mib` of the study", size);
    *made = (chunk){previous, size, 0};
    return made;
}

void *us_call_bytes(size_t size) {
    if (size > SIZE_MAX / 4) us_panic_at("understudy", "no memory for %zu bytes", size);
    size_t rounded = (size + 7) & ~(size_t)7;
    if (current == NULL || current->size - current->used < rounded) {
        size_t least = current == NULL ? FIRST_CHUNK : 2 * current->size;
        current = new_chunk(current, rounded > least ? rounded : least);
    }
    char *bytes = (char *)(current + 1) + current->used;
    current->used += rounded;
    return bytes;
}

void us_call_begin(void) {
    if (!is_ended) return;
    is_ended = false;
    if (current == NULL) return;
    // The last chunk is the largest. The others go, so that a call of the same size needs one.
    chunk *previous = current->previous;
    current->previous = NULL;
    current->used = 0;
    while (previous != NULL) {
        chunk *next = previous->previous;
        free(previous);
        previous = next;
    }
}

void us_call_end(void) {
    is_ended = true;
}

void us_call_keep(void) {
    current = NULL;
    is_ended = true;
}

void *us_call_realloc(void *old, size_t size) {
    if (old != NULL) us_panic_at("understudy", "the host moves a value");
    us_call_begin();
    return us_call_bytes(size);
}
