#ifndef MERIDIAN_CCURL_SHIM_H
#define MERIDIAN_CCURL_SHIM_H

#include <curl/curl.h>

// curl_easy_setopt, curl_easy_getinfo and curl_multi_setopt are variadic, which Swift cannot call: typed stand-ins.

static inline CURLcode meridian_curl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode meridian_curl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode meridian_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode meridian_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(handle, option, value);
}

typedef size_t (*meridian_curl_write)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode meridian_curl_set_write(CURL *handle, CURLoption option, meridian_curl_write function) {
    return curl_easy_setopt(handle, option, function);
}

typedef curl_socket_t (*meridian_curl_open)(void *context, curlsocktype purpose, struct curl_sockaddr *address);

static inline CURLcode meridian_curl_set_open(CURL *handle, meridian_curl_open function) {
    return curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, function);
}

typedef int (*meridian_curl_progress)(void *context, curl_off_t total, curl_off_t now, curl_off_t uploads, curl_off_t up);

static inline CURLcode meridian_curl_set_progress(CURL *handle, meridian_curl_progress function) {
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, function);
}

static inline int meridian_curl_is_connected(void *context, curl_socket_t descriptor, curlsocktype purpose) {
    (void)context, (void)descriptor, (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

/// Tells libcurl that the socket that it is given has a connection already.
static inline CURLcode meridian_curl_set_connected(CURL *handle) {
    return curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, meridian_curl_is_connected);
}

static inline CURLcode meridian_curl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode meridian_curl_get_offset(CURL *handle, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLcode meridian_curl_get_pointer(CURL *handle, CURLINFO info, void **value) {
    return curl_easy_getinfo(handle, info, value);
}

static inline CURLMcode meridian_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

#endif
