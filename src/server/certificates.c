#include "server/certificates.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include "base/address.h"

#define NAMES_MAX 24

struct names {
    char text[NAMES_MAX][256];
    const char *list[NAMES_MAX];
    size_t n;
};

static void names_add(struct names *n, const char *name)
{
    for (size_t i = 0; i < n->n; i++)
        if (!strcmp(n->list[i], name))
            return;
    if (!*name || n->n == NAMES_MAX)
        return;
    snprintf(n->text[n->n], sizeof(n->text[0]), "%s", name);
    n->list[n->n] = n->text[n->n];
    n->n++;
}

static bool is_link_local(struct ip ip)
{
    return ip.family == 6 ? ip.bytes[0] == 0xfe && (ip.bytes[1] & 0xc0) == 0x80
                          : ip_v4_number(ip) >> 16 == 0xa9fe;
}

/* Without node.address phones are told the address of the interface they come by: any of them. */
static void names_add_interfaces(struct names *n)
{
    uv_interface_address_t *all;
    char words[IP_TEXT_MAX];
    int n_all;

    if (uv_interface_addresses(&all, &n_all) < 0)
        return;
    for (int i = 0; i < n_all; i++) {
        struct ip ip = endpoint_of_sockaddr((const struct sockaddr *)&all[i].address).ip;

        if (!all[i].is_internal && !is_link_local(ip))
            names_add(n, ip_print(ip, words));
    }
    uv_free_interface_addresses(all, n_all);
}

static void names_of_node(const struct bootstrap *b, struct names *n)
{
    char host[256] = "";

    gethostname(host, sizeof(host) - 1);
    names_add(n, *b->node_name ? b->node_name : host);
    names_add(n, host);
    if (*b->node_address)
        names_add(n, b->node_address);
    else
        names_add_interfaces(n);
}

char *server_certificates_folder(const struct bootstrap *b, char folder[CERTIFICATE_PATH_MAX])
{
    snprintf(folder, CERTIFICATE_PATH_MAX, "%s/certificates", b->data);
    return folder;
}

bool server_certificates_given(const struct bootstrap *b)
{
    return *b->tls_certificate;
}

int server_certificates(const struct bootstrap *b, bool renew, unsigned *made, char *words,
                        size_t size)
{
    char folder[CERTIFICATE_PATH_MAX];
    struct names names = {0};
    struct certificates_options o = {
        .folder = server_certificates_folder(b, folder), .names = names.list, .now_s = time(NULL)};

    *made = 0;
    if (server_certificates_given(b))
        return 0;
    names_of_node(b, &names);
    o.node = names.n ? names.list[0] : "dialtone";
    o.n_names = names.n;
    return certificates_provide(&o, renew, made, words, size);
}

struct tls_options server_tls_options(const struct bootstrap *b, bool old_phones,
                                      struct certificate_files *files)
{
    struct tls_options o = {.old_phones = old_phones,
                            .authority = *b->tls_authority ? b->tls_authority : NULL};
    enum certificate_id first = old_phones ? CERTIFICATE_NODE_RSA : CERTIFICATE_NODE;
    char folder[CERTIFICATE_PATH_MAX];

    if (server_certificates_given(b)) {
        o.certificate = b->tls_certificate;
        o.key = *b->tls_key ? b->tls_key : b->tls_certificate; /* both in one file */
        return o;
    }
    server_certificates_folder(b, folder);
    o.certificate = certificate_path(folder, first, files->certificate);
    o.key = certificate_key_path(folder, first, files->key);
    if (!old_phones) {
        o.rsa_certificate = certificate_path(folder, CERTIFICATE_NODE_RSA, files->rsa_certificate);
        o.rsa_key = certificate_key_path(folder, CERTIFICATE_NODE_RSA, files->rsa_key);
    }
    return o;
}
