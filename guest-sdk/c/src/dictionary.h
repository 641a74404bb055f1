// Distinct names of a call, each with a code: the order of its first use.

#ifndef UNDERSTUDY_DICTIONARY_H
#define UNDERSTUDY_DICTIONARY_H

#include "understudy/common.h"

/// Names, and a hash table of their codes. Zeros are an empty one.
typedef struct dictionary {
    us_text *names;
    uint32_t count;
    /// Code plus 1, or 0 if the slot is free. Their number is twice that of the names that fit.
    uint32_t *slots;
    uint32_t slot_count;
    /// Bytes of all names.
    size_t bytes;
    /// The code of the last name.
    uint32_t last;
} dictionary;

/// The code of a name. A new name is copied.
uint32_t dictionary_code(dictionary *names, us_text name);

/// The names as the contract has them: offsets, of which there is one more than names, and bytes.
void dictionary_columns(const dictionary *names, uint32_t **offsets, uint8_t **bytes);

#endif
