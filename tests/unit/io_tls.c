/* io_tls.c - TLS below links: OpenSSL's client against a listener, certificates made on the way. */
#include "tcp_world.h"

#include <sys/stat.h>

#include <openssl/ssl.h>

#include "io/certificates.h"

static char folder[64];
static const char *const names[] = {"cm1.example.com", "127.0.0.1"};

static struct tls_options tls_files(bool old_phones, bool client_certificates)
{
    static char paths[5][CERTIFICATE_PATH_MAX];

    return (struct tls_options){
        .certificate = certificate_path(folder, CERTIFICATE_NODE, paths[0]),
        .key = certificate_key_path(folder, CERTIFICATE_NODE, paths[1]),
        .rsa_certificate = certificate_path(folder, CERTIFICATE_NODE_RSA, paths[2]),
        .rsa_key = certificate_key_path(folder, CERTIFICATE_NODE_RSA, paths[3]),
        .authority =
            client_certificates ? certificate_path(folder, CERTIFICATE_AUTHORITY, paths[4]) : NULL,
        .old_phones = old_phones};
}

static struct world *world_new(bool old_phones, bool client_certificates)
{
    struct world *w = world_of_loopback();
    struct tls_options o = tls_files(old_phones, client_certificates);
    char words[256];

    assert_int_equal(tls_new(&o, &w->tls, words, sizeof(words)), 0);
    w->options.tag = 5;
    w->options.tls = w->tls;
    w->options.max_links = 100;
    w->options.max_queued = 4 << 20;
    w->options.on_drain = NULL;
    w->echo = true;
    return w;
}

/* The loop runs until `count` is `wanted`: its listener's clock turns it once a second at least. */
static void turn_until(struct world *w, const size_t *count, size_t wanted)
{
    for (int i = 0; i < 10000 && *count != wanted; i++)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(*count, wanted);
}

/* --- the client --- */

struct client {
    SSL_CTX *context;
    SSL *ssl;
    int fd;
};

static void client_new(struct client *c, struct world *w)
{
    char path[CERTIFICATE_PATH_MAX];

    *c = (struct client){.context = SSL_CTX_new(TLS_client_method()), .fd = dial(w)};
    SSL_CTX_load_verify_locations(c->context, certificate_path(folder, CERTIFICATE_AUTHORITY, path),
                                  NULL);
    SSL_CTX_set_verify(c->context, SSL_VERIFY_PEER, NULL);
}

/* Not later: what the SSL takes from the context is taken now. */
static void client_begin(struct client *c)
{
    struct timeval short_time = {0, 1000};

    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof(short_time));
    c->ssl = SSL_new(c->context);
    SSL_set1_host(c->ssl, names[0]);
    SSL_set_fd(c->ssl, c->fd);
}

static bool client_handshake(struct client *c, struct world *w)
{
    client_begin(c);
    for (int i = 0; i < 5000; i++) {
        int n = SSL_connect(c->ssl);

        if (n == 1) {
            turn_until(w, &w->opened, 1);
            return true;
        }
        if (SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ)
            return false;
        turn(w);
    }
    return false;
}

static void client_done(struct client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->context);
    close(c->fd);
}

static const char *key_of_server(struct client *c)
{
    return EVP_PKEY_get0_type_name(X509_get0_pubkey(SSL_get0_peer_certificate(c->ssl)));
}

/* --- tests --- */

static void a_verified_client_talks_in_clear_bytes(void **state)
{
    struct world *w = world_new(false, false);
    char subject[64], answer[16] = {0};
    struct client c;

    world_listen(w);
    client_new(&c, w);
    assert_true(client_handshake(&c, w));
    assert_string_equal(key_of_server(&c), "EC");
    assert_int_equal(w->opened, 1);
    assert_int_equal(w->last >> 60, 5);
    assert_int_equal(SSL_write(c.ssl, "hello", 5), 5);
    turn_until(w, &w->bytes, 5);
    assert_int_equal(SSL_read(c.ssl, answer, sizeof(answer)), 5);
    assert_string_equal(answer, "hello");
    tcp_subject(w->tcp, w->last, subject, sizeof(subject));
    assert_string_equal(subject, "");
    SSL_shutdown(c.ssl);
    turn_until(w, &w->closed, 1);
    assert_int_equal(tcp_count(w->tcp), 0);
    client_done(&c);
    world_free(w);
}

