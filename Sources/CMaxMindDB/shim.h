#ifndef MERIDIAN_CMAXMINDDB_SHIM_H
#define MERIDIAN_CMAXMINDDB_SHIM_H

#include <maxminddb.h>

// MMDB_entry_data_s keeps its value in an anonymous union with a 128-bit member, which Swift does not import: the one
// kind of value that is needed is handed out here. *text is not terminated; it is NULL when there is no such string.
static inline int meridian_mmdb_string(
    MMDB_entry_s *entry, const char *outer, const char *inner, const char **text, uint32_t *size) {
    const char *path[] = {outer, inner, NULL};
    MMDB_entry_data_s data;
    *text = NULL;
    *size = 0;
    int status = MMDB_aget_value(entry, &data, path);
    if (status == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR) return MMDB_SUCCESS;
    if (status != MMDB_SUCCESS) return status;
    if (!data.has_data) return MMDB_SUCCESS;
    if (data.type != MMDB_DATA_TYPE_UTF8_STRING) return MMDB_INVALID_DATA_ERROR;
    *text = data.utf8_string;
    *size = data.data_size;
    return MMDB_SUCCESS;
}

#endif
