/* seal.c - texts under AES-256-GCM. */
#include "io/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PREFIX     "sealed:"
#define KEY_SIZE   32
#define NONCE_SIZE 12
#define TAG_SIZE   16

struct seal {
    char path[600];
    uint8_t key[KEY_SIZE];
    bool has_key;
};

static int read_key(struct seal *s)
{
    int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    uint8_t more;
    int err = 0;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    if (read(fd, s->key, KEY_SIZE) != KEY_SIZE || read(fd, &more, 1) != 0)
        err = -EBADMSG;
    close(fd);
    s->has_key = !err;
    return err;
}

/* Whole and on the disk before anything is sealed with it. */
static int make_key(struct seal *s)
{
    char fresh[sizeof(s->path) + 8];
    int fd, err = 0;

    if (RAND_bytes(s->key, KEY_SIZE) != 1)
        return -EIO;
    snprintf(fresh, sizeof(fresh), "%s.new", s->path);
    unlink(fresh);
    fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (write(fd, s->key, KEY_SIZE) != KEY_SIZE || fsync(fd) < 0)
        err = errno ? -errno : -EIO;
    close(fd);
    if (!err && link(fresh, s->path) < 0) /* never over a key that somebody else made meanwhile */
        err = -errno;
    unlink(fresh);
    if (err == -EEXIST)
        return read_key(s);
    s->has_key = !err;
    return err;
}

int seal_new(const char *path, struct seal **ret, char *error, size_t size)
{
    struct seal *s = calloc(1, sizeof(*s));
    int err = s ? 0 : -ENOMEM;

    if (s) {
        snprintf(s->path, sizeof(s->path), "%s", path);
        err = read_key(s);
    }
    if (err) {
        snprintf(error, size, "%s cannot be read: %s", path,
                 err == -EBADMSG ? "it is no key" : strerror(-err));
        seal_free(s);
        return err;
    }
    *ret = s;
    return 0;
}

void seal_free(struct seal *s)
{
    if (!s)
        return;
    explicit_bzero(s->key, sizeof(s->key));
    free(s);
}

bool seal_is(struct text t)
{
    return text_starts(t, PREFIX);
}

static int encrypt(const struct seal *s, struct text clear, uint8_t *bytes)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t *body = bytes + NONCE_SIZE;
    int n = 0, rest = 0;
    bool done = c && RAND_bytes(bytes, NONCE_SIZE) == 1 &&
                EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, s->key, bytes) == 1 &&
                EVP_EncryptUpdate(c, body, &n, (const uint8_t *)clear.at, (int)clear.len) == 1 &&
                EVP_EncryptFinal_ex(c, body + n, &rest) == 1 &&
                EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, body + clear.len) == 1;

    EVP_CIPHER_CTX_free(c);
    return done ? 0 : -EIO;
}

int seal_close(struct seal *s, struct text clear, char to[static SEAL_TEXT_MAX])
{
    uint8_t bytes[NONCE_SIZE + SEAL_CLEAR_MAX + TAG_SIZE];
    int err;

    if (clear.len > SEAL_CLEAR_MAX)
        return -E2BIG;
    if ((!s->has_key && (err = make_key(s))) || (err = encrypt(s, clear, bytes)))
        return err;
    memcpy(to, PREFIX, strlen(PREFIX));
    EVP_EncodeBlock((uint8_t *)to + strlen(PREFIX), bytes,
                    (int)(NONCE_SIZE + clear.len + TAG_SIZE));
    return 0;
}

static int decrypt(const struct seal *s, uint8_t *bytes, int len, char *to)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t *body = bytes + NONCE_SIZE;
    int n = 0, rest = 0;
    bool done = c && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, s->key, bytes) == 1 &&
                EVP_DecryptUpdate(c, (uint8_t *)to, &n, body, len) == 1 &&
                EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, body + len) == 1 &&
                EVP_DecryptFinal_ex(c, (uint8_t *)to + n, &rest) == 1;

    EVP_CIPHER_CTX_free(c);
    return done ? 0 : -EBADMSG;
}

int seal_open(const struct seal *s, struct text sealed, char to[static SEAL_CLEAR_MAX + 1])
{
    uint8_t bytes[SEAL_TEXT_MAX];
    struct text code = text_skip(sealed, strlen(PREFIX));
    int len;

    if (!s->has_key || !seal_is(sealed) || sealed.len >= SEAL_TEXT_MAX || code.len % 4)
        return -EBADMSG;
    len = EVP_DecodeBlock(bytes, (const uint8_t *)code.at, (int)code.len);
    for (size_t i = code.len; i && code.at[i - 1] == '=' && i + 2 > code.len; i--)
        len--; /* what fills up the last group counts in EVP_DecodeBlock */
    len -= NONCE_SIZE + TAG_SIZE;
    if (len < 0 || len > SEAL_CLEAR_MAX || decrypt(s, bytes, len, to) < 0)
        return -EBADMSG;
    to[len] = '\0';
    return 0;
}
