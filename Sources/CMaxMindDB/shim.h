#ifndef MERIDIAN_CMAXMINDDB_SHIM_H
#define MERIDIAN_CMAXMINDDB_SHIM_H

#include <maxminddb.h>
#include <string.h>

// MMDB_entry_data_s keeps its value in an anonymous union with a 128-bit member, which Swift does not import: the kinds of
// value that are needed are handed out here, found by a path of at most four keys, of which those that are NULL do not
// count. (Keys of an array are decimal positions.)

static inline int meridian_mmdb_value(
    MMDB_entry_s *entry, const char *const keys[4], MMDB_entry_data_s *data) {
    const char *path[] = {keys[0], keys[1], keys[2], keys[3], NULL};
    memset(data, 0, sizeof *data);
    int status = MMDB_aget_value(entry, data, path);
    if (status == MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR) {
        data->has_data = false;
        return MMDB_SUCCESS;
    }
    return status;
}

// *text is not terminated; it is NULL when there is no such string.
static inline int meridian_mmdb_string(
    MMDB_entry_s *entry, const char *a, const char *b, const char *c, const char *d, const char **text,
    uint32_t *size) {
    const char *const keys[4] = {a, b, c, d};
    MMDB_entry_data_s data;
    *text = NULL;
    *size = 0;
    int status = meridian_mmdb_value(entry, keys, &data);
    if (status != MMDB_SUCCESS || !data.has_data) return status;
    if (data.type != MMDB_DATA_TYPE_UTF8_STRING) return MMDB_INVALID_DATA_ERROR;
    *text = data.utf8_string;
    *size = data.data_size;
    return MMDB_SUCCESS;
}

// *found says whether there is such a number: a double, a float or an unsigned integer of at most 64 bits.
static inline int meridian_mmdb_number(
    MMDB_entry_s *entry, const char *a, const char *b, bool *found, double *number) {
    const char *const keys[4] = {a, b, NULL, NULL};
    MMDB_entry_data_s data;
    *found = false;
    *number = 0;
    int status = meridian_mmdb_value(entry, keys, &data);
    if (status != MMDB_SUCCESS || !data.has_data) return status;
    switch (data.type) {
    case MMDB_DATA_TYPE_DOUBLE: *number = data.double_value; break;
    case MMDB_DATA_TYPE_FLOAT: *number = (double)data.float_value; break;
    case MMDB_DATA_TYPE_UINT16: *number = data.uint16; break;
    case MMDB_DATA_TYPE_UINT32: *number = data.uint32; break;
    case MMDB_DATA_TYPE_UINT64: *number = (double)data.uint64; break;
    default: return MMDB_INVALID_DATA_ERROR;
    }
    *found = true;
    return MMDB_SUCCESS;
}

#endif
