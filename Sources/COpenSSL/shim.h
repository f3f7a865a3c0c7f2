#ifndef MERIDIAN_COPENSSL_SHIM_H
#define MERIDIAN_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdbool.h>

// Half of what a TLS client needs are macros, which Swift does not see: one function for each step.

/// The settings of a client: TLS 1.2 or later. With `verifies` the server's certificate must lead to one of those in `roots`
/// (PEM, `count` octets), or to one that the system trusts when that is NULL. NULL when memory is short, or when there is no
/// certificate in `roots`, or one that cannot be read.
static inline SSL_CTX *meridian_tls_settings(bool verifies, const void *roots, int count) {
    ERR_clear_error();
    SSL_CTX *settings = SSL_CTX_new(TLS_client_method());
    if (settings == NULL) return NULL;
    SSL_CTX_set_min_proto_version(settings, TLS1_2_VERSION);
    SSL_CTX_set_options(settings, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(settings, SSL_SESS_CACHE_OFF);
    // With finite-field Diffie-Hellman a server chooses the group, or the largest of the named ones: up to seconds of our time
    // for a handshake, whoever it is.
    if (SSL_CTX_set_cipher_list(settings, "DEFAULT:!kDHE:!kDHEPSK") != 1 ||
        SSL_CTX_set1_groups_list(settings, "X25519:P-256:X448:P-384:P-521") != 1) {
        SSL_CTX_free(settings);
        return NULL;
    }
    if (!verifies) return settings;
    SSL_CTX_set_verify(settings, SSL_VERIFY_PEER, NULL);
    bool read = false;
    if (roots == NULL) {
        read = SSL_CTX_set_default_verify_paths(settings) == 1;
    } else {
        BIO *text = BIO_new_mem_buf(roots, count);
        X509 *certificate;
        while (text && (certificate = PEM_read_bio_X509(text, NULL, NULL, NULL))) {
            read = X509_STORE_add_cert(SSL_CTX_get_cert_store(settings), certificate) == 1;
            X509_free(certificate);
            if (!read) break;
        }
        // The text ends where no further certificate begins.
        if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) read = false;
        BIO_free(text);
    }
    ERR_clear_error();
    if (read) return settings;
    SSL_CTX_free(settings);
    return NULL;
}

/// A client's session over two memory buffers. A certificate that is verified must also be for `host` or `address` when one
/// of them is given. NULL when memory is short or the name is none.
static inline SSL *meridian_tls_session(SSL_CTX *settings, const char *host, const char *address) {
    ERR_clear_error();
    SSL *session = SSL_new(settings);
    BIO *input = BIO_new(BIO_s_mem()), *output = BIO_new(BIO_s_mem());
    if (session == NULL || input == NULL || output == NULL) {
        SSL_free(session), BIO_free(input), BIO_free(output);
        return NULL;
    }
    // An empty buffer means "not yet", not the end.
    BIO_set_mem_eof_return(input, -1);
    BIO_set_mem_eof_return(output, -1);
    SSL_set_bio(session, input, output);
    SSL_set_connect_state(session);
    int named = 1;
    if (host) named = SSL_set1_host(session, host) && SSL_set_tlsext_host_name(session, host);
    else if (address) named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), address);
    if (named == 1) return session;
    SSL_free(session);
    return NULL;
}

/// Gives the session octets from the network.
static inline int meridian_tls_receive(SSL *session, const void *octets, int count) {
    return BIO_write(SSL_get_rbio(session), octets, count);
}

/// Takes octets for the network; 0 when there are none.
static inline int meridian_tls_transmit(SSL *session, void *room, int count) {
    int taken = BIO_read(SSL_get_wbio(session), room, count);
    return taken > 0 ? taken : 0;
}

static inline int meridian_tls_handshake(SSL *session) {
    ERR_clear_error();
    return SSL_do_handshake(session);
}

static inline int meridian_tls_read(SSL *session, void *room, int count) {
    ERR_clear_error();
    return SSL_read(session, room, count);
}

static inline int meridian_tls_write(SSL *session, const void *octets, int count) {
    ERR_clear_error();
    return SSL_write(session, octets, count);
}

/// True when a call that returned `result` only waits for octets from the network.
static inline bool meridian_tls_waits(SSL *session, int result) {
    int error = SSL_get_error(session, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/// Why the last call failed: what is wrong with the certificate, or OpenSSL's reason. NULL when it does not say.
static inline const char *meridian_tls_reason(SSL *session) {
    long verified = session ? SSL_get_verify_result(session) : X509_V_OK;
    if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
    return ERR_reason_error_string(ERR_peek_last_error());
}

#endif
