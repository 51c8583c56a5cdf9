#include "base/words.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/map.h"

struct word {
    size_t holders;
    char text[];
};

static const char nothing[] = "";

struct words {
    struct map by_text;
};

static struct text key_of(const void *value)
{
    return text_of(((const struct word *)value)->text);
}

struct words *words_new(void)
{
    struct words *w = calloc(1, sizeof(*w));

    if (w)
        map_init(&w->by_text, key_of);
    return w;
}

void words_free(struct words *w)
{
    size_t cursor = 0;
    void *word;

    if (!w)
        return;
    while ((word = map_next(&w->by_text, &cursor)))
        free(word);
    map_done(&w->by_text);
    free(w);
}

static struct word *word_new(struct words *w, struct text t)
{
    struct word *word = malloc(sizeof(*word) + t.len + 1);

    if (!word)
        return NULL;
    word->holders = 0;
    text_copy(word->text, t.len + 1, t);
    if (map_put(&w->by_text, word) == 0)
        return word;
    free(word);
    return NULL;
}

const char *words_take(struct words *w, struct text t)
{
    const char *end = t.len ? memchr(t.at, 0, t.len) : NULL;
    struct word *word;

    if (end)
        t.len = (size_t)(end - t.at);
    if (!t.len)
        return nothing;
    word = map_get(&w->by_text, t);
    if (!word && !(word = word_new(w, t)))
        return nothing;
    word->holders++;
    return word->text;
}

void words_give(struct words *w, const char *text)
{
    struct word *word;

    if (!text || !*text)
        return;
    word = container_of(text, struct word, text);
    if (--word->holders)
        return;
    map_remove(&w->by_text, key_of(word));
    free(word);
}