static void a_client_without_ecdsa_gets_the_rsa_certificate(void **state)
{
    struct world *w = world_new(false, false);
    struct client c;

    world_listen(w);
    client_new(&c, w);
    SSL_CTX_set_max_proto_version(c.context, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(c.context, "aRSA");
    assert_true(client_handshake(&c, w));
    assert_string_equal(key_of_server(&c), "RSA");
    client_done(&c);
    world_free(w);
}

static void tls_1_0_is_for_the_old_profile_alone(void **state)
{
    for (int old = 0; old < 2; old++) {
        struct world *w = world_new(old, false);
        struct client c;

        world_listen(w);
        client_new(&c, w);
        SSL_CTX_set_min_proto_version(c.context, TLS1_VERSION);
        SSL_CTX_set_max_proto_version(c.context, TLS1_VERSION);
        SSL_CTX_set_cipher_list(c.context, "AES128-SHA:@SECLEVEL=0");
        assert_int_equal(client_handshake(&c, w), old);
        turn_until(w, &w->failed, !old);
        if (!old)
            assert_string_equal(w->why, "unsupported protocol");
        client_done(&c);
        world_free(w);
    }
}

static void the_subject_of_a_verified_certificate_is_told(void **state)
{
    struct world *w = world_new(false, true);
    char path[CERTIFICATE_PATH_MAX], subject[64];
    struct client c;

    world_listen(w);
    client_new(&c, w);
    SSL_CTX_use_certificate_chain_file(c.context, certificate_path(folder, CERTIFICATE_NODE, path));
    SSL_CTX_use_PrivateKey_file(c.context, certificate_key_path(folder, CERTIFICATE_NODE, path),
                                SSL_FILETYPE_PEM);
    assert_true(client_handshake(&c, w));
    tcp_subject(w->tcp, w->last, subject, sizeof(subject));
    assert_string_equal(subject, "cm1");
    client_done(&c);
    world_free(w);
}

static void much_passes_in_order_both_ways(void **state)
{
    struct world *w = world_new(false, false);
    static uint8_t bytes[300000], back[300000];
    size_t sent = 0, got = 0, n;
    struct client c;

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    world_listen(w);
    client_new(&c, w);
    assert_true(client_handshake(&c, w));
    while (got < sizeof(bytes)) {
        if (sent < sizeof(bytes) && sent < got + 100000 &&
            SSL_write_ex(c.ssl, bytes + sent,
                         sizeof(bytes) - sent > 30000 ? 30000 : sizeof(bytes) - sent, &n))
            sent += n;
        turn(w);
        if (SSL_read_ex(c.ssl, back + got, sizeof(back) - got, &n))
            got += n;
    }
    assert_memory_equal(bytes, back, sizeof(bytes));
    client_done(&c);
    world_free(w);
}

static void other_bytes_are_no_link_and_are_told(void **state)
{
    struct world *w = world_new(false, false);
    int fd;

    world_listen(w);
    fd = dial(w);
    assert_int_equal(write(fd, "REGISTER sip:cm SIP/2.0\r\n", 25), 25);
    turn_until(w, &w->failed, 1);
    assert_int_equal(w->opened, 0);
    assert_int_equal(tcp_count(w->tcp), 0);
    close(fd);
    world_free(w);
}

static void silent_and_half_open_connections_end(void **state)
{
    struct world *w = world_new(false, false);
    int silent, half;

    w->options.handshake_ms = 1;
    world_listen(w);
    silent = dial(w);
    half = dial(w);
    assert_int_equal(write(half, "\x16\x03\x01", 3), 3);
    turn_until(w, &w->failed, 2);
    assert_int_equal(tcp_count(w->tcp), 0);
    assert_int_equal(w->opened, 0);
    close(silent);
    close(half);
    world_free(w);
}

static void the_oldest_handshake_gives_way(void **state)
{
    struct world *w = world_new(false, false);
    struct client c;
    int half[3];

    w->options.max_handshakes = 2;
    world_listen(w);
    for (int i = 0; i < 3; i++) {
        half[i] = dial(w);
        assert_int_equal(write(half[i], "\x16\x03\x01", 3), 3);
        turn_until(w, &w->failed, i == 2);
        turn(w);
    }
    client_new(&c, w);
    assert_true(client_handshake(&c, w));
    assert_int_equal(w->failed, 2);
    for (int i = 0; i < 3; i++)
        close(half[i]);
    client_done(&c);
    world_free(w);
}

static void missing_files_are_named(void **state)
{
    struct tls_options o = {.certificate = "/nowhere/a.pem", .key = "/nowhere/a.key"};
    struct tls *t = NULL;
    char words[256];

    assert_int_equal(tls_new(&o, &t, words, sizeof(words)), -EINVAL);
    assert_non_null(strstr(words, "/nowhere/a.pem"));
}

static int make_certificates(void **state)
{
    struct certificates_options o = {
        .folder = folder, .node = "cm1", .names = names, .n_names = 2, .now_s = time(NULL)};
    unsigned made;
    char words[256];

    snprintf(folder, sizeof(folder), "/tmp/dialtone-tls-XXXXXX");
    assert_non_null(mkdtemp(folder));
    return certificates_provide(&o, false, &made, words, sizeof(words));
}

static int remove_certificates(void **state)
{
    char path[CERTIFICATE_PATH_MAX];

    for (int id = 0; id < N_CERTIFICATES; id++) {
        unlink(certificate_path(folder, (enum certificate_id)id, path));
        unlink(certificate_key_path(folder, (enum certificate_id)id, path));
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_verified_client_talks_in_clear_bytes),
        cmocka_unit_test(a_client_without_ecdsa_gets_the_rsa_certificate),
        cmocka_unit_test(tls_1_0_is_for_the_old_profile_alone),
        cmocka_unit_test(the_subject_of_a_verified_certificate_is_told),
        cmocka_unit_test(much_passes_in_order_both_ways),
        cmocka_unit_test(other_bytes_are_no_link_and_are_told),
        cmocka_unit_test(silent_and_half_open_connections_end),
        cmocka_unit_test(the_oldest_handshake_gives_way),
        cmocka_unit_test(missing_files_are_named),
    };

    return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
