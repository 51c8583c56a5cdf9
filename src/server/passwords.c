/* passwords.c - passwords become yescrypt hashes beside the loop. */
#include "server/passwords.h"

#include <crypt.h>
#include <errno.h>
#include <stdlib.h>

#include "base/list.h"

struct passwords {
    uv_loop_t *loop;
    void *context;
    password_done done;
    struct list works;
    bool stopped;
};

struct work {
    uv_work_t request;
    struct list node;
    struct passwords *owner;
    void *what;
    char *password;
    char expected[CRYPT_OUTPUT_SIZE]; /* hash to compare with; "": a new one */
    char hash[CRYPT_OUTPUT_SIZE];
};

struct passwords *passwords_new(uv_loop_t *loop, void *context, password_done done)
{
    struct passwords *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    *p = (struct passwords){.loop = loop, .context = context, .done = done};
    list_init(&p->works);
    return p;
}

bool password_is_hash(struct text t)
{
    return text_starts(t, "$y$") && t.len > 20;
}

/* In a thread of the pool. */
static void make_hash(uv_work_t *request)
{
    struct work *w = request->data;
    struct crypt_data *data = calloc(1, sizeof(*data));
    char salt[CRYPT_GENSALT_OUTPUT_SIZE];
    const char *hash = NULL;

    if (data && w->expected[0])
        hash = crypt_r(w->password, w->expected, data);
    else if (data && crypt_gensalt_rn("$y$", 0, NULL, 0, salt, sizeof(salt)))
        hash = crypt_r(w->password, salt, data);
    if (hash && hash[0] == '$')
        text_copy(w->hash, sizeof(w->hash), text_of(hash));
    if (data)
        explicit_bzero(data, sizeof(*data));
    free(data);
}

static void finish(struct work *w)
{
    struct passwords *p = w->owner;

    list_remove(&w->node);
    if (!p->stopped)
        p->done(p->context, w->what, w->hash[0] ? w->hash : NULL);
    explicit_bzero(w->password, strlen(w->password));
    free(w->password);
    free(w);
    if (p->stopped && list_is_empty(&p->works))
        free(p);
}

static void on_made(uv_work_t *request, int err)
{
    finish(request->data);
}

int passwords_check(struct passwords *p, struct text password, const char *expected, void *what)
{
    struct work *w = calloc(1, sizeof(*w));

    if (!w || !(w->password = text_dup(password))) {
        free(w);
        return -ENOMEM;
    }
    text_copy(w->expected, sizeof(w->expected), text_of(expected));
    w->request.data = w;
    w->owner = p;
    w->what = what;
    list_append(&p->works, &w->node);
    return uv_queue_work(p->loop, &w->request, make_hash, on_made);
}

int passwords_hash(struct passwords *p, struct text password, void *what)
{
    return passwords_check(p, password, "", what);
}

void passwords_stop(struct passwords *p)
{
    if (!p)
        return;
    list_for_each(&p->works, node)
        p->done(p->context, container_of(node, struct work, node)->what, NULL);
    p->stopped = true;
    if (list_is_empty(&p->works))
        free(p);
}
